//! Attacks that the Normal-world host carries out on its own Realm, each of which the firmware must refuse.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::hint::spin_loop;
use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};

use abi::{GRANULE_U64, map};
use spin::Mutex;

use super::event::Event;
use super::memory::Page;
use super::{Access, Error, Normal, Vm};
use crate::config::Attack;

/// Channel whose first bytes from the guest say that it is up.
pub const SIGN_OF_LIFE: u8 = b'A';

const IDLE: u8 = 0;
/// The other CPU is asked to touch the page while it is Non-secure.
const WARM: u8 = 1;
/// It has, and spins without leaving the Normal world, so that its TLB stays warm.
const WARMED: u8 = 2;
/// The page is the Realm's: now.
const STRIKE: u8 = 3;
/// The other CPU is done.
const STRUCK: u8 = 4;

/// Syndrome of a granule protection fault on a data access from EL2 (Arm DDI 0487, D24.2.40).
const GPF_DATA: u64 = 0x25 << 26 | 0x28;
/// The same on an instruction fetch.
const GPF_FETCH: u64 = 0x21 << 26 | 0x28;
const EC_AND_STATUS: u64 = 0x3F << 26 | 0x3F;

/// One access and what came of it.
#[derive(Clone, Copy, Debug)]
struct Strike {
    what: &'static str,
    cpu: usize,
    access: Access,
    address: u64,
    esr: Option<u64>,
}

impl Strike {
    /// It was refused by granule protection, not by something else.
    fn refused(&self) -> bool {
        let expected = if self.access == Access::Execute { GPF_FETCH } else { GPF_DATA };
        self.esr.is_some_and(|esr| esr & EC_AND_STATUS == expected)
    }

    fn json(&self) -> String {
        let op = match self.access {
            Access::Read => "read",
            Access::Write => "write",
            Access::Execute => "execute",
        };
        let esr = self.esr.map_or(String::from("null"), |esr| format!("\"{esr:#x}\""));
        let Strike { what, cpu, address, .. } = self;
        format!(
            "{{\"op\":\"{op}\",\"what\":\"{what}\",\"cpu\":{cpu},\"address\":\"{address:#x}\",\"world\":\"realm\",\"esr\":{esr}}}"
        )
    }
}

/// Where an attack stands; the director is the vCPU's CPU that first sees the guest up.
#[derive(Debug)]
pub struct Stage {
    attack: Option<Attack>,
    up: AtomicBool,
    begun: AtomicBool,
    phase: AtomicU8,
    striker: AtomicUsize,
    target: AtomicU64,
    strikes: Mutex<Vec<Strike>>,
}

impl Stage {
    /// The stage of an attack, or of none.
    pub(super) fn new(attack: Option<Attack>) -> Self {
        Self {
            attack,
            up: AtomicBool::new(false),
            begun: AtomicBool::new(false),
            phase: AtomicU8::new(IDLE),
            striker: AtomicUsize::new(usize::MAX),
            target: AtomicU64::new(0),
            strikes: Mutex::new(Vec::new()),
        }
    }

    /// Notes that the guest has spoken.
    pub(super) fn guest_is_up(&self) {
        self.up.store(true, Ordering::Release);
    }

    /// Says whether this CPU is asked to take part.
    pub(super) fn calls(&self, cpu: usize) -> bool {
        self.phase.load(Ordering::Acquire) == WARM && self.striker.load(Ordering::Acquire) == cpu
    }

    fn begins(&self) -> Option<Attack> {
        let attack = self.attack.filter(|_| self.up.load(Ordering::Acquire))?;
        (!self.begun.swap(true, Ordering::AcqRel)).then_some(attack)
    }
}

