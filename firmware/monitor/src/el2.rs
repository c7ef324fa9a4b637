//! The registers of which the processor has one set for both worlds below EL3: saved and restored at every switch.
//! docs/world-switch.md has the whole table, and why the registers that are not here need not be.
//!
//! A write costs QEMU far more than a comparison, and one that changes SCTLR, HCR.VM or the VMID makes it forget all
//! translations: registers are written only when one of their group differs, and stand together as they tend to differ
//! together. Four pairs differ at nearly every switch and are written without a look.

use core::arch::asm;
use cpu::{read, write};

/// Writes two or four registers if they do not hold what they are to hold, with one branch for all.
macro_rules! update {
    ($live:ident, $next:ident: $first:ident, $second:ident) => {
        // SAFETY: EL3 owns the registers, and `next` is what they held when that world last ran.
        unsafe {
            asm!(
                "cmp {0}, {1}",
                "ccmp {2}, {3}, #0, eq",
                "b.eq 2f",
                concat!("msr ", stringify!($first), ", {1}"),
                concat!("msr ", stringify!($second), ", {3}"),
                "2:",
                in(reg) $live[0], in(reg) $next[0], in(reg) $live[1], in(reg) $next[1], options(nostack),
            );
        }
    };
    ($live:ident, $next:ident: $first:ident, $second:ident, $third:ident, $fourth:ident) => {
        // SAFETY: as above.
        unsafe {
            asm!(
                "cmp {0}, {1}",
                "ccmp {2}, {3}, #0, eq",
                "ccmp {4}, {5}, #0, eq",
                "ccmp {6}, {7}, #0, eq",
                "b.eq 2f",
                concat!("msr ", stringify!($first), ", {1}"),
                concat!("msr ", stringify!($second), ", {3}"),
                concat!("msr ", stringify!($third), ", {5}"),
                concat!("msr ", stringify!($fourth), ", {7}"),
                "2:",
                in(reg) $live[0], in(reg) $next[0], in(reg) $live[1], in(reg) $next[1],
                in(reg) $live[2], in(reg) $next[2], in(reg) $live[3], in(reg) $next[3], options(nostack),
            );
        }
    };
}

