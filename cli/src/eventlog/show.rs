//! Logs, registers and findings for people and for programs.

use super::{Compared, Named, Replayed};
use evidence::eventlog::{Entry, Event, EventLog, Mark, Numbering};
use evidence::hex::encode;
use serde_json::{Map, Value, json};
use std::fmt;
use verifier::replay::{Agreement, Unreplayable};
use verifier::rules::Report;

/// The value of `profile` in JSON of this form.
pub const PROFILE: &str = "allod-eventlog-1";

const GREEN: &str = "\u{1b}[32m";
const RED: &str = "\u{1b}[31m";
const PLAIN: &str = "\u{1b}[0m";

/// A log for people: one line for an event.
pub struct Text<'a> {
    /// The log.
    pub log: &'a EventLog<'a>,
    /// Whether to show digests.
    pub digests: bool,
    /// Whether to colour marks, for a terminal.
    pub colours: bool,
}

fn painted(colours: bool, colour: &str, text: &str) -> String {
    if colours { format!("{colour}{text}{PLAIN}") } else { text.to_string() }
}

fn head(log: &EventLog<'_>, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    let banks: Vec<String> = log.algorithms().iter().map(ToString::to_string).collect();
    let count = log.entries().len();
    write!(out, "Event log of {}: {count} events, digests of {}", log.numbering(), banks.join(", "))?;
    let end = log.end();
    let mark = match end.mark {
        Mark::Input => "the input ends there",
        Mark::Ones => "filler 0xFF behind it",
        Mark::Zeroes => "zeroes behind it",
    };
    writeln!(out, ", ends at byte {} ({mark})", end.at)?;
    if let Some(at) = end.residue {
        writeln!(out, "  ! byte {at}: something that is not filler stands behind the end")?;
    }
    if let Some(table) = log.table() {
        writeln!(out, "  table CCEL: {}, {} bytes at {:#x}", table.kind, table.length, table.address)?;
    }
    if let Some(header) = log.spec_id() {
        let class = if header.platform_class == 0 { "client" } else { "server" };
        write!(out, "  header: {class} platform, version 2.{}, errata {}", header.minor, header.errata)?;
        if !header.vendor.is_empty() {
            write!(out, ", vendor data {}", encode(header.vendor))?;
        }
        writeln!(out)?;
    }
    writeln!(out)
}

/// One event as it is shown: its mark, its words, and what is wrong with it.
struct Row {
    mark: &'static str,
    words: String,
    problem: Option<String>,
}

impl Row {
    fn of(entry: &Entry<'_>) -> Self {
        let agreement = Agreement::of(entry);
        let differs = matches!(agreement, Agreement::Differs(_)).then(|| agreement.to_string());
        match Event::decode(entry) {
            Ok(event) => Self { mark: mark(agreement), words: event.to_string(), problem: differs },
            Err(refusal) => {
                let both = differs.map_or_else(|| refusal.to_string(), |differs| format!("{refusal}; {differs}"));
                Self { mark: "?", words: String::new(), problem: Some(both) }
            }
        }
    }
}

const fn mark(agreement: Agreement) -> &'static str {
    match agreement {
        Agreement::Agrees => "=",
        Agreement::Differs(_) => "!",
        Agreement::Apart => "~",
        Agreement::Unmeasured => " ",
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        head(self.log, out)?;
        let width = self.log.entries().iter().map(|entry| entry.kind.to_string().len()).max().unwrap_or(0);
        let mut problems = 0usize;
        for entry in self.log.entries() {
            let row = Row::of(entry);
            let register =
                if entry.kind.is_extended() { self.log.numbering().name(entry.register) } else { "-".into() };
            let kind = entry.kind.to_string();
            let bad = row.problem.is_some();
            let mark = painted(self.colours && row.mark != " ", if bad { RED } else { GREEN }, row.mark);
            writeln!(out, "{mark} {:>4}  {register:<6} {kind:<width$}  {}", entry.number, row.words)?;
            if let Some(problem) = &row.problem {
                problems = problems.saturating_add(1);
                writeln!(out, "        {}", painted(self.colours, RED, problem))?;
            }
            if self.digests {
                entry
                    .digests
                    .iter()
                    .try_for_each(|it| writeln!(out, "        {} {}", it.algorithm, encode(it.value)))?;
            }
        }
        if problems > 0 { writeln!(out, "\n{problems} events are not what they say") } else { Ok(()) }
    }
}

/// A log for programs.
pub fn json(log: &EventLog<'_>) -> Value {
    let end = log.end();
    let events: Vec<Value> = log.entries().iter().map(|entry| event_json(log.numbering(), entry)).collect();
    json!({
        "profile": PROFILE,
        "numbering": log.numbering().to_string(),
        "algorithms": log.algorithms().iter().map(ToString::to_string).collect::<Vec<_>>(),
        "end": end.at,
        "residue": end.residue,
        "events": events,
    })
}

fn event_json(numbering: Numbering, entry: &Entry<'_>) -> Value {
    let event = Event::decode(entry);
    let digests: Map<String, Value> =
        entry.digests.iter().map(|it| (it.algorithm.to_string(), Value::from(encode(it.value)))).collect();
    let row = Row::of(entry);
    let agreement = match Agreement::of(entry) {
        Agreement::Agrees => "agrees",
        Agreement::Differs(_) => "differs",
        Agreement::Apart => "apart",
        Agreement::Unmeasured => "unmeasured",
    };
    json!({
        "number": entry.number,
        "at": entry.at,
        "register": entry.register,
        "register_name": entry.kind.is_extended().then(|| numbering.name(entry.register)),
        "type": entry.kind.to_string(),
        "type_number": entry.kind.0,
        "subject": event.as_ref().ok().map(Event::subject),
        "text": event.as_ref().ok().and_then(Event::text),
        "value": event.as_ref().ok().and_then(Event::value).map(encode),
        "says": row.words,
        "digests": digests,
        "data": agreement,
        "problem": row.problem,
    })
}

