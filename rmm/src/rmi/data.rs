//! RMI_DATA_CREATE, RMI_DATA_CREATE_UNKNOWN and RMI_DATA_DESTROY (RMM 1.0, B4.3.1 to B4.3.3).

use super::{Answer, NONE, Refused, require, require_rtt};
use crate::address::{Level, Pa};
use crate::granule::{Claim, State, claim, normal};
use crate::measurement::{Register, rim_of_data};
use crate::platform::Platform;
use crate::realm::{Phase, Realm};
use crate::rtt::{Entry, Walk};
use abi::measurement::Hash;
use abi::rmi::{DATA_FLAG_MEASURE, Ripas, Status};

/// RMI_DATA_CREATE: gives a new realm a page with content, which its RIM records.
#[inline(never)]
pub fn create<P: Platform>(platform: &P, rd: u64, data: u64, ipa: u64, src: u64, flags: u64) -> Answer {
    require(flags & !DATA_FLAG_MEASURE == 0)?;
    let source = normal(platform, src)?;
    let mut data = claim(platform, data, State::Delegated)?;
    let mut realm = Realm::claim(platform, rd)?;
    if realm.phase() != Phase::New {
        return Err(Status::Realm(0).into());
    }
    let (slot, _) = unassigned(&realm, &data, ipa)?;
    if let Err(fault) = platform.copy_ns(data.held(), source) {
        platform.wipe(data.held());
        return Err(fault.into());
    }
    let (hash, rim) = realm.with(|rd| (rd.hash(), rd.rim()));
    let content = content(platform, &mut data, hash, flags);
    let rim = rim_of_data(platform, hash, rim, ipa, flags, content);
    // Commit.
    realm.with(|rd| rd.set_rim(rim));
    slot.set(platform, Entry::Assigned(data.pa(), Ripas::Ram));
    data.become_state(State::Data);
    Ok(NONE)
}

fn content<P: Platform>(platform: &P, data: &mut Claim<'_, P::Word>, hash: Hash, flags: u64) -> Register {
    if flags & DATA_FLAG_MEASURE == 0 { [0; 64] } else { platform.hash(data.held(), hash) }
}

/// RMI_DATA_CREATE_UNKNOWN: gives a realm a page of zeroes; what the Realm thinks of the address stays.
pub fn create_unknown<P: Platform>(platform: &P, rd: u64, data: u64, ipa: u64) -> Answer {
    let data = claim(platform, data, State::Delegated)?;
    let realm = Realm::claim(platform, rd)?;
    let (slot, ripas) = unassigned(&realm, &data, ipa)?;
    // Commit. A delegated granule is zero.
    slot.set(platform, Entry::Assigned(data.pa(), ripas));
    data.become_state(State::Data);
    Ok(NONE)
}

/// Finds the entry of level 3 for a page of a realm's own memory, where nothing is assigned.
fn unassigned<P: Platform>(
    realm: &Realm<'_, P>,
    data: &Claim<'_, P::Word>,
    ipa: u64,
) -> Result<(Walk, Ripas), Refused> {
    require(realm.space.is_protected(ipa) && Level::LAST.aligned(ipa) && describable(data.pa()))?;
    let walk = realm.walk(ipa, Level::LAST);
    require_rtt(walk.level == Level::LAST, walk.level)?;
    match walk.entry {
        Entry::Unassigned(ripas) => Ok((walk, ripas)),
        _ => Err(Status::Rtt(walk.level.get()).into()),
    }
}

/// Says whether a descriptor without LPA2 can hold the address.
const fn describable(pa: Pa) -> bool {
    pa.get() >> 48 == 0
}

/// RMI_DATA_DESTROY: takes a page from a realm. What was RAM is destroyed in the Realm's eyes.
pub fn destroy<P: Platform>(platform: &P, rd: u64, ipa: u64) -> Answer {
    let realm = Realm::claim(platform, rd)?;
    require(realm.space.is_protected(ipa) && Level::LAST.aligned(ipa))?;
    let walk = realm.walk(ipa, Level::LAST);
    let (pa, ripas) = match walk.entry {
        Entry::Assigned(pa, ripas) if walk.level == Level::LAST => (pa, ripas),
        entry => {
            let top = realm.skip(&walk, entry, ipa);
            return Err(Refused { status: Status::Rtt(walk.level.get()), outputs: [0, top, 0, 0] });
        }
    };
    let Ok(mut data) = claim(platform, pa.get(), State::Data) else { platform.stop("an entry without its data") };
    let left = Entry::Unassigned(if ripas == Ripas::Ram { Ripas::Destroyed } else { ripas });
    // Commit.
    realm.replace(&walk, ipa, left);
    platform.wipe(data.held());
    data.become_state(State::Delegated);
    Ok([pa.get(), realm.skip(&walk, left, ipa), 0, 0])
}
