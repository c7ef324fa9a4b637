//! What was looked at, what was expected and found, and what to do about it.

use serde::{Deserialize, Serialize};

/// The steps of a verification, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Size, CBOR and COSE.
    Structure,
    /// Profiles, and every claim that these demand.
    Profile,
    /// Exactly one endorsed key for this implementation and instance.
    TrustAnchor,
    /// The certificates from that key to a root that the caller trusts.
    Chain,
    /// That no certificate of that path has been revoked.
    Revocation,
    /// The platform token under that key.
    PlatformSignature,
    /// The realm token under the key that it carries.
    RealmSignature,
    /// That this key is the one that the platform vouches for.
    Binding,
    /// That the token was made for this challenge.
    Nonce,
    /// Where in its life the platform stands.
    Lifecycle,
    /// Which design the platform is of.
    ImplementationId,
    /// The platform's configuration.
    Config,
    /// The record of its production; only where a reference expects one.
    ManufacturingConfig,
    /// A piece of firmware or configuration; the subject is its type.
    Component,
    /// A key that its boot trusts; the subject is its place. Only where a reference expects any.
    Rotpk,
    /// A device that joined the platform at run time; the subject is its type. Only where there is one.
    Extension,
    /// The algorithm of the Realm's measurements.
    RealmHash,
    /// The Realm's initial measurement.
    Rim,
    /// An extensible measurement of the Realm; the subject is its index.
    Rem,
    /// The Realm's personalization value.
    Rpv,
    /// Whose key encrypts the Realm's memory.
    MecPolicy,
    /// The devices that are assigned to the Realm; only where there are any.
    Devices,
    /// The extensible measurements, by replay of an event log.
    Log,
    /// The events of that log against rules; only where rules are given.
    LogRules,
    /// What a policy says of all of this; the subject is its name. Only where one is given.
    Policy,
}

impl Step {
    /// Every step, in order.
    pub const ALL: [Self; 25] = [
        Self::Structure,
        Self::Profile,
        Self::TrustAnchor,
        Self::Chain,
        Self::Revocation,
        Self::PlatformSignature,
        Self::RealmSignature,
        Self::Binding,
        Self::Nonce,
        Self::Lifecycle,
        Self::ImplementationId,
        Self::Config,
        Self::ManufacturingConfig,
        Self::Component,
        Self::Rotpk,
        Self::Extension,
        Self::RealmHash,
        Self::Rim,
        Self::Rem,
        Self::Rpv,
        Self::MecPolicy,
        Self::Devices,
        Self::Log,
        Self::LogRules,
        Self::Policy,
    ];

    /// Whether the step has an object only with some tokens or references, and is else left out of a report.
    #[must_use]
    pub const fn is_optional(self) -> bool {
        matches!(
            self,
            Self::ManufacturingConfig | Self::Rotpk | Self::Extension | Self::Devices | Self::LogRules | Self::Policy
        )
    }

    /// Reads the name in reports; any other text is `None`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.name() == name)
    }

    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Structure => "structure",
            Self::Profile => "profile",
            Self::TrustAnchor => "trust-anchor",
            Self::Chain => "chain",
            Self::Revocation => "revocation",
            Self::PlatformSignature => "platform-signature",
            Self::RealmSignature => "realm-signature",
            Self::Binding => "binding",
            Self::Nonce => "nonce",
            Self::Lifecycle => "lifecycle",
            Self::ImplementationId => "implementation-id",
            Self::Config => "config",
            Self::ManufacturingConfig => "manufacturing-config",
            Self::Component => "component",
            Self::Rotpk => "rotpk",
            Self::Extension => "extension",
            Self::RealmHash => "realm-hash",
            Self::Rim => "rim",
            Self::Rem => "rem",
            Self::Rpv => "rpv",
            Self::MecPolicy => "mec-policy",
            Self::Devices => "devices",
            Self::Log => "log",
            Self::LogRules => "log-rules",
            Self::Policy => "policy",
        }
    }

    /// What the step expects of any token; references say it more exactly.
    #[must_use]
    pub const fn expectation(self) -> &'static str {
        match self {
            Self::Structure => "a CCA or virtCCA token",
            Self::Profile => "profiles that are known, and their claims",
            Self::TrustAnchor => "one endorsed key for this implementation and instance",
            Self::Chain => "a path of certificates to a trusted root",
            Self::Revocation => "no certificate of the path on a list of revoked ones",
            Self::PlatformSignature => "a signature by the endorsed key",
            Self::RealmSignature => "a signature by the realm attestation key",
            Self::Binding => "the platform to vouch for the realm token",
            Self::Nonce => "the challenge that was sent",
            Self::Lifecycle => "a state in which nobody can look into the platform",
            Self::Extension | Self::Devices => "evidence of the device that is verified too",
            Self::Log => "a log whose replay gives the extensible measurements",
            Self::LogRules => "each measured event admitted by a rule, and each rule met",
            Self::Policy => "allowed by the policy",
            Self::ImplementationId
            | Self::Config
            | Self::ManufacturingConfig
            | Self::Component
            | Self::Rotpk
            | Self::RealmHash
            | Self::Rim
            | Self::Rem
            | Self::Rpv
            | Self::MecPolicy => "what a reference says",
        }
    }

    /// What to do when the step fails.
    const fn remedy(self) -> &'static str {
        match self {
            Self::Structure => "get the token again; these bytes are not one that is read here",
            Self::Profile => "find out what made the token; the profile that it names does not allow this",
            Self::TrustAnchor => {
                "get the maker's certificate for this platform, or refuse a platform that nobody endorses"
            }
            Self::Chain => "check that endorsements and root come from the same maker, and the time of verification",
            Self::Revocation => "refuse: whoever endorsed this platform has taken that back",
            Self::PlatformSignature => "refuse: the endorsed platform did not sign this",
            Self::RealmSignature => "refuse: the realm token was changed after it was signed",
            Self::Binding => "refuse: the realm token does not come from this platform and firmware",
            Self::Nonce => "ask for a token with a fresh nonce; this one was made for another question",
            Self::Lifecycle => "refuse: whoever holds the machine may look into the Realm",
            Self::ImplementationId => "use the reference of this design, or refuse the platform",
            Self::Config => "compare the platform's configuration with the intended one",
            Self::ManufacturingConfig => "find out how this platform was produced",
            Self::Component => {
                "find out which firmware runs; if it is intended, measure its files into a new reference"
            }
            Self::Rotpk => "find out who may sign the firmware of this platform",
            Self::Extension => "find out which device has become part of the platform",
            Self::RealmHash => {
                "launch the Realm with the algorithm of the reference, or measure again with the Realm's"
            }
            Self::Rim => "compare image, initrd, command line, memory and CPUs with those that were measured",
            Self::Rem => "find out what the Realm measured into itself",
            Self::Rpv => "compare with the value that the Realm was to be launched with",
            Self::MecPolicy => "launch the Realm with the intended policy of memory encryption",
            Self::Devices => "find out which devices can reach the Realm's memory",
            Self::Log => "refuse the log: it does not tell what was measured",
            Self::LogRules => "find out what was booted; if it is intended, write it into the rules",
            Self::Policy => "mend what the policy names, or judge by another policy",
        }
    }
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It held.
    Ok,
    /// The reference lets it pass, though it is no ground for trust.
    Warning,
    /// It did not hold.
    Failed,
    /// It could not be done.
    NotDone,
    /// There is nothing to be done: evidence of this kind has no object for it.
    NotApplicable,
}

