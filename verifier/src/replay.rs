//! Replays event logs: what the registers hold if the log tells all that happened, and whether what it says is what was
//! hashed.
//!
//! A log is worth something only once its replay equals the registers of a verified token: compare first, then believe.

use aws_lc_rs::digest;
use evidence::eventlog::{Algorithm, Entry, Event, EventLog, EventType, Measured, NoAction, Numbering};
use sm3::{Digest, Sm3};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// Extensible measurements of a Realm, and measurement registers 1 to 4 of a log.
pub const REMS: usize = 4;

/// Bytes of a register and of an extension, as [`Extension::Padded`] hashes them.
const PADDED: usize = 64;

/// Why a log does not give registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreplayable {
    /// The log has no digests of this algorithm.
    NoBank {
        /// The algorithm asked for.
        algorithm: Algorithm,
    },
    /// The algorithm is not one that is computed here.
    Algorithm {
        /// The algorithm asked for.
        algorithm: Algorithm,
    },
    /// An entry that was extended has no digest of this algorithm.
    NoDigest {
        /// The entry's number.
        entry: usize,
        /// The algorithm asked for.
        algorithm: Algorithm,
    },
    /// An entry in a register that nothing in a Realm can extend.
    Register {
        /// The entry's number.
        entry: usize,
        /// The register.
        register: u32,
    },
    /// A `StartupLocality` behind an extension of PCR 0, or a second one.
    Locality {
        /// The entry's number.
        entry: usize,
    },
}

impl fmt::Display for Unreplayable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoBank { algorithm } => write!(out, "expected digests of {algorithm}, found none in the log"),
            Self::Algorithm { algorithm } => write!(out, "expected an algorithm that is known, found {algorithm}"),
            Self::NoDigest { entry, algorithm } => {
                write!(out, "event {entry}: expected a digest of {algorithm}, found none")
            }
            Self::Register { entry, register } => {
                write!(
                    out,
                    "event {entry}: expected measurement register 1 to 4, found {register}, which cannot be extended"
                )
            }
            Self::Locality { entry } => write!(out, "event {entry}: expected the startup locality once and first"),
        }
    }
}

impl std::error::Error for Unreplayable {}

/// How an RMM extends a register (RMM 1.0, B3.42). What each hashes differs in length, so that none passes for the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extension {
    /// H(old ‖ digest), neither padded: RMMs in the field, and a TPM.
    Plain,
    /// H(old ‖ digest), each padded with zeroes to 64 bytes, as the specification's text can be read.
    Padded,
}

impl Extension {
    /// The register after an extension; `None` for an algorithm that is not known.
    fn extend(self, algorithm: Algorithm, old: &[u8], digest: &[u8]) -> Option<Vec<u8>> {
        let padding = [0; PADDED];
        let rest = |value: &[u8]| match self {
            Self::Plain => 0,
            Self::Padded => PADDED.saturating_sub(value.len()),
        };
        let zeroes = |value: &[u8]| padding.get(..rest(value)).unwrap_or(&[]);
        hash(algorithm, &[old, zeroes(old), digest, zeroes(digest)])
    }
}

/// Registers by number; those that nothing was extended into are not there.
pub type Registers = BTreeMap<u32, Vec<u8>>;

/// The hash of parts one after the other; `None` for an algorithm that is not known.
#[must_use]
pub fn hash(algorithm: Algorithm, parts: &[&[u8]]) -> Option<Vec<u8>> {
    // Registers and events are short: to put them together costs less than a hash that is fed in parts.
    let whole = match parts {
        [one] => Cow::Borrowed(*one),
        parts => Cow::Owned(parts.concat()),
    };
    let run = |algorithm| Some(digest::digest(algorithm, &whole).as_ref().to_vec());
    match algorithm {
        Algorithm::Sha1 => run(&digest::SHA1_FOR_LEGACY_USE_ONLY),
        Algorithm::Sha256 => run(&digest::SHA256),
        Algorithm::Sha384 => run(&digest::SHA384),
        Algorithm::Sha512 => run(&digest::SHA512),
        Algorithm::Sm3 => Some(Sm3::digest(&whole).to_vec()),
        Algorithm::Other { .. } => None,
    }
}

/// Replays one bank: every register by the number that the log has for it, H(old ‖ digest) in log order from zeroes
/// (RMM 1.0, `RSI_MEASUREMENT_EXTEND`; TPM 2.0 library, `TPM2_PCR_Extend`). PCR 0 starts from its locality.
///
/// # Errors
/// [`Unreplayable`].
pub fn registers(log: &EventLog<'_>, algorithm: Algorithm) -> Result<Registers, Unreplayable> {
    fold(log, (algorithm, Extension::Plain), |entry| Ok(Some(entry.register)))
}

