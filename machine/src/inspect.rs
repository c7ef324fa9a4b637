//! What only a machine in software can show: all of its state at once.

use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use abi::map;
use monitor::gpt::Gpi;
use rmm::address::Pa;
use rmm::audit::{Census, Flaw};
use rmm::granule::{Refusal, State, claim};
use rmm::platform::{Platform, Word};

use crate::board::{Board, lock};
use crate::machine::Machine;

const STATES: [State; 7] =
    [State::Undelegated, State::Delegated, State::Rd, State::Rec, State::RecAux, State::Rtt, State::Data];

impl Machine<'_> {
    /// What the RMM takes the granule at `pa` for; `None` where it tracks none. To be asked while no command runs.
    #[must_use]
    pub fn state(&self, pa: u64) -> Option<State> {
        STATES.into_iter().find(|state| matches!(claim(self.rmm.platform(), pa, *state), Ok(_) | Err(Refusal::InUse)))
    }

    /// Walks over everything the RMM holds; to be asked while no command runs, and no REC.
    ///
    /// # Errors
    /// What does not agree.
    pub fn audit(&self) -> Result<Census, Flaw> {
        let granules = self.board().dram().step_by(abi::GRANULE).filter_map(Pa::new);
        let realm_world = |pa: Pa| self.board().tables().gpi(pa.get()) == Some(Gpi::Realm);
        let mut marked = HashSet::new();
        self.rmm.audit(granules, realm_world, |pa| !marked.insert(pa.get()))
    }

    /// A digest of every granule's word, protection and content: equal before and after a command that changes nothing.
    #[must_use]
    pub fn digest(&self) -> u64 {
        self.digest_without(&[])
    }

    /// A digest as [`Machine::digest`], to which the content of some granules does not matter.
    #[must_use]
    pub fn digest_without(&self, granules: &[u64]) -> u64 {
        let mut hasher = DefaultHasher::new();
        for pa in self.board().dram().step_by(abi::GRANULE) {
            let word = Pa::new(pa).and_then(|pa| self.rmm.platform().granule(pa)).map(Word::load);
            (pa, word, self.board().tables().gpi(pa).map(|gpi| gpi as u8)).hash(&mut hasher);
        }
        self.board().content(granules, &mut hasher);
        hasher.finish()
    }
}

impl Machine<'_> {
    /// Whether a CPU's vCPU waits for an interrupt.
    #[must_use]
    pub fn is_waiting(&self, cpu: usize) -> bool {
        self.rmm.platform().interrupts.is_waiting(cpu)
    }
}

impl Board {
    /// Feeds every granule that is not zero, with its number, but those named.
    fn content(&self, but: &[u64], hasher: &mut impl Hasher) {
        for (number, page) in self.pages.iter().enumerate() {
            if but.contains(&(map::DRAM + number as u64 * abi::GRANULE_U64)) {
                continue;
            }
            if let Some(page) = lock(page).as_ref().filter(|page| page.0.iter().any(|byte| *byte != 0)) {
                (number, &page.0[..]).hash(hasher);
            }
        }
    }
}
