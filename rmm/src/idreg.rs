//! ID registers as Realms read them: what the CPU has, less what a Realm cannot use (RMM 1.0, A3.1).
//!
//! A field is shown only if it is listed here; a register that is not listed reads as zero, those of AArch32 among
//! them. SVE and PMU are shown where the Realm was made with them. SME, MTE, GCS, FPMR, MPAM, AMU, BRBE, SPE and TRBE are not
//! offered: their registers are neither switched nor reachable.

use crate::platform::Features;
use crate::rec::Rec;

/// Gives a mask of the 4-bit fields that begin at the bits named.
const fn fields(low_bits: &[u32]) -> u64 {
    let mut mask = 0;
    let mut rest = low_bits;
    while let [low, others @ ..] = rest {
        mask |= 0xF << (*low & 63);
        rest = others;
    }
    mask
}

const DFR0_DEBUG: u64 = fields(&[0]);
const DFR0_BRPS: u32 = 12;
const DFR0_WRPS: u32 = 20;
const DFR0_CTX_CMPS: u32 = 28;
const DFR0_HPMN0: u32 = 60;
/// PMUVer and HPMN0.
const DFR0_PMU: u64 = fields(&[8, DFR0_HPMN0]);
const PFR1_NMI: u32 = 36;

/// Index in [`Features::ids`] of the register with these CRm and op2.
const fn index(crm: u64, op2: u64) -> usize {
    ((crm & 7) << 3 | op2 & 7) as usize
}

const PFR1: usize = index(4, 1);
const DFR0: usize = index(5, 0);

/// Gives the fields of a register that Realms see, with SVE or without.
const fn shown(crm: u64, op2: u64, sve: bool) -> u64 {
    match (crm, op2) {
        // PFR0, without MPAM, AMU.
        (4, 0) if sve => !fields(&[40, 44]),
        // And without SVE.
        (4, 0) => !fields(&[32, 40, 44]),
        // ZFR0.
        (4, 4) if sve => u64::MAX,
        // PFR1: BT, SSBS, RAS_frac, RNDR_trap, CSV2_frac, NMI, DF2.
        (4, 1) => fields(&[0, 4, 12, 28, 32, PFR1_NMI, 56]),
        // PFR2: UINJ.
        (4, 2) => fields(&[16]),
        // ISAR0.
        (6, 0) => u64::MAX,
        // ISAR1, without LS64.
        (6, 1) => !fields(&[60]),
        // ISAR2: WFxT, GPA3, APA3, MOPS, PAC_frac.
        (6, 2) => fields(&[0, 8, 12, 16, 24]),
        // MMFR0 to MMFR2.
        (7, 0..=2) => u64::MAX,
        // MMFR3: TCRX, SCTLRX, S1PIE, S1POE, SNERR, ANERR, SDERR, ADERR, Spec_FPACC.
        (7, 3) => fields(&[0, 4, 8, 16, 40, 44, 52, 56, 60]),
        // MMFR4: EIESB, ASID2, NV_frac, E2H0.
        (7, 4) => fields(&[4, 8, 20, 24]),
        _ => 0,
    }
}

fn raw(machine: &Features, register: usize) -> u64 {
    machine.ids.get(register).copied().unwrap_or(0)
}

/// Gives what a REC reads from the register op0=3, op1=0, CRn=0, CRm, op2.
pub fn value(machine: &Features, rec: &Rec, crm: u64, op2: u64) -> u64 {
    if crm > 7 {
        return 0;
    }
    let register = index(crm, op2);
    if register == DFR0 {
        return dfr0(raw(machine, DFR0), rec);
    }
    raw(machine, register) & shown(crm, op2, rec.realm.vector_quadwords != 0)
}

/// Breakpoints and watchpoints as many as the Realm was given, of those that know of contexts no more than there are; the
/// performance monitors of a Realm that has them.
const fn dfr0(raw: u64, rec: &Rec) -> u64 {
    let (breakpoints, watchpoints) = (rec.num_bps & 0xF, rec.num_wps & 0xF);
    let contexts = raw >> DFR0_CTX_CMPS & 0xF;
    let contexts = if contexts < breakpoints { contexts } else { breakpoints };
    let monitors = if rec.realm.pmu != 0 { DFR0_PMU } else { 0 };
    raw & (DFR0_DEBUG | monitors) | breakpoints << DFR0_BRPS | watchpoints << DFR0_WRPS | contexts << DFR0_CTX_CMPS
}

/// Says whether a Realm may have performance monitors without event counters (FEAT_HPMN0).
pub fn has_hpmn0(machine: &Features) -> bool {
    raw(machine, DFR0) >> DFR0_HPMN0 != 0
}

/// Gives the CPU's breakpoints and watchpoints, each less one.
pub fn debug_resources(machine: &Features) -> (u8, u8) {
    let dfr0 = raw(machine, DFR0);
    ((dfr0 >> DFR0_BRPS) as u8 & 0xF, (dfr0 >> DFR0_WRPS) as u8 & 0xF)
}

/// Says whether exceptions set PSTATE.ALLINT.
pub fn has_nmi(machine: &Features) -> bool {
    raw(machine, PFR1) >> PFR1_NMI & 0xF != 0
}
