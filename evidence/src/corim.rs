//! CoRIM: what endorsers and makers of images say a platform or a Realm shows (draft-ietf-rats-corim), as the profiles
//! for Arm CCA use it (draft-ydb-rats-cca-endorsements).
//!
//! Three layouts are in the field, see [`Layout`]. All are read into one form, [`Corim`], and every rule of the profile
//! is enforced: what is said and not understood is refused, never passed over, as it may narrow what is meant.
//! [`Corim::encode`] writes the two younger layouts.
//!
//! A signed CoRIM ([`Signed`]) gives its content only to who has judged its signature.

mod comid;
mod display;
mod encode;
mod endorsement;
mod environment;
mod measurement;
mod old;
mod read;
mod refusal;
mod signed;
mod write;

pub use display::Time;
pub use endorsement::{AttestKey, Component, Digest, KeyText, Masked, Platform, Realm, Rotpk};
pub use refusal::Refusal;
pub use signed::{Allegations, Signed, Signer, ToBeSigned};
pub use write::Unwritable;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// Bytes that are read, at most.
pub const MAX_CORIM: usize = 1024 * 1024;

/// Tag of a CoRIM that is not signed (draft-ietf-rats-corim, 4.1).
const TAG_UNSIGNED: u64 = 501;
/// Tags around CoRIMs of drafts before 2024.
const TAG_OLD_CHOICE: u64 = 500;
const TAG_OLD_SIGNED: u64 = 502;
/// Tag of a CoMID in a CoRIM.
const TAG_COMID: u64 = 506;
/// Tag of a URI (RFC 8949 §3.4.5.3).
const TAG_URI: u64 = 32;
/// Tags of identifiers and values (draft-ietf-rats-corim, CoMID tags).
const TAG_UUID: u64 = 37;
const TAG_UEID: u64 = 550;
const TAG_PKIX_KEY: u64 = 554;
const TAG_BYTES: u64 = 560;
const TAG_MASKED: u64 = 563;

/// Everything that a CoRIM says of Arm CCA.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Corim {
    /// What it calls itself: its text, or its UUID in hexadecimal.
    pub id: String,
    /// The profile that it names.
    pub profile: Option<String>,
    /// The layout that the profile implies; without one, what its triples have.
    pub layout: Layout,
    /// When it is valid, if it says. To judge by it is policy: see [`Validity::judge`].
    pub validity: Option<Validity>,
    /// Names of those who say they had a part in it.
    pub entities: Vec<String>,
    /// Reference values of platforms.
    pub platforms: Vec<Platform>,
    /// Reference values of Realms.
    pub realms: Vec<Realm>,
    /// Keys by which platforms are known.
    pub keys: Vec<AttestKey>,
    /// Numbers of the CBOR tags in it that are no CoMIDs (such as 505 CoSWID, 507 CoTS) and were not looked into.
    pub passed_over: Vec<u64>,
}

/// The generations of the profile for Arm CCA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Before 2025: class by tag 600, measurements by keys with tags 601 and 602, Realms by instance and integrity
    /// registers.
    Old,
    /// The code of 2025, `tag:arm.com,2025:cca_platform#1.0.0` and `…cca_realm#1.0.0`: keys are texts.
    Code2025,
    /// draft-ydb-rats-cca-endorsements-04, `tag:arm.com,2025:endorsements/cca_platform#1.0.0`: the same and more keys.
    Draft04,
}

/// Which half of a token a profile is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Platforms: reference values and keys.
    Platform,
    /// Realms: reference values.
    Realm,
}

/// The profiles that are read. That of a demonstration (the platform token's own name) has the old layout.
const PROFILES: [(&str, Layout, Subject); 7] = [
    ("http://arm.com/cca/ssd/1", Layout::Old, Subject::Platform),
    ("http://arm.com/cca/realm/1", Layout::Old, Subject::Realm),
    ("tag:arm.com,2023:cca_platform#1.0.0", Layout::Old, Subject::Platform),
    ("tag:arm.com,2025:cca_platform#1.0.0", Layout::Code2025, Subject::Platform),
    ("tag:arm.com,2025:cca_realm#1.0.0", Layout::Code2025, Subject::Realm),
    ("tag:arm.com,2025:endorsements/cca_platform#1.0.0", Layout::Draft04, Subject::Platform),
    ("tag:arm.com,2025:endorsements/cca_realm#1.0.0", Layout::Draft04, Subject::Realm),
];

impl Layout {
    /// The name of the profile that has this layout, for platforms or for Realms.
    #[must_use]
    pub fn profile(self, subject: Subject) -> &'static str {
        let found = PROFILES.iter().find(|(_, layout, of)| *layout == self && *of == subject);
        found.map_or("", |(name, ..)| name)
    }

    /// A few words for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Old => "before 2025",
            Self::Code2025 => "2025",
            Self::Draft04 => "draft-04",
        }
    }
}

fn profile(name: &str) -> Option<(Layout, Subject)> {
    PROFILES.iter().find(|(known, ..)| *known == name).map(|(_, layout, subject)| (*layout, *subject))
}

/// Between which seconds since 1970 something is valid, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// From when on, if it says.
    pub not_before: Option<u64>,
    /// Until when.
    pub not_after: u64,
}

/// Why something is not valid at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lapsed {
    /// Only later, from this second on.
    NotYet(u64),
    /// No longer, since the end of this second.
    Expired(u64),
}

impl Validity {
    /// Whether a time, in seconds since 1970, lies within.
    ///
    /// # Errors
    /// [`Lapsed`], with the bound that does not hold.
    pub fn judge(&self, at: u64) -> Result<(), Lapsed> {
        match self.not_before {
            Some(start) if at < start => Err(Lapsed::NotYet(start)),
            _ if at > self.not_after => Err(Lapsed::Expired(self.not_after)),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Lapsed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotYet(start) => write!(out, "valid only from {} on", Time(*start)),
            Self::Expired(end) => write!(out, "expired at {}", Time(*end)),
        }
    }
}

impl core::error::Error for Lapsed {}

impl Corim {
    /// Reads a CoRIM that is not signed, to the last byte, with its tag 501 or without.
    ///
    /// # Errors
    /// [`Refusal`], naming the rule that does not hold.
    pub fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        read::unsigned(bytes)
    }
}

/// Whether bytes begin as a signed CoRIM does, which is enough to decide who reads them.
#[must_use]
pub fn is_signed(bytes: &[u8]) -> bool {
    read::first_tags(bytes).contains(&abi::claim::TAG_COSE_SIGN1)
}

/// Whether bytes begin as a CoRIM does, signed or not, or are the map of one that has no tag.
#[must_use]
pub fn is_corim(bytes: &[u8]) -> bool {
    let tags = read::first_tags(bytes);
    let own = tags.iter().any(|tag| matches!(*tag, TAG_UNSIGNED | TAG_OLD_CHOICE | TAG_OLD_SIGNED));
    own || is_signed(bytes) && Signed::parse(bytes).is_ok() || tags.is_empty() && read::is_untagged(bytes)
}
