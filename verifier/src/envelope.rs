//! Evidence as others send it: a token within the messages of other systems, beside its device's certificate, its event
//! log, or nothing.
//!
//! What is unwrapped is believed no more than what came bare. An envelope's certificates are endorsements, which count
//! only below an anchor, and its log counts only if it leads to the token's measurements.

mod cbor;
mod framed;
mod json;
mod x509;

use crate::anchors::Anchors;
use crate::authenticate::{Nonce, completed};
use crate::certificate::{self, Unreadable};
use crate::check::{Check, Step};
use crate::key::hash;
use crate::verdict::{Outcome, Verdict};
use crate::verify::{Case, verify_with_log};
use base64ct::{Base64, Base64Unpadded, Base64Url, Base64UrlUnpadded, Encoding};
use evidence::{Hash, hex};
use std::fmt;

pub use cbor::is_token;

/// Bytes that are read, at most: a log of the largest size takes four times as many in a list of numbers.
pub const MAX: usize = 16 * 1024 * 1024;
/// Envelopes within envelopes, encodings among them, that are opened, at most.
const MAX_LAYERS: u8 = 12;
/// Certificates beside a token, at most.
const MAX_CERTIFICATES: usize = 16;

/// What was in an envelope.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opened {
    token: Vec<u8>,
    /// Files of certificates, each in DER or PEM.
    certificates: Vec<Vec<u8>>,
    log: Option<Vec<u8>>,
    layers: Vec<String>,
    beside: Vec<String>,
    claims: Option<Vec<u8>>,
    nonce: Option<Vec<u8>>,
}

/// Why an envelope was not opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// More bytes than any evidence has.
    TooLong {
        /// How many there are.
        found: usize,
    },
    /// Envelopes within envelopes beyond the limit.
    TooDeep,
    /// JSON that is broken, or that names a member twice.
    Json(String),
    /// Bytes that are text, and no encoding of any.
    Encoding {
        /// Of which member.
        member: String,
    },
    /// Two of what there may be one of.
    Several {
        /// Of what.
        what: &'static str,
    },
    /// A certificate that cannot be used.
    Certificate(Unreadable),
    /// A result, which is what somebody else concluded.
    Result,
    /// No token in it.
    NoToken {
        /// What it is instead, or what it is an envelope of.
        kind: String,
    },
    /// The claims that tie a TLS key to a token are of another key, or none.
    Claims {
        /// What is wrong with them.
        why: &'static str,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { found } => write!(out, "expected at most {MAX} bytes, found {found}"),
            Self::TooDeep => write!(out, "expected at most {MAX_LAYERS} envelopes within each other, found more"),
            Self::Json(error) => write!(out, "JSON: {error}"),
            Self::Encoding { member } => {
                write!(out, "{member:?}: expected bytes as base64, as hexadecimal or as a list, found something else")
            }
            Self::Several { what } => write!(out, "expected one {what}, found two"),
            Self::Certificate(error) => write!(out, "certificate in the envelope: {error}"),
            Self::Result => out.write_str(
                "an attestation result or another signed message, and no evidence: `allod inspect` shows it",
            ),
            Self::NoToken { kind } => write!(out, "expected a token, found none in {kind}"),
            Self::Claims { why } => write!(out, "claims that tie a TLS key to the token: {why}"),
        }
    }
}

impl std::error::Error for Refusal {}

/// Takes a token out of whatever is around it. Bytes that are nothing known are the token themselves, so that whoever
/// reads them names what is wrong.
///
/// # Errors
/// [`Refusal`] if they are an envelope, and broken or empty.
pub fn open(bytes: &[u8]) -> Result<Opened, Refusal> {
    if bytes.len() > MAX {
        return Err(Refusal::TooLong { found: bytes.len() });
    }
    let mut opening = Opening::default();
    if !opening.bytes(bytes, MAX_LAYERS)? {
        opening.take_token(bytes)?;
    }
    opening.finish()
}

impl Opened {
    /// The token, in CBOR if it is one.
    #[must_use]
    pub fn token(&self) -> &[u8] {
        &self.token
    }

    /// The certificates that came with it, each in DER or PEM.
    #[must_use]
    pub fn certificates(&self) -> &[Vec<u8>] {
        &self.certificates
    }

    /// The event log that came with it, its ACPI table in front of it if that came too.
    #[must_use]
    pub fn log(&self) -> Option<&[u8]> {
        self.log.as_deref()
    }

    /// What was around it, from outside in; empty for a bare token.
    #[must_use]
    pub fn layers(&self) -> &[String] {
        &self.layers
    }

    /// What else was in it, which is not judged here, in words.
    #[must_use]
    pub fn beside(&self) -> &[String] {
        &self.beside
    }

