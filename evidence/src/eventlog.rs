//! Event logs of measured boots: what firmware, boot loaders and kernels say they extended registers with.
//!
//! One reader for the three forms in use (TCG PC Client Platform Firmware Profile 1.06, §10): the crypto-agile form of
//! TPM 2.0, the same form in a confidential-computing log (ACPI 6.5, 5.2.34 `CCEL`; UEFI 2.10, 38.4), with or without
//! its ACPI table in front, and the SHA-1 form of TPM 1.2.
//!
//! A log is an allegation: nothing in it is true until replaying it gives the registers of a verified token. What an
//! entry *says* ([`Event`]) is a second allegation, bound to the entry's digest only where [`Event::measured`] tells
//! that the data itself was hashed.

mod algorithm;
mod blob;
mod config;
mod device_path;
mod entry;
mod event;
mod gpt;
mod guid;
mod image;
mod ipl;
mod kind;
mod load_option;
mod no_action;
mod reader;
mod refusal;
mod register;
mod signature_list;
mod spec_id;
mod table;
mod tag;
mod text;
mod variable;

pub use algorithm::Algorithm;
pub use blob::{Blob, Tables};
pub use config::Config;
pub use device_path::DevicePath;
pub use entry::{Digest, Entry};
pub use event::{Event, Measured, Separator, Version};
pub use gpt::Gpt;
pub use guid::Guid;
pub use image::Image;
pub use ipl::{Ipl, Line};
pub use kind::EventType;
pub use load_option::LoadOption;
pub use no_action::NoAction;
pub use refusal::Refusal;
pub use register::{CcType, Numbering};
pub use signature_list::SignatureLists;
pub use spec_id::SpecId;
pub use table::Table;
pub use tag::Tag;
pub use text::Shown;
pub use variable::{Variable, VariableKind};

use alloc::vec::Vec;
use entry::{Form, read_entry};
use reader::Reader;

/// The most bytes of a log that are read.
pub const MAX_LOG: usize = 16 * 1024 * 1024;
/// The most entries of a log that are read, header included.
pub const MAX_ENTRIES: usize = 4096;

/// Bytes of an entry, as most are at least: so many are made room for.
const USUAL_ENTRY: usize = 96;

/// A log that is well formed from its first byte to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventLog<'a> {
    table: Option<Table>,
    spec_id: Option<SpecId<'a>>,
    entries: Vec<Entry<'a>>,
    end: End,
    numbering: Option<Numbering>,
}

/// Where a log ends, and by what one can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// Offset in bytes behind the last entry, from the first byte of the log (not of the table in front of it).
    pub at: usize,
    /// What stands there.
    pub mark: Mark,
    /// Offset of the first byte behind the end that is not filler, if there is one. No producer writes any: what stands
    /// there was an entry before something was erased.
    pub residue: Option<usize>,
}

/// What ends a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Its last byte.
    Input,
    /// The filler 0xFF of EDK2.
    Ones,
    /// Zeroes, as td-shim and VMMs leave them.
    Zeroes,
}

