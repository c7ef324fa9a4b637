//! What the processor says it has.

use crate::debug;
use crate::gic::Shape;
use crate::pmu;
use crate::realm::Processor;
use crate::simd;
use rmm::platform::Features;
use rmm::rec::context::MAX_QUADWORDS;

/// Index of an ID register in [`Features::ids`].
const fn id(crm: usize, op2: usize) -> usize {
    crm * 8 + op2
}

const PFR0: usize = id(4, 0);
const PFR1: usize = id(4, 1);
const DFR0: usize = id(5, 0);
const ISAR0: usize = id(6, 0);
const ISAR2: usize = id(6, 2);
const MMFR0: usize = id(7, 0);
const MMFR1: usize = id(7, 1);
const MMFR3: usize = id(7, 3);
const MMFR4: usize = id(7, 4);

/// Gives the 4-bit field at `shift` of an ID register.
const fn field(ids: &[u64; 64], register: usize, shift: u32) -> u64 {
    ids[register] >> shift & 0xf
}

/// Reads what the RMM has to know of the processors.
pub fn features() -> Features {
    let mut ids = [0; 64];
    for (crm, bank) in banks().into_iter().enumerate() {
        ids[id(crm + 1, 0)..id(crm + 2, 0)].copy_from_slice(&bank);
    }
    hide_unswitched(&mut ids);
    Features {
        pa_bits: pa_bits(field(&ids, MMFR0, 0)),
        vmid_bits: if field(&ids, MMFR1, 4) == 2 { 16 } else { 8 },
        ids,
        ich_vtr: cpu::read!(ich_vtr_el2),
        midr: cpu::read!(midr_el1),
        pmu_counters: has_pmu(field(&ids, DFR0, 8)).then(|| pmu::counters() as u8),
        vector_quadwords: if field(&ids, PFR0, 32) != 0 { simd::longest(MAX_QUADWORDS) } else { 0 },
    }
}

/// PMUVer: version 3 of the architecture's, not one of the maker's own.
const fn has_pmu(version: u64) -> bool {
    version != 0 && version != 0xf
}

/// Tells what the world switch has to care for.
pub const fn processor(features: &Features) -> Processor {
    let ids = &features.ids;
    Processor {
        gic: Shape::of(features.ich_vtr),
        debug: debug::Shape::of(ids[DFR0]),
        counters: match features.pmu_counters {
            Some(counters) => counters as usize,
            None => 0,
        },
        mops: field(ids, ISAR2, 16) != 0,
        sha256: field(ids, ISAR0, 12) != 0,
        sha512: field(ids, ISAR0, 12) > 1,
        sve: field(ids, PFR0, 32) != 0,
        sme: field(ids, PFR1, 24) != 0,
        hcrx: field(ids, MMFR1, 40) != 0,
        fine_grained_traps: field(ids, MMFR0, 56) != 0,
    }
}

/// Takes back what a Realm could not use, as EL3 does not enable its registers for the Realm world: SCXTNUM (CSV2 above 1), TCR2 and with it
/// ASID2, SCTLR2, PIR and POR; and limited ordering regions, whose registers trap as they are not switched.
fn hide_unswitched(ids: &mut [u64; 64]) {
    const CSV2: u32 = 56;
    const LO: u64 = 0xf << 16;
    const TCRX_SCTLRX_S1PIE_S1POE: u64 = 0xf_0fff;
    const ASID2: u64 = 0xf << 8;
    if field(ids, PFR0, CSV2) > 1 {
        ids[PFR0] = ids[PFR0] & !(0xf << CSV2) | 1 << CSV2;
    }
    ids[MMFR1] &= !LO;
    ids[MMFR3] &= !TCRX_SCTLRX_S1PIE_S1POE;
    ids[MMFR4] &= !ASID2;
}

const fn pa_bits(range: u64) -> u8 {
    match range {
        0 => 32,
        1 => 36,
        2 => 40,
        3 => 42,
        4 => 44,
        5 => 48,
        _ => 52,
    }
}

macro_rules! bank {
    ($($register:ident)*) => {
        [$(cpu::read!($register)),*]
    };
}

/// Reads the ID registers op0=3, op1=0, CRn=0, CRm=1 to 7; what is not allocated reads as zero.
fn banks() -> [[u64; 8]; 7] {
    [
        bank!(S3_0_C0_C1_0 S3_0_C0_C1_1 S3_0_C0_C1_2 S3_0_C0_C1_3 S3_0_C0_C1_4 S3_0_C0_C1_5 S3_0_C0_C1_6 S3_0_C0_C1_7),
        bank!(S3_0_C0_C2_0 S3_0_C0_C2_1 S3_0_C0_C2_2 S3_0_C0_C2_3 S3_0_C0_C2_4 S3_0_C0_C2_5 S3_0_C0_C2_6 S3_0_C0_C2_7),
        bank!(S3_0_C0_C3_0 S3_0_C0_C3_1 S3_0_C0_C3_2 S3_0_C0_C3_3 S3_0_C0_C3_4 S3_0_C0_C3_5 S3_0_C0_C3_6 S3_0_C0_C3_7),
        bank!(S3_0_C0_C4_0 S3_0_C0_C4_1 S3_0_C0_C4_2 S3_0_C0_C4_3 S3_0_C0_C4_4 S3_0_C0_C4_5 S3_0_C0_C4_6 S3_0_C0_C4_7),
        bank!(S3_0_C0_C5_0 S3_0_C0_C5_1 S3_0_C0_C5_2 S3_0_C0_C5_3 S3_0_C0_C5_4 S3_0_C0_C5_5 S3_0_C0_C5_6 S3_0_C0_C5_7),
        bank!(S3_0_C0_C6_0 S3_0_C0_C6_1 S3_0_C0_C6_2 S3_0_C0_C6_3 S3_0_C0_C6_4 S3_0_C0_C6_5 S3_0_C0_C6_6 S3_0_C0_C6_7),
        bank!(S3_0_C0_C7_0 S3_0_C0_C7_1 S3_0_C0_C7_2 S3_0_C0_C7_3 S3_0_C0_C7_4 S3_0_C0_C7_5 S3_0_C0_C7_6 S3_0_C0_C7_7),
    ]
}
