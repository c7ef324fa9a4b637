//! The keys and hashes that Secure Boot goes by.

use super::reader::Reader;
use super::text::Shown;
use super::{Guid, Refusal};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

/// Size in bytes of the owner's GUID in front of each signature.
const OWNER: usize = 16;
/// Size in bytes of what stands in front of a list's signatures.
const LIST_HEADER: u32 = 28;

/// `EFI_SIGNATURE_LIST`s one after the other (UEFI 2.10, 32.4.1): for each, what it holds and how many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureLists {
    lists: Vec<(Guid, usize)>,
    names: Vec<String>,
}

impl SignatureLists {
    /// Reads lists that begin at offset `at`.
    ///
    /// # Errors
    /// [`Refusal`] if a list is cut short or its sizes do not add up.
    pub(crate) fn read(bytes: &[u8], at: usize) -> Result<Self, Refusal> {
        let mut reader = Reader::new(bytes, at);
        let mut all = Self { lists: Vec::new(), names: Vec::new() };
        while !reader.rest().is_empty() {
            all.list(&mut reader)?;
        }
        Ok(all)
    }

    fn list(&mut self, reader: &mut Reader<'_>) -> Result<(), Refusal> {
        let kind = Guid(reader.array("type of a signature list")?);
        let at = reader.at();
        let size = reader.u32("size of a signature list")?;
        let header = reader.u32("size of its header")?;
        let signature = usize::try_from(reader.u32("size of a signature")?).unwrap_or(usize::MAX);
        let wrong = |expected| Refusal::Value { at, what: "size of a signature list", expected, found: size.into() };
        let body = size.checked_sub(LIST_HEADER).ok_or_else(|| wrong("at least 28"))?;
        let mut body = Reader::new(reader.take_long(body.into(), "a signature list")?, at);
        body.take_long(header.into(), "header of a signature list")?;
        let whole = signature > OWNER && body.rest().len().is_multiple_of(signature);
        if !whole {
            return Err(wrong("a whole number of signatures"));
        }
        let signatures = body.rest().chunks_exact(signature);
        self.lists.push((kind, signatures.len()));
        if kind.name() == Some("X.509 certificate") {
            self.names.extend(signatures.filter_map(|it| it.get(OWNER..)).filter_map(subject));
        }
        Ok(())
    }
}

impl fmt::Display for SignatureLists {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut kinds: Vec<(Guid, usize)> = Vec::new();
        for (kind, count) in &self.lists {
            match kinds.iter_mut().find(|(known, _)| known == kind) {
                Some((_, total)) => *total = total.saturating_add(*count),
                None => kinds.push((*kind, *count)),
            }
        }
        if kinds.is_empty() {
            return out.write_str("nothing");
        }
        kinds.iter().enumerate().try_for_each(|(index, (kind, count))| {
            let comma = if index > 0 { ", " } else { "" };
            write!(out, "{comma}{count} × {}", kind.named())
        })?;
        let names = self.names.iter().map(|name| Shown(name).to_string()).collect::<Vec<_>>();
        if names.is_empty() { Ok(()) } else { write!(out, " ({})", names.join("; ")) }
    }
}

/// The common name of a certificate's subject, found by its look alone: the second one in the bytes (the first is the
/// issuer's). Good for showing, for nothing else.
pub(crate) fn subject(der: &[u8]) -> Option<String> {
    const COMMON_NAME: &[u8] = &[0x06, 0x03, 0x55, 0x04, 0x03];
    let mut names = der.windows(COMMON_NAME.len()).enumerate().filter(|(_, window)| *window == COMMON_NAME);
    let first = names.next();
    let (start, _) = names.next().or(first)?;
    let mut reader = Reader::new(der.get(start.checked_add(COMMON_NAME.len())?..)?, 0);
    reader.u8("string type").ok()?;
    let length = reader.u8("length").ok().filter(|length| *length < 0x80)?;
    let name = reader.take(length.into(), "name").ok()?;
    core::str::from_utf8(name).ok().map(ToString::to_string)
}
