//! What is wrong with a log by its rules.

use super::Times;
use evidence::eventlog::{Algorithm, Shown};
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::fmt;

/// One thing that is not as the rules have it. Events are named by their number, rules by their name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// An event that no rule is about.
    NotAdmitted {
        /// The event.
        event: usize,
        /// Register, type and subject.
        what: String,
        /// What is measured of it.
        found: String,
    },
    /// An event that a rule is about, but not as it demands.
    Differs {
        /// The event.
        event: usize,
        /// The rule.
        rule: String,
        /// What it demands.
        expected: String,
        /// What is measured.
        found: String,
    },
    /// One event more than a rule admits.
    TooMany {
        /// The event.
        event: usize,
        /// The rule.
        rule: String,
        /// How many it admits.
        times: Times,
        /// What is measured.
        found: String,
    },
    /// An event that must not occur.
    Forbidden {
        /// The event.
        event: usize,
        /// The rule.
        rule: String,
        /// What is measured.
        found: String,
    },
    /// Fewer events than a rule demands.
    Missing {
        /// The rule.
        rule: String,
        /// How many it demands.
        times: Times,
        /// How many there are.
        found: u32,
    },
    /// An event behind one that it has to come before.
    OutOfOrder {
        /// The event.
        event: usize,
        /// The rule that admits it.
        rule: String,
        /// The rule of an earlier event, which has to be met later.
        after: String,
    },
    /// An event whose data is not what its digest is over.
    DigestDiffers {
        /// The event.
        event: usize,
        /// Register, type and subject.
        what: String,
        /// The bank.
        algorithm: Algorithm,
    },
    /// An event without a digest of the rules' algorithm.
    NoDigest {
        /// The event.
        event: usize,
        /// The rules' algorithm.
        algorithm: Algorithm,
    },
    /// A rule for a register that this kind of log does not have.
    NoRegister {
        /// The rule.
        rule: String,
        /// The register.
        register: String,
    },
    /// Bytes behind the end of the log: something was cut off.
    Residue {
        /// Their offset.
        at: usize,
    },
}

impl Finding {
    /// Its name in reports.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NotAdmitted { .. } => "not-admitted",
            Self::Differs { .. } => "differs",
            Self::TooMany { .. } => "too-many",
            Self::Forbidden { .. } => "forbidden",
            Self::Missing { .. } => "missing",
            Self::OutOfOrder { .. } => "out-of-order",
            Self::DigestDiffers { .. } => "digest-differs",
            Self::NoDigest { .. } => "no-digest",
            Self::NoRegister { .. } => "no-register",
            Self::Residue { .. } => "residue",
        }
    }

    /// The event it is about.
    #[must_use]
    pub const fn event(&self) -> Option<usize> {
        match self {
            Self::NotAdmitted { event, .. }
            | Self::Differs { event, .. }
            | Self::TooMany { event, .. }
            | Self::Forbidden { event, .. }
            | Self::OutOfOrder { event, .. }
            | Self::DigestDiffers { event, .. }
            | Self::NoDigest { event, .. } => Some(*event),
            Self::Missing { .. } | Self::NoRegister { .. } | Self::Residue { .. } => None,
        }
    }

    /// The rule it is about.
    #[must_use]
    pub fn rule(&self) -> Option<&str> {
        match self {
            Self::Differs { rule, .. }
            | Self::TooMany { rule, .. }
            | Self::Forbidden { rule, .. }
            | Self::Missing { rule, .. }
            | Self::OutOfOrder { rule, .. }
            | Self::NoRegister { rule, .. } => Some(rule),
            Self::NotAdmitted { .. } | Self::DigestDiffers { .. } | Self::NoDigest { .. } | Self::Residue { .. } => {
                None
            }
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAdmitted { event, what, found } => {
                write!(out, "event {event}: no rule admits {}: {}", Shown(what), Shown(found))
            }
            Self::Differs { event, rule, expected, found } => {
                write!(out, "event {event}: {rule}: expected {}, found {}", Shown(expected), Shown(found))
            }
            Self::TooMany { event, rule, times, found } => {
                write!(out, "event {event}: {rule}: expected {times}, found one more: {}", Shown(found))
            }
            Self::Forbidden { event, rule, found } => {
                write!(out, "event {event}: {rule}: must not occur: {}", Shown(found))
            }
            Self::Missing { rule, times, found } => write!(out, "{rule}: expected {times}, found {found}"),
            Self::OutOfOrder { event, rule, after } => {
                write!(out, "event {event}: {rule}: expected before {after}, found after it")
            }
            Self::DigestDiffers { event, what, algorithm } => {
                write!(out, "event {event}: digest does not match data ({algorithm}) of {}", Shown(what))
            }
            Self::NoDigest { event, algorithm } => {
                write!(out, "event {event}: expected a digest of {algorithm}, found none")
            }
            Self::NoRegister { rule, register } => {
                write!(out, "{rule}: expected a log that has register {register}, found another kind of log")
            }
            Self::Residue { at } => write!(out, "byte {at}: expected nothing but filler behind the end of the log"),
        }
    }
}

impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("finding", self.name())?;
        map.serialize_entry("event", &self.event())?;
        map.serialize_entry("rule", &self.rule())?;
        map.serialize_entry("says", &self.to_string())?;
        map.end()
    }
}
