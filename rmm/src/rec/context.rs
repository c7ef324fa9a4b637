//! The registers of a vCPU, as memory.
//!
//! All fields are raw register values of 64 bits in an order of no meaning; the layout is shared with the firmware's
//! assembly through `core::mem::offset_of!`.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// What a realm's vCPUs have in common.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct RealmContext {
    /// VTTBR_EL2: root table and VMID.
    pub vttbr: u64,
    /// VTCR_EL2.
    pub vtcr: u64,
    /// Length of its vectors in 128-bit words at most; 0 without SVE.
    pub vector_quadwords: u64,
    /// Event counters of its performance monitors, plus one; 0 without them.
    pub pmu: u64,
}

/// The EL1 and EL0 system registers that are switched.
#[derive(Clone, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct El1Registers {
    /// SP_EL0.
    pub sp_el0: u64,
    /// SP_EL1.
    pub sp_el1: u64,
    /// ELR_EL1.
    pub elr: u64,
    /// SPSR_EL1.
    pub spsr: u64,
    /// ESR_EL1.
    pub esr: u64,
    /// FAR_EL1.
    pub far: u64,
    /// AFSR0_EL1.
    pub afsr0: u64,
    /// AFSR1_EL1.
    pub afsr1: u64,
    /// VBAR_EL1.
    pub vbar: u64,
    /// SCTLR_EL1.
    pub sctlr: u64,
    /// ACTLR_EL1.
    pub actlr: u64,
    /// CPACR_EL1.
    pub cpacr: u64,
    /// TTBR0_EL1.
    pub ttbr0: u64,
    /// TTBR1_EL1.
    pub ttbr1: u64,
    /// TCR_EL1.
    pub tcr: u64,
    /// MAIR_EL1.
    pub mair: u64,
    /// AMAIR_EL1.
    pub amair: u64,
    /// CONTEXTIDR_EL1.
    pub contextidr: u64,
    /// TPIDR_EL1.
    pub tpidr_el1: u64,
    /// TPIDR_EL0.
    pub tpidr_el0: u64,
    /// TPIDRRO_EL0.
    pub tpidrro_el0: u64,
    /// CSSELR_EL1.
    pub csselr: u64,
    /// CNTKCTL_EL1.
    pub cntkctl: u64,
    /// PAR_EL1.
    pub par: u64,
    /// MDSCR_EL1.
    pub mdscr: u64,
    /// MDCCINT_EL1.
    pub mdccint: u64,
    /// DISR_EL1 (as VDISR_EL2).
    pub disr: u64,
    /// SCXTNUM_EL0, if the CPU has it.
    pub scxtnum_el0: u64,
    /// SCXTNUM_EL1, if the CPU has it.
    pub scxtnum_el1: u64,
    /// TCR2_EL1, if the CPU has it.
    pub tcr2: u64,
    /// SCTLR2_EL1, if the CPU has it.
    pub sctlr2: u64,
    /// PIR_EL1, if the CPU has it.
    pub pir: u64,
    /// PIRE0_EL1, if the CPU has it.
    pub pire0: u64,
    /// POR_EL1, if the CPU has it.
    pub por_el1: u64,
    /// POR_EL0, if the CPU has it.
    pub por_el0: u64,
}

/// The pointer authentication keys, low word first: APIA, APIB, APDA, APDB, APGA.
#[derive(Clone, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct PointerKeys(pub [u64; 10]);

/// The EL1 timers. Offsets are zero.
#[derive(Clone, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Timers {
    /// CNTP_CTL_EL0, with ISTATUS as of the exit.
    pub cntp_ctl: u64,
    /// CNTP_CVAL_EL0.
    pub cntp_cval: u64,
    /// CNTV_CTL_EL0, with ISTATUS as of the exit.
    pub cntv_ctl: u64,
    /// CNTV_CVAL_EL0.
    pub cntv_cval: u64,
    /// Not zero: keep the physical timer's interrupt from this CPU while the vCPU runs (CNTHCTL_EL2.CNTPMASK), and wait
    /// until it is no longer pending before entering.
    pub hide_physical: u64,
    /// Not zero: the same for the virtual timer (CNTVMASK).
    pub hide_virtual: u64,
}

