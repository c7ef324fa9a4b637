//! Commands that only together lead somewhere.

use machine::model::{Entry, GRANULE, Life, Model, State, fid, size};

use super::{Generator, REALMS, call};
use crate::command::Command;
use crate::world::BASE;

impl Generator {
    /// Folds what can be folded, from below.
    pub(super) fn fold_up(&mut self, model: &Model) -> Command {
        for (rd, realm) in &model.realms {
            for ((level, base), table) in realm.space.tables.iter().rev() {
                if *level > realm.space.start && table.folded(*level).is_some() {
                    return call(fid::RTT_FOLD, &[*rd, *base, level.cast_unsigned()]);
                }
            }
        }
        self.rtt_fold(model)
    }

    /// Maps all that a table covers, so that it can be folded.
    pub(super) fn map_run(&mut self, model: &Model) -> Command {
        let Some((rd, realm)) = self.realm(model) else { return self.realm_create(model) };
        let half = realm.space.half();
        let tables = realm.space.tables.iter().filter(|((level, base), _)| *level >= 1 && *base >= half);
        let tables: Vec<_> =
            tables.filter(|(_, table)| !table.entries.contains(&Entry::Table)).map(|(key, _)| *key).collect();
        if tables.is_empty() {
            return self.map_unprotected(model);
        }
        let highest = self.random.chance(40);
        let (level, base) = if highest { tables[0] } else { self.random.pick(&tables) };
        // Now and then beside where the folded entry could map it.
        let beside = if self.random.chance(15) { size(level) } else { 0 };
        let first = self.descriptor(model, level - 1).wrapping_add(beside);
        for index in 0..512 {
            let (ipa, desc) = (base + index * size(level), first.wrapping_add(index * size(level)));
            self.planned.push_back(call(fid::RTT_MAP_UNPROTECTED, &[rd, ipa, level.cast_unsigned(), desc]));
        }
        if self.random.chance(20) {
            let (ipa, odd) = (base + self.random.below(512) * size(level), self.descriptor(model, level));
            self.planned.push_back(call(fid::RTT_UNMAP_UNPROTECTED, &[rd, ipa, level.cast_unsigned()]));
            self.planned.push_back(call(fid::RTT_MAP_UNPROTECTED, &[rd, ipa, level.cast_unsigned(), odd]));
        }
        self.planned.push_back(call(fid::RTT_FOLD, &[rd, base, level.cast_unsigned()]));
        call(fid::RTT_READ_ENTRY, &[rd, base, level.cast_unsigned()])
    }

    /// Gives a whole table's worth of memory, where there is as much.
    pub(super) fn fill(&mut self, model: &Model) -> Command {
        let Some((rd, realm)) = self.realm(model) else { return self.realm_create(model) };
        let block = (BASE..BASE + size(2)).step_by(GRANULE as usize);
        let free = |pa: u64| matches!(model.state(pa), Some(State::Delegated | State::Undelegated));
        let tables = realm.space.tables.iter().filter(|((level, base), table)| {
            let empty = table.entries.iter().all(|entry| matches!(entry, Entry::Unassigned(_)));
            *level == 3 && realm.space.is_protected(*base) && empty
        });
        let tables: Vec<u64> = tables.map(|((_, base), _)| *base).collect();
        if !self.whole_block || tables.is_empty() || !block.clone().all(free) {
            return self.data_create_unknown(model);
        }
        let beside = model.state(BASE + size(2)) == Some(State::Delegated) && self.random.chance(30);
        let (base, pa) = (self.random.pick(&tables), if beside { BASE + GRANULE } else { BASE });
        let normal = block.filter(|pa| model.is_normal(*pa));
        self.planned.extend(normal.map(|pa| call(fid::GRANULE_DELEGATE, &[pa])));
        for number in 0..512 {
            let offset = number * GRANULE;
            self.planned.push_back(call(fid::DATA_CREATE_UNKNOWN, &[rd, pa + offset, base + offset]));
        }
        let last = if self.random.chance(70) { fid::RTT_FOLD } else { fid::RTT_DESTROY };
        self.planned.push_back(call(last, &[rd, base, 3]));
        call(fid::RTT_INIT_RIPAS, &[rd, base, base + size(2)])
    }

    pub(super) fn drain(&mut self, model: &Model) -> Command {
        match self.realm(model) {
            Some((rd, _)) if self.random.chance(20) => self.take_down(model, rd),
            _ => self.data_destroy(model),
        }
    }

