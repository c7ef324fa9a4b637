//! The granule protection tables in secure RAM, their record, and the registers that put them to work.

use abi::map;
use core::sync::atomic::{AtomicU64, Ordering};
use cpu::{barrier, tlb, write};
use monitor::gpt::{Before, GPCCR_OFF, GPCCR_ON, Gpi, L0_WORDS, L1_OFFSET, Layout, Tables};

const RECORD_OFFSET: u64 = (L0_WORDS * 8) as u64;
const RECORD_MAGIC: u64 = u64::from_le_bytes(*b"ALLODGPT");
const UNDER_WAY: u64 = u64::from_le_bytes(*b"UNKNOWN!");
const DELEGATED: Gpi = if cfg!(feature = "without-granule-protection") { Gpi::Any } else { Gpi::Realm };

/// Names the tables of a machine with this layout.
///
/// # Safety
/// The tables' region is mapped; nobody but the returned value and the hardware's walks touches it.
pub unsafe fn tables(layout: &Layout) -> Tables<'static> {
    // SAFETY: both ranges lie in the region that the caller vouches for, and are aligned; any bits are valid.
    let (l0, l1) = unsafe { (words(map::GPT, L0_WORDS), words(map::GPT + L1_OFFSET, layout.l1_words())) };
    Tables::new(l0, l1, layout, DELEGATED)
}

unsafe fn words(address: u64, length: usize) -> &'static [AtomicU64] {
    // SAFETY: the caller vouches for the range.
    unsafe { core::slice::from_raw_parts(address as *const AtomicU64, length) }
}

/// The three words that say whether the tables are the last boot's: magic, end of DRAM, and their difference.
///
/// # Safety
/// As [`tables`].
pub unsafe fn record() -> Record {
    // SAFETY: the record lies between level 0 and level 1.
    Record(unsafe { words(map::GPT + RECORD_OFFSET, 3) })
}

/// See [`record`].
pub struct Record(&'static [AtomicU64]);

impl Record {
    /// Says what the record tells of memory: only words that fit each other and this machine make the tables true.
    pub fn before(&self, layout: &Layout) -> Before {
        let found = || self.0.iter().map(|word| word.load(Ordering::Relaxed));
        if found().eq(Self::words(layout)) {
            Before::Recorded
        } else if found().all(|word| word == 0) {
            Before::Switched
        } else {
            Before::Unknown
        }
    }

    /// Says that the tables hold from now on.
    pub fn set(&self, layout: &Layout) {
        barrier::dsb();
        self.0.iter().zip(Self::words(layout)).for_each(|(word, value)| word.store(value, Ordering::Relaxed));
        barrier::dsb();
    }

    /// Says that the tables are being written: a reset now leaves memory unknown.
    pub fn suspend(&self) {
        self.0.iter().for_each(|word| word.store(UNDER_WAY, Ordering::Relaxed));
        barrier::dsb();
    }

    fn words(layout: &Layout) -> [u64; 3] {
        [RECORD_MAGIC, layout.dram_end, RECORD_MAGIC.wrapping_sub(layout.dram_end)]
    }
}

/// Puts the tables to work on this CPU (GPTBR_EL3, GPCCR_EL3).
pub fn enable() {
    write!(S3_6_C2_C1_4, map::GPT >> 12);
    write!(S3_6_C2_C1_6, GPCCR_OFF);
    barrier::isb();
    tlb::all_protection();
    write!(S3_6_C2_C1_6, GPCCR_ON);
    barrier::isb();
    tlb::all_protection();
}
