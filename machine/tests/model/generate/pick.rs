//! What commands name: granules, realms, addresses, mostly such as fit.

use machine::model::{Entry, GRANULE, Life, Model, Realm, State, size};

use super::Generator;
use crate::world::BASE;

impl Generator {
    pub(super) fn count(&self, model: &Model, wanted: State) -> usize {
        let kept = if self.whole_block { size(2) / GRANULE } else { 0 };
        model.granules.values().skip(kept as usize).filter(|state| **state == wanted).count()
    }

    /// A granule in a state, or the first of all.
    pub(super) fn some(&mut self, model: &Model, wanted: State) -> u64 {
        let all = model.granules.iter().filter(|(_, state)| **state == wanted).map(|(pa, _)| *pa);
        let all: Vec<u64> = all.filter(|pa| !self.whole_block || *pa >= BASE + size(2)).collect();
        if all.is_empty() { BASE } else { self.random.pick(&all) }
    }

    /// An address that is meant to be a granule in a state.
    pub(super) fn address(&mut self, model: &Model, wanted: State) -> u64 {
        match self.random.below(40) {
            0 => BASE + self.random.below(model.granules.len() as u64) * GRANULE,
            1 => self.hostile_address(model),
            _ => self.some(model, wanted),
        }
    }

    pub(super) fn hostile_address(&mut self, model: &Model) -> u64 {
        let end = BASE + model.granules.len() as u64 * GRANULE;
        let fixed = [
            0,
            end,
            BASE - GRANULE,
            0x4000_0000,
            0x4010_0000,
            0x0900_0000,
            0x0E00_0000,
            1 << 47,
            1 << 48,
            1 << 52,
            !0,
            !0xFFF,
        ];
        match self.random.below(3) {
            0 => self.some(model, State::Delegated) + self.random.pick(&[1, 8, 0x800, 0xFFF]),
            1 => self.some(model, State::Delegated) | self.random.pick(&[1 << 48, 1 << 63, 1 << 52]),
            _ => self.random.pick(&fixed),
        }
    }

    /// A realm's RD, or what is none.
    pub(super) fn rd(&mut self, model: &Model) -> u64 {
        self.address(model, State::Rd)
    }

