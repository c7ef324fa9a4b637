//! A measurement: what it measures (its key) and the values that it may have.

use super::environment::unread;
use super::read::major;
use super::{Digest, Masked, Refusal, TAG_BYTES, TAG_MASKED};
use crate::cbor::{Key, MAJOR_ARRAY, MAJOR_TAG, MAJOR_TEXT, Reader};
use crate::hash::Hash;
use crate::malformed::Malformed;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// Tags of measurement keys in the old layout.
const TAG_OLD_COMPONENT: u64 = 601;
const TAG_OLD_CONFIG: u64 = 602;

/// Numbers of the values of a measurement (draft-ietf-rats-corim, measurement-values-map).
pub const VERSION: u64 = 0;
pub const DIGESTS: u64 = 2;
pub const RAW_VALUE: u64 = 4;
pub const RAW_MASK: u64 = 5;
pub const NAME: u64 = 11;
pub const CRYPTO_KEYS: u64 = 13;
pub const REGISTERS: u64 = 14;

/// The key of a measurement.
#[derive(Clone, Copy)]
pub enum Of<'b> {
    /// A text, as in the young layouts.
    Text(&'b str),
    /// A component, as in the old layout.
    OldComponent {
        /// Its type.
        label: Option<&'b str>,
        /// Its version.
        version: Option<&'b str>,
        /// Hash of its signer's key.
        signer: Option<&'b [u8]>,
    },
    /// The configuration, as in the old layout.
    OldConfig,
    /// Anything else.
    Other,
}

/// A measurement with all its values.
#[derive(Default)]
pub struct Measurement<'b> {
    key: Option<Of<'b>>,
    present: Vec<u64>,
    /// Version of a component.
    pub version: Option<&'b str>,
    /// Digests, each by another algorithm.
    pub digests: Vec<Digest>,
    raw: Option<&'b [u8]>,
    mask: Option<&'b [u8]>,
    /// Name of a component.
    pub name: Option<&'b str>,
    /// Hashes of keys.
    pub keys: Vec<&'b [u8]>,
    /// Integrity registers, as in the old layout.
    pub registers: Vec<(&'b str, Vec<Digest>)>,
}

impl<'b> Measurement<'b> {
    /// Reads a measurement.
    pub fn read(reader: &mut Reader<'b>) -> Result<Self, Refusal> {
        let mut found = Self::default();
        let mut values = false;
        reader.map_with(|key, value| {
            match key {
                Key::Uint(0) => found.key = Some(of(value)?),
                Key::Uint(1) => {
                    values = true;
                    value.map_with(|key, value| found.take(key, value))?;
                }
                Key::Uint(2) => return Err(Refusal::AuthorizedBy),
                key => return Err(unread("measurement", key)),
            }
            Ok(())
        })?;
        if values { Ok(found) } else { Err(Refusal::NoValue { of: "measurement" }) }
    }

    fn take(&mut self, key: Key<'b>, value: &mut Reader<'b>) -> Result<(), Refusal> {
        let Key::Uint(number) = key else { return Err(unread("measurement", key)) };
        self.present.push(number);
        match number {
            VERSION => self.version = version(value)?,
            DIGESTS => self.digests = digests(value)?,
            RAW_VALUE => (self.raw, self.mask) = raw_value(value, self.mask)?,
            RAW_MASK if self.mask.is_some() => return Err(Refusal::Twice { of: "mask" }),
            RAW_MASK => self.mask = Some(value.bytes()?),
            NAME => self.name = Some(value.text()?),
            CRYPTO_KEYS => value.array_with(|item| {
                self.keys.push(tagged_bytes(item)?);
                Ok::<_, Refusal>(())
            })?,
            REGISTERS => value.map_with(|key, value| self.register(key, value))?,
            number => return Err(Refusal::Unread { of: "measurement", number }),
        }
        Ok(())
    }

    fn register(&mut self, key: Key<'b>, value: &mut Reader<'b>) -> Result<(), Refusal> {
        let Key::Text(name) = key else { return Err(unread("integrity registers", key)) };
        self.registers.push((name, digests(value)?));
        Ok(())
    }

