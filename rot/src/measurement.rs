//! The measurement record: what runs on this machine, component by component.

use abi::claim;
use sha2::{Digest, Sha256};

use crate::config::{Firmware, Hardware};
use crate::key::{POINT, spki_hash};
use crate::version::Version;

/// Signer identifier of what nobody signed: boot, which is the root of trust, and the configuration it was given.
pub const UNSIGNED: [u8; 32] = [0; 32];

/// One component: what was measured and who answers for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Component {
    /// SHA-256 of its bytes.
    pub measurement: [u8; 32],
    /// Its version.
    pub version: Version,
    /// SHA-256 of the SubjectPublicKeyInfo of the key that verified it, or [`UNSIGNED`].
    pub signer: [u8; 32],
}

/// All components of the platform, in the order in which they are measured, derived from and reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measurements {
    /// The boot image itself, as it lies in flash.
    pub boot: Component,
    /// The monitor's body.
    pub monitor: Component,
    /// The RMM's body.
    pub rmm: Component,
    /// The 32 bytes of HW_CONFIG.
    pub hw_config: Component,
    /// The 24 bytes of FW_CONFIG.
    pub fw_config: Component,
}

/// A hash function: SHA-256, by portable code or by a processor's instructions.
pub type Hash = fn(&[u8]) -> [u8; 32];

/// SHA-256 by portable code.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

impl Component {
    /// Measures bytes that nobody signed.
    pub fn unsigned(bytes: &[u8], version: Version) -> Self {
        Self::unsigned_by(sha256, bytes, version)
    }

    /// Measures bytes that nobody signed by this hash function.
    pub fn unsigned_by(hash: Hash, bytes: &[u8], version: Version) -> Self {
        Self { measurement: hash(bytes), version, signer: UNSIGNED }
    }

    /// Measures bytes that the key `signer`, an uncompressed P-384 point, has signed.
    pub fn signed(bytes: &[u8], version: Version, signer: &[u8; POINT]) -> Self {
        Self::signed_by(sha256, bytes, version, signer)
    }

    /// Measures bytes that the key `signer` has signed by this hash function.
    pub fn signed_by(hash: Hash, bytes: &[u8], version: Version, signer: &[u8; POINT]) -> Self {
        Self { measurement: hash(bytes), version, signer: spki_hash(signer) }
    }

    /// Measures HW_CONFIG.
    pub fn hardware(hardware: &Hardware) -> Self {
        Self::unsigned(&hardware.encode(), Version::ONE)
    }

    /// Measures FW_CONFIG.
    pub fn firmware(firmware: &Firmware) -> Self {
        Self::unsigned(&firmware.encode(), Version::ONE)
    }
}

impl Measurements {
    /// The components by name, in their order.
    pub fn named(&self) -> [(&'static str, &Component); 5] {
        [
            ("BOOT", &self.boot),
            ("MONITOR", &self.monitor),
            ("RMM", &self.rmm),
            ("HW_CONFIG", &self.hw_config),
            ("FW_CONFIG", &self.fw_config),
        ]
    }
}

/// The lifecycle that a platform shows: OTP's, or the debug one as soon as debugging is allowed.
pub fn lifecycle(otp: u32, firmware: &Firmware) -> u32 {
    if firmware.debug { claim::LIFECYCLE_DEBUG } else { otp }
}
