//! The EL1 timers (Arm ARM, D12). A vCPU owns both while it runs; EL2's own timers are the host's and keep running.

use crate::el1::put;
use crate::gic;
use rmm::rec::context::Timers;

/// CNTHCTL_EL2 with E2H = 0: EL1 may use the physical counter (bit 0) and timer (bit 1).
const OPEN: u64 = 3;
const HIDE_VIRTUAL: u64 = 1 << 18;
const HIDE_PHYSICAL: u64 = 1 << 19;
const VIRTUAL_INTERRUPT: u64 = 27;
const PHYSICAL_INTERRUPT: u64 = 30;
/// Reads of the interrupt controller before a hidden interrupt that does not go away is left to interrupt the entry.
const PATIENCE: usize = 1_000;

/// Saves both timers.
pub fn save(into: &mut Timers) {
    into.cntp_ctl = cpu::read!(cntp_ctl_el0);
    into.cntp_cval = cpu::read!(cntp_cval_el0);
    into.cntv_ctl = cpu::read!(cntv_ctl_el0);
    into.cntv_cval = cpu::read!(cntv_cval_el0);
}

/// Loads both timers, the comparison first: the control would otherwise fire by the old one.
pub fn load(from: &Timers) {
    put!(cntp_cval_el0, from.cntp_cval);
    put!(cntp_ctl_el0, from.cntp_ctl);
    put!(cntv_cval_el0, from.cntv_cval);
    put!(cntv_ctl_el0, from.cntv_ctl);
    cpu::barrier::isb();
}

/// Hides the interrupts that the vCPU's entry wants hidden, and waits until they are.
pub fn hide(timers: &Timers) {
    mask(timers.hide_virtual != 0, timers.hide_physical != 0);
    for _ in 0..PATIENCE {
        match gic::highest_pending() {
            VIRTUAL_INTERRUPT if timers.hide_virtual != 0 => {}
            PHYSICAL_INTERRUPT if timers.hide_physical != 0 => {}
            _ => return,
        }
    }
}

/// Hides nothing.
pub fn show() {
    mask(false, false);
}

/// Sets the two mask bits one after the other: QEMU acts on only one of them in a write that changes both.
fn mask(hide_virtual: bool, hide_physical: bool) {
    let before = cpu::read!(cnthctl_el2);
    let first = OPEN | before & HIDE_PHYSICAL | if hide_virtual { HIDE_VIRTUAL } else { 0 };
    let then = first & !HIDE_PHYSICAL | if hide_physical { HIDE_PHYSICAL } else { 0 };
    if first != before {
        cpu::write!(cnthctl_el2, first);
    }
    if then != first {
        cpu::write!(cnthctl_el2, then);
    }
    cpu::barrier::isb();
}
