//! What a `Boot####` variable says.

use super::reader::Reader;
use super::text::{Shown, readable, utf16};
use super::{DevicePath, Refusal};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// `EFI_LOAD_OPTION` (UEFI 2.10, 3.1.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadOption<'a> {
    /// Bit 0 is set if the option may be booted, bit 3 hides it from menus.
    pub attributes: u32,
    /// Its name in menus.
    pub description: String,
    /// What is loaded.
    pub path: DevicePath,
    /// What is passed to it.
    pub data: &'a [u8],
}

impl<'a> LoadOption<'a> {
    /// Reads an option that begins at offset `at`.
    ///
    /// # Errors
    /// [`Refusal`] if it is cut short, or its name is no text.
    pub(crate) fn read(bytes: &'a [u8], at: usize) -> Result<Self, Refusal> {
        let mut reader = Reader::new(bytes, at);
        let attributes = reader.u32("attributes of a boot option")?;
        let length = usize::from(reader.u16("length of its paths")?);
        let at = reader.at();
        let (units, _) = reader.rest().as_chunks::<2>();
        let missing = Refusal::Bytes { at, expected: "the name of a boot option, with NUL" };
        let count = units.iter().position(|unit| *unit == [0, 0]).ok_or_else(|| missing.clone())?;
        let name = reader.take(count.saturating_mul(2), "the name of a boot option")?;
        reader.u16("NUL")?;
        let at = reader.at();
        let path = DevicePath::read(reader.take(length, "paths of a boot option")?, at)?;
        Ok(Self { attributes, description: utf16(name).ok_or(missing)?, path, data: reader.remainder() })
    }
}

impl fmt::Display for LoadOption<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "\"{}\", from {}", Shown(&self.description), self.path)?;
        let notes: Vec<&str> = [(1, "not active", false), (8, "hidden", true)]
            .into_iter()
            .filter(|(bit, _, when)| (self.attributes & bit != 0) == *when)
            .map(|(_, note, _)| note)
            .collect();
        notes.iter().try_for_each(|note| write!(out, ", {note}"))?;
        if self.data.is_empty() { Ok(()) } else { write!(out, ", with {}", Shown(&readable(self.data))) }
    }
}
