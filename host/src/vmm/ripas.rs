//! Changes of RIPAS that the Realm asks for: memory becomes shared, or private again (RMM 1.0, A5.4).

use abi::rmi::Ripas;
use abi::{GRANULE, GRANULE_U64};
use core::ops::Range;

use super::build::LAST_LEVEL;
use super::memory::Page;
use super::{Error, Normal, Vm};

impl<N: Normal> Vm<'_, N> {
    /// Carries out a request as far as the RMM goes; the Realm sees how far that is and asks again.
    pub(super) fn change_ripas(&self, rec: u64, request: Range<u64>, ripas: Option<Ripas>) -> Result<(), Error> {
        let mut at = request.start;
        while at < request.end {
            match self.rmi().set_ripas(self.rd, rec, at, request.end) {
                Ok(reached) if reached > at => at = reached,
                Ok(_) => break,
                Err(refusal) => match refusal.level() {
                    Some(level) if level < LAST_LEVEL => drop(self.table(at, level + 1)?),
                    Some(_) => break,
                    None => return Err(refusal.into()),
                },
            }
        }
        let ram = self.memory.lock().ram();
        let changed = request.start.max(ram.start)..at.min(ram.end);
        for page in changed.step_by(GRANULE) {
            match ripas {
                Some(Ripas::Empty) => self.make_shared(page)?,
                Some(Ripas::Ram) => self.make_private(page)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Takes back the granule of a page that the Realm gave up.
    fn make_shared(&self, ipa: u64) -> Result<(), Error> {
        if self.settled(ipa) == Some(Page::Assigned) {
            let destroyed = self.rmi().data_destroy(self.rd, ipa)?;
            self.reclaim(destroyed.granule)?;
        }
        self.memory.lock().set(ipa, Page::Shared);
        Ok(())
    }

    /// The state of a page once no other CPU is giving it a granule, as it may be for a neighbour's sake.
    fn settled(&self, ipa: u64) -> Option<Page> {
        loop {
            let state = self.memory.lock().page(ipa);
            if state != Some(Page::Claimed) || self.stopped().is_some() {
                return state;
            }
            core::hint::spin_loop();
        }
    }

    fn make_private(&self, ipa: u64) -> Result<(), Error> {
        if self.memory.lock().page(ipa) == Some(Page::Shared) {
            self.unshare(ipa)?;
            self.memory.lock().set(ipa, Page::Unassigned);
        }
        Ok(())
    }
}

/// Addresses of a request, as far as they can be those of granules.
pub fn request(base: u64, top: u64) -> Range<u64> {
    let mask = !(GRANULE_U64 - 1);
    base & mask..top & mask
}
