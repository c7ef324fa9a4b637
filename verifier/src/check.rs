//! What was looked at, what was expected and found, and what to do about it.

use serde::Serialize;

/// The steps of a verification, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Size, CBOR, COSE, profiles, and every claim that these demand.
    Structure,
    /// Exactly one endorsed key for this implementation and instance.
    TrustAnchor,
    /// The certificates from that key to a root that the caller trusts.
    Chain,
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
    /// A piece of firmware or configuration; the subject is its type.
    Component,
    /// The algorithm of the Realm's measurements.
    RealmHash,
    /// The Realm's initial measurement.
    Rim,
    /// An extensible measurement of the Realm; the subject is its index.
    Rem,
    /// The Realm's personalization value.
    Rpv,
}

impl Step {
    /// Every step, in order.
    pub const ALL: [Self; 15] = [
        Self::Structure,
        Self::TrustAnchor,
        Self::Chain,
        Self::PlatformSignature,
        Self::RealmSignature,
        Self::Binding,
        Self::Nonce,
        Self::Lifecycle,
        Self::ImplementationId,
        Self::Config,
        Self::Component,
        Self::RealmHash,
        Self::Rim,
        Self::Rem,
        Self::Rpv,
    ];

    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Structure => "structure",
            Self::TrustAnchor => "trust-anchor",
            Self::Chain => "chain",
            Self::PlatformSignature => "platform-signature",
            Self::RealmSignature => "realm-signature",
            Self::Binding => "binding",
            Self::Nonce => "nonce",
            Self::Lifecycle => "lifecycle",
            Self::ImplementationId => "implementation-id",
            Self::Config => "config",
            Self::Component => "component",
            Self::RealmHash => "realm-hash",
            Self::Rim => "rim",
            Self::Rem => "rem",
            Self::Rpv => "rpv",
        }
    }

    /// What to do when the step fails.
    const fn remedy(self) -> &'static str {
        match self {
            Self::Structure => "get the token again; these bytes are not one that is read here",
            Self::TrustAnchor => {
                "get the maker's certificate for this platform, or refuse a platform that nobody endorses"
            }
            Self::Chain => "check that endorsements and root come from the same maker, and the time of verification",
            Self::PlatformSignature => "refuse: the endorsed platform did not sign this",
            Self::RealmSignature => "refuse: the realm token was changed after it was signed",
            Self::Binding => "refuse: the realm token does not come from this platform and firmware",
            Self::Nonce => "ask for a token with a fresh nonce; this one was made for another question",
            Self::Lifecycle => "refuse: whoever holds the machine may look into the Realm",
            Self::ImplementationId => "use the reference of this design, or refuse the platform",
            Self::Config => "compare the platform's configuration with the intended one",
            Self::Component => {
                "find out which firmware runs; if it is intended, measure its files into a new reference"
            }
            Self::RealmHash => {
                "launch the Realm with the algorithm of the reference, or measure again with the Realm's"
            }
            Self::Rim => "compare image, initrd, command line, memory and CPUs with those that were measured",
            Self::Rem => "find out what the Realm measured into itself",
            Self::Rpv => "compare with the value that the Realm was to be launched with",
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
    /// What was expected; absent if nothing said what to expect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What was found; absent if nothing was.
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
        let advice = Some("give a reference that says what to expect".into());
        Self { step, subject: None, status: Status::NotDone, expected: None, found: Some(found.into()), advice }
    }

    /// A step that was not reached.
    #[must_use]
    pub fn not_reached(step: Step, after: Step) -> Self {
        let advice = Some(format!("mend {} first", after.name()));
        Self { step, subject: None, status: Status::NotDone, expected: None, found: None, advice }
    }

    /// Compares what was found with what a reference expects, if one does.
    #[must_use]
    pub fn compare(step: Step, expected: Option<String>, found: String) -> Self {
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
