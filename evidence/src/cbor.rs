//! CBOR as attestation tokens are allowed to use it: definite lengths, no duplicate keys, no trailing bytes, bounded
//! depth (RFC 8949 §5.3; RFC 9711 §7.2). Encodings that are longer than need be are accepted, as the token's draft asks.

use crate::malformed::Malformed;
use alloc::vec::Vec;
use minicbor::data::Type;
use minicbor::decode::{Decoder, Error};

/// Items within items that are followed, at most.
pub const MAX_DEPTH: u8 = 16;

/// Entries that a map may have, at most: no profile has a tenth of it.
pub const MAX_ENTRIES: u64 = 256;

/// The key of a map entry. Two keys are equal whatever way their numbers were encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key<'b> {
    /// A number from 0 up.
    Uint(u64),
    /// A negative number, as `-1 - n`: key -2 is `Nint(1)`.
    Nint(u64),
    /// A text.
    Text(&'b str),
    /// A byte string.
    Bytes(&'b [u8]),
}

/// Reads CBOR items one after another from bytes that stand at a known place in the evidence.
#[derive(Clone)]
pub struct Reader<'b> {
    decoder: Decoder<'b>,
    base: usize,
    depth: u8,
    indefinite: bool,
}

impl<'b> Reader<'b> {
    /// Begins at the start of `bytes`, which stand `base` bytes into the evidence (for messages only).
    #[must_use]
    pub fn new(bytes: &'b [u8], base: usize) -> Self {
        Self { decoder: Decoder::new(bytes), base, depth: 0, indefinite: false }
    }

    /// Admits arrays and maps of indefinite length, here and in what is nested: tokens have none, CoRIMs do.
    #[must_use]
    pub fn admitting_indefinite(self) -> Self {
        Self { indefinite: true, ..self }
    }

    /// Offset of the next item in the evidence.
    #[must_use]
    pub fn at(&self) -> usize {
        self.base.saturating_add(self.decoder.position())
    }

    fn left(&self) -> usize {
        self.decoder.input().len().saturating_sub(self.decoder.position())
    }

    /// The first byte of the next item, if there is one.
    #[must_use]
    pub fn peek(&self) -> Option<u8> {
        self.decoder.input().get(self.decoder.position()).copied()
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// [`Malformed::Trailing`] if bytes are left.
    pub fn end(&self) -> Result<(), Malformed> {
        match self.left() {
            0 => Ok(()),
            count => Err(Malformed::Trailing { at: self.at(), count }),
        }
    }

    /// Runs one step of the decoder if the next item is of a type that `wanted` admits.
    fn item<T>(
        &mut self,
        expected: &'static str,
        wanted: fn(Type) -> bool,
        step: impl FnOnce(&mut Decoder<'b>) -> Result<T, Error>,
    ) -> Result<T, Malformed> {
        let at = self.at();
        let found = self.decoder.datatype().map_err(|_| Malformed::Cbor { at, expected })?;
        match found {
            Type::BytesIndef | Type::StringIndef => Err(Malformed::Indefinite { at }),
            Type::ArrayIndef | Type::MapIndef if !self.indefinite => Err(Malformed::Indefinite { at }),
            _ if !wanted(found) => Err(Malformed::Type { at, expected, found: name(found) }),
            _ => step(&mut self.decoder).map_err(|_| Malformed::Cbor { at, expected }),
        }
    }

    /// Reads a number from 0 up.
    ///
    /// # Errors
    /// [`Malformed`] if the next item is not one.
    pub fn uint(&mut self) -> Result<u64, Malformed> {
        self.item("an unsigned number", is_uint, Decoder::u64)
    }

    /// Reads any integer.
    ///
    /// # Errors
    /// [`Malformed`] if the next item is not one.
    pub fn int(&mut self) -> Result<i128, Malformed> {
        self.item("an integer", is_int, |decoder| decoder.int().map(i128::from))
    }

    /// Reads a byte string.
    ///
    /// # Errors
    /// [`Malformed`] if the next item is not one of definite length.
    pub fn bytes(&mut self) -> Result<&'b [u8], Malformed> {
        self.item("a byte string", |found| found == Type::Bytes, Decoder::bytes)
    }

    /// Reads a byte string and gives a reader of what is in it.
    ///
    /// # Errors
    /// [`Malformed`] if the next item is not one of definite length.
    pub fn nested(&mut self) -> Result<(&'b [u8], Reader<'b>), Malformed> {
        let bytes = self.bytes()?;
        let base = self.at().saturating_sub(bytes.len());
        Ok((bytes, Reader { decoder: Decoder::new(bytes), base, depth: self.depth, indefinite: self.indefinite }))
    }

    /// Reads a text.
    ///
    /// # Errors
    /// [`Malformed`] if the next item is not one of definite length in UTF-8.
    pub fn text(&mut self) -> Result<&'b str, Malformed> {
        self.item("a text", |found| found == Type::String, Decoder::str)
    }

