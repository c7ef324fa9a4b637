//! A realm's address space: tables of entries (RMM 1.0, A5).

use std::collections::BTreeMap;

use super::GRANULE;

/// Entries of a table.
pub const ENTRIES: u64 = 512;
/// Attributes that the host chooses in a mapping of its memory: MemAttr and S2AP.
pub const NS_ATTRIBUTES: u64 = 0b111 << 2 | 0b11 << 6;

/// Bytes that an entry of a level covers.
#[must_use]
pub fn size(level: i64) -> u64 {
    GRANULE << (9 * (3 - level))
}

/// What a Realm has been told of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ripas {
    /// Nothing there.
    Empty,
    /// The Realm's memory.
    Ram,
    /// Memory that the host has taken away.
    Destroyed,
}

/// An entry of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Entry {
    /// Protected, without memory.
    Unassigned(Ripas),
    /// Protected, with memory at this address.
    Assigned(Ripas, u64),
    /// Unprotected, not mapped.
    UnassignedNs,
    /// Unprotected, mapped: the host's descriptor.
    AssignedNs(u64),
    /// A further table.
    Table,
}

impl Entry {
    /// Holds something that the host must first take away.
    fn is_live(self) -> bool {
        matches!(self, Entry::Table | Entry::Assigned(..))
    }

    /// The entry of a table that an unfolded one becomes, `offset` bytes into it.
    pub fn part(self, offset: u64) -> Entry {
        match self {
            Entry::Assigned(ripas, pa) => Entry::Assigned(ripas, pa + offset),
            Entry::AssignedNs(desc) => Entry::AssignedNs(desc + offset),
            same => same,
        }
    }

    /// The address that the entry maps, or none.
    fn address(self) -> Option<u64> {
        match self {
            Entry::Assigned(_, pa) => Some(pa),
            Entry::AssignedNs(desc) => Some(desc & !NS_ATTRIBUTES),
            _ => None,
        }
    }
}

/// A table.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Table {
    /// The granule that holds it.
    pub pa: u64,
    /// Its entries.
    pub entries: Vec<Entry>,
}

impl Table {
    /// The leaf above that says the same as this table of `level`, if there is one.
    pub fn folded(&self, level: i64) -> Option<Entry> {
        let first = self.entries[0];
        let alike = (0..).zip(&self.entries).all(|(index, entry)| *entry == first.part(index * size(level)));
        let aligned = first.address().is_none_or(|pa| pa % size(level - 1) == 0 && level >= 2);
        (first != Entry::Table && alike && aligned).then_some(first)
    }

    /// An entry that keeps the table from being destroyed.
    pub fn is_live(&self) -> bool {
        self.entries.iter().any(|entry| entry.is_live())
    }
}

/// Where a walk stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Walk {
    /// Level reached.
    pub level: i64,
    /// First address of the table.
    pub base: u64,
    /// Number of the entry in the table.
    pub index: u64,
}

impl Walk {
    /// First address of the entry.
    pub fn first(&self) -> u64 {
        self.base + self.index * size(self.level)
    }

    /// First address after the entry.
    pub fn end(&self) -> u64 {
        self.first() + size(self.level)
    }

    /// The entry after this one in the same table.
    pub fn next(&self) -> Option<Walk> {
        (self.index + 1 < ENTRIES).then_some(Walk { index: self.index + 1, ..*self })
    }
}

/// All tables of a realm.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Space {
    /// Bits of an address.
    pub width: u32,
    /// Level of the first tables.
    pub start: i64,
    /// Tables by level and first address.
    pub tables: BTreeMap<(i64, u64), Table>,
}

impl Space {
    pub(super) fn new(width: u32, start: i64, roots: &[u64]) -> Space {
        let mut space = Space { width, start, tables: BTreeMap::new() };
        for (number, pa) in (0..).zip(roots) {
            let base = number * ENTRIES * size(start);
            let entry = |index: u64| {
                let ipa = base + index * size(start);
                if space.is_protected(ipa) { Entry::Unassigned(Ripas::Empty) } else { Entry::UnassignedNs }
            };
            let entries = (0..ENTRIES).map(entry).collect();
            space.tables.insert((start, base), Table { pa: *pa, entries });
        }
        space
    }

    /// First address that is not protected.
    #[must_use]
    pub fn half(&self) -> u64 {
        1 << (self.width - 1)
    }

    /// Whether an address is the Realm's own.
    #[must_use]
    pub fn is_protected(&self, ipa: u64) -> bool {
        ipa < self.half()
    }

    /// Whether an address is of this space.
    #[must_use]
    pub fn contains(&self, ipa: u64) -> bool {
        ipa >> self.width == 0
    }

    /// Whether an address is of this space, and first of an entry of a level.
    pub fn aligned(&self, ipa: u64, level: i64) -> bool {
        self.contains(ipa) && ipa.is_multiple_of(size(level))
    }

    /// Walks down to the entry of an address, at most to a level.
    pub fn walk(&self, ipa: u64, target: i64) -> Walk {
        let mut level = self.start;
        loop {
            let base = ipa / (ENTRIES * size(level)) * (ENTRIES * size(level));
            let walk = Walk { level, base, index: (ipa - base) / size(level) };
            if level >= target || self.entry(&walk) != Entry::Table {
                return walk;
            }
            level += 1;
        }
    }

    /// The entry at which a walk stopped.
    #[must_use]
    pub fn entry(&self, at: &Walk) -> Entry {
        self.tables[&(at.level, at.base)].entries[at.index as usize]
    }

    pub(super) fn set(&mut self, at: &Walk, entry: Entry) {
        let table = self.tables.get_mut(&(at.level, at.base)).expect("a walk ends in a table");
        table.entries[at.index as usize] = entry;
    }

    /// The table that an entry names.
    pub fn below(&self, at: &Walk) -> &Table {
        &self.tables[&(at.level + 1, at.first())]
    }

    /// The next address from `ipa` on at which something is live, as far as the table reaches in which a walk stopped.
    pub fn top(&self, at: &Walk, ipa: u64) -> u64 {
        let live = |at: &Walk| self.entry(at).is_live() || matches!(self.entry(at), Entry::AssignedNs(_));
        if live(at) {
            return ipa;
        }
        let later = std::iter::successors(at.next(), Walk::next).find(live);
        later.map_or(at.base + ENTRIES * size(at.level), |later| later.first())
    }

    /// Whether the first tables hold anything live.
    pub fn is_live(&self) -> bool {
        self.tables.iter().any(|((level, _), table)| *level == self.start && table.is_live())
    }
}
