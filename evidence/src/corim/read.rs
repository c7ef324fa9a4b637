//! The outer map of a CoRIM.

use super::comid::Comid;
use super::{
    Corim, Layout, MAX_CORIM, Refusal, TAG_COMID, TAG_OLD_CHOICE, TAG_OLD_SIGNED, TAG_UNSIGNED, TAG_URI, TAG_UUID,
    Validity, profile,
};
use crate::cbor::{Key, MAJOR_ARRAY, MAJOR_TAG, MAJOR_TEXT, Reader};
use crate::hex;
use crate::malformed::Malformed;
use abi::claim::TAG_COSE_SIGN1;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// Tag of a time in seconds since 1970 (RFC 8949 §3.4.2).
const TAG_TIME: u64 = 1;
/// Tags within tags that stand before a CoRIM, at most.
const MAX_TAGS: usize = 3;

/// The major type of the next item.
pub fn major(reader: &Reader<'_>) -> Option<u8> {
    reader.peek().map(|first| first >> 5)
}

/// The tags that stand before the first item that has none, up to a few.
pub fn first_tags(bytes: &[u8]) -> Vec<u64> {
    let mut reader = Reader::new(bytes, 0);
    let next = || if major(&reader) == Some(MAJOR_TAG) { reader.tag().ok() } else { None };
    core::iter::from_fn(next).take(MAX_TAGS).collect()
}

/// Whether bytes are a map with an identifier (0) and a list of tags (1).
pub fn is_untagged(bytes: &[u8]) -> bool {
    let mut reader = Reader::new(bytes, 0).admitting_indefinite();
    let (mut id, mut tags) = (false, false);
    let read = reader.map(|key, value| {
        id |= key == Key::Uint(0) && major(value) != Some(MAJOR_ARRAY);
        tags |= key == Key::Uint(1) && major(value) == Some(MAJOR_ARRAY);
        value.skip()
    });
    read.is_ok() && id && tags
}

/// Passes the tags before an unsigned CoRIM: none, 501, or 500 and 501.
fn pass_tags(reader: &mut Reader<'_>) -> Result<(), Refusal> {
    for _ in 0..MAX_TAGS {
        if major(reader) != Some(MAJOR_TAG) {
            return Ok(());
        }
        let at = reader.at();
        match reader.tag()? {
            TAG_OLD_CHOICE | TAG_UNSIGNED => {}
            TAG_OLD_SIGNED | TAG_COSE_SIGN1 => return Err(Refusal::Signed { found: true }),
            found => return Err(Malformed::Tag { at, expected: "501 (CoRIM)", found }.into()),
        }
    }
    Ok(())
}

/// The entries of the outer map, with CoMIDs still closed: the profile may stand behind them.
#[derive(Default)]
struct Outer<'b> {
    id: Option<String>,
    comids: Vec<Reader<'b>>,
    passed_over: Vec<u64>,
    profile: Option<&'b str>,
    validity: Option<Validity>,
    entities: Vec<String>,
}

/// Reads an unsigned CoRIM.
pub fn unsigned(bytes: &[u8]) -> Result<Corim, Refusal> {
    if bytes.len() > MAX_CORIM {
        return Err(Refusal::TooLong { limit: MAX_CORIM, found: bytes.len() });
    }
    content(Reader::new(bytes, 0).admitting_indefinite())
}

/// Reads an unsigned CoRIM from a reader, to its end.
pub fn content(mut reader: Reader<'_>) -> Result<Corim, Refusal> {
    pass_tags(&mut reader)?;
    let mut outer = Outer::default();
    reader.map_with(|key, value| outer.take(key, value))?;
    reader.end()?;
    outer.open()
}

impl<'b> Outer<'b> {
    fn take(&mut self, key: Key<'b>, value: &mut Reader<'b>) -> Result<(), Refusal> {
        match key {
            Key::Uint(0) => self.id = Some(identifier(value)?),
            Key::Uint(1) => value.array_with(|item| self.tag(item))?,
            Key::Uint(3) if major(value) == Some(MAJOR_ARRAY) => value.array_with(|item| self.profile(item))?,
            Key::Uint(3) => self.profile(value)?,
            Key::Uint(4) => self.validity = Some(validity(value)?),
            Key::Uint(5) => value.array_with(|item| self.entity(item))?,
            // Locators of other CoRIMs and whatever else cannot change what this one says.
            _ => value.skip()?,
        }
        Ok(())
    }

