//! A version as text in 32 bytes, padded with zeros.

use core::fmt;

use crate::Refusal;

/// Room for the text in bytes.
pub const ROOM: usize = 32;

/// A version: 1 to 32 printable ASCII characters without blanks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Version([u8; ROOM]);

impl Version {
    /// The version of a record that has only a format: `1`.
    pub const ONE: Self = {
        let mut text = [0; ROOM];
        text[0] = b'1';
        Self(text)
    };

    /// Takes the text of a version.
    pub fn new(text: &str) -> Result<Self, Refusal> {
        let mut padded = [0; ROOM];
        if text.len() > ROOM {
            return Err(Refusal::Text { what: "version" });
        }
        padded.iter_mut().zip(text.bytes()).for_each(|(to, from)| *to = from);
        Self::parse(&padded)
    }

    /// Reads a padded version; refuses an empty one, other characters, and bytes after the padding began.
    pub fn parse(padded: &[u8; ROOM]) -> Result<Self, Refusal> {
        let (text, padding) = padded.split_at(length(padded));
        let good = !text.is_empty() && text.iter().all(u8::is_ascii_graphic) && padding.iter().all(|&byte| byte == 0);
        if good { Ok(Self(*padded)) } else { Err(Refusal::Text { what: "version" }) }
    }

    /// The text padded with zeros.
    pub fn padded(&self) -> &[u8; ROOM] {
        &self.0
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        let (text, _) = self.0.split_at(length(&self.0));
        core::str::from_utf8(text).unwrap_or("")
    }
}

/// How many bytes precede the first zero.
fn length(padded: &[u8; ROOM]) -> usize {
    padded.iter().position(|&byte| byte == 0).unwrap_or(ROOM)
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Version({self})")
    }
}
