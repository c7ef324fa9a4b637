//! `allod verify`: evidence to verdict.

mod html;
mod output;
mod text;
mod words;

use crate::Done;
use evidence::hex;
use std::error::Error;
use std::fs::File;
use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};
use verifier::certificate::Unreadable;
use verifier::envelope;
use verifier::{Anchors, Case, Nonce, Policy, Step};

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
         --endorsements machine/endorsements --reference platform.json --reference realm.json

Example for virtCCA, with the certificate that came with the token and the ones that Huawei publishes:
         allod verify token.cbor --nonce $NONCE --anchor huawei-equipment-root-ca.pem \\
         --certificate huawei-it-product-ca.pem --certificate device.der --reference realm.json

Example with a page to look at, and a signed result for a relying party:
         allod verify token.cbor --nonce $NONCE --anchor machine/endorsements/root.pem \\
         --endorsements machine/endorsements --reference platform.json --reference realm.json \\
         --log ccel.bin --report report.html --ear result.jwt --ear-key verifier.pem

Example of a boot whose log has to be as rules have it, by a stock policy:
         allod verify token.cbor --nonce $NONCE --anchor machine/endorsements/root.pem \\
         --endorsements machine/endorsements --reference platform.json --reference realm.json \\
         --log ccel.bin --rules rules.toml --policy cca

docs/verify.md goes the whole way; docs/policy.md says what policies are.")]
pub struct Args {
    /// The evidence: a token of Arm CCA or virtCCA, bare or in the message of another system, in hexadecimal or base64 or
    /// neither; `-` reads standard input. Certificates and a log in it count as if given.
    token: PathBuf,
    /// The challenge that the token was asked for with: 32 to 64 bytes in hexadecimal.
    #[arg(long, value_name = "HEX", value_parser = nonce)]
    nonce: Box<Challenge>,
    /// Whom to trust: certificates of authorities (PEM, DER), keys of platforms (PEM, DER, JWK, a store of them), or a
    /// folder that `allod anchors` keeps.
    #[arg(long, value_name = "FILE", required = true)]
    anchor: Vec<PathBuf>,
    /// Folder of the certificates between a platform's key and the authorities.
    #[arg(long, value_name = "DIR")]
    endorsements: Option<PathBuf>,
    /// A certificate between a platform's key and the authorities, or that key's own, such as came with the token.
    #[arg(long, value_name = "FILE")]
    certificate: Vec<PathBuf>,
    /// A list of revoked certificates (CRL) in PEM or DER.
    #[arg(long, value_name = "FILE")]
    crl: Vec<PathBuf>,
    /// Let keys pass whose private halves are published, for tests: anybody can then make a token that passes.
    #[arg(long)]
    allow_test_keys: bool,
    /// Reference values: JSON (profile allod-reference-1, of which several files add up), CoRIMs, flat stores.
    #[arg(long, value_name = "FILE")]
    reference: Vec<PathBuf>,
    #[command(flatten)]
    judge: crate::reference::Judge,
    /// The Realm's event log (CCEL), its ACPI table in front of it or not: its replay must give the token's measurements.
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// What the Realm's boot may be, by that log (TOML, profile allod-boot-rules-1): see `allod eventlog check`.
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// A policy that has to allow this evidence: a file in Rego, or a name from `allod policy list`; may be given
    /// several times.
    #[arg(long, value_name = "NAME|FILE")]
    policy: Vec<String>,
    /// Print the document that policies are asked about instead of a report.
    #[arg(long, conflicts_with = "policy")]
    policy_input: bool,
    /// A step that may stay undone in a verdict that affirms, by its name in the report.
    #[arg(long, value_name = "STEP", value_parser = step)]
    may_miss: Vec<Step>,
    /// Time of verification, as seconds since 1970 or as 2026-11-22T12:00:00Z [default: now].
    #[arg(long, value_name = "TIME", value_parser = moment)]
    at: Option<u64>,
    #[command(flatten)]
    output: Box<output::Output>,
    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
}

/// What a token was asked for with, as it was given.
#[derive(Clone)]
struct Challenge {
    nonce: Nonce,
    bytes: Vec<u8>,
}

/// Runs `allod verify`.
pub fn main(args: Args) -> Done {
    let given = evidence(&args.token)?;
    let opened = envelope::open(&given);
    let anchors = args.anchors()?;
    let at = args.at.map_or_else(now, Ok)?;
    let references = args.judge.references(&args.reference, at)?;
    let sources = args.policy.iter().map(|name| crate::policy::source(name)).collect::<Result<Vec<_>, _>>()?;
    let rules = args.rules.as_deref().map(crate::eventlog::rules).transpose()?;
    let policy = Policy { may_stay_undone: args.may_miss, rules, ..Policy::default() };
    let case = Case { anchors: &anchors, nonce: args.nonce.nonce, at, references: &references, policy: &policy };
    let log = args.log.as_deref().map(read).transpose()?.map(crate::eventlog::log);
    let log = log.as_deref().or_else(|| opened.as_ref().ok().and_then(envelope::Opened::log));
    let verdict = envelope::judge(&opened, log, &case);
    let verdict = crate::policy::ruled(verdict, &sources, log, at, &policy);
    let reached = output::Reached {
        verdict: &verdict,
        token: &given,
        name: &args.token,
        log,
        nonce: &args.nonce.bytes,
        policy: &policy,
        at,
    };
    let taken = args.output.write(&reached)?;
    if args.policy_input {
        let input = crate::policy::input(&verdict, log, at);
        println!("{:#}", input.ok_or("expected an authentic token: policies are not asked about any other")?);
    } else if args.json {
        println!("{}", serde_json::to_string_pretty(&verdict)?);
    } else if !taken {
        print!("{}", Text { verdict: &verdict, colours: std::io::stdout().is_terminal() });
    }
    Ok(ExitCode::from(verdict.outcome().exit_code()))
}

