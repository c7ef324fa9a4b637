//! Invalidation of translations and of cached granule protection.

use core::arch::asm;

macro_rules! invalidation {
    ($(#[$doc:meta])* $name:ident, $($instruction:literal),+) => {
        $(#[$doc])*
        #[inline(always)]
        pub fn $name() {
            // SAFETY: forgetting cached translations is always allowed; the next access walks the tables again.
            unsafe { asm!("dsb sy", $($instruction,)+ "dsb sy", "isb", options(nostack, preserves_flags)) }
        }
    };
}

invalidation!(
    /// Forgets all EL2 translations of this CPU.
    all_el2,
    "tlbi alle2"
);
invalidation!(
    /// Forgets all EL2 translations of all CPUs.
    all_el2_everywhere,
    "tlbi alle2is"
);
invalidation!(
    /// Forgets all EL3 translations of this CPU.
    all_el3,
    "tlbi alle3"
);
invalidation!(
    /// Forgets all EL1&0 and stage 2 translations of this CPU, of every VMID.
    all_el1,
    "tlbi alle1"
);
invalidation!(
    /// Forgets all EL1&0 and stage 2 translations of all CPUs, of every VMID.
    all_el1_everywhere,
    "tlbi alle1is"
);
invalidation!(
    /// Forgets all EL1&0 translations of the current VMID, and what was combined with stage 2, of this CPU.
    current_vmid,
    "tlbi vmalle1"
);
invalidation!(
    /// Forgets all EL1&0 and stage 2 translations of the current VMID on all CPUs.
    current_vmid_everywhere,
    "tlbi vmalls12e1is"
);
invalidation!(
    /// Forgets all granule protection of all CPUs (TLBI PAALLOS); only at EL3.
    all_protection,
    "sys #6, c8, c1, #4"
);

/// Forgets the granule protection of the 4 KiB granule at `pa` on all CPUs (TLBI RPALOS); only at EL3.
#[inline(always)]
pub fn protection(pa: u64) {
    // SAFETY: forgetting cached granule protection is always allowed.
    unsafe {
        asm!("dsb sy", "sys #6, c8, c4, #7, {0}", "dsb sy", "isb", in(reg) pa >> 12, options(nostack, preserves_flags));
    }
}