    /// A realm that there is.
    pub(super) fn realm<'m>(&mut self, model: &'m Model) -> Option<(u64, &'m Realm)> {
        let all: Vec<_> = model.realms.iter().collect();
        (!all.is_empty()).then(|| self.random.pick(&all)).map(|(rd, realm)| (*rd, realm))
    }

    /// A realm that is being built; now and then another.
    pub(super) fn new_realm<'m>(&mut self, model: &'m Model) -> Option<(u64, &'m Realm)> {
        let all: Vec<_> = model.realms.iter().filter(|(_, realm)| realm.life == Life::New).collect();
        if all.is_empty() && self.random.chance(80) {
            return None;
        }
        if all.is_empty() || self.random.chance(3) {
            return self.realm(model);
        }
        let (rd, realm) = self.random.pick(&all);
        Some((*rd, realm))
    }

    /// The RD of `rd`, or now and then something else.
    pub(super) fn or_else(&mut self, model: &Model, rd: u64) -> u64 {
        if self.random.chance(3) { self.rd(model) } else { rd }
    }

    /// An address of a realm's, most often where it has tables.
    pub fn ipa(&mut self, realm: &Realm) -> u64 {
        let half = realm.space.half();
        let fixed =
            [0, 0x1000, 0x20_0000, 0x4000_0000, half - 0x1000, half - 0x20_0000, half, half + 0x1000, half + 0x20_0000];
        let far = [half * 2, half * 2 - 0x1000, 1 << 48, !0xFFF, 0x800, half | 8, 1 << 63];
        let tables: Vec<_> = realm.space.tables.keys().copied().collect();
        match self.random.below(40) {
            0 => self.random.pick(&far),
            1..8 => self.random.pick(&fixed),
            _ => {
                let (level, base) = self.random.pick(&tables);
                let index = self.random.pick(&[0, 0, 1, 1, 2, 3, 4, 511]);
                base + index * size(level)
            }
        }
    }

    /// An address that is mapped.
    pub fn mapped(&mut self, realm: &Realm) -> u64 {
        let leaves = realm.space.tables.iter().flat_map(|((level, base), table)| {
            let mapped = |entry: &Entry| matches!(entry, Entry::Assigned(..) | Entry::AssignedNs(_));
            let mapped = (0..).zip(&table.entries).filter(move |(_, entry)| mapped(entry));
            mapped.map(move |(index, _): (u64, _)| base + index * size(*level))
        });
        let mut leaves: Vec<u64> = leaves.collect();
        // A run of mappings would outweigh all else.
        leaves.dedup_by_key(|ipa| if *ipa % size(2) < 4 * GRANULE { *ipa } else { *ipa | (size(2) - 1) });
        if leaves.is_empty() { self.ipa(realm) } else { self.random.pick(&leaves) }
    }

    /// A page of the realm's own memory.
    pub(super) fn own(&mut self, realm: &Realm) -> u64 {
        let tables: Vec<_> = realm.space.tables.keys().copied().collect();
        let pages: Vec<_> =
            tables.into_iter().filter(|(level, base)| *level == 3 && realm.space.is_protected(*base)).collect();
        if pages.is_empty() || self.random.chance(10) {
            return self.ipa(realm);
        }
        self.random.pick(&pages).1 + self.random.pick(&[0, 0, 1, 1, 2, 3, 511]) * GRANULE
    }

    /// A level, now and then another.
    pub(super) fn level(&mut self, level: i64) -> u64 {
        if self.random.chance(4) { self.random.pick(&[0, 1, 2, 3, 4, !0, 1 << 63, 255]) } else { level.cast_unsigned() }
    }

    /// Where so many free granules stand side by side, as aligned as they must be.
    pub(super) fn roots(&mut self, model: &Model, count: u64) -> Option<u64> {
        let free = |pa: u64| model.state(pa) == Some(State::Delegated);
        let anywhere = self.random.chance(8);
        let fits = |pa: &u64| {
            (anywhere || pa.is_multiple_of(count * GRANULE)) && (0..count).all(|number| free(pa + number * GRANULE))
        };
        let all: Vec<u64> = model.granules.keys().copied().filter(fits).collect();
        if self.random.chance(4) {
            return Some(self.address(model, State::Delegated));
        }
        (!all.is_empty()).then(|| self.random.pick(&all))
    }

    pub(super) fn unaligned(&mut self, ipa: u64) -> u64 {
        if self.random.chance(3) {
            ipa | self.random.pick(&[1, 0x800, 0x1000, 0x20_0000, 1 << 48, 1 << 63])
        } else {
            ipa
        }
    }

    /// A table that is no first one: its level and first address.
    pub(super) fn table(&mut self, realm: &Realm) -> (i64, u64) {
        let below: Vec<_> =
            realm.space.tables.keys().copied().filter(|(level, _)| *level > realm.space.start).collect();
        if below.is_empty() || self.random.chance(5) { (3, self.ipa(realm)) } else { self.random.pick(&below) }
    }

    /// An address of the host's in a realm, and the level at which it can be mapped.
    pub(super) fn unprotected(&mut self, realm: &Realm) -> (u64, i64) {
        let ipa = self.ipa(realm) | if self.random.chance(97) { realm.space.half() } else { 0 };
        let level = if realm.space.contains(ipa) { realm.space.walk(ipa, 3).level } else { 3 };
        (self.unaligned(ipa / size(level) * size(level)), level)
    }

    pub(super) fn descriptor(&mut self, model: &Model, level: i64) -> u64 {
        let pa = if self.random.chance(80) {
            self.some(model, State::Undelegated)
        } else {
            self.random.pick(&[
                0,
                0x0900_0000,
                0x4010_0000,
                1 << 40,
                (1 << 48) - 0x4000_0000,
                1 << 48,
                1 << 55,
                1 << 10,
                1,
            ])
        };
        let access = self.random.pick(&[0, 1, 2, 3, 3, 3]);
        let cached = self.random.pick(&[6, 6, 7, 5, 3, 2, 1, 0]);
        let desc = (pa / size(level) * size(level)) | (access << 6) | (cached << 2);
        let odd = 1 << self.random.below(64);
        let reserved = 0b100 << 2;
        match self.random.below(40) {
            0 => desc | odd,
            1 => desc & !(7 << 2) | reserved,
            _ => desc,
        }
    }

    /// A place where no program has yet been.
    pub fn pc(&mut self) -> u64 {
        self.next_pc += 0x4000;
        self.next_pc
    }
}
