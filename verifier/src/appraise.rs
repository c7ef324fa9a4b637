//! The second stage: whether an authentic token says what was expected.

use crate::authenticate::Authentic;
use crate::check::{Check, Status, Step};
use crate::components;
use crate::policy::Policy;
use crate::reference::{PlatformReference, RealmReference, References};
use crate::verdict::{Outcome, Verdict};
use evidence::hex::encode;
use evidence::lifecycle::State;
use evidence::{PlatformClaims, RealmClaims};

impl Authentic<'_> {
    /// Compares every claim with its reference. A step without a reference is recorded as not done.
    #[must_use]
    pub fn appraise(self, references: &References, policy: &Policy) -> Verdict {
        let Self { claims, mut checks } = self;
        platform(&mut checks, &claims.platform, references.platform.as_ref(), policy);
        realm(&mut checks, &claims.realm, references.realm.as_ref());
        let outcome = conclude(&checks, policy);
        Verdict::appraised(outcome, checks, &claims)
    }
}

fn conclude(checks: &[Check], policy: &Policy) -> Outcome {
    let holds_back = |check: &Check| match check.status {
        Status::NotDone => !policy.may_stay_undone.contains(&check.step),
        Status::Warning => true,
        Status::Ok | Status::Failed => false,
    };
    if checks.iter().any(|check| check.status == Status::Failed) {
        Outcome::Contraindicated
    } else if checks.iter().any(holds_back) {
        Outcome::Warning
    } else {
        Outcome::Affirming
    }
}

fn platform(
    checks: &mut Vec<Check>,
    claims: &PlatformClaims<'_>,
    reference: Option<&PlatformReference>,
    policy: &Policy,
) {
    let states = reference.and_then(|it| it.lifecycle.as_ref()).unwrap_or(&policy.lifecycles);
    checks.push(lifecycle(claims, states));
    let hex = |bytes: Option<&Vec<u8>>| bytes.map(|it| encode(it));
    let implementation = hex(reference.and_then(|it| it.implementation_id.as_ref()));
    checks.push(Check::compare(Step::ImplementationId, implementation, encode(&claims.implementation_id)));
    let config = hex(reference.and_then(|it| it.config.as_ref()));
    checks.push(Check::compare(Step::Config, config, encode(claims.config)));
    checks.extend(match reference.and_then(|it| it.components.as_ref()) {
        Some(references) => components::compare(references, &claims.components),
        None => components::unknown(&claims.components),
    });
}

fn lifecycle(claims: &PlatformClaims<'_>, admitted: &[State]) -> Check {
    let found = claims.lifecycle.to_string();
    let names: Vec<&str> = admitted.iter().map(|state| state.name()).collect();
    let expected = names.join(" or ");
    match claims.lifecycle.state() {
        Some(State::Secured) if admitted.contains(&State::Secured) => {
            Check { expected: Some(expected), ..Check::ok(Step::Lifecycle, found) }
        }
        // A reference may expect an open machine, for development; a Realm on it still has no secrets.
        Some(state) if admitted.contains(&state) => {
            Check { status: Status::Warning, ..Check::failed(Step::Lifecycle, expected, found) }
        }
        _ => Check::failed(Step::Lifecycle, expected, found),
    }
}

fn realm(checks: &mut Vec<Check>, claims: &RealmClaims<'_>, reference: Option<&RealmReference>) {
    let hash = reference.and_then(|it| it.hash).map(|hash| hash.to_string());
    checks.push(Check::compare(Step::RealmHash, hash, claims.hash.to_string()));
    let rim = reference.and_then(|it| it.rim.as_ref()).map(|it| encode(it));
    checks.push(Check::compare(Step::Rim, rim, encode(claims.rim)));
    let rems = reference.and_then(|it| it.rems.as_ref());
    for (index, found) in claims.rems.iter().enumerate() {
        let expected = rems.and_then(|it| it.get(index)).map(|it| encode(it));
        checks.push(Check::compare(Step::Rem, expected, encode(found)).of(index.to_string()));
    }
    let rpv = reference.and_then(|it| it.rpv.as_ref()).map(|it| encode(it));
    checks.push(Check::compare(Step::Rpv, rpv, encode(&claims.rpv)));
}
