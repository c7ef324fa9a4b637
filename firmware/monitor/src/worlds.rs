//! Which world runs below EL3 (SCR_EL3), and the switch between them.

use crate::el2::El2;
use crate::percpu::Percpu;
use cpu::{read, write};
use monitor::World;

/// PSTATE of a world's first instruction: EL2 with its own stack pointer, all interrupts masked.
pub const FIRST_PSTATE: u64 = 0x3c9;

/// RES1, FIQ to EL3, HVC on, AArch64, pointer authentication, EL2 in all states, fine-grained traps, counter
/// virtualisation and HCRX_EL2. Not EA nor GPF: aborts and granule protection faults go to the EL2 that caused them.
/// No other optional register group: what is not switched traps (docs/world-switch.md).
const COMMON: u64 = 3 << 4 | 1 << 2 | 1 << 8 | 1 << 10 | 1 << 16 | 1 << 17 | 1 << 18 | 1 << 27 | 1 << 28 | 1 << 38;
const NS: u64 = 1;
const NSE: u64 = 1 << 62;
/// Instructions are fetched from the world's own memory only.
const SIF: u64 = 1 << 9;

/// SCR_EL3 while the Normal world runs.
pub const NORMAL: u64 = COMMON | NS;
/// SCR_EL3 while the Realm world runs.
pub const REALM: u64 = COMMON | NS | NSE | SIF;
/// SCR_EL3 for EL3's own use of the interrupt controller: the Secure bank.
pub const SECURE: u64 = COMMON;

/// Gives SCR_EL3 of a world.
pub const fn scr(world: World) -> u64 {
    match world {
        World::Normal => NORMAL,
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
    write!(scr_el3, scr(to));
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