    /// Takes a realm down.
    pub(super) fn take_down(&mut self, model: &Model, rd: u64) -> Command {
        let realm = &model.realms[&rd];
        for ((level, base), table) in realm.space.tables.iter().rev() {
            for (index, entry) in (0..).zip(&table.entries) {
                let ipa = base + index * size(*level);
                if matches!(entry, Entry::Assigned(..)) {
                    self.planned.push_back(call(fid::DATA_DESTROY, &[rd, ipa]));
                }
            }
            if *level > realm.space.start {
                self.planned.push_back(call(fid::RTT_DESTROY, &[rd, *base, level.cast_unsigned()]));
            }
        }
        let recs = model.recs.iter().filter(|(_, rec)| rec.owner == rd);
        recs.for_each(|(pa, _)| self.planned.push_back(call(fid::REC_DESTROY, &[*pa])));
        self.planned.push_back(call(fid::REALM_DESTROY, &[rd]));
        call(fid::REALM_DESTROY, &[rd])
    }

    /// A realm that runs: two tables down to pages, some of them memory of its own and of the host's, two RECs.
    pub(super) fn build(&mut self, model: &Model) -> Command {
        let new = model.realms.iter().find(|(_, realm)| realm.life == Life::New);
        let Some((rd, realm)) = new else { return self.towards(model) };
        let free =
            |pa: &u64| model.state(*pa) == Some(State::Delegated) && (!self.whole_block || *pa >= BASE + size(2));
        let mut free: Vec<u64> = model.granules.keys().copied().filter(free).collect();
        let mut plan = Vec::new();
        let half = realm.space.half();
        for ipa in [0, half] {
            for level in realm.space.walk(ipa, 3).level + 1..=3 {
                plan.push(call(fid::RTT_CREATE, &[*rd, free.pop().unwrap_or(BASE), ipa, level.cast_unsigned()]));
            }
        }
        let top = self.random.pick(&[3, 4, 5, 8, 512]) * GRANULE;
        plan.push(call(fid::RTT_INIT_RIPAS, &[*rd, 0, top]));
        for number in 0..3 {
            let source = self.some(model, State::Undelegated);
            let arguments = [*rd, free.pop().unwrap_or(BASE), number * GRANULE, source, self.random.below(2)];
            plan.push(call(fid::DATA_CREATE, &arguments));
            let desc = self.some(model, State::Undelegated) | 6 << 2 | 3 << 6;
            plan.push(call(fid::RTT_MAP_UNPROTECTED, &[*rd, half + number * GRANULE, 3, desc]));
        }
        for number in 0..2 {
            let rec = self.rec_create_for(model, *rd, realm.next_index + number, &mut free);
            plan.push(rec);
        }
        plan.push(call(fid::REALM_ACTIVATE, &[*rd]));
        self.planned.extend(plan);
        self.planned.pop_front().unwrap_or_else(|| call(fid::REALM_ACTIVATE, &[*rd]))
    }

    /// A step towards a REC that can be entered.
    pub(super) fn towards(&mut self, model: &Model) -> Command {
        let of = |rd: u64| model.recs.values().filter(move |rec| rec.owner == rd);
        let new: Vec<u64> =
            model.realms.iter().filter(|(_, realm)| realm.life == Life::New).map(|(rd, _)| *rd).collect();
        let runs = |rd: u64| of(rd).any(|rec| rec.runnable) && model.realms[&rd].life == Life::Active;
        let dead = model.realms.keys().copied().find(|rd| !new.contains(rd) && !runs(*rd));
        match (new.first(), dead) {
            (None, _) if model.realms.len() < REALMS => self.realm_create(model),
            (None, Some(rd)) => self.take_down(model, rd),
            (None, None) => self.rtt_create(model),
            (Some(_), _) if self.random.chance(60) => self.build(model),
            (Some(rd), _) if of(*rd).count() > 1 && self.random.chance(30) => call(fid::REALM_ACTIVATE, &[*rd]),
            (Some(_), _) => self.rec_create(model),
        }
    }

    /// Takes a realm from whatever it lacks towards running.
    pub(super) fn begin(&mut self, model: &Model) -> Command {
        let Some((rd, realm)) = self.realm(model) else { return self.realm_create(model) };
        let recs = model.recs.values().filter(|rec| rec.owner == rd).count();
        match realm.life {
            Life::New if recs < 2 => self.rec_create(model),
            Life::New if self.random.chance(30) => call(fid::REALM_ACTIVATE, &[rd]),
            Life::New => self.data_create(model),
            Life::Active => self.enter(model),
            Life::SystemOff => self.drain(model),
        }
    }

    /// Makes the tables down to a page.
    pub(super) fn reach(&mut self, model: &Model) -> Command {
        let Some((rd, realm)) = self.realm(model) else { return self.realm_create(model) };
        let half = realm.space.half();
        let ipa = self.random.pick(&[0, 0, 0x20_0000, half, half + 0x20_0000, half - 0x20_0000]);
        let level = realm.space.walk(ipa, 3).level + 1;
        if level > 3 {
            return self.enter(model);
        }
        call(
            fid::RTT_CREATE,
            &[rd, self.some(model, State::Delegated), ipa / size(level - 1) * size(level - 1), level.cast_unsigned()],
        )
    }
}
