//! Devices that joined a platform at run time (RMM 2.0, A7.2.3.3.12, "CCA platform extension").

use super::profile::Generation;
use super::{digest, missing};
use crate::cbor::{Key, Reader};
use crate::malformed::Malformed;
use alloc::vec::Vec;

/// Keys of the map of a device.
const HASH: u64 = 1;
const MEASUREMENTS: u64 = 2;
const CERTIFICATES: u64 = 3;
const IDE: u64 = 4;
const PROTOCOL: u64 = 5;
const VCA: u64 = 6;
const KIND: u64 = 7;
const ENCRYPTION: u64 = 8;

/// Protocols whose negotiation must be measured.
const WITH_VCA: [&str; 8] =
    ["spdm-1.2.0", "spdm-1.2.1", "spdm-1.2.2", "spdm-1.2.3", "spdm-1.3.0", "spdm-1.3.1", "spdm-1.3.2", "spdm-1.4.0"];
/// The type of device that must say how its memory is encrypted.
const CXL_TYPE_3: &str = "cxl-type-3";

/// A device that is part of a platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Device<'b> {
    /// Hash algorithm of the digests; the platform's own if absent.
    pub hash: Option<&'b str>,
    /// Digest of its measurements, as it gave them.
    pub measurements: &'b [u8],
    /// Digest of its chain of certificates.
    pub certificates: &'b [u8],
    /// Whether the link to it is protected (PCIe IDE).
    pub ide: bool,
    /// Protocol of its attestation.
    pub protocol: &'b str,
    /// Digest of that protocol's negotiation.
    pub vca: Option<&'b [u8]>,
    /// What it is; always there since 2026, 2.1.0.
    pub kind: Option<&'b str>,
    /// Who encrypts its memory, 0 to 2.
    pub encryption: Option<u64>,
}

/// A device as it comes, before any of its claims is known to be there.
#[derive(Default)]
struct Found<'b> {
    hash: Option<&'b str>,
    measurements: Option<&'b [u8]>,
    certificates: Option<&'b [u8]>,
    ide: Option<bool>,
    protocol: Option<&'b str>,
    vca: Option<&'b [u8]>,
    kind: Option<&'b str>,
    encryption: Option<u64>,
}

/// Reads the list.
pub(super) fn read_all<'b>(reader: &mut Reader<'b>, generation: Generation) -> Result<Vec<Device<'b>>, Malformed> {
    let mut list = Vec::new();
    reader.array(|item| {
        let mut found = Found::default();
        item.map(|key, value| found.take(key, value))?;
        list.push(found.check(generation)?);
        Ok(())
    })?;
    Ok(list)
}

impl<'b> Found<'b> {
    fn take(&mut self, key: Key<'b>, value: &mut Reader<'b>) -> Result<(), Malformed> {
        match key {
            Key::Uint(HASH) => self.hash = Some(value.text()?),
            Key::Uint(MEASUREMENTS) => self.measurements = Some(value.bytes()?),
            Key::Uint(CERTIFICATES) => self.certificates = Some(value.bytes()?),
            Key::Uint(IDE) => self.ide = Some(value.bool()?),
            Key::Uint(PROTOCOL) => self.protocol = Some(value.text()?),
            Key::Uint(VCA) => self.vca = Some(value.bytes()?),
            Key::Uint(KIND) => self.kind = Some(value.text()?),
            Key::Uint(ENCRYPTION) => self.encryption = Some(value.uint()?),
            _ => value.skip()?,
        }
        Ok(())
    }

    fn check(self, generation: Generation) -> Result<Device<'b>, Malformed> {
        let protocol = self.protocol.ok_or(missing("device protocol"))?;
        if WITH_VCA.contains(&protocol) && self.vca.is_none() {
            return Err(missing("device VCA digest"));
        }
        if generation >= Generation::V2026R1 && self.kind.is_none() {
            return Err(missing("device type"));
        }
        if self.kind == Some(CXL_TYPE_3) && self.encryption.is_none() {
            return Err(missing("device encryption"));
        }
        if self.encryption.is_some_and(|who| who > 2) {
            return Err(Malformed::Value { claim: "device encryption", expected: "0, 1 or 2" });
        }
        let measurements = self.measurements.ok_or(missing("device measurements"))?;
        let certificates = self.certificates.ok_or(missing("device certificates"))?;
        Ok(Device {
            hash: self.hash,
            measurements: digest("device measurements", measurements)?,
            certificates: digest("device certificates", certificates)?,
            ide: self.ide.ok_or(missing("device use of IDE"))?,
            protocol,
            vca: self.vca.map(|it| digest("device VCA digest", it)).transpose()?,
            kind: self.kind,
            encryption: self.encryption,
        })
    }
}
