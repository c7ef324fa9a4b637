//! The interrupt controller at EL3: set-up, the wake-up of parked CPUs, and secure interrupts.

use crate::percpu::Percpu;
use crate::worlds::{NORMAL, SECURE};
use abi::map;
use cpu::gic::{self, Distributor, Redistributor};
use cpu::{barrier, read, write};

/// Software interrupts 8 to 15 belong to EL3.
const SECURE_SGIS: u32 = 0xff00;
const BOTH_GROUPS: u64 = 3;
const SECURE_GROUP: u64 = 2;

/// Sets up the distributor and the redistributors of `cpus` CPUs; `false` if there are fewer.
pub fn set_up(cpus: usize) -> bool {
    // SAFETY: the GIC's pages are mapped as Device memory; nobody else drives it yet.
    let distributor = unsafe { Distributor::new(map::GICD as usize) };
    distributor.enable_all_groups();
    for number in 0..cpus {
        // SAFETY: as above; the loop ends at the last CPU's redistributor.
        let redistributor = unsafe { Redistributor::new(map::GICR as usize, number) };
        redistributor.wake();
        redistributor.reserve_secure(SECURE_SGIS);
        redistributor.enable(map::WAKE_SGI, 0);
        if redistributor.is_last() {
            return number + 1 == cpus;
        }
    }
    true
}

/// Opens this CPU's interface: system registers for every level and state, both group 1s, all priorities.
pub fn open() {
    write!(icc_sre_el3, 0xf);
    barrier::isb();
    for state in [NORMAL, SECURE] {
        write!(scr_el3, state);
        barrier::isb();
        write!(S3_4_C12_C9_5, 0xf);
        write!(icc_sre_el1, 7);
        barrier::isb();
    }
    // Boot may have left the interrupt that woke this CPU active.
    const IDLE: u64 = 0xff;
    if read!(icc_rpr_el1) & 0xff != IDLE {
        gic::end(map::WAKE_SGI);
    }
    write!(icc_pmr_el1, 0xff);
    write!(icc_igrpen1_el3, BOTH_GROUPS);
    barrier::isb();
}

/// Sends the wake-up interrupt from the Secure bank, then goes back to the world that asked for it.
pub fn wake(cpu: usize) {
    let world = read!(scr_el3);
    write!(scr_el3, SECURE);
    barrier::isb();
    gic::send(map::WAKE_SGI, cpu);
    write!(scr_el3, world);
    barrier::isb();
}

/// Sleeps until a secure interrupt has come, and ends it. Nothing of the Normal world wakes this CPU meanwhile.
pub fn sleep() {
    write!(scr_el3, SECURE);
    write!(icc_igrpen1_el3, SECURE_GROUP);
    barrier::isb();
    while !take() {
        barrier::wait_for_interrupt();
    }
}

/// A secure interrupt while a world runs: a wake-up that came too late for a CPU that is on.
pub extern "C" fn fiq(_: &mut Percpu) {
    let world = read!(scr_el3);
    write!(scr_el3, SECURE);
    barrier::isb();
    while take() {}
    write!(scr_el3, world);
    barrier::isb();
}

/// Acknowledges and ends a pending secure interrupt; `false` if there is none.
fn take() -> bool {
    let interrupt = gic::acknowledge();
    if interrupt >= gic::SPURIOUS - 3 {
        return false;
    }
    gic::end(interrupt);
    true
}
