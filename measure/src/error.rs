//! Why something cannot be measured.

use std::fmt;
use std::path::PathBuf;

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
    /// A file cannot be opened.
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// An image cannot be read to its end.
    Read {
        /// Which image.
        what: &'static str,
        /// What the system said.
        why: String,
    },
    /// An image is not as long as it was said to be.
    Length {
        /// Which image.
        what: &'static str,
        /// Bytes that it should have.
        expected: u64,
        /// Bytes that it has, as far as it was read.
        found: u64,
    },
    /// An image stands where another one does.
    Overlap {
        /// Which image.
        what: &'static str,
        /// Where it stands.
        ipa: u64,
        /// The first address that is free.
        free: u64,
    },
    /// An image does not fit where it has to stand.
    NoRoom {
        /// Which image.
        what: &'static str,
        /// The first address after it.
        end: u64,
        /// The first address that is not its own.
        limit: u64,
    },
    /// Something in a VMM's command line that is not supported, or is not known: the VM could be another one.
    Option {
        /// The option.
        option: String,
        /// What is expected, or why it is refused.
        why: String,
    },
    /// Something that must be said and is not.
    Missing {
        /// What, and how to say it.
        what: &'static str,
    },
}

impl Error {
    pub(crate) fn unpack(packing: &'static str, why: impl Into<String>) -> Error {
        Error::Unpack { packing, why: why.into() }
    }

    pub(crate) fn option(option: impl Into<String>, why: impl Into<String>) -> Error {
        Error::Option { option: option.into(), why: why.into() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Host(why) => why.fmt(f),
            Error::Firmware(why) => why.fmt(f),
            Error::Unpack { packing, why } => write!(f, "kernel cannot be unpacked: expected {packing}, found: {why}"),
            Error::File { path, why } => write!(f, "{}: {why}", path.display()),
            Error::Read { what, why } => write!(f, "{what} cannot be read: {why}"),
            Error::Length { what, expected, found } => {
                write!(f, "{what}: expected {expected} bytes, found {found}: the file is not what its header says")
            }
            Error::Overlap { what, ipa, free } => {
                write!(f, "{what} at {ipa:#x}: expected an address from {free:#x} on, where the image before it ends")
            }
            Error::NoRoom { what, end, limit } => {
                write!(f, "{what}: expected its end at or before {limit:#x}, found {end:#x}: give the VM more memory")
            }
            Error::Option { option, why } => write!(f, "{option}: {why}"),
            Error::Missing { what } => f.write_str(what),
        }
    }
}

impl std::error::Error for Error {}
