//! `allod reference`: reference values made, signed, shown, and carried from one form into another.

mod cocli;
pub mod form;
pub mod signer;

use crate::Done;
use evidence::corim::{Corim, Layout, Signed, Signer, ToBeSigned, Validity, is_corim, is_signed};
use form::{Form, Set};
use signer::SigningKey;
use std::error::Error;
use std::io::{IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use verifier::References;
use verifier::anchor_file::{self, Trusted};
use verifier::key::Key;
use verifier::reference::{Admission, MAX_FILE, open};
use verifier::rules::Rules;
use verifier::rules::huawei::{Image, is_image};

/// What is done with reference values.
#[derive(clap::Subcommand)]
pub enum Command {
    /// Make an unsigned CoRIM of what `allod measure --json` printed, a flat store, templates of `cocli` or another CoRIM.
    Create(Create),
    /// Sign a CoRIM.
    Sign(Sign),
    /// Show what a file of reference values says, and whether its signature and validity hold.
    Show(Show),
    /// Carry one file into another form.
    Convert(Convert),
    /// Join several files into one.
    Merge(Merge),
}

/// By what CoRIMs are judged before they are believed.
#[derive(clap::Args, Default)]
pub struct Judge {
    /// The key (PEM, JWK, certificate) that CoRIMs must be signed by; unsigned ones are then refused.
    #[arg(long, value_name = "FILE")]
    pub reference_key: Vec<PathBuf>,
    /// Believe CoRIMs whose validity has ended or not begun.
    #[arg(long)]
    pub allow_lapsed_references: bool,
}

/// What a new CoRIM says of itself.
#[derive(clap::Args)]
struct Making {
    /// Its identifier [default: a digest of what it says].
    #[arg(long, value_name = "TEXT")]
    id: Option<String>,
    /// Its layout.
    #[arg(long, value_name = "LAYOUT", default_value = "2025", value_parser = layout)]
    layout: Layout,
    /// From when on it is valid.
    #[arg(long, value_name = "TIME", value_parser = super::verify::moment)]
    valid_from: Option<u64>,
    /// Until when it is valid.
    #[arg(long, value_name = "TIME", value_parser = super::verify::moment)]
    valid_until: Option<u64>,
    /// Name of whoever makes it.
    #[arg(long, value_name = "NAME")]
    entity: Vec<String>,
    /// Take only platforms and their keys, or only realms.
    #[arg(long, value_name = "platform|realm")]
    part: Option<form::Part>,
}

/// Arguments of `allod reference create`.
#[derive(clap::Args)]
#[command(after_help = "Example: allod measure direct --kernel Image --json > realm.json
         allod reference create realm.json --valid-until 2027-12-31T00:00:00Z --output realm.corim")]
pub struct Create {
    /// What it is made of.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    making: Making,
    #[command(flatten)]
    judge: Judge,
    /// Where to write it.
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
}

/// Arguments of `allod reference sign`.
#[derive(clap::Args)]
#[command(
    after_help = "Example: allod reference sign realm.corim --key signer.pem --name 'ACME Ltd' --output realm.signed"
)]
pub struct Sign {
    /// The unsigned CoRIM.
    file: PathBuf,
    /// The signer's private key on P-256, P-384 or P-521 (PKCS #8 in PEM, or JWK).
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The signer's name.
    #[arg(long)]
    name: String,
    /// The signer's address.
    #[arg(long)]
    uri: Option<String>,
    /// Name of the key, to find it by.
    #[arg(long, value_name = "TEXT")]
    kid: Option<String>,
    /// From when on the signature is valid.
    #[arg(long, value_name = "TIME", value_parser = super::verify::moment)]
    valid_from: Option<u64>,
    /// Until when the signature is valid.
    #[arg(long, value_name = "TIME", value_parser = super::verify::moment)]
    valid_until: Option<u64>,
    /// Where to write it.
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
}

/// Arguments of `allod reference show`.
#[derive(clap::Args)]
#[command(after_help = "Example: allod reference show platform.signed --reference-key signer.pub.pem")]
pub struct Show {
    /// The file.
    file: PathBuf,
    #[command(flatten)]
    judge: Judge,
    /// Time to judge validity by [default: now].
    #[arg(long, value_name = "TIME", value_parser = super::verify::moment)]
    at: Option<u64>,
}

