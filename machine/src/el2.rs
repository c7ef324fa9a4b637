//! R-EL2 in software: what the RMM asks of the machine.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex};

use abi::measurement::Hash;
use abi::{GRANULE, GRANULE_U64, el3 as wire, map};
use monitor::psci::{Psci, Start};
use monitor::{Monitor, attest::Attest};
use rmm::address::Pa;
use rmm::granule::{Held, RealmPage, Table};
use rmm::platform as verbs;
use rmm::platform::{El3Error, Exit, Features, Hunk, Page, Platform, Scope};
use rmm::rec::context::{RealmContext, RecContext, SimdContext};
use sha2::{Digest, Sha256, Sha512};
use zerocopy::{FromBytes, IntoBytes};

use crate::board::{Board, World, lock};
use crate::el3::{Root, buffer, service};
use crate::guest::{DATA, Event, Maker, Op, Vcpu};
use crate::mmu::{Status, Tlb};

const TWI: u64 = 1 << 13;
const EC_WFX: u64 = 0x01 << 26;
const EC_SMC64: u64 = 0x17 << 26;
const EC_DATA_ABORT: u64 = 0x24 << 26;
const IL: u64 = 1 << 25;
const ISV: u64 = 1 << 24;
const SAS_DOUBLEWORD: u64 = 3 << 22;
const SRT: u64 = (DATA as u64) << 16;
const SF: u64 = 1 << 15;
const WNR: u64 = 1 << 6;

/// A granule's word.
#[derive(Default)]
pub struct Word(AtomicU64);

impl verbs::Word for Word {
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

/// Interrupts that wait for the CPUs.
#[derive(Default)]
pub struct Interrupts {
    pending: Mutex<[bool; map::MAX_CPUS]>,
    waiting: [AtomicBool; map::MAX_CPUS],
    changed: Condvar,
}

impl Interrupts {
    pub fn send(&self, cpu: usize) {
        lock(&self.pending)[cpu] = true;
        self.changed.notify_all();
    }

    pub fn take(&self, cpu: usize) -> bool {
        std::mem::take(&mut lock(&self.pending)[cpu])
    }

    pub fn pending(&self, cpu: usize) -> bool {
        lock(&self.pending)[cpu]
    }

    pub fn wait(&self, cpu: usize) {
        let guard = lock(&self.pending);
        self.waiting[cpu].store(true, Ordering::Release);
        drop(self.changed.wait_while(guard, |pending| !pending[cpu]));
        self.waiting[cpu].store(false, Ordering::Release);
    }

    pub fn is_waiting(&self, cpu: usize) -> bool {
        self.waiting[cpu].load(Ordering::Acquire)
    }
}

/// The RMM's processor.
pub struct El2<'b> {
    pub root: Root<'b>,
    pub monitor: Monitor<'b>,
    pub interrupts: Interrupts,
    pub programs: Mutex<HashMap<u64, Maker>>,
    words: Vec<Word>,
    /// Which granules have their content open.
    open: Vec<AtomicBool>,
    /// Which CPUs have put the Normal world's registers aside.
    loaded: [AtomicBool; map::MAX_CPUS],
    features: Features,
    tlb: Tlb,
    vcpus: Mutex<HashMap<(u64, u64), Vcpu>>,
    clock: AtomicU64,
    /// The shared page is one caller's at a time.
    el3: Mutex<()>,
}

