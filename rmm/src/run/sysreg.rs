//! Traps of system registers (RMM 1.0, A4.3.4, A3.1; Arm ARM, ISS of EC 0x18).

use super::session::{Next, Session};
use crate::idreg;
use crate::platform::Platform;
use crate::rec::context::{Debug, RecContext};

const EC: u64 = 0x3F << 26;
const RT_SHIFT: u32 = 5;
const RT: u64 = 0x1F << RT_SHIFT;
const ISS: u64 = 0x1FF_FFFF;
const READ: u64 = 1;

/// What of MDSCR_EL1 is the Realm's: SS, TDCC, KDE, MDE.
const MDSCR: u64 = 1 | 1 << 12 | 1 << 13 | 1 << 15;

/// A register's name: op0, op1, CRn, CRm, op2.
type Name = (u64, u64, u64, u64, u64);

const fn name(esr: u64) -> Name {
    (esr >> 20 & 3, esr >> 14 & 7, esr >> 10 & 0xF, esr >> 1 & 0xF, esr >> 17 & 7)
}

/// What becomes of an access.
enum Outcome {
    /// The register reads as this, and ignores writes.
    Constant(u64),
    /// The host is told of the write.
    Host,
    /// The register does not exist.
    Undefined,
}

/// Handles a trapped access.
pub fn access<P: Platform>(session: &mut Session<'_, P>, esr: u64) -> Next {
    let read = esr & READ != 0;
    let value = session.rec.register((esr & RT) >> RT_SHIFT);
    match outcome(session, name(esr), read, value) {
        Outcome::Constant(value) => {
            if read {
                session.rec.set_register((esr & RT) >> RT_SHIFT, value);
            }
            session.rec.advance();
            Next::Resume
        }
        Outcome::Host => {
            session.exit.gprs[0] = session.rec.register((esr & RT) >> RT_SHIFT);
            session.rec.advance();
            session.leave_sync(esr & (EC | ISS) & !RT)
        }
        Outcome::Undefined => session.undefined(),
    }
}

/// Debug registers: breakpoints and watchpoints, as many as the Realm has, and MDSCR_EL1 are the vCPU's; there is no debugger
/// outside for the others, which read as zero and ignore writes.
fn debug(context: &mut RecContext, name: Name, read: bool, value: u64) -> Outcome {
    match name {
        (2, 0, 0, number, 4..=7) => match breakpoint(&mut context.debug, number, name.4) {
            Some((register, _)) if read => Outcome::Constant(*register),
            Some((register, fields)) => {
                *register = value & fields;
                Outcome::Constant(0)
            }
            None => Outcome::Undefined,
        },
        (2, 0, 0, 2, 2) if read => Outcome::Constant(context.el1.mdscr),
        (2, 0, 0, 2, 2) => {
            context.el1.mdscr = value & MDSCR;
            Outcome::Constant(0)
        }
        // OSLSR_EL1: there is a lock, which is open.
        (2, 0, 1, 1, 4) => Outcome::Constant(1 << 3),
        _ => Outcome::Constant(0),
    }
}

/// Gives a register of a breakpoint or watchpoint that the vCPU has, and its fields (Arm ARM, D24.3).
fn breakpoint(debug: &mut Debug, number: u64, op2: u64) -> Option<(&mut u64, u64)> {
    let has = if op2 < 6 { debug.breakpoints } else { debug.watchpoints };
    let (bank, fields) = match op2 {
        4 => (&mut debug.bvr, u64::MAX),
        5 => (&mut debug.bcr, 0x20FF_E1E7),
        6 => (&mut debug.wvr, !3),
        _ => (&mut debug.wcr, 0x3F1F_FFFF),
    };
    if number >= has {
        return None;
    }
    bank.get_mut(number as usize).map(|register| (register, fields))
}

fn outcome<P: Platform>(session: &mut Session<'_, P>, name: Name, read: bool, value: u64) -> Outcome {
    match name {
        (3, 0, 0, crm, op2) if read => {
            Outcome::Constant(idreg::value(session.platform().features(), session.rec, crm, op2))
        }
        // ICC_PMR_EL1; ICC_DIR_EL1; ICC_SGI1R_EL1; ICC_SGI0R_EL1.
        (3, 0, 4, 6, 0) | (3, 0, 12, 11, 1 | 5 | 7) if !read => Outcome::Host,
        (2, 0 | 3, ..) => debug(&mut session.rec.context, name, read, value),
        // Records of the machine's errors, of which a Realm has none.
        (3, 0, 5, 3..=5, _) => Outcome::Constant(0),
        _ => Outcome::Undefined,
    }
}