    /// The anchors with what came along as endorsements.
    #[must_use]
    pub fn anchors(&self, anchors: &Anchors) -> Anchors {
        let mut anchors = anchors.clone();
        for certificate in &self.certificates {
            // Every one of them has been read before.
            let _ = anchors.add_endorsements(certificate);
        }
        anchors
    }

    /// The challenge that the token must have been made for. In a TLS certificate the one that was sent stands among
    /// claims, of which the token has the hash.
    #[must_use]
    pub fn nonce(&self, sent: &Nonce) -> Nonce {
        let within = self.nonce.as_deref().and_then(Nonce::new).filter(|it| it == sent);
        let claims = within.and(self.claims.as_deref()).map(|claims| hash(Hash::Sha256, claims));
        claims.and_then(|digest| Nonce::new(&digest)).unwrap_or(*sent)
    }

    /// What was opened, in words; nothing for a bare token.
    #[must_use]
    pub fn said(&self) -> String {
        let mut said = Vec::new();
        if !self.layers.is_empty() {
            said.push(format!("unwrapped from {}", self.layers.join(", ")));
        }
        match self.certificates.len() {
            0 => {}
            1 => said.push("a certificate in it, taken as --certificate".to_string()),
            count => said.push(format!("{count} certificates in it, taken as --certificate")),
        }
        if let Some(log) = &self.log {
            said.push(format!("an event log in it, {} bytes, taken as --log", log.len()));
        }
        said.extend((!self.beside.is_empty()).then(|| format!("in it and not judged: {}", self.beside.join(", "))));
        said.join("; ")
    }

    /// The same verdict, which says what was opened for it.
    #[must_use]
    pub fn annotated(&self, verdict: Verdict) -> Verdict {
        let said = self.said();
        if said.is_empty() {
            return verdict;
        }
        let mut checks = verdict.checks().to_vec();
        if let Some(check) = checks.iter_mut().find(|check| check.step == Step::Structure) {
            check.found = Some(check.found.take().map_or(said.clone(), |found| format!("{found}; {said}")));
        }
        let (outcome, policies) = (verdict.outcome(), verdict.policies().to_vec());
        verdict.reconsidered(outcome, checks, policies)
    }
}

/// The verdict on what could not be opened.
#[must_use]
pub fn refused(refusal: &Refusal) -> Verdict {
    let failed = Check::failed(Step::Structure, "a CCA or virtCCA token, bare or in an envelope", refusal.to_string());
    Verdict::refused(Outcome::Malformed, completed(Vec::new(), failed))
}

/// Opens and judges evidence. A `log` that is given stands in the place of one in the envelope.
#[must_use]
pub fn verify(evidence: &[u8], log: Option<&[u8]>, case: &Case<'_>) -> Verdict {
    judge(&open(evidence), log, case)
}

/// Judges what was opened, or could not be. A `log` that is given stands in the place of one in the envelope.
#[must_use]
pub fn judge(opened: &Result<Opened, Refusal>, log: Option<&[u8]>, case: &Case<'_>) -> Verdict {
    let opened = match opened {
        Ok(opened) => opened,
        Err(refusal) => return refused(refusal),
    };
    let anchors = opened.anchors(case.anchors);
    let case = Case { anchors: &anchors, nonce: opened.nonce(&case.nonce), ..case.clone() };
    opened.annotated(verify_with_log(opened.token(), log.or(opened.log()), &case))
}

/// What a certificate in DER carries as evidence, in words and as it stands there, if it carries any.
#[must_use]
pub fn carried(der: &[u8]) -> Option<(&'static str, Vec<u8>)> {
    x509::evidence(der).map(|found| (found.name, found.content))
}

/// What has been found so far.
#[derive(Default)]
struct Opening {
    token: Option<Vec<u8>>,
    table: Option<Vec<u8>>,
    log: Option<Vec<u8>>,
    opened: Opened,
}

impl Opening {
    /// Opens bytes of any kind; answers whether they were of one.
    fn bytes(&mut self, bytes: &[u8], left: u8) -> Result<bool, Refusal> {
        let left = left.checked_sub(1).ok_or(Refusal::TooDeep)?;
        if is_token(bytes) {
            self.take_token(bytes)?;
            return Ok(true);
        }
        if let Some(parts) = framed::split(bytes) {
            self.layer("a message of token and certificate, each behind its length");
            self.take_certificate(parts.certificate)?;
            self.take_token(parts.token)?;
            return Ok(true);
        }
        if bytes.first() == Some(&0x30) && self.certified(bytes, left)? {
            return Ok(true);
        }
        if let Ok(text) = std::str::from_utf8(bytes) {
            let text = text.trim_matches(|it: char| it.is_whitespace() || it == '\0');
            if !text.is_empty() && self.text(text, left)? {
                return Ok(true);
            }
        }
        self.cbor(bytes, left)
    }

