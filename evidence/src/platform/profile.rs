//! The profiles of platform tokens (draft-ffm-rats-cca-token, "CCA Platform Profile").

use crate::malformed::{Malformed, Part};
use alloc::string::ToString;

/// The generations of the platform token, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Generation {
    /// virtCCA: the claims of 2023 without a profile.
    VirtCca,
    /// Before 2023.
    Legacy,
    /// 2023, 1.0.0.
    V2023,
    /// 2024, 1.1.0.
    V2024R1,
    /// 2024, 2.0.0: the client and what follows are said.
    V2024R2,
    /// 2026, 2.0.0: the binding has a claim of its own.
    V2026R0,
    /// 2026, 2.1.0: devices are said in full.
    V2026R1,
}

/// How a platform token vouches for a realm token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// By the hash of the key that signs the realm token.
    Delegated,
    /// By the hash of the realm's claims, which nobody else signs.
    Direct,
    /// As either of them, and by the challenge: the hardware's security element answers the one who asks itself.
    Hesrak,
}

/// A profile that is read here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Profile {
    name: &'static str,
    generation: Generation,
    binding: Binding,
}

/// Every profile. Suffixes are spelled with `;` in the draft and with `#` in the beta of RMM 2.0.
const KNOWN: [Profile; 19] = [
    profile("http://arm.com/CCA-SSD/1.0.0", Generation::Legacy, Binding::Delegated),
    profile(abi::claim::PLATFORM_PROFILE_2023, Generation::V2023, Binding::Delegated),
    profile("tag:arm.com,2024:cca_platform#1.1.0", Generation::V2024R1, Binding::Delegated),
    profile("tag:arm.com,2024:cca_platform#2.0.0", Generation::V2024R2, Binding::Delegated),
    profile("tag:arm.com,2024:cca_platform#2.0.0;direct", Generation::V2024R2, Binding::Direct),
    profile("tag:arm.com,2026:cca_platform#2.0.0", Generation::V2026R0, Binding::Delegated),
    profile("tag:arm.com,2026:cca_platform#2.0.0;delegated", Generation::V2026R0, Binding::Delegated),
    profile("tag:arm.com,2026:cca_platform#2.0.0#delegated", Generation::V2026R0, Binding::Delegated),
    profile("tag:arm.com,2026:cca_platform#2.0.0;direct", Generation::V2026R0, Binding::Direct),
    profile("tag:arm.com,2026:cca_platform#2.0.0#direct", Generation::V2026R0, Binding::Direct),
    profile("tag:arm.com,2026:cca_platform#2.0.0;HESRAK", Generation::V2026R0, Binding::Hesrak),
    profile("tag:arm.com,2026:cca_platform#2.0.0#HESRAK", Generation::V2026R0, Binding::Hesrak),
    profile("tag:arm.com,2026:cca_platform#2.1.0", Generation::V2026R1, Binding::Delegated),
    profile("tag:arm.com,2026:cca_platform#2.1.0;delegated", Generation::V2026R1, Binding::Delegated),
    profile("tag:arm.com,2026:cca_platform#2.1.0#delegated", Generation::V2026R1, Binding::Delegated),
    profile("tag:arm.com,2026:cca_platform#2.1.0;direct", Generation::V2026R1, Binding::Direct),
    profile("tag:arm.com,2026:cca_platform#2.1.0#direct", Generation::V2026R1, Binding::Direct),
    profile("tag:arm.com,2026:cca_platform#2.1.0;HESRAK", Generation::V2026R1, Binding::Hesrak),
    profile("tag:arm.com,2026:cca_platform#2.1.0#HESRAK", Generation::V2026R1, Binding::Hesrak),
];

const VIRTCCA: Profile = profile("none (virtCCA)", Generation::VirtCca, Binding::Delegated);

const fn profile(name: &'static str, generation: Generation, binding: Binding) -> Profile {
    Profile { name, generation, binding }
}

impl Profile {
    /// Reads claim 265. An empty text, or one of NULs, is what virtCCA says.
    pub(crate) fn read(name: &str) -> Result<Self, Malformed> {
        if name.trim_end_matches('\0').is_empty() {
            return Ok(VIRTCCA);
        }
        let known = KNOWN.into_iter().find(|profile| profile.name == name);
        known.ok_or_else(|| Malformed::Profile { part: Part::Platform, found: name.to_string() })
    }

    /// What claim 265 says, or that it says nothing.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// Which claims there must be.
    #[must_use]
    pub const fn generation(self) -> Generation {
        self.generation
    }

    /// How the realm token is vouched for.
    #[must_use]
    pub const fn binding(self) -> Binding {
        self.binding
    }

    /// Whether it is virtCCA's.
    #[must_use]
    pub fn is_virtcca(self) -> bool {
        self.generation == Generation::VirtCca
    }
}
