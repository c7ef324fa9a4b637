//! Taking a Realm down to the last granule.

use abi::rmi::fid;

use super::build::{LAST_LEVEL, span};
use super::event::Event;
use super::{Error, Normal, Vcpu, Vm};

impl<N: Normal> Vm<'_, N> {
    /// Destroys what was built, also after an error half-way, and frees every granule; no vCPU may be running.
    ///
    /// # Errors
    /// A refused command, or [`Error::Leaked`] if a granule did not come back.
    pub fn destroy(&mut self) -> Result<(), Error> {
        if self.created {
            self.destroy_data()?;
            self.destroy_shared()?;
            self.destroy_tables()?;
            for vcpu in core::mem::take(&mut self.vcpus) {
                self.destroy_vcpu(&vcpu)?;
            }
            self.rmi().realm_destroy(self.rd)?;
            self.created = false;
        }
        // What is left was delegated and became nothing: the Realm's own granules, and those of a failed step.
        let runs = self.ledger.lock().runs();
        for granule in runs.into_iter().flat_map(|run| run.step_by(abi::GRANULE)) {
            self.reclaim(granule)?;
        }
        let (outstanding, returned) = {
            let ledger = self.ledger.lock();
            (ledger.outstanding(), ledger.returned())
        };
        if outstanding != 0 {
            return Err(Error::Leaked { granules: outstanding });
        }
        Event::new("destroyed").number("granules", returned as u64).send(self.machine);
        Ok(())
    }

    /// Walks RAM by what the RMM says is the next address that has something.
    fn destroy_data(&self) -> Result<(), Error> {
        let ram = self.memory.lock().ram();
        let mut ipa = ram.start;
        while ipa < ram.end {
            let next = match self.rmi().data_destroy(self.rd, ipa) {
                Ok(destroyed) => {
                    self.reclaim(destroyed.granule)?;
                    destroyed.next
                }
                Err(refusal) => match refusal.level() {
                    // A block: split it.
                    Some(level) if refusal.next == ipa && level < LAST_LEVEL => {
                        self.table(ipa, level + 1)?;
                        continue;
                    }
                    Some(_) => refusal.next,
                    None => return Err(refusal.into()),
                },
            };
            if next <= ipa {
                return Err(Error::NoProgress { command: fid::DATA_DESTROY, address: ipa });
            }
            ipa = next;
        }
        Ok(())
    }

    fn destroy_shared(&self) -> Result<(), Error> {
        while let Some((ipa, backing)) = { self.memory.lock().unback_first() } {
            if backing.mapped {
                self.rmi().unmap_unprotected(self.rd, ipa | self.realm.shared_bit())?;
            }
            self.machine.free(backing.granule, 1);
        }
        Ok(())
    }

    /// Tables, the lowest first.
    fn destroy_tables(&self) -> Result<(), Error> {
        let mut tables = core::mem::take(&mut *self.tables.lock());
        tables.sort_unstable();
        for (level, base) in tables.into_iter().rev() {
            let destroyed = self.rmi().rtt_destroy(self.rd, base & !(span(level - 1) - 1), level)?;
            self.reclaim(destroyed.granule)?;
        }
        Ok(())
    }

    fn destroy_vcpu(&self, vcpu: &Vcpu) -> Result<(), Error> {
        self.rmi().rec_destroy(vcpu.rec)?;
        self.machine.free(vcpu.run, 1);
        for granule in vcpu.aux.iter().chain([&vcpu.rec]) {
            self.reclaim(*granule)?;
        }
        Ok(())
    }
}
