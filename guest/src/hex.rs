//! Bytes as hexadecimal text, and back.

use std::fmt::Write;

/// Writes bytes as lower-case hexadecimal.
pub fn encode(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Reads hexadecimal of either case, two digits for a byte and nothing between them; anything else is `None`.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let digits = text.chars().map(|it| it.to_digit(16).and_then(|it| u8::try_from(it).ok()));
    let digits = digits.collect::<Option<Vec<u8>>>()?;
    let pairs = digits.chunks(2);
    pairs.map(|pair| Some(pair.first()? << 4 | pair.get(1)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways() {
        assert_eq!(decode("00fFa5"), Some(vec![0x00, 0xff, 0xa5]));
        assert_eq!(encode(&[0x00, 0xff, 0xa5]), "00ffa5");
        for bad in ["0", "0g", "0x00", "00 ", "é0"] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }
}
