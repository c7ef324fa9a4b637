//! The security lifecycle of a platform.

use abi::claim::LIFECYCLE_MAJOR;
use core::fmt;

/// A lifecycle claim: a state in the high byte, a minor of the maker's own in the low one
/// (draft-ffm-rats-cca-token, "Security Lifecycle Claim").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifecycle(pub u16);

/// The states of a platform's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The platform does not know.
    Unknown,
    /// Being assembled and tested.
    Assembly,
    /// Secrets are being put in.
    Provisioning,
    /// In the field, closed: the only state in which a Realm's secrets are safe.
    Secured,
    /// Debugging is open, though not of the root of trust.
    NonRotDebug,
    /// Debugging of the root of trust is open, and may be closed again.
    RecoverableDebug,
    /// At its end.
    Decommissioned,
}

impl State {
    /// Every state, in the order of a platform's life.
    pub const ALL: [Self; 7] = [
        Self::Unknown,
        Self::Assembly,
        Self::Provisioning,
        Self::Secured,
        Self::NonRotDebug,
        Self::RecoverableDebug,
        Self::Decommissioned,
    ];

    /// The value of the claim's high byte, in place.
    #[must_use]
    pub const fn major(self) -> u16 {
        match self {
            Self::Unknown => 0x0000,
            Self::Assembly => 0x1000,
            Self::Provisioning => 0x2000,
            Self::Secured => 0x3000,
            Self::NonRotDebug => 0x4000,
            Self::RecoverableDebug => 0x5000,
            Self::Decommissioned => 0x6000,
        }
    }

    /// The name that reference files and reports use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Assembly => "assembly",
            Self::Provisioning => "provisioning",
            Self::Secured => "secured",
            Self::NonRotDebug => "non-rot-debug",
            Self::RecoverableDebug => "recoverable-debug",
            Self::Decommissioned => "decommissioned",
        }
    }

    /// Reads a name; any other text is `None`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

impl Lifecycle {
    /// The state, or `None` for a high byte that the draft does not define.
    #[must_use]
    pub fn state(self) -> Option<State> {
        let major = u32::from(self.0) & LIFECYCLE_MAJOR;
        State::ALL.into_iter().find(|state| u32::from(state.major()) == major)
    }
}

impl fmt::Display for Lifecycle {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} ({:#06x})", self.state().map_or("undefined", State::name), self.0)
    }
}
