//! Other people's tokens under other people's keys, read in place: each comes out as its provenance says.
//!
//! `ALLOD_VECTORS` names the folder; without it, `shared/vectors` beside the workspace is tried.

use allod_verifier::certificate::Identity;
use allod_verifier::key::Key;
use allod_verifier::{Anchors, Case, Nonce, Outcome, Policy, References, Verdict, verify};
use evidence::hex::decode;
use evidence::key::Curve;
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};

fn vectors() -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors");
    let folder = std::env::var_os("ALLOD_VECTORS").map_or(beside, PathBuf::from).join("attestation");
    if folder.join("expected.json").is_file() {
        return Some(folder);
    }
    // Past the capture of passing tests' output: a skipped test must be seen. Each of the tests here says it for itself.
    let _ = writeln!(std::io::stderr(), "SKIPPED a test over 5 tokens: no vectors; set ALLOD_VECTORS");
    None
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("the vector is there")).expect("JSON")
}

/// Base64 for URLs, without padding (RFC 4648 §5).
fn base64url(text: &str) -> Vec<u8> {
    const DIGITS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (mut bytes, mut number, mut bits) = (Vec::new(), 0_u32, 0);
    for digit in text.chars() {
        number = number << 6 | DIGITS.find(digit).expect("a digit") as u32;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((number >> bits) as u8);
        }
    }
    bytes
}

/// The key of a file: a JWK, or a list of one with other things beside.
fn key(path: &Path) -> Key {
    let file = json(path);
    let jwk = file.get(0).map_or(&file, |entry| &entry["pkey"]);
    let curve = if jwk["crv"] == "P-256" { Curve::P256 } else { Curve::P384 };
    let coordinate = |name: &str| base64url(jwk[name].as_str().expect("a coordinate"));
    let point = [vec![0x04], coordinate("x"), coordinate("y")].concat();
    Key::from_uncompressed(curve, &point).expect("a point on its curve")
}

fn bytes(value: &Value) -> Vec<u8> {
    decode(value.as_str().expect("a text")).expect("hexadecimal")
}

struct Vector {
    token: Vec<u8>,
    expected: Value,
    key: Key,
}

impl Vector {
    fn read(folder: &Path, name: &str, key_file: &str) -> Self {
        let token = std::fs::read(folder.join(name)).expect("the token");
        Self { token, expected: json(&folder.join("expected.json"))[name].clone(), key: key(&folder.join(key_file)) }
    }

    fn judge(&self, token: &[u8], references: &References) -> Verdict {
        let id = |name: &str| bytes(&self.expected["platform"][name]);
        let implementation_id = id("implementation_id").try_into().expect("32 bytes");
        let instance_id = id("instance_id").try_into().expect("33 bytes");
        let mut anchors = Anchors::new();
        anchors.pin(Identity { implementation_id, instance_id }, self.key.clone());
        let nonce = Nonce::new(&bytes(&self.expected["realm"]["challenge"])).expect("64 bytes");
        verify(token, &Case { anchors: &anchors, nonce, at: 0, references, policy: &Policy::default() })
    }
}

/// References that say what an authentic token said: an affirming verdict must then follow.
fn echo(verdict: &Verdict) -> References {
    let platform = serde_json::to_value(verdict.platform().expect("authentic")).expect("JSON");
    let realm = serde_json::to_value(verdict.realm().expect("authentic")).expect("JSON");
    let file = json!({"profile": "allod-reference-1",
        "platform": {"implementation_id": platform["implementation_id"], "config": platform["config"],
            "lifecycle": ["secured"], "components": platform["components"]},
        "realm": {"hash": realm["hash"], "rim": realm["rim"], "rems": realm["rems"], "rpv": realm["rpv"]}});
    let mut references = References::new();
    references.add(file.to_string().as_bytes()).expect("a reference");
    references
}

#[test]
fn tokens_that_should_verify_do_and_affirm_with_their_own_values() {
    let Some(folder) = vectors() else { return };
    for (name, key_file) in [
        ("cca-tokens/legacy-tfrmm.cbor", "keys/ta-tfa.json"),
        ("cca-tokens/mixed-legacy-platform-2023-realm.cbor", "keys/evcli-ec256.json"),
        ("cca-tokens/p2023-cmw907.cbor", "keys/evcli-ec256.json"),
        ("cca-tokens/p2023-tfa-13components.cbor", "keys/ta-tfa.json"),
    ] {
        let vector = Vector::read(&folder, name, key_file);
        let verdict = vector.judge(&vector.token, &References::new());
        assert_eq!(verdict.outcome(), Outcome::Warning, "{name}: authentic, without references");
        let verdict = vector.judge(&vector.token, &echo(&verdict));
        assert_eq!(verdict.outcome(), Outcome::Affirming, "{name}: {:?}", verdict.failed());
    }
}

#[test]
fn the_token_with_a_wrong_binding_is_refused_for_it() {
    let Some(folder) = vectors() else { return };
    let vector = Vector::read(&folder, "cca-tokens/neg-binding-mismatch.cbor", "keys/ta-tfa.json");
    let verdict = vector.judge(&vector.token, &References::new());
    assert_eq!(verdict.failed().map(|check| check.label()).as_deref(), Some("binding"));
}

#[test]
fn the_wrong_key_is_refused() {
    let Some(folder) = vectors() else { return };
    for (name, key_file) in [
        ("cca-tokens/p2023-tfa-13components.cbor", "keys/evcli-ec384.json"),
        ("cca-tokens/p2023-tfa-13components.cbor", "keys/evcli-ec256.json"),
        ("cca-tokens/p2023-cmw907.cbor", "keys/evcli-ec384.json"),
    ] {
        let vector = Vector::read(&folder, name, key_file);
        let verdict = vector.judge(&vector.token, &References::new());
        assert_eq!(verdict.failed().map(|check| check.label()).as_deref(), Some("platform-signature"), "{name}");
    }
}

#[test]
fn a_flipped_bit_anywhere_is_refused_in_somebody_elses_token() {
    let Some(folder) = vectors() else { return };
    let vector = Vector::read(&folder, "cca-tokens/p2023-cmw907.cbor", "keys/evcli-ec256.json");
    // One bit of each byte, going round: the test of mutations takes all eight of our own.
    for at in 0..vector.token.len() {
        let mut bad = vector.token.clone();
        bad[at] ^= 1 << (at % 8);
        let verdict = vector.judge(&bad, &References::new());
        assert!(verdict.failed().is_some(), "byte {at}");
    }
}
