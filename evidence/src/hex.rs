//! Bytes as hexadecimal text, and back.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write};

/// Shows bytes as lower-case hexadecimal.
pub struct Hex<'a>(pub &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chunks(PIECE).try_for_each(|piece| {
            let mut digits = [0; 2 * PIECE];
            let pairs = digits.chunks_exact_mut(2).zip(piece);
            pairs.for_each(|(pair, byte)| pair.copy_from_slice(&digits_of(*byte)));
            let digits = digits.get(..piece.len().saturating_mul(2)).unwrap_or_default();
            out.write_str(core::str::from_utf8(digits).unwrap_or_default())
        })
    }
}

/// Bytes that are written at once: as many as the longest digest has.
const PIECE: usize = 64;

fn digits_of(byte: u8) -> [u8; 2] {
    let digit = |value: u8| if value < 10 { b'0' | value } else { b'a' + (value - 10) };
    [digit(byte >> 4), digit(byte & 0xF)]
}

/// Writes bytes as lower-case hexadecimal.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().saturating_mul(2));
    // A text takes whatever is written to it.
    let _ = write!(text, "{}", Hex(bytes));
    text
}

/// Reads hexadecimal of either case, two digits for a byte and nothing between them; anything else is `None`.
#[must_use]
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| Some(digit(*pair.first()?)? << 4 | digit(*pair.get(1)?)?)).collect()
}

fn digit(character: u8) -> Option<u8> {
    char::from(character).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_at_every_length() {
        let bytes: Vec<u8> = (0..=255).collect();
        for length in [0, 1, 31, 63, 64, 65, 127, 128, 129, 256] {
            let part = &bytes[256 - length..];
            let expected: String = part.iter().map(|byte| alloc::format!("{byte:02x}")).collect();
            assert_eq!((encode(part), alloc::format!("{}", Hex(part))), (expected.clone(), expected));
        }
    }

    #[test]
    fn both_ways() {
        assert_eq!(decode("00fFa5"), Some([0x00, 0xff, 0xa5].to_vec()));
        assert_eq!(encode(&[0x00, 0xff, 0xa5]), "00ffa5");
        for bad in ["0", "0g", "0x00", "00 ", "é0"] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }
}
