//! The registers of which the processor has one set for both worlds below EL3: saved and restored at every switch.
//! docs/world-switch.md has the whole table, and why the registers that are not here need not be.
//!
//! A write costs QEMU far more than a comparison, and one that changes SCTLR, HCR.VM or the VMID makes it forget all
//! translations: a pair of registers is written only when one of them differs. Four pairs differ at nearly every switch and
//! are written without a look.

use cpu::{read, write};

macro_rules! registers {
    (
        compared { $($(#[$doc:meta])* $pair:ident = $first:ident, $second:ident;)* }
        written { $($(#[$own_doc:meta])* $own:ident = $left:ident, $right:ident;)* }
    ) => {
        /// One world's values, in pairs that are read and compared together.
        #[derive(Clone)]
        pub struct El2 {
            $($(#[$doc])* $pair: [u64; 2],)*
            $($(#[$own_doc])* $own: [u64; 2],)*
            /// Counter and timer access for EL1 and EL0 (CNTHCTL_EL2).
            cnthctl: u64,
        }

        impl El2 {
            const ZERO: El2 = El2 { $($pair: [0; 2],)* $($own: [0; 2],)* cnthctl: 0 };

            /// Saves the registers into `from` and loads `to`, in the order of the table: HCR_EL2 before what it gates.
            #[inline(always)]
            pub fn exchange(from: &mut El2, to: &El2) {
                $(
                    let live = [read!($first), read!($second)];
                    let next = to.$pair;
                    if (live[0] != next[0]) | (live[1] != next[1]) {
                        write!($first, next[0]);
                        write!($second, next[1]);
                    }
                    from.$pair = live;
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
                    write!($first, self.$pair[0]);
                    write!($second, self.$pair[1]);
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
        /// HCR_EL2 and HCRX_EL2.
        configuration = hcr_el2, S3_4_C1_C2_2;
        control = sctlr_el2, S3_4_C1_C0_1;
        translation = ttbr0_el2, tcr_el2;
        /// TTBR1_EL2 and CONTEXTIDR_EL2, used with E2H.
        host_translation = S3_4_C2_C0_1, S3_4_C13_C0_1;
        attributes = mair_el2, amair_el2;
        stage2 = vttbr_el2, vtcr_el2;
        /// VNCR_EL2 (nested virtualisation) and TPIDR_EL2.
        nested_thread = S3_4_C2_C2_0, tpidr_el2;
        traps = cptr_el2, mdcr_el2;
        /// HFGRTR_EL2 and HFGWTR_EL2.
        fine_register_traps = S3_4_C1_C1_4, S3_4_C1_C1_5;
        /// HFGITR_EL2 and HSTR_EL2.
        instruction_traps = S3_4_C1_C1_6, hstr_el2;
        /// HDFGRTR_EL2 and HDFGWTR_EL2.
        fine_debug_traps = S3_4_C3_C1_4, S3_4_C3_C1_5;
        identity = vmpidr_el2, vpidr_el2;
        /// CNTVOFF_EL2 and CNTPOFF_EL2.
        counter_offsets = cntvoff_el2, S3_4_C14_C0_6;
        /// ICH_HCR_EL2 and ICH_VMCR_EL2.
        virtual_interrupts = S3_4_C12_C11_0, S3_4_C12_C11_7;
        /// VSESR_EL2 and VDISR_EL2.
        virtual_errors = S3_4_C5_C2_3, S3_4_C12_C1_1;
        auxiliary_syndromes = afsr0_el2, afsr1_el2;
        /// APIAKey, as the four below: pointer authentication keys, which are one set for EL0 to EL3.
        key_ia = S3_0_C2_C1_0, S3_0_C2_C1_1;
        key_ib = S3_0_C2_C1_2, S3_0_C2_C1_3;
        key_da = S3_0_C2_C2_0, S3_0_C2_C2_1;
        key_db = S3_0_C2_C2_2, S3_0_C2_C2_3;
        key_ga = S3_0_C2_C3_0, S3_0_C2_C3_1;
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
        const CPTR_RES1: u64 = 0x32ff;
        const NO_SVE: u64 = 1 << 8;
        let counters = read!(pmcr_el0) >> 11 & 0x1f;
        let mut el2 = El2::ZERO;
        el2.configuration = [EL1_IS_AARCH64, 0];
        el2.control[0] = MMU_OFF;
        el2.translation[1] = TCR_RES1;
        el2.stage2[1] = VTCR_RES1;
        el2.traps = [CPTR_RES1 | NO_SVE, counters];
        el2.identity = [read!(mpidr_el1), read!(midr_el1)];
        el2.cnthctl = 3;
        el2
    }
}