impl<'b> El2<'b> {
    pub fn new(board: &'b Board) -> El2<'b> {
        let count = (board.dram().end - map::RMM_END) / GRANULE_U64;
        let identity = &board.identity;
        let (x, y) = &identity.rak_point;
        let attest = Attest::new(&identity.token, &identity.rak, x, y).expect("an identity whose halves fit");
        let psci = Psci::new(map::MAX_CPUS, Start { entry: map::NORMAL_WORLD, context: 0 });
        El2 {
            root: Root { board, lines: Mutex::default() },
            monitor: Monitor::new(board.tables(), psci, attest, 0),
            interrupts: Interrupts::default(),
            programs: Mutex::default(),
            words: (0..count).map(|_| Word::default()).collect(),
            open: (0..count).map(|_| AtomicBool::new(false)).collect(),
            loaded: Default::default(),
            features: features(),
            tlb: Tlb::default(),
            vcpus: Mutex::default(),
            clock: AtomicU64::new(0),
            el3: Mutex::new(()),
        }
    }

    fn index(&self, pa: Pa) -> Option<usize> {
        let index = usize::try_from(pa.get().checked_sub(map::RMM_END)? / GRANULE_U64).ok()?;
        (index < self.words.len()).then_some(index)
    }

    fn is_loaded(&self) -> &AtomicBool {
        &self.loaded[crate::machine::current()]
    }

    /// The RMM's own accesses: granule protection never stops them, or the RMM is wrong.
    fn realm<R>(&self, pa: Pa, f: impl FnOnce(&mut Page) -> R) -> R {
        let done = self.root.board.access(pa.get(), World::Realm, f);
        done.unwrap_or_else(|fault| panic!("the RMM touched what is not the Realm world's: {fault:x?}"))
    }

    fn call(&self, call: &[u64]) -> Result<[u64; 2], El3Error> {
        service(&self.monitor, &self.root, call)
    }

    /// Runs operations until one exits.
    fn execute(&self, vcpu: &mut Vcpu, realm: &RealmContext, rec: &mut RecContext) -> Exit {
        let cpu = crate::machine::current();
        let mut op = vcpu.advance(rec);
        loop {
            if self.interrupts.pending(cpu) {
                return Exit::Irq;
            }
            let event = match op {
                Op::Smc(_) => return Exit::Sync { esr: EC_SMC64 | IL, far: 0, hpfar: 0 },
                Op::Wfi if rec.hcr & TWI != 0 => return Exit::Sync { esr: EC_WFX | IL, far: 0, hpfar: 0 },
                Op::Wfi => {
                    self.interrupts.wait(cpu);
                    rec.pc = rec.pc.wrapping_add(4);
                    return Exit::Irq;
                }
                Op::Load { ipa } => self.memory(realm, ipa, None),
                Op::Store { ipa, value } => self.memory(realm, ipa, Some(value)),
            };
            match event {
                Ok(event) => op = vcpu.complete(event, rec),
                Err(exit) => return exit,
            }
        }
    }

    /// Loads, or stores a value.
    fn memory(&self, realm: &RealmContext, ipa: u64, store: Option<u64>) -> Result<Event, Exit> {
        let board = self.root.board;
        let translated = self.tlb.translate(board, realm, ipa, store.is_some());
        let found = translated.map_err(|status| abort(ipa, store.is_some(), status))?;
        let offset = (ipa % GRANULE_U64) as usize;
        let done = board.access(found.pa, found.world, |page| {
            let bytes = &mut page.0[offset..offset + 8];
            match store {
                Some(value) => {
                    bytes.copy_from_slice(&value.to_le_bytes());
                    Event::Stored
                }
                None => Event::Loaded(u64::from_le_bytes((&*bytes).try_into().expect("eight bytes"))),
            }
        });
        Ok(done.unwrap_or(Event::Protected))
    }
}

/// A stage 2 abort of a doubleword, as the processor reports it.
fn abort(ipa: u64, write: bool, status: Status) -> Exit {
    let write = if write { WNR } else { 0 };
    let esr = EC_DATA_ABORT | IL | ISV | SAS_DOUBLEWORD | SRT | SF | write | status;
    Exit::Sync { esr, far: ipa, hpfar: ipa >> 12 << 4 }
}

/// A processor with 48-bit addresses, six breakpoints, four watchpoints and four list registers.
fn features() -> Features {
    const PFR0: usize = 4 * 8;
    const DFR0: usize = 5 * 8;
    const MMFR0: usize = 7 * 8;
    let mut ids = [0; 64];
    ids[PFR0] = 0x0000_0001_0100_1111;
    ids[DFR0] = 3 << 20 | 5 << 12 | 6 << 8 | 6;
    ids[MMFR0] = 0x1100_0005;
    let ich_vtr = 4 << 29 | 4 << 26 | 3;
    Features { pa_bits: 48, vmid_bits: 8, ids, ich_vtr, midr: 0x000F_0510, vector_quadwords: 2, pmu_counters: Some(4) }
}

impl Platform for El2<'_> {
    type Word = Word;

