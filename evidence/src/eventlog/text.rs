//! Foreign text, read and shown.

use alloc::borrow::Cow;
use alloc::string::String;
use core::fmt;

/// Shows foreign text on one line: control characters, and those that change the direction of writing, are escaped.
pub struct Shown<'a>(pub &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        self.0.chars().try_for_each(|character| match character {
            '"' | '\'' | '\\' => out.write_char(character),
            other => write!(out, "{}", other.escape_debug()),
        })
    }
}

/// Shows data of no known form: text as it is, else hexadecimal, and something even where there is nothing.
pub(crate) struct Data<'a>(pub &'a [u8]);

impl fmt::Display for Data<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match readable(self.0) {
            _ if self.0.is_empty() => out.write_str("no data"),
            text if text.is_empty() => out.write_str(&hex_start(self.0)),
            text => write!(out, "{}", Shown(&text)),
        }
    }
}

/// Reads UTF-16 (little-endian); anything that is none is `None`.
pub(crate) fn utf16(bytes: &[u8]) -> Option<String> {
    let (units, rest) = bytes.as_chunks::<2>();
    let text = char::decode_utf16(units.iter().map(|unit| u16::from_le_bytes(*unit))).collect::<Result<_, _>>().ok()?;
    rest.is_empty().then_some(text)
}

/// Reads UTF-16 with at most one NUL, at its end, which is left out.
pub(crate) fn utf16_line(bytes: &[u8]) -> Option<String> {
    let mut text = utf16(bytes)?;
    if text.ends_with('\0') {
        text.pop();
    }
    (!text.contains('\0')).then_some(text)
}

/// Reads UTF-8 with at most one NUL, at its end, which is left out.
pub(crate) fn line(bytes: &[u8]) -> Option<&str> {
    let bytes = bytes.strip_suffix(&[0]).unwrap_or(bytes);
    core::str::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))
}

/// Reads text up to the first NUL.
pub(crate) fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// Text for people, whatever the bytes are: UTF-8 as it is, else the hexadecimal of its first bytes.
pub(crate) fn readable(bytes: &[u8]) -> Cow<'_, str> {
    let printable = |text: &&str| text.chars().all(|character| !character.is_control());
    match line(bytes).filter(printable) {
        Some(text) => Cow::Borrowed(text),
        None => Cow::Owned(hex_start(bytes)),
    }
}

/// The first bytes in hexadecimal, and how many there are if that is not all.
fn hex_start(bytes: &[u8]) -> String {
    const SHOWN: usize = 32;
    let start = crate::hex::encode(bytes.get(..SHOWN).unwrap_or(bytes));
    if bytes.len() > SHOWN { alloc::format!("{start}… ({} bytes)", bytes.len()) } else { start }
}
