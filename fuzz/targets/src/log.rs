//! Event logs: read with and without a table, explained event by event, replayed, and held against rules.

use crate::bounds::within;
use crate::selected;
use evidence::Hash;
use evidence::eventlog::{Algorithm, CcType, Entry, Event, EventLog, Measured, Numbering};
use std::sync::LazyLock;
use verifier::replay::{registers, rems};
use verifier::rules::{Rules, draft};

const ALGORITHMS: [Algorithm; 5] =
    [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha384, Algorithm::Sha512, Algorithm::Sm3];

/// Rules of a boot, which few logs meet.
static RULES: LazyLock<Rules> = LazyLock::new(|| Rules::parse(include_bytes!("../rules/boot.toml")).expect("rules"));

/// Takes one input: the first byte selects whether register numbers are taken as the log says.
///
/// # Panics
/// If a promise of the readers is broken, or if rules drafted from a log do not admit it.
pub fn run(input: &[u8]) {
    let Some((selector, bytes)) = selected(input) else { return };
    let _ = within(bytes, 16, || verifier::log::replayed(bytes, Hash::Sha256, None));
    let parsed = within(bytes, 16, || EventLog::parse(bytes));
    let log = match parsed {
        Ok(log) => log,
        Err(why) => {
            assert!(!why.to_string().is_empty());
            return;
        }
    };
    let log = match selector % 4 {
        0 => log.with_numbering(Some(Numbering::Tpm)),
        1 => log.with_numbering(Some(Numbering::Cc(CcType::Unstated))),
        _ => log,
    };
    log.entries().iter().for_each(|entry| explained(bytes, &log, entry));
    for algorithm in ALGORITHMS {
        let _ = within(bytes, 4, || (registers(&log, algorithm), rems(&log, algorithm)));
    }
    within(bytes, 64, || RULES.check(&log));
    if let Some(algorithm) = log.algorithms().first() {
        drafted(bytes, &log, *algorithm);
    }
}

fn explained(bytes: &[u8], log: &EventLog<'_>, entry: &Entry<'_>) {
    let _ = log.numbering().name(entry.register);
    let words = within(bytes, 64, || match Event::decode(entry) {
        Ok(event) => {
            let _ = event.measured(entry);
            event.to_string()
        }
        Err(why) => {
            let _ = Measured::of_undecodable(entry);
            why.to_string()
        }
    });
    assert!(!words.is_empty(), "an event of no words");
}

/// What is drafted from a log, if it can be read, finds nothing in that log.
fn drafted(bytes: &[u8], log: &EventLog<'_>, algorithm: Algorithm) {
    let text = within(bytes, 256, || draft(log, algorithm));
    if let Ok(rules) = Rules::parse(text.as_bytes()) {
        let report = rules.check(log);
        // An event that contradicts itself, and what stands behind the end, no rule admits.
        let broken = ["digest-differs", "no-digest", "residue"];
        let unsaid = log.entries().iter().any(|entry| entry.kind.is_extended() && entry.digest(algorithm).is_none());
        let wrong = report.findings.iter().find(|finding| !unsaid && !broken.contains(&finding.name()));
        assert_eq!(wrong, None, "rules drafted from a log do not admit it:\n{text}");
    }
}
