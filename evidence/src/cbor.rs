//! CBOR as attestation tokens are allowed to use it: definite lengths, no duplicate keys, no trailing bytes, bounded
//! depth (RFC 8949 §5.3; RFC 9711 §7.2). Encodings that are longer than need be are accepted, as the token's draft asks.

mod head;
mod seen;

use crate::malformed::Malformed;
pub(crate) use head::{MAJOR_ARRAY, MAJOR_BYTES, MAJOR_MAP, MAJOR_TAG, MAJOR_TEXT};
use head::{MAJOR_NEGATIVE, MAJOR_UNSIGNED, TRUE, argument, kind, name};
use minicbor::data::Type;
use seen::Seen;

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
    rest: &'b [u8],
    /// Where `rest` ends in the evidence.
    end: usize,
    depth: u8,
    indefinite: bool,
}

impl<'b> Reader<'b> {
    /// Begins at the start of `bytes`, which stand `base` bytes into the evidence (for messages only).
    #[must_use]
    pub fn new(bytes: &'b [u8], base: usize) -> Self {
        Self { rest: bytes, end: base.saturating_add(bytes.len()), depth: 0, indefinite: false }
    }

    /// Admits arrays and maps of indefinite length, here and in what is nested: tokens have none, CoRIMs do.
    #[must_use]
    pub fn admitting_indefinite(self) -> Self {
        Self { indefinite: true, ..self }
    }

    /// Offset of the next item in the evidence.
    #[inline]
    #[must_use]
    pub fn at(&self) -> usize {
        self.at_left(self.rest.len())
    }

    /// Offset in the evidence of the place with so many bytes left: what errors tell, and nothing else has to work out.
    #[inline]
    fn at_left(&self, left: usize) -> usize {
        self.end.saturating_sub(left)
    }

    /// The first byte of the next item, if there is one.
    #[inline]
    #[must_use]
    pub fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// [`Malformed::Trailing`] if bytes are left.
    pub fn end(&self) -> Result<(), Malformed> {
        match self.rest.len() {
            0 => Ok(()),
            count => Err(Malformed::Trailing { at: self.at(), count }),
        }
    }

    /// What the next item is, by its first byte.
    #[inline]
    fn kind(&self, expected: &'static str) -> Result<Type, Malformed> {
        self.peek().map(kind).ok_or(Malformed::Cbor { at: self.at(), expected })
    }

    /// Passes over the head of the next item if that is of a type that `wanted` admits, and gives its argument (RFC 8949
    /// §3); `None` is an indefinite length.
    fn head(&mut self, expected: &'static str, wanted: impl Fn(Type) -> bool) -> Result<Option<u64>, Malformed> {
        let at = self.at();
        let found = self.kind(expected)?;
        let indefinite = matches!(found, Type::ArrayIndef | Type::MapIndef);
        match found {
            Type::BytesIndef | Type::StringIndef => return Err(Malformed::Indefinite { at }),
            _ if indefinite && !self.indefinite => return Err(Malformed::Indefinite { at }),
            _ if !wanted(found) => return Err(Malformed::Type { at, expected, found: name(found) }),
            _ if indefinite => return self.advance(1).map(|()| None),
            _ => {}
        }
        let (argument, rest) = argument(self.rest).ok_or(Malformed::Cbor { at, expected })?;
        self.rest = rest;
        Ok(Some(argument))
    }

    /// The argument of the next item, which has to be of this major type. Nearly all have one that is short.
    #[inline]
    fn definite(&mut self, major: u8, expected: &'static str) -> Result<u64, Malformed> {
        let (argument, rest) = match self.rest {
            [first, rest @ ..] if first ^ (major << 5) < 24 => (u16::from(first ^ (major << 5)), rest),
            [first, one, rest @ ..] if first ^ (major << 5) == 24 => (u16::from(*one), rest),
            [first, one, two, rest @ ..] if first ^ (major << 5) == 25 => (u16::from_be_bytes([*one, *two]), rest),
            _ => return self.long(major, expected),
        };
        self.rest = rest;
        Ok(u64::from(argument))
    }

    #[inline(never)]
    fn long(&mut self, major: u8, expected: &'static str) -> Result<u64, Malformed> {
        let at = self.at();
        let of_major = kind(major << 5);
        self.head(expected, |found| found == of_major)?.ok_or(Malformed::Indefinite { at })
    }

