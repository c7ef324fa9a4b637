//! Which world runs below EL3 (SCR_EL3), and the switch between them.

use crate::el2::El2;
use crate::percpu::Percpu;
use cpu::{read, write};
use monitor::World;

/// PSTATE of a world's first instruction: EL2 with its own stack pointer, all interrupts masked.
pub const FIRST_PSTATE: u64 = 0x3c9;

/// RES1, FIQ to EL3, HVC on, AArch64, pointer authentication, EL2 in all states, fine-grained traps, counter
/// virtualisation and HCRX_EL2. Not EA nor GPF: aborts and granule protection faults go to the EL2 that caused them.
/// No other optional register group: what is not switched is one world's alone ([`optional`]; docs/world-switch.md).
const COMMON: u64 = 3 << 4 | 1 << 2 | 1 << 8 | 1 << 10 | 1 << 16 | 1 << 17 | 1 << 18 | 1 << 27 | 1 << 28 | 1 << 38;
const NS: u64 = 1;
const NSE: u64 = 1 << 62;
/// Instructions are fetched from the world's own memory only.
const SIF: u64 = 1 << 9;

/// SCR_EL3 for the Non-secure bank of the interrupt controller, and of the Normal world but for what [`optional`] adds.
pub const NORMAL: u64 = COMMON | NS;
/// SCR_EL3 while the Realm world runs.
pub const REALM: u64 = COMMON | NS | NSE | SIF;
/// SCR_EL3 for EL3's own use of the interrupt controller: the Secure bank.
pub const SECURE: u64 = COMMON;

/// What the processor's ID registers promise the Normal world and a bit of SCR_EL3 would withhold. The Realm world has
/// none of it: there these registers trap and have no effect, so that the Normal world's values stay where they are.
fn optional() -> u64 {
    let (pfr0, pfr1, pfr2) = (read!(id_aa64pfr0_el1), read!(id_aa64pfr1_el1), read!(S3_0_C0_C4_2));
    let (mmfr0, mmfr3, isar1) = (read!(id_aa64mmfr0_el1), read!(S3_0_C0_C7_3), read!(id_aa64isar1_el1));
    let field = |register: u64, at: u32, least: u64| register >> at & 0xf >= least;
    let extended = mmfr3 & 0x00ff_ff00 != 0;
    [
        (field(pfr0, 56, 2), 25),  // SCXTNUM
        (field(pfr1, 8, 2), 26),   // allocation tags
        (field(pfr0, 44, 2), 35),  // offsets of activity monitors
        (field(isar1, 60, 3), 36), // ACCDATA
        (field(pfr1, 44, 1), 39),  // guarded control stacks
        (field(pfr1, 24, 1), 41),  // TPIDR2
        (field(pfr1, 48, 1), 42),  // RCWMASK
        (field(mmfr3, 0, 1), 43),  // TCR2
        (field(mmfr3, 4, 1), 44),  // SCTLR2
        (extended, 45),            // permission indirection and overlays
        (field(mmfr3, 24, 1), 46), // MAIR2
        (field(mmfr3, 32, 1), 47), // 128-bit translation
        (field(pfr2, 32, 1), 50),  // FPMR
        (field(mmfr0, 56, 2), 59), // HFGRTR2 and its kin
    ]
    .iter()
    .fold(0, |bits, (has, bit)| if *has { bits | 1 << bit } else { bits })
}

/// Gives SCR_EL3 of a world.
pub fn scr(world: World) -> u64 {
    match world {
        World::Normal => NORMAL | optional(),
        World::Realm => REALM,
        World::Secure => SECURE,
    }
}

/// Saves the world that runs and loads the other.
#[inline(always)]
pub fn switch(percpu: &mut Percpu, to: World) {
    let (leaves, enters) = match to {
        World::Realm => (&mut percpu.normal, &mut percpu.realm),
        World::Normal | World::Secure => (&mut percpu.realm, &mut percpu.normal),
    };
    El2::exchange(&mut leaves.el2, &enters.el2);
    leaves.elr = read!(elr_el3);
    leaves.spsr = read!(spsr_el3);
    write!(elr_el3, enters.elr);
    write!(spsr_el3, enters.spsr);
    write!(scr_el3, enters.scr);
    percpu.run(to);
}

/// Makes the Realm world the one that `resume` enters, from its first instruction.
pub fn enter_realm(percpu: &mut Percpu) {
    write!(scr_el3, REALM);
    cpu::barrier::isb();
    percpu.realm.el2.load();
    write!(elr_el3, percpu.realm.elr);
    write!(spsr_el3, percpu.realm.spsr);
    percpu.run(World::Realm);
}
