//! `allod eventlog`: what a boot measured, in words, in registers, and against rules.

mod show;
mod within;

pub use within::log;

use crate::Done;
use evidence::eventlog::{Algorithm, CcType, EventLog, Numbering, Refusal, Table};
use evidence::hex;
use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use verifier::replay::{self, Unreplayable};
use verifier::rules::{self, Rules};

/// Exit status if something does not hold.
const CONTRAINDICATED: u8 = 11;
/// Exit status if the input is no event log.
const MALFORMED: u8 = 12;

/// What is done with a log.
#[derive(clap::Subcommand)]
pub enum Command {
    /// Say every event in words, and whether its digest is over what it says.
    Explain(Explain),
    /// Compute the registers that the log leads to, and compare them with those of a token.
    Replay(Replay),
    /// Hold the log against rules: what must, may and must not occur.
    Check(Check),
    /// Draft a rules file that admits this boot and no other.
    Draft(Draft),
}

/// The log that is read.
#[derive(clap::Args)]
struct Input {
    /// The log: TCG2 crypto-agile (CCEL, TPM 2.0) or SHA-1 (TPM 1.2), its ACPI table in front of it or not, in hexadecimal
    /// or base64 or neither, or a message with evidence that has one in it; `-` reads standard input.
    log: PathBuf,
    /// The log's ACPI table CCEL, if it is a file of its own.
    #[arg(long, value_name = "FILE")]
    table: Option<PathBuf>,
    /// What the register numbers mean [default: what the log and its table tell].
    #[arg(long = "as", value_name = "KIND", value_enum)]
    kind: Option<Kind>,
    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
}

/// Numberings by name.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    /// Arm CCA: RIM and REM 0 to 3. A TPM's log is mapped to what the REMs would hold.
    Cca,
    /// Huawei virtCCA: the same numbers as Arm CCA.
    Virtcca,
    /// Intel TDX: MRTD and RTMR 0 to 3.
    Tdx,
    /// PCR 0 to 23.
    Tpm,
}

/// Arguments of `allod eventlog explain`.
#[derive(clap::Args)]
#[command(after_help = "\
Marks: = the digest is over what the event says · ~ what was hashed is not in the log, the words are a hint ·
       ! digest does not match data · ? the data cannot be read as its type demands · a blank: not measured.

Exit status: 0 explained · 2 wrong use, or a file that cannot be read · 12 malformed.

Example: allod eventlog explain /sys/firmware/acpi/tables/data/CCEL --table /sys/firmware/acpi/tables/CCEL")]
pub struct Explain {
    #[command(flatten)]
    input: Input,
    /// Show digests too.
    #[arg(long)]
    digests: bool,
}

/// Arguments of `allod eventlog replay`.
#[derive(clap::Args)]
#[command(after_help = "\
Exit status: 0 replayed, and equal to what was expected · 2 wrong use, or a file that cannot be read ·
11 contraindicated (another value, or a log that gives none) · 12 malformed.

Example: allod eventlog replay ccel.bin --as cca --hash sha-256 --expect REM0=$REM0 --expect REM1=$REM1")]
pub struct Replay {
    #[command(flatten)]
    input: Input,
    /// The bank to replay [default: all].
    #[arg(long, value_name = "ALGORITHM", value_parser = algorithm)]
    hash: Option<Algorithm>,
    /// A register and the value it must have, in hexadecimal; may be given several times.
    #[arg(long, value_name = "REGISTER=HEX", value_parser = expectation)]
    expect: Vec<(String, Vec<u8>)>,
}

/// Arguments of `allod eventlog check`.
#[derive(clap::Args)]
#[command(after_help = "\
A rules file lists, register by register and in order, every event that is admitted:

    profile = \"allod-boot-rules-1\"
    hash = \"sha-256\"                       # bank of the digests

    [[rule]]
    name = \"kernel command line\"
    register = \"REM2\"                      # REM0-3, RTMR0-3, MR1-4 or PCR0-23
    type = \"EV_IPL\"
    subject = \"kernel_cmdline\"             # optional, * is any run of characters
    text = \"/vmlinuz console=ttyAMA0 ro\"   # or digest, like, value, utf16; one or a list; or any = true
    times = \"1\"                            # optional: 0 must not, \"0..1\" may, \"1..\" at least once
    # group = \"grub\"                       # optional: neighbours of one group come in any order

`allod eventlog draft` writes one from a log that is known to be good. See docs/eventlog.md.

Exit status: 0 the rules hold · 2 wrong use, or a file that cannot be read · 11 contraindicated (each finding is
named) · 12 malformed. A log is an allegation: give the registers of a verified token with --expect.

