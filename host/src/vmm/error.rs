//! Why a Realm could not be built, run or taken down.

use core::fmt;

use abi::rmi::{self, Status};

/// Why a Realm could not be built, run or taken down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The firmware answered a command with something else than success.
    Refused {
        /// Function identifier of the command.
        command: u32,
        /// The status word (x0).
        found: u64,
        /// What the command was about: an address of the Realm or a physical one.
        address: u64,
    },
    /// The RMM does not offer what the Realm needs.
    Feature {
        /// Which.
        name: &'static str,
        /// What the Realm needs.
        expected: u64,
        /// What the RMM offers.
        found: u64,
    },
    /// No more granules.
    NoMemory,
    /// More vCPUs than CPUs.
    Cpus {
        /// vCPUs.
        expected: usize,
        /// CPUs.
        found: usize,
    },
    /// A command that should make progress made none.
    NoProgress {
        /// Function identifier of the command.
        command: u32,
        /// Where.
        address: u64,
    },
    /// The RMM named a granule that was never given to it.
    NotOurs {
        /// Its address.
        address: u64,
    },
    /// An exit for a reason without a number of RMM 1.0.
    Exit {
        /// The number.
        reason: u64,
    },
    /// A synchronous exit that Linux does not make.
    Syndrome {
        /// The syndrome (ESR).
        esr: u64,
        /// The address of the Realm.
        ipa: u64,
    },
    /// A private address faults over and over although it is populated.
    Unrepairable {
        /// The address of the Realm.
        ipa: u64,
    },
    /// Granules that did not come back.
    Leaked {
        /// How many.
        granules: usize,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Refused { command, found, address } => {
                let name = rmi::name(*command).unwrap_or("SMC");
                write!(f, "{name} at {address:#x}: expected success, found ")?;
                match Status::from_word(*found) {
                    Some(status) => write!(f, "{status:?}"),
                    None => write!(f, "{found:#x}"),
                }
            }
            Error::Feature { name, expected, found } => {
                write!(f, "RMM: {name}: expected {expected:#x}, found {found:#x}")
            }
            Error::NoMemory => f.write_str("expected a free granule, found none"),
            Error::Cpus { expected, found } => write!(f, "expected {expected} CPUs, found {found}"),
            Error::NoProgress { command, address } => {
                write!(f, "{} makes no progress at {address:#x}", rmi::name(*command).unwrap_or("SMC"))
            }
            Error::NotOurs { address } => write!(f, "expected a granule that was given, found {address:#x}"),
            Error::Exit { reason } => write!(f, "expected an exit reason of RMM 1.0, found {reason}"),
            Error::Syndrome { esr, ipa } => write!(f, "exit with syndrome {esr:#x} at {ipa:#x} cannot be handled"),
            Error::Unrepairable { ipa } => write!(f, "private address {ipa:#x} faults although it is populated"),
            Error::Leaked { granules } => write!(f, "expected every granule back, {granules} are missing"),
        }
    }
}

impl core::error::Error for Error {}
