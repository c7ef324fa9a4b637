//! The heads of items: what one is, and its argument (RFC 8949 §3).

use minicbor::data::Type;

/// Major types, the upper three bits of an item's first byte (RFC 8949 §3.1).
pub(crate) const MAJOR_UNSIGNED: u8 = 0;
pub(crate) const MAJOR_NEGATIVE: u8 = 1;
pub(crate) const MAJOR_BYTES: u8 = 2;
pub(crate) const MAJOR_TEXT: u8 = 3;
pub(crate) const MAJOR_ARRAY: u8 = 4;
pub(crate) const MAJOR_MAP: u8 = 5;
pub(crate) const MAJOR_TAG: u8 = 6;
/// What `true` has in the lower five (RFC 8949 §3.3).
pub(super) const TRUE: u64 = 21;

/// The argument of a definite head, and what follows the head.
#[inline]
pub(super) fn argument(input: &[u8]) -> Option<(u64, &[u8])> {
    let (first, rest) = input.split_first()?;
    match first & 0x1F {
        small @ 0..=23 => Some((u64::from(small), rest)),
        24 => rest.split_first().map(|(byte, rest)| (u64::from(*byte), rest)),
        25 => rest.split_first_chunk().map(|(two, rest)| (u64::from(u16::from_be_bytes(*two)), rest)),
        26 => rest.split_first_chunk().map(|(four, rest)| (u64::from(u32::from_be_bytes(*four)), rest)),
        27 => rest.split_first_chunk().map(|(eight, rest)| (u64::from_be_bytes(*eight), rest)),
        _ => None,
    }
}

/// What an item is, by its first byte (RFC 8949 §3, appendix B). All integers of a sign are of one type here.
#[inline]
pub(super) const fn kind(first: u8) -> Type {
    match first {
        0x00..=0x1B => Type::U64,
        0x20..=0x3B => Type::Int,
        0x40..=0x5B => Type::Bytes,
        0x5F => Type::BytesIndef,
        0x60..=0x7B => Type::String,
        0x7F => Type::StringIndef,
        0x80..=0x9B => Type::Array,
        0x9F => Type::ArrayIndef,
        0xA0..=0xBB => Type::Map,
        0xBF => Type::MapIndef,
        0xC0..=0xDB => Type::Tag,
        0xF4 | 0xF5 => Type::Bool,
        0xF6 => Type::Null,
        0xF7 => Type::Undefined,
        0xE0..=0xF3 | 0xF8 => Type::Simple,
        0xF9 => Type::F16,
        0xFA => Type::F32,
        0xFB => Type::F64,
        0xFF => Type::Break,
        unknown => Type::Unknown(unknown),
    }
}

pub(super) fn name(found: Type) -> &'static str {
    match found {
        Type::U64 => "an unsigned number",
        Type::Int => "a negative number",
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