/// Arguments of `allod reference convert`.
#[derive(clap::Args)]
#[command(after_help = "Example: allod reference convert platform.corim --to flat --output rv.json
         allod reference convert software_components.json --to allod --output platform.json
         allod reference convert image_reference_measurement.json --to rules --output rules.toml")]
pub struct Convert {
    /// The file.
    file: PathBuf,
    /// Which of several kernels a boot has, by its version (of image_reference_measurement.json).
    #[arg(long, value_name = "VERSION")]
    kernel: Option<String>,
    #[command(flatten)]
    into: Into,
}

/// Arguments of `allod reference merge`.
#[derive(clap::Args)]
#[command(after_help = "Example: allod reference merge old.json new.json --to flat --output rv.json")]
pub struct Merge {
    /// The files.
    #[arg(required = true, value_name = "FILE", num_args = 2..)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    into: Into,
}

#[derive(clap::Args)]
struct Into {
    /// The form: `allod` (allod-reference-1), `flat` or `flat-anchors` (rust-ccatoken, Trustee), `corim`; Huawei's
    /// `software-components` and `image-reference`, of which `rules` are ours.
    #[arg(long, value_name = "FORM")]
    to: Form,
    #[command(flatten)]
    making: Making,
    #[command(flatten)]
    judge: Judge,
    /// Time to judge validity by [default: now].
    #[arg(long, value_name = "TIME", value_parser = super::verify::moment)]
    at: Option<u64>,
    /// Where to write it [default: standard output].
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

fn layout(text: &str) -> Result<Layout, String> {
    let written = [Layout::Code2025, Layout::Draft04];
    written.into_iter().find(|it| it.name() == text).ok_or_else(|| "expected 2025 or draft-04".to_string())
}

/// Runs `allod reference`.
pub fn main(command: Command) -> Done {
    match command {
        Command::Create(args) => {
            let set = args.judge.set(&args.files, None)?;
            write(Some(&args.output), &args.making.corim(&set)?)?;
        }
        Command::Sign(args) => write(Some(&args.output), &args.signed()?)?,
        Command::Show(args) => args.show()?,
        Command::Convert(args) => args.run()?,
        Command::Merge(args) => args.into.run(&args.files)?,
    }
    Ok(ExitCode::SUCCESS)
}

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

impl Judge {
    /// The keys of signers.
    pub fn keys(&self) -> Result<Vec<Key>> {
        let mut keys = Vec::new();
        for path in &self.reference_key {
            let trusted = anchor_file::read(&read(path)?).map_err(|error| about(path, &error))?;
            keys.extend(trusted.into_iter().map(|it| match it {
                Trusted::Key(_, key) => key,
                Trusted::Certificate(certificate) => certificate.key().clone(),
            }));
        }
        Ok(keys)
    }

    /// Reads files of any form into what `allod verify` expects.
    pub fn references(&self, files: &[PathBuf], at: u64) -> Result<References> {
        let keys = self.keys()?;
        let admission = Admission { keys: &keys, at, lapsed_passes: self.allow_lapsed_references };
        let mut references = References::new();
        for path in files {
            references.admit(&read(path)?, &admission).map_err(|error| about(path, &error))?;
        }
        Ok(references)
    }

