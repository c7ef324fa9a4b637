//! `allod inspect`: what a file is and what it says, with nothing said about whether that is true.

mod claims;
mod diagnostic;
mod envelope;
mod json;
mod message;
mod result;
mod signature;

use crate::reference::about;
use crate::{Done, anchors, eventlog};
use base64ct::{Base64, Base64Url, Base64UrlUnpadded, Encoding};
use evidence::cbor::{Key, Reader};
use evidence::corim::{Corim, Signed, is_corim, is_signed};
use evidence::eventlog::EventLog;
use evidence::{Token, hex};
use std::fmt::Write;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use verifier::{certificate, revocation};

/// Bytes that are read, at most.
const MAX_FILE: u64 = 16 * 1024 * 1024 + 4096;
/// Encodings within encodings that are followed, at most.
const MAX_LAYERS: u8 = 4;
/// Exit code when a file is nothing that is known.
const UNKNOWN: u8 = 12;
/// Exit code when a signature does not hold.
const CONTRAINDICATED: u8 = 11;

/// Tags that say what CBOR is (RFC 9782; draft-ietf-rats-msg-wrap; draft-ffm-rats-cca-token).
const TAG_CCA: u64 = 399;
const TAG_COLLECTION: u64 = 907;

/// The command line of `allod inspect`.
#[derive(clap::Args)]
#[command(after_help = "\
Nothing is verified here: what is shown is what the file says of itself. `allod verify` judges tokens, `allod reference
show` CoRIMs, `allod eventlog check` logs.

Exit status: 0 every file is known · 2 wrong use, or a file that cannot be read · 11 a signature does not hold (with --key)
· 12 one is not known or malformed.

Example: allod inspect token.cbor ccel.bin platform.corim
         allod inspect result.jwt --key verifier.pub.pem")]
pub struct Args {
    /// The files; hexadecimal and base64 are undone. `-` reads standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// A key that JSON Web Tokens, such as attestation results, must be signed by (PEM, JWK, certificate). Their
    /// signatures are then judged, and nothing else.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

/// Runs `allod inspect`.
pub fn main(args: &Args) -> Done {
    let key = args.key.as_deref().map(signature::key).transpose()?;
    let (mut known, mut held) = (true, true);
    for path in &args.files {
        let file = read(path)?;
        let found = of(&file);
        known &= found.known;
        println!("{}: {}", path.display(), found.kind);
        if !found.text.is_empty() {
            println!("\n{}", found.text.trim_end());
        }
        if let Some(key) = &key {
            let judged = signature::judged(&file, key);
            held &= judged.is_ok();
            println!("\n{}", judged.map_or_else(|why| format!("✗ {why}"), |by| format!("✓ {by}")));
        }
        println!();
    }
    println!("Nothing above has been verified{}.", if key.is_some() { " but signatures" } else { "" });
    Ok(match (known, held) {
        (true, true) => ExitCode::SUCCESS,
        (true, false) => ExitCode::from(CONTRAINDICATED),
        (false, _) => ExitCode::from(UNKNOWN),
    })
}

fn read(path: &Path) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let source: Box<dyn Read> = if path.as_os_str() == "-" {
        Box::new(std::io::stdin())
    } else {
        Box::new(std::fs::File::open(path).map_err(|error| about(path, &error))?)
    };
    let mut bytes = Vec::new();
    source.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(|error| about(path, &error))?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(about(path, &format!("expected at most {MAX_FILE} bytes, found more")));
    }
    Ok(bytes)
}

/// What a file is, and what it says.
pub struct Found {
    /// In a few words.
    pub kind: String,
    /// In many.
    pub text: String,
    /// Whether it is something that is known, and whole.
    pub known: bool,
}

impl Found {
    fn new(kind: impl Into<String>, text: impl Into<String>) -> Self {
        Self { kind: kind.into(), text: text.into(), known: true }
    }

    fn broken(kind: impl Into<String>) -> Self {
        Self { kind: kind.into(), text: String::new(), known: false }
    }

