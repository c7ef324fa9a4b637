//! Tables and mappings of the host's memory (RMM 1.0, B4.3.17 to B4.3.24).

use super::answer::{Conditions, INPUT, Outcome, Refusal, rtt};
use super::space::{ENTRIES, Entry, Ripas, Space, Table, Walk, size};
use super::{Model, NS_ATTRIBUTES, State};

/// Names a level between `least` and the last.
fn in_bounds(level: i64, least: i64) -> bool {
    (least..=3).contains(&level)
}

/// A level below the first at which there can be a table that covers an entry at `ipa`.
fn names_table(space: &Space, ipa: u64, level: i64) -> bool {
    in_bounds(level, space.start + 1) && space.aligned(ipa, level - 1)
}

/// State, descriptor and RIPAS as RTT_READ_ENTRY gives them.
fn wire(entry: Entry, table: Option<u64>) -> [u64; 3] {
    match entry {
        Entry::Unassigned(ripas) => [0, 0, ripas as u64],
        Entry::Assigned(ripas, pa) => [1, pa, ripas as u64],
        Entry::UnassignedNs => [0, 0, 0],
        Entry::AssignedNs(desc) => [1, desc, 0],
        Entry::Table => [2, table.unwrap_or(0), 0],
    }
}

/// A descriptor that the host may give at a level: an address of 48 bits, and attributes of which one is reserved.
fn is_descriptor(desc: u64, level: i64) -> bool {
    let address = (1 << 48) - size(level);
    desc & !(address | NS_ATTRIBUTES) == 0 && desc >> 2 & 0b111 != 0b100
}

impl Model {
    pub(super) fn rtt_create(&mut self, x: &[u64; 8]) -> Outcome {
        let &[_, rd, table, ipa, level, ..] = x;
        let level = level.cast_signed();
        let mut conditions = Conditions::default();
        conditions
            .when(self.is_not(table, State::Delegated), INPUT)
            .when(self.is_not(rd, State::Rd), INPUT)
            .refuse()?;
        let space = &mut self.realm(rd).space;
        conditions.when(!names_table(space, ipa, level), INPUT).refuse()?;
        let walk = space.walk(ipa, level - 1);
        let parent = space.entry(&walk);
        conditions.when(walk.level != level - 1 || parent == Entry::Table, rtt(walk.level)).refuse()?;
        let entries = (0..ENTRIES).map(|index| parent.part(index * size(level))).collect();
        space.tables.insert((level, ipa), Table { pa: table, entries });
        space.set(&walk, Entry::Table);
        self.set(table, State::Rtt);
        Ok(vec![])
    }

    /// The table that a command names, or why it names none.
    fn named(&mut self, x: &[u64; 8]) -> Result<Walk, (Refusal, u64)> {
        let &[_, rd, ipa, level, ..] = x;
        let level = level.cast_signed();
        let input = || (Refusal::of(INPUT), 0);
        if self.is_not(rd, State::Rd) {
            return Err(input());
        }
        let space = &self.realm(rd).space;
        if !names_table(space, ipa, level) {
            return Err(input());
        }
        let walk = space.walk(ipa, level - 1);
        if walk.level != level - 1 || space.entry(&walk) != Entry::Table {
            return Err((Refusal::of(rtt(walk.level)), space.top(&walk, ipa)));
        }
        Ok(walk)
    }

    pub(super) fn rtt_destroy(&mut self, x: &[u64; 8]) -> Outcome {
        let &[_, rd, ipa, level, ..] = x;
        let walk = self.named(x).map_err(|(refusal, top)| refusal.with_top(2, top))?;
        let space = &mut self.realm(rd).space;
        if space.below(&walk).is_live() {
            return Err(Refusal::of(rtt(level.cast_signed())).with_top(2, ipa));
        }
        let protected = space.is_protected(ipa);
        let left = if protected { Entry::Unassigned(Ripas::Destroyed) } else { Entry::UnassignedNs };
        let pa = self.take_table(rd, &walk, left);
        Ok(vec![pa, self.realm(rd).space.top(&walk, ipa)])
    }

    pub(super) fn rtt_fold(&mut self, x: &[u64; 8]) -> Outcome {
        let &[_, rd, _, level, ..] = x;
        let level = level.cast_signed();
        let walk = self.named(x).map_err(|(refusal, _)| refusal)?;
        match self.realm(rd).space.below(&walk).folded(level) {
            Some(leaf) => Ok(vec![self.take_table(rd, &walk, leaf)]),
            None => Err(Refusal::of(rtt(level))),
        }
    }

    /// Takes away the table of an entry, which then is a leaf.
    fn take_table(&mut self, rd: u64, walk: &Walk, leaf: Entry) -> u64 {
        let space = &mut self.realm(rd).space;
        let pa = space.below(walk).pa;
        space.tables.remove(&(walk.level + 1, walk.first()));
        space.set(walk, leaf);
        self.free(pa);
        pa
    }

    pub(super) fn rtt_read_entry(&mut self, x: &[u64; 8]) -> Outcome {
        let &[_, rd, ipa, level, ..] = x;
        let level = level.cast_signed();
        let refused = || Refusal::of(INPUT).with_outputs(vec![0; 4]);
        if self.is_not(rd, State::Rd) {
            return Err(refused());
        }
        let space = &self.realm(rd).space;
        if !in_bounds(level, space.start) || !space.aligned(ipa, level) {
            return Err(refused());
        }
        let walk = space.walk(ipa, level);
        let entry = space.entry(&walk);
        let table = (entry == Entry::Table).then(|| space.below(&walk).pa);
        let [state, desc, ripas] = wire(entry, table);
        Ok(vec![walk.level.cast_unsigned(), state, desc, ripas])
    }

    /// The entry of the host's memory that a command names, or why it names none.
    fn unprotected(&mut self, x: &[u64; 8]) -> Result<Walk, Refusal> {
        let &[_, rd, ipa, level, ..] = x;
        let level = level.cast_signed();
        if self.is_not(rd, State::Rd) {
            return Err(Refusal::of(INPUT));
        }
        let space = &self.realm(rd).space;
        if !in_bounds(level, space.start.max(1)) || !space.aligned(ipa, level) || space.is_protected(ipa) {
            return Err(Refusal::of(INPUT));
        }
        Ok(space.walk(ipa, level))
    }

    pub(super) fn rtt_map_unprotected(&mut self, x: &[u64; 8]) -> Outcome {
        let &[_, rd, _, level, desc, ..] = x;
        let level = level.cast_signed();
        let walk = self.unprotected(x)?;
        if !is_descriptor(desc, level) {
            return Err(Refusal::of(INPUT));
        }
        let space = &mut self.realm(rd).space;
        let free = walk.level == level && space.entry(&walk) == Entry::UnassignedNs;
        Conditions::default().when(!free, rtt(walk.level)).refuse()?;
        space.set(&walk, Entry::AssignedNs(desc));
        Ok(vec![])
    }

    pub(super) fn rtt_unmap_unprotected(&mut self, x: &[u64; 8]) -> Outcome {
        let &[_, rd, ipa, level, ..] = x;
        let walk = self.unprotected(x)?;
        let space = &mut self.realm(rd).space;
        let mapped = walk.level == level.cast_signed() && matches!(space.entry(&walk), Entry::AssignedNs(_));
        let before = space.top(&walk, ipa);
        let mut conditions = Conditions::default();
        conditions.when(!mapped, rtt(walk.level)).refuse().map_err(|refusal| refusal.with_top(1, before))?;
        space.set(&walk, Entry::UnassignedNs);
        Ok(vec![space.top(&walk, ipa)])
    }
}
