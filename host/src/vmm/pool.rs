//! Free granules: which there are, and taking them one by one or a few side by side.

use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use abi::GRANULE_U64;

/// Free granules of a range of physical memory; one bit each, set when free.
#[derive(Debug)]
pub struct Pool {
    base: u64,
    free: Vec<u64>,
    /// Word that the last search ended at.
    hint: usize,
}

impl Pool {
    /// A pool over `range` that holds nothing yet; `range` starts at a multiple of 256 KiB.
    #[must_use]
    pub fn new(range: Range<u64>) -> Self {
        let granules = range.end.saturating_sub(range.start) / GRANULE_U64;
        Self { base: range.start, free: vec![0; usize::try_from(granules.div_ceil(64)).unwrap_or(0)], hint: 0 }
    }

    /// Adds the whole granules of `range`.
    pub fn add(&mut self, range: Range<u64>) {
        let mut address = range.start.next_multiple_of(GRANULE_U64);
        while address < range.end && range.end - address >= GRANULE_U64 {
            self.set(address, true);
            address += GRANULE_U64;
        }
    }

    /// Takes `pages` granules (1 to 64) side by side, aligned to the next power of two.
    pub fn take(&mut self, pages: usize) -> Option<u64> {
        let span = pages.checked_next_power_of_two().filter(|span| (1..=64).contains(span))?;
        let mask = u64::MAX >> (64 - pages);
        for step in 0..self.free.len() {
            let at = (self.hint + step) % self.free.len();
            let word = self.free.get_mut(at)?;
            if *word == 0 {
                continue;
            }
            if let Some(shift) = (0..64).step_by(span).find(|shift| *word >> shift & mask == mask) {
                *word &= !(mask << shift);
                self.hint = at;
                return Some(self.base + (at as u64 * 64 + shift as u64) * GRANULE_U64);
            }
        }
        None
    }

    /// Takes granules for `bytes` bytes side by side, aligned to 256 KiB: for files.
    pub fn take_bytes(&mut self, bytes: u64) -> Option<Range<u64>> {
        let words = usize::try_from(bytes.div_ceil(64 * GRANULE_U64)).ok()?;
        let first = self.free.windows(words.max(1)).position(|run| run.iter().all(|word| *word == u64::MAX))?;
        self.free.get_mut(first..first + words)?.fill(0);
        let start = self.base + first as u64 * 64 * GRANULE_U64;
        Some(start..start + words as u64 * 64 * GRANULE_U64)
    }

    /// Gives granules back.
    pub fn give(&mut self, address: u64, pages: usize) {
        (0..pages as u64).for_each(|n| self.set(address + n * GRANULE_U64, true));
    }

    /// How many granules are free.
    #[must_use]
    pub fn free(&self) -> usize {
        self.free.iter().map(|word| word.count_ones() as usize).sum()
    }

    fn set(&mut self, address: u64, free: bool) {
        let Some(granule) = address.checked_sub(self.base).map(|offset| offset / GRANULE_U64) else { return };
        let word = usize::try_from(granule / 64).ok().and_then(|at| self.free.get_mut(at));
        if let Some(word) = word {
            let bit = 1 << (granule % 64);
            *word = if free { *word | bit } else { *word & !bit };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Pool;

    #[test]
    fn granules_are_taken_once_and_aligned() {
        let mut pool = Pool::new(0x4000_0000..0x4010_0000);
        pool.add(0x4000_1000..0x4010_0000);
        assert_eq!(pool.free(), 255);
        assert_eq!(pool.take(1), Some(0x4000_1000));
        assert_eq!(pool.take(4), Some(0x4000_4000));
        assert_eq!(pool.take(1), Some(0x4000_2000));
        assert_eq!(pool.take(16), Some(0x4001_0000));
        pool.give(0x4000_1000, 1);
        assert_eq!(pool.take(1), Some(0x4000_1000));
        assert_eq!(pool.take(65), None);
        let rest = core::iter::from_fn(|| pool.take(1)).count();
        assert_eq!(rest, 255 - 1 - 4 - 1 - 16);
        assert_eq!(pool.take(1), None);
    }

    #[test]
    fn a_file_gets_whole_words() {
        let mut pool = Pool::new(0x4000_0000..0x4010_0000);
        pool.add(0x4000_1000..0x4010_0000);
        assert_eq!(pool.take_bytes(0x4_0001), Some(0x4004_0000..0x400C_0000));
        assert_eq!(pool.take_bytes(0x8_0000), None);
    }
}
