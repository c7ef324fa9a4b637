//! Whom to trust and what to expect of the machine in software and a Realm on it.

use evidence::lifecycle::State;
use machine::Identity;
use measure::direct::Expected;
use rot::key::{instance_id, spki_hash};
use rot::token::IMPLEMENTATION_ID;
use serde_json::json;
use verifier::reference::{ComponentReference, PlatformReference};
use verifier::{Anchors, References, certificate, key};

/// Trusts the machine's own key, as an owner does who has read it from the machine's certificate.
#[must_use]
pub fn anchors(identity: &Identity) -> Anchors {
    let key = key::Key::from_uncompressed(evidence::key::Curve::P384, &identity.cpak).expect("the CPAK is a key");
    let platform = certificate::Identity {
        implementation_id: IMPLEMENTATION_ID,
        instance_id: instance_id(&spki_hash(&identity.cpak)),
    };
    let mut anchors = Anchors::new();
    anchors.pin(platform, key);
    anchors
}

/// Expects the machine as it is made, and a Realm as it was measured.
#[must_use]
pub fn references(identity: &Identity, realm: &Expected) -> References {
    let file = json!({ "profile": measure::PROFILE, "realm": realm.json() });
    let mut references = References::new();
    references.add(file.to_string().as_bytes()).expect("a reference that was just measured");
    let component = |(kind, component): (&'static str, &rot::measurement::Component)| ComponentReference {
        kind: Some(kind.to_string()),
        measurement: component.measurement.to_vec(),
        others: Vec::new(),
        version: Some(component.version.to_string()),
        signer_id: Some(component.signer.to_vec()),
    };
    references.platform = Some(PlatformReference {
        implementation_id: Some(IMPLEMENTATION_ID.to_vec()),
        config: Some(identity.hardware.encode().to_vec()),
        lifecycle: Some(vec![State::Secured]),
        components: Some(identity.measurements.named().map(component).to_vec()),
        ..PlatformReference::default()
    });
    references
}