    /// Reads files of any form, CoRIMs with everything that they say.
    fn set(&self, files: &[PathBuf], at: Option<u64>) -> Result<Set> {
        let keys = self.keys()?;
        let at = at.map_or_else(super::verify::now, Ok)?;
        let admission = Admission { keys: &keys, at, lapsed_passes: self.allow_lapsed_references };
        let mut set = Set::default();
        for path in files {
            set.add(&read(path)?, &admission).map_err(|error| about(path, &error))?;
        }
        Ok(set)
    }
}

impl Making {
    fn corim(&self, set: &Set) -> Result<Vec<u8>> {
        let validity = match (self.valid_from, self.valid_until) {
            (None, None) => None,
            (_, None) => return Err("--valid-from needs --valid-until".into()),
            (Some(start), Some(end)) if start > end => return Err("--valid-from lies behind --valid-until".into()),
            (not_before, Some(not_after)) => Some(Validity { not_before, not_after }),
        };
        let template = &set.template;
        let entities = if self.entity.is_empty() { template.entities.clone() } else { self.entity.clone() };
        let corim = set.corim(self.layout, self.part)?;
        let corim = Corim { validity: validity.or(template.validity), entities, ..corim };
        let id = self.id.clone().or_else(|| template.id.clone()).map_or_else(|| form::digest_of(&corim), Ok)?;
        Ok(Corim { id, ..corim }.encode()?)
    }
}

impl Sign {
    fn signed(&self) -> Result<Vec<u8>> {
        let corim = read(&self.file)?;
        let key = SigningKey::read(&self.key)?;
        let validity = match (self.valid_from, self.valid_until) {
            (None, None) => None,
            (not_before, end) => {
                Some(Validity { not_before, not_after: end.ok_or("--valid-from needs --valid-until")? })
            }
        };
        let signer = Signer { name: self.name.clone(), uri: self.uri.clone(), validity };
        let kid = self.kid.as_deref().map(str::as_bytes);
        let made = ToBeSigned::new(&corim, key.algorithm(), kid, &signer).map_err(|error| about(&self.file, &error))?;
        Ok(made.finish(&key.sign(&made.signed_bytes())))
    }
}

impl Show {
    fn show(&self) -> Result<()> {
        let file = read(&self.file)?;
        let keys = self.judge.keys()?;
        let at = self.at.map_or_else(super::verify::now, Ok)?;
        if is_signed(&file) && keys.is_empty() {
            let signed = Signed::parse(&file).map_err(|error| about(&self.file, &error))?;
            return say(&format!(
                "The signature has NOT been judged: give --reference-key.\n\n{}",
                signed.allegations()
            ));
        }
        let admission = Admission { keys: &keys, at, lapsed_passes: self.judge.allow_lapsed_references };
        if is_corim(&file) {
            let corim = open(&file, &admission).map_err(|error| about(&self.file, &error))?;
            let by = if keys.is_empty() { "not signed" } else { "the signature holds under a given key" };
            return say(&format!("{by}\n\n{corim}"));
        }
        let mut set = Set::default();
        set.add(&file, &admission).map_err(|error| about(&self.file, &error))?;
        say(&set.to_string())
    }
}

impl Convert {
    fn run(&self) -> Result<()> {
        let file = read(&self.file)?;
        let text = match self.into.to {
            Form::Rules => Image::read(&file).and_then(|image| image.to_rules(self.kernel.as_deref())),
            Form::ImageReference => {
                let rules = Rules::parse(&file).map_err(|error| about(&self.file, &error))?;
                Image::from_rules(&rules).map(|(image, left_out)| {
                    if left_out > 0 {
                        eprintln!("allod: {left_out} rules are left out, which this form cannot say");
                    }
                    image.to_json()
                })
            }
            _ if is_image(&file) => return Err(about(&self.file, &"this says what a boot may be: use --to rules")),
            _ => return self.into.run(std::slice::from_ref(&self.file)),
        };
        write(self.into.output.as_deref(), text.map_err(|error| about(&self.file, &error))?.as_bytes())
    }
}

impl Into {
    fn run(&self, files: &[PathBuf]) -> Result<()> {
        let set = self.judge.set(files, self.at)?;
        let made = match self.to {
            Form::Corim => self.making.corim(&set)?,
            text => set.text(text, self.making.part)?.into_bytes(),
        };
        write(self.output.as_deref(), &made)
    }
}

/// Reads a file of bounded size.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let file = std::fs::File::open(path).map_err(|error| about(path, &error))?;
    let mut bytes = Vec::new();
    let most = MAX_FILE as u64 + 1;
    if file.take(most).read_to_end(&mut bytes).map_err(|error| about(path, &error))? as u64 == most {
        return Err(about(path, &format!("expected at most {MAX_FILE} bytes, found more")));
    }
    Ok(bytes)
}

/// Names the file that an error is about.
pub fn about(path: &Path, error: &dyn std::fmt::Display) -> Box<dyn Error> {
    format!("{}: {error}", path.display()).into()
}

/// Prints, unless whoever reads has gone.
fn say(text: &str) -> Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

fn write(path: Option<&Path>, bytes: &[u8]) -> Result<()> {
    match path {
        Some(path) => std::fs::write(path, bytes).map_err(|error| about(path, &error)),
        None if std::str::from_utf8(bytes).is_err() && std::io::stdout().is_terminal() => {
            Err("this is no text: give --output".into())
        }
        None => {
            let mut out = std::io::stdout();
            out.write_all(bytes)?;
            if bytes.first() == Some(&b'{') || bytes.first() == Some(&b'[') {
                out.write_all(b"\n")?;
            }
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests;
