//! Realm Services Interface 1.0: commands, statuses and structures (RMM 1.0, B5).

use crate::measurement::REGISTER;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Version 1.0 as RSI_VERSION has it.
pub const VERSION_1_0: u64 = 0x1_0000;
/// First function identifier of the range.
pub const FIRST: u32 = 0xC400_0190;
/// Last function identifier of the range.
pub const LAST: u32 = 0xC400_01AF;

/// Function identifiers.
pub mod fid {
    /// RSI_VERSION.
    pub const VERSION: u32 = 0xC400_0190;
    /// RSI_FEATURES.
    pub const FEATURES: u32 = 0xC400_0191;
    /// RSI_MEASUREMENT_READ.
    pub const MEASUREMENT_READ: u32 = 0xC400_0192;
    /// RSI_MEASUREMENT_EXTEND.
    pub const MEASUREMENT_EXTEND: u32 = 0xC400_0193;
    /// RSI_ATTESTATION_TOKEN_INIT.
    pub const ATTESTATION_TOKEN_INIT: u32 = 0xC400_0194;
    /// RSI_ATTESTATION_TOKEN_CONTINUE.
    pub const ATTESTATION_TOKEN_CONTINUE: u32 = 0xC400_0195;
    /// RSI_REALM_CONFIG.
    pub const REALM_CONFIG: u32 = 0xC400_0196;
    /// RSI_IPA_STATE_SET.
    pub const IPA_STATE_SET: u32 = 0xC400_0197;
    /// RSI_IPA_STATE_GET.
    pub const IPA_STATE_GET: u32 = 0xC400_0198;
    /// RSI_HOST_CALL.
    pub const HOST_CALL: u32 = 0xC400_0199;
}

/// A command with its arguments by name, as read from registers by [`Call::parse`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[allow(missing_docs, reason = "fields are the specification's argument names")]
pub enum Call {
    Version { requested: u64 },
    Features { index: u64 },
    MeasurementRead { index: u64 },
    MeasurementExtend { index: u64, size: u64, value: [u64; 8] },
    AttestationTokenInit { challenge: [u64; 8] },
    AttestationTokenContinue { ipa: u64, offset: u64, size: u64 },
    RealmConfig { ipa: u64 },
    IpaStateSet { base: u64, top: u64, ripas: u64, flags: u64 },
    IpaStateGet { start: u64, end: u64 },
    HostCall { ipa: u64 },
}

impl Call {
    /// Reads a command from x0 (the function identifier, SVE hint ignored) and x1–x10; `None` is an unknown one.
    #[must_use]
    pub const fn parse(x0: u64, a: [u64; 10]) -> Option<Self> {
        let [x1, x2, x3, x4, x5, x6, x7, x8, x9, x10] = a;
        Some(match crate::rmi::fid_of(x0) {
            fid::VERSION => Self::Version { requested: x1 },
            fid::FEATURES => Self::Features { index: x1 },
            fid::MEASUREMENT_READ => Self::MeasurementRead { index: x1 },
            fid::MEASUREMENT_EXTEND => {
                Self::MeasurementExtend { index: x1, size: x2, value: [x3, x4, x5, x6, x7, x8, x9, x10] }
            }
            fid::ATTESTATION_TOKEN_INIT => Self::AttestationTokenInit { challenge: [x1, x2, x3, x4, x5, x6, x7, x8] },
            fid::ATTESTATION_TOKEN_CONTINUE => Self::AttestationTokenContinue { ipa: x1, offset: x2, size: x3 },
            fid::REALM_CONFIG => Self::RealmConfig { ipa: x1 },
            fid::IPA_STATE_SET => Self::IpaStateSet { base: x1, top: x2, ripas: x3, flags: x4 },
            fid::IPA_STATE_GET => Self::IpaStateGet { start: x1, end: x2 },
            fid::HOST_CALL => Self::HostCall { ipa: x1 },
            _ => return None,
        })
    }
}

/// The name of a command, for traces.
#[must_use]
pub const fn name(function: u32) -> Option<&'static str> {
    Some(match function {
        fid::VERSION => "RSI_VERSION",
        fid::FEATURES => "RSI_FEATURES",
        fid::MEASUREMENT_READ => "RSI_MEASUREMENT_READ",
        fid::MEASUREMENT_EXTEND => "RSI_MEASUREMENT_EXTEND",
        fid::ATTESTATION_TOKEN_INIT => "RSI_ATTESTATION_TOKEN_INIT",
        fid::ATTESTATION_TOKEN_CONTINUE => "RSI_ATTESTATION_TOKEN_CONTINUE",
        fid::REALM_CONFIG => "RSI_REALM_CONFIG",
        fid::IPA_STATE_SET => "RSI_IPA_STATE_SET",
        fid::IPA_STATE_GET => "RSI_IPA_STATE_GET",
        fid::HOST_CALL => "RSI_HOST_CALL",
        _ => return None,
    })
}

/// How a command ended (RMM 1.0, B5.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u64)]
pub enum Status {
    /// Done.
    Success = 0,
    /// An argument is not valid.
    Input = 1,
    /// Not in this state.
    State = 2,
    /// There is more to do: call again.
    Incomplete = 3,
    /// The operation failed.
    Unknown = 4,
}

/// Flag of RSI_IPA_STATE_SET: destroyed memory may be changed too.
pub const CHANGE_DESTROYED: u64 = 1;
/// Response of RSI_IPA_STATE_SET: the host accepted.
pub const RESPONSE_ACCEPT: u64 = 0;
/// Response of RSI_IPA_STATE_SET: the host rejected.
pub const RESPONSE_REJECT: u64 = 1;

/// RsiRealmConfig, one granule.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct RealmConfig {
    /// Width of intermediate physical addresses, bits.
    pub ipa_width: u64,
    /// Number of the hash algorithm.
    pub hash_algo: u8,
    #[doc(hidden)]
    pub pad0: [u8; 0x200 - 9],
    /// Personalisation value.
    pub rpv: [u8; REGISTER],
    #[doc(hidden)]
    pub pad1: [u8; 0x1000 - 0x240],
}

/// RsiHostCall, 256 bytes, aligned to 256.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct HostCall {
    /// Immediate.
    pub imm: u16,
    #[doc(hidden)]
    pub pad0: [u8; 6],
    /// Registers, both ways.
    pub gprs: [u64; 31],
}

const _: () = {
    assert!(size_of::<RealmConfig>() == 0x1000);
    assert!(core::mem::offset_of!(RealmConfig, rpv) == 0x200);
    assert!(size_of::<HostCall>() == 0x100);
};
