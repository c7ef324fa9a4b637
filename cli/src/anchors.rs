//! `allod anchors`: a folder of whom to trust, for `allod verify --anchor FOLDER`.
//!
//! Every file in it holds one anchor and is named by its kind and fingerprint, so that to add twice changes nothing, and
//! to remove a file is to take trust away.

use crate::Done;
use crate::reference::form::{anchor, parsed, pem};
use crate::reference::{Judge, about, read};
use evidence::corim::{AttestKey, KeyText, is_corim};
use evidence::hex::{decode, encode};
use serde_json::json;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use verifier::anchor_file::{self, Trusted};
use verifier::certificate::Certificate;
use verifier::key::Key;
use verifier::reference::{Admission, open};
use verifier::{huawei, revocation, test_keys};
use x509_cert::der::Document;
use x509_cert::der::pem::{LineEnding, encode_string};

/// How names of files in the folder end.
const ENDINGS: [&str; 2] = ["pem", "json"];
const LIST_ENDING: &str = "crl";

/// What is done with the folder.
#[derive(clap::Subcommand)]
pub enum Command {
    /// Show every anchor in the folder.
    List(List),
    /// Trust a certificate, key or list of revoked certificates.
    Add(Add),
    /// Trust what others publish: Huawei's authorities, and the keys in CoRIMs and flat stores.
    Import(Import),
}

#[derive(clap::Args)]
struct Store {
    /// The folder [default: allod/anchors in the user's configuration].
    #[arg(long, value_name = "DIR")]
    store: Option<PathBuf>,
}

/// Arguments of `allod anchors list`.
#[derive(clap::Args)]
#[command(after_help = "Example: allod anchors list --store anchors")]
pub struct List {
    #[command(flatten)]
    store: Store,
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
}

/// Arguments of `allod anchors add`.
#[derive(clap::Args)]
#[command(after_help = "Example: allod anchors add root.pem --store anchors
         allod anchors add cpak.jwk --implementation-id $IMPL --instance-id $INSTANCE --store anchors")]
pub struct Add {
    /// Certificates or public keys (PEM, DER), keys as JWK, lists of revoked certificates (PEM, DER).
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    store: Store,
    /// The design of the platform that a bare key is for.
    #[arg(long, value_name = "HEX", requires = "instance_id")]
    implementation_id: Option<String>,
    /// Which platform of that design a bare key is for.
    #[arg(long, value_name = "HEX", requires = "implementation_id")]
    instance_id: Option<String>,
    /// Take keys whose private halves are published, for tests.
    #[arg(long)]
    allow_test_keys: bool,
}

/// Arguments of `allod anchors import`.
#[derive(clap::Args)]
#[command(
    after_help = "Example: allod anchors import 'Huawei Equipment Root CA.pem' 'Huawei IT Product CA.pem' --store anchors
         allod anchors import endorsements.corim --reference-key vendor.pem --store anchors"
)]
pub struct Import {
    /// Huawei's certificates (PEM, DER), CoRIMs with attest keys, flat stores of trust anchors.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    store: Store,
    #[command(flatten)]
    judge: Judge,
    /// Time to judge validity by [default: now].
    #[arg(long, value_name = "TIME", value_parser = crate::verify::moment)]
    at: Option<u64>,
    /// Take keys whose private halves are published, for tests.
    #[arg(long)]
    allow_test_keys: bool,
}

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// Runs `allod anchors`.
pub fn main(command: Command) -> Done {
    match command {
        Command::List(args) => args.run()?,
        Command::Add(args) => args.run()?,
        Command::Import(args) => args.run()?,
    }
    Ok(ExitCode::SUCCESS)
}

/// One anchor as it is kept: the name of its file, the content, and what to say of it.
struct Kept {
    name: String,
    content: String,
    said: String,
}

impl Add {
    fn run(&self) -> Result<()> {
        let mut kept = Vec::new();
        for path in &self.files {
            let file = read(path)?;
            kept.extend(self.take(&file).map_err(|error| about(path, &error))?);
        }
        self.store.keep(&kept)
    }

    fn take(&self, file: &[u8]) -> Result<Vec<Kept>> {
        if let Ok(lists) = revocation::read_file(file) {
            let issuers: Vec<&str> = lists.iter().map(|list| list.issuer()).collect();
            let content = String::from_utf8(file.to_vec()).or_else(|_| armoured("X509 CRL", file))?;
            let name = format!("crl-{}.{LIST_ENDING}", fingerprint(content.as_bytes()));
            return Ok(vec![Kept {
                name,
                content,
                said: format!("list of revoked certificates by {}", issuers.join(", ")),
            }]);
        }
        let mut kept = Vec::new();
        let mut certificates = documents(file)?.into_iter();
        for trusted in anchor_file::read(file)? {
            kept.push(match trusted {
                Trusted::Certificate(it) => certificate(&it, &certificates.next().ok_or("expected a certificate")?)?,
                Trusted::Key(identity, key) => {
                    known(&key, self.allow_test_keys)?;
                    let own = identity.map(|it| (it.implementation_id, it.instance_id));
                    match own.map_or_else(|| self.platform(), |it| Ok(Some(it)))? {
                        Some((implementation_id, instance_id)) => {
                            let key = KeyText::Pem(pem(&key)?);
                            platform_key(&AttestKey { implementation_id, instance_id, key })?
                        }
                        None => bare_key(&key)?,
                    }
                }
            });
        }
        Ok(kept)
    }