    fn granule(&self, pa: Pa) -> Option<&Word> {
        self.words.get(self.index(pa)?)
    }

    fn features(&self) -> &Features {
        &self.features
    }

    fn page<R>(&self, held: &mut Held, f: impl FnOnce(&mut Page) -> R) -> R {
        let pa = held.pa();
        let open = &self.open[self.index(pa).expect("a held granule is tracked")];
        assert!(!open.swap(true, Ordering::AcqRel), "granule {:#x} is in two hands", pa.get());
        // A copy, so that `f` may open other granules, and vCPUs are not kept waiting.
        let mut copy = self.realm(pa, |page| Box::new(Page(page.0)));
        let result = f(&mut copy);
        self.realm(pa, |page| page.0 = copy.0);
        open.store(false, Ordering::Release);
        result
    }

    fn wipe(&self, held: &mut Held) {
        let pa = held.pa().get();
        assert!(!self.tlb.uses(pa), "granule {pa:#x} is wiped while a TLB has it");
        self.page(held, |page| page.0.fill(0));
    }

    fn copy_ns(&self, held: &mut Held, source: Pa) -> Result<(), verbs::Fault> {
        let copy = self.root.board.access(source.get(), World::Normal, |page| Box::new(page.0));
        // The worst that a fault may leave.
        const ANY: u8 = 0xA5;
        self.page(held, |page| page.0 = copy.as_ref().map_or([ANY; GRANULE], |copy| **copy));
        copy.map(drop).map_err(|_| verbs::Fault)
    }

    fn hash(&self, held: &mut Held, algorithm: Hash) -> [u8; 64] {
        let mut field = [0; 64];
        self.page(held, |page| match algorithm {
            Hash::Sha256 => field[..32].copy_from_slice(&Sha256::digest(page.0)),
            Hash::Sha512 => field.copy_from_slice(&Sha512::digest(page.0)),
        });
        field
    }

    fn entry(&self, table: &Table, index: usize) -> u64 {
        self.realm(table.pa(), |page| u64::read_from_prefix(&page.0[index * 8..]).expect("an entry of a table").0)
    }

    fn set_entry(&self, table: &Table, index: usize, value: u64) {
        let at = table.pa().get() + index as u64 * 8;
        assert!(value & 1 == 0 || !self.tlb.came_by(at), "entry {at:#x} is another while a TLB came by the last");
        self.realm(table.pa(), |page| value.write_to_prefix(&mut page.0[index * 8..]).expect("an entry of a table"));
    }

    fn read_realm(&self, page: &RealmPage, offset: usize, into: &mut [u8]) {
        self.realm(page.pa(), |page| into.copy_from_slice(&page.0[offset..offset + into.len()]));
    }

    fn write_realm(&self, page: &RealmPage, offset: usize, from: &[u8]) {
        self.realm(page.pa(), |page| page.0[offset..offset + from.len()].copy_from_slice(from));
    }

    fn read_ns(&self, page: Pa, offset: usize, into: &mut [u8]) -> Result<(), verbs::Fault> {
        let copy = |page: &mut Page| into.copy_from_slice(&page.0[offset..offset + into.len()]);
        self.root.board.access(page.get(), World::Normal, copy).map_err(|_| verbs::Fault)
    }

    fn write_ns(&self, page: Pa, offset: usize, from: &[u8]) -> Result<(), verbs::Fault> {
        let copy = |page: &mut Page| page.0[offset..offset + from.len()].copy_from_slice(from);
        self.root.board.access(page.get(), World::Normal, copy).map_err(|_| verbs::Fault)
    }

    fn delegate(&self, pa: Pa) -> Result<(), El3Error> {
        self.call(&[wire::GTSI_DELEGATE.into(), pa.get()]).map(drop)
    }

    fn undelegate(&self, pa: Pa) -> Result<(), El3Error> {
        let zero = self.realm(pa, |page| page.0.iter().all(|byte| *byte == 0));
        assert!(zero, "granule {:#x} leaves the Realm world unwiped", pa.get());
        self.call(&[wire::GTSI_UNDELEGATE.into(), pa.get()]).map(drop)
    }