    /// The content of a string of this major type.
    #[inline]
    fn string(&mut self, major: u8, expected: &'static str) -> Result<&'b [u8], Malformed> {
        let left = self.rest.len();
        let length = self.definite(major, expected)?;
        let split = usize::try_from(length).ok().and_then(|length| self.rest.split_at_checked(length));
        let (content, rest) = split.ok_or_else(|| Malformed::Cbor { at: self.at_left(left), expected })?;
        self.rest = rest;
        Ok(content)
    }

    /// The length of an array or a map, of which each item has at least so many bytes; `None` is an indefinite one.
    #[inline]
    fn length(&mut self, major: u8, each: u64, expected: &'static str) -> Result<Option<u64>, Malformed> {
        let left = self.rest.len();
        let length = match self.rest {
            [first, rest @ ..] if first ^ (major << 5) < 24 => {
                self.rest = rest;
                Some(u64::from(first ^ (major << 5)))
            }
            _ => self.long_length(major, expected)?,
        };
        length.map(|length| self.plausible(left, length, each)).transpose()
    }

    #[inline(never)]
    fn long_length(&mut self, major: u8, expected: &'static str) -> Result<Option<u64>, Malformed> {
        const INDEFINITE: u8 = 0x1F;
        let (definite, indefinite) = (kind(major << 5), kind(major << 5 | INDEFINITE));
        self.head(expected, |found| found == definite || found == indefinite)
    }

    /// Reads a number from 0 up.
    ///
    /// # Errors
    /// [`Malformed`] if the next item is not one.
    #[inline]
    pub fn uint(&mut self) -> Result<u64, Malformed> {
        self.definite(MAJOR_UNSIGNED, "an unsigned number")
    }

    /// Reads any integer.
    ///
    /// # Errors
    /// [`Malformed`] if the next item is not one.
    pub fn int(&mut self) -> Result<i128, Malformed> {
        const EXPECTED: &str = "an integer";
        if self.peek().is_some_and(|first| first >> 5 == MAJOR_NEGATIVE) {
            return self.definite(MAJOR_NEGATIVE, EXPECTED).map(|below| (-1_i128).saturating_sub(i128::from(below)));
        }
        self.definite(MAJOR_UNSIGNED, EXPECTED).map(i128::from)
    }

    /// Reads a byte string.
    ///
    /// # Errors
    /// [`Malformed`] if the next item is not one of definite length.
    #[inline]
    pub fn bytes(&mut self) -> Result<&'b [u8], Malformed> {
        self.string(MAJOR_BYTES, "a byte string")
    }

    /// Reads a byte string and gives a reader of what is in it.
    ///
    /// # Errors
    /// [`Malformed`] if the next item is not one of definite length.
    pub fn nested(&mut self) -> Result<(&'b [u8], Reader<'b>), Malformed> {
        let bytes = self.bytes()?;
        Ok((bytes, Reader { rest: bytes, end: self.at(), ..*self }))
    }

