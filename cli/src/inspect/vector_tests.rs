//! Every file of the vectors through the commands: each comes out as its provenance says, and none is forgotten.
//!
//! `ALLOD_VECTORS` names the folder; without it, `shared/vectors` beside the workspace is tried.

use super::{main, of};
use clap::Parser;
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn vectors(of: &str, files: usize) -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors");
    let folder = std::env::var_os("ALLOD_VECTORS").map_or(beside, PathBuf::from).join(of);
    if folder.is_dir() {
        return Some(folder);
    }
    let _ = writeln!(std::io::stderr(), "SKIPPED a test over {files} files: no vectors; set ALLOD_VECTORS");
    None
}

/// Every file below a folder, the descriptions apart.
fn files(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.strip_prefix(folder).expect("below").to_str().expect("UTF-8").to_string();
            if path.is_dir() {
                folders.push(path);
            } else if !["SOURCES.md", "expected.json", "expected-replay.json"].contains(&name.as_str()) {
                found.insert(name);
            }
        }
    }
    found
}

/// What `allod inspect` says, and the exit status with which it says it.
fn inspected(folder: &Path, name: &str) -> (String, ExitCode) {
    let path = folder.join(name);
    let cli = crate::Cli::try_parse_from(["allod", "inspect", path.to_str().expect("UTF-8")]).expect("a command");
    let crate::Command::Inspect(args) = cli.command else { panic!("another command") };
    let status = main(&args).expect("a file that can be read");
    (of(&std::fs::read(&path).expect("the vector")).kind, status)
}

const TOKEN_399: &str = "attestation token (map, tag 399)";
const TOKEN_907: &str = "attestation token (collection, tag 907)";
const BAD: &str = "malformed";

