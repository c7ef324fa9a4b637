//! PSCI for Realms (RMM 1.0, B6; Arm DEN0022): what the RMM answers itself, and what the host has to complete.

use crate::platform::Platform;
use crate::realm::{Phase, Realm};
use crate::rec::{PsciRequest, index_of_affinity};
use crate::rsi::Reply;
use crate::run::Session;
use abi::psci::{self, Status};
use abi::rmi::ExitReason;
use abi::smccc;

const fn status(status: Status) -> Reply {
    Reply::Values([status.word(), 0, 0, 0])
}

/// Handles a call in PSCI's range.
pub fn call<P: Platform>(session: &mut Session<'_, P>, function: u32) -> Reply {
    let [_, x1, x2, x3, ..] = session.rec.context.x;
    match function {
        psci::VERSION => Reply::Values([psci::VERSION_1_1, 0, 0, 0]),
        psci::FEATURES => features(x1 as u32),
        psci::CPU_SUSPEND_32 | psci::CPU_SUSPEND_64 => {
            session.rec.answer([Status::Success.word(), 0, 0, 0]);
            tell_host(session, function, [x1, x2, x3])
        }
        psci::CPU_OFF => {
            session.rec.set_runnable(false);
            tell_host(session, function, [0; 3])
        }
        psci::CPU_ON_32 => cpu_on(session, function, [x1, x2, x3].map(low)),
        psci::CPU_ON_64 => cpu_on(session, function, [x1, x2, x3]),
        psci::AFFINITY_INFO_32 => affinity_info(session, function, [x1, x2].map(low)),
        psci::AFFINITY_INFO_64 => affinity_info(session, function, [x1, x2]),
        psci::SYSTEM_OFF | psci::SYSTEM_RESET => {
            Realm::owner(session.platform(), session.rec.owner()).with(|rd| rd.set_phase(Phase::SystemOff));
            tell_host(session, function, [0; 3])
        }
        _ => status(Status::NotSupported),
    }
}

/// An argument of a 32-bit call.
const fn low(x: u64) -> u64 {
    x & 0xFFFF_FFFF
}

const fn features(function: u32) -> Reply {
    match function {
        psci::CPU_SUSPEND_32
        | psci::CPU_SUSPEND_64
        | psci::CPU_OFF
        | psci::CPU_ON_32
        | psci::CPU_ON_64
        | psci::AFFINITY_INFO_32
        | psci::AFFINITY_INFO_64
        | psci::SYSTEM_OFF
        | psci::SYSTEM_RESET
        | psci::VERSION
        | psci::FEATURES
        | smccc::VERSION => status(Status::Success),
        _ => status(Status::NotSupported),
    }
}

fn tell_host<P: Platform>(session: &mut Session<'_, P>, function: u32, arguments: [u64; 3]) -> Reply {
    let [a, b, c] = arguments;
    for (register, value) in session.exit.gprs.iter_mut().zip([u64::from(function), a, b, c]) {
        *register = value;
    }
    Reply::Leave(ExitReason::Psci)
}

fn cpu_on<P: Platform>(session: &mut Session<'_, P>, function: u32, arguments: [u64; 3]) -> Reply {
    let [affinity, entry, context_id] = arguments;
    if !session.rec.is_protected(entry) {
        return status(Status::InvalidAddress);
    }
    match existing(session, affinity) {
        None => status(Status::InvalidParameters),
        Some(target) if target == session.rec.index => status(Status::AlreadyOn),
        Some(target) => {
            session.rec.set_psci(Some(PsciRequest::CpuOn { target, entry, context_id }));
            tell_host(session, function, arguments)
        }
    }
}

fn affinity_info<P: Platform>(session: &mut Session<'_, P>, function: u32, arguments: [u64; 2]) -> Reply {
    let [affinity, level] = arguments;
    if level != 0 {
        return status(Status::InvalidParameters);
    }
    match existing(session, affinity) {
        None => status(Status::InvalidParameters),
        Some(target) if target == session.rec.index => status(Status::Success),
        Some(target) => {
            session.rec.set_psci(Some(PsciRequest::AffinityInfo { target }));
            tell_host(session, function, [affinity, level, 0])
        }
    }
}

/// Gives the index of the REC that an affinity names, if the realm ever had it.
fn existing<P: Platform>(session: &Session<'_, P>, affinity: u64) -> Option<u64> {
    let index = index_of_affinity(affinity)?;
    let count = Realm::owner(session.platform(), session.rec.owner()).with(|rd| rd.rec_count);
    (index < count).then_some(index)
}
