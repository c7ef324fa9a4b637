//! What is asked at each step, in words, for reports to people.

use verifier::{Check, Status, Step};

/// The sections of a report, each with the steps that belong to it.
pub const SECTIONS: [(&str, &[Step]); 4] = [
    ("The token", &[Step::Structure, Step::Profile]),
    (
        "Whose it is, and that it is fresh",
        &[
            Step::TrustAnchor,
            Step::Chain,
            Step::Revocation,
            Step::PlatformSignature,
            Step::RealmSignature,
            Step::Binding,
            Step::Nonce,
        ],
    ),
    (
        "The platform",
        &[
            Step::Lifecycle,
            Step::ImplementationId,
            Step::Config,
            Step::ManufacturingConfig,
            Step::Component,
            Step::Rotpk,
            Step::Extension,
        ],
    ),
    ("The Realm", &[Step::RealmHash, Step::Rim, Step::Rem, Step::Rpv, Step::MecPolicy, Step::Devices]),
];

/// The section of the steps that are in no other.
pub const LAST_SECTION: &str = "The boot, and policy";

/// What a step asks.
pub const fn question(step: Step) -> &'static str {
    match step {
        Step::Structure => "Is it a token, whole and in strict CBOR and COSE?",
        Step::Profile => "Are the profiles known, with every claim that they demand?",
        Step::TrustAnchor => "Is exactly one key endorsed for this very platform?",
        Step::Chain => "Do certificates lead from that key to a trusted root?",
        Step::Revocation => "Has none of them been revoked?",
        Step::PlatformSignature => "Did that key sign the platform token?",
        Step::RealmSignature => "Did the realm attestation key sign the realm token?",
        Step::Binding => "Does the platform vouch for the realm token's key?",
        Step::Nonce => "Was the token made for this challenge?",
        Step::Lifecycle => "Is the platform closed to whoever holds it?",
        Step::ImplementationId => "Is the platform of the expected design?",
        Step::Config => "Is it configured as expected?",
        Step::ManufacturingConfig => "Was it produced as expected?",
        Step::Component => "Is this piece of firmware the expected one?",
        Step::Rotpk => "May only the expected keys sign its firmware?",
        Step::Extension => "Is this device known, which joined the platform?",
        Step::RealmHash => "Was the Realm measured with the expected algorithm?",
        Step::Rim => "Did the Realm begin with the expected image?",
        Step::Rem => "Did it measure what it should, later?",
        Step::Rpv => "Does it carry the expected personalization value?",
        Step::MecPolicy => "Is its memory encrypted as expected?",
        Step::Devices => "Are the devices known that can reach its memory?",
        Step::Log => "Does the event log lead to the token's measurements?",
        _ => step.name(),
    }
}

/// What a check expected: what it says itself, else what its step expects of any token.
pub fn expected(check: &Check) -> &str {
    check.expected.as_deref().unwrap_or(check.step.expectation())
}

/// Whether nothing was looked at, because an earlier step did not hold.
pub fn unreached(check: &Check) -> bool {
    check.status == Status::NotDone && check.found.is_none()
}

/// How a check ended, in a word or two.
pub const fn ended(status: Status) -> &'static str {
    match status {
        Status::Ok => "held",
        Status::Warning => "no ground for trust",
        Status::Failed => "failed",
        Status::NotDone => "not done",
        Status::NotApplicable => "does not apply",
    }
}