/// Files of attestation, the start of what they are called, and whether their provenance says that they are whole. Of a
/// token that is not to verify, form is not the reason.
const ATTESTATION: [(&str, &str, bool); 72] = [
    ("cca-tokens/draft04-example-as-printed.cbor", TOKEN_907, true),
    ("cca-tokens/legacy-tfrmm.cbor", TOKEN_399, true),
    ("cca-tokens/mixed-legacy-platform-2023-realm.cbor", TOKEN_399, true),
    ("cca-tokens/neg-binding-mismatch.cbor", TOKEN_399, true),
    ("cca-tokens/p2023-cmw907.cbor", TOKEN_907, true),
    ("cca-tokens/p2023-tfa-13components.cbor", TOKEN_399, true),
    ("claims/cca-claims-without-realm-challenge.json", "claims of a CCA token in JSON", false),
    ("claims/cca-claims.json", "claims of a CCA token in JSON", true),
    ("claims/platform-claims.cbor", "claims of a platform token", true),
    ("claims/platform/CcaPlatformClaimsAll.diag", "CBOR in diagnostic notation; in it: claims of a platform", true),
    ("claims/platform/CcaPlatformClaimsMissingMandatoryNonce.diag", "CBOR in diagnostic notation", false),
    ("claims/platform/CcaPlatformLegacyClaimsAll.diag", "CBOR in diagnostic notation; in it: claims of a plat", true),
    ("claims/platform/test-hash-algid-missing.json", "JSON; in it: claims of a platform token", false),
    ("claims/platform/test-lifecycle-invalid.json", "JSON; in it: claims of a platform token", false),
    ("claims/platform/test-no-sw-components.json", "JSON; in it: claims of a platform token", false),
    ("claims/platform/test-nonce-invalid.json", "JSON; in it: claims of a platform token", false),
    ("claims/platform/test-token-valid-full.json", "JSON; in it: claims of a platform token", true),
    ("claims/realm-claims-missing-challenge.cbor", "claims of a realm token", false),
    ("claims/realm-claims.cbor", "claims of a realm token", true),
    ("claims/realm/CcaClaimsMissingMandPubKey.diag", "CBOR in diagnostic notation; in it: claims of a realm", false),
    ("claims/realm/CcaRealmClaimsAll.diag", "CBOR in diagnostic notation; in it: claims of a realm", true),
    ("claims/realm/CcaRealmLegacyClaimsAll.diag", "CBOR in diagnostic notation; in it: claims of a realm", true),
    // Said to be valid, and made so that it cannot be: see the test below.
    (PLACEHOLDER, "JSON; in it: claims of a realm token", false),
    ("claims/realm/test-invalid-extended-meas.json", "JSON; in it: claims of a realm token", false),
    ("claims/realm/test-invalid-public-key.json", "JSON; in it: claims of a realm token", false),
    ("claims/realm/test-missing-nonce.json", "JSON; in it: claims of a realm token", false),
    ("cmw/collection-cbor-ok.cbor", "conceptual message wrapper", true),
    ("cmw/collection-ok.json", "conceptual message wrapper", true),
    ("cmw/x509-cert+cbor-cmw.der", "X.509 certificate", true),
    ("corim/cca-endorsements.cbor", "CoRIM, not signed", true),
    ("corim/cca-realm-endorsements.cbor", "CoRIM, not signed", true),
    ("corim/comid-cca-realm.json", "template of a CoMID", true),
    ("corim/corim-cca-platform-bad-no-class.cbor", "CoRIM that is refused", false),
    ("corim/corim-cca-platform-bad-refval-no-digests.cbor", "CoRIM that is refused", false),
    ("corim/corim-cca-platform-bad-refval-no-mkey.cbor", "CoRIM that is refused", false),
    ("corim/corim-cca-platform-bad-ta-no-instance.cbor", "CoRIM that is refused", false),
    ("corim/corim-cca-platform-valid.cbor", "CoRIM, not signed", true),
    ("corim/corim-cca-realm-valid.cbor", "CoRIM, not signed", true),
    ("corim/corim-cca-realm.json", "template of a CoRIM", true),
    ("corim/corim-lib-cca-platform-valid.cbor", "CoRIM, not signed", true),
    ("corim/corim-lib-cca-realm-invalid-missing-rim.cbor", "CoRIM that is refused", false),
    ("corim/corim-lib-cca-realm-valid.cbor", "CoRIM, not signed", true),
    ("corim/cover-key.pub.pem", "PEM: PUBLIC KEY", true),
    ("corim/ec-p256.jwk", "JSON Web Key", true),
    ("corim/signed-corim-cca-ref-plat.cbor", "CoRIM, signed (the signature has not", true),
    ("corim/signed-corim-cca-ta.cbor", "CoRIM, signed (the signature has not", true),
    // Of another scheme, whose rules are not ours: its signature is shown, and that its content is not read.
    ("corim/signed-corim-valid.cbor", "CoRIM, signed (the signature has not", true),
    ("coserv/coserv_rv_result.cbor", "results of a CoSERV query", true),
    ("coserv/discovery-unsigned.json", "discovery document of CoSERV", true),
    ("coserv/example-class-selector.b64u", "base64; in it: CoSERV query", true),
    ("coserv/example-class-selector.cbor", "CoSERV query", true),
    ("coserv/problem_details_bad_request.cbor", "problem details", true),
    ("coserv/rv-class-simple.b64u", "base64; in it: CoSERV query", true),
    ("coserv/rv-class-simple.cbor", "CoSERV query", true),
    ("coserv/rv-results.b64u", "base64; in it: results of a CoSERV query", true),
    ("coserv/rv-results.cbor", "results of a CoSERV query", true),
    ("derived/p2024-all-claims-tag399.cbor", TOKEN_399, true),
    ("derived/p2026-delegated-cmw907.cbor", TOKEN_907, true),
    ("derived/p2026-neg-platform-signature.cbor", TOKEN_907, true),
    ("ear/ear-claims-tv-ok.json", "attestation result (EAR)", true),
    ("ear/ear-claims.json", "attestation result (EAR)", true),
    ("ear/ear-json-1.diag", "attestation result (EAR)", true),
    ("ear/ext-veraison-json-1.diag", "attestation result (EAR)", true),
    ("ear/pkey.json", "JSON Web Key", true),
    ("ear/skey.json", "JSON Web Key with its PRIVATE half", true),
    ("ear/trustee-example.token.json", "attestation result (EAR)", true),
    ("keys/cca_platform.pub", "PEM: PUBLIC KEY", true),
    ("keys/cpak.json", "JSON Web Key", true),
    ("keys/evcli-ec256.json", "JSON Web Key with its PRIVATE half", true),
    ("keys/evcli-ec384.json", "JSON Web Key with its PRIVATE half", true),
    ("keys/ta-tfa.json", "trust anchors", true),
    ("refvals/rv.json", "reference values", true),
];
/// Configurations, which say nothing of evidence.
const CONFIGURATIONS: [&str; 2] = ["refvals/cca-config-local.json", "refvals/cca-config-remote.json"];
const PLACEHOLDER: &str = "claims/realm/test-cca-claims-all-valid.json";

#[test]
fn every_file_of_attestation_is_called_what_it_is() {
    let Some(folder) = vectors("attestation", ATTESTATION.len()) else { return };
    let mut left = files(&folder);
    for name in CONFIGURATIONS {
        assert!(left.remove(name), "{name}");
        assert!(inspected(&folder, name).0.starts_with("configuration of Trustee's"), "{name}");
    }
    for (name, kind, whole) in ATTESTATION {
        assert!(left.remove(name), "{name} is there");
        let (found, status) = inspected(&folder, name);
        assert!(found.starts_with(kind), "{name}: {found}");
        let wanted = if whole { ExitCode::SUCCESS } else { ExitCode::from(super::UNKNOWN) };
        assert_eq!(status, wanted, "{name}: {found}");
        if !whole {
            assert!(found.contains(BAD) || found.contains("refused"), "{name}: {found}");
        }
    }
    assert!(left.is_empty(), "not tried: {left:?}");
}

