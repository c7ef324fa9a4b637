//! From a verdict to a result: which checks stand behind which value.

use super::claims;
use super::{Appraisal, Aspect, Context, Ear, Tier, Vector, VerifierId};
use crate::check::{Check, Status, Step};
use crate::key::sha256;
use crate::verdict::{Outcome, Verdict};
use evidence::Family;
use evidence::hex::encode;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Values of the vector (draft-ietf-rats-ar4si §2.3.4).
const UNEXPECTED: i8 = 1;
const GOOD: i8 = 2;
const GOOD_BOOT: i8 = 3;
const WEAK: i8 = 32;
const UNRECOGNISED_EXECUTABLES: i8 = 33;
const ELEMENTS_UNAVAILABLE: i8 = 36;
const BAD: i8 = 96;
const UNRECOGNISED: i8 = 97;
const CRYPTO_FAILED: i8 = 99;

/// A part of the attester.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Platform,
    Realm,
}

impl Part {
    /// Its name in results: those of Arm CCA are Veraison's. Where nothing is authentic, no family is known.
    const fn name(self, family: Option<Family>) -> &'static str {
        match (self, family) {
            (Self::Platform, None | Some(Family::Cca)) => "CCA_SSD_PLATFORM",
            (Self::Realm, None | Some(Family::Cca)) => "CCA_REALM",
            (Self::Platform, Some(_)) => "VIRTCCA_PLATFORM",
            (Self::Realm, Some(_)) => "VIRTCCA_REALM",
        }
    }

    /// Which aspect of this part a step is about; `None` if it is about the other part alone, or about no aspect.
    const fn aspect(self, step: Step) -> Option<Aspect> {
        match (step, self) {
            (
                Step::Structure
                | Step::Profile
                | Step::TrustAnchor
                | Step::Chain
                | Step::Revocation
                | Step::PlatformSignature,
                _,
            )
            | (Step::RealmSignature | Step::Binding | Step::Nonce, Self::Realm) => Some(Aspect::InstanceIdentity),
            (Step::Lifecycle | Step::ImplementationId | Step::Extension, Self::Platform) => Some(Aspect::Hardware),
            (Step::Config | Step::ManufacturingConfig | Step::Rotpk, Self::Platform)
            | (Step::Rpv | Step::MecPolicy | Step::Devices, Self::Realm) => Some(Aspect::Configuration),
            (Step::Component, Self::Platform)
            | (Step::RealmHash | Step::Rim | Step::Rem | Step::Log | Step::LogRules, Self::Realm) => {
                Some(Aspect::Executables)
            }
            _ => None,
        }
    }

    /// Whether a step counts for the conclusion about this part. Policies are about both.
    const fn concerns(self, step: Step) -> bool {
        self.aspect(step).is_some() || matches!(step, Step::Policy)
    }
}

/// How the checks behind a value ended, at worst.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Worst {
    /// There was nothing to be checked.
    Nothing,
    Held,
    /// Not done, and the caller demands no better.
    Excused,
    Undone,
    Weak,
    Failed,
}

impl Worst {
    fn of<'c>(checks: impl Iterator<Item = &'c Check>, verdict: &Verdict) -> Self {
        let one = |check: &Check| match check.status {
            Status::NotApplicable => Self::Nothing,
            Status::Ok => Self::Held,
            // A verdict affirms only if whatever was not done may stay undone.
            Status::NotDone if verdict.affirms() => Self::Excused,
            Status::NotDone => Self::Undone,
            Status::Warning => Self::Weak,
            Status::Failed => Self::Failed,
        };
        checks.map(one).max().unwrap_or(Self::Nothing)
    }

    const fn tier(self) -> Tier {
        match self {
            Self::Nothing => Tier::None,
            Self::Held | Self::Excused => Tier::Affirming,
            Self::Undone | Self::Weak => Tier::Warning,
            Self::Failed => Tier::Contraindicated,
        }
    }
}

impl Ear {
    /// The result that says what a verdict says.
    #[must_use]
    pub fn of(verdict: &Verdict, context: &Context<'_>) -> Self {
        let mut submods: BTreeMap<String, Appraisal> = [Part::Platform, Part::Realm]
            .into_iter()
            .map(|part| (part.name(verdict.family()).to_string(), appraisal(part, verdict, context)))
            .collect();
        let worst = submods.values().map(|it| it.status).max();
        if worst.is_none_or(|worst| worst < conclusion(verdict)) {
            submods.values_mut().for_each(|it| it.status = conclusion(verdict));
        }
        Self {
            spelling: context.spelling,
            profile: context.spelling.profile().into(),
            issued_at: i64::try_from(context.at).unwrap_or(i64::MAX),
            expires: None,
            verifier: VerifierId {
                developer: "Allod".into(),
                build: concat!("allod ", env!("CARGO_PKG_VERSION")).into(),
            },
            nonces: vec![context.nonce.to_vec()],
            raw_evidence: context.raw_evidence.map(<[u8]>::to_vec),
            submods,
        }
    }
}

fn conclusion(verdict: &Verdict) -> Tier {
    match verdict.outcome() {
        Outcome::Affirming => Tier::Affirming,
        Outcome::Warning => Tier::Warning,
        Outcome::Contraindicated | Outcome::Malformed | Outcome::NoTrustAnchor => Tier::Contraindicated,
    }
}

