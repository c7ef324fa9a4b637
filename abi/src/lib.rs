//! The specifications' numbers, registers and layouts, once.
//!
//! Nothing here decides anything: function identifiers, status words and shared structures of the Realm Management
//! Interface (RMI), the Realm Services Interface (RSI), the RMM-EL3 interface, SMCCC and PSCI, the measurement
//! descriptors, the token's claim numbers, and the memory map of the machine that this firmware runs on.
//! Values become enums at the door by total functions: a value or a named refusal.
#![no_std]
#![forbid(unsafe_code)]

pub mod claim;
pub mod el3;
pub mod endorsement;
pub mod map;
pub mod measurement;
pub mod psci;
pub mod rmi;
pub mod rsi;
pub mod smccc;

/// Size of a granule in bytes, the unit of delegation and of translation (RMM 1.0, A2.2).
pub const GRANULE: usize = 4096;
/// Size of a granule as an address difference.
pub const GRANULE_U64: u64 = 4096;

/// Says whether `address` is the first byte of a granule.
#[must_use]
pub const fn is_granule_aligned(address: u64) -> bool {
    address & (GRANULE_U64 - 1) == 0
}
