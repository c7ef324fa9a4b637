//! The header of a crypto-agile log.

use super::entry::{Form, read_entry};
use super::reader::Reader;
use super::{Algorithm, Entry, EventType, Refusal};
use alloc::vec::Vec;

/// How the data of the header begins.
pub(crate) const SIGNATURE: &[u8; 16] = b"Spec ID Event03\0";
/// The most algorithms that a header may list.
const MAX_ALGORITHMS: u32 = 16;
/// The longest digest, in bytes.
const MAX_DIGEST: u16 = 64;

/// What the header says of the log (TCG PC Client Platform Firmware Profile 1.06, 10.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecId<'a> {
    /// 0 for a client, 1 for a server.
    pub platform_class: u32,
    /// Minor version of the profile.
    pub minor: u8,
    /// Errata level of the profile; 105 and 106 stand for revisions 1.05 and 1.06.
    pub errata: u8,
    /// Size of the firmware's native word: 1 for 32 bits, 2 for 64.
    pub word: u8,
    /// The algorithms of the digests, in the order of the header.
    pub algorithms: Vec<Algorithm>,
    /// What the vendor adds.
    pub vendor: &'a [u8],
    /// Bytes of vendor data that the header declares but that its size does not cover; they follow it.
    pub overrun: usize,
}

impl<'a> SpecId<'a> {
    /// Looks at the first entry and says which form the others have.
    pub(crate) fn detect(log: &Reader<'a>) -> Result<(Form, Option<Self>), Refusal> {
        let filler = |byte: &u8| *byte == 0xff || *byte == 0;
        if log.rest().iter().take(32).all(filler) {
            return Err(Refusal::Blank);
        }
        let mut reader = log.clone();
        let first = read_entry(&mut reader, &Form::Sha1, 0)?;
        if first.kind != EventType::NO_ACTION || !first.data.starts_with(SIGNATURE) {
            return Ok((Form::Sha1, None));
        }
        let header = Self::read(&first, reader.rest())?;
        Ok((Form::Agile(header.algorithms.clone()), Some(header)))
    }

    fn read(entry: &Entry<'a>, behind: &'a [u8]) -> Result<Self, Refusal> {
        if entry.digests.iter().any(|digest| digest.value.iter().any(|byte| *byte != 0)) {
            return Err(Refusal::Bytes {
                at: entry.at.saturating_add(8),
                expected: "a header with a digest of zeroes",
            });
        }
        let mut reader = Reader::new(entry.data, entry.data_at);
        reader.take(SIGNATURE.len(), "the signature")?;
        let platform_class = reader.u32("platform class")?;
        let minor = reader.u8("minor version")?;
        let at = reader.at();
        let major = reader.u8("major version")?;
        if major != 2 {
            return Err(Refusal::Value { at, what: "major version", expected: "2", found: major.into() });
        }
        let errata = reader.u8("errata level")?;
        let word = reader.u8("word size")?;
        let algorithms = Self::algorithms(&mut reader)?;
        let (vendor, overrun) = Self::vendor(&mut reader, behind)?;
        Ok(Self { platform_class, minor, errata, word, algorithms, vendor, overrun })
    }

    fn algorithms(reader: &mut Reader<'a>) -> Result<Vec<Algorithm>, Refusal> {
        let at = reader.at();
        let count = reader.u32("number of algorithms")?;
        if count == 0 || count > MAX_ALGORITHMS {
            let expected = "1 to 16";
            return Err(Refusal::Value { at, what: "number of algorithms", expected, found: count.into() });
        }
        let mut algorithms = Vec::new();
        for _ in 0..count {
            let at = reader.at();
            let id = reader.u16("an algorithm")?;
            let algorithm = Self::sized(at, id, reader.u16("size of a digest")?)?;
            if algorithms.iter().any(|it: &Algorithm| it.id() == id) {
                return Err(Refusal::Twice { at, algorithm });
            }
            algorithms.push(algorithm);
        }
        Ok(algorithms)
    }

    fn sized(at: usize, id: u16, size: u16) -> Result<Algorithm, Refusal> {
        let wrong = |expected| Refusal::Value { at, what: "size of a digest", expected, found: size.into() };
        if size == 0 || size > MAX_DIGEST {
            return Err(wrong("1 to 64 bytes"));
        }
        let algorithm = Algorithm::new(id, u8::try_from(size).unwrap_or(0));
        if algorithm.size() == usize::from(size) { Ok(algorithm) } else { Err(wrong("the size of its algorithm")) }
    }

    fn vendor(reader: &mut Reader<'a>, behind: &'a [u8]) -> Result<(&'a [u8], usize), Refusal> {
        let count = usize::from(reader.u8("size of vendor data")?);
        if reader.rest().is_empty() && count > 0 {
            let vendor = Reader::new(behind, reader.at()).take(count, "vendor data of the header")?;
            return Ok((vendor, count));
        }
        let vendor = reader.take(count, "vendor data")?;
        reader.finish()?;
        Ok((vendor, 0))
    }
}
