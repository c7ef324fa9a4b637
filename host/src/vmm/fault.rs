//! Faults on the Realm's RAM: private pages get a granule, shared ones a page of the Normal world.

use abi::GRANULE_U64;

use super::build::LAST_LEVEL;
use super::memory::Page;
use super::{Error, Normal, Vm};

/// Bytes around a faulting private address that get their granules in one go: an exit costs as much as two commands.
const FAULT_AROUND: u64 = 16 * GRANULE_U64;
/// How often one vCPU may fault on one page that has its granule, before it is given up: another vCPU may have won a
/// race a few times, but not for ever.
const PATIENCE: u32 = 1000;
/// Attributes of a shared page: normal write-back memory, read and write (RMM 1.0, B4.4.19).
const SHARED_ATTRIBUTES: u64 = 0b110 << 2 | 0b11 << 6;

/// The page that a vCPU faulted on last, and how often without help.
#[derive(Clone, Copy, Debug, Default)]
pub struct Repeated {
    page: u64,
    times: u32,
}

impl<N: Normal> Vm<'_, N> {
    /// Gives granules to a private page and its unassigned neighbours; how many.
    ///
    /// # Errors
    /// A refused command, no memory, or an address that no granule would help (RIPAS DESTROYED, outside RAM).
    pub(super) fn private_fault(&self, ipa: u64, repeated: &mut Repeated) -> Result<u64, Error> {
        let claimed = self.memory.lock().claim(ipa, FAULT_AROUND);
        let page = ipa & !(GRANULE_U64 - 1);
        if claimed.first() == Some(&page) {
            *repeated = Repeated::default();
        } else {
            self.count_fault(page, repeated)?;
        }
        for at in &claimed {
            self.assign_unknown(*at)?;
        }
        Ok(claimed.len() as u64)
    }

    /// Gives one claimed private page a granule with unknown content; which. If the RMM has one there, that stands.
    pub(super) fn assign_unknown(&self, ipa: u64) -> Result<Option<u64>, Error> {
        let granule = self.grant()?;
        self.assign_granule(ipa, granule)
    }

    /// Makes a delegated granule the content of a claimed private page.
    pub(super) fn assign_granule(&self, ipa: u64, granule: u64) -> Result<Option<u64>, Error> {
        let outcome = self.with_tables(ipa, || self.rmi().data_create_unknown(self.rd, granule, ipa))?;
        match outcome {
            Err(refusal) if refusal.level() == Some(LAST_LEVEL) => self.reclaim(granule)?,
            other => other?,
        }
        self.memory.lock().assign(ipa);
        Ok(outcome.is_ok().then_some(granule))
    }

    /// Maps a page of the Normal world at the unprotected address of `ipa`; `false` if that page is not shared.
    pub(super) fn shared_fault(&self, ipa: u64) -> Result<bool, Error> {
        let page = ipa & !(GRANULE_U64 - 1);
        let backing = self.memory.lock().backing(self.machine, page).map(|backing| {
            backing.mapped = true;
            backing.granule
        });
        let Some(granule) = backing else { return Ok(false) };
        let alias = page | self.realm.shared_bit();
        let descriptor = granule | SHARED_ATTRIBUTES;
        match self.with_tables(alias, || self.rmi().map_unprotected(self.rd, alias, descriptor))? {
            // Another vCPU has mapped it meanwhile.
            Err(refusal) if refusal.level() == Some(LAST_LEVEL) => Ok(true),
            other => Ok(other.map(|()| true)?),
        }
    }

    /// Unmaps and frees the Normal world's page behind a page that is private from now on.
    pub(super) fn unshare(&self, ipa: u64) -> Result<(), Error> {
        let backing = self.memory.lock().unback(ipa);
        if let Some(backing) = backing {
            if backing.mapped {
                self.rmi().unmap_unprotected(self.rd, ipa | self.realm.shared_bit())?;
            }
            self.machine.free(backing.granule, 1);
        }
        Ok(())
    }

    fn count_fault(&self, page: u64, repeated: &mut Repeated) -> Result<(), Error> {
        let times = if repeated.page == page { repeated.times + 1 } else { 1 };
        *repeated = Repeated { page, times };
        let helpless = self.memory.lock().page(page).is_none_or(|state| state == Page::Shared);
        if helpless || times > PATIENCE { Err(Error::Unrepairable { ipa: page }) } else { Ok(()) }
    }
}
