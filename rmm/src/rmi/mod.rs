//! RMI: what the Normal world's host asks for (RMM 1.0, B4).

mod data;
mod features;
mod granules;
mod psci;
mod realm_create;
mod realms;
mod rec_create;
mod recs;
mod ripas;
mod tables;
mod unprotected;

use crate::Rmm;
use crate::granule::Refusal;
use crate::platform::{Fault, Interface, Platform};
use crate::run;
use abi::rmi::{Call, Status};

/// Outputs of a command that has none.
const NONE: [u64; 4] = [0; 4];

/// Why a command was refused, and the outputs it has nevertheless.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refused {
    status: Status,
    outputs: [u64; 4],
}

/// Outputs x1 to x4 of a command, or its refusal.
pub type Answer = Result<[u64; 4], Refused>;

impl From<Status> for Refused {
    fn from(status: Status) -> Self {
        Self { status, outputs: NONE }
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Status::from(refusal).into()
    }
}

impl From<Fault> for Refused {
    fn from(_: Fault) -> Self {
        Status::Input.into()
    }
}

/// Checks a condition whose failure is RMI_ERROR_INPUT.
fn require(condition: bool) -> Result<(), Refused> {
    if condition { Ok(()) } else { Err(Status::Input.into()) }
}

/// Checks a condition whose failure is RMI_ERROR_RTT at a level.
fn require_rtt(condition: bool, level: crate::address::Level) -> Result<(), Refused> {
    if condition { Ok(()) } else { Err(Status::Rtt(level.get()).into()) }
}

impl<P: Platform> Rmm<P> {
    /// Handles a command: x0 to x7 as the Normal world called, and x0 to x4 as it gets them back (RMM 1.0, B1, B4).
    pub fn handle(&self, registers: [u64; 8]) -> [u64; 5] {
        let [x0, x1, x2, x3, x4, x5, ..] = registers;
        let call = Call::parse(x0, [x1, x2, x3, x4, x5]);
        let gives_x4 = matches!(call, Some(Call::RttReadEntry { .. }));
        let mut result = match call {
            Some(call) => registers_of(self.dispatch(call)),
            None => [abi::smccc::NOT_SUPPORTED, 0, 0, 0, 0],
        };
        self.platform.trace(Interface::Rmi, &[x0, x1, x2, x3, x4], &result);
        if !gives_x4 {
            // From x4 on, what is no result stays the caller's (SMC Calling Convention): Linux's KVM keeps values there.
            result[4] = x4;
        }
        result
    }

    // The longer commands are never inlined here: each pays for its own frame, and none for another's.
    fn dispatch(&self, call: Call) -> Answer {
        let platform = &self.platform;
        match call {
            Call::Version { requested } => features::version(requested),
            Call::Features { index } => Ok(features::features(platform, index)),
            Call::GranuleDelegate { address } => granules::delegate(platform, address),
            Call::GranuleUndelegate { address } => granules::undelegate(platform, address),
            Call::DataCreate { rd, data, ipa, src, flags } => data::create(platform, rd, data, ipa, src, flags),
            Call::DataCreateUnknown { rd, data, ipa } => data::create_unknown(platform, rd, data, ipa),
            Call::DataDestroy { rd, ipa } => data::destroy(platform, rd, ipa),
            Call::RealmActivate { rd } => realms::activate(platform, rd),
            Call::RealmCreate { rd, params } => realm_create::create(self, rd, params),
            Call::RealmDestroy { rd } => realms::destroy(self, rd),
            Call::RecCreate { rd, rec, params } => rec_create::create(platform, rd, rec, params),
            Call::RecDestroy { rec } => recs::destroy(platform, rec),
            Call::RecEnter { rec, run } => run::rec_enter(self, rec, run),
            Call::RttCreate { rd, rtt, ipa, level } => tables::create(platform, rd, rtt, ipa, level),
            Call::RttDestroy { rd, ipa, level } => tables::destroy(platform, rd, ipa, level),
            Call::RttFold { rd, ipa, level } => tables::fold(platform, rd, ipa, level),
            Call::RttReadEntry { rd, ipa, level } => tables::read_entry(platform, rd, ipa, level),
            Call::RttMapUnprotected { rd, ipa, level, desc } => unprotected::map(platform, rd, ipa, level, desc),
            Call::RttUnmapUnprotected { rd, ipa, level } => unprotected::unmap(platform, rd, ipa, level),
            Call::PsciComplete { calling, target, status } => psci::complete(platform, calling, target, status),
            Call::RecAuxCount { rd } => recs::aux_count(platform, rd),
            Call::RttInitRipas { rd, base, top } => ripas::init(platform, rd, base, top),
            Call::RttSetRipas { rd, rec, base, top } => ripas::set(platform, rd, rec, base, top),
        }
    }
}

const fn registers_of(answer: Answer) -> [u64; 5] {
    let (status, [x1, x2, x3, x4]) = match answer {
        Ok(outputs) => (Status::Success, outputs),
        Err(refused) => (refused.status, refused.outputs),
    };
    [status.word(), x1, x2, x3, x4]
}
