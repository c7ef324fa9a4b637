//! Forged authorities under Huawei's names, beside the real ones.
//!
//! `ALLOD_VECTORS` names the folder of vectors; without it, `shared/vectors` beside the workspace is tried.

use super::*;
use clap::Parser;
use p384::ecdsa::{DerSignature, SigningKey, VerifyingKey};
use std::io::Write;
use std::str::FromStr;
use std::time::Duration;
use x509_cert::Certificate as Made;
use x509_cert::builder::profile::BuilderProfile;
use x509_cert::builder::{Builder, CertificateBuilder};
use x509_cert::certificate::TbsCertificate;
use x509_cert::der::{Encode, EncodePem};
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage, KeyUsages};
use x509_cert::ext::{Extension, Extensions, ToExtension};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{SubjectPublicKeyInfo, SubjectPublicKeyInfoRef};
use x509_cert::time::Validity;

/// An authority that says it is whoever it likes.
struct Forged(Name);

impl BuilderProfile for Forged {
    fn get_issuer(&self, _: &Name) -> Name {
        self.0.clone()
    }

    fn get_subject(&self) -> Name {
        self.0.clone()
    }

    fn build_extensions(
        &self,
        _: SubjectPublicKeyInfoRef<'_>,
        _: SubjectPublicKeyInfoRef<'_>,
        tbs: &TbsCertificate,
    ) -> x509_cert::builder::Result<Vec<Extension>> {
        let mut all = Extensions::new();
        let constraints = BasicConstraints { ca: true, path_len_constraint: None };
        all.push(constraints.to_extension(tbs.subject(), &all)?);
        all.push(KeyUsage(KeyUsages::KeyCertSign | KeyUsages::CRLSign).to_extension(tbs.subject(), &all)?);
        Ok(all)
    }
}

fn forged(name: &str) -> Made {
    let key = SigningKey::from_slice(&[7; 48]).expect("a key");
    let subject = Name::from_str(name).expect("a name");
    let validity = Validity::from_now(Duration::from_secs(3600)).expect("a validity");
    let info = SubjectPublicKeyInfo::from_key(&VerifyingKey::from(&key)).expect("a key");
    let serial = SerialNumber::new(&[1]).expect("a number");
    let builder = CertificateBuilder::new(Forged(subject), serial, validity, info).expect("a builder");
    builder.build::<_, DerSignature>(&key).expect("a certificate")
}

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("allod-anchors-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    fn file(&self, name: &str, content: &[u8]) -> String {
        std::fs::write(self.0.join(name), content).expect("written");
        self.at(name)
    }

    fn at(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("UTF-8").to_string()
    }

    /// How many anchors the store in it has.
    fn kept(&self) -> usize {
        std::fs::read_dir(self.0.join("store")).map_or(0, |list| list.count())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Runs `allod anchors` with these words; the error's words if it fails.
fn anchors(words: &[&str]) -> std::result::Result<(), String> {
    let cli = crate::Cli::try_parse_from([&["allod", "anchors"], words].concat()).expect("a command");
    let crate::Command::Anchors(command) = cli.command else { panic!("another command") };
    super::main(*command).map(drop).map_err(|error| error.to_string())
}

const NAMES: [&str; 4] = [
    "CN=Huawei Equipment CA,O=Huawei,C=CN",
    "CN=Huawei IT Product CA,O=Huawei,C=CN",
    "CN=Huawei ECC Attestation Root CA 1,O=Huawei",
    "CN=Huawei Computing ECC CCA CA 1,O=Huawei,C=CN",
];

#[test]
fn authorities_under_huaweis_names_with_other_keys_are_refused() {
    let folder = Folder::new("forged");
    let store = folder.at("store");
    let others = ["CN=huawei equipment ca,O=Huawei,C=CN", "CN=Huawei Equipment CA", "O=Allod,CN=Huawei IT Product CA"];
    for name in NAMES.into_iter().chain(others) {
        let made = forged(name);
        let pem = made.to_pem(LineEnding::LF).expect("PEM");
        let files =
            [folder.file("forged.pem", pem.as_bytes()), folder.file("forged.der", &made.to_der().expect("DER"))];
        for file in files {
            for command in ["import", "add"] {
                let error = anchors(&[command, &file, "--store", &store]).expect_err(name);
                assert!(error.contains("expected Huawei's own certificate, found another"), "{name}: {error}");
            }
        }
    }
    assert_eq!(folder.kept(), 0, "nothing of them is kept");
    // The control: the same certificate under a name of its own is no forgery, and trusted by who adds it.
    let own = forged("CN=Some CA,O=Allod").to_pem(LineEnding::LF).expect("PEM");
    let own = folder.file("own.pem", own.as_bytes());
    let error = anchors(&["import", &own, "--store", &store]).expect_err("not published by anybody known");
    assert!(error.contains("not one of Huawei's published authorities"), "{error}");
    anchors(&["add", &own, "--store", &store]).expect("added");
    assert_eq!(folder.kept(), 1);
}

#[test]
fn huaweis_own_authorities_are_imported_and_none_along_with_a_forgery() {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors");
    let vectors = std::env::var_os("ALLOD_VECTORS").map_or(beside, PathBuf::from).join("virtcca");
    if !vectors.is_dir() {
        let _ = writeln!(std::io::stderr(), "SKIPPED a test over 4 certificates: no vectors; set ALLOD_VECTORS");
        return;
    }
    let real = [
        "huawei-equipment-root-ca-rsa.pem",
        "huawei-it-product-ca-rsa.pem",
        "huawei-ecc-attestation-root-ca-1.pem",
        "huawei-computing-ecc-cca-ca-1.pem",
    ];
    let folder = Folder::new("real");
    let store = folder.at("store");
    let read = |name: &str| std::fs::read_to_string(vectors.join(name)).expect("the vector");
    for (name, forgery) in real.into_iter().zip(NAMES) {
        let pem = forged(forgery).to_pem(LineEnding::LF).expect("PEM");
        let both = folder.file("both.pem", format!("{}\n{pem}", read(name).trim_end()).as_bytes());
        assert!(anchors(&["import", &both, "--store", &store]).is_err(), "{name} beside a forgery");
    }
    assert_eq!(folder.kept(), 0);
    for name in real {
        let path = vectors.join(name);
        anchors(&["import", path.to_str().expect("UTF-8"), "--store", &store]).expect("Huawei's own");
    }
    assert_eq!(folder.kept(), 4);
}