/// Replays one bank into the four extensible measurements of a Realm (CCA and virtCCA: register n + 1 of the log is REM
/// n; so are a TD's RTMRs). A TPM's log gives what they would hold had the same events gone through the
/// confidential-computing protocol (UEFI 2.10, 38.4.1), PCR 0 left out. What is not extended is zero.
///
/// # Errors
/// [`Unreplayable`], also for a log that extends register 0, which cannot happen in a Realm.
pub fn rems(log: &EventLog<'_>, algorithm: Algorithm) -> Result<[Vec<u8>; REMS], Unreplayable> {
    rems_by(log, algorithm, Extension::Plain)
}

/// As [`rems`], by this rule of extension.
///
/// # Errors
/// As [`rems`].
pub fn rems_by(
    log: &EventLog<'_>,
    algorithm: Algorithm,
    extension: Extension,
) -> Result<[Vec<u8>; REMS], Unreplayable> {
    let numbering = log.numbering();
    let registers = fold(log, (algorithm, extension), |entry| match numbering.measurement_register(entry.register) {
        0 if numbering == Numbering::Tpm => Ok(None),
        register @ 1..=4 => Ok(Some(register)),
        register => Err(Unreplayable::Register { entry: entry.number, register }),
    })?;
    let rem = |register: u32| registers.get(&register).cloned().unwrap_or_else(|| vec![0; algorithm.size()]);
    Ok([rem(1), rem(2), rem(3), rem(4)])
}

fn fold(
    log: &EventLog<'_>,
    (algorithm, extension): (Algorithm, Extension),
    place: impl Fn(&Entry<'_>) -> Result<Option<u32>, Unreplayable>,
) -> Result<Registers, Unreplayable> {
    if !log.algorithms().contains(&algorithm) {
        return Err(Unreplayable::NoBank { algorithm });
    }
    let mut registers = Registers::new();
    let mut locality = None;
    for entry in log.entries() {
        if !entry.kind.is_extended() {
            let found = startup_locality(log, entry);
            if found.is_some() && (locality.is_some() || registers.contains_key(&0)) {
                return Err(Unreplayable::Locality { entry: entry.number });
            }
            locality = locality.or(found);
            continue;
        }
        let digest = entry.digest(algorithm);
        let digest = digest.ok_or(Unreplayable::NoDigest { entry: entry.number, algorithm })?;
        let Some(register) = place(entry)? else { continue };
        let value = registers.entry(register).or_insert_with(|| start(algorithm, register, locality));
        *value = extension.extend(algorithm, value, digest).ok_or(Unreplayable::Algorithm { algorithm })?;
    }
    Ok(registers)
}

/// The value that a register has before anything is extended into it.
fn start(algorithm: Algorithm, register: u32, locality: Option<u8>) -> Vec<u8> {
    let mut zeroes = vec![0; algorithm.size()];
    if let (0, Some(last)) = (register, zeroes.last_mut()) {
        *last = locality.unwrap_or(0);
    }
    zeroes
}

fn startup_locality(log: &EventLog<'_>, entry: &Entry<'_>) -> Option<u8> {
    match Event::decode(entry) {
        Ok(Event::NoAction(NoAction::StartupLocality(locality))) if log.numbering() == Numbering::Tpm => Some(locality),
        _ => None,
    }
}

/// Whether what an entry says is what was hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agreement {
    /// Every digest is the hash of the data: what it says was measured.
    Agrees,
    /// A digest of this algorithm is not: the data was changed, or its writer was wrong. The digest stays true.
    Differs(Algorithm),
    /// Something else was hashed, which is not in the log: what the entry says is a hint.
    Apart,
    /// It extends nothing, or has no digest of a known algorithm.
    Unmeasured,
}

impl fmt::Display for Agreement {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agrees => out.write_str("the digest is over what the event says"),
            Self::Differs(algorithm) => write!(out, "digest does not match data ({algorithm})"),
            Self::Apart => out.write_str("what was hashed is not in the log"),
            Self::Unmeasured => out.write_str("not measured"),
        }
    }
}

impl Agreement {
    /// Compares every digest of an entry with what its data says.
    #[must_use]
    pub fn of(entry: &Entry<'_>) -> Self {
        if entry.kind == EventType::NO_ACTION {
            return Self::Unmeasured;
        }
        let event = Event::decode(entry);
        let measured = event.map_or_else(|_| Measured::of_undecodable(entry), |event| event.measured(entry));
        let (candidates, must) = match measured {
            Measured::Data(candidates) => (candidates, true),
            Measured::Perhaps(candidates) => (candidates, false),
            Measured::Elsewhere => return Self::Apart,
        };
        let (mut agree, mut differ) = (0usize, None);
        for digest in &entry.digests {
            let mut hashes = candidates.iter().map(|data| hash(digest.algorithm, &[data]));
            match hashes.try_fold(false, |met, hash| hash.map(|hash| met || hash == digest.value)) {
                Some(true) => agree += 1,
                Some(false) => differ = differ.or(Some(digest.algorithm)),
                None => {}
            }
        }
        match differ {
            Some(algorithm) if must || agree > 0 => Self::Differs(algorithm),
            Some(_) => Self::Apart,
            None if agree > 0 => Self::Agrees,
            None => Self::Unmeasured,
        }
    }
}

#[cfg(test)]
mod tests;
