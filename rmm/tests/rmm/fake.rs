//! A machine of a few pages: it panics when the RMM touches what it may not, or the same page twice.

use p384::ecdsa::SigningKey;
use p384::ecdsa::signature::hazmat::PrehashSigner;
use rmm::address::{GRANULE, Pa};
use rmm::granule::{Held, RealmPage, Table};
use rmm::platform::{Access, El3Error, Exit, Fault, Features, Hunk, Interface, Page, Platform, Reading, Scope, Word};
use rmm::rec::context::{RealmContext, RecContext, SimdContext};
use sha2::{Digest, Sha256, Sha512};
use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use zerocopy::FromZeros;

/// Where memory begins.
pub const BASE: u64 = 0x4200_0000;
/// Pages of memory.
pub const PAGES: usize = 96;
/// What EL3 gives as the platform token.
pub const PLATFORM_TOKEN: [u8; 700] = [0x5A; 700];

/// What was done to memory that a table walker or the Normal world may see.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// An entry of the table at an address was written: its index, and whether it is valid now.
    Entry(u64, usize, bool),
    /// Translations left the TLBs.
    Invalidated(Scope),
    /// A granule was wiped.
    Wiped(u64),
}

/// What a vCPU does between an entry and the next exit.
pub type Step = Box<dyn FnOnce(&mut RecContext) -> Exit + Send>;

/// A granule word.
#[derive(Debug, Default)]
pub struct AtomicWord(AtomicU64);

impl Word for AtomicWord {
    fn load(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    fn compare_exchange(&self, current: u64, new: u64) -> Result<u64, u64> {
        self.0.compare_exchange(current, new, Ordering::AcqRel, Ordering::Acquire)
    }

    fn pause(&self) {
        std::thread::yield_now();
    }
}

#[derive(Default)]
struct Granule {
    word: AtomicWord,
    realm: AtomicBool,
    page: Mutex<Option<Box<Page>>>,
}

/// The machine.
pub struct Fake {
    granules: Vec<Granule>,
    features: Features,
    /// Time.
    pub count: AtomicU64,
    /// What the vCPU will do, run by run.
    pub script: Mutex<VecDeque<Step>>,
    /// What was invalidated.
    pub invalidated: Mutex<Vec<Scope>>,
    /// What was done, in its order.
    pub events: Mutex<Vec<Event>>,
    /// Whether an interrupt waits.
    pub irq: AtomicBool,
    /// What a virtual address translates to.
    pub translated: Mutex<Option<u64>>,
    /// Which translations were asked for: the address, for what, and whether for EL0.
    pub asked: Mutex<Vec<(u64, Access, bool)>>,
    /// With what EL3 was challenged for the platform token.
    pub challenge: Mutex<Vec<u8>>,
    /// How often EL3 says "again" before it signs.
    pub again: AtomicU64,
    /// The realm attestation key.
    pub key: SigningKey,
    /// How the specification is read.
    pub reading: Mutex<Reading>,
}

impl Fake {
    /// Makes a machine whose memory is the Normal world's.
    pub fn new() -> Self {
        Self::with_pages(PAGES)
    }

    /// Makes a machine with another number of pages.
    pub fn with_pages(pages: usize) -> Self {
        let mut ids = [0; 64];
        ids[4 * 8] = 0x1311_0011_2111_2222;
        ids[4 * 8 + 1] = 0x0000_0010_0100_0121;
        ids[4 * 8 + 4] = 0x0011_0110_0110_0121;
        ids[5 * 8] = 0x1000_0000_1030_560A;
        ids[7 * 8] = 0x2100_0322_1020_1126;
        Self {
            granules: (0..pages).map(|_| Granule::default()).collect(),
            features: Features {
                pa_bits: 48,
                vmid_bits: 16,
                ids,
                ich_vtr: 0x90B8_0003,
                midr: 0x000F_0510,
                vector_quadwords: 2,
                pmu_counters: Some(6),
            },
            count: AtomicU64::new(1000),
            script: Mutex::default(),
            invalidated: Mutex::default(),
            events: Mutex::default(),
            irq: AtomicBool::new(false),
            translated: Mutex::default(),
            asked: Mutex::default(),
            challenge: Mutex::default(),
            again: AtomicU64::new(0),
            key: SigningKey::from_slice(&[7; 48]).unwrap(),
            reading: Mutex::default(),
        }
    }