    /// What it measures.
    pub fn key(&self) -> Result<Of<'b>, Refusal> {
        self.key.ok_or(Refusal::NoKey)
    }

    /// Whether its key is one of the young layouts.
    pub fn is_young(&self) -> bool {
        matches!(self.key, Some(Of::Text(name)) if name.starts_with("cca."))
    }

    /// Whether its key is one that the young layouts have for Realms.
    pub fn is_of_realm(&self) -> bool {
        matches!(self.key, Some(Of::Text(name)) if ["cca.rim", "cca.rem", "cca.rpv"].iter().any(|it| name.starts_with(it)))
    }

    /// Whether it has a key at all.
    pub fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// Refuses values that have no place in this measurement.
    pub fn only(&self, of: &'static str, numbers: &[u64]) -> Result<(), Refusal> {
        match self.present.iter().find(|number| !numbers.contains(number)) {
            Some(number) => Err(Refusal::Unread { of, number: *number }),
            None => Ok(()),
        }
    }

    /// The value that it must have, with its mask.
    pub fn masked(&self, of: &'static str) -> Result<Masked, Refusal> {
        Masked::new(self.raw.ok_or(Refusal::NoValue { of })?, self.mask)
    }

    /// The one digest that it must have.
    pub fn digest(&self, of: &'static str) -> Result<Digest, Refusal> {
        one(of, &self.digests)
    }
}

/// The one digest of a list.
pub fn one(of: &'static str, digests: &[Digest]) -> Result<Digest, Refusal> {
    match digests {
        [] => Err(Refusal::NoDigests { of }),
        [digest] => Ok(digest.clone()),
        several => Err(Refusal::SeveralDigests { of, found: several.len() }),
    }
}

/// A hash of a signer's key, of a hash's length.
pub fn signer(bytes: &[u8]) -> Result<Vec<u8>, Refusal> {
    match bytes.len() {
        32 | 48 | 64 => Ok(bytes.to_vec()),
        found => Err(Refusal::SignerLength { found }),
    }
}

fn of<'b>(reader: &mut Reader<'b>) -> Result<Of<'b>, Refusal> {
    match major(reader) {
        Some(MAJOR_TEXT) => Ok(Of::Text(reader.text()?)),
        Some(MAJOR_TAG) => match reader.tag()? {
            TAG_OLD_COMPONENT => old_component(reader),
            TAG_OLD_CONFIG => reader.text().map(|_| Of::OldConfig).map_err(Refusal::from),
            _ => reader.skip().map(|()| Of::Other).map_err(Refusal::from),
        },
        _ => reader.skip().map(|()| Of::Other).map_err(Refusal::from),
    }
}

fn old_component<'b>(reader: &mut Reader<'b>) -> Result<Of<'b>, Refusal> {
    let (mut label, mut version, mut signer) = (None, None, None);
    reader.map_with(|key, value| {
        match key {
            Key::Uint(1) => label = Some(value.text()?),
            Key::Uint(4) => version = Some(value.text()?),
            Key::Uint(5) => signer = Some(value.bytes()?),
            key => return Err(unread("component", key)),
        }
        Ok(())
    })?;
    Ok(Of::OldComponent { label, version, signer })
}

/// Reads a version: its text, and a scheme that says how to compare and is not needed, as only equal ones pass.
fn version<'b>(reader: &mut Reader<'b>) -> Result<Option<&'b str>, Refusal> {
    let mut text = None;
    reader.map_with(|key, value| {
        match key {
            Key::Uint(0) => text = Some(value.text()?),
            Key::Uint(1) => value.skip()?,
            key => return Err(unread("version", key)),
        }
        Ok(())
    })?;
    if text.is_none() { Err(Refusal::NoValue { of: "version" }) } else { Ok(text) }
}

type Raw<'b> = (Option<&'b [u8]>, Option<&'b [u8]>);

