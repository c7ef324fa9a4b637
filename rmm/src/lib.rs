//! The Realm Management Monitor, RMM 1.0: what R-EL2 does for the Normal world (RMI) and for Realms (RSI).
//!
//! The processor is behind [`platform::Platform`]; there is no unsafe code here, no allocation, and no state but
//! granules, a set of VMIDs and the cached platform token. [`Rmm::handle`] takes a command's registers and gives its
//! results.
//!
//! A command checks in the specification's order, computes on copies, and writes only after the word "commit", from
//! where on nothing can fail: a refused command changes nothing.
#![no_std]
#![forbid(unsafe_code)]

pub mod address;
mod attestation;
pub mod audit;
pub mod granule;
mod idreg;
pub mod measurement;
pub mod platform;
mod psci;
mod realm;
pub mod rec;
mod rmi;
mod rsi;
mod rtt;
mod run;
mod token;
mod vmid;

pub use attestation::BootError;

use attestation::Attestation;
use platform::Platform;
use vmid::Vmids;

/// The RMM on a machine.
#[derive(Debug)]
pub struct Rmm<P> {
    platform: P,
    vmids: Vmids,
    attestation: Attestation,
}

impl<P: Platform> Rmm<P> {
    /// Makes the RMM of a machine, before any realm.
    pub const fn new(platform: P) -> Self {
        Self { platform, vmids: Vmids::new(), attestation: Attestation::new() }
    }

    /// Gives the machine.
    pub const fn platform(&self) -> &P {
        &self.platform
    }

    /// Fetches the attestation key's public part and the platform token from EL3. To be called once, on the first CPU,
    /// before the first command; if it fails, tokens of Realms fail (RSI_ERROR_UNKNOWN) and all else works.
    pub fn boot(&self) -> Result<(), BootError> {
        self.attestation.fetch(&self.platform)
    }
}
