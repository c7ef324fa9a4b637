//! Builds a planned Realm through RMI, runs its vCPUs on the machine's CPUs, emulates its devices, and takes it down
//! to the last granule (RMM 1.0, A2–A6).
//!
//! Everything here runs on what [`Normal`] offers: the bare-metal host answers on the processor, a test in software.
//! What comes from the Realm (queues in shared memory, registers in exits) is checked before it is used: a wild Realm
//! harms itself.

pub mod attack;
mod build;
pub mod console;
mod count;
mod destroy;
mod error;
pub mod event;
mod fault;
pub mod gic;
mod ledger;
mod memory;
mod mmio;
pub mod pci;
pub mod pool;
pub mod queue;
mod ripas;
mod rmi;
mod run;
pub mod tree;

use alloc::vec::Vec;
use core::ops::Range;
use core::sync::atomic::{AtomicU8, Ordering};

use spin::Mutex;

use crate::config::Attack;
use crate::plan::{Plan, Realm};
pub use build::Sources;
pub use count::Counts;
pub use error::Error;
use gic::Gic;
use ledger::Ledger;
use memory::Memory;
use pci::Bus;
use rmi::Rmi;

/// What woke a CPU, or made a vCPU leave with an interrupt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Woken {
    /// The outside has sent bytes.
    pub input: bool,
}

/// How an access to memory was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Eight bytes were loaded.
    Read,
    /// Eight bytes were stored.
    Write,
    /// The CPU jumped there.
    Execute,
}

/// What the VMM asks of the Normal-world machine it runs on, from any of its CPUs.
///
/// A CPU's interrupts stay masked: they are taken by [`Normal::acknowledge`] alone, and one that arrives meanwhile makes
/// RMI_REC_ENTER return and [`Normal::wait`] end at once. That is what makes a kick impossible to lose.
pub trait Normal: Sync {
    /// Calls the firmware: x0 is the function identifier, then x1–x5; x0–x4 come back.
    fn smc(&self, function: u32, arguments: [u64; 5]) -> [u64; 5];
    /// Copies bytes out of a page that [`Normal::alloc`] gave.
    fn read(&self, address: u64, bytes: &mut [u8]);
    /// Copies bytes into a page that [`Normal::alloc`] gave.
    fn write(&self, address: u64, bytes: &[u8]);
    /// Loads a doubleword from a page that [`Normal::alloc`] gave.
    fn load(&self, address: u64) -> u64;
    /// Stores a doubleword to a page that [`Normal::alloc`] gave.
    fn store(&self, address: u64, value: u64);
    /// Takes `pages` granules side by side, aligned to all of them, filled with zeros.
    fn alloc(&self, pages: usize) -> Option<u64>;
    /// Gives back granules that [`Normal::alloc`] gave.
    fn free(&self, address: u64, pages: usize);
    /// Where [`Normal::alloc`]'s granules come from.
    fn dram(&self) -> Range<u64>;
    /// How many CPUs there are.
    fn cpus(&self) -> usize;
    /// Sends an interrupt to a CPU.
    fn kick(&self, cpu: usize);
    /// Takes every interrupt that is pending on this CPU.
    fn acknowledge(&self) -> Woken;
    /// Sleeps until an interrupt is pending on this CPU.
    fn wait(&self);
    /// Sends bytes to the outside on a channel (docs/architecture.md §5).
    fn output(&self, channel: u8, bytes: &[u8]);
    /// The next bytes from the outside with their channel.
    fn input(&self) -> Option<(u8, Vec<u8>)>;
    /// Tries an access that may fault; the syndrome (ESR_EL2) if it did.
    fn probe(&self, access: Access, address: u64) -> Option<u64>;
    /// Lets a device write a few bytes to an address; whether the device says that it did.
    fn device_write(&self, address: u64) -> bool;
    /// Writes the note that outlives a reset: runs of granules that are the Realm's. Then resets; returns if it cannot.
    fn reset_with_note(&self, granules: &[Range<u64>]);
}

/// Why a Realm does not run any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Stop {
    /// The guest powered off.
    SystemOff = 1,
    /// The guest asked for a reset: a new Realm would have to be built.
    Reset = 2,
    /// It did what cannot be continued.
    Fault = 3,
    /// The outside asked.
    Asked = 4,
}

impl Stop {
    /// The name in the `stopped` event.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Stop::SystemOff => "system-off",
            Stop::Reset => "reset",
            Stop::Fault => "fault",
            Stop::Asked => "asked",
        }
    }

    fn from_number(number: u8) -> Option<Self> {
        [Stop::SystemOff, Stop::Reset, Stop::Fault, Stop::Asked].into_iter().find(|stop| *stop as u8 == number)
    }
}

/// A vCPU: its REC and the page through which it is entered.
#[derive(Clone, Debug)]
struct Vcpu {
    rec: u64,
    aux: Vec<u64>,
    run: u64,
}

/// A Realm and all that belongs to it in the Normal world.
pub struct Vm<'m, N: Normal> {
    machine: &'m N,
    realm: Realm,
    rd: u64,
    roots: u64,
    created: bool,
    vcpus: Vec<Vcpu>,
    ledger: Mutex<Ledger>,
    tables: Mutex<Vec<(i64, u64)>>,
    memory: Mutex<Memory>,
    gic: Mutex<Gic>,
    bus: Mutex<Bus>,
    counts: Mutex<Counts>,
    attack: attack::Stage,
    stopped: AtomicU8,
}

impl<'m, N: Normal> Vm<'m, N> {
    /// A Realm that is not there yet: [`Vm::build`] makes it.
    ///
    /// # Errors
    /// The RMM speaks another version of RMI, or does not offer what the plan needs.
    pub fn new(machine: &'m N, plan: &Plan, attack: Option<Attack>) -> Result<Self, Error> {
        let lists = Rmi::new(machine).check_features(&plan.realm)?;
        let vcpus = plan.steps.iter().filter(|step| matches!(step, crate::plan::Step::Rec(_))).count();
        Ok(Self {
            machine,
            realm: plan.realm,
            rd: 0,
            roots: 0,
            created: false,
            vcpus: Vec::new(),
            ledger: Mutex::new(Ledger::new(machine.dram())),
            tables: Mutex::new(Vec::new()),
            memory: Mutex::new(Memory::new(plan.ram.clone())),
            gic: Mutex::new(Gic::new(vcpus, lists)),
            bus: Mutex::new(Bus::new()),
            counts: Mutex::new(Counts::default()),
            attack: attack::Stage::new(attack),
            stopped: AtomicU8::new(0),
        })
    }

    /// Why it stopped; `None` while it runs.
    #[must_use]
    pub fn stopped(&self) -> Option<Stop> {
        Stop::from_number(self.stopped.load(Ordering::Acquire))
    }

    /// What made vCPUs leave, of all that have stopped.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts.lock().clone()
    }

    /// Ends the Realm's run on every CPU; the first reason stands.
    pub fn stop(&self, why: Stop) {
        let _ = self.stopped.compare_exchange(0, why as u8, Ordering::AcqRel, Ordering::Acquire);
        (0..self.machine.cpus()).for_each(|cpu| self.machine.kick(cpu));
    }

    fn rmi(&self) -> Rmi<'m, N> {
        Rmi::new(self.machine)
    }
}
