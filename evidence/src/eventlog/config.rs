//! Configuration and code that platforms measure in their own ways.

use super::reader::Reader;
use super::text::{Shown, line, readable, until_nul};
use super::{Blob, Refusal};
use core::fmt;

/// The data of `EV_POST_CODE`, `EV_PLATFORM_CONFIG_FLAGS`, `EV_NONHOST_CONFIG` and others that the profile leaves to the
/// platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Config<'a> {
    /// A name or a description; what was hashed is not in the log, unless it is the text itself.
    Text(&'a str),
    /// Where what was hashed had been.
    Blob(Blob<'a>),
    /// td-shim: a name and what was hashed.
    Named {
        /// The name.
        name: &'a [u8],
        /// What was hashed.
        data: &'a [u8],
    },
    /// Anything else.
    Bytes(&'a [u8]),
}

/// Size in bytes of the name in td-shim's form.
const NAME: usize = 16;

impl<'a> Config<'a> {
    /// Reads the data of an event that begins at offset `at`; whatever is not of a known form is bytes.
    pub(crate) fn read(bytes: &'a [u8], at: usize) -> Self {
        if let Some(text) = line(bytes).filter(|text| text.chars().all(|it| !it.is_control())) {
            return Self::Text(text);
        }
        let blob = if bytes.len() == 16 { Blob::read(bytes, at) } else { Blob::read_described(bytes, at) };
        let named = || Self::named(bytes, at).ok();
        blob.map_or_else(|_| named().unwrap_or(Self::Bytes(bytes)), Self::Blob)
    }

    fn named(bytes: &'a [u8], at: usize) -> Result<Self, Refusal> {
        let mut reader = Reader::new(bytes, at);
        let name = reader.take(NAME, "a name")?;
        let shown = until_nul(name);
        let printable = !shown.is_empty() && shown.iter().all(u8::is_ascii_graphic);
        if !printable || name.iter().skip(shown.len()).any(|byte| *byte != 0) {
            return Err(Refusal::Bytes { at, expected: "a name" });
        }
        let length = reader.u32("length of the data")?;
        let data = reader.take_long(length.into(), "data")?;
        reader.finish()?;
        Ok(Self::Named { name: shown, data })
    }

    /// What it is called, for rules to go by.
    pub(crate) fn label(&self) -> Option<&'a [u8]> {
        match self {
            Self::Text(text) => Some(text.as_bytes()),
            Self::Blob(blob) => blob.description,
            Self::Named { name, .. } => Some(name),
            Self::Bytes(_) => None,
        }
    }
}

impl fmt::Display for Config<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(out, "\"{}\"", Shown(text)),
            Self::Blob(blob) => write!(out, "{blob}"),
            Self::Named { name, data } => {
                write!(out, "\"{}\", {} bytes", Shown(&readable(name)), data.len())?;
                let text = line(until_nul(data)).filter(|text| text.len() > 3);
                text.iter().try_for_each(|text| write!(out, " beginning with \"{}\"", Shown(text)))
            }
            Self::Bytes(bytes) => write!(out, "{}", Shown(&readable(bytes))),
        }
    }
}
