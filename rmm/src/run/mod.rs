//! RMI_REC_ENTER: a vCPU's run, from the host's page to the host's page (RMM 1.0, B4.3.13, A4.3).

mod abort;
mod complete;
mod gic;
mod inject;
mod session;
mod stage1;
mod sysreg;
mod timer;

pub use abort::missing_page;
pub use gic::list_registers;
pub use session::{Next, Session};

use crate::Rmm;
use crate::address::Pa;
use crate::granule::{Held, Running, State, claim, normal};
use crate::platform::{Page, Platform};
use crate::realm::Realm;
use crate::rec::{AUX, Rec, simd_of};
use crate::rmi::{Answer, Refused};
use abi::rmi::{RecEnter, RecExit, Status};
use core::mem::offset_of;
use zerocopy::{FromZeros, IntoBytes};

/// Bytes of RmiRecEnter that mean something.
const ENTER: usize = offset_of!(RecEnter, gicv3_lrs) + size_of::<[u64; 16]>();
/// Where RmiRecExit begins in RmiRecRun.
const EXIT: usize = offset_of!(abi::rmi::RecRun, exit);

/// RMI_REC_ENTER: runs a vCPU until something is the host's to do.
#[inline(never)]
pub fn rec_enter<P: Platform>(rmm: &Rmm<P>, rec: u64, run: u64) -> Answer {
    let platform = rmm.platform();
    let run = normal(platform, run)?;
    let mut enter = RecEnter::new_zeroed();
    let (used, _) = enter.as_mut_bytes().split_at_mut(ENTER);
    platform.read_ns(run, 0, used)?;
    let (mut running, [token, simd]) = begin(platform, rec)?;
    let mut exit = RecExit::new_zeroed();
    let mut token = Held::part(running.held(), token);
    let mut simd = Held::part(running.held(), simd);
    let mut entered = |rec: &mut Page, simd: &mut Page| {
        let session = Session { rmm, rec: Rec::of(rec), token: &mut token, exit: &mut exit };
        session.enter(&enter, simd_of(simd))
    };
    platform.page(running.held(), |rec| platform.page(&mut simd, |simd| entered(rec, simd)))?;
    platform.write_ns(run, EXIT, exit.as_bytes())?;
    Ok([0; 4])
}

/// Makes a REC this CPU's to run, and gives its auxiliary granules.
///
/// One that cannot run is never seen to: PSCI_COMPLETE on another CPU would tell the Realm that it is on.
fn begin<P: Platform>(platform: &P, rec: u64) -> Result<(Running<'_, P::Word>, [Pa; AUX]), Refused> {
    let mut claim = claim(platform, rec, State::Rec)?;
    let (may_run, owner, parts) = platform.page(claim.held(), |page| {
        let rec = Rec::of(page);
        (rec.is_runnable() && rec.psci().is_none(), rec.owner(), rec.parts())
    });
    if may_run {
        return Ok((claim.into_running().ok_or(Status::Rec)?, parts));
    }
    // The RD is claimed before a REC, never after.
    drop(claim);
    Realm::claim(platform, owner.get()).map_err(|_| Status::Rec)?.phase().require_active()?;
    Err(Status::Rec.into())
}
