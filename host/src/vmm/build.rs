//! Building a Realm: the plan's steps as RMI commands.

use abi::rmi::fid;
use abi::{GRANULE, GRANULE_U64};
use alloc::vec::Vec;
use zerocopy::IntoBytes;

use super::event::Event;
use super::rmi::Refusal;
use super::{Error, Normal, Vcpu, Vm};
use crate::plan::{Data, Plan, Rec, Source, Step};

/// Identifier of the Realm's translations. One Realm lives at a time.
const VMID: u16 = 1;
/// Level whose entries are granules.
pub const LAST_LEVEL: i64 = 3;

/// Physical addresses of the files, each in granules of its own with zeros after its last byte.
#[derive(Clone, Copy, Debug)]
pub struct Sources {
    /// The kernel.
    pub kernel: u64,
    /// The initial RAM disk.
    pub initrd: u64,
    /// The device tree.
    pub dtb: u64,
}

impl Sources {
    fn address(&self, data: &Data) -> u64 {
        let base = match data.source {
            Source::Kernel => self.kernel,
            Source::Initrd => self.initrd,
            Source::Dtb => self.dtb,
        };
        base + data.offset as u64
    }
}

impl<N: Normal> Vm<'_, N> {
    /// Executes the plan's steps. After an error [`Vm::destroy`] takes down what is there.
    ///
    /// # Errors
    /// The first refused command, no memory, or too few CPUs.
    pub fn build(&mut self, plan: &Plan, sources: &Sources) -> Result<(), Error> {
        let expected = plan.steps.iter().filter(|step| matches!(step, Step::Rec(_))).count();
        if expected > self.machine.cpus() {
            return Err(Error::Cpus { expected, found: self.machine.cpus() });
        }
        for step in &plan.steps {
            match step {
                Step::CreateRealm => self.create_realm()?,
                Step::Table { ipa, level } => drop(self.table(*ipa, *level)?),
                Step::InitRipas { base, top } => self.init_ripas(*base, *top)?,
                Step::Data(data) => self.data(data, sources.address(data))?,
                Step::Rec(rec) => {
                    self.populated(plan, rec);
                    self.create_rec(rec)?;
                }
                Step::Activate => self.rmi().realm_activate(self.rd)?,
            }
        }
        Event::new("activated").send(self.machine);
        Ok(())
    }

    /// Gives a free granule to the Realm world.
    pub(super) fn grant(&self) -> Result<u64, Error> {
        self.grant_run(1)
    }

    /// Takes a granule back and frees it.
    pub(super) fn reclaim(&self, address: u64) -> Result<(), Error> {
        if !self.ledger.lock().has(address) {
            return Err(Error::NotOurs { address });
        }
        self.rmi().undelegate(address)?;
        self.ledger.lock().take_back(address);
        self.machine.free(address, 1);
        Ok(())
    }

    /// Creates the table of `level` over `ipa`; `false` if there is one, which another vCPU has made.
    pub(super) fn table(&self, ipa: u64, level: i64) -> Result<bool, Error> {
        let base = ipa & !(span(level - 1) - 1);
        let granule = self.grant()?;
        match self.rmi().rtt_create(self.rd, granule, base, level) {
            Ok(()) => {
                self.tables.lock().push((level, base));
                Ok(true)
            }
            Err(refusal) if refusal.level().is_some() => {
                self.reclaim(granule)?;
                if refusal.level() == Some(level - 1) { Ok(false) } else { Err(refusal.into()) }
            }
            Err(refusal) => {
                self.reclaim(granule)?;
                Err(refusal.into())
            }
        }
    }

    /// Runs a command on `ipa`, creating the tables that it misses; a refusal at the last level is the caller's.
    pub(super) fn with_tables(
        &self,
        ipa: u64,
        command: impl Fn() -> Result<(), Refusal>,
    ) -> Result<Result<(), Refusal>, Error> {
        loop {
            match command() {
                Err(refusal) if refusal.level().is_some_and(|level| level < LAST_LEVEL) => {
                    self.table(ipa, refusal.level().unwrap_or(0) + 1)?;
                }
                outcome => return Ok(outcome),
            }
        }
    }

    fn grant_run(&self, pages: usize) -> Result<u64, Error> {
        let first = self.machine.alloc(pages).ok_or(Error::NoMemory)?;
        for address in (first..).step_by(GRANULE).take(pages) {
            self.rmi().delegate(address)?;
            self.ledger.lock().give(address);
        }
        Ok(first)
    }

    fn create_realm(&mut self) -> Result<(), Error> {
        self.rd = self.grant()?;
        self.roots = self.grant_run(self.realm.roots as usize)?;
        let params = self.realm.params(VMID, self.roots);
        self.with_page(params.as_bytes(), |vm, page| vm.rmi().realm_create(vm.rd, page))?;
        self.created = true;
        Event::new("created").send(self.machine);
        Ok(())
    }

    fn init_ripas(&self, base: u64, top: u64) -> Result<(), Error> {
        let mut at = base;
        while at < top {
            match self.rmi().init_ripas(self.rd, at, top) {
                Ok(reached) if reached > at => at = reached,
                Ok(_) => return Err(Error::NoProgress { command: fid::RTT_INIT_RIPAS, address: at }),
                Err(refusal) => match refusal.level() {
                    Some(level) if level < LAST_LEVEL => drop(self.table(at, level + 1)?),
                    _ => return Err(refusal.into()),
                },
            }
        }
        Ok(())
    }

    fn data(&self, data: &Data, source: u64) -> Result<(), Error> {
        let granule = self.grant()?;
        let create = || self.rmi().data_create(self.rd, granule, data.ipa, source, data.flags());
        self.with_tables(data.ipa, create)??;
        self.memory.lock().assign(data.ipa);
        Ok(())
    }

    fn create_rec(&mut self, rec: &Rec) -> Result<(), Error> {
        let count = self.rmi().rec_aux_count(self.rd)?;
        let aux = (0..count).map(|_| self.grant()).collect::<Result<Vec<u64>, Error>>()?;
        let granule = self.grant()?;
        let params = rec.params(&aux);
        self.with_page(params.as_bytes(), |vm, page| vm.rmi().rec_create(vm.rd, granule, page))?;
        let run = self.machine.alloc(1).ok_or(Error::NoMemory)?;
        self.vcpus.push(Vcpu { rec: granule, aux, run });
        Ok(())
    }

    /// Runs a command that reads a page of parameters.
    fn with_page(&self, bytes: &[u8], command: impl Fn(&Self, u64) -> Result<(), Refusal>) -> Result<(), Error> {
        let page = self.machine.alloc(1).ok_or(Error::NoMemory)?;
        self.machine.write(page, bytes);
        let outcome = command(self, page);
        self.machine.free(page, 1);
        Ok(outcome?)
    }

    /// The first REC comes when all content is there.
    fn populated(&self, plan: &Plan, rec: &Rec) {
        if rec.index == 0 {
            let data = plan.steps.iter().filter_map(|step| if let Step::Data(data) = step { Some(data) } else { None });
            let measured = data.clone().filter(|data| data.measured).count();
            let event = Event::new("populated").number("pages", data.count() as u64);
            event.number("measured", measured as u64).send(self.machine);
        }
    }
}

/// Bytes that an entry of a table of `level` translates (RMM 1.0, A5.2.6).
pub const fn span(level: i64) -> u64 {
    match level {
        i64::MIN..=-1 => 1 << 48,
        0 => 1 << 39,
        1 => 1 << 30,
        2 => 1 << 21,
        _ => GRANULE_U64,
    }
}
