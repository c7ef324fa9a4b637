//! What a platform's token must show, from built files alone and never from the machine.

use evidence::hex;
use rot::config::{Firmware, Hardware};
use rot::image::{HEADER, Header, Kind};
use rot::measurement::Component;
use rot::token::IMPLEMENTATION_ID;
use rot::{Refusal, boot};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::Error;

/// The files and the configuration that a machine is started with.
#[derive(Clone, Copy, Debug)]
pub struct Files<'a> {
    /// The boot image.
    pub boot: &'a [u8],
    /// The monitor: signed, or as built; as built it has no version and any signer.
    pub monitor: &'a [u8],
    /// The RMM, likewise.
    pub rmm: &'a [u8],
    /// HW_CONFIG.
    pub hardware: &'a Hardware,
    /// FW_CONFIG.
    pub firmware: &'a Firmware,
}

/// What is expected of one component; `None` may be anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Its type, such as `RMM`.
    pub kind: &'static str,
    /// SHA-256 of its bytes.
    pub measurement: [u8; 32],
    /// Its version.
    pub version: Option<String>,
    /// SHA-256 of its signer's SubjectPublicKeyInfo; zeros for what nobody signs.
    pub signer_id: Option<[u8; 32]>,
}

/// What is expected of a platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Its components, in the order in which boot measures them.
    pub components: [Reference; 5],
    /// Its configuration claim: HW_CONFIG.
    pub config: [u8; 32],
}

/// Computes what the platform token must show.
///
/// # Errors
/// [`Error::Firmware`] where boot would refuse a file whoever signed it.
pub fn expect(files: &Files<'_>) -> Result<Expected, Error> {
    let components = [
        exact("BOOT", &boot::measure(files.boot).map_err(Error::Firmware)?),
        image("MONITOR", Kind::Monitor, files.monitor).map_err(Error::Firmware)?,
        image("RMM", Kind::Rmm, files.rmm).map_err(Error::Firmware)?,
        exact("HW_CONFIG", &Component::hardware(files.hardware)),
        exact("FW_CONFIG", &Component::firmware(files.firmware)),
    ];
    Ok(Expected { components, config: files.hardware.encode() })
}

fn exact(kind: &'static str, component: &Component) -> Reference {
    Reference {
        kind,
        measurement: component.measurement,
        version: Some(component.version.to_string()),
        signer_id: Some(component.signer),
    }
}

/// A signed image, whose signature is checked with the key that it names, or one as built.
fn image(name: &'static str, kind: Kind, file: &[u8]) -> Result<Reference, Refusal> {
    if !Header::begins(file) {
        let measurement = Sha256::digest(file).into();
        return Ok(Reference { kind: name, measurement, version: None, signer_id: None });
    }
    let (header, body) = file.split_first_chunk::<HEADER>().ok_or(Refusal::Length {
        what: "signed image",
        expected: HEADER as u64,
        found: file.len() as u64,
    })?;
    let header = Header::parse(header)?;
    let component = header.authenticate(kind, &header.signer_hash(), 0)?.check(body)?;
    Ok(exact(name, &component))
}

impl Expected {
    /// The `platform` part of a reference file of profile `allod-reference-1`: lower-case hex throughout. A machine in
    /// a debug lifecycle is never what is expected.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "implementation_id": hex::encode(&IMPLEMENTATION_ID),
            "config": hex::encode(&self.config),
            "lifecycle": ["secured"],
            "components": self.components.each_ref().map(Reference::json),
        })
    }
}

impl Reference {
    fn json(&self) -> Value {
        let mut value = json!({ "type": self.kind, "measurement": hex::encode(&self.measurement) });
        if let Some(version) = &self.version {
            value["version"] = json!(version);
        }
        if let Some(signer) = &self.signer_id {
            value["signer_id"] = json!(hex::encode(signer));
        }
        value
    }
}

#[cfg(test)]
#[path = "platform_tests.rs"]
mod tests;
