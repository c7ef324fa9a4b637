//! A machine of a few pages on which every access to a granule's word, and every opening of a page, is a place where
//! another CPU may come first.

use rmm::address::{GRANULE, Pa};
use rmm::granule::{Held, RealmPage, Table};
use rmm::platform::{Access, El3Error, Exit, Fault, Features, Hunk, Interface, Page, Platform, Scope, Word};
use rmm::rec::context::{RealmContext, RecContext, SimdContext};
use shuttle::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use shuttle::sync::{Mutex, MutexGuard};
use shuttle::thread::yield_now;
use std::collections::VecDeque;
use zerocopy::FromZeros;

/// Where memory begins.
pub const BASE: u64 = 0x4200_0000;
/// Pages of memory.
pub const PAGES: u64 = 40;

/// A granule word.
pub struct Scheduled(AtomicU64);

impl Word for Scheduled {
    fn load(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    fn compare_exchange(&self, current: u64, new: u64) -> Result<u64, u64> {
        self.0.compare_exchange(current, new, Ordering::SeqCst, Ordering::SeqCst)
    }

    fn pause(&self) {
        yield_now();
    }
}

struct Granule {
    word: Scheduled,
    realm: AtomicBool,
    page: Mutex<Box<Page>>,
}

/// The machine.
pub struct Machine {
    granules: Vec<Granule>,
    features: Features,
    /// SMCs that vCPUs make, one in each run.
    pub calls: Mutex<VecDeque<Vec<u64>>>,
}

impl Machine {
    /// Makes a machine whose memory is the Normal world's.
    pub fn new() -> Self {
        let granule = |_| Granule {
            word: Scheduled(AtomicU64::new(0)),
            realm: AtomicBool::new(false),
            page: Mutex::new(Box::new(Page::new_zeroed())),
        };
        let mut ids = [0; 64];
        ids[5 * 8] = 3 << 20 | 5 << 12 | 6;
        let features = Features {
            pa_bits: 48,
            vmid_bits: 8,
            ids,
            ich_vtr: 0x90B8_0003,
            midr: 0,
            vector_quadwords: 2,
            pmu_counters: None,
        };
        Self { granules: (0..PAGES).map(granule).collect(), features, calls: Mutex::new(VecDeque::new()) }
    }

    fn find(&self, pa: Pa) -> Option<&Granule> {
        let offset = pa.get().checked_sub(BASE)?;
        self.granules.get(usize::try_from(offset).unwrap() / GRANULE)
    }

    fn realm_world(&self, pa: Pa) -> &Granule {
        let granule = self.find(pa).expect("memory that is not tracked");
        assert!(granule.realm.load(Ordering::SeqCst), "{pa:?} is not the Realm world's");
        granule
    }

    /// Opens a page that nobody else may have open; others may come meanwhile.
    fn alone<R>(&self, pa: Pa, f: impl FnOnce(&mut Page) -> R) -> R {
        let mut page = self.realm_world(pa).page.try_lock().expect("a page in two hands");
        yield_now();
        let result = f(&mut page);
        yield_now();
        result
    }

    /// Opens a page of a Realm's, which its vCPUs share.
    fn shared(&self, page: &RealmPage) -> MutexGuard<'_, Box<Page>> {
        let granule = self.realm_world(page.pa());
        yield_now();
        let guard = granule.page.lock().unwrap();
        assert!(granule.realm.load(Ordering::SeqCst), "a Realm's page left under its use");
        guard
    }

    /// Reads or writes as the Normal world does.
    pub fn normal<R>(&self, pa: Pa, f: impl FnOnce(&mut Page) -> R) -> Result<R, Fault> {
        let granule = self.find(pa).ok_or(Fault)?;
        let mut page = granule.page.lock().unwrap();
        if granule.realm.load(Ordering::SeqCst) { Err(Fault) } else { Ok(f(&mut page)) }
    }

    /// Tells whether a page is the Realm world's.
    pub fn is_realm(&self, pa: Pa) -> bool {
        self.find(pa).is_some_and(|granule| granule.realm.load(Ordering::SeqCst))
    }
}

impl Platform for Machine {
    type Word = Scheduled;

    fn granule(&self, pa: Pa) -> Option<&Scheduled> {
        Some(&self.find(pa)?.word)
    }

    fn features(&self) -> &Features {
        &self.features
    }

