//! RMM-EL3 interface, version 0.4: calls, statuses, the boot manifest and the token-signing messages.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Version 0.4 of the interface, as x1 of the RMM's cold entry has it.
pub const INTERFACE_VERSION: u64 = 0x0000_0004;
/// Version 0.3 of the boot manifest.
pub const MANIFEST_VERSION: u32 = 0x0000_0003;

/// RMM_RMI_REQ_COMPLETE: x1–x5 are what the Normal world gets in x0–x4.
pub const REQ_COMPLETE: u32 = 0xC400_018F;
/// RMM_GTSI_DELEGATE: x1 address.
pub const GTSI_DELEGATE: u32 = 0xC400_01B0;
/// RMM_GTSI_UNDELEGATE: x1 address.
pub const GTSI_UNDELEGATE: u32 = 0xC400_01B1;
/// RMM_ATTEST_GET_REALM_KEY; this monitor never gives the key away.
pub const GET_REALM_ATTEST_KEY: u32 = 0xC400_01B2;
/// RMM_ATTEST_GET_PLAT_TOKEN: x1 buffer, x2 size, x3 challenge size; returns x1 length, x2 bytes left.
pub const GET_PLAT_TOKEN: u32 = 0xC400_01B3;
/// RMM_EL3_FEATURES: x1 index; returns x1.
pub const FEATURES: u32 = 0xC400_01B4;
/// RMM_EL3_TOKEN_SIGN: x1 operation, x2 buffer, x3 size, x4 curve.
pub const TOKEN_SIGN: u32 = 0xC400_01B5;
/// Our own: one line of trace. x1 kind (`map::TRACE_RMI` or `map::TRACE_RSI`), x2 function, x3–x6 its x1–x4, x7–x11 its results x0–x4.
pub const TRACE: u32 = 0xC400_01CE;
/// RMM_BOOT_COMPLETE: x1 status; returns with the first RMI.
pub const BOOT_COMPLETE: u32 = 0xC400_01CF;

/// FEATURES index 0, bit 0: token signing is offered.
pub const FEATURE_TOKEN_SIGN: u64 = 1;
/// FEATURES index of our own that gives the trace mask.
pub const FEATURES_TRACE_MASK: u64 = 0x8000_0000;
/// Token-sign operation: hand in a request.
pub const SIGN_PUSH: u64 = 1;
/// Token-sign operation: fetch a response.
pub const SIGN_PULL: u64 = 2;
/// Token-sign operation: get the RAK's public key, an uncompressed point of 97 bytes.
pub const SIGN_PUBLIC_KEY: u64 = 3;
/// Curve number of P-384.
pub const CURVE_P384: u64 = 0;
/// Signature algorithm number of ECDSA P-384 in a request.
pub const SIGN_ECDSA_P384: u32 = 0;
/// Hash algorithm number of SHA-384 in a request.
pub const SIGN_SHA384: u32 = 1;

/// What an RMM-EL3 call answers in x0.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(i64)]
pub enum Status {
    /// Done.
    Ok = 0,
    /// Unknown call, or failed for another reason.
    Unknown = -1,
    /// The address is not one that may be named here.
    BadAddress = -2,
    /// The granule is in another physical address space.
    BadPas = -3,
    /// No memory.
    NoMemory = -4,
    /// An argument is not valid.
    Invalid = -5,
    /// Try again.
    Again = -6,
    /// Internal fault.
    Fault = -7,
    /// Under way.
    InProgress = -8,
}

impl Status {
    /// The register value of this status.
    #[must_use]
    pub const fn word(self) -> u64 {
        (self as i64).cast_unsigned()
    }

    /// Reads a status from a register; values without a name are [`Status::Unknown`].
    #[must_use]
    pub const fn from_word(word: u64) -> Self {
        match word.cast_signed() {
            0 => Self::Ok,
            -2 => Self::BadAddress,
            -3 => Self::BadPas,
            -4 => Self::NoMemory,
            -5 => Self::Invalid,
            -6 => Self::Again,
            -7 => Self::Fault,
            -8 => Self::InProgress,
            _ => Self::Unknown,
        }
    }
}

/// Boot manifest 0.3, at the start of the shared page.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Manifest {
    /// Version: major << 16 | minor.
    pub version: u32,
    /// Zero.
    pub padding: u32,
    /// Platform data, unused.
    pub plat_data: u64,
    /// DRAM banks that the Normal world may use.
    pub dram: List,
    /// Consoles.
    pub console: List,
}

/// A list in the manifest, with a checksum: number, pointer, checksum and every word of every element add up to 0.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct List {
    /// How many elements there are.
    pub number: u64,
    /// Physical address of the first element, in the shared page.
    pub pointer: u64,
    /// Makes the sum zero.
    pub checksum: u64,
}

/// A bank of DRAM in the manifest.
#[derive(Clone, Copy, Debug, Eq, PartialEq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Bank {
    /// Physical address of the first byte.
    pub base: u64,
    /// Bytes.
    pub size: u64,
}

/// A request to sign (SIGN_PUSH).
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct SignRequest {
    /// Signature algorithm: [`SIGN_ECDSA_P384`].
    pub sig_alg: u32,
    /// Zero.
    pub padding0: u32,
    /// Address of the REC that asks; comes back with the answer.
    pub rec_granule: u64,
    /// Number of the request; comes back with the answer.
    pub ticket: u64,
    /// Hash algorithm: [`SIGN_SHA384`].
    pub hash_alg: u32,
    /// What to sign, SHA-384.
    pub hash: [u8; 48],
    /// Zero.
    pub padding1: [u8; 4],
}

/// The answer to a request (SIGN_PULL).
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct SignResponse {
    /// Address of the REC that asked.
    pub rec_granule: u64,
    /// Number of the request.
    pub ticket: u64,
    /// Length of the signature, 96.
    pub sig_len: u16,
    /// The signature, r then s.
    pub sig: [u8; 96],
    /// Zero.
    pub padding: [u8; 6],
}
