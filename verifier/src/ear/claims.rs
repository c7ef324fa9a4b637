//! Authentic claims under the names that Veraison gives them: bytes in base64.

use crate::verdict::{Component, Platform, Realm};
use base64ct::{Base64, Encoding};
use evidence::hex;
use serde_json::{Map, Value, json};

/// What the platform says of itself.
pub(super) fn platform(claims: &Platform) -> Value {
    let components: Vec<Value> = claims.components.iter().map(component).collect();
    let mut said = object(json!({
        "cca-platform-profile": claims.profile,
        "cca-platform-implementation-id": bytes(&claims.implementation_id),
        "cca-platform-instance-id": bytes(&claims.instance_id),
        "cca-platform-config": bytes(&claims.config),
        "cca-platform-lifecycle": claims.lifecycle_number,
        "cca-platform-hash-algo-id": claims.hash,
        "cca-platform-sw-components": components,
    }));
    // The claim that holds the binding before 2026 holds the challenge since.
    let challenge = claims.challenge.as_ref().unwrap_or(&claims.binding);
    said.insert("cca-platform-challenge".into(), bytes(challenge));
    if let Some(service) = &claims.verification_service {
        said.insert("cca-platform-service-indicator".into(), service.clone().into());
    }
    Value::Object(said)
}

fn component(claims: &Component) -> Value {
    let mut said = object(json!({
        "measurement-value": bytes(&claims.measurement),
        "signer-id": bytes(&claims.signer_id),
    }));
    let texts =
        [("measurement-type", &claims.kind), ("version", &claims.version), ("measurement-description", &claims.hash)];
    said.extend(texts.into_iter().filter_map(|(name, text)| Some((name.to_string(), text.clone()?.into()))));
    Value::Object(said)
}

/// What the RMM says of the Realm.
pub(super) fn realm(claims: &Realm) -> Value {
    let rems: Vec<Value> = claims.rems.iter().map(|rem| bytes(rem)).collect();
    json!({
        "cca-realm-profile": claims.profile,
        "cca-realm-challenge": bytes(&claims.challenge),
        "cca-realm-personalization-value": bytes(&claims.rpv),
        "cca-realm-hash-algo-id": claims.hash,
        "cca-realm-initial-measurement": bytes(&claims.rim),
        "cca-realm-extensible-measurements": rems,
    })
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// Bytes that a report holds in hexadecimal.
fn bytes(text: &str) -> Value {
    hex::decode(text).map_or(Value::Null, |bytes| Base64::encode_string(&bytes).into())
}
