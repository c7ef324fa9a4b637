//! Granule protection: who owns each 4 KiB of physical memory, and the tables that tell the hardware
//! (Arm ARM, D9: granule protection check mechanism).
//!
//! The tables are the record, too: what was not Non-secure in them before a reset is wiped after it.

mod layout;
mod stale;

pub use layout::{Layout, Region};
pub use stale::{Before, stale};

use abi::el3::Status;
use abi::{GRANULE_U64, is_granule_aligned, map};
use core::sync::atomic::{AtomicU64, Ordering};

/// Words of the level 0 table: one for each GiB of the 1 TiB that is protected.
pub const L0_WORDS: usize = 1024;
/// Bytes between the level 0 table and the first level 1 table; the record's header lies between.
pub const L1_OFFSET: u64 = 0x2_0000;
/// Words of a level 1 table, which protects one GiB in granules of 4 KiB.
pub const L1_WORDS: usize = 16384;
/// GPCCR_EL3 for these tables with checks off: 40-bit addresses, 4 KiB granules, write-back, inner shareable.
pub const GPCCR_OFF: u64 = 2 | 1 << 8 | 1 << 10 | 3 << 12;
/// GPCCR_EL3 for these tables with checks on.
pub const GPCCR_ON: u64 = GPCCR_OFF | 1 << 16;

/// Granule protection information: who may access a granule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Gpi {
    /// Nobody.
    None = 0,
    /// The Secure world and Root.
    Secure = 8,
    /// The Normal world alone.
    NonSecure = 9,
    /// EL3 alone.
    Root = 10,
    /// The Realm world alone.
    Realm = 11,
    /// Everybody.
    Any = 15,
}

impl Gpi {
    /// Gives the level 1 word in which all sixteen granules are so.
    #[must_use]
    pub const fn word(self) -> u64 {
        self as u64 * 0x1111_1111_1111_1111
    }
}

/// The tables in memory. Word `pa >> 16` of level 1 protects the sixteen granules from `pa` on, as the level 1 tables of
/// all gigabytes from address 0 to the end of DRAM follow each other.
#[derive(Clone, Copy)]
pub struct Tables<'a> {
    l0: &'a [AtomicU64],
    l1: &'a [AtomicU64],
    delegable_end: u64,
    delegated: Gpi,
}

impl<'a> Tables<'a> {
    /// Names the tables in memory: level 0 of [`L0_WORDS`] words, and [`Layout::l1_words`] words of level 1.
    ///
    /// `delegated` is what a delegated granule becomes: [`Gpi::Realm`] in every build but the one that shows what
    /// happens without protection.
    #[must_use]
    pub const fn new(l0: &'a [AtomicU64], l1: &'a [AtomicU64], layout: &Layout, delegated: Gpi) -> Tables<'a> {
        Tables { l0, l1, delegable_end: layout.dram_end, delegated }
    }

    /// Writes all entries anew from `layout`, level 1 standing at physical address `l1_address`.
    ///
    /// Nothing may run under the tables while this is done.
    pub fn build(&self, layout: &Layout, l1_address: u64) {
        let tables = self.l1.len() / L1_WORDS;
        for (gigabyte, entry) in self.l0.iter().enumerate() {
            const TABLE: u64 = 3;
            const BLOCK: u64 = 1;
            let table = l1_address + (gigabyte * L1_WORDS * 8) as u64;
            let block = (Gpi::Any as u64) << 4 | BLOCK;
            entry.store(if gigabyte < tables { table | TABLE } else { block }, Ordering::Relaxed);
        }
        for region in layout.regions() {
            self.fill(&region);
        }
    }

    fn fill(&self, region: &Region) {
        let mut pa = region.from;
        while pa < region.to {
            let whole = pa & 0xffff == 0 && region.to - pa >= 0x1_0000;
            if let (true, Some(word)) = (whole, self.word(pa)) {
                word.store(region.gpi.word(), Ordering::Relaxed);
                pa += 0x1_0000;
            } else {
                self.change(pa, |_| Some(region.gpi));
                pa += GRANULE_U64;
            }
        }
    }

    /// Says who may access the granule at `pa`; `None` beyond the tables, and for what is no [`Gpi`].
    #[must_use]
    pub fn gpi(&self, pa: u64) -> Option<Gpi> {
        let word = self.word(pa)?.load(Ordering::Acquire);
        Some(match word >> shift(pa) & 0xf {
            0 => Gpi::None,
            8 => Gpi::Secure,
            9 => Gpi::NonSecure,
            10 => Gpi::Root,
            11 => Gpi::Realm,
            15 => Gpi::Any,
            _ => return None,
        })
    }

    /// Moves a granule from the Normal world to the Realm world; the caller invalidates (GTSI_DELEGATE).
    ///
    /// # Errors
    /// `BadAddress` for no granule of delegable DRAM, `BadPas` when it is not Non-secure.
    pub fn delegate(&self, pa: u64) -> Result<(), Status> {
        self.transfer(pa, Gpi::NonSecure, self.delegated)
    }

    /// Moves a granule back to the Normal world; the caller invalidates (GTSI_UNDELEGATE).
    ///
    /// # Errors
    /// `BadAddress` for no granule of delegable DRAM, `BadPas` when it is not delegated.
    pub fn undelegate(&self, pa: u64) -> Result<(), Status> {
        self.transfer(pa, self.delegated, Gpi::NonSecure)
    }

    /// Counts the granules that can be delegated, and those of them that are not Non-secure.
    #[must_use]
    pub fn census(&self) -> (u64, u64) {
        let number = self.delegable_end.saturating_sub(map::RMM_END) / GRANULE_U64;
        let not_normal = (0..number).filter(|n| self.gpi(map::RMM_END + n * GRANULE_U64) != Some(Gpi::NonSecure));
        (number, not_normal.count() as u64)
    }

    fn transfer(&self, pa: u64, from: Gpi, to: Gpi) -> Result<(), Status> {
        if !is_granule_aligned(pa) || !(map::RMM_END..self.delegable_end).contains(&pa) {
            return Err(Status::BadAddress);
        }
        let changed = self.change(pa, |old| (old == from as u64).then_some(to));
        if changed { Ok(()) } else { Err(Status::BadPas) }
    }

    /// Changes one granule's entry as `change` says of the present one, in one step among all CPUs.
    fn change(&self, pa: u64, change: impl Fn(u64) -> Option<Gpi>) -> bool {
        let Some(word) = self.word(pa) else { return false };
        word.fetch_update(Ordering::AcqRel, Ordering::Acquire, |old| {
            let new = change(old >> shift(pa) & 0xf)?;
            Some(old & !(0xf << shift(pa)) | (new as u64) << shift(pa))
        })
        .is_ok()
    }

    fn word(&self, pa: u64) -> Option<&'a AtomicU64> {
        self.l1.get(usize::try_from(pa >> 16).ok()?)
    }
}

/// Where in its word the entry of the granule at `pa` stands.
const fn shift(pa: u64) -> u64 {
    (pa >> 12 & 0xf) * 4
}

#[cfg(test)]
mod tests;