    fn within(self, outside: &str) -> Self {
        Self { kind: format!("{outside}; in it: {}", self.kind), ..self }
    }
}

/// Says what bytes are.
pub fn of(bytes: &[u8]) -> Found {
    layer(bytes, MAX_LAYERS)
}

fn layer(bytes: &[u8], left: u8) -> Found {
    if bytes.is_empty() {
        return Found::broken("empty");
    }
    envelope::of(bytes)
        .or_else(|| binary(bytes))
        .or_else(|| text(bytes, left))
        .unwrap_or_else(|| Found::broken(format!("{} bytes that are nothing known here", bytes.len())))
}

fn binary(bytes: &[u8]) -> Option<Found> {
    if let Some(tag) = tag(bytes).filter(|tag| matches!(*tag, TAG_CCA | TAG_COLLECTION)) {
        return Some(token(bytes, tag));
    }
    if is_corim(bytes) || tag(bytes) == Some(501) {
        return Some(corim(bytes));
    }
    if is_signed(bytes) {
        return Some(half(bytes));
    }
    if bytes.first() == Some(&0x30) {
        return der(bytes);
    }
    // Other wrappers of tokens tell by being read.
    if let Ok(token) = Token::parse(bytes) {
        return Some(Found::new("attestation token", token.allegations().to_string()));
    }
    log(bytes).or_else(|| cbor(bytes))
}

/// One half of a token by itself, or something else that is signed.
fn half(bytes: &[u8]) -> Found {
    let claims = payload(bytes).and_then(claims::of_cbor);
    claims.map_or_else(
        || Found::new("COSE_Sign1 that is neither a CoRIM nor one half of a CCA token", String::new()),
        |found| found.within("COSE_Sign1, as a half of a token is (the signature has not been judged)"),
    )
}

/// The payload of a COSE_Sign1 (RFC 9052 §4.2), the third of its four items.
fn payload(bytes: &[u8]) -> Option<&[u8]> {
    let mut reader = Reader::new(bytes, 0).admitting_indefinite();
    reader.tag().ok()?;
    let (mut index, mut payload) = (0_u8, None);
    let read = reader.array(|item| {
        index += 1;
        match index {
            3 => payload = Some(item.bytes()?),
            4.. => return item.skip(),
            _ => item.skip()?,
        }
        Ok(())
    });
    read.ok().and(payload).filter(|_| index == 4)
}

/// Other CBOR, by the keys of its outermost map.
fn cbor(bytes: &[u8]) -> Option<Found> {
    let mut reader = Reader::new(bytes, 0).admitting_indefinite();
    reader.skip().ok()?;
    reader.end().ok()?;
    if let Some(found) = claims::of_cbor(bytes).or_else(|| message::of(bytes)) {
        return Some(found);
    }
    let keys = keys(bytes);
    if is_comid(bytes) {
        return Some(comid(bytes));
    }
    (bytes.len() > 8 && !keys.is_empty())
        .then(|| Found { known: false, ..Found::new("CBOR, a map of no kind that is known here", entries(&keys)) })
}

/// The first tag of CBOR.
fn tag(bytes: &[u8]) -> Option<u64> {
    Reader::new(bytes, 0).tag().ok()
}

/// What a token is called, by its wrapper.
fn token_kind(bytes: &[u8]) -> String {
    let wrapper = if tag(bytes) == Some(TAG_COLLECTION) { "collection, tag 907" } else { "map, tag 399" };
    format!("attestation token ({wrapper})")
}

fn token(bytes: &[u8], tag: u64) -> Found {
    match Token::parse(bytes) {
        Ok(token) => Found::new(token_kind(bytes), token.allegations().to_string()),
        Err(_) if tag == TAG_COLLECTION && !has_halves(bytes) => message::of(bytes)
            .unwrap_or_else(|| Found::broken("conceptual message wrapper, a collection (tag 907), malformed")),
        Err(malformed) => Found::broken(format!("{}, malformed: {malformed}", token_kind(bytes))),
    }
}

