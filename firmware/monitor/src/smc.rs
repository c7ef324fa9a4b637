//! Synchronous exceptions of the worlds: SMCs, and what EL3 traps.

use crate::percpu::Percpu;
use crate::{fault, machine, start, worlds};
use cpu::{read, write};
use monitor::exception::{self, Taker};
use monitor::{Next, World};

const SMC64: u64 = 0x17;
const SMC32: u64 = 0x13;
const GPC: u64 = 0x1e;
const ABORTS: [u64; 3] = [0x20, 0x24, 0x2f];

/// Every synchronous exception from a lower level, in AArch64 or AArch32.
pub extern "C" fn synchronous(percpu: &mut Percpu) {
    let class = read!(esr_el3) >> 26 & 0x3f;
    if class == SMC64 {
        smc(percpu);
    } else {
        other(percpu, class);
    }
}

#[inline(always)]
fn smc(percpu: &mut Percpu) {
    let machine = machine::get();
    let from = percpu.running;
    match machine.monitor.smc(&machine.hardware, &mut percpu.core, from) {
        Next::Same => {}
        Next::Switch(to) => worlds::switch(percpu, to),
        next => leave(percpu, next),
    }
}

#[cold]
fn leave(percpu: &mut Percpu, next: Next) {
    match next {
        Next::Same | Next::Switch(_) => {}
        Next::Standby => cpu::barrier::wait_for_interrupt(),
        Next::Park => start::park(percpu),
        Next::PowerOff => machine::power().off(),
        Next::Reset => machine::power().reset(),
    }
}

#[cold]
fn other(percpu: &mut Percpu, class: u64) {
    if class == GPC || ABORTS.contains(&class) {
        fault::lower(percpu);
    }
    if class == SMC32 {
        // AArch32 has none of our calls.
        let registers = if percpu.running == World::Realm { &mut percpu.core.realm } else { &mut percpu.core.normal };
        registers.set(&[abi::smccc::NOT_SUPPORTED]);
        return;
    }
    inject_undefined();
}

/// An instruction that EL3 traps does not exist for the level that used it: it gets an exception of unknown reason.
fn inject_undefined() {
    const UNKNOWN: u64 = 1 << 25;
    const TGE: u64 = 1 << 27;
    const E2H: u64 = 1 << 34;
    const AARCH32: u64 = 1 << 4;
    let (elr, spsr, hcr) = (read!(elr_el3), read!(spsr_el3), read!(hcr_el2));
    let nmi = read!(id_aa64pfr1_el1) >> 36 & 0xf != 0;
    let to_el2 = exception::level(spsr) == 2 || spsr & AARCH32 != 0 || hcr & TGE != 0;
    let (taker, vectors) = if to_el2 {
        write!(esr_el2, UNKNOWN);
        write!(elr_el2, elr);
        write!(spsr_el2, spsr);
        (Taker { level: 2, sctlr: read!(sctlr_el2), has_el0: hcr & TGE != 0 && hcr & E2H != 0, nmi }, read!(vbar_el2))
    } else {
        write!(esr_el1, UNKNOWN);
        write!(elr_el1, elr);
        write!(spsr_el1, spsr);
        (Taker { level: 1, sctlr: read!(sctlr_el1), has_el0: true, nmi }, read!(vbar_el1))
    };
    write!(elr_el3, vectors.wrapping_add(taker.vector(spsr)));
    write!(spsr_el3, taker.pstate(spsr));
}