    fn platform(&self) -> Result<Option<([u8; 32], [u8; 33])>> {
        let (Some(implementation), Some(instance)) = (&self.implementation_id, &self.instance_id) else {
            return Ok(None);
        };
        let implementation = decode(implementation).and_then(|it| it.try_into().ok());
        let instance = decode(instance).and_then(|it| it.try_into().ok());
        let implementation = implementation.ok_or("--implementation-id: expected 32 bytes in hexadecimal")?;
        Ok(Some((implementation, instance.ok_or("--instance-id: expected 33 bytes in hexadecimal")?)))
    }
}

impl Import {
    fn run(&self) -> Result<()> {
        let keys = self.judge.keys()?;
        let at = self.at.map_or_else(crate::verify::now, Ok)?;
        let admission = Admission { keys: &keys, at, lapsed_passes: self.judge.allow_lapsed_references };
        let mut kept = Vec::new();
        for path in &self.files {
            let file = read(path)?;
            kept.extend(self.take(&file, &admission).map_err(|error| about(path, &error))?);
        }
        self.store.keep(&kept)
    }

    fn take(&self, file: &[u8], admission: &Admission<'_>) -> Result<Vec<Kept>> {
        if is_corim(file) {
            let corim = open(file, admission)?;
            if corim.keys.is_empty() {
                return Err("expected attest keys, found none in this CoRIM".into());
            }
            return corim.keys.iter().map(|it| self.endorsed(it)).collect();
        }
        let mut certificates = documents(file)?.into_iter();
        let take = |trusted| match trusted {
            Trusted::Certificate(it) => {
                let der = certificates.next().ok_or("expected a certificate")?;
                if huawei::recognise(&it).is_none() {
                    let subject = it.subject();
                    return Err(format!(
                        "{subject}: not one of Huawei's published authorities; if you trust it, `add` it"
                    )
                    .into());
                }
                certificate(&it, &der)
            }
            Trusted::Key(Some(it), key) => {
                let key = KeyText::Pem(pem(&key)?);
                let (implementation_id, instance_id) = (it.implementation_id, it.instance_id);
                self.endorsed(&AttestKey { implementation_id, instance_id, key })
            }
            Trusted::Key(None, _) => {
                Err("a key that does not say for which platform; if you trust it, `add` it".into())
            }
        };
        anchor_file::read(file)?.into_iter().map(take).collect()
    }

    fn endorsed(&self, it: &AttestKey) -> Result<Kept> {
        known(&parsed(&it.key)?, self.allow_test_keys)?;
        platform_key(it)
    }
}

/// Refuses keys that everybody has.
fn known(key: &Key, allowed: bool) -> Result<()> {
    match test_keys::recognise(key) {
        Some(it) if !allowed => {
            Err(format!("{}: its private half is published; --allow-test-keys takes it for tests", it.name).into())
        }
        _ => Ok(()),
    }
}

/// The certificates of a file in DER, in their order.
fn documents(file: &[u8]) -> Result<Vec<Vec<u8>>> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    const END: &str = "-----END CERTIFICATE-----";
    if file.first() == Some(&0x30) {
        return Ok(vec![file.to_vec()]);
    }
    let Ok(mut text) = std::str::from_utf8(file) else { return Ok(Vec::new()) };
    let mut list = Vec::new();
    while let Some(block) = text.find(BEGIN).and_then(|at| text.get(at..)) {
        let end = block.find(END).map(|at| at + END.len()).ok_or("expected the end of a certificate")?;
        let (_, document) = Document::from_pem(block.get(..end).unwrap_or_default())?;
        list.push(document.as_bytes().to_vec());
        text = block.get(end..).unwrap_or_default();
    }
    Ok(list)
}

fn armoured(label: &str, der: &[u8]) -> Result<String> {
    Ok(encode_string(label, LineEnding::LF, der)?)
}

fn fingerprint(bytes: &[u8]) -> String {
    let digest = verifier::key::hash(evidence::Hash::Sha256, bytes);
    encode(digest.get(..8).unwrap_or_default())
}

