//! The document that policies are asked about.

use super::PROFILE;
use crate::check::{Check, Status, Step};
use crate::log::bank;
use crate::replay::Agreement;
use crate::verdict::{Platform, Realm, Verdict};
use evidence::eventlog::{Entry, Event, EventLog, Numbering};
use evidence::hex::encode;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Claims of a platform that not every token makes, and what stands for them.
const PLATFORM: [(&str, Value); 8] = [
    ("challenge", Value::Null),
    ("verification_service", Value::Null),
    ("client_id", Value::Null),
    ("manufacturing_config", Value::Null),
    ("devices", Value::Array(Vec::new())),
    ("rotpks", Value::Array(Vec::new())),
    ("peer_signers", Value::Null),
    ("tpm_binding", Value::Null),
];
/// The same of a Realm.
const REALM: [(&str, Value); 4] = [
    ("mec_policy", Value::Null),
    ("live_activation", Value::Null),
    ("instance_id", Value::Null),
    ("devices_hash", Value::Null),
];

/// Writes down an authentic token's claims, both families in one shape, the verdict so far, and the events of its log;
/// `at` is the time of verification in seconds since 1970. Nothing is told of a token that is not authentic.
///
/// Events are there only if the replay of the log gives the token's measurements, and only those that were measured.
/// Of an event, `text` and `value` are there only if its digest is over them; `hint` may be anybody's invention.
#[must_use]
pub fn document(verdict: &Verdict, log: Option<&[u8]>, at: u64) -> Option<Value> {
    let (family, realm) = (verdict.family()?, verdict.realm()?);
    let agrees = verdict.checks().iter().any(|it| it.step == Step::Log && it.status == Status::Ok);
    let log = log.filter(|_| agrees).and_then(|log| EventLog::parse(log).ok());
    Some(json!({
        "profile": PROFILE,
        "at": at,
        "family": family.name(),
        "verdict": verdict.outcome().name(),
        "steps": steps(verdict.checks()),
        "checks": verdict.checks(),
        "platform": verdict.platform().map(platform),
        "realm": self::realm(realm),
        "log": log.map(|log| events(&log, realm)),
    }))
}

/// The worst status of the checks of every step that was done or had to be, by its name.
#[must_use]
pub fn steps(checks: &[Check]) -> BTreeMap<&'static str, Status> {
    const FROM_BEST: [Status; 5] =
        [Status::NotApplicable, Status::Ok, Status::NotDone, Status::Warning, Status::Failed];
    let rank = |status: &Status| FROM_BEST.iter().position(|it| it == status);
    let mut steps = BTreeMap::new();
    for check in checks {
        let worst = steps.entry(check.step.name()).or_insert(check.status);
        if rank(&check.status) > rank(worst) {
            *worst = check.status;
        }
    }
    steps
}

fn filled(claims: Value, absent: &[(&str, Value)]) -> Map<String, Value> {
    let mut claims = if let Value::Object(claims) = claims { claims } else { Map::new() };
    for (name, value) in absent {
        claims.entry(*name).or_insert_with(|| value.clone());
    }
    claims
}

fn platform(platform: &Platform) -> Value {
    let mut claims = filled(json!(platform), &PLATFORM);
    let lifecycle = platform.lifecycle_claim;
    let state = lifecycle.state().map(|state| state.name());
    claims.insert("lifecycle".into(), json!({ "state": state, "number": lifecycle.0 }));
    claims.into()
}

fn realm(realm: &Realm) -> Value {
    filled(json!(realm), &REALM).into()
}

fn events(log: &EventLog<'_>, realm: &Realm) -> Value {
    let numbering = log.numbering();
    let bound = |entry: &&Entry<'_>| entry.kind.is_extended() && numbering.measurement_register(entry.register) != 0;
    let entries = log.entries().iter().filter(bound);
    let events: Vec<Value> = entries.map(|entry| event(numbering, entry, realm)).collect();
    json!({ "numbering": numbering.to_string(), "events": events })
}

fn event(numbering: Numbering, entry: &Entry<'_>, realm: &Realm) -> Value {
    let agreement = Agreement::of(entry);
    let event = Event::decode(entry).ok();
    let text = event.as_ref().and_then(Event::text);
    let value = event.as_ref().and_then(Event::value).map(encode);
    let measured = agreement == Agreement::Agrees;
    json!({
        "number": entry.number,
        "register": numbering.name(entry.register),
        "rem": numbering.measurement_register(entry.register).saturating_sub(1),
        "type": entry.kind.to_string(),
        "digest": entry.digest(bank(realm.algorithm)).map(encode),
        "measured": measured,
        "subject": event.as_ref().map(Event::subject),
        "text": text.as_ref().filter(|_| measured),
        "value": value.as_ref().filter(|_| measured),
        "hint": event.as_ref().filter(|_| !measured).map(ToString::to_string),
    })
}