macro_rules! registers {
    (
        compared { $($(#[$doc:meta])* $group:ident = $($register:ident),+;)* }
        written { $($(#[$own_doc:meta])* $own:ident = $left:ident, $right:ident;)* }
    ) => {
        /// One world's values, in groups that are read and compared together.
        #[derive(Clone)]
        pub struct El2 {
            $($(#[$doc])* $group: [u64; [$(stringify!($register)),+].len()],)*
            $($(#[$own_doc])* $own: [u64; 2],)*
            /// Counter and timer access for EL1 and EL0 (CNTHCTL_EL2).
            cnthctl: u64,
        }

        #[allow(non_snake_case, reason = "values are called as their registers")]
        impl El2 {
            const ZERO: El2 = El2 { $($group: [0; [$(stringify!($register)),+].len()],)* $($own: [0; 2],)* cnthctl: 0 };

            /// Saves the registers into `from` and loads `to`, in the order of the table: HCR_EL2 before what it gates.
            #[inline(always)]
            pub fn exchange(from: &mut El2, to: &El2) {
                $(
                    let live = [$(read!($register)),+];
                    let next = to.$group;
                    update!(live, next: $($register),+);
                    from.$group = live;
                )*
                $(
                    from.$own = [read!($left), read!($right)];
                    write!($left, to.$own[0]);
                    write!($right, to.$own[1]);
                )*
                from.cnthctl = read!(cnthctl_el2);
                if from.cnthctl != to.cnthctl {
                    set_cnthctl(from.cnthctl, to.cnthctl);
                }
            }

            /// Loads all registers, whatever they hold.
            pub fn load(&self) {
                $(
                    let [$($register),+] = self.$group;
                    $(write!($register, $register);)+
                )*
                $(
                    write!($left, self.$own[0]);
                    write!($right, self.$own[1]);
                )*
                set_cnthctl(read!(cnthctl_el2), self.cnthctl);
            }
        }
    };
}

registers! {
    compared {
        /// HCR_EL2 and HCRX_EL2, and others that every two worlds have different.
        configuration = hcr_el2, S3_4_C1_C2_2, ttbr0_el2, mdcr_el2;
        /// What two worlds may well have alike. QEMU forgets all translations when TCR_EL2 is written, even with what it holds.
        translation = sctlr_el2, tcr_el2, mair_el2, amair_el2;
        /// TTBR1_EL2 and CONTEXTIDR_EL2, used with E2H, VNCR_EL2 (nested virtualisation) and TPIDR_EL2.
        host_nested_thread = S3_4_C2_C0_1, S3_4_C13_C0_1, S3_4_C2_C2_0, tpidr_el2;
        stage2 = vttbr_el2, vtcr_el2;
        traps = cptr_el2, hstr_el2;
        /// HFGRTR_EL2, HFGWTR_EL2, HFGITR_EL2 and ACTLR_EL2.
        register_traps = S3_4_C1_C1_4, S3_4_C1_C1_5, S3_4_C1_C1_6, S3_4_C1_C0_1;
        /// HDFGRTR_EL2, HDFGWTR_EL2, VSESR_EL2 and VDISR_EL2.
        debug_traps_virtual_errors = S3_4_C3_C1_4, S3_4_C3_C1_5, S3_4_C5_C2_3, S3_4_C12_C1_1;
        identity = vmpidr_el2, vpidr_el2;
        /// CNTVOFF_EL2, CNTPOFF_EL2, AFSR0_EL2 and AFSR1_EL2.
        counter_offsets_syndromes = cntvoff_el2, S3_4_C14_C0_6, afsr0_el2, afsr1_el2;
        /// ICH_HCR_EL2 and ICH_VMCR_EL2.
        virtual_interrupts = S3_4_C12_C11_0, S3_4_C12_C11_7;
        /// APIAKey and APIBKey, as the two below pointer authentication keys, which are one set for EL0 to EL3.
        keys_i = S3_0_C2_C1_0, S3_0_C2_C1_1, S3_0_C2_C1_2, S3_0_C2_C1_3;
        keys_d = S3_0_C2_C2_0, S3_0_C2_C2_1, S3_0_C2_C2_2, S3_0_C2_C2_3;
        key_g = S3_0_C2_C3_0, S3_0_C2_C3_1;
    }
    written {
        vectors_stack = vbar_el2, sp_el2;
        returns = elr_el2, spsr_el2;
        syndromes = esr_el2, far_el2;
        fault_address_el0_stack = hpfar_el2, sp_el0;
    }
}

/// Writes CNTHCTL_EL2 in two steps: QEMU updates the physical timer's line only if CNTVMASK does not change with it.
#[inline(always)]
fn set_cnthctl(old: u64, new: u64) {
    const CNTVMASK: u64 = 1 << 18;
    write!(cnthctl_el2, new & !CNTVMASK | old & CNTVMASK);
    if (old ^ new) & CNTVMASK != 0 {
        write!(cnthctl_el2, new);
    }
}

impl El2 {
    /// What a world finds when it is first entered on a CPU: MMU and caches off, no traps, AArch64 at EL1,
    /// timers and counters open to EL1, and the processor's own identity.
    pub fn initial() -> El2 {
        const EL1_IS_AARCH64: u64 = 1 << 31;
        const MMU_OFF: u64 = 0x30c5_0830;
        const TCR_RES1: u64 = 1 << 31 | 1 << 23;
        const VTCR_RES1: u64 = 1 << 31;
        /// Nothing traps: where there is SVE and SME, their bits 8 and 12 are not RES1.
        const CPTR: u64 = 0x22ff;
        let counters = read!(pmcr_el0) >> 11 & 0x1f;
        let mut el2 = El2::ZERO;
        el2.configuration = [EL1_IS_AARCH64, 0, 0, counters];
        el2.translation = [MMU_OFF, TCR_RES1, 0, 0];
        el2.stage2[1] = VTCR_RES1;
        el2.traps[0] = CPTR;
        el2.identity = [read!(mpidr_el1), read!(midr_el1)];
        el2.cnthctl = 3;
        el2
    }
}