impl<N: Normal> Vm<'_, N> {
    /// Begins the configured attack once the guest is up, between two runs of its vCPU.
    pub(super) fn direct(&self, cpu: usize) -> Result<(), Error> {
        match self.attack.begins() {
            Some(Attack::Peek) => self.peek(cpu),
            Some(Attack::Dma) => self.dma(),
            Some(Attack::ResetPeek) => {
                let runs = self.ledger.lock().runs();
                self.machine.reset_with_note(&runs);
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Takes the other CPU's part in a peek: touch the pages, wait, strike.
    pub(super) fn assist(&self, cpu: usize) {
        if !self.attack.calls(cpu) {
            return;
        }
        let target = self.attack.target.load(Ordering::Acquire);
        self.touch(target);
        self.attack.phase.store(WARMED, Ordering::Release);
        if self.reached(STRIKE) {
            self.strike_all(cpu, target);
            self.attack.phase.store(STRUCK, Ordering::Release);
        }
    }

    /// Waits for a phase of the other CPU; `false` if the Realm stops first.
    fn reached(&self, phase: u8) -> bool {
        while self.attack.phase.load(Ordering::Acquire) != phase {
            if self.stopped().is_some() {
                return false;
            }
            spin_loop();
        }
        true
    }

    /// Reads, writes and executes a Realm granule from this CPU and from one whose TLB knows it as Non-secure.
    fn peek(&self, cpu: usize) -> Result<(), Error> {
        let pair = self.machine.alloc(2).ok_or(Error::NoMemory)?;
        let target = pair + GRANULE_U64;
        let other = (0..self.machine.cpus()).rev().find(|other| *other != cpu);
        self.attack.target.store(target, Ordering::Release);
        if let Some(other) = other {
            self.attack.striker.store(other, Ordering::Release);
            self.attack.phase.store(WARM, Ordering::Release);
            self.machine.kick(other);
            if !self.reached(WARMED) {
                self.machine.free(pair, 2);
                return Ok(());
            }
        }
        self.touch(target);
        self.make_realms(target)?;
        if other.is_some() {
            self.attack.phase.store(STRIKE, Ordering::Release);
            if !self.reached(STRUCK) {
                return Ok(());
            }
        }
        self.strike_all(cpu, target);
        self.strike(cpu, "realm descriptor", Access::Read, self.rd);
        self.strike(cpu, "rmm", Access::Read, map::RMM);
        self.report_peek();
        self.machine.free(pair, 1);
        Ok(())
    }

    /// Makes an own granule private content of the Realm, at an address that it has not used yet.
    fn make_realms(&self, granule: u64) -> Result<(), Error> {
        self.rmi().delegate(granule)?;
        self.ledger.lock().give(granule);
        let ipa = {
            let mut memory = self.memory.lock();
            let ipa = memory.last_unassigned().ok_or(Error::NoMemory)?;
            memory.set(ipa, Page::Claimed);
            ipa
        };
        self.assign_granule(ipa, granule).map(drop)
    }

    fn touch(&self, target: u64) {
        for access in [Access::Read, Access::Write] {
            self.machine.probe(access, target);
            self.machine.probe(access, target - 8);
        }
    }

    fn strike_all(&self, cpu: usize, target: u64) {
        for access in [Access::Read, Access::Write, Access::Execute] {
            self.strike(cpu, "data", access, target);
        }
        // Begins in a Non-secure page, ends in the Realm's.
        for access in [Access::Read, Access::Write] {
            self.strike(cpu, "data across the boundary", access, target - 4);
        }
    }

    fn strike(&self, cpu: usize, what: &'static str, access: Access, address: u64) {
        let esr = self.machine.probe(access, address);
        self.attack.strikes.lock().push(Strike { what, cpu, access, address, esr });
    }

    fn report_peek(&self) {
        let strikes = core::mem::take(&mut *self.attack.strikes.lock());
        let through = strikes.iter().filter(|strike| !strike.refused()).count();
        let detail = match through {
            0 => format!("{} accesses to Realm granules, each faulted", strikes.len()),
            _ => format!("{through} of {} accesses to Realm granules went through", strikes.len()),
        };
        let accesses: Vec<String> = strikes.iter().map(Strike::json).collect();
        report(self.machine, Attack::Peek, through == 0, &detail, &format!("[{}]", accesses.join(",")));
    }

    /// A device's write: to secure RAM it must fail; to a Realm granule it succeeds, for want of an SMMU that checks.
    fn dma(&self) -> Result<(), Error> {
        let granule = self.machine.alloc(1).ok_or(Error::NoMemory)?;
        self.make_realms(granule)?;
        let secure = self.machine.device_write(map::GPT);
        let realm = self.machine.device_write(granule);
        let word = |done: bool| if done { "went through" } else { "failed" };
        let detail = format!(
            "DMA to secure RAM {:#x} {}; DMA to Realm granule {granule:#x} {}: the emulated machine's DMA is not checked against granule protection in DRAM, its stated limit",
            map::GPT,
            word(secure),
            word(realm),
        );
        let accesses = format!(
            "[{{\"op\":\"dma\",\"what\":\"secure RAM\",\"address\":\"{:#x}\",\"world\":\"root\",\"done\":{secure}}},{{\"op\":\"dma\",\"what\":\"data\",\"address\":\"{granule:#x}\",\"world\":\"realm\",\"done\":{realm}}}]",
            map::GPT
        );
        report(self.machine, Attack::Dma, !secure, &detail, &accesses);
        Ok(())
    }
}

/// Sends the `attack` event; `accesses` is a JSON array.
pub fn report<N: Normal>(machine: &N, attack: Attack, refused: bool, detail: &str, accesses: &str) {
    let outcome = if refused { "refused" } else { "succeeded" };
    let event = Event::new("attack").text("name", attack.name()).text("outcome", outcome).text("detail", detail);
    event.json("accesses", accesses).send(machine);
}
