//! The ACPI table that says where a confidential-computing log is.

use super::reader::Reader;
use super::{CcType, Refusal};

const SIGNATURE: &[u8; 4] = b"CCEL";
/// Size in bytes of a table with nothing behind its fields.
const SMALLEST: u32 = 56;
/// The most that is believed to be one table, in bytes.
const LARGEST: u32 = 4096;

/// ACPI table `CCEL` (ACPI 6.5, 5.2.34).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table {
    /// Revision of the table.
    pub revision: u8,
    /// Who made the firmware.
    pub oem: [u8; 6],
    /// What kind of confidential computing it is.
    pub kind: CcType,
    /// Its sub-type, 0 so far.
    pub subtype: u8,
    /// Size of the log area in bytes.
    pub length: u64,
    /// Physical address of the log area in the guest.
    pub address: u64,
}

impl Table {
    /// Reads the table at the start of `bytes` and answers it with the bytes behind it.
    ///
    /// # Errors
    /// [`Refusal`] if it is cut short, or length or checksum are wrong.
    pub fn parse(bytes: &[u8]) -> Result<(Self, &[u8]), Refusal> {
        let mut reader = Reader::new(bytes, 0);
        reader.take(SIGNATURE.len(), "the signature CCEL")?;
        let length = reader.u32("length of the ACPI table")?;
        if !(SMALLEST..=LARGEST).contains(&length) {
            let (what, expected) = ("length of the ACPI table", "56 to 4096");
            return Err(Refusal::Value { at: 4, what, expected, found: length.into() });
        }
        let whole = Reader::new(bytes, 0).take_long(length.into(), "the ACPI table")?;
        let sum = whole.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte));
        if sum != 0 {
            let (what, expected) = ("sum of the bytes of the ACPI table", "0");
            return Err(Refusal::Value { at: 9, what, expected, found: sum.into() });
        }
        let table = Self::fields(&mut reader)?;
        Ok((table, bytes.get(whole.len()..).unwrap_or_default()))
    }

    fn fields(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let revision = reader.u8("revision")?;
        reader.u8("checksum")?;
        let oem = reader.array("OEM")?;
        reader.take(20, "OEM table, OEM revision, creator and its revision")?;
        let kind = CcType::from(reader.u8("type")?);
        let subtype = reader.u8("sub-type")?;
        reader.u16("reserved bytes")?;
        let length = reader.u64("length of the log area")?;
        let address = reader.u64("address of the log area")?;
        Ok(Self { revision, oem, kind, subtype, length, address })
    }

    /// Takes a table off the front of a log, if there is one.
    pub(crate) fn split(bytes: &[u8]) -> Result<(Option<Self>, &[u8]), Refusal> {
        if !bytes.starts_with(SIGNATURE) {
            return Ok((None, bytes));
        }
        let (table, log) = Self::parse(bytes)?;
        if log.is_empty() {
            return Err(Refusal::TableAlone);
        }
        table.covers(log)?;
        Ok((Some(table), log))
    }

    /// Says whether `log` fits into the area that the table declares.
    ///
    /// # Errors
    /// [`Refusal::TooLong`] if it does not.
    pub fn covers(&self, log: &[u8]) -> Result<(), Refusal> {
        let limit = usize::try_from(self.length).unwrap_or(usize::MAX);
        if log.len() > limit { Err(Refusal::TooLong { limit, found: log.len() }) } else { Ok(()) }
    }
}
