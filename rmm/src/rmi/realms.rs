//! RMI_REALM_ACTIVATE and RMI_REALM_DESTROY (RMM 1.0, B4.3.8, B4.3.10).

use super::{Answer, NONE};
use crate::Rmm;
use crate::granule::{State, Table, claim};
use crate::platform::{Platform, Scope};
use crate::realm::{Phase, Realm};
use crate::rtt::contains_live;
use abi::rmi::Status;

/// RMI_REALM_ACTIVATE: ends building; the RIM is what it is from here on.
pub fn activate<P: Platform>(platform: &P, rd: u64) -> Answer {
    let mut realm = Realm::claim(platform, rd)?;
    if realm.phase() != Phase::New {
        return Err(Status::Realm(0).into());
    }
    // Commit.
    realm.with(|rd| rd.set_phase(Phase::Active));
    Ok(NONE)
}

/// RMI_REALM_DESTROY: ends a realm that has no RECs, tables or memory left but its root tables.
pub fn destroy<P: Platform>(rmm: &Rmm<P>, rd: u64) -> Answer {
    let platform = &rmm.platform;
    let mut realm = Realm::claim(platform, rd)?;
    let (space, context) = (realm.space, realm.context);
    let live = |pa| contains_live(platform, &Table::new(pa), space.start());
    if realm.claim_mut().references() != 0 || space.roots().any(live) {
        return Err(Status::Realm(0).into());
    }
    let vmid = realm.with(|rd| rd.vmid);
    let mut rd = realm.into_claim();
    // Commit. No TLB may know the VMID when another realm gets it.
    platform.invalidate(&context, Scope::All);
    for root in space.roots() {
        let Ok(mut root) = claim(platform, root.get(), State::Rtt) else { platform.stop("a realm without its root") };
        platform.wipe(root.held());
        root.become_state(State::Delegated);
    }
    platform.wipe(rd.held());
    rd.become_state(State::Delegated);
    rmm.vmids.free(vmid as u16);
    Ok(NONE)
}
