//! The partition table of the disk that was booted from.

use super::reader::Reader;
use super::text::{Shown, utf16};
use super::{Guid, Refusal};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

/// Size in bytes of a partition's entry in the event.
const ENTRY: u32 = 128;

/// `UEFI_GPT_DATA` (profile 1.06, 10.2): the header of a GUID partition table and its used entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gpt {
    /// Which disk.
    pub disk: Guid,
    /// Its partitions: what each is for, its first and last block, its name.
    pub partitions: Vec<(Guid, u64, u64, String)>,
}

impl Gpt {
    /// Reads the data of an event that begins at offset `at`.
    ///
    /// # Errors
    /// [`Refusal`] if it is no such table, or the entries do not fill the rest of it exactly.
    pub(crate) fn read(bytes: &[u8], at: usize) -> Result<Self, Refusal> {
        let mut reader = Reader::new(bytes, at);
        if reader.take(8, "header of a partition table")? != b"EFI PART" {
            return Err(Refusal::Bytes { at, expected: "the signature EFI PART" });
        }
        reader.take(48, "header of a partition table")?;
        let disk = Guid(reader.array("disk")?);
        reader.take(12, "place and number of the entries")?;
        let at = reader.at();
        let size = reader.u32("size of an entry")?;
        if size != ENTRY {
            let (what, expected) = ("size of a partition's entry", "128");
            return Err(Refusal::Value { at, what, expected, found: size.into() });
        }
        reader.u32("checksum of the entries")?;
        let count = reader.u64("number of used entries")?;
        let whole = reader.take_long(count.saturating_mul(ENTRY.into()), "entries of a partition table")?;
        reader.finish()?;
        let partitions = whole.chunks_exact(128).map(Self::partition).collect::<Result<_, _>>()?;
        Ok(Self { disk, partitions })
    }

    fn partition(entry: &[u8]) -> Result<(Guid, u64, u64, String), Refusal> {
        let mut reader = Reader::new(entry, 0);
        let kind = Guid(reader.array("type of a partition")?);
        reader.take(16, "partition")?;
        let first = reader.u64("first block")?;
        let last = reader.u64("last block")?;
        reader.u64("attributes")?;
        let name = utf16(reader.remainder()).unwrap_or_default();
        Ok((kind, first, last, name.trim_end_matches('\0').to_string()))
    }
}

impl fmt::Display for Gpt {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "partition table of disk {}:", self.disk)?;
        self.partitions.iter().enumerate().try_for_each(|(index, (kind, first, last, name))| {
            let comma = if index > 0 { "," } else { "" };
            write!(out, "{comma} {} in blocks {first} to {last}", kind.named())?;
            if name.is_empty() { Ok(()) } else { write!(out, " \"{}\"", Shown(name)) }
        })?;
        if self.partitions.is_empty() { out.write_str(" none in use") } else { Ok(()) }
    }
}
