//! What a triple is about.

use super::read::major;
use super::{Refusal, TAG_BYTES, TAG_UEID};
use crate::cbor::{Key, MAJOR_BYTES, MAJOR_TAG, Reader};

/// First byte of an instance identifier (UEID of type RAND, RFC 9711 §4.2.1).
const UEID_RAND: u8 = 0x01;
/// Tag of the old layout for the identifier of an implementation.
const TAG_OLD_IMPLEMENTATION: u64 = 600;

/// An identifier with its tag.
#[derive(Clone, Copy)]
struct Tagged<'b> {
    tag: u64,
    bytes: &'b [u8],
}

/// The environment of a triple.
#[derive(Clone, Copy, Default)]
pub struct Environment<'b> {
    class: Option<Tagged<'b>>,
    instance: Option<Tagged<'b>>,
}

impl<'b> Environment<'b> {
    /// Reads an environment; one that is narrowed in a way that is not read is refused.
    pub fn read(reader: &mut Reader<'b>) -> Result<Self, Refusal> {
        let mut found = Self::default();
        reader.map_with(|key, value| {
            match key {
                Key::Uint(0) => found.class = class(value)?,
                Key::Uint(1) => found.instance = Some(tagged(value, Refusal::Instance { expected: "bytes" })?),
                key => return Err(unread("environment", key)),
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// Whether the class is that of a platform in the old layout.
    pub fn is_old_platform(&self) -> bool {
        self.class.is_some_and(|class| class.tag == TAG_OLD_IMPLEMENTATION)
    }

    /// Whether the class is that of a platform in the young layouts.
    pub fn is_young_platform(&self) -> bool {
        self.class.is_some_and(|class| class.tag == TAG_BYTES)
    }

    /// Refuses an instance where values are said of all instances: it would narrow what is meant.
    pub fn no_instance(&self, expected: &'static str) -> Result<(), Refusal> {
        if self.has_instance() { Err(Refusal::Instance { expected }) } else { Ok(()) }
    }

    /// Whether it names an instance.
    pub fn has_instance(&self) -> bool {
        self.instance.is_some()
    }

    /// The identifier of an implementation, in the young layouts (560) or the old (600).
    pub fn implementation(&self, old: bool) -> Result<[u8; 32], Refusal> {
        let class = self.class.ok_or(Refusal::NoClass)?;
        let (tag, expected) = if old {
            (TAG_OLD_IMPLEMENTATION, "implementation id, 32 bytes with tag 600")
        } else {
            (TAG_BYTES, "implementation id, 32 bytes with tag 560")
        };
        let wrong = Refusal::Class { expected };
        if class.tag != tag {
            return Err(wrong);
        }
        class.bytes.try_into().map_err(|_| wrong)
    }

    /// The identifier of one platform.
    pub fn platform_instance(&self) -> Result<[u8; 33], Refusal> {
        let wrong = Refusal::Instance { expected: "instance id, 33 bytes from 0x01 on with tag 550" };
        let instance = self.instance.ok_or(Refusal::NoInstance)?;
        match <[u8; 33]>::try_from(instance.bytes) {
            Ok(bytes) if instance.tag == TAG_UEID && instance.bytes.first() == Some(&UEID_RAND) => Ok(bytes),
            _ => Err(wrong),
        }
    }

    /// The initial measurement that names a Realm: the class in the young layouts, the instance in the old.
    pub fn rim(&self, old: bool) -> Result<&'b [u8], Refusal> {
        let (identifier, wrong) = if old {
            let instance = self.instance.ok_or(Refusal::NoInstance)?;
            (instance, Refusal::Instance { expected: "the RIM, 32, 48 or 64 bytes with tag 560" })
        } else {
            let class = self.class.ok_or(Refusal::NoClass)?;
            (class, Refusal::Class { expected: "the RIM, 32, 48 or 64 bytes with tag 560" })
        };
        match identifier.bytes.len() {
            32 | 48 | 64 if identifier.tag == TAG_BYTES => Ok(identifier.bytes),
            _ => Err(wrong),
        }
    }
}

/// Reads a class: its identifier, and names that say nothing more.
fn class<'b>(reader: &mut Reader<'b>) -> Result<Option<Tagged<'b>>, Refusal> {
    let mut id = None;
    reader.map_with(|key, value| {
        match key {
            Key::Uint(0) => id = Some(tagged(value, Refusal::Class { expected: "bytes" })?),
            // Vendor and model are for people.
            Key::Uint(1 | 2) => drop(value.text()?),
            key => return Err(unread("class", key)),
        }
        Ok(())
    })?;
    Ok(id)
}

fn tagged<'b>(reader: &mut Reader<'b>, wrong: Refusal) -> Result<Tagged<'b>, Refusal> {
    if major(reader) != Some(MAJOR_TAG) {
        return Err(wrong);
    }
    let tag = reader.tag()?;
    if major(reader) != Some(MAJOR_BYTES) {
        return Err(wrong);
    }
    Ok(Tagged { tag, bytes: reader.bytes()? })
}

/// What is said at a place where nothing is read; keys other than numbers from 0 up show as the greatest number.
pub fn unread(of: &'static str, key: Key<'_>) -> Refusal {
    let number = if let Key::Uint(number) = key { number } else { u64::MAX };
    Refusal::Unread { of, number }
}
