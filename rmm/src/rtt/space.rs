//! The shape of a realm's address space: width, start level, root tables (RMM 1.0, A5.2.1, A5.5.3).

use super::{ENTRIES, Entry};
use crate::address::{GRANULE, Level, Pa};
use crate::granule::Table;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// The shape of a realm's intermediate physical addresses, and where their root tables are.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Space {
    /// Bits of an address, 32 to 48.
    width: u64,
    /// Level of the root tables.
    start: u64,
    /// Number of root tables, side by side.
    roots: u64,
    /// Physical address of the first root table.
    base: u64,
}

/// The narrowest address space.
const MIN_WIDTH: u64 = 32;
/// Processors with narrower physical addresses do not walk from level 0 (Arm ARM, VTCR_EL2.SL0).
const LEAST_FOR_LEVEL_0: u64 = 44;

impl Space {
    /// Checks the shape that a host asks for: `width` bits and no more than `limit`, tables from level `start` on,
    /// `roots` of them at `base`, aligned to their total size.
    pub fn new(width: u64, limit: u64, start: i64, roots: u64, base: u64) -> Option<Self> {
        let start = Level::new(start)?;
        if !(MIN_WIDTH..=limit).contains(&width) || roots != Self::roots_for(width, start)? {
            return None;
        }
        if start.get() == 0 && limit < LEAST_FOR_LEVEL_0 {
            return None;
        }
        let total = roots.checked_mul(GRANULE as u64)?;
        if base.checked_rem(total)? != 0 || base >> 48 != 0 {
            return None;
        }
        Some(Self { width, start: u64::from(start.get()), roots, base })
    }

    /// Gives the number of root tables of a width, if it can start at a level.
    fn roots_for(width: u64, start: Level) -> Option<u64> {
        // One root table resolves 9 bits above its entries; up to 16 side by side resolve 4 more, except at level 0.
        let single = u64::from(start.shift()) + 9;
        let narrowest = single - 8;
        let widest = if start.get() == 0 { single } else { single + 4 };
        if !(narrowest..=widest).contains(&width) {
            return None;
        }
        Some(1 << width.saturating_sub(single))
    }

    /// Gives the number of bits of an address.
    pub const fn width(&self) -> u64 {
        self.width
    }

    /// Gives the level of the root tables.
    pub const fn start(&self) -> Level {
        match Level::new((self.start & 3).cast_signed()) {
            Some(level) => level,
            None => Level::LAST,
        }
    }

    /// Gives the first address beyond the space.
    pub const fn end(&self) -> u64 {
        1 << (self.width & 63)
    }

    /// Gives the first unprotected address.
    pub const fn half(&self) -> u64 {
        self.end() >> 1
    }

    /// Says whether an address is in the space.
    pub const fn contains(&self, ipa: u64) -> bool {
        ipa < self.end()
    }

    /// Says whether an address is protected.
    pub const fn is_protected(&self, ipa: u64) -> bool {
        ipa < self.half()
    }

    /// Gives the addresses of the root tables.
    pub fn roots(&self) -> impl Iterator<Item = Pa> + use<> {
        let base = self.base;
        (0..self.roots).map(move |n| Pa::containing(base.wrapping_add(n.wrapping_mul(GRANULE as u64))))
    }

    /// Gives the address of the first root table.
    pub const fn base(&self) -> u64 {
        self.base
    }

    /// Says whether an address is in one of the root tables.
    pub const fn holds_root(&self, address: u64) -> bool {
        address.wrapping_sub(self.base) < self.roots.wrapping_mul(GRANULE as u64)
    }

    /// Gives the root table in which the walk to an address begins.
    pub const fn root(&self, ipa: u64) -> Table {
        let number = ipa >> self.start().shift() >> 9;
        Table::new(Pa::containing(self.base.wrapping_add(number.wrapping_mul(GRANULE as u64))))
    }

    /// Gives what entry `index` of root table `root` holds at first.
    pub const fn initial(&self, root: u64, index: usize) -> Entry {
        let entry = root.wrapping_mul(ENTRIES as u64).wrapping_add(index as u64);
        if self.is_protected(entry << self.start().shift()) { Entry::ZERO } else { Entry::UnassignedNs }
    }

    /// Gives VTCR_EL2: 4 KiB granules, tables write-back and inner shareable.
    pub fn vtcr(&self, pa_bits: u8, vmid_bits: u8) -> u64 {
        let start: u64 = match self.start().get() {
            0 => 2,
            1 => 1,
            2 => 0,
            _ => 3,
        };
        let sizes: u64 = match pa_bits {
            48.. => 5,
            44.. => 4,
            42.. => 3,
            40.. => 2,
            36.. => 1,
            _ => 0,
        };
        let wide_vmid = u64::from(vmid_bits > 8);
        1 << 31
            | 1 << 30
            | wide_vmid << 19
            | sizes << 16
            | 0b11 << 12
            | 1 << 10
            | 1 << 8
            | start << 6
            | (64 - self.width.min(63))
    }
}

#[cfg(test)]
mod tests;
