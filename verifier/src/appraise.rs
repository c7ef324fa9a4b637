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
        let Self { claims, mut checks, devices, log, rules } = self;
        match &claims.platform {
            Some(claims) => platform(&mut checks, claims, references.platform_for(claims).as_ref(), policy),
            None => no_platform(&mut checks),
        }
        let reference = references.realm_for(&claims.realm);
        let reference = reference.as_ref();
        realm(&mut checks, &claims.realm, reference);
        checks.extend(devices);
        checks.push(log.unwrap_or_else(|| no_log(reference)));
        checks.extend(rules.or_else(|| policy.rules.as_ref().map(|_| no_log_for_rules())));
        let outcome = conclude(&checks, &policy.may_stay_undone);
        Verdict::appraised(outcome, checks, &claims)
    }
}

/// The verdict on an authentic token, by its checks and the steps that may stay undone.
pub(crate) fn conclude(checks: &[Check], may_stay_undone: &[Step]) -> Outcome {
    let holds_back = |check: &Check| match check.status {
        Status::NotDone => !may_stay_undone.contains(&check.step),
        Status::Warning => true,
        Status::Ok | Status::Failed | Status::NotApplicable => false,
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
    checks.push(lifecycle(claims, reference.and_then(|it| it.lifecycle.as_deref()), policy));
    let hex = |bytes: Option<&Vec<u8>>| bytes.map(|it| encode(it));
    let implementation = hex(reference.and_then(|it| it.implementation_id.as_ref()));
    checks.push(Check::compare(Step::ImplementationId, implementation, encode(&claims.implementation_id)));
    checks.push(config(claims, reference));
    checks.extend(manufacturing_config(claims, reference));
    checks.extend(match reference.and_then(|it| it.components.as_ref()) {
        Some(references) => components::compare(references, &claims.components),
        None => components::unknown(&claims.components),
    });
    checks.extend(rotpks(claims, reference));
    checks.extend(claims.devices.iter().map(|device| {
        let (measurements, certificates) = (encode(device.measurements), encode(device.certificates));
        let found = format!("{measurements} by {}, certificates {certificates}", device.protocol.escape_debug());
        let advice = "have the device's own evidence verified";
        Check::not_done(Step::Extension, found, advice).of(device
            .kind
            .unwrap_or("(no type)")
            .escape_debug()
            .to_string())
    }));
}

/// The steps about a platform that says nothing of itself.
fn no_platform(checks: &mut Vec<Check>) {
    const STEPS: [Step; 4] = [Step::Lifecycle, Step::ImplementationId, Step::Config, Step::Component];
    const FOUND: &str = "machines of this generation say nothing about their firmware";
    const ADVICE: &str = "know the machine by other means, and let the step stay undone; or use one that says it";
    checks.extend(STEPS.map(|step| Check::not_done(step, FOUND, ADVICE)));
}

fn lifecycle(claims: &PlatformClaims<'_>, reference: Option<&[State]>, policy: &Policy) -> Check {
    let found = claims.lifecycle.to_string();
    let admitted = match reference {
        // What virtCCA's values mean is Huawei's to say: there is no default for them.
        None if claims.profile.is_virtcca() => return Check::no_reference(Step::Lifecycle, found),
        None => &policy.lifecycles,
        Some(states) => states,
    };
    let names: Vec<&str> = admitted.iter().map(|state| state.name()).collect();
    let expected = names.join(" or ");
    match claims.lifecycle.state() {
        Some(state) if admitted.contains(&state) && (state == State::Secured || claims.profile.is_virtcca()) => {
            Check { expected: Some(expected), ..Check::ok(Step::Lifecycle, found) }
        }
        // A reference may expect an open machine, for development; a Realm on it still has no secrets.
        Some(state) if admitted.contains(&state) => {
            Check { status: Status::Warning, ..Check::failed(Step::Lifecycle, expected, found) }
        }
        _ => Check::failed(Step::Lifecycle, expected, found),
    }
}

fn config(claims: &PlatformClaims<'_>, reference: Option<&PlatformReference>) -> Check {
    let expected = reference.and_then(|it| it.config.as_deref());
    masked(Step::Config, expected, reference.and_then(|it| it.config_mask.as_deref()), claims.config)
}

fn manufacturing_config(claims: &PlatformClaims<'_>, reference: Option<&PlatformReference>) -> Option<Check> {
    let step = Step::ManufacturingConfig;
    let expected = reference.and_then(|it| it.manufacturing_config.as_deref());
    let mask = reference.and_then(|it| it.manufacturing_config_mask.as_deref());
    Some(match (expected?, claims.manufacturing_config) {
        (expected, None) => Check::failed(step, encode(expected), "none"),
        (expected, Some(found)) => masked(step, Some(expected), mask, found),
    })
}

/// Compares bytes where the mask has ones; everywhere without a mask.
fn masked(step: Step, expected: Option<&[u8]>, mask: Option<&[u8]>, found: &[u8]) -> Check {
    let (Some(value), Some(mask)) = (expected, mask) else {
        return Check::compare(step, expected.map(encode), encode(found));
    };
    let described = format!("{} under mask {}", encode(value), encode(mask));
    let same_length = value.len() == found.len() && mask.len() == found.len();
    let same = value.iter().zip(mask).zip(found).all(|((value, mask), found)| value & mask == found & mask);
    if same_length && same {
        Check { expected: Some(described), ..Check::ok(step, encode(found)) }
    } else {
        Check::failed(step, described, encode(found))
    }
}

/// The keys that the boot trusts: all of those that are expected, and none beside them. Where nothing is expected,
/// components tell what was booted, and who signed it.
fn rotpks(claims: &PlatformClaims<'_>, reference: Option<&PlatformReference>) -> Vec<Check> {
    let Some(expected) = reference.and_then(|it| it.rotpks.as_ref()) else { return Vec::new() };
    let found: Vec<(String, String)> = claims.rotpks.iter().map(|it| (it.to_string(), encode(it.hash))).collect();
    let of = |place: &str| expected.iter().find(|it| it.place == place).map(|it| encode(&it.hash));
    let mut checks: Vec<Check> = found
        .iter()
        .map(|(place, hash)| {
            let expected = Some(of(place).unwrap_or_else(|| "no such key".into()));
            Check::compare(Step::Rotpk, expected, hash.as_str()).of(place.as_str())
        })
        .collect();
    let missing = expected.iter().filter(|it| !found.iter().any(|(place, _)| *place == it.place));
    checks.extend(missing.map(|it| Check::failed(Step::Rotpk, encode(&it.hash), "no such key").of(it.place.as_str())));
    checks
}

fn realm(checks: &mut Vec<Check>, claims: &RealmClaims<'_>, reference: Option<&RealmReference>) {
    let hash = reference.and_then(|it| it.hash).map(|hash| hash.to_string());
    checks.push(Check::compare(Step::RealmHash, hash, claims.hash.to_string()));
    let rim = reference.and_then(|it| it.rim.as_ref()).map(|it| encode(it));
    checks.push(Check::compare(Step::Rim, rim, encode(claims.rim)));
    for (index, found) in claims.rems.iter().enumerate() {
        let expected = reference.and_then(|it| it.rem(index)).map(encode);
        checks.push(Check::compare(Step::Rem, expected, encode(found)).of(index.to_string()));
    }
    checks.push(rpv(claims, reference.and_then(|it| it.rpv.as_deref())));
    checks.push(mec_policy(claims, reference));
}

fn rpv(claims: &RealmClaims<'_>, expected: Option<&[u8]>) -> Check {
    let found = encode(&claims.rpv);
    if expected.is_none() && claims.profile == evidence::realm::Profile::VirtCca {
        return Check::not_applicable(Step::Rpv, format!("{found}: virtCCA's owners cannot set it, the host does"));
    }
    Check::compare(Step::Rpv, expected.map(encode), found)
}

fn mec_policy(claims: &RealmClaims<'_>, reference: Option<&RealmReference>) -> Check {
    let expected = reference.and_then(|it| it.mec_policy).map(|it| it.name().to_string());
    match (claims.mec_policy, expected) {
        (Some(found), expected) => Check::compare(Step::MecPolicy, expected, found.name()),
        (None, Some(expected)) => Check::failed(Step::MecPolicy, expected, "not said in this profile"),
        (None, None) => Check::not_applicable(Step::MecPolicy, "not said in this profile"),
    }
}

/// Without a log, the extensible measurements are known only by their references.
fn no_log(reference: Option<&RealmReference>) -> Check {
    if reference.is_some_and(|it| (0..4).all(|index| it.rem(index).is_some())) {
        return Check::not_applicable(Step::Log, "none needed: every extensible measurement has a reference");
    }
    Check::not_done(Step::Log, "no event log", "give the Realm's event log, or references of its measurements")
}

fn no_log_for_rules() -> Check {
    Check::not_done(Step::LogRules, "no event log", "give the Realm's event log, which the rules are for")
}