    /// Makes it a processor of other features.
    pub fn of(change: impl FnOnce(&mut Features)) -> Self {
        let mut machine = Self::new();
        change(&mut machine.features);
        machine
    }

    fn at(&self, pa: Pa) -> &Granule {
        self.find(pa).expect("memory that is not tracked")
    }

    fn find(&self, pa: Pa) -> Option<&Granule> {
        let offset = pa.get().checked_sub(BASE)?;
        self.granules.get(usize::try_from(offset).unwrap() / GRANULE)
    }

    fn open<R>(&self, pa: Pa, f: impl FnOnce(&mut Page) -> R) -> R {
        let granule = self.at(pa);
        assert!(granule.realm.load(Ordering::Acquire), "{pa:?} is not the Realm world's");
        let mut page = granule.page.try_lock().expect("a page in two hands");
        f(page.get_or_insert_with(zeroes))
    }

    /// Reads or writes as the Normal world does.
    pub fn normal<R>(&self, pa: Pa, f: impl FnOnce(&mut Page) -> R) -> Result<R, Fault> {
        let granule = self.find(pa).ok_or(Fault)?;
        let mut page = granule.page.lock().unwrap();
        if granule.realm.load(Ordering::Acquire) {
            return Err(Fault);
        }
        Ok(f(page.get_or_insert_with(zeroes)))
    }

    /// Looks at a page, whosever it is.
    pub fn peek<R>(&self, pa: u64, f: impl FnOnce(&mut Page) -> R) -> R {
        let granule = self.at(Pa::new(pa).unwrap());
        f(granule.page.lock().unwrap().get_or_insert_with(zeroes))
    }

    /// Tells whether a page is the Realm world's.
    pub fn is_realm(&self, pa: u64) -> bool {
        self.at(Pa::new(pa).unwrap()).realm.load(Ordering::Acquire)
    }

    /// Takes down everything that a command could change.
    pub fn snapshot(&self) -> Vec<(u64, bool, Vec<u8>)> {
        let view = |granule: &Granule| {
            let page = granule.page.lock().unwrap();
            let bytes = page.as_ref().map_or_else(|| vec![0; GRANULE], |page| page.0.to_vec());
            (granule.word.load(), granule.realm.load(Ordering::Acquire), bytes)
        };
        self.granules.iter().map(view).collect()
    }

    fn note(&self, event: Event) {
        self.events.lock().unwrap().push(event);
    }

    /// Gives what was done since this was asked last.
    pub fn done(&self) -> Vec<Event> {
        std::mem::take(&mut self.events.lock().unwrap())
    }

    /// Adds what the vCPU does next.
    pub fn then(&self, step: impl FnOnce(&mut RecContext) -> Exit + Send + 'static) {
        self.script.lock().unwrap().push_back(Box::new(step));
    }
}

fn zeroes() -> Box<Page> {
    Box::new(Page::new_zeroed())
}

impl Platform for Fake {
    type Word = AtomicWord;

    fn granule(&self, pa: Pa) -> Option<&AtomicWord> {
        Some(&self.find(pa)?.word)
    }

    fn features(&self) -> &Features {
        &self.features
    }

    fn reading(&self) -> Reading {
        *self.reading.lock().unwrap()
    }

    fn page<R>(&self, held: &mut Held, f: impl FnOnce(&mut Page) -> R) -> R {
        self.open(held.pa(), f)
    }

    fn wipe(&self, held: &mut Held) {
        self.note(Event::Wiped(held.pa().get()));
        self.open(held.pa(), |page| page.0.fill(0));
    }

    fn copy_ns(&self, held: &mut Held, source: Pa) -> Result<(), Fault> {
        let bytes = self.normal(source, |page| page.0)?;
        self.open(held.pa(), |page| page.0 = bytes);
        Ok(())
    }

    fn hash(&self, held: &mut Held, algorithm: abi::measurement::Hash) -> [u8; 64] {
        let mut digest = [0; 64];
        self.open(held.pa(), |page| match algorithm {
            abi::measurement::Hash::Sha256 => digest[..32].copy_from_slice(&Sha256::digest(page.0)),
            abi::measurement::Hash::Sha512 => digest.copy_from_slice(&Sha512::digest(page.0)),
        });
        digest
    }

