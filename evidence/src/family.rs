//! The families of evidence, told apart by what is in a token and never by configuration.

use core::fmt;

/// Whose rules a token follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Arm's Confidential Compute Architecture: a platform token and a realm token, each of its own profile.
    Cca,
    /// Huawei's virtCCA, first generation: a realm token alone, signed by the device's own RSA key.
    VirtCca1,
    /// Huawei's virtCCA, second generation: a platform token without profile, and a realm token, on P-521.
    VirtCca2,
}

impl Family {
    /// Whether it is virtCCA of either generation.
    #[must_use]
    pub const fn is_virtcca(self) -> bool {
        matches!(self, Self::VirtCca1 | Self::VirtCca2)
    }

    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cca => "cca",
            Self::VirtCca1 => "virtcca-1",
            Self::VirtCca2 => "virtcca-2",
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Cca => "Arm CCA",
            Self::VirtCca1 => "virtCCA, first generation",
            Self::VirtCca2 => "virtCCA, second generation",
        })
    }
}
