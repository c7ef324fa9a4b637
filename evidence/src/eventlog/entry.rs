//! One entry of a log.

use super::reader::Reader;
use super::{Algorithm, EventType, Refusal};
use alloc::vec::Vec;

/// The highest register of a TPM.
const LAST_PCR: u32 = 23;
/// The register that entries may name which are in none (profile 1.06, 10.4).
const NO_REGISTER: u32 = u32::MAX;

/// How entries are laid out.
pub(crate) enum Form {
    /// `TCG_PCR_EVENT`: one digest, always SHA-1.
    Sha1,
    /// `TCG_PCR_EVENT2`: digests of these algorithms.
    Agile(Vec<Algorithm>),
}

impl Form {
    /// Size in bytes of an entry without digest values and data; so many zeroes end a log.
    pub const fn smallest_entry(&self) -> usize {
        match self {
            Self::Sha1 => 32,
            Self::Agile(_) => 12,
        }
    }
}

/// One digest of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest<'a> {
    /// Its algorithm.
    pub algorithm: Algorithm,
    /// As many bytes as the algorithm's digests have.
    pub value: &'a [u8],
}

/// One entry, undecoded (profile 1.06, 10.2): what was extended, and what is said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Its place in the log; the first is 0.
    pub number: usize,
    /// Offset of its first byte from the start of the log.
    pub at: usize,
    /// The register it was extended into, as it stands in the log.
    pub register: u32,
    /// Its type.
    pub kind: EventType,
    /// What was extended, once for each bank that the platform has.
    pub digests: Vec<Digest<'a>>,
    /// Offset of the first byte of `data` from the start of the log.
    pub data_at: usize,
    /// What the type says that stands here.
    pub data: &'a [u8],
}

impl Entry<'_> {
    /// The digest of this algorithm, if the entry has one.
    #[must_use]
    pub fn digest(&self, algorithm: Algorithm) -> Option<&[u8]> {
        self.digests.iter().find(|it| it.algorithm == algorithm).map(|it| it.value)
    }

    /// Offset of the first byte behind the entry.
    #[must_use]
    pub fn end(&self) -> usize {
        self.data_at.saturating_add(self.data.len())
    }
}

/// Reads one entry of a form.
pub(crate) fn read_entry<'a>(reader: &mut Reader<'a>, form: &Form, number: usize) -> Result<Entry<'a>, Refusal> {
    let at = reader.at();
    let register = reader.u32("the register of an entry")?;
    let kind = EventType(reader.u32("the type of an entry")?);
    if register > LAST_PCR && (register != NO_REGISTER || kind != EventType::NO_ACTION) {
        return Err(Refusal::Register { at, found: register });
    }
    let digests = match form {
        Form::Sha1 => alloc::vec![Digest { algorithm: Algorithm::Sha1, value: reader.take(20, "a SHA-1 digest")? }],
        Form::Agile(algorithms) => read_digests(reader, algorithms)?,
    };
    let size = reader.u32("the size of an entry's data")?;
    let data_at = reader.at();
    let data = reader.take_long(size.into(), "the data of an entry")?;
    Ok(Entry { number, at, register, kind, digests, data_at, data })
}

fn read_digests<'a>(reader: &mut Reader<'a>, algorithms: &[Algorithm]) -> Result<Vec<Digest<'a>>, Refusal> {
    let at = reader.at();
    let count = reader.u32("the number of digests")?;
    let limit = algorithms.len();
    let sane = usize::try_from(count).ok().filter(|count| *count <= limit);
    let count = sane.ok_or(Refusal::Digests { at, limit, found: count })?;
    let mut digests: Vec<Digest<'a>> = Vec::with_capacity(count);
    for _ in 0..count {
        let at = reader.at();
        let id = reader.u16("the algorithm of a digest")?;
        let algorithm = *algorithms.iter().find(|it| it.id() == id).ok_or(Refusal::Unlisted { at, found: id })?;
        if digests.iter().any(|it| it.algorithm == algorithm) {
            return Err(Refusal::Twice { at, algorithm });
        }
        digests.push(Digest { algorithm, value: reader.take(algorithm.size(), "a digest")? });
    }
    Ok(digests)
}
