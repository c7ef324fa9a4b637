//! Granules and who has them (RMM 1.0, A2.2, B4.3.6, B4.3.7).

use super::Model;
use super::answer::{Conditions, INPUT, Outcome};

/// What a granule is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// The Normal world's.
    Undelegated,
    /// The Realm world's, and free.
    Delegated,
    /// A realm's descriptor.
    Rd,
    /// A REC.
    Rec,
    /// Auxiliary to a REC.
    RecAux,
    /// A translation table.
    Rtt,
    /// A Realm's memory.
    Data,
}

impl Model {
    /// The state of a granule; an address that is unaligned or not tracked has none.
    #[must_use]
    pub fn state(&self, address: u64) -> Option<State> {
        self.granules.get(&address).copied()
    }

    /// Whether an address names no granule in a state.
    pub(super) fn is_not(&self, address: u64, state: State) -> bool {
        self.state(address) != Some(state)
    }

    pub(super) fn set(&mut self, address: u64, state: State) {
        self.granules.insert(address, state);
    }

    /// Gives a granule back: wiped, and free.
    pub(super) fn free(&mut self, address: u64) {
        self.wipe(address);
        self.set(address, State::Delegated);
    }

    pub(super) fn delegate(&mut self, x: &[u64; 8]) -> Outcome {
        Conditions::default().when(self.is_not(x[1], State::Undelegated), INPUT).refuse()?;
        self.free(x[1]);
        Ok(vec![])
    }

    pub(super) fn undelegate(&mut self, x: &[u64; 8]) -> Outcome {
        Conditions::default().when(self.is_not(x[1], State::Delegated), INPUT).refuse()?;
        self.set(x[1], State::Undelegated);
        Ok(vec![])
    }
}
