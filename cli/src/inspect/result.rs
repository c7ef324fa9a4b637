//! Attestation results (EAR), in either spelling, in words.

use super::{Found, layer, unwritten};
use serde_json::{Map, Value};
use std::fmt::Write;

/// The aspects of a trustworthiness vector (draft-ietf-rats-ar4si).
const ASPECTS: [&str; 8] = [
    "instance-identity",
    "configuration",
    "executables",
    "file-system",
    "hardware",
    "runtime-opaque",
    "storage-opaque",
    "sourced-data",
];

/// Says what a result says, if an object is one.
pub fn of(members: &Map<String, Value>) -> Option<Found> {
    let submods = members.get("submods")?.as_object()?;
    let mut text = String::new();
    let mut line = |name: &str, value: Option<&Value>| {
        if let Some(value) = value {
            let _ = writeln!(text, "{name:<26} {}", plain(value));
        }
    };
    line("profile", members.get("eat_profile"));
    line("issued at", members.get("iat"));
    line("nonce", members.get("eat_nonce"));
    let verifier = either(members, "verifier-id", "verifier_id");
    line("verifier", verifier.and_then(|it| it.get("developer")));
    line("its build", verifier.and_then(|it| it.get("build")));
    for (name, submod) in submods {
        let Some(submod) = submod.as_object() else { continue };
        let _ = writeln!(text, "{}", name.escape_debug());
        appraisal(&mut text, submod);
    }
    if let Some(evidence) = either(members, "raw-evidence", "raw_evidence").and_then(Value::as_str)
        && let Some(evidence) = unwritten(evidence.as_bytes())
    {
        let found = layer(&evidence, 0);
        let _ = writeln!(text, "\nThe evidence in it: {}\n{}", found.kind, found.text);
    }
    Some(Found::new("attestation result (EAR), which is what somebody else concluded", text))
}

/// A member in the spelling that is deployed, or in the draft's.
fn either<'a>(members: &'a Map<String, Value>, deployed: &str, draft: &str) -> Option<&'a Value> {
    members.get(&format!("ear.{deployed}")).or_else(|| members.get(&format!("ear_{draft}")))
}

fn appraisal(text: &mut String, submod: &Map<String, Value>) {
    if let Some(status) = either(submod, "status", "status") {
        let _ = writeln!(text, "  {:<24} {}", "status", plain(status));
    }
    let vector = either(submod, "trustworthiness-vector", "trustworthiness_vector").and_then(Value::as_object);
    for aspect in ASPECTS {
        let Some(value) = vector.and_then(|it| it.get(aspect)).and_then(Value::as_i64) else { continue };
        let _ = writeln!(text, "  {aspect:<24} {value} ({})", tier(value));
    }
    let policy = either(submod, "appraisal-policy-id", "appraisal_policy_ids");
    if let Some(policy) = policy {
        let _ = writeln!(text, "  {:<24} {}", "policy", plain(policy));
    }
}

/// The tier of a value (draft-ietf-rats-ar4si §2.3.1).
const fn tier(value: i64) -> &'static str {
    match value {
        -1..=1 => "nothing claimed",
        2..=31 | -32..=-2 => "affirming",
        32..=95 | -96..=-33 => "warning",
        96..=127 | -128..=-97 => "contraindicated",
        _ => "no value of a vector",
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), |text| text.escape_debug().to_string())
}