/// The keys of a map, which may have a tag.
fn keys(bytes: &[u8]) -> Vec<String> {
    let mut reader = Reader::new(bytes, 0).admitting_indefinite();
    let mut keys = Vec::new();
    // Major type 6 is that of tags (RFC 8949 §3.1).
    if reader.peek().is_some_and(|first| first >> 5 == 6) {
        let _ = reader.tag();
    }
    let _ = reader.map(|key, value| {
        keys.push(match key {
            Key::Uint(number) => number.to_string(),
            Key::Nint(number) => format!("-1-{number}"),
            Key::Text(text) => text.escape_debug().to_string(),
            Key::Bytes(bytes) => hex::encode(bytes),
        });
        value.skip()
    });
    keys
}

fn has_halves(bytes: &[u8]) -> bool {
    keys(bytes).iter().any(|key| key == "44234" || key == "44241")
}

fn entries(keys: &[String]) -> String {
    keys.iter().fold(String::new(), |mut text, key| {
        let _ = writeln!(text, "entry     {key}");
        text
    })
}

fn corim(bytes: &[u8]) -> Found {
    if is_signed(bytes) {
        return match Signed::parse(bytes) {
            Ok(signed) => {
                Found::new("CoRIM, signed (the signature has not been judged)", signed.allegations().to_string())
            }
            Err(refusal) => Found::broken(format!("signed CoRIM, malformed: {refusal}")),
        };
    }
    match Corim::parse(bytes) {
        Ok(corim) if tag(bytes).is_none() => Found::new("CoRIM, not signed, without its tag", corim.to_string()),
        Ok(corim) => Found::new("CoRIM, not signed", corim.to_string()),
        Err(refusal) => Found::broken(format!("CoRIM that is refused: {refusal}")),
    }
}

/// Whether bytes are a map with a tag's identity (1) and triples (4), both maps, as a CoMID is.
fn is_comid(bytes: &[u8]) -> bool {
    // Major type 5 is that of maps (RFC 8949 §3.1).
    let mut maps = Vec::new();
    let read = Reader::new(bytes, 0).admitting_indefinite().map(|key, value| {
        if let (Key::Uint(number), Some(5)) = (key, value.peek().map(|first| first >> 5)) {
            maps.push(number);
        }
        value.skip()
    });
    read.is_ok() && maps.contains(&1) && maps.contains(&4)
}

/// A CoMID, explained as the only one of a CoRIM (draft-ietf-rats-corim, 4.1).
fn comid(bytes: &[u8]) -> Found {
    let mut corim = vec![0xD9, 0x01, 0xF5, 0xA2, 0x00, 0x60, 0x01, 0x81, 0xD9, 0x01, 0xFA];
    claims::string(&mut corim, 2, bytes);
    match Corim::parse(&corim) {
        Ok(corim) => Found::new("CoMID without the CoRIM around it", corim.to_string()),
        Err(refusal) => Found::broken(format!("CoMID that is refused: {refusal}")),
    }
}

fn der(bytes: &[u8]) -> Option<Found> {
    if let Ok(said) = anchors::describe(bytes) {
        let kind = if certificate::Certificate::read(bytes).is_ok() {
            "X.509 certificate (DER)"
        } else if revocation::read_file(bytes).is_ok() {
            "X.509 list of revoked certificates (DER)"
        } else {
            "public key (DER)"
        };
        let carried = verifier::envelope::carried(bytes).map(|(name, content)| {
            let inner = cbor(&content)
                .map_or_else(|| format!("{} bytes", content.len()), |it| format!("{}\n{}", it.kind, it.text));
            format!("\n{name}: {inner}")
        });
        return Some(Found::new(kind, said.join("\n") + &carried.unwrap_or_default()));
    }
    if bytes.is_ascii() {
        // The digit 0 of hexadecimal or base64 text looks like the start of a SEQUENCE.
        return None;
    }
    let error = certificate::Certificate::read(bytes).err()?;
    Some(Found::broken(format!("DER that is no certificate or key of use here: {error}")))
}

