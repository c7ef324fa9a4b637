//! The RMM's verbs on the processor.

#[cfg(feature = "walk")]
pub mod walk;

use crate::hashing::Hashing;
use crate::memory::{self, GranuleWord, NORMAL_ALIAS, within_granule};
use crate::realm::{self, Normal, Processor};
use crate::{console, el3};
use abi::el3::Bank;
use abi::measurement::Hash;
use abi::{GRANULE, map};
use cpu::lock::{Guard, Lock};
use rmm::address::Pa;
use rmm::granule::{Held, RealmPage, Table};
use rmm::measurement::Register;
use rmm::platform::{Access, El3Error, Exit, Fault, Features, Hunk, Interface, Page, Platform, Reading, Scope};
use rmm::rec::context::{RealmContext, RecContext, SimdContext};

/// One CPU's place for the Normal world's registers; each CPU takes its own lock only.
static NORMAL: [Lock<Normal>; map::MAX_CPUS] = [const { Lock::new(Normal::new()) }; map::MAX_CPUS];

/// QEMU's machine, or another like it.
pub struct Machine {
    banks: [Bank; crate::manifest::MAX_BANKS],
    words: &'static [GranuleWord],
    features: Features,
    processor: Processor,
    hashing: Hashing,
    trace: u64,
}

impl Machine {
    /// Puts the machine together: `words` has one word per granule of all `banks`.
    pub fn new(banks: [Bank; crate::manifest::MAX_BANKS], words: &'static [GranuleWord]) -> Self {
        let features = crate::identity::features();
        let processor = crate::identity::processor(&features);
        let hashing = Hashing::choose(&processor);
        Self { banks, words, features, processor, hashing, trace: el3::feature(abi::el3::FEATURES_TRACE_MASK) }
    }

    /// Makes this CPU ready for vCPUs.
    pub fn prepare_cpu(&self) {
        realm::prepare(&self.processor);
    }

    /// Gives the place of `pa` among the granule words.
    fn index(&self, pa: u64) -> Option<usize> {
        let mut before = 0;
        for bank in &self.banks {
            match pa.checked_sub(bank.base) {
                Some(offset) if offset < bank.size => return usize::try_from(before + (offset >> 12)).ok(),
                _ => before += bank.size >> 12,
            }
        }
        None
    }

    fn normal(&self) -> Guard<'static, Normal> {
        // MPIDR's number is below MAX_CPUS: entry lets no other CPU in.
        let [first, rest @ ..] = &NORMAL;
        cpu::register::cpu_number().checked_sub(1).and_then(|n| rest.get(n)).unwrap_or(first).take()
    }

    fn outside(&self) -> ! {
        self.stop("access outside a granule")
    }
}

/// Gives the table entry's address; the index is cut to what a table has.
fn entry_of(table: &Table, index: usize) -> *mut u64 {
    (table.pa().get() as usize | (index % 512) << 3) as *mut u64
}

impl Platform for Machine {
    type Word = GranuleWord;

    fn granule(&self, pa: Pa) -> Option<&GranuleWord> {
        self.words.get(self.index(pa.get())?)
    }

    fn reading(&self) -> Reading {
        Reading { hides_il: cfg!(feature = "hide-il"), pads_measurements: cfg!(feature = "pad-measurements") }
    }

    fn features(&self) -> &Features {
        &self.features
    }

    fn page<R>(&self, held: &mut Held, f: impl FnOnce(&mut Page) -> R) -> R {
        // SAFETY: the proof is the only one for this granule, which is mapped Realm memory; the reference ends with `f`.
        f(unsafe { &mut *(held.pa().get() as *mut Page) })
    }

    fn wipe(&self, held: &mut Held) {
        // SAFETY: the proof is the only one for this granule, which is mapped Realm memory.
        unsafe { cpu::page::clear_code(held.pa().get() as usize, GRANULE) }
    }

    fn copy_ns(&self, held: &mut Held, source: Pa) -> Result<(), Fault> {
        let from = source.get() + NORMAL_ALIAS;
        self.page(held, |page| memory::copy_out(from, &mut page.0))
    }

    fn hash(&self, held: &mut Held, algorithm: Hash) -> [u8; 64] {
        self.page(held, |page| self.digest(algorithm, &[&page.0]))
    }

