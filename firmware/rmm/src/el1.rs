//! The EL1 and EL0 registers that a vCPU and the Normal world share in turn.
//!
//! Every write is made only if it changes something: QEMU flushes its TLB on a write of SCTLR_EL1, on any write of
//! TCR_EL1, and on a new ASID.
//!
//! Newer registers (SCXTNUM, TCR2, SCTLR2, PIR, POR, TPIDR2 …) are the Normal world's alone: EL3 does not enable them for the
//! Realm world (SCR_EL3), so that they have no effect there, trap, and are hidden from Realms.

use rmm::rec::context::{El1Registers, PointerKeys};

macro_rules! put {
    ($register:ident, $value:expr) => {
        if cpu::read!($register) != $value {
            cpu::write!($register, $value);
        }
    };
}
pub(crate) use put;

/// Reads and writes registers that differ only by a number: one that is not there reads as zero and takes nothing.
macro_rules! bank {
    ($read:ident, $write:ident: $($index:literal $register:ident,)*) => {
        fn $read(index: usize) -> u64 {
            match index {
                $($index => cpu::read!($register),)*
                _ => 0,
            }
        }

        fn $write(index: usize, value: u64) {
            match index {
                $($index => put!($register, value),)*
                _ => {}
            }
        }
    };
}
pub(crate) use bank;

macro_rules! switched {
    ($($field:ident $register:ident,)*) => {
        /// Saves the registers of whoever used them last.
        pub fn save(into: &mut El1Registers) {
            $(into.$field = cpu::read!($register);)*
        }

        /// Loads the registers for who uses them next. No barrier follows: the way out is an exception return.
        pub fn load(from: &El1Registers) {
            $(put!($register, from.$field);)*
        }
    };
}

switched! {
    sp_el0 sp_el0,
    sp_el1 sp_el1,
    elr elr_el1,
    spsr spsr_el1,
    esr esr_el1,
    far far_el1,
    afsr0 afsr0_el1,
    afsr1 afsr1_el1,
    vbar vbar_el1,
    sctlr sctlr_el1,
    actlr actlr_el1,
    cpacr cpacr_el1,
    ttbr0 ttbr0_el1,
    ttbr1 ttbr1_el1,
    tcr tcr_el1,
    mair mair_el1,
    amair amair_el1,
    contextidr contextidr_el1,
    tpidr_el1 tpidr_el1,
    tpidr_el0 tpidr_el0,
    tpidrro_el0 tpidrro_el0,
    csselr csselr_el1,
    cntkctl cntkctl_el1,
    par par_el1,
    mdscr mdscr_el1,
    mdccint mdccint_el1,
    disr S3_4_C12_C1_1,
}

/// Saves a vCPU's pointer authentication keys. The Normal world's are EL3's to keep.
pub fn save_keys(into: &mut PointerKeys) {
    into.0 = [
        cpu::read!(S3_0_C2_C1_0),
        cpu::read!(S3_0_C2_C1_1),
        cpu::read!(S3_0_C2_C1_2),
        cpu::read!(S3_0_C2_C1_3),
        cpu::read!(S3_0_C2_C2_0),
        cpu::read!(S3_0_C2_C2_1),
        cpu::read!(S3_0_C2_C2_2),
        cpu::read!(S3_0_C2_C2_3),
        cpu::read!(S3_0_C2_C3_0),
        cpu::read!(S3_0_C2_C3_1),
    ];
}

/// Loads pointer authentication keys.
pub fn load_keys(keys: &PointerKeys) {
    let [ia0, ia1, ib0, ib1, da0, da1, db0, db1, ga0, ga1] = keys.0;
    cpu::write!(S3_0_C2_C1_0, ia0);
    cpu::write!(S3_0_C2_C1_1, ia1);
    cpu::write!(S3_0_C2_C1_2, ib0);
    cpu::write!(S3_0_C2_C1_3, ib1);
    cpu::write!(S3_0_C2_C2_0, da0);
    cpu::write!(S3_0_C2_C2_1, da1);
    cpu::write!(S3_0_C2_C2_2, db0);
    cpu::write!(S3_0_C2_C2_3, db1);
    cpu::write!(S3_0_C2_C3_0, ga0);
    cpu::write!(S3_0_C2_C3_1, ga1);
}
