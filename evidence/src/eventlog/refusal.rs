//! Why bytes are not an event log.

use super::Algorithm;
use core::fmt;

/// Why bytes were refused. `at` is an offset in bytes from the first byte of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// More bytes than any log has.
    TooLong {
        /// The most that is read, in bytes.
        limit: usize,
        /// What was given, in bytes.
        found: usize,
    },
    /// No bytes, or nothing but filler.
    Blank,
    /// An ACPI table, and no log behind it.
    TableAlone,
    /// The input ends inside of something.
    Cut {
        /// Where that begins.
        at: usize,
        /// What it is.
        expected: &'static str,
        /// Its size, in bytes.
        needed: u64,
        /// What is left of the input or of the entry, in bytes.
        left: usize,
    },
    /// Bytes behind the end of something that has to fill its place.
    Left {
        /// Where they begin.
        at: usize,
        /// How many they are.
        count: usize,
    },
    /// A register that no numbering has.
    Register {
        /// Where.
        at: usize,
        /// The number that stands there.
        found: u32,
    },
    /// More digests in an entry than the header has algorithms.
    Digests {
        /// Where their number stands.
        at: usize,
        /// Algorithms in the header.
        limit: usize,
        /// Digests declared.
        found: u32,
    },
    /// A digest of an algorithm that the header does not list.
    Unlisted {
        /// Where.
        at: usize,
        /// The TCG number of the algorithm.
        found: u16,
    },
    /// An algorithm for the second time, in the header or in an entry.
    Twice {
        /// Where.
        at: usize,
        /// Which.
        algorithm: Algorithm,
    },
    /// More entries than are read.
    TooMany {
        /// Where the next one begins.
        at: usize,
        /// The most that are read.
        limit: usize,
    },
    /// A number that is not what the profile says.
    Value {
        /// Where.
        at: usize,
        /// What the number is of.
        what: &'static str,
        /// What it has to be.
        expected: &'static str,
        /// What it is.
        found: u64,
    },
    /// Bytes that are not what they have to be.
    Bytes {
        /// Where.
        at: usize,
        /// What has to stand there.
        expected: &'static str,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { limit, found } => write!(out, "expected at most {limit} bytes, found {found}"),
            Self::Blank => out.write_str("expected an event log, found no bytes or nothing but filler"),
            Self::TableAlone => out.write_str("expected an event log, found an ACPI CCEL table with nothing behind it"),
            Self::Cut { at, expected, needed, left } => {
                write!(out, "byte {at}: expected {expected} ({needed} bytes), found {left} bytes")
            }
            Self::Left { at, count } => write!(out, "byte {at}: expected the end, found {count} more bytes"),
            Self::Register { at, found } => write!(out, "byte {at}: expected a register from 0 to 23, found {found}"),
            Self::Digests { at, limit, found } => {
                write!(out, "byte {at}: expected at most {limit} digests, as many as the header has, found {found}")
            }
            Self::Unlisted { at, found } => {
                write!(out, "byte {at}: expected an algorithm that the header lists, found {found:#06x}")
            }
            Self::Twice { at, algorithm } => write!(out, "byte {at}: {algorithm} for the second time"),
            Self::TooMany { at, limit } => write!(out, "byte {at}: expected the end after {limit} entries"),
            Self::Value { at, what, expected, found } => {
                write!(out, "byte {at}: {what}: expected {expected}, found {found}")
            }
            Self::Bytes { at, expected } => write!(out, "byte {at}: expected {expected}"),
        }
    }
}

impl core::error::Error for Refusal {}