    fn page<R>(&self, held: &mut Held, f: impl FnOnce(&mut Page) -> R) -> R {
        self.alone(held.pa(), f)
    }

    fn wipe(&self, held: &mut Held) {
        self.alone(held.pa(), |page| page.0.fill(0));
    }

    fn copy_ns(&self, held: &mut Held, source: Pa) -> Result<(), Fault> {
        let bytes = self.normal(source, |page| page.0)?;
        self.alone(held.pa(), |page| page.0 = bytes);
        Ok(())
    }

    fn hash(&self, held: &mut Held, algorithm: abi::measurement::Hash) -> [u8; 64] {
        self.alone(held.pa(), |page| self.digest(algorithm, &[&page.0]))
    }

    fn entry(&self, table: &Table, index: usize) -> u64 {
        // Without a place for others: tables are read by the hundred, under the RD's claim.
        let page = self.realm_world(table.pa()).page.try_lock().expect("a table in two hands");
        u64::from_le_bytes(page.0.as_chunks().0[index])
    }

    fn set_entry(&self, table: &Table, index: usize, value: u64) {
        self.alone(table.pa(), |page| page.0.as_chunks_mut().0[index] = value.to_le_bytes());
    }

    fn read_realm(&self, page: &RealmPage, offset: usize, into: &mut [u8]) {
        into.copy_from_slice(&self.shared(page).0[offset..offset + into.len()]);
    }

    fn write_realm(&self, page: &RealmPage, offset: usize, from: &[u8]) {
        self.shared(page).0[offset..offset + from.len()].copy_from_slice(from);
    }

    fn read_ns(&self, page: Pa, offset: usize, into: &mut [u8]) -> Result<(), Fault> {
        self.normal(page, |page| into.copy_from_slice(&page.0[offset..offset + into.len()]))
    }

    fn write_ns(&self, page: Pa, offset: usize, from: &[u8]) -> Result<(), Fault> {
        self.normal(page, |page| page.0[offset..offset + from.len()].copy_from_slice(from))
    }

    fn delegate(&self, pa: Pa) -> Result<(), El3Error> {
        let was = self.find(pa).expect("memory").realm.swap(true, Ordering::SeqCst);
        if was { Err(El3Error::Refused(-3)) } else { Ok(()) }
    }

    fn undelegate(&self, pa: Pa) -> Result<(), El3Error> {
        let granule = self.realm_world(pa);
        let page = granule.page.try_lock().expect("a page goes back while it is open");
        assert!(page.0.iter().all(|byte| *byte == 0), "{pa:?} goes back with content");
        assert!(granule.realm.swap(false, Ordering::SeqCst));
        Ok(())
    }

    fn invalidate(&self, _: &RealmContext, _: Scope) {
        yield_now();
    }

    fn load(&self, _: &RealmContext, _: &mut RecContext, _: &mut SimdContext) {}

    fn run(&self, _: &RealmContext, rec: &mut RecContext, _: &mut SimdContext) -> Exit {
        let Some(call) = self.calls.lock().unwrap().pop_front() else {
            yield_now();
            return Exit::Irq;
        };
        rec.x[..call.len()].copy_from_slice(&call);
        Exit::Sync { esr: 0x17 << 26, far: 0, hpfar: 0 }
    }

    fn unload(&self, _: &RealmContext, _: &mut RecContext, _: &mut SimdContext) {}

    fn translate(&self, _: &RecContext, _: u64, _: Access, _: bool) -> Option<u64> {
        None
    }

    fn count(&self) -> u64 {
        0
    }

    fn irq_pending(&self) -> bool {
        false
    }

    fn platform_token(&self, _: &[u8], _: &mut [u8]) -> Result<Hunk, El3Error> {
        Err(El3Error::Refused(-1))
    }

    fn attestation_key(&self, _: &mut [u8; 97]) -> Result<(), El3Error> {
        Err(El3Error::Refused(-1))
    }

    fn sign(&self, _: Pa, _: &[u8; 48], _: &mut [u8; 96]) -> Result<(), El3Error> {
        Err(El3Error::Refused(-1))
    }

    fn trace(&self, _: Interface, _: &[u64; 5], _: &[u64; 5]) {}

    fn stop(&self, why: &str) -> ! {
        panic!("the RMM stopped: {why}")
    }
}
