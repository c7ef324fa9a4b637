//! Data and instruction aborts to R-EL2: whose they are, and what the host may know of them (RMM 1.0, A4.3.4, A5.2).

use super::session::{Next, Session};
use super::{inject, stage1};
use crate::address::Level;
use crate::platform::{Access, Platform};
use crate::realm::Realm;
use crate::rec::LastExit;
use crate::rtt::Entry;
use abi::rmi::Ripas;

const EC: u64 = 0x3F << 26;
const EC_DATA_ABORT: u64 = 0x24 << 26;
const IL: u64 = 1 << 25;
const ISV: u64 = 1 << 24;
const SAS: u64 = 0b11 << 22;
const SSE: u64 = 1 << 21;
const SF: u64 = 1 << 15;
const SET: u64 = 0b11 << 11;
const SET_UER: u64 = 0b00 << 11;
const SET_UEO: u64 = 0b11 << 11;
const FNV: u64 = 1 << 10;
const EA: u64 = 1 << 9;
const S1PTW: u64 = 1 << 7;
const WNR: u64 = 1 << 6;
const FSC: u64 = 0x3F;

/// What the host sees of an abort that it may not emulate, and of one that it may (RMM 1.0, A4.3.4).
const NOT_EMULATABLE: u64 = EC | SET | FNV | EA | FSC;
const EMULATABLE: u64 = NOT_EMULATABLE | ISV | SAS | SF | WNR;
const INSTRUCTION: u64 = EC | SET | EA | FSC;

const HPFAR_FIPA: u64 = 0xFF_FFFF_FFFF << 4;
const FAR_OFFSET: u64 = 0xFFF;
const PSTATE_AARCH32: u64 = 1 << 4;
const PSTATE_EL: u64 = 0b1100;

/// The kinds of fault that are told apart.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// External, on the access or on a walk.
    External,
    /// Granule protection, on a walk of the realm's tables or of the Realm's own.
    ProtectionOnWalk,
    Translation,
    Permission,
    Other,
}

const fn fault(esr: u64) -> Fault {
    match esr & FSC {
        0x04..=0x07 => Fault::Translation,
        0x0C..=0x0F => Fault::Permission,
        0x10 | 0x13..=0x17 => Fault::External,
        0x23..=0x27 => Fault::ProtectionOnWalk,
        _ => Fault::Other,
    }
}

/// An instruction abort.
pub fn instruction<P: Platform>(session: &mut Session<'_, P>, esr: u64, far: u64, hpfar: u64) -> Next {
    let (ipa, entry) = match locate(session, esr, far, hpfar) {
        Ok(found) => found,
        Err(next) => return next,
    };
    if !session.rec.is_protected(ipa) || entry.ripas() == Some(Ripas::Empty) || fault(esr) == Fault::Permission {
        return external(session, esr, far);
    }
    if is_met(entry, esr) {
        return Next::Resume;
    }
    session.exit.hpfar = fipa(ipa);
    session.leave_sync(esr & INSTRUCTION)
}

/// Says whether the host has provided meanwhile what the Realm missed.
fn is_met(entry: Entry, esr: u64) -> bool {
    entry.is_valid() && fault(esr) == Fault::Translation
}

/// A data abort.
pub fn data<P: Platform>(session: &mut Session<'_, P>, esr: u64, far: u64, hpfar: u64) -> Next {
    let (ipa, entry) = match locate(session, esr, far, hpfar) {
        Ok(found) => found,
        Err(next) => return next,
    };
    if session.rec.is_protected(ipa) {
        if entry.ripas() == Some(Ripas::Empty) {
            return external(session, esr, far);
        }
        if is_met(entry, esr) {
            return Next::Resume;
        }
        session.exit.hpfar = fipa(ipa);
        return session.leave_sync(esr & NOT_EMULATABLE);
    }
    unprotected(session, esr, far, ipa, entry)
}

/// A data abort at an address that the host answers for: by a mapping, by emulation, or by an abort of its own.
fn unprotected<P: Platform>(session: &mut Session<'_, P>, esr: u64, far: u64, ipa: u64, entry: Entry) -> Next {
    let mapped = matches!(entry, Entry::AssignedNs(_));
    if is_met(entry, esr) {
        return Next::Resume;
    }
    let emulatable = esr & ISV != 0
        && session.rec.context.pstate & PSTATE_AARCH32 == 0
        && (!mapped || fault(esr) == Fault::Permission);
    session.rec.last = LastExit { esr, far, unprotected: 1, emulatable: u64::from(emulatable) };
    session.exit.hpfar = fipa(ipa);
    if !emulatable {
        let shown = if session.platform().reading().hides_il { NOT_EMULATABLE } else { NOT_EMULATABLE | IL };
        return session.leave_sync(esr & shown);
    }
    session.exit.far = far & FAR_OFFSET;
    if esr & WNR != 0 {
        session.exit.gprs[0] = session.rec.register(transfer(esr)) & size_mask(esr);
    }
    session.leave_sync(esr & EMULATABLE)
}

