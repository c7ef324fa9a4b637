//! RMI_VERSION and RMI_FEATURES (RMM 1.0, B4.3.20, B4.3.5).

use super::{Answer, Refused};
use crate::granule::MAX_REFERENCES;
use crate::platform::Platform;
use crate::rec::context::MAX_QUADWORDS;
use crate::run::list_registers;
use abi::rmi::{Features, Status, VERSION_1_0};

/// Widest address space of a realm: without LPA2.
const MAX_WIDTH: u8 = 48;
/// Logarithm of the number of RECs that a realm can have, plus one.
const MAX_RECS_ORDER: u8 = 10;

const _: () = assert!((1 << MAX_RECS_ORDER) - 1 <= MAX_REFERENCES);

/// RMI_VERSION: 1.0 and nothing else. Both revisions are told on failure too.
pub fn version(requested: u64) -> Answer {
    let outputs = [VERSION_1_0, VERSION_1_0, 0, 0];
    if requested == VERSION_1_0 { Ok(outputs) } else { Err(Refused { status: Status::Input, outputs }) }
}

/// RMI_FEATURES: register 0; others are zero.
pub fn features<P: Platform>(platform: &P, index: u64) -> [u64; 4] {
    [if index == 0 { offered(platform).word() } else { 0 }, 0, 0, 0]
}

/// Tells what realms can have.
pub fn offered<P: Platform>(platform: &P) -> Features {
    let machine = platform.features();
    let (num_bps, num_wps) = crate::idreg::debug_resources(machine);
    Features {
        s2sz: machine.pa_bits.min(MAX_WIDTH),
        sve_vl: machine.vector_quadwords.min(MAX_QUADWORDS as u8).checked_sub(1),
        num_bps,
        num_wps,
        pmu_counters: machine.pmu_counters,
        sha256: true,
        sha512: true,
        gicv3_num_lrs: list_registers(machine).saturating_sub(1) as u8,
        max_recs_order: MAX_RECS_ORDER,
        ..Features::default()
    }
}
