//! MPIDR values: the affinity of a REC in its three forms, and its index (RMM 1.0, A2.3.2, B4.5).

const AFF0: u64 = 0xF;
const PARAMS: u64 = 0xFFFF_FF0F;
const AFFINITY: u64 = 0xFF_00FF_FFFF;
const RES1: u64 = 1 << 31;

/// Gives the index that RmiRecParams.mpidr stands for: Aff0 in bits 3:0, Aff1 15:8, Aff2 23:16, Aff3 31:24, others
/// zero.
pub const fn index_of_params(mpidr: u64) -> Option<u64> {
    if mpidr & !PARAMS != 0 {
        return None;
    }
    Some(mpidr & AFF0 | (mpidr >> 8) << 4)
}

/// Gives the index that an affinity in a PSCI call stands for: Aff3 in bits 39:32, Aff2 to Aff0 in 23:0, others
/// ignored.
pub const fn index_of_affinity(affinity: u64) -> Option<u64> {
    let affinity = affinity & AFFINITY;
    index_of_params(affinity & 0xFF_FFFF | affinity >> 32 << 24)
}

/// Gives VMPIDR_EL2 for RmiRecParams.mpidr.
pub const fn vmpidr(mpidr: u64) -> u64 {
    RES1 | mpidr & 0xFF_FFFF | (mpidr >> 24 & 0xFF) << 32
}
