//! The one-time-programmable memory of a machine: its secret, its lifecycle, and whose firmware it runs.
//!
//! 4 KiB in flash 0, which only Root and Secure reach; `allod platform init` makes it.

use abi::claim;
use zerocopy::little_endian::U32;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::Refusal;
use crate::config::{exactly, magic};

/// Length of OTP in bytes.
pub const LENGTH: usize = 4096;
/// Length of the root secret in bytes.
pub const SECRET: usize = 32;
const MAGIC: [u8; 8] = *b"ALLODOTP";
const FORMAT: u32 = 2;

/// What OTP holds; wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Otp {
    /// Root secret, from which CPAK and RAK are derived; never all zeros.
    pub secret: [u8; SECRET],
    /// SHA-256 of the SubjectPublicKeyInfo of the key that signs this machine's firmware.
    pub firmware_key: [u8; 32],
    /// SHA-256 of the SubjectPublicKeyInfo of the CPAK: what names this machine. Boot need not compute the public half of
    /// a key whose private half is all that it uses.
    pub cpak: [u8; 32],
    /// Lowest security version of an image that may run.
    pub lowest_version: u32,
    /// Security lifecycle; 0x3000, secured, is the only one a machine is made with.
    pub lifecycle: u32,
}

#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct Record {
    magic: [u8; 8],
    format: U32,
    lifecycle: U32,
    secret: [u8; SECRET],
    firmware_key: [u8; 32],
    cpak: [u8; 32],
    lowest_version: U32,
    unused: [u8; LENGTH - 116],
}

impl Otp {
    /// The 4 KiB that are programmed.
    pub fn encode(&self) -> Zeroizing<[u8; LENGTH]> {
        let record = Record {
            magic: MAGIC,
            format: FORMAT.into(),
            lifecycle: self.lifecycle.into(),
            secret: self.secret,
            firmware_key: self.firmware_key,
            cpak: self.cpak,
            lowest_version: self.lowest_version.into(),
            unused: [0; LENGTH - 116],
        };
        Zeroizing::new(zerocopy::transmute!(record))
    }

    /// Reads OTP; refuses one that was never programmed, or is of another format or lifecycle.
    ///
    /// No refusal shows a byte of the secret. The caller wipes `bytes`.
    pub fn parse(bytes: &[u8; LENGTH]) -> Result<Self, Refusal> {
        let record: &Record = zerocopy::transmute_ref!(bytes);
        magic("OTP", MAGIC, record.magic)?;
        exactly("OTP format", FORMAT.into(), record.format.get().into())?;
        exactly("OTP lifecycle", claim::LIFECYCLE_SECURED.into(), record.lifecycle.get().into())?;
        if record.unused.iter().any(|&byte| byte != 0) {
            return Err(Refusal::NotZero { what: "OTP after its last field" });
        }
        if record.secret.iter().fold(0, |all, byte| all | byte) == 0 {
            return Err(Refusal::Blank { what: "OTP root secret" });
        }
        if record.firmware_key == [0; 32] {
            return Err(Refusal::Blank { what: "OTP firmware key hash" });
        }
        if record.cpak == [0; 32] {
            return Err(Refusal::Blank { what: "OTP CPAK hash" });
        }
        Ok(Self {
            secret: record.secret,
            firmware_key: record.firmware_key,
            cpak: record.cpak,
            lowest_version: record.lowest_version.get(),
            lifecycle: record.lifecycle.get(),
        })
    }
}

impl Zeroize for Otp {
    fn zeroize(&mut self) {
        self.secret.zeroize();
    }
}

impl Drop for Otp {
    fn drop(&mut self) {
        self.zeroize();
    }
}

impl ZeroizeOnDrop for Otp {}

#[cfg(test)]
#[path = "otp_tests.rs"]
mod tests;
