//! A policy's text.

use super::{Refusal, STOCK};
use crate::key::sha256;
use crate::verdict::Applied;
use evidence::hex::encode;

/// Bytes of a policy that are read, at most.
pub const MAX_SOURCE: usize = 256 * 1024;

/// A policy that has not been looked into yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    name: String,
    text: String,
}

impl Source {
    /// Takes the text of a policy, to be called `name` in reports.
    ///
    /// # Errors
    /// [`Refusal::TooLong`] and [`Refusal::Text`].
    pub fn new(name: impl Into<String>, text: Vec<u8>) -> Result<Self, Refusal> {
        if text.len() > MAX_SOURCE {
            return Err(Refusal::TooLong { limit: MAX_SOURCE, found: text.len() });
        }
        let text = String::from_utf8(text).map_err(|_| Refusal::Text)?;
        Ok(Self { name: name.into(), text })
    }

    /// The stock policy of this name; of any other name there is none.
    #[must_use]
    pub fn stock(name: &str) -> Option<Self> {
        let found = STOCK.iter().find(|it| it.name == name)?;
        Some(Self { name: found.name.into(), text: found.text.into() })
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its name and digest, as a verdict has them.
    #[must_use]
    pub fn applied(&self) -> Applied {
        Applied { name: self.name.clone(), sha256: encode(&sha256(self.text.as_bytes())) }
    }
}
