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

/// A level of translation, 0 to 3; entries of level 3 map granules (RMM 1.0, A5.5).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Level(u8);

impl Level {
    /// The level of granules.
    pub const LAST: Self = Self(3);

    /// Takes a level from a register.
    pub const fn new(level: i64) -> Option<Self> {
        match level {
            0 => Some(Self(0)),
            1 => Some(Self(1)),
            2 => Some(Self(2)),
            3 => Some(Self(3)),
            _ => None,
        }
    }

    /// Gives the number.
    pub const fn get(self) -> u8 {
        self.0
    }

    /// Gives the level above, whose entries are 512 times as large.
    pub const fn parent(self) -> Option<Self> {
        match self.0.checked_sub(1) {
            Some(level) => Some(Self(level)),
            None => None,
        }
    }

    /// Gives the level below.
    pub const fn child(self) -> Option<Self> {
        if self.0 < 3 { Some(Self(self.0 + 1)) } else { None }
    }

    /// Gives the logarithm of the bytes that one entry maps.
    pub const fn shift(self) -> u32 {
        match self.0 {
            0 => 39,
            1 => 30,
            2 => 21,
            _ => 12,
        }
    }

    /// Gives the bytes that one entry maps.
    pub const fn size(self) -> u64 {
        1 << self.shift()
    }

    /// Gives the first address of the entry that maps `address`.
    pub const fn floor(self, address: u64) -> u64 {
        address & !(self.size() - 1)
    }

    /// Says whether `address` is the first that an entry maps.
    pub const fn aligned(self, address: u64) -> bool {
        self.floor(address) == address
    }

    /// Gives the index of the entry that maps `address` in its table.
    pub const fn index(self, address: u64) -> usize {
        (address >> self.shift()) as usize & 511
    }
}
