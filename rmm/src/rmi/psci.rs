//! RMI_PSCI_COMPLETE (RMM 1.0, B4.3.4).

use super::{Answer, NONE, Refused, require};
use crate::granule::{Claim, Refusal, State, claim, identify};
use crate::platform::Platform;
use crate::rec::context::RecContext;
use crate::rec::{PsciRequest, Rec, reset_by_psci};
use abi::psci;
use abi::rmi::Status;

/// RMI_PSCI_COMPLETE: answers the PSCI call for which a REC waits, and turns on the other.
#[inline(never)]
pub fn complete<P: Platform>(platform: &P, calling: u64, target: u64, status: u64) -> Answer {
    require(calling != target)?;
    let (mut calling, target) = claim_both(platform, calling, target)?;
    let (request, sctlr) = platform.page(calling.held(), |page| {
        let rec = Rec::of(page);
        (rec.psci(), rec.context.el1.sctlr)
    });
    let status = psci::Status::from_word(status).ok_or(Status::Input)?;
    let answer = match request.ok_or(Status::Input)? {
        PsciRequest::CpuOn { entry, context_id, .. } => {
            cpu_on(platform, target, status, |context| reset_by_psci(context, entry, context_id, sctlr))?
        }
        PsciRequest::AffinityInfo { .. } => affinity_info(platform, target, status)?,
    };
    platform.page(calling.held(), |page| {
        let rec = Rec::of(page);
        rec.set_psci(None);
        rec.answer([answer, 0, 0, 0]);
    });
    Ok(NONE)
}

/// The REC that a PSCI call is about: idle, or running.
enum Target<'p, P: Platform> {
    Idle(Claim<'p, P::Word>),
    Running,
}

impl<P: Platform> Target<'_, P> {
    fn is_on(&mut self, platform: &P) -> bool {
        match self {
            Self::Idle(claim) => platform.page(claim.held(), |page| Rec::of(page).is_runnable()),
            Self::Running => true,
        }
    }
}

/// Claims the caller, and the REC that its request names; several RECs in ascending address.
fn claim_both<P: Platform>(
    platform: &P,
    calling: u64,
    target: u64,
) -> Result<(Claim<'_, P::Word>, Target<'_, P>), Refused> {
    let idle = |rec| claim(platform, rec, State::Rec).map_err(|_| Status::Input);
    let (mut caller, other) = if calling < target {
        let caller = idle(calling)?;
        (caller, self::target(platform, target)?)
    } else {
        let other = self::target(platform, target)?;
        (idle(calling)?, other)
    };
    let request = platform.page(caller.held(), |page| Rec::of(page).psci());
    let (PsciRequest::CpuOn { target: index, .. } | PsciRequest::AffinityInfo { target: index }) =
        request.ok_or(Status::Input)?;
    let named = identify(platform, target)?;
    require(named.owner == identify(platform, calling)?.owner && named.index == index)?;
    Ok((caller, other))
}

fn target<P: Platform>(platform: &P, rec: u64) -> Result<Target<'_, P>, Refused> {
    match claim(platform, rec, State::Rec) {
        Ok(claim) => Ok(Target::Idle(claim)),
        Err(Refusal::InUse) => Ok(Target::Running),
        Err(refusal) => Err(refusal.into()),
    }
}

/// Gives the caller's x0, and turns the target on unless it is on or the host denies it. A host's denial for a target
/// that is on is refused; the request stays.
fn cpu_on<P: Platform>(
    platform: &P,
    mut target: Target<'_, P>,
    status: psci::Status,
    reset: impl FnOnce(&mut RecContext),
) -> Result<u64, Refused> {
    let on = target.is_on(platform);
    match (status, target) {
        (psci::Status::Success, Target::Idle(mut claim)) if !on => {
            // Commit.
            platform.page(claim.held(), |page| {
                let rec = Rec::of(page);
                reset(&mut rec.context);
                rec.set_runnable(true);
            });
            Ok(psci::Status::Success.word())
        }
        (psci::Status::Success, _) => Ok(psci::Status::AlreadyOn.word()),
        (psci::Status::Denied, _) if !on => Ok(psci::Status::Denied.word()),
        _ => Err(Status::Input.into()),
    }
}

/// Gives the caller's x0: 0 if the target is on, 1 if it is off.
fn affinity_info<P: Platform>(platform: &P, mut target: Target<'_, P>, status: psci::Status) -> Result<u64, Refused> {
    require(status == psci::Status::Success)?;
    Ok(u64::from(!target.is_on(platform)))
}