    fn digest(&self, algorithm: Hash, parts: &[&[u8]]) -> Register {
        self.hashing.digest(&self.processor, algorithm, parts)
    }

    fn entry(&self, table: &Table, index: usize) -> u64 {
        // SAFETY: the table is mapped Realm memory of this realm; walkers and other CPUs only ever see whole entries.
        unsafe { entry_of(table, index).read_volatile() }
    }

    fn set_entry(&self, table: &Table, index: usize, value: u64) {
        cpu::barrier::dsb();
        // SAFETY: as for `entry`, and this CPU holds the realm's descriptor.
        unsafe { entry_of(table, index).write_volatile(value) };
        cpu::barrier::dsb();
        cpu::barrier::isb();
    }

    fn read_realm(&self, page: &RealmPage, offset: usize, into: &mut [u8]) {
        if !within_granule(offset, into.len()) || memory::copy_out(page.pa().get() + offset as u64, into).is_err() {
            self.outside()
        }
    }

    fn write_realm(&self, page: &RealmPage, offset: usize, from: &[u8]) {
        if !within_granule(offset, from.len()) {
            self.outside()
        }
        // SAFETY: a data page of a realm, to which no reference is ever formed.
        if unsafe { memory::copy_in(page.pa().get() + offset as u64, from) }.is_err() {
            self.outside()
        }
    }

    fn read_ns(&self, page: Pa, offset: usize, into: &mut [u8]) -> Result<(), Fault> {
        if !within_granule(offset, into.len()) {
            return Err(Fault);
        }
        memory::copy_out(page.get() + NORMAL_ALIAS + offset as u64, into)
    }

    fn write_ns(&self, page: Pa, offset: usize, from: &[u8]) -> Result<(), Fault> {
        if !within_granule(offset, from.len()) {
            return Err(Fault);
        }
        // SAFETY: the Non-secure alias, to which no reference is ever formed.
        unsafe { memory::copy_in(page.get() + NORMAL_ALIAS + offset as u64, from) }
    }

    fn delegate(&self, pa: Pa) -> Result<(), El3Error> {
        el3::delegate(pa.get())
    }

    fn undelegate(&self, pa: Pa) -> Result<(), El3Error> {
        el3::undelegate(pa.get())
    }

    fn invalidate(&self, realm: &RealmContext, scope: Scope) {
        realm::invalidate(realm, scope);
    }

    fn load(&self, realm: &RealmContext, rec: &mut RecContext, _: &mut SimdContext) {
        realm::load(&self.processor, &mut self.normal(), realm, rec);
    }

    fn run(&self, realm: &RealmContext, rec: &mut RecContext, simd: &mut SimdContext) -> Exit {
        realm::run(&self.processor, &mut self.normal(), realm, rec, simd)
    }

    fn unload(&self, realm: &RealmContext, rec: &mut RecContext, simd: &mut SimdContext) {
        realm::unload(&self.processor, &mut self.normal(), realm, rec, simd);
    }

    fn translate(&self, _: &RecContext, address: u64, access: Access, el0: bool) -> Option<u64> {
        realm::translate(address, access, el0)
    }

    fn count(&self) -> u64 {
        cpu::barrier::isb();
        cpu::read!(cntpct_el0)
    }

    fn irq_pending(&self) -> bool {
        cpu::read!(isr_el1) != 0
    }

    fn platform_token(&self, challenge: &[u8], into: &mut [u8]) -> Result<Hunk, El3Error> {
        el3::platform_token(challenge, into)
    }

    fn attestation_key(&self, into: &mut [u8; 97]) -> Result<(), El3Error> {
        el3::attestation_key(into)
    }

    fn sign(&self, rec: Pa, digest: &[u8; 48], signature: &mut [u8; 96]) -> Result<(), El3Error> {
        el3::sign(rec.get(), digest, signature)
    }

    fn trace(&self, interface: Interface, call: &[u64; 5], result: &[u64; 5]) {
        let kind = match interface {
            Interface::Rmi => map::TRACE_RMI,
            Interface::Rsi => map::TRACE_RSI,
        };
        if self.trace & kind != 0 {
            el3::trace(kind, call, result);
        }
    }

    fn stop(&self, why: &str) -> ! {
        console::stop(format_args!("{why}"))
    }
}
