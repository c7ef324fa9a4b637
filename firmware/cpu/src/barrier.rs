//! Barriers and waiting.

use core::arch::asm;

/// Waits until every register write before it is seen by every instruction after it.
#[inline(always)]
pub fn isb() {
    // SAFETY: a barrier touches nothing.
    unsafe { asm!("isb", options(nostack, preserves_flags)) }
}

/// Waits until every memory access and TLB invalidation before it is complete for the whole system.
#[inline(always)]
pub fn dsb() {
    // SAFETY: a barrier touches nothing.
    unsafe { asm!("dsb sy", options(nostack, preserves_flags)) }
}

/// Sleeps until an interrupt is pending, masked or not; may wake for no reason.
#[inline(always)]
pub fn wait_for_interrupt() {
    // SAFETY: sleeping touches nothing.
    unsafe { asm!("dsb sy", "wfi", options(nostack, preserves_flags)) }
}

/// Sleeps for ever.
pub fn halt() -> ! {
    loop {
        wait_for_interrupt();
    }
}
