//! A cursor over foreign bytes that knows where it stands.

use super::{Refusal, SpecId};

/// Reads little-endian numbers and runs of bytes; every refusal names the offset from the first byte of the log.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// A reader of `bytes`, the first of which stands at offset `at`.
    pub const fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { rest: bytes, at }
    }

    /// Offset of the next byte.
    pub const fn at(&self) -> usize {
        self.at
    }

    /// What was not read yet.
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next `count` bytes, which are `expected`.
    pub fn take(&mut self, count: usize, expected: &'static str) -> Result<&'a [u8], Refusal> {
        let cut = Refusal::Cut { at: self.at, expected, needed: count as u64, left: self.rest.len() };
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(cut)?;
        self.rest = rest;
        self.at = self.at.saturating_add(count);
        Ok(taken)
    }

    /// The next `count` bytes, where a length of 64 bits stood in the input.
    pub fn take_long(&mut self, count: u64, expected: &'static str) -> Result<&'a [u8], Refusal> {
        let cut = Refusal::Cut { at: self.at, expected, needed: count, left: self.rest.len() };
        self.take(usize::try_from(count).map_err(|_| cut)?, expected)
    }

    /// The next `N` bytes.
    pub fn array<const N: usize>(&mut self, expected: &'static str) -> Result<[u8; N], Refusal> {
        let cut = Refusal::Cut { at: self.at, expected, needed: N as u64, left: self.rest.len() };
        self.take(N, expected)?.try_into().map_err(|_| cut)
    }

    /// The next byte.
    pub fn u8(&mut self, expected: &'static str) -> Result<u8, Refusal> {
        self.array(expected).map(u8::from_le_bytes)
    }

    /// The next two bytes.
    pub fn u16(&mut self, expected: &'static str) -> Result<u16, Refusal> {
        self.array(expected).map(u16::from_le_bytes)
    }

    /// The next four bytes.
    pub fn u32(&mut self, expected: &'static str) -> Result<u32, Refusal> {
        self.array(expected).map(u32::from_le_bytes)
    }

    /// The next eight bytes.
    pub fn u64(&mut self, expected: &'static str) -> Result<u64, Refusal> {
        self.array(expected).map(u64::from_le_bytes)
    }

    /// Everything that is left.
    pub fn remainder(&mut self) -> &'a [u8] {
        let rest = self.rest;
        self.at = self.at.saturating_add(rest.len());
        self.rest = &[];
        rest
    }

    /// Refuses bytes that are left over.
    pub fn finish(&self) -> Result<(), Refusal> {
        if self.rest.is_empty() { Ok(()) } else { Err(Refusal::Left { at: self.at, count: self.rest.len() }) }
    }

    /// Passes over vendor data that a header declares but does not count in its size, as it occurs in logs of nothing
    /// but a header. In front of entries it would let two readers see two logs, and is refused.
    pub fn skip_vendor_overrun(&mut self, spec_id: &Option<SpecId<'_>>, entries: usize) -> Result<(), Refusal> {
        let overrun = spec_id.as_ref().map_or(0, |it| it.overrun);
        if entries != 1 || overrun == 0 {
            return Ok(());
        }
        self.take(overrun, "vendor data of the header")?;
        self.finish()
    }
}
