//! RMI_RTT_MAP_UNPROTECTED and RMI_RTT_UNMAP_UNPROTECTED (RMM 1.0, B4.3.17, B4.3.19).

use super::{Answer, NONE, Refused, require, require_rtt};
use crate::address::Level;
use crate::platform::Platform;
use crate::realm::Realm;
use crate::rtt::{Entry, NormalMapping};
use abi::rmi::Status;

/// Checks that the realm's tables of a level can map memory: blocks of 1 GiB are the largest.
fn level_of<P: Platform>(realm: &Realm<'_, P>, level: i64) -> Result<Level, Refused> {
    let fits = |level: &Level| level.get() >= 1 && *level >= realm.space.start();
    Ok(Level::new(level).filter(fits).ok_or(Status::Input)?)
}

fn require_unprotected<P: Platform>(realm: &Realm<'_, P>, ipa: u64, level: Level) -> Result<(), Refused> {
    require(level.aligned(ipa) && realm.space.contains(ipa) && !realm.space.is_protected(ipa))
}

/// RMI_RTT_MAP_UNPROTECTED: shows Normal-world memory to a realm. Whose it really is, granule protection decides at
/// each access.
#[inline(never)]
pub fn map<P: Platform>(platform: &P, rd: u64, ipa: u64, level: i64, desc: u64) -> Answer {
    let realm = Realm::claim(platform, rd)?;
    let level = level_of(&realm, level)?;
    let mapping = NormalMapping::parse(desc, level).ok_or(Status::Input)?;
    require_unprotected(&realm, ipa, level)?;
    let walk = realm.walk(ipa, level);
    require_rtt(walk.level == level && walk.entry == Entry::UnassignedNs, walk.level)?;
    // Commit.
    walk.set(platform, Entry::AssignedNs(mapping));
    Ok(NONE)
}

/// RMI_RTT_UNMAP_UNPROTECTED: takes it away again.
#[inline(never)]
pub fn unmap<P: Platform>(platform: &P, rd: u64, ipa: u64, level: i64) -> Answer {
    let realm = Realm::claim(platform, rd)?;
    let level = level_of(&realm, level)?;
    require_unprotected(&realm, ipa, level)?;
    let walk = realm.walk(ipa, level);
    if walk.level != level || !matches!(walk.entry, Entry::AssignedNs(_)) {
        let top = realm.skip(&walk, walk.entry, ipa);
        return Err(Refused { status: Status::Rtt(walk.level.get()), outputs: [top, 0, 0, 0] });
    }
    // Commit.
    realm.replace(&walk, ipa, Entry::UnassignedNs);
    Ok([realm.skip(&walk, Entry::UnassignedNs, ipa), 0, 0, 0])
}
