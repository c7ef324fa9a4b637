//! Documents in JSON, by the members that only they have.

use super::{Found, claims, layer, result};
use crate::reference::form::Set;
use serde_json::{Map, Value};
use std::fmt::Write;
use verifier::reference::Admission;

/// Characters of a value that are shown, at most.
const SHOWN: usize = 160;

/// Says what a JSON document is.
pub fn of(text: &str, left: u8) -> Found {
    match serde_json::from_str(text) {
        Ok(Value::Object(members)) => object(&members, text),
        Ok(Value::Array(items)) => array(&items, text, left),
        Ok(_) => Found::broken("JSON that is neither object nor array"),
        Err(error) => Found::broken(format!("JSON, malformed: {error}")),
    }
}

fn object(members: &Map<String, Value>, text: &str) -> Found {
    let has = |names: &[&str]| names.iter().all(|name| members.contains_key(*name));
    let list = |name: &str| members.get(name).is_some_and(Value::is_array);
    if members.get("profile").is_some_and(|it| it == verifier::reference::PROFILE) {
        return references("reference values (allod-reference-1)", text);
    }
    if (list("platform") || list("realm")) && !has(&["profile"]) {
        return references("reference values (flat store of rust-ccatoken and Trustee)", text);
    }
    if has(&["kty"]) {
        return jwk(members, text);
    }
    if let Some(found) = claims::of_json(members).or_else(|| result::of(members)) {
        return found;
    }
    // Records of a conceptual message wrapper: a media type and a value.
    let media = |value: &Value| value.as_str().is_some_and(|it| it.contains('/'));
    let record = |value: &Value| value.get(0).is_some_and(media) && value.get(1).is_some_and(Value::is_string);
    if !members.is_empty() && members.values().all(|it| record(it) || it.is_string()) && members.values().any(record) {
        return Found::new("conceptual message wrapper, a collection in JSON", listed(members));
    }
    let known: [(&[&str], &str); 20] = [
        (&["measure_value"], "Huawei's reference values of platform components (software_components.json)"),
        (&["grub", "kernels"], "virtCCA's reference values of boot images (image_reference_measurement.json)"),
        (&["cca-verifier"], "configuration of Trustee's CCA verifier"),
        (&["capabilities", "api-endpoints"], "discovery document of CoSERV"),
        (&["media-types", "attestation-schemes"], "discovery document of Veraison"),
        (&["protected", "encrypted_key", "ciphertext"], "resource of Trustee (KBS), encrypted (JWE)"),
        (&["version", "tee"], "authentication request to Trustee (KBS)"),
        (&["nonce", "extra-params"], "challenge of Trustee (KBS)"),
        (&["nonce", "expiry", "accept"], "session of a Veraison verifier, without evidence"),
        (&["type", "detail"], "problem details of a service"),
        (&["corim-id"], "template of a CoRIM (cocli)"),
        (&["tag-identity", "triples"], "template of a CoMID (cocli)"),
        (&["id", "tags"], "CoRIM in the JSON of corim-tool, which makes CBOR of it"),
        (&["ear.status"], "attestation result (EAR of 2022), which is what somebody else concluded"),
        (&["evaluation-reports"], "attestation result (Trustee's of 2023), which is what somebody else concluded"),
        (&["keys"], "set of JSON Web Keys"),
        (&["token"], "message with a token"),
        (&["challenge"], "message with a challenge"),
        (&["tee-pubkey"], "runtime data of a Trustee client"),
        (&["__cmwc_t"], "conceptual message wrapper, a collection in JSON"),
    ];
    match known.iter().find(|(names, _)| has(names)) {
        Some((_, kind)) => Found::new(*kind, listed(members)),
        None => Found { known: false, ..Found::new("JSON of no kind that is known here", listed(members)) },
    }
}

/// The bytes that a member stands for: a list of numbers, or text in base64 or hexadecimal.
fn bytes(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::Array(items) if !items.is_empty() => {
            items.iter().map(|item| item.as_u64().and_then(|byte| u8::try_from(byte).ok())).collect()
        }
        Value::String(text) if text.len() > 32 => Some(text.clone().into_bytes()),
        _ => None,
    }
}

fn array(items: &[Value], text: &str, left: u8) -> Found {
    if let Some(bytes) = bytes(&Value::Array(items.to_vec())) {
        return match left.checked_sub(1) {
            Some(left) => layer(&bytes, left).within("a list of bytes in JSON"),
            None => Found::broken("encodings within encodings"),
        };
    }
    if items.iter().all(|it| it.get("pkey").is_some()) && !items.is_empty() {
        return keys("trust anchors (flat store of rust-ccatoken and Trustee)", text);
    }
    if items.first().and_then(Value::as_str).is_some_and(|it| it.contains('/')) {
        return Found::new("conceptual message wrapper (a record in JSON)", shown(&items[0]));
    }
    Found::broken("JSON of no kind that is known here")
}

fn references(kind: &str, text: &str) -> Found {
    let mut set = Set::default();
    let admission = Admission { keys: &[], at: 0, lapsed_passes: true };
    match set.add(text.as_bytes(), &admission) {
        Ok(()) => Found::new(kind, set.to_string()),
        Err(error) => Found::broken(format!("{kind}, refused: {error}")),
    }
}

fn keys(kind: &str, text: &str) -> Found {
    match crate::anchors::describe(text.as_bytes()) {
        Ok(said) => Found::new(kind, said.join("\n")),
        Err(error) => Found::broken(format!("{kind}, refused: {error}")),
    }
}

fn jwk(members: &Map<String, Value>, text: &str) -> Found {
    // Members of RFC 7518 §6 that only a private key has.
    let private = members.contains_key("d") || members.contains_key("k");
    let kind = if private {
        "JSON Web Key with its PRIVATE half: nothing of that is shown, and nobody else should see it"
    } else {
        "JSON Web Key"
    };
    keys(kind, text)
}

/// Members and what they say, each on its line, cut where long.
fn listed(members: &Map<String, Value>) -> String {
    members.iter().fold(String::new(), |mut text, (name, value)| {
        let _ = writeln!(text, "{:<26} {}", name.escape_debug(), shown(value));
        text
    })
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text,
    }
}
