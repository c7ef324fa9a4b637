//! What a Realm is told of its addresses (RMM 1.0, A5.3, B4.3.19, B4.3.22).

use super::answer::{Conditions, INPUT, Outcome, REC, realm, rtt};
use super::space::{Entry, Ripas, Walk};
use super::{GRANULE, Life, Model, Request, State, measure};

/// The entry with another RIPAS, if the host may now set it.
fn changed(entry: Entry, request: &Request) -> Option<Entry> {
    let (Entry::Unassigned(ripas) | Entry::Assigned(ripas, _)) = entry else { return None };
    if ripas == Ripas::Destroyed && !request.change_destroyed {
        return None;
    }
    Some(match entry {
        Entry::Assigned(_, pa) => Entry::Assigned(request.ripas, pa),
        _ => Entry::Unassigned(request.ripas),
    })
}

impl Model {
    pub(super) fn rtt_init_ripas(&mut self, x: &[u64; 8]) -> Outcome {
        let &[_, rd, base, top, ..] = x;
        let mut conditions = Conditions::default();
        conditions.when(top <= base, INPUT).when(self.is_not(rd, State::Rd), INPUT).refuse()?;
        let target = self.realm(rd);
        let half = target.space.half();
        conditions.when(top % GRANULE != 0 || base >= half || top > half, INPUT);
        conditions.when(target.life != Life::New, realm(0));
        if conditions.has(INPUT) {
            conditions.refuse()?;
        }
        let walk = target.space.walk(base, 3);
        let unassigned = |at: &Walk, space: &super::Space| matches!(space.entry(at), Entry::Unassigned(_));
        // A base that is not of a granule: the one condition or the other.
        conditions.when(base % GRANULE != 0, INPUT);
        conditions
            .when(base != walk.first() || walk.end() > top || !unassigned(&walk, &target.space), rtt(walk.level))
            .refuse()?;
        let mut next = Some(walk);
        let mut reached = base;
        while let Some(at) = next.filter(|at| at.end() <= top && unassigned(at, &target.space)) {
            target.space.set(&at, Entry::Unassigned(Ripas::Ram));
            target.measurements[0] = measure::ripas(target.hash, &target.measurements[0], at.first(), at.end());
            reached = at.end();
            next = at.next();
        }
        Ok(vec![reached])
    }

    pub(super) fn rtt_set_ripas(&mut self, x: &[u64; 8]) -> Outcome {
        let &[_, rd, rec, base, top, ..] = x;
        let mut conditions = Conditions::default();
        conditions.when(self.is_not(rd, State::Rd), INPUT).when(self.is_not(rec, State::Rec), INPUT).refuse()?;
        let (owner, request) = (self.recs[&rec].owner, self.recs[&rec].request);
        let bad = top <= base || base % GRANULE != 0 || top % GRANULE != 0;
        conditions.when(owner != rd, REC).when(bad, INPUT);
        let asked = request.filter(|request| base == request.addr && top <= request.top);
        let Some(request) = asked else {
            return conditions.when(true, INPUT).refuse().map(|()| vec![]);
        };
        conditions.refuse()?;
        let space = &mut self.realm(rd).space;
        let walk = space.walk(base, 3);
        let mut reached = base;
        let mut next = (base == walk.first()).then_some(walk);
        while let Some(at) = next.filter(|at| at.end() <= top) {
            let Some(entry) = changed(space.entry(&at), &request) else { break };
            space.set(&at, entry);
            reached = at.end();
            next = at.next();
        }
        conditions.when(reached == base, rtt(walk.level)).refuse()?;
        self.rec(rec).request = Some(Request { addr: reached, ..request });
        Ok(vec![reached])
    }
}
