//! Why the root of trust refused something: one flat enum, each variant naming what was expected and what was found.

use core::fmt;

/// A refusal of the root of trust.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A structure does not begin with its magic.
    Magic {
        /// What was read.
        what: &'static str,
        /// Its magic.
        expected: [u8; 8],
        /// The eight bytes that stand there.
        found: [u8; 8],
    },
    /// A structure is shorter or longer than it must be.
    Length {
        /// What was read.
        what: &'static str,
        /// Bytes there must be.
        expected: u64,
        /// Bytes there are.
        found: u64,
    },
    /// A field has another value than the only permitted one.
    Field {
        /// The field.
        what: &'static str,
        /// Its permitted value.
        expected: u64,
        /// The value that stands there.
        found: u64,
    },
    /// A field lies outside its permitted range.
    Range {
        /// The field.
        what: &'static str,
        /// Least permitted value.
        least: u64,
        /// Greatest permitted value.
        most: u64,
        /// The value that stands there.
        found: u64,
    },
    /// Bytes that must be zero are not.
    NotZero {
        /// The field.
        what: &'static str,
    },
    /// Text is not printable ASCII, or not padded with zeros.
    Text {
        /// The field.
        what: &'static str,
    },
    /// A field that must hold something is all zeros.
    Blank {
        /// The field.
        what: &'static str,
    },
    /// A digest is not the expected one.
    Hash {
        /// What was hashed.
        what: &'static str,
        /// The digest that stands in a trusted place.
        expected: [u8; 32],
        /// The digest of what is there.
        found: [u8; 32],
    },
    /// A signature is not the signer's.
    Signature {
        /// What was signed.
        what: &'static str,
    },
    /// A signature could not be made.
    Sign {
        /// What was to be signed.
        what: &'static str,
    },
    /// What was to be written does not fit.
    NoRoom {
        /// What was to be written.
        what: &'static str,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Magic { what, expected, found } => {
                write!(f, "{what}: magic is \"{}\", expected \"{}\"", found.escape_ascii(), expected.escape_ascii())
            }
            Self::Length { what, expected, found } => {
                write!(f, "{what}: {found} bytes, expected {expected}")
            }
            Self::Field { what, expected, found } => {
                write!(f, "{what} is {found:#x}, expected {expected:#x}")
            }
            Self::Range { what, least, most, found } => {
                write!(f, "{what} is {found:#x}, permitted are {least:#x} to {most:#x}")
            }
            Self::NotZero { what } => write!(f, "{what} is not zero"),
            Self::Text { what } => write!(f, "{what} is not printable text padded with zeros"),
            Self::Blank { what } => write!(f, "{what} is all zeros"),
            Self::Hash { what, expected, found } => {
                write!(f, "{what} hash is {}, expected {}", Hex(found), Hex(expected))
            }
            Self::Signature { what } => write!(f, "{what} signature is not the signer's"),
            Self::Sign { what } => write!(f, "{what} could not be signed"),
            Self::NoRoom { what } => write!(f, "{what} does not fit"),
        }
    }
}

impl core::error::Error for Refusal {}

/// Bytes as lower-case hexadecimal digits.
struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
