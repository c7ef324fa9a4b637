//! RMI_REALM_CREATE (RMM 1.0, B4.3.9).

use super::{Answer, NONE, Refused, features, require};
use crate::Rmm;
use crate::granule::{Claim, State, claim, normal};
use crate::measurement::rim_of_realm;
use crate::platform::{Page, Platform};
use crate::realm::{Phase, Rd};
use crate::rec::context::RealmContext;
use crate::rtt::{ENTRIES, Space};
use abi::measurement::Hash;
use abi::rmi::{REALM_FLAG_LPA2, REALM_FLAG_PMU, REALM_FLAG_SVE, RealmParams, Status};
use zerocopy::{FromZeros, IntoBytes};

/// The most root tables a realm can have.
const MAX_ROOTS: usize = 16;

/// RMI_REALM_CREATE: makes a realm from a page of parameters, an RD and root tables.
#[inline(never)]
pub fn create<P: Platform>(rmm: &Rmm<P>, rd: u64, params: u64) -> Answer {
    let platform = &rmm.platform;
    let source = normal(platform, params)?;
    let mut params = RealmParams::new_zeroed();
    platform.read_ns(source, 0, params.as_mut_bytes())?;
    let (space, hash) = check(platform, &params)?;
    let vmid = rmm.vmids.reserve(params.vmid, platform.features().vmid_bits).ok_or(Status::Input)?;
    require(!space.holds_root(rd))?;
    let mut rd = claim(platform, rd, State::Delegated)?;
    let mut roots = claim_roots(platform, &space)?;
    let rim = rim_of_realm(platform, hash, &params);
    // Commit.
    for (number, root) in (0..).zip(roots.iter_mut().flatten()) {
        platform.page(root.held(), |page| fill_root(page, &space, number));
    }
    let vmid = vmid.keep();
    let context = context(platform, &space, vmid, &params);
    platform.page(rd.held(), |page| {
        let rd = Rd::of(page);
        rd.space = space;
        rd.context = context;
        rd.vmid = u64::from(vmid);
        rd.flags = params.flags;
        rd.num_bps = u64::from(params.num_bps);
        rd.num_wps = u64::from(params.num_wps);
        rd.rpv = params.rpv;
        rd.set_hash(hash);
        rd.set_phase(Phase::New);
        rd.set_rim(rim);
    });
    roots.into_iter().flatten().for_each(|root| root.become_state(State::Rtt));
    rd.become_state(State::Rd);
    Ok(NONE)
}

/// Checks what the parameters ask for against what is offered.
fn check<P: Platform>(platform: &P, params: &RealmParams) -> Result<(Space, Hash), Refused> {
    let offered = features::offered(platform);
    require(params.flags & REALM_FLAG_LPA2 == 0)?;
    let has_sve = params.flags & REALM_FLAG_SVE != 0;
    require(!has_sve || offered.sve_vl.is_some_and(|most| params.sve_vl <= most))?;
    let has_pmu = params.flags & REALM_FLAG_PMU != 0;
    let least = if crate::idreg::has_hpmn0(platform.features()) { 0 } else { 1 };
    require(!has_pmu || offered.pmu_counters.is_some_and(|most| (least..=most).contains(&params.pmu_num_ctrs)))?;
    require((1..=offered.num_bps).contains(&params.num_bps))?;
    require((1..=offered.num_wps).contains(&params.num_wps))?;
    let hash = Hash::from_number(params.hash_algo).ok_or(Status::Input)?;
    let space = Space::new(
        u64::from(params.s2sz),
        u64::from(offered.s2sz),
        params.rtt_level_start,
        u64::from(params.rtt_num_start),
        params.rtt_base,
    )
    .ok_or(Status::Input)?;
    Ok((space, hash))
}

type Roots<'p, W> = [Option<Claim<'p, W>>; MAX_ROOTS];

fn claim_roots<'p, P: Platform>(platform: &'p P, space: &Space) -> Result<Roots<'p, P::Word>, Refused> {
    let mut roots = [const { None }; MAX_ROOTS];
    for (root, pa) in roots.iter_mut().zip(space.roots()) {
        *root = Some(claim(platform, pa.get(), State::Delegated)?);
    }
    Ok(roots)
}

fn fill_root(page: &mut Page, space: &Space, number: u64) {
    let words: &mut [u64; ENTRIES] = zerocopy::transmute_mut!(page);
    for (index, word) in words.iter_mut().enumerate() {
        *word = space.initial(number, index).encode(space.start());
    }
}

fn context<P: Platform>(platform: &P, space: &Space, vmid: u16, params: &RealmParams) -> RealmContext {
    let machine = platform.features();
    let has_sve = params.flags & REALM_FLAG_SVE != 0;
    let has_pmu = params.flags & REALM_FLAG_PMU != 0;
    RealmContext {
        vttbr: space.base() | u64::from(vmid) << 48,
        vtcr: space.vtcr(machine.pa_bits, machine.vmid_bits),
        vector_quadwords: if has_sve { u64::from(params.sve_vl).saturating_add(1) } else { 0 },
        pmu: if has_pmu { u64::from(params.pmu_num_ctrs).saturating_add(1) } else { 0 },
    }
}