    /// Reads a text.
    ///
    /// # Errors
    /// [`Malformed`] if the next item is not one of definite length in UTF-8.
    #[inline]
    pub fn text(&mut self) -> Result<&'b str, Malformed> {
        const EXPECTED: &str = "a text";
        let left = self.rest.len();
        let content = self.string(MAJOR_TEXT, EXPECTED)?;
        core::str::from_utf8(content).map_err(|_| Malformed::Cbor { at: self.at_left(left), expected: EXPECTED })
    }

    /// Reads a truth value.
    ///
    /// # Errors
    /// [`Malformed`] if the next item is not one.
    pub fn bool(&mut self) -> Result<bool, Malformed> {
        self.head("true or false", |found| found == Type::Bool).map(|argument| argument == Some(TRUE))
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
        let from = self.rest;
        self.skip()?;
        Ok(from.get(..from.len().saturating_sub(self.rest.len())).unwrap_or_default())
    }

    /// What is left, unread.
    #[must_use]
    pub fn rest(&self) -> &'b [u8] {
        self.rest
    }

    /// Reads a tag; the tagged item is next.
    ///
    /// # Errors
    /// [`Malformed`] if the next item is not one.
    pub fn tag(&mut self) -> Result<u64, Malformed> {
        self.definite(MAJOR_TAG, "a tag")
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
    pub fn array_with<E: From<Malformed>>(&mut self, each: impl FnMut(&mut Self) -> Result<(), E>) -> Result<(), E> {
        let left = self.rest.len();
        let length = self.length(MAJOR_ARRAY, 1, "an array")?;
        self.deeper(left, |reader| reader.repeat(length, each))
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
        let left = self.rest.len();
        let length = self.length(MAJOR_MAP, 2, "a map")?;
        self.few(left, length.unwrap_or(0))?;
        let (mut seen, mut count) = (Seen::default(), 0_u64);
        let entry = |reader: &mut Self| {
            let left = reader.rest.len();
            let key = reader.key()?;
            if !seen.is_new(key) {
                return Err(Malformed::Duplicate { at: reader.at_left(left) }.into());
            }
            if length.is_none() {
                count = count.saturating_add(1);
                reader.few(left, count)?;
            }
            each(key, reader)
        };
        self.deeper(left, |reader| reader.repeat(length, entry))
    }

    /// Refuses a map, or what was read of it, of more entries than [`MAX_ENTRIES`].
    fn few(&self, from: usize, declared: u64) -> Result<(), Malformed> {
        if declared <= MAX_ENTRIES {
            return Ok(());
        }
        Err(Malformed::Length { at: self.at_left(from), declared, left: self.rest.len() })
    }

    /// Runs `each` as often as a length says, or up to the break that ends an indefinite one.
    fn repeat<E: From<Malformed>>(
        &mut self,
        length: Option<u64>,
        mut each: impl FnMut(&mut Self) -> Result<(), E>,
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
        let left = self.rest.len();
        let expected = "an item";
        match self.kind(expected)? {
            Type::U64 | Type::Int => self.int().map(drop),
            Type::Bytes => self.bytes().map(drop),
            Type::String => self.text().map(drop),
            Type::Array | Type::ArrayIndef => self.array(Self::skip),
            Type::Map | Type::MapIndef => self.map(skip_value),
            Type::Tag => self.tag().and_then(|_| self.deeper(left, Self::skip)),
            Type::Bool | Type::Null | Type::Undefined => self.advance(1),
            Type::Simple => self.simple(),
            Type::F16 => self.advance(3),
            Type::F32 => self.advance(5),
            Type::F64 => self.advance(9),
            Type::BytesIndef | Type::StringIndef => Err(Malformed::Indefinite { at: self.at() }),
            _ => Err(Malformed::Cbor { at: self.at(), expected }),
        }
    }

    /// Passes over a simple value without a name. In two bytes there is none below 32 (RFC 8949 §3.3).
    fn simple(&mut self) -> Result<(), Malformed> {
        match self.rest {
            [0xF8, 0x20..=0xFF, ..] => self.advance(2),
            [0xE0..=0xF7, ..] => self.advance(1),
            _ => Err(Malformed::Cbor { at: self.at(), expected: "an item" }),
        }
    }

    /// Reads a key. Nearly all are numbers below 65,536.
    #[inline]
    fn key(&mut self) -> Result<Key<'b>, Malformed> {
        let (number, rest) = match self.rest {
            [small @ ..=0x17, rest @ ..] => (u16::from(*small), rest),
            [0x19, one, two, rest @ ..] => (u16::from_be_bytes([*one, *two]), rest),
            _ => return self.long_key(),
        };
        self.rest = rest;
        Ok(Key::Uint(u64::from(number)))
    }

    #[inline(never)]
    fn long_key(&mut self) -> Result<Key<'b>, Malformed> {
        let expected = "a map key (number, text or byte string)";
        match self.peek().map(|first| first >> 5) {
            Some(MAJOR_UNSIGNED) => self.definite(MAJOR_UNSIGNED, expected).map(Key::Uint),
            Some(MAJOR_NEGATIVE) => self.definite(MAJOR_NEGATIVE, expected).map(Key::Nint),
            Some(MAJOR_TEXT) => self.text().map(Key::Text),
            Some(MAJOR_BYTES) => self.bytes().map(Key::Bytes),
            _ => Err(Malformed::Type { at: self.at(), expected, found: name(self.kind(expected)?) }),
        }
    }

    fn advance(&mut self, count: usize) -> Result<(), Malformed> {
        self.rest = self.rest.get(count..).ok_or(Malformed::Cbor { at: self.at(), expected: "an item" })?;
        Ok(())
    }

    /// Refuses a length that the rest of the input cannot hold, before anything is made of that size.
    fn plausible(&self, from: usize, declared: u64, each: u64) -> Result<u64, Malformed> {
        let left = self.rest.len();
        let needed = usize::try_from(declared.saturating_mul(each)).unwrap_or(usize::MAX);
        if needed <= left { Ok(declared) } else { Err(Malformed::Length { at: self.at_left(from), declared, left }) }
    }

    fn deeper<T, E: From<Malformed>>(
        &mut self,
        from: usize,
        inside: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        if self.depth >= MAX_DEPTH {
            return Err(Malformed::TooDeep { at: self.at_left(from), limit: MAX_DEPTH }.into());
        }
        self.depth = self.depth.saturating_add(1);
        let done = inside(self);
        self.depth = self.depth.saturating_sub(1);
        done
    }
}

fn skip_value<'b>(_: Key<'b>, reader: &mut Reader<'b>) -> Result<(), Malformed> {
    reader.skip()
}

#[cfg(test)]
#[path = "cbor_tests.rs"]
mod tests;
