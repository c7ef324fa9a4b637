//! RMI_RTT_CREATE, RMI_RTT_DESTROY, RMI_RTT_FOLD and RMI_RTT_READ_ENTRY (RMM 1.0, B4.3.14 to B4.3.18).

use super::{Answer, NONE, Refused, require, require_rtt};
use crate::address::{Level, Pa};
use crate::granule::{Claim, State, Table, claim};
use crate::platform::{Page, Platform};
use crate::realm::Realm;
use crate::rtt::{ENTRIES, Entry, Walk, contains_live, folded};
use abi::rmi::{Ripas, Status};

/// The place of a table: the entry that a table of `level` for `ipa` hangs from.
struct Place {
    level: Level,
    parent: Level,
}

impl Place {
    /// Checks level and address of a table below the root tables.
    fn new<P: Platform>(realm: &Realm<'_, P>, ipa: u64, level: i64) -> Result<Self, Refused> {
        let level = Level::new(level).filter(|&level| level > realm.space.start()).ok_or(Status::Input)?;
        let parent = level.parent().ok_or(Status::Input)?;
        require(parent.aligned(ipa) && realm.space.contains(ipa))?;
        Ok(Self { level, parent })
    }
}

/// RMI_RTT_CREATE: puts a table where a leaf is; the table's entries say together what the leaf said.
#[inline(never)]
pub fn create<P: Platform>(platform: &P, rd: u64, rtt: u64, ipa: u64, level: i64) -> Answer {
    let mut rtt = claim(platform, rtt, State::Delegated)?;
    let realm = Realm::claim(platform, rd)?;
    let place = Place::new(&realm, ipa, level)?;
    require(rtt.pa().get() >> 48 == 0)?;
    let walk = realm.walk(ipa, place.parent);
    require_rtt(walk.level == place.parent && !matches!(walk.entry, Entry::Table(_)), walk.level)?;
    // Commit.
    let leaf = walk.entry;
    platform.page(rtt.held(), |page| unfold(page, leaf, place.level));
    realm.replace(&walk, ipa, Entry::Table(rtt.pa()));
    rtt.become_state(State::Rtt);
    Ok(NONE)
}

fn unfold(page: &mut Page, leaf: Entry, level: Level) {
    let words: &mut [u64; ENTRIES] = zerocopy::transmute_mut!(page);
    // Entries of one table differ in their address alone, which they hold at its own place.
    let first = leaf.encode(level);
    if leaf.output().is_some() {
        for (word, offset) in words.iter_mut().zip((0..).step_by(level.size() as usize)) {
            *word = first.wrapping_add(offset);
        }
    } else {
        let (runs, _) = words.as_chunks_mut::<16>();
        runs.iter_mut().for_each(|run| *run = [first; 16]);
    }
}

/// RMI_RTT_DESTROY: removes a table in which nothing of the realm's is left.
#[inline(never)]
pub fn destroy<P: Platform>(platform: &P, rd: u64, ipa: u64, level: i64) -> Answer {
    let realm = Realm::claim(platform, rd)?;
    let place = Place::new(&realm, ipa, level)?;
    let walk = realm.walk(ipa, place.parent);
    let Some(pa) = table_at(&walk, &place) else {
        let top = realm.skip(&walk, walk.entry, ipa);
        return Err(Refused { status: Status::Rtt(walk.level.get()), outputs: [0, top, 0, 0] });
    };
    if contains_live(platform, &Table::new(pa), place.level) {
        return Err(Refused { status: Status::Rtt(place.level.get()), outputs: [0, ipa, 0, 0] });
    }
    let table = claim_table(platform, pa);
    // Commit.
    let left = if realm.space.is_protected(ipa) { Entry::Unassigned(Ripas::Destroyed) } else { Entry::UnassignedNs };
    realm.replace(&walk, ipa, left);
    discard(platform, table);
    Ok([pa.get(), realm.skip(&walk, left, ipa), 0, 0])
}

/// RMI_RTT_FOLD: puts a leaf where a table of like entries is.
#[inline(never)]
pub fn fold<P: Platform>(platform: &P, rd: u64, ipa: u64, level: i64) -> Answer {
    let realm = Realm::claim(platform, rd)?;
    let place = Place::new(&realm, ipa, level)?;
    let walk = realm.walk(ipa, place.parent);
    let pa = table_at(&walk, &place).ok_or(Status::Rtt(walk.level.get()))?;
    let leaf = folded(platform, pa, place.level, place.parent).ok_or(Status::Rtt(place.level.get()))?;
    let table = claim_table(platform, pa);
    // Commit.
    realm.replace(&walk, ipa, leaf);
    discard(platform, table);
    Ok([pa.get(), 0, 0, 0])
}

fn table_at(walk: &Walk, place: &Place) -> Option<Pa> {
    match walk.entry {
        Entry::Table(pa) if walk.level == place.parent => Some(pa),
        _ => None,
    }
}

fn claim_table<P: Platform>(platform: &P, pa: Pa) -> Claim<'_, P::Word> {
    match claim(platform, pa.get(), State::Rtt) {
        Ok(table) => table,
        Err(_) => platform.stop("an entry without its table"),
    }
}

fn discard<P: Platform>(platform: &P, mut table: Claim<'_, P::Word>) {
    platform.wipe(table.held());
    table.become_state(State::Delegated);
}

/// RMI_RTT_READ_ENTRY: tells what the walk to a level finds.
#[inline(never)]
pub fn read_entry<P: Platform>(platform: &P, rd: u64, ipa: u64, level: i64) -> Answer {
    let realm = Realm::claim(platform, rd)?;
    let level = Level::new(level).filter(|&level| level >= realm.space.start()).ok_or(Status::Input)?;
    require(level.aligned(ipa) && realm.space.contains(ipa))?;
    let walk = realm.walk(ipa, level);
    let (state, desc, ripas) = walk.entry.shown();
    Ok([u64::from(walk.level.get()), state as u64, desc, ripas])
}
