//! A Realm's memory (RMM 1.0, B4.3.1 to B4.3.3).

use super::answer::{Conditions, INPUT, Outcome, realm, rtt};
use super::space::{Entry, Ripas, Walk};
use super::{Life, Model, State, measure};

impl Model {
    /// Where a page of memory can go, or why not.
    fn place(&mut self, rd: u64, ipa: u64, conditions: &mut Conditions) -> Option<(Walk, Ripas)> {
        let space = &self.realm(rd).space;
        if !space.is_protected(ipa) || !space.aligned(ipa, 3) {
            conditions.when(true, INPUT);
            return None;
        }
        let walk = space.walk(ipa, 3);
        match space.entry(&walk) {
            Entry::Unassigned(ripas) if walk.level == 3 => Some((walk, ripas)),
            _ => {
                conditions.when(true, rtt(walk.level));
                None
            }
        }
    }

    pub(super) fn data_create(&mut self, x: &[u64; 8]) -> Outcome {
        let &[_, rd, data, ipa, source, flags, ..] = x;
        let mut conditions = Conditions::default();
        conditions
            .when(flags > 1, INPUT)
            .when(!self.is_normal(source), INPUT)
            .when(self.is_not(data, State::Delegated), INPUT)
            .when(self.is_not(rd, State::Rd), INPUT)
            .refuse()?;
        conditions.when(self.realm(rd).life != Life::New, realm(0));
        let place = self.place(rd, ipa, &mut conditions);
        conditions.refuse()?;
        if let Some((walk, _)) = place {
            self.give(rd, &walk, data, Ripas::Ram);
            let image = self.image(source);
            self.learn(data, &image);
            let target = self.realm(rd);
            target.measurements[0] = measure::data(target.hash, &target.measurements[0], ipa, flags, &image[..]);
        }
        Ok(vec![])
    }

    pub(super) fn data_create_unknown(&mut self, x: &[u64; 8]) -> Outcome {
        let &[_, rd, data, ipa, ..] = x;
        let mut conditions = Conditions::default();
        conditions.when(self.is_not(data, State::Delegated), INPUT).when(self.is_not(rd, State::Rd), INPUT).refuse()?;
        let place = self.place(rd, ipa, &mut conditions);
        conditions.refuse()?;
        if let Some((walk, ripas)) = place {
            self.give(rd, &walk, data, ripas);
        }
        Ok(vec![])
    }

    fn give(&mut self, rd: u64, walk: &Walk, data: u64, ripas: Ripas) {
        self.set(data, State::Data);
        self.realm(rd).space.set(walk, Entry::Assigned(ripas, data));
    }

    pub(super) fn data_destroy(&mut self, x: &[u64; 8]) -> Outcome {
        let &[_, rd, ipa, ..] = x;
        let mut conditions = Conditions::default();
        conditions.when(self.is_not(rd, State::Rd), INPUT).refuse()?;
        let space = &mut self.realm(rd).space;
        conditions.when(!space.is_protected(ipa) || !space.aligned(ipa, 3), INPUT).refuse()?;
        let walk = space.walk(ipa, 3);
        let before = space.top(&walk, ipa);
        let Entry::Assigned(ripas, pa) = space.entry(&walk) else {
            conditions.when(true, rtt(walk.level));
            return conditions.refuse().map(|()| vec![]).map_err(|refusal| refusal.with_top(2, before));
        };
        conditions.when(walk.level != 3, rtt(walk.level)).refuse().map_err(|refusal| refusal.with_top(2, before))?;
        let after = if ripas == Ripas::Ram { Ripas::Destroyed } else { ripas };
        space.set(&walk, Entry::Unassigned(after));
        let top = space.top(&walk, ipa);
        self.free(pa);
        Ok(vec![pa, top])
    }
}
