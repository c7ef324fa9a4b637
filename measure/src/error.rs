//! Why something cannot be measured.

use std::fmt;

/// Why something cannot be measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The host would refuse to build this VM.
    Host(host::Error),
    /// Boot would refuse an image of the firmware, whoever signed it.
    Firmware(rot::Refusal),
    /// A packed kernel file is broken.
    Unpack {
        /// How the file is packed.
        packing: &'static str,
        /// What is wrong with it.
        why: String,
    },
}

impl Error {
    pub(crate) fn unpack(packing: &'static str, why: impl Into<String>) -> Error {
        Error::Unpack { packing, why: why.into() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Host(why) => why.fmt(f),
            Error::Firmware(why) => why.fmt(f),
            Error::Unpack { packing, why } => write!(f, "kernel cannot be unpacked: expected {packing}, found: {why}"),
        }
    }
}

impl std::error::Error for Error {}
