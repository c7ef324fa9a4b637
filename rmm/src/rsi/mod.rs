//! SMCs of a Realm: RSI, PSCI and SMCCC (RMM 1.0, B5, B6).

mod attestation;
mod configuration;
pub mod host_call;
mod ipa_state;
mod measurement;

use crate::address::Level;
use crate::granule::RealmPage;
use crate::platform::{Features, Interface, Platform};
use crate::psci;
use crate::realm::{NoPage, Realm};
use crate::run::{Next, Session, missing_page};
use abi::rmi::{ExitReason, fid_of};
use abi::rsi::{Call, Status, VERSION_1_0};
use abi::smccc;

/// What becomes of a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reply {
    /// It is done; x0 to x3 as given.
    Values([u64; 4]),
    /// It is done; its registers are written.
    Written,
    /// The host has to act first; the answer, if there is one, comes with the next entry.
    Leave(ExitReason),
    /// A page of the Realm's own is missing: the host has to provide it, then the call is made again.
    Missing(u64, Level),
    /// There is no such call.
    Unknown,
}

/// Makes the reply of a call without outputs.
pub const fn status(status: Status) -> Reply {
    Reply::Values([status as u64, 0, 0, 0])
}

/// Handles an SMC.
pub fn call<P: Platform>(session: &mut Session<'_, P>) -> Next {
    let [x0, x1, x2, x3, x4, ..] = session.rec.context.x;
    let reply = dispatch(session);
    let next = conclude(session, reply);
    let [r0, r1, r2, r3, r4, ..] = session.rec.context.x;
    session.platform().trace(Interface::Rsi, &[x0, x1, x2, x3, x4], &[r0, r1, r2, r3, r4]);
    next
}

fn dispatch<P: Platform>(session: &mut Session<'_, P>) -> Reply {
    let [x0, arguments @ ..] = session.rec.context.x;
    let function = fid_of(x0);
    if abi::psci::is_psci(function) {
        return psci::call(session, function);
    }
    if function == smccc::VERSION {
        return Reply::Values([convention(session.platform().features()), 0, 0, 0]);
    }
    let [x1, x2, x3, x4, x5, x6, x7, x8, x9, x10, ..] = arguments;
    match Call::parse(x0, [x1, x2, x3, x4, x5, x6, x7, x8, x9, x10]) {
        Some(call) => service(session, call),
        None => Reply::Unknown,
    }
}

/// The version of the calling convention: that with the hint about SVE where the CPU has SVE, that which keeps SME where
/// it has SME (RMM 1.0, B1.1).
fn convention(machine: &Features) -> u64 {
    const SVE: (usize, u32) = (4 * 8, 32);
    const SME: (usize, u32) = (4 * 8 + 1, 24);
    let has = |(register, low): (usize, u32)| machine.ids.get(register).is_some_and(|id| id >> low & 0xF != 0);
    match (has(SME), has(SVE)) {
        (true, _) => smccc::VERSION_1_4,
        (false, true) => smccc::VERSION_1_3,
        (false, false) => smccc::VERSION_1_2,
    }
}

fn service<P: Platform>(session: &mut Session<'_, P>, call: Call) -> Reply {
    match call {
        Call::Version { requested } => version(requested),
        Call::Features { .. } => status(Status::Success),
        Call::MeasurementRead { index } => measurement::read(session, index),
        Call::MeasurementExtend { index, size, value } => measurement::extend(session, index, size, value),
        Call::AttestationTokenInit { challenge } => attestation::init(session, challenge),
        Call::AttestationTokenContinue { ipa, offset, size } => attestation::proceed(session, ipa, offset, size),
        Call::RealmConfig { ipa } => configuration::realm_config(session, ipa),
        Call::IpaStateSet { base, top, ripas, flags } => ipa_state::set(session, base, top, ripas, flags),
        Call::IpaStateGet { start, end } => ipa_state::get(session, start, end),
        Call::HostCall { ipa } => host_call::begin(session, ipa),
    }
}

/// RSI_VERSION: 1.0 and nothing else; both revisions are told in any case (RMM 1.0, B5.3.9).
fn version(requested: u64) -> Reply {
    let status = if requested == VERSION_1_0 { Status::Success } else { Status::Input };
    Reply::Values([status as u64, VERSION_1_0, VERSION_1_0, 0])
}

fn conclude<P: Platform>(session: &mut Session<'_, P>, reply: Reply) -> Next {
    match reply {
        Reply::Values(values) => session.rec.answer(values),
        Reply::Written => {}
        Reply::Unknown => session.rec.set_register(0, smccc::NOT_SUPPORTED),
        Reply::Leave(reason) => {
            session.rec.advance();
            return session.leave(reason);
        }
        Reply::Missing(ipa, level) => return missing_page(session, ipa, level),
    }
    session.rec.advance();
    Next::Resume
}

/// Does something with a page of the Realm's own, which stays the Realm's until it is done.
pub fn with_page<P: Platform>(
    session: &Session<'_, P>,
    ipa: u64,
    f: impl FnOnce(&P, &mut Realm<'_, P>, &RealmPage),
) -> Result<(), Reply> {
    let platform = session.platform();
    let mut realm = Realm::owner(platform, session.rec.owner());
    match realm.page(ipa) {
        Ok(page) => {
            f(platform, &mut realm, &page);
            Ok(())
        }
        Err(NoPage::Refused) => Err(status(Status::Input)),
        Err(NoPage::Missing(level)) => Err(Reply::Missing(ipa, level)),
    }
}