impl<'a> EventLog<'a> {
    /// Reads a log: an ACPI `CCEL` table may stand in front of it, and filler behind its last entry.
    ///
    /// Offsets in the result count from the first byte of the log, behind the table.
    ///
    /// # Errors
    /// [`Refusal`] at the first thing that is not as the profile says. Nothing is allocated for lengths that the input
    /// does not have; the result takes at most a small multiple of the input.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Refusal> {
        let (table, bytes) = Table::split(bytes)?;
        if bytes.len() > MAX_LOG {
            return Err(Refusal::TooLong { limit: MAX_LOG, found: bytes.len() });
        }
        let mut reader = Reader::new(bytes, 0);
        let (form, spec_id) = SpecId::detect(&reader)?;
        let mut entries = Vec::with_capacity((bytes.len() / USUAL_ENTRY).min(MAX_ENTRIES));
        while Mark::of(&form, reader.rest()).is_none() {
            if entries.len() == MAX_ENTRIES {
                return Err(Refusal::TooMany { at: reader.at(), limit: MAX_ENTRIES });
            }
            // The first entry has the SHA-1 form in every log; it says which form the others have.
            let form = if entries.is_empty() { &Form::Sha1 } else { &form };
            entries.push(read_entry(&mut reader, form, entries.len())?);
            reader.skip_vendor_overrun(&spec_id, entries.len())?;
        }
        let end = End::of(&form, &reader, entries.last());
        Ok(Self { table, spec_id, entries, end, numbering: None })
    }

    /// The ACPI table that stood in front of the log.
    #[must_use]
    pub fn table(&self) -> Option<&Table> {
        self.table.as_ref()
    }

    /// The header; a log of TPM 1.2 has none.
    #[must_use]
    pub fn spec_id(&self) -> Option<&SpecId<'a>> {
        self.spec_id.as_ref()
    }

    /// Every entry in order, the header included.
    #[must_use]
    pub fn entries(&self) -> &[Entry<'a>] {
        &self.entries
    }

    /// Where the log ends.
    #[must_use]
    pub fn end(&self) -> End {
        self.end
    }

    /// The algorithms of which an entry may hold digests, in the header's order.
    #[must_use]
    pub fn algorithms(&self) -> Vec<Algorithm> {
        self.spec_id.as_ref().map_or_else(|| alloc::vec![Algorithm::Sha1], |it| it.algorithms.clone())
    }

    /// The same log, for one who knows better what its register numbers mean; `None` changes nothing.
    #[must_use]
    pub fn with_numbering(self, numbering: Option<Numbering>) -> Self {
        Self { numbering: numbering.or(self.numbering), ..self }
    }

    /// What the register numbers of this log mean, as far as the log and its table tell.
    ///
    /// A table says it; so does header index 1, which only confidential-computing firmware writes. Without either, a
    /// register above 4 or a SHA-1 bank means a TPM.
    #[must_use]
    pub fn numbering(&self) -> Numbering {
        if let Some(known) = self.numbering {
            return known;
        }
        if let Some(table) = &self.table {
            return Numbering::Cc(table.kind);
        }
        let Some(spec_id) = &self.spec_id else { return Numbering::Tpm };
        let header = self.entries.first().map_or(0, |entry| entry.register);
        let high = self.entries.iter().any(|entry| entry.register > register::LAST_MR && entry.kind.is_extended());
        if header == 1 && !high {
            return Numbering::Cc(CcType::Unstated);
        }
        let tpm = high || spec_id.algorithms.contains(&Algorithm::Sha1) || self.entries.len() < 2;
        if tpm { Numbering::Tpm } else { Numbering::Cc(CcType::Unstated) }
    }
}

impl Mark {
    /// The mark at the start of `rest`, which is what is left of a log, or `None` if an entry has to stand there.
    fn of(form: &Form, rest: &[u8]) -> Option<Self> {
        let starts_with = |byte: u8, count: usize| rest.iter().take(count).all(|it| *it == byte);
        match rest {
            [] => Some(Self::Input),
            // Register and type.
            _ if starts_with(0xff, 8) => Some(Self::Ones),
            _ if starts_with(0, form.smallest_entry()) => Some(Self::Zeroes),
            _ => None,
        }
    }
}

impl End {
    fn of(form: &Form, reader: &Reader<'_>, last: Option<&Entry<'_>>) -> Self {
        let mark = Mark::of(form, reader.rest()).unwrap_or(Mark::Input);
        let filler = if mark == Mark::Ones { 0xff } else { 0 };
        let odd = reader.rest().iter().position(|byte| *byte != filler);
        let residue = odd.map(|offset| reader.at().saturating_add(offset));
        Self { at: last.map_or(reader.at(), Entry::end), mark, residue }
    }
}

#[cfg(test)]
mod tests;
