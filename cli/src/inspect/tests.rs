//! What files are called, and that no bytes make the command panic or claim anything.

use super::*;
use std::path::PathBuf;

#[test]
fn vectors_are_called_what_they_are() {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors");
    let folder = std::env::var_os("ALLOD_VECTORS").map_or(beside, PathBuf::from);
    if !folder.join("attestation").is_dir() {
        let _ = std::io::Write::write_all(&mut std::io::stderr(), b"SKIPPED: no vectors; set ALLOD_VECTORS\n");
        return;
    }
    for (name, kind, known) in [
        ("attestation/cca-tokens/p2023-cmw907.cbor", "attestation token (collection", true),
        ("attestation/cca-tokens/legacy-tfrmm.cbor", "attestation token (map", true),
        ("virtcca/gta-vcca-token-2.cbor", "attestation token (map", true),
        ("virtcca/gta-dev-cert.der", "X.509 certificate", true),
        ("virtcca/huawei-it-product-ca-rsa.pem", "PEM: CERTIFICATE", true),
        ("attestation/corim/corim-cca-platform-valid.cbor", "CoRIM, not signed", true),
        ("attestation/corim/signed-corim-cca-ta.cbor", "CoRIM, signed (the signature has not been judged)", true),
        ("attestation/corim/corim-cca-platform-bad-no-class.cbor", "CoRIM that is refused", false),
        ("attestation/ear/ear-claims.json", "attestation result", true),
        ("attestation/keys/evcli-ec256.json", "JSON Web Key with its PRIVATE half", true),
        ("attestation/keys/ta-tfa.json", "trust anchors", true),
        ("attestation/refvals/rv.json", "reference values (flat", true),
        ("attestation/cmw/collection-ok.json", "conceptual message wrapper", true),
        ("attestation/claims/platform-claims.cbor", "claims of a platform token", true),
        ("eventlog/arm64-direct.bin", "event log", true),
    ] {
        let bytes = std::fs::read(folder.join(name)).expect("the vector is there");
        let found = of(&bytes);
        assert!(found.kind.starts_with(kind) && found.known == known, "{name}: {}", found.kind);
        let token = hex::encode(&bytes);
        assert!(of(token.as_bytes()).kind.contains(kind), "{name}, in hexadecimal");
        let said = found.kind.to_lowercase();
        assert!(!["valid", "verified", "affirm", "genuine"].iter().any(|it| said.contains(it)), "{name}: {said}");
        for cut in (0..bytes.len()).step_by(bytes.len() / 40 + 1) {
            let _ = of(bytes.get(..cut).expect("shorter"));
        }
    }
}

