//! The wrapper of a token: what is in it, before any of it is understood.

use crate::cbor::{Key, MAJOR_ARRAY, MAJOR_MAP, Reader};
use crate::malformed::Malformed;
use abi::claim::{
    CONTENT_FORMAT_EAT_CWT, CONTENT_FORMAT_EAT_UCS, DEVICE_LISTS, DEVICE_TOKEN, FIRMWARE_ACTIVITY_LOG, PLATFORM_TOKEN,
    REALM_TOKEN, TAG_CCA_LEGACY, TAG_CMW_COLLECTION,
};
use alloc::vec::Vec;

/// An entry beside the two halves: nobody has signed that it belongs to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extra<'b> {
    /// Its key.
    pub key: u64,
    /// Its content: what is in the byte string, if that is what it is, else its encoding.
    pub content: &'b [u8],
}

impl Extra<'_> {
    /// What it is, in words.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self.key {
            FIRMWARE_ACTIVITY_LOG => "firmware activity log",
            DEVICE_TOKEN => "device token",
            key if DEVICE_LISTS.contains(&key) => "list of devices",
            _ => "entry of unknown kind",
        }
    }

    /// Whether it is the token of a Realm's devices.
    #[must_use]
    pub fn is_device_token(&self) -> bool {
        self.key == DEVICE_TOKEN
    }
}

/// The entries of a wrapper.
#[derive(Default)]
pub(crate) struct Wrapper<'b> {
    /// The platform's half.
    pub platform: Option<Reader<'b>>,
    /// The Realm's half.
    pub realm: Option<Reader<'b>>,
    /// Everything else whose key is a number.
    pub extras: Vec<Extra<'b>>,
}

impl<'b> Wrapper<'b> {
    /// Reads any of the wrappers: the collection with tag 907, the map with tag 399, and the form between.
    pub fn read(bytes: &'b [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes, 0);
        let found = reader.tag()?;
        if found != TAG_CCA_LEGACY && found != TAG_CMW_COLLECTION {
            return Err(Malformed::Tag { at: 0, expected: "399 or 907 (CCA token)", found });
        }
        let mut wrapper = Self::default();
        reader.map(|key, value| {
            match key {
                Key::Uint(PLATFORM_TOKEN) => wrapper.platform = Some(entry(value)?),
                Key::Uint(REALM_TOKEN) => wrapper.realm = Some(entry(value)?),
                Key::Uint(key) => wrapper.extras.push(Extra { key, content: content(value)? }),
                _ => value.skip()?,
            }
            Ok(())
        })?;
        reader.end()?;
        Ok(wrapper)
    }
}

/// Whether bytes begin with a map, as claims do that nobody signed.
pub(crate) fn is_map(reader: &Reader<'_>) -> bool {
    reader.peek().is_some_and(|first| first >> 5 == MAJOR_MAP)
}

/// One half: a byte string, or `[263, byte string]`; 267 where the claims are not signed.
fn entry<'b>(value: &mut Reader<'b>) -> Result<Reader<'b>, Malformed> {
    let at = value.at();
    if value.peek().is_none_or(|first| first >> 5 != MAJOR_ARRAY) {
        return value.nested().map(|(_, inner)| inner);
    }
    let (mut format, mut inner) = (None, None);
    value.array(|item| {
        match (format, &inner) {
            (None, _) => format = Some(item.uint()?),
            (_, None) => inner = Some(item.nested()?.1),
            // What an entry is for (CMW's indicator) changes nothing here.
            _ => item.skip()?,
        }
        Ok(())
    })?;
    match (format, inner) {
        (Some(CONTENT_FORMAT_EAT_CWT), Some(inner)) => Ok(inner),
        (Some(CONTENT_FORMAT_EAT_UCS), Some(inner)) if is_map(&inner) => Ok(inner),
        (Some(found), Some(_)) => Err(Malformed::ContentFormat { at, found }),
        _ => Err(Malformed::Type { at, expected: "a content format and a byte string", found: "less" }),
    }
}

/// The content of an entry that is not read here, whatever it is.
fn content<'b>(value: &mut Reader<'b>) -> Result<&'b [u8], Malformed> {
    let mut item = value.clone();
    let encoded = value.encoded()?;
    let mut found = None;
    match encoded.first().map(|first| first >> 5) {
        Some(MAJOR_ARRAY) => item.array(|item| {
            let mut inner = item.later()?;
            found = found.or(inner.bytes().ok());
            Ok(())
        })?,
        _ => found = item.bytes().ok(),
    }
    Ok(found.unwrap_or(encoded))
}