fn log(bytes: &[u8]) -> Option<Found> {
    match EventLog::parse(bytes) {
        // Much else could be one event of a type that there is not.
        Ok(log) if log.entries().iter().all(|entry| entry.kind.name().is_none()) => None,
        Ok(log) => Some(Found::new("event log of a measured boot", eventlog::text(&log))),
        Err(_) if !looks_like_log(bytes) => None,
        Err(refusal) => Some(Found::broken(format!("event log, malformed: {refusal}"))),
    }
}

/// Whether bytes begin as a log or its ACPI table does.
fn looks_like_log(bytes: &[u8]) -> bool {
    const HEADER: &[u8] = b"Spec ID Event03\0";
    bytes.starts_with(b"CCEL") || bytes.get(32..48) == Some(HEADER)
}

fn text(bytes: &[u8], left: u8) -> Option<Found> {
    let text = std::str::from_utf8(bytes).ok()?.trim();
    if let Some(found) = diagnostic::of(text) {
        return Some(found);
    }
    if text.starts_with(['{', '[']) {
        return Some(json::of(text, left));
    }
    if text.contains("-----BEGIN ") {
        return Some(pem(text));
    }
    if let Some(jws) = jws(text, left) {
        return Some(jws);
    }
    let deeper = left.checked_sub(1)?;
    let (inner, written) = encoded(text)?;
    Some(layer(&inner, deeper).within(written))
}

/// What text stands for that is hexadecimal or base64, and which of them it is.
fn encoded(text: &str) -> Option<(Vec<u8>, &'static str)> {
    if let Some(inner) = hex::decode(text).filter(|inner| !inner.is_empty()) {
        return Some((inner, "hexadecimal"));
    }
    let one_line: String = text.split_ascii_whitespace().collect();
    base64(&one_line).filter(|inner| inner.len() > 8).map(|inner| (inner, "base64"))
}

/// What bytes stand for that are text in hexadecimal or base64.
pub fn unwritten(bytes: &[u8]) -> Option<Vec<u8>> {
    encoded(std::str::from_utf8(bytes).ok()?.trim()).map(|(inner, _)| inner)
}

/// Undoes base64 of either alphabet.
fn base64(text: &str) -> Option<Vec<u8>> {
    Base64::decode_vec(text)
        .or_else(|_| Base64UrlUnpadded::decode_vec(text))
        .or_else(|_| Base64Url::decode_vec(text))
        .ok()
}

fn pem(text: &str) -> Found {
    let labels: Vec<&str> = text
        .match_indices("-----BEGIN ")
        .filter_map(|(at, begin)| text.get(at + begin.len()..).and_then(|rest| rest.split("-----").next()))
        .collect();
    if labels.iter().any(|label| label.contains("PRIVATE KEY")) {
        return Found::new("PRIVATE KEY in PEM: nothing of it is shown, and nobody else should see it", String::new());
    }
    let kind = format!("PEM: {}", labels.join(", ").escape_debug());
    match anchors::describe(text.as_bytes()) {
        Ok(said) => Found::new(kind, said.join("\n")),
        Err(error) => Found::broken(format!("{kind}; not of use here: {error}")),
    }
}

/// A JSON Web Signature or token in its compact form (RFC 7515 §7.1).
fn jws(text: &str, left: u8) -> Option<Found> {
    let mut parts = text.split('.');
    let (header, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let header = Base64UrlUnpadded::decode_vec(header).ok()?;
    let header: serde_json::Value = serde_json::from_slice(&header).ok()?;
    let algorithm = header.get("alg")?.as_str()?.escape_debug().to_string();
    let payload = Base64UrlUnpadded::decode_vec(payload).ok()?;
    // A token of GTA or of a broker may be anything; what is signed is shown, and not who signed it.
    let outside = format!("JSON Web Token, said to be signed with {algorithm}");
    Some(layer(&payload, left.checked_sub(1)?).within(&outside))
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod vector_tests;
