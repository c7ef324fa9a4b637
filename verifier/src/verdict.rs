//! The verdict, and the form in which it is reported.

use crate::check::{Check, Status};
use evidence::{Claims, Family};
use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};

mod claims;

pub use claims::{Component, Device, Platform, Realm, Rotpk};

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
    family: Option<Family>,
    platform: Option<Platform>,
    realm: Option<Realm>,
    policies: Vec<Applied>,
}

/// A policy that was asked, and what tells it from any other of its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Applied {
    /// What it was called: a stock policy's name, or a file's.
    pub name: String,
    /// SHA-256 of its text, in hexadecimal.
    pub sha256: String,
}

impl Verdict {
    /// The verdict on a token that is not authentic.
    pub(crate) fn refused(outcome: Outcome, checks: Vec<Check>) -> Self {
        Self { outcome, checks, family: None, platform: None, realm: None, policies: Vec::new() }
    }

    /// The verdict on an authentic token.
    pub(crate) fn appraised(outcome: Outcome, checks: Vec<Check>, claims: &Claims<'_>) -> Self {
        let (platform, realm) = (claims.platform.as_ref().map(Platform::from), Realm::from(&claims.realm));
        let family = Some(claims.family);
        Self { outcome, checks, family, platform, realm: Some(realm), policies: Vec::new() }
    }

    /// The same with what policies said, and concluded anew.
    pub(crate) fn reconsidered(self, outcome: Outcome, checks: Vec<Check>, policies: Vec<Applied>) -> Self {
        Self { outcome, checks, policies, ..self }
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

    /// Whose token it is, if it is authentic.
    #[must_use]
    pub fn family(&self) -> Option<Family> {
        self.family
    }

    /// What the platform says; virtCCA's first generation says nothing.
    #[must_use]
    pub fn platform(&self) -> Option<&Platform> {
        self.platform.as_ref()
    }

    /// What the RMM says of the Realm.
    #[must_use]
    pub fn realm(&self) -> Option<&Realm> {
        self.realm.as_ref()
    }

    /// The policies that were asked, in order.
    #[must_use]
    pub fn policies(&self) -> &[Applied] {
        &self.policies
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
        let mut report = serializer.serialize_struct("Verdict", 8)?;
        report.serialize_field("profile", PROFILE)?;
        report.serialize_field("verdict", self.outcome.name())?;
        report.serialize_field("failed", &self.failed().map(Check::label))?;
        report.serialize_field("checks", &self.checks)?;
        report.serialize_field("policies", &self.policies)?;
        report.serialize_field("family", &self.family.map(Family::name))?;
        report.serialize_field("platform", &self.platform)?;
        report.serialize_field("realm", &self.realm)?;
        report.end()
    }
}
