//! CBOR, written in its shortest form (RFC 8949 §4.2.1).

use super::Validity;
use alloc::vec::Vec;

/// Tag of a time in seconds since 1970 (RFC 8949 §3.4.2).
const TAG_TIME: u64 = 1;

/// Items that have been written.
#[derive(Default)]
pub struct Encoder(Vec<u8>);

impl Encoder {
    /// Everything that has been written.
    pub fn finish(self) -> Vec<u8> {
        self.0
    }

    fn head(&mut self, major: u8, argument: u64) {
        let first = major << 5;
        let [a, b, c, d, e, f, g, h] = argument.to_be_bytes();
        match argument {
            0..=23 => self.0.push(first | h),
            24..=0xFF => self.0.extend([first | 24, h]),
            0x100..=0xFFFF => self.0.extend([first | 25, g, h]),
            0x1_0000..=0xFFFF_FFFF => self.0.extend([first | 26, e, f, g, h]),
            _ => self.0.extend([first | 27, a, b, c, d, e, f, g, h]),
        }
    }

    /// A number from 0 up.
    pub fn uint(&mut self, value: u64) {
        self.head(0, value);
    }

    /// Any number.
    pub fn int(&mut self, value: i64) {
        match u64::try_from(value) {
            Ok(value) => self.head(0, value),
            // -1 - n is the complement of n.
            Err(_) => self.head(1, u64::from_ne_bytes((!value).to_ne_bytes())),
        }
    }

    /// A byte string.
    pub fn bytes(&mut self, value: &[u8]) {
        self.head(2, value.len() as u64);
        self.0.extend_from_slice(value);
    }

    /// A text.
    pub fn text(&mut self, value: &str) {
        self.head(3, value.len() as u64);
        self.0.extend_from_slice(value.as_bytes());
    }

    /// The head of an array; its items follow.
    pub fn array(&mut self, length: u64) {
        self.head(4, length);
    }

    /// The head of a map; keys and values follow.
    pub fn map(&mut self, length: u64) {
        self.head(5, length);
    }

    /// A tag; the tagged item follows.
    pub fn tag(&mut self, tag: u64) {
        self.head(6, tag);
    }

    /// A byte string with a tag.
    pub fn tagged_bytes(&mut self, tag: u64, value: &[u8]) {
        self.tag(tag);
        self.bytes(value);
    }

    /// A span of validity.
    pub fn validity(&mut self, validity: Validity) {
        self.map(1 + u64::from(validity.not_before.is_some()));
        if let Some(start) = validity.not_before {
            self.uint(0);
            self.tag(TAG_TIME);
            self.uint(start);
        }
        self.uint(1);
        self.tag(TAG_TIME);
        self.uint(validity.not_after);
    }
}
