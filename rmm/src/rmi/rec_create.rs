//! RMI_REC_CREATE (RMM 1.0, B4.3.12).

use super::{Answer, NONE, Refused, require};
use crate::address::Pa;
use crate::granule::{Claim, MAX_REFERENCES, State, claim, normal};
use crate::measurement::rim_of_rec;
use crate::platform::Platform;
use crate::realm::{Phase, Realm};
use crate::rec::{AUX, Rec, index_of_params, reset, vmpidr};
use abi::rmi::{REC_FLAG_RUNNABLE, RecParams, Status};
use zerocopy::{FromZeros, IntoBytes};

/// The most auxiliary granules that parameters can name.
const MAX_AUX: usize = 16;

/// RMI_REC_CREATE: gives a new realm its next vCPU.
#[inline(never)]
pub fn create<P: Platform>(platform: &P, rd: u64, rec: u64, params: u64) -> Answer {
    let source = normal(platform, params)?;
    let mut params = RecParams::new_zeroed();
    platform.read_ns(source, 0, params.as_mut_bytes())?;
    let aux = claim_aux(platform, &params)?;
    let mut rec = claim(platform, rec, State::Delegated)?;
    let mut realm = Realm::claim(platform, rd)?;
    let index = next_index(&mut realm, &params)?;
    let parts = parts(&params)?;
    // Commit. References are bounded by the check of the index.
    if !realm.claim_mut().retain() {
        platform.stop("more RECs than a realm can count");
    }
    let runnable = params.flags & REC_FLAG_RUNNABLE != 0;
    realm.with(|rd| {
        rd.rec_count = index.saturating_add(1);
        if runnable {
            rd.set_rim(rim_of_rec(platform, rd.hash(), rd.rim(), &params));
        }
    });
    let owner = realm.rd();
    let (num_bps, num_wps) = realm.with(|rd| (rd.num_bps, rd.num_wps));
    platform.page(rec.held(), |page| {
        let rec = Rec::of(page);
        rec.set_parts(owner, parts);
        rec.realm = realm.context;
        rec.width = realm.space.width();
        rec.index = index;
        (rec.num_bps, rec.num_wps) = (num_bps, num_wps);
        rec.set_runnable(runnable);
        reset(&mut rec.context, params.pc, params.gprs);
        rec.context.debug.breakpoints = num_bps.saturating_add(1);
        rec.context.debug.watchpoints = num_wps.saturating_add(1);
        rec.context.vmpidr = vmpidr(params.mpidr);
    });
    aux.into_iter().flatten().for_each(|aux| aux.become_state(State::RecAux));
    rec.become_rec(owner, index);
    Ok(NONE)
}

type Aux<'p, W> = [Option<Claim<'p, W>>; MAX_AUX];

/// Claims every auxiliary granule that is named; one named twice, or as the REC too, fails.
fn claim_aux<'p, P: Platform>(platform: &'p P, params: &RecParams) -> Result<Aux<'p, P::Word>, Refused> {
    let named = usize::try_from(params.num_aux).ok().and_then(|count| params.aux.get(..count)).ok_or(Status::Input)?;
    let mut aux = [const { None }; MAX_AUX];
    for (slot, &address) in aux.iter_mut().zip(named) {
        *slot = Some(claim(platform, address, State::Delegated)?);
    }
    Ok(aux)
}

/// Checks that the realm takes another REC, and that this is the one that is next.
fn next_index<P: Platform>(realm: &mut Realm<'_, P>, params: &RecParams) -> Result<u64, Refused> {
    let next = realm.with(|rd| rd.rec_count);
    if realm.claim_mut().references() >= MAX_REFERENCES || realm.phase() != Phase::New {
        return Err(Status::Realm(0).into());
    }
    // An index that was used once is not used again, and the granule word carries no greater one.
    require(index_of_params(params.mpidr) == Some(next) && next <= MAX_REFERENCES)?;
    Ok(next)
}

fn parts(params: &RecParams) -> Result<[Pa; AUX], Refused> {
    require(params.num_aux == AUX as u64)?;
    let [token, simd, ..] = params.aux;
    Ok([Pa::containing(token), Pa::containing(simd)])
}
