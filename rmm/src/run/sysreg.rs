//! Traps of system registers (RMM 1.0, A4.3.4, A3.1; Arm ARM, ISS of EC 0x18).

use super::session::{Next, Session};
use crate::idreg;
use crate::platform::Platform;

const EC: u64 = 0x3F << 26;
const RT_SHIFT: u32 = 5;
const RT: u64 = 0x1F << RT_SHIFT;
const ISS: u64 = 0x1FF_FFFF;
const READ: u64 = 1;

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
    match outcome(session, name(esr), read) {
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

fn outcome<P: Platform>(session: &Session<'_, P>, name: Name, read: bool) -> Outcome {
    match name {
        (3, 0, 0, crm, op2) if read => {
            Outcome::Constant(idreg::value(session.platform().features(), session.rec, crm, op2))
        }
        // ICC_PMR_EL1; ICC_DIR_EL1; ICC_SGI1R_EL1; ICC_SGI0R_EL1.
        (3, 0, 4, 6, 0) | (3, 0, 12, 11, 1 | 5 | 7) if !read => Outcome::Host,
        // Debug registers, whose state is not switched; records of the machine's errors, of which a Realm has none.
        (2, 0 | 3, ..) | (3, 0, 5, 3..=5, _) => Outcome::Constant(0),
        _ => Outcome::Undefined,
    }
}
