//! VMIDs: one per live realm.

use core::sync::atomic::{AtomicU64, Ordering};

/// Which VMIDs are in use.
#[derive(Debug)]
pub struct Vmids([AtomicU64; 1024]);

/// A VMID in use, given back by `Drop` unless a realm keeps it.
#[derive(Debug)]
pub struct Vmid<'v> {
    vmids: &'v Vmids,
    number: u16,
    kept: bool,
}

impl Vmids {
    /// Makes the set in which all are free.
    pub const fn new() -> Self {
        Self([const { AtomicU64::new(0) }; 1024])
    }

    fn word(&self, number: u16) -> Option<(&AtomicU64, u64)> {
        self.0.get(usize::from(number >> 6)).map(|word| (word, 1 << (number & 63)))
    }

    /// Takes a VMID that is free and fits `bits`.
    pub fn reserve(&self, number: u16, bits: u8) -> Option<Vmid<'_>> {
        if bits < 16 && number >> bits != 0 {
            return None;
        }
        let (word, bit) = self.word(number)?;
        if word.fetch_or(bit, Ordering::AcqRel) & bit != 0 {
            return None;
        }
        Some(Vmid { vmids: self, number, kept: false })
    }

    /// Counts those in use.
    pub fn count(&self) -> u64 {
        self.0.iter().map(|word| u64::from(word.load(Ordering::Acquire).count_ones())).sum()
    }

    /// Frees the VMID of a realm that is gone, and its translations with it.
    pub fn free(&self, number: u16) {
        if let Some((word, bit)) = self.word(number) {
            word.fetch_and(!bit, Ordering::AcqRel);
        }
    }
}

impl Default for Vmids {
    fn default() -> Self {
        Self::new()
    }
}

impl Vmid<'_> {
    /// Leaves it to a realm, which frees it when it is destroyed.
    pub fn keep(mut self) -> u16 {
        self.kept = true;
        self.number
    }
}

impl Drop for Vmid<'_> {
    fn drop(&mut self) {
        if !self.kept {
            self.vmids.free(self.number);
        }
    }
}