/// Deals with what needs no address, and finds address and entry for the rest.
fn locate<P: Platform>(session: &mut Session<'_, P>, esr: u64, far: u64, hpfar: u64) -> Result<(u64, Entry), Next> {
    match fault(esr) {
        Fault::External => return Err(external_from_memory(session, esr, far)),
        // The Realm keeps its own tables where the host may take them away: in unprotected memory.
        Fault::ProtectionOnWalk if esr & S1PTW != 0 => return Err(external(session, esr, far)),
        Fault::ProtectionOnWalk => session.platform().stop("granule protection fault on a realm's tables"),
        _ => {}
    }
    let Some(ipa) = address(session, esr, far, hpfar) else { return Err(Next::Resume) };
    let realm = Realm::owner(session.platform(), session.rec.owner());
    if !realm.space.contains(ipa) {
        let level = stage1::level(session.platform(), &realm, &session.rec.context, far);
        let status = stage1::address_size(level);
        inject::address_size(session.rmm.platform().features(), &mut session.rec.context, esr, far, status);
        return Err(Next::Resume);
    }
    let entry = realm.walk(ipa, Level::LAST).entry;
    if fault(esr) == Fault::Permission && esr & S1PTW == 0 && !matches!(entry, Entry::AssignedNs(_)) {
        return Err(Next::Resume);
    }
    Ok((ipa, entry))
}

/// Gives the faulting address. The hardware does not tell it for a permission fault that is not on a stage-1 walk: then
/// stage 1 is asked; if it does not map the address any more the vCPU runs on and faults again, or not.
fn address<P: Platform>(session: &Session<'_, P>, esr: u64, far: u64, hpfar: u64) -> Option<u64> {
    if fault(esr) != Fault::Permission || esr & S1PTW != 0 {
        return Some((hpfar & HPFAR_FIPA) << 8);
    }
    let write = esr & EC == EC_DATA_ABORT && esr & WNR != 0;
    let access = if write { Access::Write } else { Access::Read };
    let el0 = session.rec.context.pstate & PSTATE_EL == 0;
    session.platform().translate(&session.rec.context, far, access, el0)
}

/// An abort from memory itself. Recoverable ones are the Realm's to handle, and the host's to know.
fn external_from_memory<P: Platform>(session: &mut Session<'_, P>, esr: u64, far: u64) -> Next {
    match esr & SET {
        SET_UER => {
            external(session, esr, far);
        }
        SET_UEO => {}
        _ => session.platform().stop("an uncontainable external abort in a Realm"),
    }
    session.leave_sync(esr & NOT_EMULATABLE)
}

/// Raises an external abort in the Realm.
pub fn external<P: Platform>(session: &mut Session<'_, P>, esr: u64, far: u64) -> Next {
    inject::external_abort(session.rmm.platform().features(), &mut session.rec.context, esr, far);
    Next::Resume
}

/// Leaves as if the Realm had touched a page of its own that the host has to provide (RMM 1.0, B5.2). The call is made
/// again.
pub fn missing_page<P: Platform>(session: &mut Session<'_, P>, ipa: u64, level: Level) -> Next {
    session.exit.hpfar = fipa(ipa);
    session.leave_sync(EC_DATA_ABORT | 0x04 | u64::from(level.get()))
}

/// Gives an address as HPFAR_EL2 has it.
const fn fipa(ipa: u64) -> u64 {
    (ipa & !FAR_OFFSET) >> 8
}

/// Gives the number of the general register that an access transfers.
pub const fn transfer(esr: u64) -> u64 {
    esr >> 16 & 0x1F
}

/// Says whether the access stores.
pub const fn is_store(esr: u64) -> bool {
    esr & WNR != 0
}

/// Gives a mask of the bits that an access transfers.
const fn size_mask(esr: u64) -> u64 {
    match (esr & SAS) >> 22 {
        0 => 0xFF,
        1 => 0xFFFF,
        2 => 0xFFFF_FFFF,
        _ => u64::MAX,
    }
}

/// Gives what a load that was emulated puts into its register: cut to its size, extended if it is a signed one, cut to
/// the register's size.
pub const fn loaded(esr: u64, value: u64) -> u64 {
    let mask = size_mask(esr);
    let value = value & mask;
    let negative = esr & SSE != 0 && value & (mask ^ mask >> 1) != 0;
    let value = if negative { value | !mask } else { value };
    if esr & SF == 0 { value & 0xFFFF_FFFF } else { value }
}