/// The virtual CPU interface.
#[derive(Clone, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Gic {
    /// ICH_HCR_EL2 to run with; after the run as read, before En is cleared in the register.
    pub hcr: u64,
    /// ICH_VMCR_EL2.
    pub vmcr: u64,
    /// ICH_MISR_EL2 after the run; not an input.
    pub misr: u64,
    /// ICH_AP0R0_EL2 to ICH_AP0R3_EL2.
    pub ap0r: [u64; 4],
    /// ICH_AP1R0_EL2 to ICH_AP1R3_EL2.
    pub ap1r: [u64; 4],
    /// ICH_LR0_EL2 to ICH_LR15_EL2; those the CPU does not have are zero.
    pub lrs: [u64; 16],
}

/// Breakpoints and watchpoints. Accesses to them trap; the processor has them while MDSCR_EL1.MDE is set.
#[derive(Clone, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Debug {
    /// How many breakpoints the vCPU has; constant.
    pub breakpoints: u64,
    /// How many watchpoints; constant.
    pub watchpoints: u64,
    /// DBGBVR<n>_EL1.
    pub bvr: [u64; 16],
    /// DBGBCR<n>_EL1.
    pub bcr: [u64; 16],
    /// DBGWVR<n>_EL1.
    pub wvr: [u64; 16],
    /// DBGWCR<n>_EL1.
    pub wcr: [u64; 16],
}

/// The performance monitors of a Realm that has them.
#[derive(Clone, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Pmu {
    /// PMCR_EL0.
    pub pmcr: u64,
    /// PMCNTENSET_EL0.
    pub enabled: u64,
    /// PMINTENSET_EL1.
    pub interrupts: u64,
    /// PMOVSSET_EL0.
    pub overflows: u64,
    /// PMSELR_EL0.
    pub selr: u64,
    /// PMUSERENR_EL0.
    pub userenr: u64,
    /// PMCCNTR_EL0.
    pub cycles: u64,
    /// PMCCFILTR_EL0.
    pub filter: u64,
    /// PMEVCNTR<n>_EL0.
    pub counters: [u64; 31],
    /// PMEVTYPER<n>_EL0.
    pub types: [u64; 31],
}

/// Everything a vCPU's exits save and its entries load, but for SIMD.
#[derive(Clone, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct RecContext {
    /// x0 to x30.
    pub x: [u64; 31],
    /// The program counter: ELR_EL2.
    pub pc: u64,
    /// The processor state: SPSR_EL2.
    pub pstate: u64,
    /// VMPIDR_EL2; constant.
    pub vmpidr: u64,
    /// HCR_EL2 bits that vary, to be added to the firmware's constant ones: TWI (13), TWE (14), VSE (8). After the run
    /// VSE is as read: clear once the virtual SError was taken.
    pub hcr: u64,
    /// VSESR_EL2: syndrome of the virtual SError, if VSE.
    pub vsesr: u64,
    /// EL1 and EL0 system registers.
    pub el1: El1Registers,
    /// Pointer authentication keys.
    pub keys: PointerKeys,
    /// Timers.
    pub timers: Timers,
    /// Virtual CPU interface.
    pub gic: Gic,
    /// Breakpoints and watchpoints.
    pub debug: Debug,
    /// Performance monitors.
    pub pmu: Pmu,
}

/// The longest vectors that a Realm can have, in 128-bit words.
pub const MAX_QUADWORDS: usize = 4;

/// The SIMD and floating point registers; with SVE, all of its registers at the Realm's longest vectors.
#[derive(Clone, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(16))]
pub struct SimdContext {
    /// FPCR.
    pub fpcr: u64,
    /// FPSR.
    pub fpsr: u64,
    /// ZCR_EL1, with SVE.
    pub zcr: u64,
    reserved: u64,
    /// V0 to V31, or Z0 to Z31, one after the other, low word first.
    pub z: [u64; 32 * 2 * MAX_QUADWORDS],
    /// P0 to P15, then FFR, one after the other, with SVE.
    pub p: [u16; 17 * MAX_QUADWORDS],
    padding: u64,
}