fn register_name(name: &str) -> String {
    // PCR07 sorts, PCR7 is what people write.
    name.strip_prefix("PCR0").filter(|rest| !rest.is_empty()).map_or_else(|| name.into(), |rest| format!("PCR{rest}"))
}

fn bank(out: &mut String, bank: &Result<Named, Unreplayable>) {
    match bank {
        Ok(registers) => {
            for (name, value) in registers {
                out.push_str(&format!("  {:<6} {}\n", register_name(name), encode(value)));
            }
        }
        Err(error) => out.push_str(&format!("  ✗ {error}\n")),
    }
}

fn comparison(compared: &Compared) -> String {
    let name = register_name(&compared.register);
    if compared.equal() {
        return format!("✓ {name} is as expected\n");
    }
    let found: Vec<String> = compared.found.iter().map(|it| encode(it)).collect();
    let found = if found.is_empty() { "no bank of that length".into() } else { found.join(" or ") };
    format!("✗ {name}: expected {}, found {found}\n", encode(&compared.expected))
}

/// Registers for people.
pub fn replayed(log: &EventLog<'_>, replayed: &Replayed) -> String {
    let mut out = format!("Registers by the log ({})\n", log.numbering());
    for (algorithm, registers) in &replayed.banks {
        out.push_str(&format!("{algorithm}\n"));
        bank(&mut out, registers);
    }
    if extends_rim(log) {
        out.push_str("Register 0 of a Realm cannot be extended: this is a VMM's account of how it made the RIM,\n");
        out.push_str("which `allod measure direct` computes.\n");
    }
    replayed.compared.iter().for_each(|it| out.push_str(&comparison(it)));
    out
}

fn extends_rim(log: &EventLog<'_>) -> bool {
    let rim = |entry: &Entry<'_>| entry.register == 0 && entry.kind.is_extended();
    log.numbering() != Numbering::Tpm && log.entries().iter().any(rim)
}

/// Registers for programs.
pub fn replayed_json(log: &EventLog<'_>, replayed: &Replayed) -> Value {
    let (mut banks, mut errors) = (Map::new(), Map::new());
    for (algorithm, bank) in &replayed.banks {
        match bank {
            Ok(registers) => {
                let values = registers.iter().map(|(name, value)| (register_name(name), Value::from(encode(value))));
                banks.insert(algorithm.to_string(), Value::Object(values.collect()));
            }
            Err(error) => {
                errors.insert(algorithm.to_string(), Value::from(error.to_string()));
            }
        }
    }
    let compared: Vec<Value> = replayed
        .compared
        .iter()
        .map(|it| {
            let found: Vec<String> = it.found.iter().map(|it| encode(it)).collect();
            json!({ "register": register_name(&it.register), "expected": encode(&it.expected), "found": found,
                    "equal": it.equal() })
        })
        .collect();
    json!({ "profile": PROFILE, "numbering": log.numbering().to_string(), "registers": banks, "errors": errors,
            "compared": compared })
}

/// What a check came to, for people.
pub struct Checked<'a> {
    /// The log.
    pub log: &'a EventLog<'a>,
    /// What its rules say.
    pub report: &'a Report,
    /// Its registers.
    pub replayed: &'a Replayed,
    /// The conclusion.
    pub holds: bool,
    /// Whether to colour marks, for a terminal.
    pub colours: bool,
}

impl fmt::Display for Checked<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.report.findings {
            writeln!(out, "{} {finding}", painted(self.colours, RED, "✗"))?;
        }
        let total = self.log.entries().iter().filter(|entry| entry.kind.is_extended()).count();
        writeln!(out, "{} of {total} measured events are admitted by a rule", self.report.admitted.len())?;
        if !self.report.unpinned.is_empty() {
            let numbers: Vec<String> = self.report.unpinned.iter().map(ToString::to_string).collect();
            writeln!(out, "whatever they measured was admitted of events {}", numbers.join(", "))?;
        }
        for (_, bank) in &self.replayed.banks {
            if let Err(error) = bank {
                writeln!(out, "{} {error}", painted(self.colours, RED, "✗"))?;
            }
        }
        self.replayed.compared.iter().try_for_each(|it| out.write_str(&comparison(it)))?;
        if self.replayed.compared.is_empty() {
            writeln!(
                out,
                "– registers were not compared with a token: this is what the log says, not yet what booted"
            )?;
        }
        let (colour, word) = if self.holds { (GREEN, "the rules hold") } else { (RED, "contraindicated") };
        writeln!(out, "{}", painted(self.colours, colour, word))
    }
}

/// What a check came to, for programs.
pub fn checked_json(log: &EventLog<'_>, report: &Report, replayed: &Replayed, holds: bool) -> Value {
    let admitted: Vec<Value> =
        report.admitted.iter().map(|(event, rule)| json!({ "event": event, "rule": rule })).collect();
    let mut all = replayed_json(log, replayed);
    if let Some(object) = all.as_object_mut() {
        object.insert("holds".into(), holds.into());
        object.insert("findings".into(), json!(report.findings));
        object.insert("admitted".into(), admitted.into());
        object.insert("unpinned".into(), json!(report.unpinned));
    }
    all
}
