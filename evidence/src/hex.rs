//! Bytes as hexadecimal text, and back.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// Shows bytes as lower-case hexadecimal.
pub struct Hex<'a>(pub &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

/// Writes bytes as lower-case hexadecimal.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    alloc::format!("{}", Hex(bytes))
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
    fn both_ways() {
        assert_eq!(decode("00fFa5"), Some([0x00, 0xff, 0xa5].to_vec()));
        assert_eq!(encode(&[0x00, 0xff, 0xa5]), "00ffa5");
        for bad in ["0", "0g", "0x00", "00 ", "é0"] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }
}