#[test]
fn claims_with_a_key_that_is_none_are_refused_for_that_alone() {
    let Some(folder) = vectors("attestation", 1) else { return };
    let text = std::fs::read_to_string(folder.join(PLACEHOLDER)).expect("the vector");
    let mut claims: Value = serde_json::from_str(&text).expect("JSON");
    // A key is a point or a map: this is the letters YB again and again.
    assert!(
        of(text.as_bytes()).kind.contains("realm public key: expected a raw point"),
        "{}",
        of(text.as_bytes()).kind
    );
    let good = std::fs::read_to_string(folder.join("claims/cca-claims.json")).expect("the vector");
    let good: Value = serde_json::from_str(&good).expect("JSON");
    claims["cca-realm-public-key"] = good["cca-realm-delegated-token"]["cca-realm-public-key"].clone();
    claims["cca-realm-profile"] = "tag:arm.com,2023:realm#1.0.0".into();
    assert!(of(claims.to_string().as_bytes()).known, "the control");
}

#[test]
fn every_file_of_virtcca_is_called_what_it_is() {
    let Some(folder) = vectors("virtcca", 6) else { return };
    let mut left = files(&folder);
    for (name, kind) in [
        ("gta-dev-cert.der", "X.509 certificate (DER)"),
        ("gta-vcca-token-2.cbor", TOKEN_399),
        ("huawei-computing-ecc-cca-ca-1.pem", "PEM: CERTIFICATE"),
        ("huawei-ecc-attestation-root-ca-1.pem", "PEM: CERTIFICATE"),
        ("huawei-equipment-root-ca-rsa.pem", "PEM: CERTIFICATE"),
        ("huawei-it-product-ca-rsa.pem", "PEM: CERTIFICATE"),
    ] {
        assert!(left.remove(name), "{name} is there");
        let (found, status) = inspected(&folder, name);
        assert!(found.starts_with(kind), "{name}: {found}");
        assert_eq!(status, ExitCode::SUCCESS, "{name}");
    }
    assert!(left.is_empty(), "not tried: {left:?}");
}

/// Runs `allod eventlog` with these words.
fn eventlog(words: &[&str]) -> ExitCode {
    let cli = crate::Cli::try_parse_from([&["allod", "eventlog"], words].concat()).expect("a command");
    let crate::Command::Eventlog(command) = cli.command else { panic!("another command") };
    crate::eventlog::main(command).expect("a log that can be read")
}

#[test]
fn every_event_log_is_explained_and_leads_to_its_registers() {
    let Some(folder) = vectors("eventlog", 28) else { return };
    let expected = std::fs::read(folder.join("expected-replay.json")).expect("the vector");
    let expected: Value = serde_json::from_slice(&expected).expect("JSON");
    let expected = expected.as_object().expect("an object");
    let (mut explained, mut replayed, mut registers) = (0, 0, 0);
    for name in files(&folder) {
        let path = folder.join(&name);
        let path = path.to_str().expect("UTF-8");
        let beside = name.ends_with(".json") || name.contains(".acpi.") || name.contains(".tdquote.");
        if beside || !name.ends_with(".bin") {
            continue;
        }
        assert_eq!(eventlog(&["explain", path]), ExitCode::SUCCESS, "{name}");
        explained += 1;
        let Some(banks) = expected.get(&name).and_then(|it| it["registers"].as_object()) else { continue };
        for (bank, values) in banks {
            let bank = bank.replace("sha", "sha-");
            let values = values.as_object().filter(|it| !it.is_empty());
            let Some(values) = values else { continue };
            let place = if name.starts_with("tpm") || name.starts_with("arm64") { "PCR" } else { "MR" };
            let wanted: Vec<String> =
                values.iter().map(|(at, value)| format!("{place}{at}={}", value.as_str().expect("a text"))).collect();
            registers += wanted.len();
            let run = |wanted: &[String]| {
                let expect = wanted.iter().flat_map(|it| ["--expect", it.as_str()]);
                eventlog(&["replay", path, "--hash", &bank].into_iter().chain(expect).collect::<Vec<_>>())
            };
            assert_eq!(run(&wanted), ExitCode::SUCCESS, "{name}, {bank}");
            let mut wrong = wanted.clone();
            let digit = wrong[0].pop().expect("a digit");
            wrong[0].push(if digit == '0' { '1' } else { '0' });
            assert_eq!(run(&wrong), ExitCode::from(11), "{name}, {bank}: another value");
        }
        replayed += 1;
    }
    assert!(explained >= 26 && replayed == 23 && registers == 226, "{explained}, {replayed}, {registers}");
}