fn certificate(it: &Certificate, der: &[u8]) -> Result<Kept> {
    if verifier::key::hash(evidence::Hash::Sha256, der) != it.fingerprint() {
        return Err("certificates and their encodings do not pair".into());
    }
    let (kind, of) = match huawei::recognise(it) {
        Some(known) => ("huawei", format!("Huawei's own: {}", known.name)),
        None => ("root", it.subject().to_string()),
    };
    let name = format!("{kind}-{}.pem", fingerprint(der));
    Ok(Kept { name, content: armoured("CERTIFICATE", der)?, said: format!("authority {of}") })
}

fn platform_key(it: &AttestKey) -> Result<Kept> {
    let content = format!("{:#}\n", json!([anchor(it)?]));
    let said = format!("key of platform {} of design {}", encode(&it.instance_id), encode(&it.implementation_id));
    Ok(Kept { name: format!("cpak-{}.json", fingerprint(content.as_bytes())), content, said })
}

fn bare_key(key: &Key) -> Result<Kept> {
    let content = pem(key)? + "\n";
    let name = format!("key-{}.pem", fingerprint(content.as_bytes()));
    Ok(Kept { name, content, said: "key of whichever platform shows a token by it".to_string() })
}

impl Store {
    fn folder(&self) -> Result<PathBuf> {
        let own = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
        let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".config"));
        let default = || own.or_else(home).map(|folder| folder.join("allod/anchors"));
        self.store.clone().or_else(default).ok_or_else(|| "no home folder: give --store".into())
    }

    /// Writes anchors, all or, if one was refused before, none.
    fn keep(&self, kept: &[Kept]) -> Result<()> {
        let folder = self.folder()?;
        std::fs::create_dir_all(&folder).map_err(|error| about(&folder, &error))?;
        for it in kept {
            let path = folder.join(&it.name);
            std::fs::write(&path, &it.content).map_err(|error| about(&path, &error))?;
            println!("{}  {}", it.name, it.said);
        }
        Ok(())
    }
}

impl List {
    fn run(&self) -> Result<()> {
        let folder = self.store.folder()?;
        let mut list = Vec::new();
        for path in ending_in(&folder, &[&ENDINGS[..], &[LIST_ENDING]].concat())? {
            let file = read(&path)?;
            let said = describe(&file).unwrap_or_else(|error| vec![format!("unusable: {error}")]);
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            list.push((name, said));
        }
        if self.json {
            let entries: Vec<_> = list.iter().map(|(name, said)| json!({ "file": name, "holds": said })).collect();
            println!("{:#}", json!(entries));
            return Ok(());
        }
        list.iter().flat_map(|(name, said)| said.iter().map(move |it| (name, it))).for_each(|(name, it)| {
            println!("{name}  {it}");
        });
        Ok(())
    }
}

/// Says in words what a file of anchors holds.
pub fn describe(file: &[u8]) -> Result<Vec<String>> {
    if let Ok(lists) = revocation::read_file(file) {
        return Ok(lists.iter().map(|it| format!("list of revoked certificates by {}", it.issuer())).collect());
    }
    let say = |trusted: &Trusted| match trusted {
        Trusted::Certificate(it) => {
            let known = huawei::recognise(it).map_or(String::new(), |_| " (Huawei's own)".to_string());
            let until = evidence::corim::Time(it.not_after);
            format!("{}{known}, SHA-256 {}, until {until}", it.subject(), encode(it.fingerprint()))
        }
        Trusted::Key(identity, key) => {
            let test =
                test_keys::recognise(key).map_or(String::new(), |it| format!(" — PUBLISHED TEST KEY: {}", it.name));
            let of = identity.as_ref().map_or("whichever platform".to_string(), |it| encode(&it.instance_id));
            format!("{} key of {of}, SHA-256 {}{test}", key.algorithm(), encode(&key.fingerprint()))
        }
    };
    Ok(anchor_file::read(file)?.iter().map(say).collect())
}

fn ending_in(folder: &Path, endings: &[&str]) -> Result<Vec<PathBuf>> {
    let list = std::fs::read_dir(folder).map_err(|error| about(folder, &error))?;
    let mut files = list.map(|entry| entry.map(|it| it.path())).collect::<std::result::Result<Vec<_>, _>>()?;
    files.retain(|path| path.extension().and_then(|it| it.to_str()).is_some_and(|it| endings.contains(&it)));
    files.sort();
    Ok(files)
}

/// Puts in the place of each folder the anchors in it.
pub fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    expanded(paths, &ENDINGS, true)
}

/// The lists of revoked certificates in those of the paths that are folders.
pub fn lists(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    expanded(paths, &[LIST_ENDING], false)
}

fn expanded(paths: &[PathBuf], endings: &[&str], plain: bool) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            files.extend(ending_in(path, endings)?);
        } else if plain {
            files.push(path.clone());
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests;
