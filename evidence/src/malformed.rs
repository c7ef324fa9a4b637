//! Why bytes are not evidence.

use alloc::string::String;
use core::fmt;

/// The two halves of a token, each with its own profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Signed by the platform's key (CPAK).
    Platform,
    /// Signed by the realm attestation key (RAK).
    Realm,
}

impl fmt::Display for Part {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Platform => "platform token",
            Self::Realm => "realm token",
        })
    }
}

/// Why bytes were refused. `at` is an offset in bytes from the start of what was given to [`crate::Token::parse`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// More bytes than any token has.
    TooLong {
        /// The most that is read, in bytes.
        limit: usize,
        /// What was given, in bytes.
        found: usize,
    },
    /// Not well-formed CBOR, or cut short.
    Cbor {
        /// Where.
        at: usize,
        /// What had to stand there.
        expected: &'static str,
    },
    /// Another CBOR type than the one that belongs there.
    Type {
        /// Where.
        at: usize,
        /// What belongs there.
        expected: &'static str,
        /// What stands there.
        found: &'static str,
    },
    /// An indefinite length, which EAT tokens may not have.
    Indefinite {
        /// Where.
        at: usize,
    },
    /// An array or map that declares more items than the rest of the input could hold.
    Length {
        /// Where.
        at: usize,
        /// Items declared.
        declared: u64,
        /// Bytes left.
        left: usize,
    },
    /// Items within items beyond the limit.
    TooDeep {
        /// Where.
        at: usize,
        /// The most that is followed.
        limit: u8,
    },
    /// A map key that occurs twice.
    Duplicate {
        /// Where the second one stands.
        at: usize,
    },
    /// Bytes after the end.
    Trailing {
        /// Where they begin.
        at: usize,
        /// How many they are.
        count: usize,
    },
    /// Another tag than the one that belongs there.
    Tag {
        /// Where.
        at: usize,
        /// The tags that are read.
        expected: &'static str,
        /// The tag that stands there.
        found: u64,
    },
    /// An entry of the collection with another content format than EAT in CWT form.
    ContentFormat {
        /// Where.
        at: usize,
        /// The format that stands there.
        found: u64,
    },
    /// A COSE header that changes the meaning of the signature in a way that is not understood.
    Header {
        /// Where.
        at: usize,
        /// What is wrong.
        why: &'static str,
    },
    /// A signature algorithm that no profile uses.
    Algorithm {
        /// COSE number of the algorithm.
        found: i128,
    },
    /// A profile that is not read.
    Profile {
        /// Whose.
        part: Part,
        /// What the claim says.
        found: String,
    },
    /// A part, or a claim that the profile demands, is not there.
    Missing {
        /// Whose.
        part: Part,
        /// Name of the claim.
        claim: &'static str,
    },
    /// A claim of a size that its profile does not allow.
    Size {
        /// Name of the claim.
        claim: &'static str,
        /// The sizes allowed.
        expected: &'static str,
        /// The size found.
        found: usize,
    },
    /// A claim of the right type and size that says something impossible.
    Value {
        /// Name of the claim.
        claim: &'static str,
        /// What is allowed.
        expected: &'static str,
    },
}

impl fmt::Display for Malformed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { limit, found } => write!(out, "{found} bytes; expected at most {limit}"),
            Self::Cbor { at, expected } => {
                write!(out, "byte {at}: expected {expected}; found something that is not well-formed CBOR, or the end")
            }
            Self::Type { at, expected, found } => write!(out, "byte {at}: expected {expected}, found {found}"),
            Self::Indefinite { at } => write!(out, "byte {at}: expected a definite length, found an indefinite one"),
            Self::Length { at, declared, left } => {
                write!(out, "byte {at}: {declared} items declared, {left} bytes left")
            }
            Self::TooDeep { at, limit } => write!(out, "byte {at}: more than {limit} items within each other"),
            Self::Duplicate { at } => write!(out, "byte {at}: a map key for the second time"),
            Self::Trailing { at, count } => write!(out, "byte {at}: expected the end, found {count} more bytes"),
            Self::Tag { at, expected, found } => write!(out, "byte {at}: expected tag {expected}, found {found}"),
            Self::ContentFormat { at, found } => {
                write!(out, "byte {at}: expected content format 263 (EAT as CWT), found {found}")
            }
            Self::Header { at, why } => write!(out, "byte {at}: COSE header: {why}"),
            Self::Algorithm { found } => {
                write!(out, "expected signature algorithm ES256, ES384, ES512 or PS256, found COSE number {found}")
            }
            Self::Profile { part, found } => write!(out, "{part}: profile {found:?} is not one that is read here"),
            Self::Missing { part, claim } => write!(out, "{part}: expected {claim}, found none"),
            Self::Size { claim, expected, found } => write!(out, "{claim}: expected {expected} bytes, found {found}"),
            Self::Value { claim, expected } => write!(out, "{claim}: expected {expected}"),
        }
    }
}

impl core::error::Error for Malformed {}
