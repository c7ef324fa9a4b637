//! A walk over everything the RMM holds: granule words, references, tables and protection agree, and nothing is in two
//! hands or in none.
//!
//! For tests, and for a firmware that tests itself: no command needs it. It is made while no command is under way; a REC
//! that runs is one.

use crate::Rmm;
use crate::address::{GRANULE, Level, Pa};
use crate::granule::{self, Described, State, Table, claim};
use crate::platform::Platform;
use crate::realm::Realm;
use crate::rec::Rec;
use crate::rtt::{ENTRIES, Entry, Space, read};

/// What does not agree, and where.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flaw {
    /// A granule word has no state, a lock that nobody holds, or references that its state has not.
    Word(Pa),
    /// Granule protection has the granule in another world than its state says.
    Protection(Pa),
    /// A delegated granule holds something.
    Content(Pa),
    /// Two entries, or two RECs, name the granule.
    Shared(Pa),
    /// A table, data or a part of a REC that nobody names.
    Lost(Pa),
    /// An entry, root or REC names a granule that is something else.
    Named(Pa),
    /// A REC's realm is none, or has never had a REC of that index.
    Owner(Pa),
    /// A realm counts other RECs than there are.
    Count(Pa),
    /// The table has an entry that has no place there: the index.
    Entry(Pa, usize),
    /// There are more or fewer VMIDs in use than realms.
    Vmids,
}

/// How many granules are in each state, in the order of [`State`].
pub type Census = [u64; 7];

/// The walk.
struct Audit<'a, P: Platform, W, M> {
    rmm: &'a Rmm<P>,
    /// Whether a granule is the Realm world's.
    realm_world: W,
    /// Marks a granule, and says whether it was marked before.
    mark: M,
}

impl<P: Platform> Rmm<P> {
    /// Walks over `granules`, all that are tracked. `realm_world` says what granule protection knows; `mark` keeps a set:
    /// it adds a granule, and says whether it was there before.
    pub fn audit(
        &self,
        granules: impl Iterator<Item = Pa> + Clone,
        realm_world: impl Fn(Pa) -> bool,
        mark: impl FnMut(Pa) -> bool,
    ) -> Result<Census, Flaw> {
        let mut audit = Audit { rmm: self, realm_world, mark };
        let mut census = [0; 7];
        for pa in granules.clone() {
            let granule = audit.word(pa)?;
            if let Some(count) = census.get_mut(granule.state as usize) {
                *count = u64::saturating_add(*count, 1);
            }
            match granule.state {
                State::Delegated => audit.is_zero(pa)?,
                State::Rd => audit.realm(pa, granule.references, granules.clone())?,
                State::Rec => audit.rec(pa)?,
                _ => {}
            }
        }
        for pa in granules {
            let owned = matches!(audit.word(pa)?.state, State::Rtt | State::Data | State::RecAux);
            if owned && !(audit.mark)(pa) {
                return Err(Flaw::Lost(pa));
            }
        }
        let [_, _, realms, ..] = census;
        if self.vmids.count() == realms { Ok(census) } else { Err(Flaw::Vmids) }
    }
}

impl<P: Platform, W: Fn(Pa) -> bool, M: FnMut(Pa) -> bool> Audit<'_, P, W, M> {
    fn platform(&self) -> &P {
        self.rmm.platform()
    }

    fn word(&self, pa: Pa) -> Result<Described, Flaw> {
        let granule = granule::describe(self.platform(), pa).ok_or(Flaw::Word(pa))?;
        let counts = matches!(granule.state, State::Rd);
        if granule.locked || !counts && granule.references != 0 {
            return Err(Flaw::Word(pa));
        }
        let delegated = granule.state != State::Undelegated;
        if (self.realm_world)(pa) == delegated { Ok(granule) } else { Err(Flaw::Protection(pa)) }
    }

    /// Takes a granule that something names, once.
    fn take(&mut self, pa: Pa, state: State) -> Result<(), Flaw> {
        if self.word(pa)?.state != state {
            return Err(Flaw::Named(pa));
        }
        if (self.mark)(pa) { Err(Flaw::Shared(pa)) } else { Ok(()) }
    }

    fn is_zero(&self, pa: Pa) -> Result<(), Flaw> {
        let mut granule = claim(self.platform(), pa.get(), State::Delegated).map_err(|_| Flaw::Word(pa))?;
        let zero = self.platform().page(granule.held(), |page| page.0.iter().all(|byte| *byte == 0));
        if zero { Ok(()) } else { Err(Flaw::Content(pa)) }
    }

    fn realm(&mut self, rd: Pa, references: u64, granules: impl Iterator<Item = Pa>) -> Result<(), Flaw> {
        let space = Realm::claim(self.platform(), rd.get()).map_err(|_| Flaw::Word(rd))?.space;
        for (number, root) in (0_u64..).zip(space.roots()) {
            self.take(root, State::Rtt)?;
            let base = number.wrapping_mul(ENTRIES as u64) << space.start().shift();
            self.table(&space, root, space.start(), base)?;
        }
        let own = |pa: &Pa| granule::identify(self.platform(), pa.get()).is_ok_and(|rec| rec.owner == rd);
        if granules.filter(own).count() as u64 == references { Ok(()) } else { Err(Flaw::Count(rd)) }
    }

    /// A table of a level, whose first entry maps `base`.
    fn table(&mut self, space: &Space, pa: Pa, level: Level, base: u64) -> Result<(), Flaw> {
        for index in 0..ENTRIES {
            let ipa = base.wrapping_add((index as u64) << level.shift());
            let entry = read(self.platform(), &Table::new(pa), index, level);
            let protected = space.is_protected(ipa);
            match (entry, level.child()) {
                (Entry::Table(next), Some(child)) => {
                    self.take(next, State::Rtt)?;
                    self.table(space, next, child, ipa)?;
                }
                (Entry::Assigned(data, _), _) if protected => self.data(data, level)?,
                (Entry::Unassigned(_), _) if protected => {}
                (Entry::UnassignedNs | Entry::AssignedNs(_), _) if !protected => {}
                _ => return Err(Flaw::Entry(pa, index)),
            }
        }
        Ok(())
    }

    fn data(&mut self, first: Pa, level: Level) -> Result<(), Flaw> {
        for number in 0..level.size() >> Level::LAST.shift() {
            self.take(first.plus(number).ok_or(Flaw::Named(first))?, State::Data)?;
        }
        Ok(())
    }

    fn rec(&mut self, pa: Pa) -> Result<(), Flaw> {
        let named = granule::identify(self.platform(), pa.get()).map_err(|_| Flaw::Word(pa))?;
        let mut claimed = claim(self.platform(), pa.get(), State::Rec).map_err(|_| Flaw::Word(pa))?;
        let (owner, index, parts) = self.platform().page(claimed.held(), |page| {
            let rec = Rec::of(page);
            (rec.owner(), rec.index, rec.parts())
        });
        drop(claimed);
        for part in parts {
            self.take(part, State::RecAux)?;
        }
        let realm = Realm::claim(self.platform(), owner.get()).map(|mut realm| realm.with(|rd| rd.rec_count));
        let known = realm.is_ok_and(|count| index < count) && named.owner == owner && named.index == index;
        if known { Ok(()) } else { Err(Flaw::Owner(pa)) }
    }
}

const _: () = assert!(GRANULE == 1 << Level::LAST.shift());