fn appraisal(part: Part, verdict: &Verdict, context: &Context<'_>) -> Appraisal {
    let authentic = verdict.realm().is_some();
    let vector = if authentic { appraised(part, verdict) } else { refused(verdict) };
    let checks = || verdict.checks().iter().filter(|check| part.concerns(check.step));
    let status = Worst::of(checks(), verdict).tier().max(vector.tier());
    let said = match part {
        Part::Platform => verdict.platform().map(claims::platform),
        Part::Realm => verdict.realm().map(claims::realm),
    };
    Appraisal {
        status: if authentic { status } else { Tier::Contraindicated },
        vector: Some(vector),
        policies: policies(verdict, context),
        annotated_evidence: said,
        policy_claims: Some(reasons(checks(), verdict)),
    }
}

/// The values for a token that is not authentic: nothing in it is worth more than what is known of its signer.
fn refused(verdict: &Verdict) -> Vector {
    let mut vector = Vector::default();
    match verdict.failed().map(|check| check.step) {
        Some(Step::Structure | Step::Profile) => return Vector::all(UNEXPECTED),
        Some(Step::PlatformSignature | Step::RealmSignature | Step::Binding) => return Vector::all(CRYPTO_FAILED),
        Some(Step::TrustAnchor) => vector.set(Aspect::InstanceIdentity, UNRECOGNISED),
        _ => vector.set(Aspect::InstanceIdentity, BAD),
    }
    vector
}

/// The values for an authentic token.
fn appraised(part: Part, verdict: &Verdict) -> Vector {
    let of = |aspect| {
        let checks = verdict.checks().iter().filter(move |check| part.aspect(check.step) == Some(aspect));
        Worst::of(checks, verdict)
    };
    let mut vector = Vector::default();
    vector.set(Aspect::InstanceIdentity, value(of(Aspect::InstanceIdentity), GOOD, 0, BAD));
    vector.set(Aspect::Configuration, value(of(Aspect::Configuration), GOOD, ELEMENTS_UNAVAILABLE, BAD));
    let executables = of(Aspect::Executables);
    match part {
        Part::Platform => {
            vector.set(Aspect::Executables, value(executables, GOOD_BOOT, UNRECOGNISED_EXECUTABLES, BAD));
            let unknown = verdict.checks().iter().any(|it| it.step == Step::ImplementationId && failed(it));
            let bad = if unknown { UNRECOGNISED } else { BAD };
            vector.set(Aspect::Hardware, value(of(Aspect::Hardware), GOOD, 0, bad));
            vector.set(Aspect::RuntimeOpaque, platform_opaque(verdict, vector));
        }
        Part::Realm => {
            vector.set(Aspect::Executables, value(executables, GOOD, UNRECOGNISED_EXECUTABLES, BAD));
            if boot_alone(executables, verdict) {
                vector.set(Aspect::Executables, GOOD_BOOT);
            }
            let encryption = verdict.checks().iter().filter(|check| check.step == Step::MecPolicy);
            vector.set(Aspect::RuntimeOpaque, value(Worst::of(encryption, verdict), GOOD, 0, BAD));
        }
    }
    vector
}

fn failed(check: &Check) -> bool {
    check.status == Status::Failed
}

const fn value(worst: Worst, good: i8, undone: i8, bad: i8) -> i8 {
    match worst {
        Worst::Nothing | Worst::Excused => 0,
        Worst::Held => good,
        Worst::Undone => undone,
        Worst::Weak => WEAK,
        Worst::Failed => bad,
    }
}

/// Whether what the Realm began with is known, and what it measured later may stay unknown.
fn boot_alone(executables: Worst, verdict: &Verdict) -> bool {
    let held = |check: &Check| check.step == Step::Rim && check.status == Status::Ok;
    executables == Worst::Excused && verdict.checks().iter().any(held)
}

/// Arm CCA keeps others out of a Realm's memory on a machine that is genuine and closed; of virtCCA nothing is claimed.
fn platform_opaque(verdict: &Verdict, vector: Vector) -> i8 {
    let lifecycle = verdict.checks().iter().find(|check| check.step == Step::Lifecycle);
    let lifecycle = lifecycle.map(|check| check.status);
    let whole = [Aspect::InstanceIdentity, Aspect::Hardware, Aspect::Executables].map(|aspect| vector.get(aspect));
    match (verdict.family(), lifecycle) {
        (Some(Family::Cca), Some(Status::Failed)) => BAD,
        (Some(Family::Cca), Some(Status::Ok)) if whole.iter().all(|it| Tier::of(*it) == Tier::Affirming) => GOOD,
        _ => 0,
    }
}

/// What the verdict was reached by: what the caller lets pass, as a digest, and the policies that were asked.
fn policies(verdict: &Verdict, context: &Context<'_>) -> Vec<String> {
    let lifecycles: Vec<&str> = context.policy.lifecycles.iter().map(|it| it.name()).collect();
    let undone: Vec<&str> = context.policy.may_stay_undone.iter().map(|it| it.name()).collect();
    let said = format!("{lifecycles:?} {undone:?} {:?}", context.policy.rules);
    let own = format!("allod-policy-1:sha-256:{}", encode(&sha256(said.as_bytes())));
    let asked = verdict.policies().iter().map(|it| format!("{}:sha-256:{}", it.name, it.sha256));
    std::iter::once(own).chain(asked).collect()
}

/// The checks with their reasons.
fn reasons<'c>(checks: impl Iterator<Item = &'c Check>, verdict: &Verdict) -> Value {
    let checks: Vec<Value> = checks.map(|check| json!(check)).collect();
    let mut reasons = json!({ "allod-checks": checks, "allod-verdict": verdict.outcome().name() });
    // Where Veraison says why it refused.
    if let (Some(failed), Some(members)) = (verdict.failed(), reasons.as_object_mut()) {
        let found = failed.found.as_deref().unwrap_or_default();
        members.insert("problem".into(), format!("{}: {found}", failed.label()).into());
    }
    reasons
}
