//! EL3: the worlds, granule protection, the routing of SMCs, PSCI, and the services that the RMM asks for.
//!
//! `firmware/monitor` runs this on the processor, `machine` in software. One SMC is one call of [`Monitor::smc`],
//! which reads and writes the general registers of both worlds and says with [`Next`] who runs then.
#![no_std]
#![forbid(unsafe_code)]

pub mod attest;
pub mod call;
pub mod core;
pub mod exception;
pub mod gpt;
pub mod hardware;
pub mod manifest;
pub mod psci;
mod realm;
mod smc;
pub mod trace;

pub use crate::core::{Core, Next, Registers, World};
pub use call::Call;
pub use hardware::Hardware;

use ::core::sync::atomic::{AtomicU8, Ordering};

const RMM_BOOTS: u8 = 0;
const RMM_SERVES: u8 = 1;
const RMM_FAILED: u8 = 2;

/// Everything that EL3 keeps for the whole machine; shared by all CPUs.
pub struct Monitor<'a> {
    /// Granule protection tables.
    pub gpt: gpt::Tables<'a>,
    /// Power states of the CPUs.
    pub psci: psci::Psci,
    /// Platform token and attestation key.
    pub attest: attest::Attest<'a>,
    /// Which calls are printed, as in `abi::map`.
    pub trace: u64,
    rmm: AtomicU8,
}

impl<'a> Monitor<'a> {
    /// Puts the monitor together. CPU 0 is on; the RMM does not serve until it has reported a good boot.
    #[must_use]
    pub const fn new(gpt: gpt::Tables<'a>, psci: psci::Psci, attest: attest::Attest<'a>, trace: u64) -> Self {
        Self { gpt, psci, attest, trace, rmm: AtomicU8::new(RMM_BOOTS) }
    }

    /// Says whether RMI calls are forwarded: the RMM has booted on CPU 0 and on every CPU since.
    pub fn rmm_serves(&self) -> bool {
        self.rmm.load(Ordering::Acquire) == RMM_SERVES
    }

    /// Notes how the RMM's boot on a CPU ended. A failure is final.
    fn rmm_booted(&self, well: bool) {
        if well {
            // It fails when the RMM serves already, or has failed elsewhere: both stay.
            let _ = self.rmm.compare_exchange(RMM_BOOTS, RMM_SERVES, Ordering::AcqRel, Ordering::Acquire);
        } else {
            self.rmm.store(RMM_FAILED, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod fake;
