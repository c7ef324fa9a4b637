//! SMCs as values: what each world may ask of EL3.

use crate::{Registers, World, psci};
use abi::{el3, rmi, smccc};

/// A buffer that the RMM names, allegedly in the shared page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buffer {
    /// Physical address.
    pub pa: u64,
    /// Length in bytes.
    pub size: u64,
}

/// A call with its arguments by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are the specifications' argument names")]
pub enum Call {
    /// Nobody's call, or not this world's to make.
    Unknown,
    /// Any RMI command: the Realm world's to parse.
    Rmi,
    SmcccVersion,
    SmcccFeatures {
        function: u32,
    },
    Psci(psci::Call),
    GptCensus,
    ReqComplete,
    BootComplete {
        status: u64,
    },
    Delegate {
        pa: u64,
    },
    Undelegate {
        pa: u64,
    },
    Features {
        index: u64,
    },
    GetPlatToken {
        buffer: Buffer,
        challenge_size: u64,
    },
    TokenSign {
        operation: u64,
        buffer: Buffer,
        curve: u64,
    },
    Trace {
        kind: u64,
    },
}

impl Call {
    /// Reads the call that `from` makes with registers `x`; total.
    #[must_use]
    #[inline]
    pub fn parse(from: World, x: &Registers) -> Call {
        match from {
            World::Normal => Self::of_normal(x),
            World::Realm => Self::of_realm(x),
            World::Secure => Call::Unknown,
        }
    }

    #[inline]
    fn of_normal(x: &Registers) -> Call {
        let [x0, x1, x2, x3, ..] = x.0;
        let fid = x0 as u32;
        match fid & !smccc::SVE_HINT {
            rmi::FIRST..=rmi::LAST => Call::Rmi,
            smccc::VERSION => Call::SmcccVersion,
            smccc::ARCH_FEATURES => Call::SmcccFeatures { function: x1 as u32 },
            smccc::GPT_CENSUS => Call::GptCensus,
            other => psci::Call::parse(other, x1, x2, x3).map_or(Call::Unknown, Call::Psci),
        }
    }

    #[inline]
    fn of_realm(x: &Registers) -> Call {
        let [x0, x1, x2, x3, x4, ..] = x.0;
        // First, for it ends every RMI call.
        if x0 as u32 == el3::REQ_COMPLETE {
            return Call::ReqComplete;
        }
        match x0 as u32 {
            el3::GTSI_DELEGATE => Call::Delegate { pa: x1 },
            el3::GTSI_UNDELEGATE => Call::Undelegate { pa: x1 },
            el3::TRACE => Call::Trace { kind: x1 },
            el3::FEATURES => Call::Features { index: x1 },
            el3::GET_PLAT_TOKEN => Call::GetPlatToken { buffer: Buffer { pa: x1, size: x2 }, challenge_size: x3 },
            el3::TOKEN_SIGN => Call::TokenSign { operation: x1, buffer: Buffer { pa: x2, size: x3 }, curve: x4 },
            el3::BOOT_COMPLETE => Call::BootComplete { status: x1 },
            smccc::VERSION => Call::SmcccVersion,
            smccc::ARCH_FEATURES => Call::SmcccFeatures { function: x1 as u32 },
            // GET_REALM_ATTEST_KEY among them: the key never leaves the monitor.
            _ => Call::Unknown,
        }
    }
}

#[cfg(test)]
mod tests;