    fn text(&mut self, text: &str, left: u8) -> Result<bool, Refusal> {
        if text.starts_with(['{', '[']) {
            return self.json_text(text, left);
        }
        if text.contains("-----BEGIN ") {
            let blocks = certificate::blocks(text.as_bytes()).map_err(Refusal::Certificate)?;
            let Some((_, first)) = blocks.first() else { return Ok(false) };
            if self.certified(first, left)? {
                return Ok(true);
            }
            self.layer("PEM");
            let known = self.bytes(first, left)?;
            if !known {
                self.opened.layers.pop();
            }
            return Ok(known);
        }
        if is_jws(text) {
            return Err(Refusal::Result);
        }
        for (name, inner) in [("hexadecimal", from_hex(text)), ("base64", from_base64(text))] {
            let Some(inner) = inner else { continue };
            self.layer(name);
            if self.bytes(&inner, left)? {
                return Ok(true);
            }
            self.opened.layers.pop();
        }
        Ok(false)
    }

    fn certified(&mut self, der: &[u8], left: u8) -> Result<bool, Refusal> {
        let Some(found) = x509::evidence(der) else { return Ok(false) };
        let before = (self.opened.layers.len(), self.opened.beside.len());
        self.layer(found.name);
        if !self.bytes(&found.content, left)? {
            self.opened.layers.truncate(before.0);
            self.opened.beside.truncate(before.1);
            return Ok(false);
        }
        match &self.opened.claims {
            Some(claims) => self.opened.nonce = cbor::bound(claims, &found.key)?,
            None => self.beside("the TLS key of the certificate, which the token's challenge must be compared with"),
        }
        Ok(true)
    }

    fn layer(&mut self, name: impl Into<String>) {
        self.opened.layers.push(name.into());
    }

    fn beside(&mut self, what: impl Into<String>) {
        self.opened.beside.push(what.into());
    }

    fn take_token(&mut self, token: &[u8]) -> Result<(), Refusal> {
        once(&mut self.token, token, "token")
    }

    fn take_log(&mut self, log: &[u8]) -> Result<(), Refusal> {
        once(&mut self.log, log, "event log")
    }

    fn take_table(&mut self, table: &[u8]) -> Result<(), Refusal> {
        once(&mut self.table, table, "ACPI table")
    }

    fn take_certificate(&mut self, file: &[u8]) -> Result<(), Refusal> {
        certificate::read_file(file).map_err(Refusal::Certificate)?;
        if self.opened.certificates.len() >= MAX_CERTIFICATES {
            return Err(Refusal::Certificate(Unreadable::Encoding));
        }
        self.opened.certificates.push(file.to_vec());
        Ok(())
    }

    fn finish(self) -> Result<Opened, Refusal> {
        let Self { token, table, log, mut opened } = self;
        let kind = || opened.layers.last().cloned().unwrap_or_else(|| "it".to_string());
        opened.token = token.ok_or_else(|| Refusal::NoToken { kind: kind() })?;
        opened.log = log.map(|log| [table.unwrap_or_default(), log].concat());
        Ok(opened)
    }
}

fn once(place: &mut Option<Vec<u8>>, bytes: &[u8], what: &'static str) -> Result<(), Refusal> {
    match place.replace(bytes.to_vec()) {
        None => Ok(()),
        Some(_) => Err(Refusal::Several { what }),
    }
}

/// Undoes hexadecimal, in lines or not, as one number, as numbers with commas between them, or as bare digits.
fn from_hex(text: &str) -> Option<Vec<u8>> {
    let parts = text.split([',', ' ', '\t', '\r', '\n']);
    let digits: String = parts.map(|part| part.strip_prefix("0x").unwrap_or(part)).collect();
    hex::decode(&digits).filter(|bytes| !bytes.is_empty())
}

/// Undoes base64 of either alphabet, in lines or not, padded or not.
fn from_base64(text: &str) -> Option<Vec<u8>> {
    let text: String = text.split_ascii_whitespace().collect();
    Base64::decode_vec(&text)
        .or_else(|_| Base64UrlUnpadded::decode_vec(&text))
        .or_else(|_| Base64Url::decode_vec(&text))
        .or_else(|_| Base64Unpadded::decode_vec(&text))
        .ok()
        .filter(|bytes| !bytes.is_empty())
}

/// Whether a text is a signed message in the compact form (RFC 7515 §7.1).
fn is_jws(text: &str) -> bool {
    let mut parts = text.split('.');
    let header = parts.next().and_then(|it| Base64UrlUnpadded::decode_vec(it).ok());
    parts.count() == 2 && header.is_some_and(|it| it.starts_with(b"{"))
}
