//! Addresses that have been checked: the door between a register's 64 bits and a granule.

/// Bytes in a granule.
pub const GRANULE: usize = 4096;

/// A physical address of a granule: aligned to 4 KiB and below 2^52.
///
/// Says nothing of what lies there, nor whether the granule is tracked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Pa(u64);

impl Pa {
    /// Takes an address that is aligned to a granule and below 2^52.
    pub const fn new(address: u64) -> Option<Self> {
        if address & (GRANULE as u64 - 1) == 0 && address >> 52 == 0 { Some(Self(address)) } else { None }
    }

    /// Takes the frame part of an address, dropping everything outside bits 51 to 12.
    pub const fn containing(address: u64) -> Self {
        Self(address & 0x000F_FFFF_FFFF_F000)
    }

    /// Gives the address.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Gives the granule `n` granules further on, if that is still an address.
    pub const fn plus(self, n: u64) -> Option<Self> {
        match n.checked_mul(GRANULE as u64) {
            Some(bytes) => match self.0.checked_add(bytes) {
                Some(address) => Self::new(address),
                None => None,
            },
            None => None,
        }
    }
}
