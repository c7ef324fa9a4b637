//! What `allod verify` writes beside its report: an attestation result, and a page.

use super::about;
use super::html::Page;
use crate::reference::signer::SigningKey;
use evidence::eventlog::EventLog;
use evidence::hex;
use sha2::{Digest, Sha256};
use std::error::Error;
use std::path::{Path, PathBuf};
use verifier::ear::{Context, Ear, Spelling};
use verifier::{Policy, Verdict};

/// Where results go, and in which form.
#[derive(clap::Args)]
pub struct Output {
    /// Write the verdict as an attestation result (EAR): JSON claims, or with --ear-key a signed JSON Web Token. `-` is
    /// standard output, in place of the report.
    #[arg(long, value_name = "FILE")]
    ear: Option<PathBuf>,
    /// How the members of the result are spelled: `deployed`, as Veraison and Trustee have them (ear.status), or
    /// `draft`, as the IETF's draft of 2026 has them (ear_status).
    #[arg(long, value_name = "FORM", default_value = "deployed", value_parser = spelling)]
    ear_form: Spelling,
    /// Sign the result with this private key on P-256, P-384 or P-521 (PEM or JWK): ES256, ES384 or ES512.
    #[arg(long, value_name = "FILE", requires = "ear")]
    ear_key: Option<PathBuf>,
    /// Put the evidence itself into the result.
    #[arg(long, requires = "ear")]
    ear_evidence: bool,
    /// Write the report as one page of HTML: chain of trust, every check, the boot event by event.
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
}

/// What a verdict was reached about.
pub struct Reached<'a> {
    /// The verdict.
    pub verdict: &'a Verdict,
    /// The evidence.
    pub token: &'a [u8],
    /// Where it came from.
    pub name: &'a Path,
    /// The event log, if one was given.
    pub log: Option<&'a [u8]>,
    /// The challenge as it was given.
    pub nonce: &'a [u8],
    /// What the verdict was reached by.
    pub policy: &'a Policy,
    /// The time of verification, in seconds since 1970.
    pub at: u64,
}

impl Output {
    /// Writes what was asked for. Answers whether standard output has been used for it.
    pub fn write(&self, reached: &Reached<'_>) -> Result<bool, Box<dyn Error>> {
        let ear = Ear::of(reached.verdict, &self.context(reached));
        if let Some(path) = &self.report {
            save(path, &page(reached, &ear))?;
        }
        let Some(path) = &self.ear else { return Ok(false) };
        let result = match &self.ear_key {
            Some(key) => signed(&ear, &SigningKey::read(key)?)?,
            None => serde_json::to_string_pretty(&ear.to_json())?,
        };
        if path.as_os_str() == "-" {
            println!("{result}");
            return Ok(true);
        }
        save(path, &format!("{result}\n"))?;
        Ok(false)
    }

    fn context<'a>(&self, reached: &Reached<'a>) -> Context<'a> {
        Context {
            spelling: self.ear_form,
            at: reached.at,
            nonce: reached.nonce,
            policy: reached.policy,
            raw_evidence: self.ear_evidence.then_some(reached.token),
        }
    }
}

fn save(path: &Path, text: &str) -> Result<(), Box<dyn Error>> {
    std::fs::write(path, text).map_err(|error| about(path, &error))
}

fn signed(ear: &Ear, key: &SigningKey) -> Result<String, Box<dyn Error>> {
    let public = key.public().ok_or("expected a private key with a public half")?;
    Ok(ear.to_jws(&public, |message| key.sign(message)))
}

fn page(reached: &Reached<'_>, ear: &Ear) -> String {
    let name = reached.name.file_name().map_or_else(|| "standard input".into(), |it| it.to_string_lossy());
    let name = if name == "-" { "standard input".into() } else { name };
    Page {
        verdict: reached.verdict,
        ear,
        log: reached.log.map(EventLog::parse),
        name: &name,
        digest: &hex::encode(&Sha256::digest(reached.token)),
        length: reached.token.len(),
        at: reached.at,
    }
    .to_string()
}

fn spelling(name: &str) -> Result<Spelling, String> {
    Spelling::ALL
        .into_iter()
        .find(|it| it.name() == name)
        .ok_or_else(|| format!("expected {}", Spelling::ALL.map(Spelling::name).join(" or ")))
}
