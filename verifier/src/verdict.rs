//! The verdict, and the form in which it is reported.

use crate::check::{Check, Status};
use evidence::hex::encode;
use evidence::{Claims, PlatformClaims, RealmClaims};
use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};

/// The value of `profile` in a report of this form.
pub const PROFILE: &str = "allod-report-1";

/// What a verification comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Everything was checked, and everything held.
    Affirming,
    /// Nothing failed, but something could not be checked or is no ground for trust.
    Warning,
    /// Something did not hold.
    Contraindicated,
    /// Not a token.
    Malformed,
    /// A token of a platform that nobody endorses.
    NoTrustAnchor,
}

impl Outcome {
    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Affirming => "affirming",
            Self::Warning => "warning",
            Self::Contraindicated => "contraindicated",
            Self::Malformed => "malformed",
            Self::NoTrustAnchor => "no-trust-anchor",
        }
    }

    /// The exit status of a command that ends with it: 0 for affirming, else 10 to 13.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Affirming => 0,
            Self::Warning => 10,
            Self::Contraindicated => 11,
            Self::Malformed => 12,
            Self::NoTrustAnchor => 13,
        }
    }
}

/// What was concluded, from which checks, about which claims. Claims are there only if the token is authentic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    outcome: Outcome,
    checks: Vec<Check>,
    platform: Option<Platform>,
    realm: Option<Realm>,
}

impl Verdict {
    /// The verdict on a token that is not authentic.
    pub(crate) fn refused(outcome: Outcome, checks: Vec<Check>) -> Self {
        Self { outcome, checks, platform: None, realm: None }
    }

    /// The verdict on an authentic token.
    pub(crate) fn appraised(outcome: Outcome, checks: Vec<Check>, claims: &Claims<'_>) -> Self {
        let (platform, realm) = (Platform::from(&claims.platform), Realm::from(&claims.realm));
        Self { outcome, checks, platform: Some(platform), realm: Some(realm) }
    }

    /// The conclusion.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// Every step, in order, done or not.
    #[must_use]
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// What the platform says.
    #[must_use]
    pub fn platform(&self) -> Option<&Platform> {
        self.platform.as_ref()
    }

    /// What the RMM says of the Realm.
    #[must_use]
    pub fn realm(&self) -> Option<&Realm> {
        self.realm.as_ref()
    }

    /// Whether everything was checked and held.
    #[must_use]
    pub fn affirms(&self) -> bool {
        self.outcome == Outcome::Affirming
    }

    /// The first check that failed.
    #[must_use]
    pub fn failed(&self) -> Option<&Check> {
        self.checks.iter().find(|check| check.status == Status::Failed)
    }
}

impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut report = serializer.serialize_struct("Verdict", 6)?;
        report.serialize_field("profile", PROFILE)?;
        report.serialize_field("verdict", self.outcome.name())?;
        report.serialize_field("failed", &self.failed().map(Check::label))?;
        report.serialize_field("checks", &self.checks)?;
        report.serialize_field("platform", &self.platform)?;
        report.serialize_field("realm", &self.realm)?;
        report.end()
    }
}

/// Authentic claims of a platform, bytes in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Platform {
    /// Claim 265.
    pub profile: String,
    /// Claim 2396.
    pub implementation_id: String,
    /// Claim 256.
    pub instance_id: String,
    /// Claim 2395, in words and as a number.
    pub lifecycle: String,
    /// Claim 2401.
    pub config: String,
    /// Claim 2402.
    pub hash: String,
    /// Claim 2399.
    pub components: Vec<Component>,
}

/// An authentic component, bytes in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Component {
    /// Its type, if it has one.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Its digest.
    pub measurement: String,
    /// Its version, if it has one.
    pub version: Option<String>,
    /// Hash of its signer's key.
    pub signer_id: String,
}

/// Authentic claims of a Realm, bytes in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Realm {
    /// Claim 265.
    pub profile: String,
    /// Claim 10.
    pub challenge: String,
    /// Claim 44235.
    pub rpv: String,
    /// Claim 44236.
    pub hash: String,
    /// Claim 44238.
    pub rim: String,
    /// Claim 44239.
    pub rems: [String; 4],
}

impl From<&PlatformClaims<'_>> for Platform {
    fn from(claims: &PlatformClaims<'_>) -> Self {
        let component = |it: &evidence::platform::Component<'_>| Component {
            kind: it.kind.map(str::to_string),
            measurement: encode(it.measurement),
            version: it.version.map(str::to_string),
            signer_id: encode(it.signer_id),
        };
        Self {
            profile: claims.profile.name().into(),
            implementation_id: encode(&claims.implementation_id),
            instance_id: encode(&claims.instance_id),
            lifecycle: claims.lifecycle.to_string(),
            config: encode(claims.config),
            hash: claims.hash.to_string(),
            components: claims.components.iter().map(component).collect(),
        }
    }
}

impl From<&RealmClaims<'_>> for Realm {
    fn from(claims: &RealmClaims<'_>) -> Self {
        Self {
            profile: claims.profile.name().into(),
            challenge: encode(&claims.challenge),
            rpv: encode(&claims.rpv),
            hash: claims.hash.to_string(),
            rim: encode(claims.rim),
            rems: claims.rems.map(encode),
        }
    }
}
