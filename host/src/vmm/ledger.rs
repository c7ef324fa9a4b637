//! Which granules the host has given to the Realm world.

use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use abi::GRANULE_U64;

/// One bit for each granule of DRAM: set while it is delegated.
#[derive(Debug)]
pub struct Ledger {
    base: u64,
    bits: Vec<u64>,
    given: usize,
    back: usize,
}

impl Ledger {
    /// A ledger of `dram` with nothing given.
    pub fn new(dram: Range<u64>) -> Self {
        let granules = dram.end.saturating_sub(dram.start).div_ceil(GRANULE_U64);
        let words = usize::try_from(granules.div_ceil(64)).unwrap_or(0);
        Self { base: dram.start, bits: vec![0; words], given: 0, back: 0 }
    }

    /// Notes that a granule was given.
    pub fn give(&mut self, address: u64) {
        if let Some((word, bit)) = self.bit(address) {
            let new = *word & bit == 0;
            *word |= bit;
            self.given += usize::from(new);
        }
    }

    /// Notes that a granule came back; whether it had been given.
    pub fn take_back(&mut self, address: u64) -> bool {
        let Some((word, bit)) = self.bit(address) else { return false };
        let was = *word & bit != 0;
        *word &= !bit;
        self.back += usize::from(was);
        was
    }

    /// Says whether a granule is given.
    pub fn has(&mut self, address: u64) -> bool {
        self.bit(address).is_some_and(|(word, bit)| *word & bit != 0)
    }

    /// How many granules have come back.
    pub fn returned(&self) -> usize {
        self.back
    }

    /// How many granules are given now.
    pub fn outstanding(&self) -> usize {
        self.given.saturating_sub(self.back)
    }

    /// Given granules as runs of neighbours.
    pub fn runs(&self) -> Vec<Range<u64>> {
        let mut runs: Vec<Range<u64>> = Vec::new();
        for (word, first) in self.bits.iter().zip((self.base..).step_by(64 * abi::GRANULE)) {
            for address in (0..64u64).filter(|n| word >> n & 1 == 1).map(|n| first + n * GRANULE_U64) {
                match runs.last_mut().filter(|run| run.end == address) {
                    Some(run) => run.end += GRANULE_U64,
                    None => runs.push(address..address + GRANULE_U64),
                }
            }
        }
        runs
    }

    fn bit(&mut self, address: u64) -> Option<(&mut u64, u64)> {
        let granule = address.checked_sub(self.base)? / GRANULE_U64;
        let word = self.bits.get_mut(usize::try_from(granule / 64).ok()?)?;
        Some((word, 1 << (granule % 64)))
    }
}

#[cfg(test)]
mod tests {
    use super::Ledger;

    #[test]
    fn what_was_given_comes_back_once() {
        let mut ledger = Ledger::new(0x4000_0000..0x4010_0000);
        ledger.give(0x4000_1000);
        ledger.give(0x4000_2000);
        ledger.give(0x4000_9000);
        assert_eq!(ledger.runs(), [0x4000_1000..0x4000_3000, 0x4000_9000..0x4000_A000]);
        assert!(ledger.take_back(0x4000_1000));
        assert!(!ledger.take_back(0x4000_1000));
        assert!(!ledger.take_back(0x4000_3000));
        assert!(!ledger.take_back(0x3000_0000));
        assert_eq!((ledger.outstanding(), ledger.returned()), (2, 1));
    }
}
