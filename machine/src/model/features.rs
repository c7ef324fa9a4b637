//! Versions and features (RMM 1.0, B4.3.5, B4.3.26).

use super::answer::{INPUT, Outcome, Refusal};

/// What the machine has, and what an implementation may choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Widest IPA space, in bits.
    pub s2sz: u64,
    /// Longest SVE vectors, in quadwords less one, where there is SVE.
    pub sve_vl: Option<u64>,
    /// Event counters, where there are performance monitors; at least one is to be asked for.
    pub pmu_counters: Option<u64>,
    /// Breakpoints, less one.
    pub num_bps: u64,
    /// Watchpoints, less one.
    pub num_wps: u64,
    /// List registers, less one.
    pub num_lrs: u64,
    /// A realm has at most 2 to this power, less one, RECs.
    pub max_recs_order: u64,
    /// Bits of a VMID.
    pub vmid_bits: u64,
    /// Auxiliary granules of each REC.
    pub aux_count: u64,
    /// Bits of an interrupt's priority that are implemented.
    pub priority_bits: u64,
}

impl Limits {
    /// RMI_FEATURES: no LPA2; both hashes.
    #[must_use]
    pub fn register(&self, index: u64) -> u64 {
        let both_hashes = 3 << 32;
        let sve = self.sve_vl.map_or(0, |most| 1 << 9 | most << 10);
        let pmu = self.pmu_counters.map_or(0, |most| 1 << 26 | most << 27);
        let word = self.s2sz
            | pmu
            | sve
            | self.num_bps << 14
            | self.num_wps << 20
            | both_hashes
            | self.num_lrs << 34
            | self.max_recs_order << 38;
        if index == 0 { word } else { 0 }
    }
}

/// RMI_VERSION: exactly 1.0, both versions given in any case.
pub fn version(x: &[u64; 8]) -> Outcome {
    const V1_0: u64 = 0x1_0000;
    if x[1] == V1_0 { Ok(vec![V1_0, V1_0]) } else { Err(Refusal::of(INPUT).with_outputs(vec![V1_0, V1_0])) }
}
