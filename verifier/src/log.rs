//! From an event log's bytes to the extensible measurements that a token must show.

use crate::check::{Check, Step};
use crate::replay::{Agreement, Extension, REMS, rems_by};
use crate::rules::{Report, Rules};
use evidence::Hash;
use evidence::eventlog::{Algorithm, EventLog, Numbering};

/// Findings that a check names, at most.
const FINDINGS: usize = 16;

/// What the digests of a Realm's log are made with, of all that a log may have.
pub(crate) fn bank(hash: Hash) -> Algorithm {
    match hash {
        Hash::Sha256 => Algorithm::Sha256,
        Hash::Sha384 => Algorithm::Sha384,
        Hash::Sha512 => Algorithm::Sha512,
    }
}

/// Replays a log with a Realm's hash algorithm by the rule of extension that gives the measurements `shown`, or by the one
/// that is in the field if neither does.
///
/// # Errors
/// Why the log gives no measurements, in words: it is none, has no digests of this algorithm, cannot be replayed, or has
/// an event that says something else than what was hashed.
pub fn replayed(log: &[u8], hash: Hash, shown: Option<&[&[u8]; REMS]>) -> Result<([Vec<u8>; REMS], Extension), String> {
    let log = EventLog::parse(log).map_err(|refusal| refusal.to_string())?;
    let by = |extension| rems_by(&log, bank(hash), extension).map_err(|why| why.to_string());
    let given = |rems: &[Vec<u8>; REMS]| {
        shown.is_none_or(|shown| shown.iter().zip(rems).all(|(shown, replayed)| shown == replayed))
    };
    let plain = by(Extension::Plain)?;
    // The second reading costs as much again, and is asked for by few.
    let padded = if given(&plain) { None } else { Some(by(Extension::Padded)?).filter(given) };
    let rems = padded.map_or((plain, Extension::Plain), |rems| (rems, Extension::Padded));
    let differs = |agreement: &Agreement| matches!(agreement, Agreement::Differs(_));
    let said = log.entries().iter().map(|entry| (entry.number, Agreement::of(entry)));
    match said.into_iter().find(|(_, agreement)| differs(agreement)) {
        Some((number, agreement)) => Err(format!("event {number}: {agreement}")),
        None => Ok(rems),
    }
}

/// Holds a log, whose replay gives a token's measurements, against rules.
///
/// Only what the token vouches for counts: the digests of its algorithm, and of registers that a Realm has.
pub(crate) fn held(log: &[u8], rules: &Rules, hash: Hash) -> Check {
    const EXPECTED: &str = "each measured event admitted by a rule, and each rule met";
    let failed = |found: String| Check::failed(Step::LogRules, EXPECTED, found);
    let log = match EventLog::parse(log) {
        Ok(log) => log,
        Err(refusal) => return failed(refusal.to_string()),
    };
    if rules.hash != bank(hash) {
        return failed(format!("rules for digests of {}, which a token of {hash} says nothing about", rules.hash));
    }
    let beside = |number: u32| log.numbering() == Numbering::Tpm && log.numbering().measurement_register(number) == 0;
    if let Some(event) = log.entries().iter().find(|it| it.kind.is_extended() && beside(it.register)) {
        return failed(format!("event {}: in a register that no token tells of", event.number));
    }
    let report = rules.check(&log);
    if !report.holds() {
        return failed(findings(&report));
    }
    let unpinned = ranges(&report.unpinned);
    let any = if unpinned.is_empty() { String::new() } else { format!(", of events {unpinned} anything") };
    let admitted = report.admitted.len();
    Check { expected: Some(EXPECTED.into()), ..Check::ok(Step::LogRules, format!("{admitted} events admitted{any}")) }
}

fn findings(report: &Report) -> String {
    let mut named: Vec<String> = report.findings.iter().take(FINDINGS).map(ToString::to_string).collect();
    let rest = report.findings.len().saturating_sub(FINDINGS);
    named.extend((rest > 0).then(|| format!("and {rest} more")));
    named.join("; ")
}

/// Ascending numbers in words: `1 to 4, 7`.
fn ranges(numbers: &[usize]) -> String {
    let runs = numbers.chunk_by(|one, next| one.checked_add(1) == Some(*next));
    let said = runs.filter_map(|run| match run {
        [] => None,
        [one] => Some(one.to_string()),
        [first, .., last] => Some(format!("{first} to {last}")),
    });
    said.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::ranges;

    #[test]
    fn numbers_that_follow_each_other_are_a_range() {
        assert_eq!(ranges(&[]), "");
        assert_eq!(ranges(&[3]), "3");
        assert_eq!(ranges(&[1, 2, 3, 4, 7, 9, 10]), "1 to 4, 7, 9 to 10");
    }
}
