//! Pieces of firmware, and tables that it hands over.

use super::reader::Reader;
use super::text::{Shown, readable, until_nul};
use super::{Guid, Refusal};
use alloc::vec::Vec;
use core::fmt;

/// `UEFI_PLATFORM_FIRMWARE_BLOB` and `…BLOB2` (profile 1.06, 10.2): where firmware was. VMMs that log the making of a
/// Realm describe kernel, initrd, device tree and log by it, too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob<'a> {
    /// What it is, without trailing NUL; older logs do not say it.
    pub description: Option<&'a [u8]>,
    /// Its address.
    pub base: u64,
    /// Its size in bytes.
    pub length: u64,
}

impl<'a> Blob<'a> {
    /// Reads address and size that begin at offset `at`.
    ///
    /// # Errors
    /// [`Refusal`] if they do not fill the bytes exactly.
    pub(crate) fn read(bytes: &'a [u8], at: usize) -> Result<Self, Refusal> {
        Self::place(None, Reader::new(bytes, at))
    }

    /// Reads description, address and size that begin at offset `at`.
    ///
    /// # Errors
    /// [`Refusal`] if they do not fill the bytes exactly.
    pub(crate) fn read_described(bytes: &'a [u8], at: usize) -> Result<Self, Refusal> {
        let mut reader = Reader::new(bytes, at);
        let description = description(&mut reader)?;
        Self::place(Some(description), reader)
    }

    fn place(description: Option<&'a [u8]>, mut reader: Reader<'a>) -> Result<Self, Refusal> {
        let base = reader.u64("address of a blob")?;
        let length = reader.u64("length of a blob")?;
        reader.finish()?;
        Ok(Self { description, base, length })
    }
}

impl fmt::Display for Blob<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.description {
            Some(text) => write!(out, "\"{}\"", Shown(&readable(text)))?,
            None => out.write_str("firmware")?,
        }
        write!(out, ", {} bytes at {:#x}", self.length, self.base)
    }
}

fn description<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], Refusal> {
    let length = reader.u8("length of a description")?;
    Ok(until_nul(reader.take(length.into(), "a description")?))
}

/// `UEFI_HANDOFF_TABLE_POINTERS` and `…POINTERS2` (profile 1.06, 10.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tables<'a> {
    /// What they are; older logs do not say it.
    pub description: Option<&'a [u8]>,
    /// What each table is, and its address.
    pub tables: Vec<(Guid, u64)>,
}

impl<'a> Tables<'a> {
    /// Reads the list that begins at offset `at`, with a description in front of it if there is to be one.
    ///
    /// # Errors
    /// [`Refusal`] if the list does not fill the bytes exactly.
    pub(crate) fn read(bytes: &'a [u8], at: usize, described: bool) -> Result<Self, Refusal> {
        let mut reader = Reader::new(bytes, at);
        let description = if described { Some(description(&mut reader)?) } else { None };
        let count = reader.u64("number of tables")?;
        let mut tables = Vec::new();
        for _ in 0..count {
            let kind = Guid(reader.array("kind of a table")?);
            tables.push((kind, reader.u64("address of a table")?));
        }
        reader.finish()?;
        Ok(Self { description, tables })
    }
}

impl fmt::Display for Tables<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = self.description {
            write!(out, "\"{}\": ", Shown(&readable(text)))?;
        }
        self.tables.iter().enumerate().try_for_each(|(index, (kind, address))| {
            let comma = if index > 0 { ", " } else { "" };
            write!(out, "{comma}{} at {address:#x}", kind.named())
        })?;
        if self.tables.is_empty() { out.write_str("none") } else { Ok(()) }
    }
}
