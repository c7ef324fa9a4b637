//! What the register numbers of a log mean.

use alloc::string::{String, ToString};
use core::fmt;

/// The highest measurement register of a confidential-computing log.
pub(crate) const LAST_MR: u32 = 4;

/// Kind of confidential computing, from the ACPI table (ACPI 6.5, 5.2.34; type 4 from ACPI 6.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CcType {
    /// No table says it.
    Unstated,
    /// 1: AMD SEV.
    Sev,
    /// 2: Intel TDX.
    Tdx,
    /// 3: RISC-V AP-TEE.
    ApTee,
    /// 4: Arm CCA.
    Cca,
    /// Any other number; virtCCA's is not published.
    Other(u8),
}

impl From<u8> for CcType {
    fn from(number: u8) -> Self {
        match number {
            1 => Self::Sev,
            2 => Self::Tdx,
            3 => Self::ApTee,
            4 => Self::Cca,
            other => Self::Other(other),
        }
    }
}

impl fmt::Display for CcType {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unstated => out.write_str("a kind that no table states"),
            Self::Sev => out.write_str("AMD SEV"),
            Self::Tdx => out.write_str("Intel TDX"),
            Self::ApTee => out.write_str("RISC-V AP-TEE"),
            Self::Cca => out.write_str("Arm CCA"),
            Self::Other(number) => write!(out, "type {number}"),
        }
    }
}

/// What the register numbers of a log mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbering {
    /// Platform configuration registers of a TPM, 0 to 23.
    Tpm,
    /// Measurement registers of confidential computing: 0 is the initial measurement, which nothing can extend, and 1
    /// to 4 are REM 0 to 3 (CCA and virtCCA) or RTMR 0 to 3 (TDX).
    Cc(CcType),
}

impl fmt::Display for Numbering {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tpm => out.write_str("a TPM"),
            Self::Cc(kind) => write!(out, "confidential computing, {kind}"),
        }
    }
}

impl Numbering {
    /// The name of a register.
    #[must_use]
    pub fn name(self, register: u32) -> String {
        let Some(index) = register.checked_sub(1).filter(|index| *index < LAST_MR) else {
            return match self {
                Self::Tpm => alloc::format!("PCR{register}"),
                Self::Cc(CcType::Tdx) if register == 0 => "MRTD".to_string(),
                Self::Cc(CcType::Cca | CcType::Unstated | CcType::Other(_)) if register == 0 => "RIM".to_string(),
                Self::Cc(_) => alloc::format!("MR{register}"),
            };
        };
        match self {
            Self::Tpm => alloc::format!("PCR{register}"),
            Self::Cc(CcType::Tdx) => alloc::format!("RTMR{index}"),
            Self::Cc(CcType::Sev | CcType::ApTee) => alloc::format!("MR{register}"),
            Self::Cc(_) => alloc::format!("REM{index}"),
        }
    }

    /// The number of a register of this name: `PCR7` for a TPM; `RIM`, `REM0`, `MRTD`, `RTMR0` or `MR1` otherwise. Case
    /// does not matter.
    #[must_use]
    pub fn number(self, name: &str) -> Option<u32> {
        let name = name.to_ascii_uppercase();
        let digits = |prefix: &str, limit: u32| {
            let number = name.strip_prefix(prefix).filter(|it| it.bytes().all(|byte| byte.is_ascii_digit()))?;
            number.parse::<u32>().ok().filter(|number| *number <= limit)
        };
        match self {
            Self::Tpm => digits("PCR", 23),
            Self::Cc(_) if name == "RIM" || name == "MRTD" => Some(0),
            Self::Cc(_) => digits("MR", LAST_MR)
                .or_else(|| digits("REM", 3).or_else(|| digits("RTMR", 3)).map(|index| index.saturating_add(1))),
        }
    }

    /// The measurement register that stands for a register of this numbering (UEFI 2.10, 38.4.1; 16 and above as
    /// virtCCA has it): PCR 0 → 0, 1 and 7 → 1, 2 to 6 → 2, 8 to 15 → 3, above → 4.
    #[must_use]
    pub const fn measurement_register(self, register: u32) -> u32 {
        match (self, register) {
            (Self::Cc(_), register) => register,
            (Self::Tpm, 0) => 0,
            (Self::Tpm, 1 | 7) => 1,
            (Self::Tpm, 2..=6) => 2,
            (Self::Tpm, 8..=15) => 3,
            (Self::Tpm, _) => 4,
        }
    }
}
