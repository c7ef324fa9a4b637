//! `allod policy`, and what `allod verify --policy` asks: each policy in a process of its own, within limits.

mod confined;

use crate::Done;
use clap::{Args, Subcommand};
use serde_json::Value;
use std::error::Error;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use verifier::rego::{self, Decision, Refusal, Ruling, STOCK, Source};
use verifier::{Outcome, Policy, Verdict};

/// Bytes of a document that are read, at most.
const MAX_DOCUMENT: u64 = 64 * 1024 * 1024;

/// What is done with policies.
#[derive(Subcommand)]
pub enum Command {
    /// List the policies that come with this tool.
    List(List),
    /// Print a policy that comes with this tool, to read or to start one's own from.
    Show(Show),
    /// Read a policy, and say what it makes of a document from `allod verify --policy-input`.
    Check(Check),
    /// Answer one question from standard input, within limits: what the other commands start for each policy.
    #[command(hide = true)]
    Evaluate,
}

/// Arguments of `allod policy list`.
#[derive(Args)]
#[command(after_help = "Example: allod policy list")]
pub struct List {
    /// Print one JSON array instead of text.
    #[arg(long)]
    json: bool,
}

/// Arguments of `allod policy show`.
#[derive(Args)]
#[command(after_help = "Example: allod policy show cca > mine.rego && allod policy check mine.rego")]
pub struct Show {
    /// Its name.
    #[arg(value_parser = STOCK.map(|it| it.name))]
    name: String,
}

/// Arguments of `allod policy check`.
#[derive(Args)]
#[command(after_help = "\
A policy is one file of package allod: `default allow := false`, `allow if …`, and `deny`, `warn`, `note` and `may_miss`,
which contain strings. See docs/policy.md.

Exit status: 0 it allows, or without --input it can be read · 2 wrong use, or a file that cannot be read ·
10 it allows with a warning · 11 it denies, or is no policy.

Example: allod policy show cca > mine.rego && allod policy check mine.rego")]
pub struct Check {
    /// The policy: a file, or the name of one that comes with this tool.
    policy: String,
    /// The document to ask it about, as `allod verify --policy-input` prints it; `-` reads standard input.
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
}

/// Runs `allod policy`.
pub fn main(command: Command) -> Done {
    match command {
        Command::List(args) => list(&args),
        Command::Show(args) => show(&args),
        Command::Check(args) => check(&args),
        Command::Evaluate => confined::answer(),
    }
}

fn list(args: &List) -> Done {
    if args.json {
        let list = STOCK.iter().map(|it| {
            let sha256 = Source::stock(it.name).map(|source| source.applied().sha256);
            serde_json::json!({ "name": it.name, "about": it.about, "sha256": sha256 })
        });
        println!("{:#}", Value::from_iter(list));
    } else {
        let width = STOCK.iter().map(|it| it.name.len()).max().unwrap_or(0);
        STOCK.iter().for_each(|it| println!("{:<width$}  {}", it.name, it.about));
    }
    Ok(ExitCode::SUCCESS)
}

fn show(args: &Show) -> Done {
    let source = Source::stock(&args.name).ok_or("expected the name of a policy")?;
    std::io::stdout().write_all(source.text().as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn check(args: &Check) -> Done {
    let source = source(&args.policy)?;
    let (result, asked) = match &args.input {
        Some(path) => (confined::ask(&source, &document(path)?), true),
        None => (confined::read(&source).map(|()| Decision { allow: true, ..Decision::default() }), false),
    };
    if args.json {
        println!("{:#}", json(&source, &result, asked));
    } else {
        print!("{}", text(&source, &result, asked));
    }
    Ok(ExitCode::from(outcome(&result).exit_code()))
}

fn outcome(result: &Result<Decision, Refusal>) -> Outcome {
    match result {
        Ok(decision) if !decision.allows() => Outcome::Contraindicated,
        Ok(decision) if !decision.warn.is_empty() => Outcome::Warning,
        Ok(_) => Outcome::Affirming,
        Err(_) => Outcome::Contraindicated,
    }
}

fn json(source: &Source, result: &Result<Decision, Refusal>, asked: bool) -> Value {
    let decision = result.as_ref().ok().filter(|_| asked);
    let refused = result.as_ref().err().map(ToString::to_string);
    serde_json::json!({ "policy": source.applied(), "decision": decision, "refused": refused })
}

fn text(source: &Source, result: &Result<Decision, Refusal>, asked: bool) -> String {
    let mut out = format!("{}  SHA-256 {}\n", source.name(), source.applied().sha256);
    let decision = match result {
        Err(refusal) => return format!("{out}✗ {refusal}\n"),
        Ok(_) if !asked => return format!("{out}✓ can be read; give --input to see what it says\n"),
        Ok(decision) => decision,
    };
    out.push_str(&format!("{} allow is {}\n", if decision.allow { "✓" } else { "✗" }, decision.allow));
    decision.deny.iter().for_each(|it| out.push_str(&format!("✗ {it}\n")));
    decision.warn.iter().for_each(|it| out.push_str(&format!("! {it}\n")));
    decision.note.iter().for_each(|it| out.push_str(&format!("· {it}\n")));
    decision.may_miss.iter().for_each(|it| out.push_str(&format!("– {} may stay undone\n", it.name())));
    out
}

/// The policy of a name that the command line has: of a file, unless it is the name of one that comes with this tool.
pub fn source(name: &str) -> Result<Source, Box<dyn Error>> {
    if let Some(source) = Source::stock(name) {
        return Ok(source);
    }
    let path = Path::new(name);
    let most = u64::try_from(rego::MAX_SOURCE)?.saturating_add(1);
    let text =
        bytes(path, most).map_err(|error| format!("{error} (policies that come with this tool: {})", names()))?;
    Source::new(name, text).map_err(|error| format!("{name}: {error}").into())
}

fn names() -> String {
    STOCK.map(|it| it.name).join(", ")
}

fn document(path: &Path) -> Result<Value, Box<dyn Error>> {
    let text = bytes(path, MAX_DOCUMENT)?;
    serde_json::from_slice(&text).map_err(|error| format!("{}: {error}", path.display()).into())
}

fn bytes(path: &Path, most: u64) -> Result<Vec<u8>, Box<dyn Error>> {
    let about = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let source: Box<dyn Read> = if path.as_os_str() == "-" {
        Box::new(std::io::stdin())
    } else {
        Box::new(File::open(path).map_err(|error| about(&error))?)
    };
    let mut bytes = Vec::new();
    source.take(most).read_to_end(&mut bytes).map_err(|error| about(&error))?;
    Ok(bytes)
}

/// The document that policies are asked about; `None` if the token is not authentic.
pub use verifier::rego::document as input;

/// Asks every policy about a verdict, and concludes anew.
pub fn ruled(verdict: Verdict, sources: &[Source], log: Option<&[u8]>, at: u64, policy: &Policy) -> Verdict {
    let Some(document) = input(&verdict, log, at) else { return verdict };
    let rulings: Vec<Ruling> =
        sources.iter().map(|source| Ruling::new(source, confined::ask(source, &document))).collect();
    verdict.ruled(&rulings, policy)
}