#[test]
fn a_private_key_is_not_shown() {
    let found = of(br#"{"kty": "EC", "crv": "P-256", "d": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE",
        "x": "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY", "y": "T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU"}"#);
    assert!(found.kind.contains("PRIVATE") && !found.text.contains("AAAAAAAAAAE"), "{}", found.text);
    let found = of(b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    assert!(found.kind.contains("PRIVATE") && found.text.is_empty());
}

#[test]
fn what_is_nothing_is_called_nothing() {
    for bytes in [&b""[..], b"hello, world", b"\xff\xfe\x00\x01", b"{\"a\": 1}", b"[1, 2]", b"null"] {
        assert!(!of(bytes).known, "{:?}", of(bytes).kind);
    }
    // Envelopes within envelopes end somewhere.
    let mut text = "00".repeat(40);
    for _ in 0..8 {
        text = hex::encode(text.as_bytes());
    }
    assert!(!of(text.as_bytes()).known);
}

#[test]
fn what_came_along_in_an_envelope_is_shown() {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors");
    let folder = std::env::var_os("ALLOD_VECTORS").map_or(beside, PathBuf::from);
    if !folder.join("virtcca").is_dir() {
        let _ = std::io::Write::write_all(&mut std::io::stderr(), b"SKIPPED: no vectors; set ALLOD_VECTORS\n");
        return;
    }
    let read = |name: &str| std::fs::read(folder.join(name)).expect("the vector");
    let (token, device) = (read("virtcca/gta-vcca-token-2.cbor"), read("virtcca/gta-dev-cert.der"));
    let log = read("eventlog/ccel-ovmf-tdx-dstack-direct.bin");
    let message = |log: &[u8]| serde_json::json!({"evidence": token, "dev_cert": device, "ima_log": [1], "uefi_log": {"ccel_data": log}});
    let found = of(message(&log).to_string().as_bytes());
    assert_eq!(found.kind, "secGear evidence of virtCCA; in it: attestation token (map, tag 399)");
    for part in ["virtCCA, first generation", "certificate  CN=D924B0157002", "a log of IMA", "The event log in it"] {
        assert!(found.text.contains(part), "{part}: {}", found.text);
    }
    assert!(found.known);
    assert!(!of(message(&log[..100]).to_string().as_bytes()).known, "its log is cut short");
    let two = serde_json::json!({"evidence": token, "token": token}).to_string();
    assert!(of(two.as_bytes()).kind.contains("expected one token, found two"));
}

/// The claims of a realm token on P-384, as sent or with a challenge that is too short.
fn realm_claims(challenge: usize) -> String {
    let (rim, long) = ("22".repeat(32), "33".repeat(64));
    let challenge = "11".repeat(challenge);
    let key = format!("04{}", "44".repeat(96));
    format!(
        "{{ 10: h'{challenge}', / nonce / 44235: h'{long}', 44236: \"sha-256\", # hash\n 44240: \"sha-512\", 44237: h'{key}', \
         44238: h'{rim}', 44239: [h'{rim}', h'{rim}', h'{rim}', h'{rim}'] }}"
    )
}

#[test]
fn a_half_of_a_token_is_explained_by_itself() {
    let half = |claims: &str| format!("18([<< {{1: -35}} >>, {{}}, << {claims} >>, h'{}'])", "55".repeat(96));
    let notation = |text: &str| {
        let mut found = of(text.as_bytes());
        let rest = found.kind.strip_prefix("CBOR in diagnostic notation; in it: ").map(str::to_string);
        found.kind = rest.unwrap_or_else(|| panic!("{}", found.kind));
        found
    };
    let outside =
        "COSE_Sign1, as a half of a token is (the signature has not been judged); in it: claims of a realm token";
    let found = notation(&half(&realm_claims(64)));
    assert!(found.known && found.kind.starts_with(outside), "{}", found.kind);
    assert!(found.text.contains(&"11".repeat(64)), "{}", found.text);
    let short = notation(&half(&realm_claims(63)));
    assert!(!short.known && short.kind.contains("malformed"), "{}", short.kind);
    let other = notation(&half("{1: \"somebody\", 4: 1700000000}"));
    assert!(other.kind.contains("neither a CoRIM nor one half"), "{}", other.kind);
    assert!(!notation(&format!("399({{44241: << {} >>}})", half(&realm_claims(64)))).known, "half of a token of CCA");
}

#[test]
fn a_comid_is_explained_without_its_corim() {
    let comid = |digest: &str| {
        format!(
            "{{1: {{0: h'{}'}}, 4: {{0: [[{{0: {{0: 560(h'{}')}}}}, [{{0: \"cca.software-component\", 1: {{2: [[1, {digest}]], \
             11: \"RMM\", 13: [560(h'{}')]}}}}]]]}}}}",
            "07".repeat(16),
            "01".repeat(32),
            "03".repeat(32)
        )
    };
    let found = of(comid(&format!("h'{}'", "09".repeat(32))).as_bytes());
    assert_eq!(found.kind, "CBOR in diagnostic notation; in it: CoMID without the CoRIM around it");
    assert!(found.known && found.text.contains(&"09".repeat(32)), "{}", found.text);
    let short = of(comid("h'0909'").as_bytes());
    assert!(!short.known && short.kind.contains("CoMID that is refused: digest"), "{}", short.kind);
    // The claims of a CWT have the same keys.
    assert!(!of(b"{1: \"somebody\", 4: 1700000000}").kind.contains("CoMID"));
}

#[test]
fn bytes_are_no_log_for_their_lengths_alone() {
    let event = |kind: u32| {
        let start = [6, kind].map(u32::to_le_bytes).concat();
        [start, vec![7; 20], 5_u32.to_le_bytes().to_vec(), b"hello".to_vec()].concat()
    };
    assert!(of(&event(0x8000_0007)).kind.starts_with("event log"), "an action of SHA-1's times");
    assert!(!of(&event(0x452E_8CED)).known, "{}", of(&event(0x452E_8CED)).kind);
}

#[test]
fn what_is_like_something_is_not_called_that() {
    for (text, kind) in [
        (r#"{"dependencies": ["openssl", "json-c"]}"#, "JSON of no kind that is known here"),
        (r#"{"a": 1, "b": [2,]}"#, "JSON, malformed: trailing comma"),
        ("Put it between\n-----BEGIN CERTIFICATE-----\n…\n-----END CERTIFICATE-----\n", "PEM: CERTIFICATE; not of use"),
        ("-17", "3 bytes that are nothing known here"),
        ("true", "4 bytes that are nothing known here"),
    ] {
        let found = of(text.as_bytes());
        assert!(!found.known && found.kind.starts_with(kind), "{text}: {}", found.kind);
    }
    let tagged = |number: u64| of(format!("{number}(h'0102')").as_bytes());
    assert!(
        tagged(1_668_547_081).kind.contains("conceptual message wrapper (a tag)"),
        "{}",
        tagged(1_668_547_081).kind
    );
    assert!(!tagged(1_668_612_096).known, "behind the last content format");
    let collection = of(br#"{"token": ["application/eat+cwt", "2QGPoA"]}"#);
    assert!(collection.kind.contains("collection"), "{}", collection.kind);
}

#[test]
fn a_result_is_explained_and_not_taken_for_evidence() {
    let claims = serde_json::json!({"eat_profile": "tag:github.com,2023:veraison/ear", "iat": 1, "submods": {"CCA_REALM":
        {"ear.status": "warning", "ear.trustworthiness-vector": {"executables": 33, "hardware": 2, "file-system": 0}}}});
    let part = |value: &serde_json::Value| Base64UrlUnpadded::encode_string(value.to_string().as_bytes());
    let token = format!("{}.{}.AAAA", part(&serde_json::json!({"alg": "ES256"})), part(&claims));
    for (text, outside) in [(claims.to_string(), "attestation result"), (token, "JSON Web Token, said to be signed")] {
        let found = of(text.as_bytes());
        assert!(found.known && found.kind.starts_with(outside), "{}", found.kind);
        assert!(found.kind.contains("what somebody else concluded"), "{}", found.kind);
        for line in ["33 (warning)", "2 (affirming)", "0 (nothing claimed)", "status"] {
            assert!(found.text.contains(line), "{line}: {}", found.text);
        }
        assert!(!found.text.contains("The evidence in it"), "{}", found.text);
    }
    for old in [r#"{"ear.status": "affirming", "iat": 1}"#, r#"{"evaluation-reports": [], "iss": "CoCo"}"#] {
        assert!(of(old.as_bytes()).kind.contains("what somebody else concluded"), "{old}");
    }
    let mut with = claims;
    with["ear.raw-evidence"] =
        serde_json::json!(Base64UrlUnpadded::encode_string(&[0xD9, 0x01, 0x8F, 0xA0, 0xA0, 0xA0, 0, 0, 0]));
    let found = of(with.to_string().as_bytes());
    assert!(found.text.contains("The evidence in it: attestation token (map, tag 399), malformed"), "{}", found.text);
}
