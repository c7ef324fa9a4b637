//! One SMC: read it, serve it or pass it to the other world.

use crate::psci::{self, Start};
use crate::{Call, Core, Hardware, Monitor, Next, Registers, World};
use abi::psci::Status;
use abi::{map, smccc};

impl Monitor<'_> {
    /// Serves the call that `from` made on this CPU: its registers hold the arguments and then the results.
    ///
    /// Registers that carry no result keep their values, in both worlds (SMCCC 1.2).
    #[inline]
    pub fn smc(&self, hw: &impl Hardware, core: &mut Core, from: World) -> Next {
        match from {
            World::Normal => self.normal(hw, core),
            World::Realm => self.realm(hw, core),
            World::Secure => Next::Park,
        }
    }

    #[inline]
    fn normal(&self, hw: &impl Hardware, core: &mut Core) -> Next {
        match Call::parse(World::Normal, &core.normal) {
            Call::Rmi if self.rmm_serves() => self.forward(core),
            Call::SmcccVersion => reply(&mut core.normal, smccc::VERSION_1_4),
            Call::SmcccFeatures { function } => reply(&mut core.normal, smccc_features(function)),
            Call::Psci(call) => {
                let asked = self.trace & map::TRACE_EL3 != 0;
                let before = asked.then(|| core.normal.clone());
                let next = self.power(hw, core, call);
                if let Some(before) = before {
                    crate::trace::el3(hw, core.number, &before, &core.normal);
                }
                next
            }
            Call::GptCensus => {
                let (granules, not_normal) = self.gpt.census();
                core.normal.set(&[0, granules, not_normal]);
                Next::Same
            }
            _ => reply(&mut core.normal, smccc::NOT_SUPPORTED),
        }
    }

    /// Carries x0 to x7 of an RMI call to the RMM, which waits in its last SMC.
    #[inline]
    fn forward(&self, core: &mut Core) -> Next {
        let Core { normal, realm, phase, .. } = core;
        let [x0, x1, x2, x3, x4, x5, x6, x7, ..] = normal.0;
        realm.set(&[x0, x1, x2, x3, x4, x5, x6, x7]);
        *phase = crate::core::Phase::Serving;
        Next::Switch(World::Realm)
    }

    fn power(&self, hw: &impl Hardware, core: &mut Core, call: psci::Call) -> Next {
        let answer = match call {
            psci::Call::Version => abi::psci::VERSION_1_1,
            psci::Call::Features { function } => psci::features(function),
            psci::Call::MigrateInfoType => psci::NO_MIGRATION,
            psci::Call::CpuOn { target_cpu, entry_point_address, context_id } => {
                let start = Start { entry: entry_point_address, context: context_id };
                word(self.cpu_on(hw, target_cpu, start))
            }
            psci::Call::AffinityInfo { target_affinity, lowest_affinity_level } => {
                match self.psci.affinity_info(target_affinity, lowest_affinity_level) {
                    Ok(power) => power as u64,
                    Err(status) => status.word(),
                }
            }
            psci::Call::CpuSuspend { power_state } => return suspend(core, power_state),
            psci::Call::CpuOff => {
                self.psci.stopped(core.number);
                return Next::Park;
            }
            psci::Call::SystemOff => return Next::PowerOff,
            psci::Call::SystemReset => return Next::Reset,
        };
        reply(&mut core.normal, answer)
    }

    fn cpu_on(&self, hw: &impl Hardware, target: u64, start: Start) -> Result<(), Status> {
        let normal = self.gpt.gpi(start.entry) == Some(crate::gpt::Gpi::NonSecure);
        if !normal || !start.entry.is_multiple_of(4) {
            return Err(Status::InvalidAddress);
        }
        let cpu = self.psci.turn_on(target, start)?;
        hw.wake(cpu);
        Ok(())
    }
}

/// Puts the one result of a call into x0 and returns to the caller.
#[inline]
pub(crate) fn reply(x: &mut Registers, x0: u64) -> Next {
    x.set(&[x0]);
    Next::Same
}

fn word(result: Result<(), Status>) -> u64 {
    result.err().unwrap_or(Status::Success).word()
}

/// CPU_SUSPEND to standby returns after an interrupt; there are no power-down states.
fn suspend(core: &mut Core, power_state: u64) -> Next {
    const POWER_DOWN: u64 = 1 << 16;
    if power_state & POWER_DOWN != 0 {
        return reply(&mut core.normal, Status::InvalidParameters.word());
    }
    core.normal.set(&[Status::Success.word()]);
    Next::Standby
}

pub(crate) fn smccc_features(function: u32) -> u64 {
    match function {
        smccc::VERSION | smccc::ARCH_FEATURES => 0,
        _ => smccc::NOT_SUPPORTED,
    }
}

#[cfg(test)]
mod tests;
