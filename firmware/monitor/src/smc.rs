//! Synchronous exceptions of the worlds: SMCs, and what EL3 traps.

use crate::percpu::Percpu;
use crate::{fault, machine, start, worlds};
use cpu::{read, write};
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
    const TRAP_GENERAL: u64 = 1 << 27;
    let (elr, spsr) = (read!(elr_el3), read!(spsr_el3));
    let aarch32 = spsr & 0x10 != 0;
    let level = if aarch32 { 0 } else { spsr >> 2 & 3 };
    let to_el2 = level == 2 || aarch32 || read!(hcr_el2) & TRAP_GENERAL != 0;
    let target = if to_el2 { 2 } else { 1 };
    let offset = match (aarch32, level == target, spsr & 1) {
        (true, _, _) => 0x600,
        (false, false, _) => 0x400,
        (false, true, 0) => 0,
        (false, true, _) => 0x200,
    };
    let vectors = if to_el2 {
        write!(esr_el2, UNKNOWN);
        write!(elr_el2, elr);
        write!(spsr_el2, spsr);
        read!(vbar_el2)
    } else {
        write!(esr_el1, UNKNOWN);
        write!(elr_el1, elr);
        write!(spsr_el1, spsr);
        read!(vbar_el1)
    };
    write!(elr_el3, vectors.wrapping_add(offset));
    write!(spsr_el3, 0x3c1 | target << 2);
}
