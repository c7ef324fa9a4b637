//! Software components of a platform (draft-ffm-rats-cca-token, "Software Components").

use super::profile::Generation;
use super::{digest, missing};
use crate::cbor::{Key, Reader};
use crate::malformed::Malformed;
use abi::claim;
use alloc::vec::Vec;

/// One measured piece of firmware or configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Component<'b> {
    /// What it is, such as `RMM`; tokens without it occur.
    pub kind: Option<&'b str>,
    /// Digest, 32, 48 or 64 bytes.
    pub measurement: &'b [u8],
    /// Version, in the maker's words.
    pub version: Option<&'b str>,
    /// Hash of the key that verified it; may be empty on virtCCA.
    pub signer_id: &'b [u8],
    /// Hash algorithm, in the maker's words; the platform's own if absent.
    pub hash: Option<&'b str>,
    /// Whether it can be replaced while it runs: its measurement then grows with every activation.
    pub live: Option<bool>,
    /// Hashes of the keys of further signers.
    pub countersigners: Vec<&'b [u8]>,
}

/// The components as they come, before any of their claims is known to be there.
#[derive(Default)]
struct Found<'b> {
    measurement: Option<&'b [u8]>,
    signer_id: Option<&'b [u8]>,
    component: Component<'b>,
}

/// Components of a platform, at most, as firmware is today.
const USUAL: usize = 16;

/// Reads the list, which has at least one.
pub(super) fn read_all<'b>(reader: &mut Reader<'b>, generation: Generation) -> Result<Vec<Component<'b>>, Malformed> {
    let mut list = Vec::with_capacity(USUAL);
    reader.array(|item| {
        let mut found = Found::default();
        item.map(|key, value| found.take(key, value, generation))?;
        list.push(found.check(generation)?);
        Ok(())
    })?;
    if list.is_empty() {
        return Err(Malformed::Value { claim: "software components", expected: "at least one" });
    }
    Ok(list)
}

impl<'b> Found<'b> {
    fn check(mut self, generation: Generation) -> Result<Component<'b>, Malformed> {
        let measurement = self.measurement.ok_or(missing("component measurement"))?;
        let signer_id = self.signer_id.ok_or(missing("component signer id"))?;
        self.component.measurement = digest("component measurement", measurement)?;
        let unsigned = generation == Generation::VirtCca && signer_id.is_empty();
        self.component.signer_id = if unsigned { signer_id } else { digest("component signer id", signer_id)? };
        Ok(self.component)
    }

    fn take(&mut self, key: Key<'b>, value: &mut Reader<'b>, generation: Generation) -> Result<(), Malformed> {
        let text = |value: &mut Reader<'b>| value.text().map(|text| Some(trimmed(text, generation)));
        match key {
            Key::Uint(claim::COMPONENT_TYPE) => self.component.kind = text(value)?,
            Key::Uint(claim::COMPONENT_MEASUREMENT) => self.measurement = Some(value.bytes()?),
            Key::Uint(claim::COMPONENT_VERSION) => self.component.version = text(value)?,
            Key::Uint(claim::COMPONENT_SIGNER) => self.signer_id = Some(value.bytes()?),
            Key::Uint(claim::COMPONENT_HASH) => self.component.hash = text(value)?,
            Key::Uint(claim::COMPONENT_LIVE) if generation >= Generation::V2024R1 => {
                self.component.live = Some(value.bool()?);
            }
            Key::Uint(claim::COMPONENT_COUNTERSIGNERS) if generation >= Generation::V2024R1 => {
                let countersigners = &mut self.component.countersigners;
                value.array(|item| {
                    countersigners.push(digest("component countersigner id", item.bytes()?)?);
                    Ok(())
                })?;
            }
            _ => value.skip()?,
        }
        Ok(())
    }
}

/// A text without the NULs that virtCCA fills fields with.
pub(super) fn trimmed(text: &str, generation: Generation) -> &str {
    if generation == Generation::VirtCca { text.trim_end_matches('\0') } else { text }
}