/// Reads `560(value)` or `563([value, mask])`, beside a mask that may have stood before.
fn raw_value<'b>(reader: &mut Reader<'b>, mask: Option<&'b [u8]>) -> Result<Raw<'b>, Refusal> {
    let at = reader.at();
    match reader.tag()? {
        TAG_BYTES => Ok((Some(reader.bytes()?), mask)),
        TAG_MASKED if mask.is_some() => Err(Refusal::Twice { of: "mask" }),
        TAG_MASKED => {
            let mut both = Vec::new();
            reader.array(|item| {
                both.push(item.bytes()?);
                Ok(())
            })?;
            let [value, mask] = both.as_slice() else {
                return Err(Malformed::Value { claim: "masked value", expected: "a value and a mask" }.into());
            };
            Ok((Some(*value), Some(*mask)))
        }
        found => Err(Malformed::Tag { at, expected: "560 (bytes) or 563 (masked bytes)", found }.into()),
    }
}

fn tagged_bytes<'b>(reader: &mut Reader<'b>) -> Result<&'b [u8], Refusal> {
    let at = reader.at();
    match reader.tag()? {
        TAG_BYTES => Ok(reader.bytes()?),
        found => Err(Malformed::Tag { at, expected: "560 (bytes)", found }.into()),
    }
}

/// Reads digests: `[[algorithm, bytes], …]`, or as the draft's examples have it, `[algorithm, bytes]`.
fn digests(reader: &mut Reader<'_>) -> Result<Vec<Digest>, Refusal> {
    let mut list: Vec<Digest> = Vec::new();
    let mut bare = Bare::default();
    reader.array_with(|item| {
        let digest = if major(item) == Some(MAJOR_ARRAY) { Some(pair(item)?) } else { bare.take(item)? };
        if let Some(digest) = digest {
            if list.iter().any(|old| old.hash == digest.hash) {
                return Err(Refusal::DigestTwice { hash: digest.hash });
            }
            list.push(digest);
        }
        Ok(())
    })?;
    bare.end()?;
    Ok(list)
}

fn pair(reader: &mut Reader<'_>) -> Result<Digest, Refusal> {
    let (mut bare, mut digest) = (Bare::default(), None);
    reader.array_with(|item| {
        if digest.is_some() {
            return Err(incomplete());
        }
        digest = bare.take(item)?;
        Ok(())
    })?;
    digest.ok_or_else(incomplete)
}

fn incomplete() -> Refusal {
    Malformed::Value { claim: "digest", expected: "an algorithm and bytes" }.into()
}

/// A digest of which the algorithm has been read and the bytes have not.
#[derive(Default)]
struct Bare(Option<Hash>);

impl Bare {
    fn take(&mut self, item: &mut Reader<'_>) -> Result<Option<Digest>, Refusal> {
        match self.0.take() {
            Some(hash) => Digest::new(hash, item.bytes()?).map(Some),
            None => {
                self.0 = Some(algorithm(item)?);
                Ok(None)
            }
        }
    }

    fn end(&self) -> Result<(), Refusal> {
        if self.0.is_some() { Err(incomplete()) } else { Ok(()) }
    }
}

/// Reads an algorithm by its number (IANA, Named Information Hash Algorithm Registry) or name.
fn algorithm(reader: &mut Reader<'_>) -> Result<Hash, Refusal> {
    if major(reader) == Some(MAJOR_TEXT) {
        return Hash::from_name(reader.text()?).ok_or(Refusal::DigestAlgorithm);
    }
    match reader.int()? {
        1 => Ok(Hash::Sha256),
        7 => Ok(Hash::Sha384),
        8 => Ok(Hash::Sha512),
        _ => Err(Refusal::DigestAlgorithm),
    }
}

/// The key of a measurement in words.
pub fn shown(key: Of<'_>) -> String {
    match key {
        Of::Text(text) => text.to_string(),
        Of::OldComponent { .. } => "601 (component)".to_string(),
        Of::OldConfig => "602 (configuration)".to_string(),
        Of::Other => "(neither a text nor of tag 601 or 602)".to_string(),
    }
}
