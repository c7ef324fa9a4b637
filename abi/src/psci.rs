//! Power State Coordination Interface 1.1 (Arm DEN0022): function identifiers and statuses.

/// PSCI_VERSION.
pub const VERSION: u32 = 0x8400_0000;
/// CPU_SUSPEND, 32-bit form.
pub const CPU_SUSPEND_32: u32 = 0x8400_0001;
/// CPU_SUSPEND, 64-bit form.
pub const CPU_SUSPEND_64: u32 = 0xC400_0001;
/// CPU_OFF.
pub const CPU_OFF: u32 = 0x8400_0002;
/// CPU_ON, 32-bit form.
pub const CPU_ON_32: u32 = 0x8400_0003;
/// CPU_ON, 64-bit form.
pub const CPU_ON_64: u32 = 0xC400_0003;
/// AFFINITY_INFO, 32-bit form.
pub const AFFINITY_INFO_32: u32 = 0x8400_0004;
/// AFFINITY_INFO, 64-bit form.
pub const AFFINITY_INFO_64: u32 = 0xC400_0004;
/// MIGRATE_INFO_TYPE.
pub const MIGRATE_INFO_TYPE: u32 = 0x8400_0006;
/// SYSTEM_OFF.
pub const SYSTEM_OFF: u32 = 0x8400_0008;
/// SYSTEM_RESET.
pub const SYSTEM_RESET: u32 = 0x8400_0009;
/// PSCI_FEATURES.
pub const FEATURES: u32 = 0x8400_000A;
/// First identifier of the range that belongs to PSCI, 32-bit form.
pub const FIRST_32: u32 = 0x8400_0000;
/// First identifier of the range that belongs to PSCI, 64-bit form.
pub const FIRST_64: u32 = 0xC400_0000;
/// How many identifiers each form of the range has.
pub const RANGE: u32 = 0x20;
/// Version 1.1, as PSCI_VERSION returns it.
pub const VERSION_1_1: u64 = 0x1_0001;

/// Says whether a function identifier lies in PSCI's range.
#[must_use]
pub const fn is_psci(fid: u32) -> bool {
    (fid >= FIRST_32 && fid < FIRST_32 + RANGE) || (fid >= FIRST_64 && fid < FIRST_64 + RANGE)
}

/// What a PSCI call answers in its first register.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(i64)]
pub enum Status {
    /// Done.
    Success = 0,
    /// The call, or this form of it, is not offered.
    NotSupported = -1,
    /// An argument is not valid.
    InvalidParameters = -2,
    /// The caller may not do this.
    Denied = -3,
    /// The target is on.
    AlreadyOn = -4,
    /// The target is being turned on.
    OnPending = -5,
    /// The platform failed.
    InternalFailure = -6,
    /// The target does not exist.
    NotPresent = -7,
    /// The target cannot be used.
    Disabled = -8,
    /// The entry point is not valid.
    InvalidAddress = -9,
}

impl Status {
    /// The register value of this status.
    #[must_use]
    pub const fn word(self) -> u64 {
        (self as i64).cast_unsigned()
    }

    /// Reads a status from a register, as a 64-bit or a sign-extended 32-bit value.
    #[must_use]
    pub const fn from_word(word: u64) -> Option<Self> {
        Some(match word.cast_signed() {
            0 => Self::Success,
            -1 => Self::NotSupported,
            -2 => Self::InvalidParameters,
            -3 => Self::Denied,
            -4 => Self::AlreadyOn,
            -5 => Self::OnPending,
            -6 => Self::InternalFailure,
            -7 => Self::NotPresent,
            -8 => Self::Disabled,
            -9 => Self::InvalidAddress,
            _ => return None,
        })
    }
}
