//! RMI_REC_AUX_COUNT and RMI_REC_DESTROY (RMM 1.0, B4.3.11, B4.3.13).

use super::{Answer, NONE};
use crate::granule::{State, claim, release};
use crate::platform::Platform;
use crate::realm::Realm;
use crate::rec::{AUX, Rec};

/// RMI_REC_AUX_COUNT: tells how many auxiliary granules a REC takes.
pub fn aux_count<P: Platform>(platform: &P, rd: u64) -> Answer {
    Realm::claim(platform, rd)?;
    Ok([AUX as u64, 0, 0, 0])
}

/// RMI_REC_DESTROY: ends a REC that does not run. Its index stays used.
#[inline(never)]
pub fn destroy<P: Platform>(platform: &P, rec: u64) -> Answer {
    let mut rec = claim(platform, rec, State::Rec)?;
    let (owner, aux) = platform.page(rec.held(), |page| {
        let rec = Rec::of(page);
        (rec.owner(), [rec.token_aux(), rec.simd_aux()])
    });
    // Commit.
    for pa in aux {
        let Ok(mut part) = claim(platform, pa.get(), State::RecAux) else { platform.stop("a REC without its parts") };
        platform.wipe(part.held());
        part.become_state(State::Delegated);
    }
    platform.wipe(rec.held());
    rec.become_state(State::Delegated);
    release(platform, owner);
    Ok(NONE)
}