/// One step, done or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Which step.
    pub step: Step,
    /// Of what, where a step is taken more than once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// How it ended.
    pub status: Status,
    /// What was expected; absent if the step held and nothing said it more exactly, or if there was nothing to be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What was found; absent if nothing was looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// What to do; absent if the step held.
    #[serde(rename = "do", skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

impl Check {
    /// A step that held: expected is found.
    #[must_use]
    pub fn ok(step: Step, found: impl Into<String>) -> Self {
        Self { step, subject: None, status: Status::Ok, expected: None, found: Some(found.into()), advice: None }
    }

    /// A step that did not hold.
    #[must_use]
    pub fn failed(step: Step, expected: impl Into<String>, found: impl Into<String>) -> Self {
        let (expected, found) = (Some(expected.into()), Some(found.into()));
        Self { step, subject: None, status: Status::Failed, expected, found, advice: Some(step.remedy().into()) }
    }

    /// A step for which there was nothing to compare `found` with.
    #[must_use]
    pub fn no_reference(step: Step, found: impl Into<String>) -> Self {
        Self::not_done(step, found, "give a reference that says what to expect")
    }

    /// A step that evidence of this kind has no object for, and why.
    #[must_use]
    pub fn not_applicable(step: Step, why: impl Into<String>) -> Self {
        let found = Some(why.into());
        Self { step, subject: None, status: Status::NotApplicable, expected: None, found, advice: None }
    }

    /// A step that could not be done: what was found instead, and what would make it possible.
    #[must_use]
    pub fn not_done(step: Step, found: impl Into<String>, advice: impl Into<String>) -> Self {
        let (expected, found, advice) = (Some(step.expectation().into()), Some(found.into()), Some(advice.into()));
        Self { step, subject: None, status: Status::NotDone, expected, found, advice }
    }

    /// A step that was not reached.
    #[must_use]
    pub fn not_reached(step: Step, after: Step) -> Self {
        let (expected, advice) = (Some(step.expectation().into()), Some(format!("mend {} first", after.name())));
        Self { step, subject: None, status: Status::NotDone, expected, found: None, advice }
    }

    /// Compares what was found with what a reference expects, if one does.
    #[must_use]
    pub fn compare(step: Step, expected: Option<String>, found: impl Into<String>) -> Self {
        let found = found.into();
        match expected {
            None => Self::no_reference(step, found),
            Some(expected) if expected == found => Self { expected: Some(expected), ..Self::ok(step, found) },
            Some(expected) => Self::failed(step, expected, found),
        }
    }

    /// The same check, of something that has a name.
    #[must_use]
    pub fn of(self, subject: impl Into<String>) -> Self {
        Self { subject: Some(subject.into()), ..self }
    }

    /// The step's name with its subject, such as `component RMM`.
    #[must_use]
    pub fn label(&self) -> String {
        match &self.subject {
            Some(subject) => format!("{} {subject}", self.step.name()),
            None => self.step.name().to_string(),
        }
    }
}
