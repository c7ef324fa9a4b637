//! The RMM's calls: results for the Normal world, and the services of the RMM-EL3 interface 0.4.

use crate::core::Phase;
use crate::smc::{reply, smccc_features};
use crate::{Call, Core, Hardware, Monitor, Next, World, trace};
use abi::el3::{self, Status};
use abi::{map, smccc};

impl Monitor<'_> {
    #[inline]
    pub(crate) fn realm(&self, hw: &impl Hardware, core: &mut Core) -> Next {
        match Call::parse(World::Realm, &core.realm) {
            Call::ReqComplete if core.phase == Phase::Serving => self.complete(core),
            Call::Trace { kind } => self.print(hw, core, kind),
            Call::BootComplete { status } if core.phase == Phase::Booting => self.booted(hw, core, status),
            call if self.trace & map::TRACE_EL3 == 0 => self.service(hw, core, call),
            call => {
                let before = core.realm.clone();
                let next = self.service(hw, core, call);
                trace::el3(hw, core.number, &before, &core.realm);
                next
            }
        }
    }

    /// Hands x1 to x5 of the RMM to the Normal world as x0 to x4; its other registers are as it left them.
    #[inline]
    fn complete(&self, core: &mut Core) -> Next {
        let [_, x1, x2, x3, x4, x5, ..] = core.realm.0;
        core.normal.set(&[x1, x2, x3, x4, x5]);
        core.phase = Phase::Idle;
        Next::Switch(World::Normal)
    }

    /// The RMM has booted on this CPU, or failed to: then RMI is unknown from here on, on all CPUs.
    fn booted(&self, hw: &impl Hardware, core: &mut Core, status: u64) -> Next {
        if status != 0 {
            hw.print(format_args!("monitor: CPU {}: RMM failed to boot: {}", core.number, status.cast_signed()));
        }
        self.rmm_booted(status == 0);
        core.phase = Phase::Idle;
        self.psci.started(core.number);
        Next::Switch(World::Normal)
    }

    fn service(&self, hw: &impl Hardware, core: &mut Core, call: Call) -> Next {
        let x = &mut core.realm;
        match call {
            Call::Delegate { pa } => reply(x, self.transferred(hw, pa, self.gpt.delegate(pa)).word()),
            Call::Undelegate { pa } => reply(x, self.transferred(hw, pa, self.gpt.undelegate(pa)).word()),
            Call::Features { index } => answer(x, Ok([self.feature(index), 0])),
            Call::GetPlatToken { buffer, challenge_size } => {
                answer(x, self.attest.plat_token(hw, buffer, challenge_size))
            }
            Call::TokenSign { operation, buffer, curve } => {
                answer(x, self.attest.token_sign(hw, operation, buffer, curve).map(|length| [length, 0]))
            }
            Call::SmcccVersion => reply(x, smccc::VERSION_1_2),
            Call::SmcccFeatures { function } => reply(x, smccc_features(function)),
            _ => reply(x, smccc::NOT_SUPPORTED),
        }
    }

    fn transferred(&self, hw: &impl Hardware, pa: u64, result: Result<(), Status>) -> Status {
        match result {
            Ok(()) => {
                hw.invalidate(pa);
                Status::Ok
            }
            Err(status) => status,
        }
    }

    fn feature(&self, index: u64) -> u64 {
        match index {
            0 => el3::FEATURE_TOKEN_SIGN,
            el3::FEATURES_TRACE_MASK => self.trace,
            _ => 0,
        }
    }

    fn print(&self, hw: &impl Hardware, core: &mut Core, kind: u64) -> Next {
        if kind & self.trace & (map::TRACE_RMI | map::TRACE_RSI) != 0 {
            trace::told(hw, core.number, &core.realm);
        }
        reply(&mut core.realm, Status::Ok.word())
    }
}

/// Puts status and results into x0 to x2; on failure the results are zero.
fn answer(x: &mut crate::Registers, result: Result<[u64; 2], Status>) -> Next {
    match result {
        Ok([x1, x2]) => x.set(&[Status::Ok.word(), x1, x2]),
        Err(status) => x.set(&[status.word(), 0, 0]),
    }
    Next::Same
}

#[cfg(test)]
mod tests;
