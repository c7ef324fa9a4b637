//! Timers: when the host has to hear of them, and when they are kept from this CPU (RMM 1.0, A6.2).
//!
//! A timer that fires while the vCPU runs is a physical interrupt, which makes the vCPU leave. The host then injects a
//! virtual one. While the timer stays asserted its physical interrupt is hidden, or the vCPU would leave at once, for
//! ever.

use crate::rec::Rec;
use abi::rmi::RecExit;

const ENABLE: u64 = 1;
const IMASK: u64 = 1 << 1;
const ISTATUS: u64 = 1 << 2;

const VIRTUAL: u64 = 1;
const PHYSICAL: u64 = 1 << 1;

/// Gives a timer's control register with ISTATUS as of `count`.
const fn control(count: u64, ctl: u64, cval: u64) -> u64 {
    let set = ctl & (ENABLE | IMASK);
    if set & ENABLE != 0 && count >= cval { set | ISTATUS } else { set }
}

const fn asserted(ctl: u64) -> bool {
    ctl & (ENABLE | IMASK | ISTATUS) == ENABLE | ISTATUS
}

const fn levels(ctl_virtual: u64, ctl_physical: u64) -> u64 {
    (if asserted(ctl_virtual) { VIRTUAL } else { 0 }) | (if asserted(ctl_physical) { PHYSICAL } else { 0 })
}

/// Prepares the timers for a run; not if the host was told another level of one of them, which it has to know first.
pub const fn settle(count: u64, rec: &mut Rec) -> bool {
    let timers = &mut rec.context.timers;
    let now =
        levels(control(count, timers.cntv_ctl, timers.cntv_cval), control(count, timers.cntp_ctl, timers.cntp_cval));
    timers.hide_virtual = now & VIRTUAL;
    timers.hide_physical = (now & PHYSICAL) >> 1;
    now == rec.reported_timers
}

/// Tells the host the timers, and notes what it was told.
pub const fn report(count: u64, rec: &mut Rec, exit: &mut RecExit) {
    let timers = &rec.context.timers;
    exit.cntv_ctl = control(count, timers.cntv_ctl, timers.cntv_cval);
    exit.cntv_cval = timers.cntv_cval;
    exit.cntp_ctl = control(count, timers.cntp_ctl, timers.cntp_cval);
    exit.cntp_cval = timers.cntp_cval;
    rec.reported_timers = levels(exit.cntv_ctl, exit.cntp_ctl);
}
