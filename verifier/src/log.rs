//! From an event log's bytes to the extensible measurements that a token must show.

use crate::replay::{Agreement, REMS, rems};
use evidence::Hash;
use evidence::eventlog::{Algorithm, EventLog};

/// Replays a log with a Realm's hash algorithm.
///
/// # Errors
/// Why the log gives no measurements, in words: it is none, has no digests of this algorithm, cannot be replayed, or has
/// an event that says something else than what was hashed.
pub fn replayed(log: &[u8], hash: Hash) -> Result<[Vec<u8>; REMS], String> {
    let algorithm = match hash {
        Hash::Sha256 => Algorithm::Sha256,
        Hash::Sha384 => Algorithm::Sha384,
        Hash::Sha512 => Algorithm::Sha512,
    };
    let log = EventLog::parse(log).map_err(|refusal| refusal.to_string())?;
    let rems = rems(&log, algorithm).map_err(|why| why.to_string())?;
    let differs = |agreement: &Agreement| matches!(agreement, Agreement::Differs(_));
    let said = log.entries().iter().map(|entry| (entry.number, Agreement::of(entry)));
    match said.into_iter().find(|(_, agreement)| differs(agreement)) {
        Some((number, agreement)) => Err(format!("event {number}: {agreement}")),
        None => Ok(rems),
    }
}
