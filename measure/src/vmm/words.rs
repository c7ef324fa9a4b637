//! The words of a command line, and the values in them.

use abi::measurement::Hash;
use base64ct::{Base64, Encoding};

use crate::Error;

/// The words that are still to be read.
pub struct Words<'a> {
    rest: &'a [String],
}

impl<'a> Words<'a> {
    /// All of `words`.
    pub fn new(words: &'a [String]) -> Words<'a> {
        Words { rest: words }
    }

    /// The value of `option`, which is the next word.
    pub fn value(&mut self, option: &str) -> Result<&'a str, Error> {
        self.next().ok_or_else(|| Error::option(option, "expected a value, found the end of the command line"))
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }
}

/// Parts of `a,b=c,d`: a name and, where there is one, its value. A doubled comma stands for a comma (QEMU).
pub fn parts(value: &str) -> Vec<(String, Option<String>)> {
    const COMMA: &str = "\u{0}";
    let value = value.replace(",,", COMMA);
    let plain = |text: &str| text.replace(COMMA, ",");
    value
        .split(',')
        .map(|part| match part.split_once('=') {
            Some((name, value)) => (plain(name), Some(plain(value))),
            None => (plain(part), None),
        })
        .collect()
}

/// A number in decimal.
pub fn number<T: std::str::FromStr>(option: &str, text: &str) -> Result<T, Error> {
    text.parse().map_err(|_| Error::option(option, format!("expected a decimal number, found {text:?}")))
}

/// A size in MiB, or with another unit: B, K, M, G or T.
pub fn size(option: &str, text: &str) -> Result<u64, Error> {
    let units = [('B', 0), ('K', 10), ('M', 20), ('G', 30), ('T', 40)];
    let last = text.chars().last().map(|last| last.to_ascii_uppercase());
    let unit = units.iter().find(|(name, _)| last == Some(*name));
    let (digits, shift) = unit.map_or((text, 20), |(_, shift)| (&text[..text.len() - 1], *shift));
    let bytes = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(1 << shift));
    bytes.ok_or_else(|| {
        Error::option(option, format!("expected a number, with B, K, M, G or T if wanted, found {text:?}"))
    })
}

/// on or off, as QEMU spells them.
pub fn switch(option: &str, text: &str) -> Result<bool, Error> {
    match text {
        "on" | "yes" | "true" | "y" => Ok(true),
        "off" | "no" | "false" | "n" => Ok(false),
        _ => Err(Error::option(option, format!("expected on or off, found {text:?}"))),
    }
}

/// A hash algorithm.
pub fn hash(option: &str, text: &str) -> Result<Hash, Error> {
    host::config::hash(text).ok_or_else(|| Error::option(option, format!("expected sha256 or sha512, found {text:?}")))
}

/// A personalization value, zeros after it.
pub fn rpv(option: &str, bytes: &[u8]) -> Result<[u8; 64], Error> {
    let mut rpv = [0; 64];
    let slot = rpv.get_mut(..bytes.len());
    let slot =
        slot.ok_or_else(|| Error::option(option, format!("expected at most 64 bytes, found {}", bytes.len())))?;
    slot.copy_from_slice(bytes);
    Ok(rpv)
}

/// A personalization value in base64.
pub fn rpv_base64(option: &str, text: &str) -> Result<[u8; 64], Error> {
    let bytes = Base64::decode_vec(text).map_err(|_| Error::option(option, "expected base64"))?;
    rpv(option, &bytes)
}