    /// Takes the profile; in drafts before 2023 it stands in a list.
    fn profile(&mut self, value: &mut Reader<'b>) -> Result<(), Refusal> {
        if self.profile.replace(uri(value)?).is_some() { Err(Refusal::Twice { of: "profile" }) } else { Ok(()) }
    }

    /// Takes one tag: `506(bytes)`, or as older tools write it, bytes that hold the tag.
    fn tag(&mut self, item: &mut Reader<'b>) -> Result<(), Refusal> {
        let (number, inner) = if major(item) == Some(MAJOR_TAG) {
            (item.tag()?, item.nested()?.1)
        } else {
            let mut inner = item.nested()?.1;
            (inner.tag()?, inner)
        };
        if number == TAG_COMID {
            self.comids.push(inner)
        } else {
            self.passed_over.push(number)
        }
        Ok(())
    }

    fn entity(&mut self, item: &mut Reader<'b>) -> Result<(), Refusal> {
        item.map_with(|key, value| {
            if key == Key::Uint(0) && major(value) == Some(MAJOR_TEXT) {
                self.entities.push(value.text()?.to_string());
                return Ok(());
            }
            Ok(value.skip()?)
        })
    }

    fn open(self) -> Result<Corim, Refusal> {
        let id = self.id.ok_or(Refusal::NoId)?;
        let (layout, subject) = match self.profile {
            None => (None, None),
            Some(name) => {
                let known = profile(name).ok_or_else(|| Refusal::Profile { found: name.to_string() })?;
                (Some(known.0), Some(known.1))
            }
        };
        let mut found = Comid { layout, subject, ..Comid::default() };
        for comid in self.comids {
            found.read(comid)?;
        }
        let Comid { young, platforms, realms, keys, .. } = found;
        if platforms.is_empty() && realms.is_empty() && keys.is_empty() {
            return Err(Refusal::Empty);
        }
        Ok(Corim {
            id,
            profile: self.profile.map(ToString::to_string),
            layout: layout.unwrap_or(if young { Layout::Code2025 } else { Layout::Old }),
            validity: self.validity,
            entities: self.entities,
            platforms,
            realms,
            keys,
            passed_over: self.passed_over,
        })
    }
}

/// Reads an identifier: a text, or a UUID with its tag or without.
pub fn identifier(reader: &mut Reader<'_>) -> Result<String, Refusal> {
    if major(reader) == Some(MAJOR_TEXT) {
        return Ok(reader.text()?.to_string());
    }
    let at = reader.at();
    if major(reader) == Some(MAJOR_TAG) {
        let found = reader.tag()?;
        if found != TAG_UUID {
            return Err(Malformed::Tag { at, expected: "37 (UUID)", found }.into());
        }
    }
    let bytes = reader.bytes()?;
    if bytes.len() != 16 {
        return Err(Malformed::Size { claim: "UUID", expected: "16", found: bytes.len() }.into());
    }
    Ok(hex::encode(bytes))
}

/// Reads a URI, with its tag or without.
fn uri<'b>(reader: &mut Reader<'b>) -> Result<&'b str, Refusal> {
    let at = reader.at();
    if major(reader) == Some(MAJOR_TAG) {
        let found = reader.tag()?;
        if found != TAG_URI {
            return Err(Malformed::Tag { at, expected: "32 (URI)", found }.into());
        }
    }
    Ok(reader.text()?)
}

/// Reads a span of validity.
pub fn validity(reader: &mut Reader<'_>) -> Result<Validity, Refusal> {
    let (mut not_before, mut not_after) = (None, None);
    reader.map_with(|key, value| {
        match key {
            Key::Uint(0) => not_before = Some(time(value)?),
            Key::Uint(1) => not_after = Some(time(value)?),
            _ => value.skip()?,
        }
        Ok::<_, Refusal>(())
    })?;
    let not_after = not_after.ok_or(Refusal::Validity)?;
    if not_before.is_some_and(|start| start > not_after) {
        return Err(Refusal::Validity);
    }
    Ok(Validity { not_before, not_after })
}

fn time(reader: &mut Reader<'_>) -> Result<u64, Refusal> {
    let at = reader.at();
    let found = reader.tag()?;
    if found != TAG_TIME {
        return Err(Malformed::Tag { at, expected: "1 (a time)", found }.into());
    }
    Ok(reader.uint()?)
}