Example: allod eventlog check ccel.bin --rules rules.toml --expect REM0=$REM0 --expect REM1=$REM1 --expect REM2=$REM2")]
pub struct Check {
    #[command(flatten)]
    input: Input,
    /// The rules (TOML, profile allod-boot-rules-1).
    #[arg(long, value_name = "FILE")]
    rules: PathBuf,
    /// A register and the value it must have, in hexadecimal; may be given several times.
    #[arg(long, value_name = "REGISTER=HEX", value_parser = expectation)]
    expect: Vec<(String, Vec<u8>)>,
}

/// Arguments of `allod eventlog draft`.
#[derive(clap::Args)]
#[command(
    after_help = "Example: allod eventlog draft ccel.bin > rules.toml && allod eventlog check ccel.bin --rules rules.toml"
)]
pub struct Draft {
    #[command(flatten)]
    input: Input,
    /// The bank that the rules go by [default: the first SHA-2 bank].
    #[arg(long, value_name = "ALGORITHM", value_parser = algorithm)]
    hash: Option<Algorithm>,
}

/// A log in words, without colours.
pub fn text(log: &EventLog<'_>) -> String {
    show::Text { log, digests: false, colours: false }.to_string()
}

/// Runs `allod eventlog`.
pub fn main(command: Command) -> Done {
    let input = match &command {
        Command::Explain(args) => &args.input,
        Command::Replay(args) => &args.input,
        Command::Check(args) => &args.input,
        Command::Draft(args) => &args.input,
    };
    let bytes = log(read(&input.log)?);
    let table = input.table.as_deref().map(read).transpose()?;
    match input.parse(&bytes, table.as_deref()) {
        Ok(log) => match &command {
            Command::Explain(args) => explain(args, &log),
            Command::Replay(args) => replay(args, &log),
            Command::Check(args) => check(args, &log),
            Command::Draft(args) => draft(args, &log),
        },
        Err(refusal) => {
            if input.json {
                println!("{:#}", serde_json::json!({ "profile": show::PROFILE, "malformed": refusal.to_string() }));
            }
            eprintln!("allod: {}: malformed: {refusal}", input.log.display());
            Ok(ExitCode::from(MALFORMED))
        }
    }
}

impl Input {
    fn parse<'a>(&self, bytes: &'a [u8], table: Option<&[u8]>) -> Result<EventLog<'a>, Refusal> {
        let log = EventLog::parse(bytes)?;
        let numbering = match self.kind {
            Some(Kind::Tdx) => Some(Numbering::Cc(CcType::Tdx)),
            // virtCCA numbers as CCA does.
            Some(Kind::Cca | Kind::Virtcca) if log.numbering() != Numbering::Tpm => Some(Numbering::Cc(CcType::Cca)),
            Some(Kind::Tpm) => Some(Numbering::Tpm),
            _ => None,
        };
        let Some(table) = table else { return Ok(log.with_numbering(numbering)) };
        let (table, rest) = Table::parse(table)?;
        if !rest.is_empty() {
            return Err(Refusal::Left { at: 0, count: rest.len() });
        }
        table.covers(bytes)?;
        Ok(log.with_numbering(numbering.or(Some(Numbering::Cc(table.kind)))))
    }
}

fn explain(args: &Explain, log: &EventLog<'_>) -> Done {
    if args.input.json {
        println!("{:#}", show::json(log));
    } else {
        print!("{}", show::Text { log, digests: args.digests, colours: std::io::stdout().is_terminal() });
    }
    Ok(ExitCode::SUCCESS)
}

/// The registers of one bank, by name.
type Named = BTreeMap<String, Vec<u8>>;

/// Replays a bank. Where Realm registers are asked for, all four are there.
fn named(input: &Input, log: &EventLog<'_>, algorithm: Algorithm) -> Result<Named, Unreplayable> {
    let numbering = log.numbering();
    let is_realm = matches!(input.kind, Some(Kind::Cca | Kind::Virtcca | Kind::Tdx));
    if !is_realm {
        let registers = replay::registers(log, algorithm)?;
        // Two digits, so that names sort as numbers do; see `show::register`.
        return Ok(registers.into_iter().map(|(number, value)| (sortable(numbering, number), value)).collect());
    }
    let names = if numbering == Numbering::Tpm { Numbering::Cc(CcType::Cca) } else { numbering };
    let rems = replay::rems(log, algorithm)?;
    Ok((1..).zip(rems).map(|(number, value)| (names.name(number), value)).collect())
}

fn sortable(numbering: Numbering, number: u32) -> String {
    if numbering == Numbering::Tpm { format!("PCR{number:02}") } else { numbering.name(number) }
}

/// The name of a register that a person gave, as `named` has it.
fn canonical(input: &Input, log: &EventLog<'_>, name: &str) -> Result<String, Box<dyn Error>> {
    let mut numbering = log.numbering();
    if matches!(input.kind, Some(Kind::Cca | Kind::Virtcca)) {
        numbering = Numbering::Cc(CcType::Cca);
    }
    let number = numbering.number(name).ok_or_else(|| format!("{name}: expected a register of {numbering}"))?;
    Ok(sortable(numbering, number))
}

