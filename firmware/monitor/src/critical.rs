//! Mutual exclusion for the tables of P-384's crate, which are made at their first use: by CPU 0, before any world runs.

use core::sync::atomic::{AtomicUsize, Ordering};

const NOBODY: usize = usize::MAX;

/// Number of the CPU that is in a critical section.
static INSIDE: AtomicUsize = AtomicUsize::new(NOBODY);

struct OneCpu;

critical_section::set_impl!(OneCpu);

// SAFETY: EL3 takes no interrupt to itself, so a section is exclusive once no other CPU is in one; the restore state tells
// whether this CPU was in one before.
unsafe impl critical_section::Impl for OneCpu {
    unsafe fn acquire() -> bool {
        let own = cpu::register::cpu_number();
        while let Err(inside) = INSIDE.compare_exchange(NOBODY, own, Ordering::Acquire, Ordering::Relaxed) {
            if inside == own {
                return true;
            }
            core::hint::spin_loop();
        }
        false
    }

    unsafe fn release(nested: bool) {
        if !nested {
            INSIDE.store(NOBODY, Ordering::Release);
        }
    }
}