impl Args {
    /// Everything that says whom to trust.
    fn anchors(&self) -> Result<Anchors, Box<dyn Error>> {
        let mut anchors = Anchors::new();
        add_all(&crate::anchors::files(&self.anchor)?, |file| anchors.add(file))?;
        add_all(&crate::anchors::lists(&self.anchor)?, |file| anchors.add_revocations(file))?;
        if let Some(folder) = &self.endorsements {
            add_all(&certificates(folder)?, |file| anchors.add_endorsements(file))?;
        }
        add_all(&self.certificate, |file| anchors.add_endorsements(file))?;
        add_all(&self.crl, |file| anchors.add_revocations(file))?;
        if self.allow_test_keys {
            anchors.allow_test_keys();
        }
        Ok(anchors)
    }
}

/// The time, in seconds since 1970.
pub fn now() -> Result<u64, Box<dyn Error>> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())
}

/// Reads the authorities to trust, and every certificate in a folder as an endorsement. Files of other names are passed
/// over, one that is named as a certificate and is none is an error.
pub fn anchors(roots: &[PathBuf], endorsements: &Path) -> Result<Anchors, Box<dyn Error>> {
    let mut anchors = Anchors::new();
    add_all(roots, |file| anchors.add_roots(file))?;
    add_all(&certificates(endorsements)?, |file| anchors.add_endorsements(file))?;
    Ok(anchors)
}

/// The files in a folder that are named as certificates, in order.
fn certificates(folder: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let list = std::fs::read_dir(folder).map_err(|error| about(folder, &error))?;
    let mut files = list.map(|entry| entry.map(|it| it.path())).collect::<Result<Vec<_>, _>>()?;
    files.retain(|path| is_certificate(path));
    files.sort();
    Ok(files)
}

fn add_all(files: &[PathBuf], mut add: impl FnMut(&[u8]) -> Result<(), Unreadable>) -> Result<(), Box<dyn Error>> {
    for path in files {
        add(&read(path)?).map_err(|error| about(path, &error))?;
    }
    Ok(())
}

fn is_certificate(path: &Path) -> bool {
    let ending = path.extension().and_then(|it| it.to_str());
    ending.is_some_and(|ending| CERTIFICATE_ENDINGS.contains(&ending))
}

/// Reads evidence, as it is: whatever is around a token is undone later.
fn evidence(path: &Path) -> Result<Vec<u8>, Box<dyn Error>> {
    let most = envelope::MAX as u64;
    if path.as_os_str() == "-" {
        return read_from(std::io::stdin(), most);
    }
    let file = File::open(path).map_err(|error| about(path, &error))?;
    read_from(file, most).map_err(|error| about(path, &error))
}

fn read(path: &Path) -> Result<Vec<u8>, Box<dyn Error>> {
    let file = File::open(path).map_err(|error| about(path, &error))?;
    read_from(file, MAX_FILE).map_err(|error| about(path, &error))
}

fn read_from(source: impl Read, limit: u64) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut bytes = Vec::new();
    let most = limit.saturating_add(1);
    if source.take(most).read_to_end(&mut bytes)? as u64 == most {
        return Err(format!("expected at most {limit} bytes, found more").into());
    }
    Ok(bytes)
}

fn about(path: &Path, error: &dyn std::fmt::Display) -> Box<dyn Error> {
    format!("{}: {error}", path.display()).into()
}

fn nonce(text: &str) -> Result<Box<Challenge>, String> {
    let bytes = hex::decode(text).ok_or("expected hexadecimal")?;
    let nonce = Nonce::new(&bytes).ok_or_else(|| format!("expected 32 to 64 bytes, found {}", bytes.len()))?;
    Ok(Box::new(Challenge { nonce, bytes }))
}

fn step(text: &str) -> Result<Step, String> {
    Step::from_name(text).ok_or_else(|| {
        let names: Vec<&str> = Step::ALL.iter().map(|step| step.name()).collect();
        format!("expected one of {}", names.join(", "))
    })
}

pub fn moment(text: &str) -> Result<u64, String> {
    text.parse::<u64>()
        .ok()
        .or_else(|| verifier::chain::seconds(text))
        .ok_or_else(|| "expected seconds since 1970, or a time such as 2026-11-22T12:00:00Z".to_string())
}

#[cfg(test)]
mod chromium_tests;
#[cfg(test)]
mod page_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod vector_tests;
