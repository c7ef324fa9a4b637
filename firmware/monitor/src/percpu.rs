//! One CPU's record and, below it, its stack.

use crate::el2::El2;
use crate::worlds;
use core::arch::global_asm;
use core::mem::offset_of;
use monitor::{Core, Registers, World};

/// What the CPU keeps for a world that does not run, beside its general registers.
pub struct Side {
    /// EL2 and other registers of which the processor has one set for both worlds.
    pub el2: El2,
    /// Where the world resumes.
    pub elr: u64,
    /// Its PSTATE.
    pub spsr: u64,
    /// SCR_EL3 while it runs; constant.
    pub scr: u64,
}

/// One CPU's record. SP_EL3 points at it while a lower level runs.
#[repr(C, align(16))]
pub struct Percpu {
    /// General registers of the world that runs: where the vectors save them. First, as the vectors expect.
    pub current: *mut Registers,
    /// What the monitor keeps.
    pub core: Core,
    /// The world that runs.
    pub running: World,
    /// The Normal world.
    pub normal: Side,
    /// The Realm world.
    pub realm: Side,
}

const SLOT: usize = 0x4_0000;
const CPUS: usize = abi::map::MAX_CPUS;

/// Stack and record of one CPU; the stack grows down from the record, zero is a fine start for both.
#[repr(C, align(4096))]
struct Slot {
    stack: [u8; SLOT - size_of::<Percpu>()],
    record: core::mem::MaybeUninit<Percpu>,
}

static mut SLOTS: [Slot; CPUS] =
    [const { Slot { stack: [0; SLOT - size_of::<Percpu>()], record: core::mem::MaybeUninit::zeroed() } }; CPUS];

/// Where the stack is when EL3's own stack may have failed.
#[repr(C, align(16))]
pub struct LastStack([u8; LAST_STACK]);
const LAST_STACK: usize = 0x2000;
static mut LAST: LastStack = LastStack([0; LAST_STACK]);

global_asm!(
    include_str!("entry.s"),
    cold = sym crate::cold::cold,
    warm = sym crate::start::warm,
    slots = sym SLOTS,
    slot_size = const SLOT,
    record_offset = const offset_of!(Slot, record),
);

global_asm!(
    include_str!("vectors.s"),
    synchronous = sym crate::smc::synchronous,
    fiq = sym crate::interrupts::fiq,
    unexpected = sym crate::fault::unexpected,
    own = sym crate::fault::own,
    last_stack = sym LAST,
    last_stack_size = const LAST_STACK,
);

impl Percpu {
    /// A record of CPU `number` for a world switch that has not happened yet.
    pub fn new(number: usize) -> Percpu {
        let side = |world| Side { el2: El2::initial(), elr: 0, spsr: worlds::FIRST_PSTATE, scr: worlds::scr(world) };
        Percpu {
            current: core::ptr::null_mut(),
            core: Core::new(number),
            running: World::Realm,
            normal: side(World::Normal),
            realm: side(World::Realm),
        }
    }

    /// Says which world runs from here on; its registers are those that the vectors save and restore.
    #[inline(always)]
    pub fn run(&mut self, world: World) {
        self.running = world;
        self.current = if world == World::Realm { &raw mut self.core.realm } else { &raw mut self.core.normal };
    }
}

/// Addresses of the lowest page of each stack, which is not mapped, so that a stack that grows too far faults.
pub fn guards() -> impl Iterator<Item = u64> {
    (0..CPUS).map(|cpu| &raw const SLOTS as u64 + (cpu * SLOT) as u64)
}
