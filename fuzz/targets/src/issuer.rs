//! A platform whose keys are known to all, so that what is mutated can be signed again.

use p384::ecdsa::signature::Signer as _;
use p384::ecdsa::{Signature, SigningKey};
use std::sync::LazyLock;
use verifier::certificate::Certificate;
use verifier::key::Key;
use verifier::{Anchors, References};

/// The challenge that tokens answer.
pub const CHALLENGE: [u8; 64] = [0xC4; 64];
/// A time within the validity of everything that the seeds hold: 2026-11-22.
pub const NOW: u64 = 1_795_305_600;

/// What the platform must show.
const PLATFORM: &str = r#"{"profile": "allod-reference-1", "platform": {
    "implementation_id": "1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d",
    "config": "c0ffee", "lifecycle": ["secured"], "components": [
        {"type": "BOOT", "measurement": "b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0",
         "signer_id": "0000000000000000000000000000000000000000000000000000000000000000"}]}}"#;
/// What the Realm must show.
const REALM: &str = r#"{"profile": "allod-reference-1", "realm": {"hash": "sha-256",
    "rim": "1111111111111111111111111111111111111111111111111111111111111111"}}"#;

/// A root, an authority and a device of a virtCCA machine, made for tests.
const CHAIN: [&[u8]; 3] = [
    include_bytes!("../anchors/root.der"),
    include_bytes!("../anchors/sub.der"),
    include_bytes!("../anchors/device.der"),
];

/// The certificates of a virtCCA machine, the device's first.
pub fn chain() -> Vec<Certificate> {
    CHAIN.iter().rev().map(|der| Certificate::read(der).expect("a certificate")).collect()
}

fn key(number: u8) -> SigningKey {
    SigningKey::from_slice(&[number; 48]).expect("a scalar below the order")
}

static CPAK: LazyLock<SigningKey> = LazyLock::new(|| key(3));
static RAK: LazyLock<SigningKey> = LazyLock::new(|| key(4));

/// The platform key signs.
pub fn by_platform(message: &[u8]) -> Vec<u8> {
    Signer(&CPAK).sign(message)
}

/// The Realm attestation key signs.
pub fn by_realm(message: &[u8]) -> Vec<u8> {
    Signer(&RAK).sign(message)
}

struct Signer(&'static SigningKey);

impl Signer {
    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature: Signature = self.0.sign(message);
        signature.to_bytes().to_vec()
    }
}

/// The platform's key, as verifiers have it.
pub fn platform_key() -> Key {
    let point = CPAK.verifying_key().to_sec1_point(false);
    Key::from_uncompressed(evidence::key::Curve::P384, point.as_bytes()).expect("a point of the curve")
}

/// Trusts the platform of [`by_platform`].
pub static ANCHORS: LazyLock<Anchors> = LazyLock::new(|| {
    let mut anchors = Anchors::new();
    anchors.pin_any(platform_key());
    anchors
});

/// Trusts a machine of virtCCA.
pub static VIRTCCA: LazyLock<Anchors> = LazyLock::new(|| {
    let [root, sub, device] = CHAIN;
    let mut anchors = Anchors::new();
    anchors.add_roots(root).expect("a root");
    anchors.add_endorsements(sub).expect("an authority");
    anchors.add_endorsements(device).expect("a device");
    anchors
});

/// What a token must show.
pub static REFERENCES: LazyLock<References> = LazyLock::new(|| {
    let mut references = References::new();
    references.add(PLATFORM.as_bytes()).expect("a reference of the platform");
    references.add(REALM.as_bytes()).expect("a reference of the Realm");
    references
});