/// What a comparison of one register came to.
struct Compared {
    register: String,
    expected: Vec<u8>,
    /// Values of the banks whose digests have that length.
    found: Vec<Vec<u8>>,
}

impl Compared {
    fn equal(&self) -> bool {
        self.found.contains(&self.expected)
    }
}

/// Every bank's registers, and what was expected of them.
struct Replayed {
    banks: Vec<(Algorithm, Result<Named, Unreplayable>)>,
    compared: Vec<Compared>,
}

impl Replayed {
    fn new(
        input: &Input,
        log: &EventLog<'_>,
        hash: Option<Algorithm>,
        expect: &[(String, Vec<u8>)],
    ) -> Result<Self, Box<dyn Error>> {
        let algorithms = hash.map_or_else(|| log.algorithms(), |one| vec![one]);
        let banks: Vec<_> = algorithms.into_iter().map(|one| (one, named(input, log, one))).collect();
        let compare = |(name, expected): &(String, Vec<u8>)| {
            let register = canonical(input, log, name)?;
            let fitting = banks.iter().filter(|(algorithm, _)| algorithm.size() == expected.len());
            // A register that nothing was extended into is zero.
            let value = |bank: &Named| bank.get(&register).cloned().unwrap_or_else(|| vec![0; expected.len()]);
            let found = fitting.filter_map(|(_, bank)| bank.as_ref().ok().map(value)).collect();
            Ok(Compared { register, expected: expected.clone(), found })
        };
        let compared = expect.iter().map(compare).collect::<Result<Vec<_>, Box<dyn Error>>>()?;
        Ok(Self { banks, compared })
    }

    fn holds(&self) -> bool {
        self.banks.iter().any(|(_, bank)| bank.is_ok()) && self.compared.iter().all(Compared::equal)
    }
}

fn replay(args: &Replay, log: &EventLog<'_>) -> Done {
    let replayed = Replayed::new(&args.input, log, args.hash, &args.expect)?;
    if args.input.json {
        println!("{:#}", show::replayed_json(log, &replayed));
    } else {
        print!("{}", show::replayed(log, &replayed));
    }
    Ok(status(replayed.holds()))
}

/// Reads a rules file.
pub fn rules(path: &Path) -> Result<Rules, Box<dyn Error>> {
    Rules::parse(&read(path)?).map_err(|error| about(path, &error))
}

fn check(args: &Check, log: &EventLog<'_>) -> Done {
    let rules = rules(&args.rules)?;
    let report = rules.check(log);
    let replayed = Replayed::new(&args.input, log, Some(rules.hash), &args.expect)?;
    let holds = report.holds() && replayed.holds();
    if args.input.json {
        println!("{:#}", show::checked_json(log, &report, &replayed, holds));
    } else {
        let colours = std::io::stdout().is_terminal();
        print!("{}", show::Checked { log, report: &report, replayed: &replayed, holds, colours });
    }
    Ok(status(holds))
}

fn draft(args: &Draft, log: &EventLog<'_>) -> Done {
    let preferred = [Algorithm::Sha256, Algorithm::Sha384, Algorithm::Sha512];
    let banks = log.algorithms();
    let best = preferred.into_iter().find(|it| banks.contains(it)).or(banks.first().copied());
    let hash = args.hash.or(best).ok_or("expected a log with digests")?;
    print!("{}", rules::draft(log, hash));
    Ok(ExitCode::SUCCESS)
}

fn status(holds: bool) -> ExitCode {
    if holds { ExitCode::SUCCESS } else { ExitCode::from(CONTRAINDICATED) }
}

fn read(path: &Path) -> Result<Vec<u8>, Box<dyn Error>> {
    let source: Box<dyn Read> = if path.as_os_str() == "-" {
        Box::new(std::io::stdin())
    } else {
        Box::new(File::open(path).map_err(|error| about(path, &error))?)
    };
    let mut bytes = Vec::new();
    // One byte more than evidence with a log in it has, so that what is too long is refused and not cut.
    let most = (verifier::envelope::MAX as u64).saturating_add(1);
    source.take(most).read_to_end(&mut bytes).map_err(|error| about(path, &error))?;
    Ok(bytes)
}

fn about(path: &Path, error: &dyn std::fmt::Display) -> Box<dyn Error> {
    format!("{}: {error}", path.display()).into()
}

fn algorithm(name: &str) -> Result<Algorithm, String> {
    Algorithm::from_name(name).ok_or_else(|| "expected sha-1, sha-256, sha-384, sha-512 or sm3".into())
}

fn expectation(text: &str) -> Result<(String, Vec<u8>), String> {
    let (name, value) = text.split_once('=').ok_or("expected REGISTER=HEX")?;
    let value = hex::decode(value).filter(|value| !value.is_empty()).ok_or("expected hexadecimal behind =")?;
    Ok((name.into(), value))
}

#[cfg(test)]
mod tests;
