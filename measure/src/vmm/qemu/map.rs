//! The memory map of `virt`.

use crate::vmm::place::{GIB, MIB, up};

/// First byte of RAM.
pub const RAM: u64 = 0x4000_0000;
/// First byte after what firmware may take.
pub const FIRMWARE_END: u64 = 0x0800_0000;
/// Bytes of the high window of PCI memory.
pub const PCI_HIGH_SIZE: u64 = 512 * GIB;
/// Bytes of the high window of PCI configuration.
pub const ECAM_SIZE: u64 = 256 * MIB;
/// Bytes of the high region of redistributors.
pub const GICR_HIGH_SIZE: u64 = 64 * MIB;

/// Lowest address of what stands above RAM.
const HIGH: u64 = 256 * GIB;

/// What stands above RAM, whose place depends on how much of it there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Map {
    /// Redistributors for which there is no room below RAM.
    pub gicr: u64,
    /// PCI configuration.
    pub ecam: u64,
    /// PCI memory.
    pub pci: u64,
    /// Width of the Realm's addresses in bits, the one of the upper half included.
    pub ipa_width: u8,
}

impl Map {
    /// The map of a VM of `memory` bytes that may grow to `max_memory` in `slots`.
    #[must_use]
    pub fn new(memory: u64, max_memory: u64, slots: u64) -> Map {
        let plugged = max_memory.saturating_sub(memory).saturating_add(slots.saturating_mul(GIB));
        let high = up(RAM.saturating_add(memory), GIB).saturating_add(up(plugged, GIB)).max(HIGH);
        let gicr = up(high, GICR_HIGH_SIZE);
        let ecam = up(gicr.saturating_add(GICR_HIGH_SIZE), ECAM_SIZE);
        let pci = up(ecam.saturating_add(ECAM_SIZE), PCI_HIGH_SIZE);
        let bits = u64::BITS - pci.saturating_add(PCI_HIGH_SIZE - 1).leading_zeros();
        Map { gicr, ecam, pci, ipa_width: bits as u8 + 1 }
    }
}