    fn entry(&self, table: &Table, index: usize) -> u64 {
        self.open(table.pa(), |page| u64::from_le_bytes(*page.0.as_chunks().0.get(index).unwrap()))
    }

    fn set_entry(&self, table: &Table, index: usize, value: u64) {
        self.note(Event::Entry(table.pa().get(), index, value & 1 != 0));
        self.open(table.pa(), |page| *page.0.as_chunks_mut().0.get_mut(index).unwrap() = value.to_le_bytes());
    }

    fn read_realm(&self, page: &RealmPage, offset: usize, into: &mut [u8]) {
        self.open(page.pa(), |page| into.copy_from_slice(&page.0[offset..offset + into.len()]));
    }

    fn write_realm(&self, page: &RealmPage, offset: usize, from: &[u8]) {
        self.open(page.pa(), |page| page.0[offset..offset + from.len()].copy_from_slice(from));
    }

    fn read_ns(&self, page: Pa, offset: usize, into: &mut [u8]) -> Result<(), Fault> {
        self.normal(page, |page| into.copy_from_slice(&page.0[offset..offset + into.len()]))
    }

    fn write_ns(&self, page: Pa, offset: usize, from: &[u8]) -> Result<(), Fault> {
        self.normal(page, |page| page.0[offset..offset + from.len()].copy_from_slice(from))
    }

    fn delegate(&self, pa: Pa) -> Result<(), El3Error> {
        let was = self.at(pa).realm.swap(true, Ordering::AcqRel);
        if was { Err(El3Error::Refused(-3)) } else { Ok(()) }
    }

    fn undelegate(&self, pa: Pa) -> Result<(), El3Error> {
        self.open(pa, |page| assert_eq!(page.0, [0; GRANULE], "{pa:?} goes back with content"));
        assert!(self.at(pa).realm.swap(false, Ordering::AcqRel));
        Ok(())
    }

    fn invalidate(&self, _: &RealmContext, scope: Scope) {
        self.note(Event::Invalidated(scope));
        self.invalidated.lock().unwrap().push(scope);
    }

    fn load(&self, _: &RealmContext, _: &mut RecContext, _: &mut SimdContext) {}

    fn run(&self, _: &RealmContext, rec: &mut RecContext, _: &mut SimdContext) -> Exit {
        let step = self.script.lock().unwrap().pop_front();
        step.map_or(Exit::Irq, |step| step(rec))
    }

    fn unload(&self, _: &RealmContext, _: &mut RecContext, _: &mut SimdContext) {}

    fn translate(&self, _: &RecContext, address: u64, access: Access, el0: bool) -> Option<u64> {
        self.asked.lock().unwrap().push((address, access, el0));
        *self.translated.lock().unwrap()
    }

    fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    fn irq_pending(&self) -> bool {
        self.irq.load(Ordering::Relaxed)
    }

    fn platform_token(&self, challenge: &[u8], into: &mut [u8]) -> Result<Hunk, El3Error> {
        // Two hunks: 512 bytes and the rest. The first call alone has the challenge.
        self.challenge.lock().unwrap().extend_from_slice(challenge);
        let (start, end) = if challenge.is_empty() { (512, PLATFORM_TOKEN.len()) } else { (0, 512) };
        into[..end - start].copy_from_slice(&PLATFORM_TOKEN[start..end]);
        Ok(Hunk { length: end - start, left: PLATFORM_TOKEN.len() - end })
    }

    fn attestation_key(&self, into: &mut [u8; 97]) -> Result<(), El3Error> {
        into.copy_from_slice(self.key.verifying_key().to_sec1_point(false).as_bytes());
        Ok(())
    }

    fn sign(&self, _: Pa, digest: &[u8; 48], signature: &mut [u8; 96]) -> Result<(), El3Error> {
        if self.again.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1)).is_ok() {
            return Err(El3Error::Again);
        }
        let signed: p384::ecdsa::Signature = self.key.sign_prehash(digest).unwrap();
        signature.copy_from_slice(&signed.to_bytes());
        Ok(())
    }

    fn trace(&self, _: Interface, _: &[u64; 5], _: &[u64; 5]) {}

    fn stop(&self, why: &str) -> ! {
        panic!("the RMM stopped: {why}")
    }
}