    /// Reads a truth value.
    ///
    /// # Errors
    /// [`Malformed`] if the next item is not one.
    pub fn bool(&mut self) -> Result<bool, Malformed> {
        self.item("true or false", |found| found == Type::Bool, Decoder::bool)
    }

    /// Passes over one item, and gives a reader that stands before it: for what can only be understood later.
    ///
    /// # Errors
    /// [`Malformed`] if the item is not well formed.
    pub fn later(&mut self) -> Result<Self, Malformed> {
        let before = self.clone();
        self.skip()?;
        Ok(before)
    }

    /// Passes over one item, and gives its encoding.
    ///
    /// # Errors
    /// [`Malformed`] if the item is not well formed.
    pub fn encoded(&mut self) -> Result<&'b [u8], Malformed> {
        let from = self.decoder.position();
        self.skip()?;
        Ok(self.decoder.input().get(from..self.decoder.position()).unwrap_or_default())
    }

    /// What is left, unread.
    #[must_use]
    pub fn rest(&self) -> &'b [u8] {
        self.decoder.input().get(self.decoder.position()..).unwrap_or_default()
    }

    /// Reads a tag; the tagged item is next.
    ///
    /// # Errors
    /// [`Malformed`] if the next item is not one.
    pub fn tag(&mut self) -> Result<u64, Malformed> {
        self.item("a tag", |found| found == Type::Tag, Decoder::tag).map(|tag| tag.as_u64())
    }

    /// Reads an array, `each` once per element.
    ///
    /// # Errors
    /// [`Malformed`] if the next item is not an array that can stand there, or what `each` answers.
    pub fn array(&mut self, each: impl FnMut(&mut Self) -> Result<(), Malformed>) -> Result<(), Malformed> {
        self.array_with(each)
    }

    /// As [`Reader::array`], with errors of the caller's own.
    ///
    /// # Errors
    /// [`Malformed`] if the next item is not an array that can stand there, or what `each` answers.
    pub fn array_with<E: From<Malformed>>(
        &mut self,
        mut each: impl FnMut(&mut Self) -> Result<(), E>,
    ) -> Result<(), E> {
        let at = self.at();
        let array = |found| matches!(found, Type::Array | Type::ArrayIndef);
        let length = self.item("an array", array, Decoder::array)?;
        let length = length.map(|length| self.plausible(at, length, 1)).transpose()?;
        self.deeper(at, |reader| reader.repeat(length, &mut each))
    }

    /// Reads a map, `each` once per entry, with the value next in the reader.
    ///
    /// # Errors
    /// [`Malformed`] if the next item is not a map that can stand there, if a key occurs twice, or what `each` answers.
    pub fn map(&mut self, each: impl FnMut(Key<'b>, &mut Self) -> Result<(), Malformed>) -> Result<(), Malformed> {
        self.map_with(each)
    }

    /// As [`Reader::map`], with errors of the caller's own.
    ///
    /// # Errors
    /// [`Malformed`] if the next item is not a map that can stand there, if a key occurs twice, or what `each` answers.
    pub fn map_with<E: From<Malformed>>(
        &mut self,
        mut each: impl FnMut(Key<'b>, &mut Self) -> Result<(), E>,
    ) -> Result<(), E> {
        let at = self.at();
        let map = |found| matches!(found, Type::Map | Type::MapIndef);
        let length = self.item("a map", map, Decoder::map)?;
        let length = length.map(|length| self.plausible(at, length, 2)).transpose()?;
        self.few(at, length.unwrap_or(0))?;
        let mut seen = Vec::new();
        let mut entry = |reader: &mut Self| {
            let at = reader.at();
            let key = reader.key()?;
            if seen.contains(&key) {
                return Err(Malformed::Duplicate { at }.into());
            }
            seen.push(key);
            reader.few(at, seen.len() as u64)?;
            each(key, reader)
        };
        self.deeper(at, |reader| reader.repeat(length, &mut entry))
    }

    /// Refuses a map of more entries than [`MAX_ENTRIES`].
    fn few(&self, at: usize, declared: u64) -> Result<(), Malformed> {
        if declared > MAX_ENTRIES { Err(Malformed::Length { at, declared, left: self.left() }) } else { Ok(()) }
    }

    /// Runs `each` as often as a length says, or up to the break that ends an indefinite one.
    fn repeat<E: From<Malformed>>(
        &mut self,
        length: Option<u64>,
        each: &mut dyn FnMut(&mut Self) -> Result<(), E>,
    ) -> Result<(), E> {
        const BREAK: u8 = 0xFF;
        if let Some(length) = length {
            return (0..length).try_for_each(|_| each(self));
        }
        while self.peek() != Some(BREAK) {
            each(self)?;
        }
        self.advance(1).map_err(E::from)
    }

    /// Passes over one item of any kind, to the same strictness as one that is read.
    ///
    /// # Errors
    /// [`Malformed`] if the item is not well formed.
    pub fn skip(&mut self) -> Result<(), Malformed> {
        let at = self.at();
        let expected = "an item";
        match self.decoder.datatype().map_err(|_| Malformed::Cbor { at, expected })? {
            found if is_int(found) => self.int().map(drop),
            Type::Bytes => self.bytes().map(drop),
            Type::String => self.text().map(drop),
            Type::Array | Type::ArrayIndef => self.array(Self::skip),
            Type::Map | Type::MapIndef => self.map(|_, reader| reader.skip()),
            Type::Tag => self.tag().and_then(|_| self.deeper(at, Self::skip)),
            Type::Bool | Type::Null | Type::Undefined => self.advance(1),
            Type::Simple => self.item(expected, |_| true, Decoder::simple).map(drop),
            Type::F16 => self.advance(3),
            Type::F32 => self.advance(5),
            Type::F64 => self.advance(9),
            Type::BytesIndef | Type::StringIndef => Err(Malformed::Indefinite { at }),
            _ => Err(Malformed::Cbor { at, expected }),
        }
    }

    fn key(&mut self) -> Result<Key<'b>, Malformed> {
        let at = self.at();
        let expected = "a map key (number, text or byte string)";
        match self.decoder.datatype().map_err(|_| Malformed::Cbor { at, expected })? {
            found if is_uint(found) => self.uint().map(Key::Uint),
            found if is_int(found) => {
                let below = self.int()?.checked_neg().and_then(|key| key.checked_sub(1));
                below.and_then(|key| u64::try_from(key).ok()).map(Key::Nint).ok_or(Malformed::Cbor { at, expected })
            }
            Type::String => self.text().map(Key::Text),
            Type::Bytes => self.bytes().map(Key::Bytes),
            found => Err(Malformed::Type { at, expected, found: name(found) }),
        }
    }

    fn advance(&mut self, count: usize) -> Result<(), Malformed> {
        if count > self.left() {
            return Err(Malformed::Cbor { at: self.at(), expected: "an item" });
        }
        self.decoder.set_position(self.decoder.position().saturating_add(count));
        Ok(())
    }

    /// Refuses a length that the rest of the input cannot hold, before anything is made of that size.
    fn plausible(&self, at: usize, declared: u64, each: u64) -> Result<u64, Malformed> {
        let left = self.left();
        let needed = usize::try_from(declared.saturating_mul(each)).unwrap_or(usize::MAX);
        if needed > left { Err(Malformed::Length { at, declared, left }) } else { Ok(declared) }
    }

    fn deeper<T, E: From<Malformed>>(
        &mut self,
        at: usize,
        inside: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        if self.depth >= MAX_DEPTH {
            return Err(Malformed::TooDeep { at, limit: MAX_DEPTH }.into());
        }
        self.depth = self.depth.saturating_add(1);
        let done = inside(self);
        self.depth = self.depth.saturating_sub(1);
        done
    }
}

fn is_uint(found: Type) -> bool {
    matches!(found, Type::U8 | Type::U16 | Type::U32 | Type::U64)
}

fn is_int(found: Type) -> bool {
    is_uint(found) || matches!(found, Type::I8 | Type::I16 | Type::I32 | Type::I64 | Type::Int)
}

fn name(found: Type) -> &'static str {
    match found {
        found if is_uint(found) => "an unsigned number",
        found if is_int(found) => "a negative number",
        Type::Bytes => "a byte string",
        Type::String => "a text",
        Type::Array => "an array",
        Type::Map => "a map",
        Type::Tag => "a tag",
        Type::Bool | Type::Null | Type::Undefined | Type::Simple => "a simple value",
        Type::F16 | Type::F32 | Type::F64 => "a floating-point number",
        _ => "something else",
    }
}

#[cfg(test)]
#[path = "cbor_tests.rs"]
mod tests;
