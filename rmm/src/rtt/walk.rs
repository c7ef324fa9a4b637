//! Walks: from an address to the entry that maps it, and along a table.

use super::{ENTRIES, Entry, Space};
use crate::address::{Level, Pa};
use crate::granule::Table;
use crate::platform::Platform;

/// Where a walk ended.
#[derive(Debug)]
pub struct Walk {
    /// The table.
    pub table: Table,
    /// The index in it.
    pub index: usize,
    /// The table's level.
    pub level: Level,
    /// The entry as it was read.
    pub entry: Entry,
}

impl Walk {
    /// Writes the entry.
    pub fn set<P: Platform>(&self, platform: &P, entry: Entry) {
        platform.set_entry(&self.table, self.index, entry.encode(self.level));
    }
}

/// Reads an entry of a table of `level`.
pub fn read<P: Platform>(platform: &P, table: &Table, index: usize, level: Level) -> Entry {
    Entry::decode(platform.entry(table, index), level)
}

/// Walks from the root towards `ipa`, until a leaf or level `to`. The caller holds the RD; `ipa` is in the space.
pub fn walk<P: Platform>(platform: &P, space: &Space, ipa: u64, to: Level) -> Walk {
    let mut level = space.start();
    let mut table = space.root(ipa);
    loop {
        let index = level.index(ipa);
        let entry = read(platform, &table, index, level);
        match (entry, level.child()) {
            (Entry::Table(next), Some(child)) if level < to => {
                table = Table::new(next);
                level = child;
            }
            _ => return Walk { table, index, level, entry },
        }
    }
}

/// Gives the next address at which a host that takes a realm down finds something, as far as the table tells in which
/// the walk to `ipa` ended (RMM 1.0, RttSkipNonLiveEntries). `entry` is what stands there now.
pub fn skip<P: Platform>(platform: &P, walk: &Walk, entry: Entry, ipa: u64) -> u64 {
    if entry.is_live() {
        return ipa;
    }
    let next = (walk.index.saturating_add(1)..ENTRIES)
        .find(|&index| read(platform, &walk.table, index, walk.level).is_live())
        .unwrap_or(ENTRIES);
    let distance = (next.saturating_sub(walk.index) as u64) << walk.level.shift();
    walk.level.floor(ipa).saturating_add(distance)
}

/// Says whether a table of `level` still holds tables or memory of the realm's.
pub fn contains_live<P: Platform>(platform: &P, table: &Table, level: Level) -> bool {
    (0..ENTRIES).any(|index| read(platform, table, index, level).keeps_table())
}

/// Gives the leaf that stands for the whole of the table at `pa`, of `level` below `parent`, if its entries are all
/// alike (RMM 1.0, A5.5.6): memory only up to 1 GiB, consecutive and aligned.
pub fn folded<P: Platform>(platform: &P, pa: Pa, level: Level, parent: Level) -> Option<Entry> {
    let table = Table::new(pa);
    let first = read(platform, &table, 0, level);
    if let Some(output) = first.output()
        && (parent.get() == 0 || !parent.aligned(output.get()))
    {
        return None;
    }
    let alike = |index: usize| {
        let entry = read(platform, &table, index, level);
        entry == first.further((index as u64) << level.shift()) && !matches!(entry, Entry::Table(_))
    };
    (0..ENTRIES).all(alike).then_some(first)
}