    fn invalidate(&self, realm: &RealmContext, scope: Scope) {
        self.tlb.invalidate(realm, scope);
    }

    fn load(&self, _: &RealmContext, _: &mut RecContext, _: &mut SimdContext) {
        assert!(!self.is_loaded().swap(true, Ordering::AcqRel), "a vCPU is loaded while another is");
    }

    fn run(&self, realm: &RealmContext, rec: &mut RecContext, _: &mut SimdContext) -> Exit {
        assert!(self.is_loaded().load(Ordering::Acquire), "a vCPU runs with the Normal world's registers");
        let key = (realm.vttbr, rec.vmpidr);
        let found = lock(&self.vcpus).remove(&key).filter(|vcpu| vcpu.continues(rec));
        let started = || lock(&self.programs).get(&rec.pc).map(|make| Vcpu::new(make()));
        let Some(mut vcpu) = found.or_else(started) else { panic!("no program at {:#x}", rec.pc) };
        let exit = self.execute(&mut vcpu, realm, rec);
        lock(&self.vcpus).insert(key, vcpu);
        exit
    }

    fn unload(&self, _: &RealmContext, _: &mut RecContext, _: &mut SimdContext) {
        assert!(self.is_loaded().swap(false, Ordering::AcqRel), "no vCPU is loaded");
    }

    fn translate(&self, _: &RecContext, address: u64, _: verbs::Access, _: bool) -> Option<u64> {
        Some(address & !(GRANULE_U64 - 1))
    }

    fn count(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::Relaxed)
    }

    fn irq_pending(&self) -> bool {
        self.interrupts.pending(crate::machine::current())
    }

    fn platform_token(&self, challenge: &[u8], into: &mut [u8]) -> Result<Hunk, El3Error> {
        let _turn = lock(&self.el3);
        self.root.board.shared()[..challenge.len()].copy_from_slice(challenge);
        let [pa, size] = buffer(into.len().min(GRANULE_U64 as usize));
        let [length, left] = self.call(&[wire::GET_PLAT_TOKEN.into(), pa, size, challenge.len() as u64])?;
        let (length, left) = (length as usize, left as usize);
        into[..length].copy_from_slice(&self.root.board.shared()[..length]);
        Ok(Hunk { length, left })
    }

    fn attestation_key(&self, into: &mut [u8; 97]) -> Result<(), El3Error> {
        let _turn = lock(&self.el3);
        let [pa, size] = buffer(into.len());
        self.call(&[wire::TOKEN_SIGN.into(), wire::SIGN_PUBLIC_KEY, pa, size, wire::CURVE_P384])?;
        into.copy_from_slice(&self.root.board.shared()[..97]);
        Ok(())
    }

    fn sign(&self, rec: Pa, digest: &[u8; 48], signature: &mut [u8; 96]) -> Result<(), El3Error> {
        let _turn = lock(&self.el3);
        let request = wire::SignRequest {
            sig_alg: wire::SIGN_ECDSA_P384,
            padding0: 0,
            rec_granule: rec.get(),
            ticket: 0,
            hash_alg: wire::SIGN_SHA384,
            hash: *digest,
            padding1: [0; 4],
        };
        self.root.board.shared()[..request.as_bytes().len()].copy_from_slice(request.as_bytes());
        let [pa, size] = buffer(GRANULE_U64 as usize);
        self.call(&[wire::TOKEN_SIGN.into(), wire::SIGN_PUSH, pa, size, wire::CURVE_P384])?;
        self.call(&[wire::TOKEN_SIGN.into(), wire::SIGN_PULL, pa, size, wire::CURVE_P384])?;
        let shared = self.root.board.shared();
        let (answer, _) = wire::SignResponse::read_from_prefix(&shared[..]).expect("the shared page holds a response");
        *signature = answer.sig;
        Ok(())
    }

    fn trace(&self, _: verbs::Interface, _: &[u64; 5], _: &[u64; 5]) {}

    fn stop(&self, why: &str) -> ! {
        panic!("the RMM stopped: {why}")
    }
}
