//! `allod verify`: evidence to verdict.

mod text;

use crate::Done;
use evidence::hex;
use std::error::Error;
use std::fs::File;
use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};
use verifier::{Anchors, Case, Nonce, Policy, References};

pub use text::Text;

/// Bytes of an input file that are read, at most.
const MAX_FILE: u64 = 1024 * 1024;
/// How the names of certificate files end.
const CERTIFICATE_ENDINGS: [&str; 4] = ["pem", "crt", "cer", "der"];

/// The command line of `allod verify`.
#[derive(clap::Args)]
#[command(after_help = "\
Exit status: 0 affirming · 2 wrong use, or a file that cannot be read · 10 warning (something could not be checked) ·
11 contraindicated (something did not hold) · 12 malformed · 13 no trust anchor for this platform.

Example: allod verify token.cbor --nonce $NONCE --anchor machine/endorsements/root.pem \\
         --endorsements machine/endorsements --reference platform.json --reference realm.json")]
pub struct Args {
    /// The token, in CBOR or as hexadecimal text; `-` reads standard input.
    token: PathBuf,
    /// The challenge that the token was asked for with: 32 to 64 bytes in hexadecimal.
    #[arg(long, value_name = "HEX", value_parser = nonce)]
    nonce: Nonce,
    /// Certificates of the authorities to trust, in PEM or DER.
    #[arg(long, value_name = "FILE", required = true)]
    anchor: Vec<PathBuf>,
    /// Folder of the certificates between a platform's key and the authorities.
    #[arg(long, value_name = "DIR")]
    endorsements: PathBuf,
    /// Reference values (JSON, profile allod-reference-1); several files add up.
    #[arg(long, value_name = "FILE")]
    reference: Vec<PathBuf>,
    /// Time of verification, as seconds since 1970 or as 2026-11-22T12:00:00Z [default: now].
    #[arg(long, value_name = "TIME", value_parser = moment)]
    at: Option<u64>,
    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
}

/// Runs `allod verify`.
pub fn main(args: Args) -> Done {
    let token = token(&args.token)?;
    let anchors = anchors(&args.anchor, &args.endorsements)?;
    let references = references(&args.reference)?;
    let at = args.at.map_or_else(now, Ok)?;
    let case = Case { anchors: &anchors, nonce: args.nonce, at, references: &references, policy: &Policy::default() };
    let verdict = verifier::verify(&token, &case);
    if args.json {
        println!("{}", serde_json::to_string_pretty(&verdict)?);
    } else {
        print!("{}", Text { verdict: &verdict, colours: std::io::stdout().is_terminal() });
    }
    Ok(ExitCode::from(verdict.outcome().exit_code()))
}

/// The time, in seconds since 1970.
pub fn now() -> Result<u64, Box<dyn Error>> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())
}

/// Reads the authorities to trust, and every certificate in a folder as an endorsement. Files of other names are passed
/// over, one that is named as a certificate and is none is an error.
pub fn anchors(roots: &[PathBuf], endorsements: &Path) -> Result<Anchors, Box<dyn Error>> {
    let mut anchors = Anchors::new();
    for path in roots {
        anchors.add_roots(&read(path)?).map_err(|error| about(path, &error))?;
    }
    let folder = std::fs::read_dir(endorsements).map_err(|error| about(endorsements, &error))?;
    let mut files = folder.map(|entry| entry.map(|it| it.path())).collect::<Result<Vec<_>, _>>()?;
    files.retain(|path| is_certificate(path));
    files.sort();
    for path in &files {
        anchors.add_endorsements(&read(path)?).map_err(|error| about(path, &error))?;
    }
    Ok(anchors)
}

/// Reads reference files and joins them.
pub fn references(files: &[PathBuf]) -> Result<References, Box<dyn Error>> {
    let mut references = References::new();
    for path in files {
        references.add(&read(path)?).map_err(|error| about(path, &error))?;
    }
    Ok(references)
}

fn is_certificate(path: &Path) -> bool {
    let ending = path.extension().and_then(|it| it.to_str());
    ending.is_some_and(|ending| CERTIFICATE_ENDINGS.contains(&ending))
}

/// Reads a token; hexadecimal text, as the guest tool prints it, becomes the bytes that it stands for.
fn token(path: &Path) -> Result<Vec<u8>, Box<dyn Error>> {
    let bytes = if path.as_os_str() == "-" { read_from(std::io::stdin())? } else { read(path)? };
    let text = std::str::from_utf8(&bytes).ok().map(str::trim).filter(|text| !text.is_empty());
    Ok(text.and_then(hex::decode).unwrap_or(bytes))
}

fn read(path: &Path) -> Result<Vec<u8>, Box<dyn Error>> {
    let file = File::open(path).map_err(|error| about(path, &error))?;
    read_from(file).map_err(|error| about(path, &error))
}

fn read_from(source: impl Read) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut bytes = Vec::new();
    let most = MAX_FILE.saturating_add(1);
    if source.take(most).read_to_end(&mut bytes)? as u64 == most {
        return Err(format!("expected at most {MAX_FILE} bytes, found more").into());
    }
    Ok(bytes)
}

fn about(path: &Path, error: &dyn std::fmt::Display) -> Box<dyn Error> {
    format!("{}: {error}", path.display()).into()
}

fn nonce(text: &str) -> Result<Nonce, String> {
    let bytes = hex::decode(text).ok_or("expected hexadecimal")?;
    Nonce::new(&bytes).ok_or_else(|| format!("expected 32 to 64 bytes, found {}", bytes.len()))
}

fn moment(text: &str) -> Result<u64, String> {
    text.parse::<u64>()
        .ok()
        .or_else(|| verifier::chain::seconds(text))
        .ok_or_else(|| "expected seconds since 1970, or a time such as 2026-11-22T12:00:00Z".to_string())
}

#[cfg(test)]
mod tests;
