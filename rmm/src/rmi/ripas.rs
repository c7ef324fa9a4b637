//! RMI_RTT_INIT_RIPAS and RMI_RTT_SET_RIPAS (RMM 1.0, B4.3.16, B4.3.21).

use super::{Answer, require, require_rtt};
use crate::address::Level;
use crate::granule::{State, claim, identify};
use crate::measurement::rim_of_ripas;
use crate::platform::{Platform, Scope};
use crate::realm::{Phase, Realm};
use crate::rec::{Rec, RipasRequest};
use crate::rtt::{ENTRIES, Entry, Walk, read};
use abi::rmi::{Ripas, Status};

/// RMI_RTT_INIT_RIPAS: makes addresses RAM in a new realm's eyes, entry by entry of one table, each recorded in the
/// RIM.
#[inline(never)]
pub fn init<P: Platform>(platform: &P, rd: u64, base: u64, top: u64) -> Answer {
    require(top > base)?;
    let mut realm = Realm::claim(platform, rd)?;
    require(Level::LAST.aligned(top) && top <= realm.space.half())?;
    if realm.phase() != Phase::New {
        return Err(Status::Realm(0).into());
    }
    let walk = realm.walk(base, Level::LAST);
    let run = Run::new(platform, &walk, base, top, |entry| matches!(entry, Entry::Unassigned(_)));
    require_rtt(walk.level.aligned(base) && run.entries > 0, walk.level)?;
    let (hash, mut rim) = realm.with(|rd| (rd.hash(), rd.rim()));
    for (start, end) in run.ranges() {
        rim = rim_of_ripas(platform, hash, rim, start, end);
    }
    // Commit.
    realm.with(|rd| rd.set_rim(rim));
    run.write(platform, Ripas::Ram);
    Ok([run.end(), 0, 0, 0])
}

/// RMI_RTT_SET_RIPAS: does what a Realm asked for, as far as one table reaches.
#[inline(never)]
pub fn set<P: Platform>(platform: &P, rd: u64, rec: u64, base: u64, top: u64) -> Answer {
    require(top > base && Level::LAST.aligned(base) && Level::LAST.aligned(top))?;
    let realm = Realm::claim(platform, rd)?;
    let mut claimed = claim(platform, rec, State::Rec)?;
    if identify(platform, rec)?.owner != realm.rd() {
        return Err(Status::Rec.into());
    }
    let request = platform.page(claimed.held(), |page| Rec::of(page).ripas);
    require(request.pending != 0 && base == request.address && top <= request.top)?;
    let target = if request.value == 0 { Ripas::Empty } else { Ripas::Ram };
    let walk = realm.walk(base, Level::LAST);
    let run = Run::new(platform, &walk, base, top, |entry| permits(&request, entry));
    require_rtt(walk.level.aligned(base) && run.entries > 0, walk.level)?;
    // Commit.
    if run.write(platform, target) {
        platform.invalidate(&realm.context, Scope::Range { base, size: run.end().wrapping_sub(base) });
    }
    let reached = run.end();
    platform.page(claimed.held(), |page| Rec::of(page).ripas.address = reached);
    Ok([reached, 0, 0, 0])
}

/// Says whether a Realm's request covers an entry; one that is as asked for already is no obstacle.
fn permits(request: &RipasRequest, entry: Entry) -> bool {
    match entry.ripas() {
        Some(Ripas::Empty | Ripas::Ram) => true,
        Some(Ripas::Destroyed) => request.change_destroyed != 0,
        None => false,
    }
}

/// Consecutive entries of one table that a command changes.
struct Run<'w> {
    walk: &'w Walk,
    base: u64,
    entries: usize,
}

impl<'w> Run<'w> {
    /// Finds how many entries from where the walk ended satisfy `fits` and end no later than `top`.
    fn new<P: Platform>(platform: &P, walk: &'w Walk, base: u64, top: u64, fits: impl Fn(Entry) -> bool) -> Self {
        let room = (top.saturating_sub(base) >> walk.level.shift()) as usize;
        let entries = (walk.index..ENTRIES)
            .take(room)
            .take_while(|&index| fits(read(platform, &walk.table, index, walk.level)))
            .count();
        Self { walk, base, entries }
    }

    fn step(&self, n: usize) -> u64 {
        self.base.saturating_add((n as u64) << self.walk.level.shift())
    }

    fn end(&self) -> u64 {
        self.step(self.entries)
    }

    fn ranges(&self) -> impl Iterator<Item = (u64, u64)> {
        (0..self.entries).map(|n| (self.step(n), self.step(n.saturating_add(1))))
    }

    /// Writes a RIPAS into each, and says whether one of them was valid and is no more.
    fn write<P: Platform>(&self, platform: &P, ripas: Ripas) -> bool {
        let mut stale = false;
        for index in (self.walk.index..ENTRIES).take(self.entries) {
            let old = read(platform, &self.walk.table, index, self.walk.level);
            let new = old.with_ripas(ripas);
            if new != old {
                platform.set_entry(&self.walk.table, index, new.encode(self.walk.level));
                stale |= old.is_valid();
            }
        }
        stale
    }
}
