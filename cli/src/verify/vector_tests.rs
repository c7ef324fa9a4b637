//! Other people's evidence through the command: each file ends with the exit status that its provenance calls for.
//!
//! `ALLOD_VECTORS` names the folder; without it, `shared/vectors` beside the workspace is tried.

use super::{main, moment};
use clap::Parser;
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use verifier::Outcome;

/// A time at which every certificate is valid.
const AT: &str = "2026-11-22T00:00:00Z";

fn vectors(folder: &str, tokens: usize) -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors");
    let folder = std::env::var_os("ALLOD_VECTORS").map_or(beside, PathBuf::from).join(folder);
    if folder.join("expected.json").is_file() {
        return Some(folder);
    }
    // Past the capture of passing tests' output: a skipped test must be seen.
    let _ = writeln!(std::io::stderr(), "SKIPPED a test over {tokens} tokens: no vectors; set ALLOD_VECTORS");
    None
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("the vector is there")).expect("JSON")
}

/// Runs `allod verify` with these words.
fn run(words: &[&str]) -> ExitCode {
    let cli = crate::Cli::try_parse_from([&["allod", "verify", "--at", AT], words].concat()).expect("a command");
    let crate::Command::Verify(args) = cli.command else { panic!("another command") };
    main(args).expect("a verdict")
}

fn status(outcome: Outcome) -> ExitCode {
    ExitCode::from(outcome.exit_code())
}

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).to_str().expect("a path in UTF-8").to_string()
}

/// A folder of this test's own, which goes with it.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("allod-vectors-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        Self(folder)
    }

    fn write(&self, name: &str, content: &[u8]) -> String {
        std::fs::write(self.0.join(name), content).expect("written");
        path(&self.0, name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn every_token_of_arm_cca_ends_as_its_provenance_says() {
    let Some(folder) = vectors("attestation", 9) else { return };
    let expected = json(&folder.join("expected.json"));
    let mut tried = 0;
    for (name, expected) in expected.as_object().expect("an object").iter().filter(|(name, _)| name.ends_with(".cbor"))
    {
        let (Some(nonce), Some(expect)) = (expected["realm"]["challenge"].as_str(), expected["expect"].as_str()) else {
            continue;
        };
        let key = if expect.contains("evcli-ec256") { "keys/evcli-ec256.json" } else { "keys/ta-tfa.json" };
        let (token, key) = (path(&folder, name), path(&folder, key));
        let words = [token.as_str(), "--nonce", nonce, "--anchor", &key];
        let accepted = expect.starts_with("accept");
        // Whoever trusts a published key trusts everybody.
        assert_eq!(run(&words), status(Outcome::NoTrustAnchor), "{name}");
        let wanted = if accepted { Outcome::Warning } else { Outcome::Contraindicated };
        assert_eq!(run(&[&words[..], &["--allow-test-keys"]].concat()), status(wanted), "{name}");
        let other = [token.as_str(), "--nonce", &"ee".repeat(64), "--anchor", &key, "--allow-test-keys"];
        assert_eq!(run(&other), status(Outcome::Contraindicated), "{name} for another challenge");
        tried += 1;
    }
    assert_eq!(tried, 9, "every token that is listed");
}

#[test]
fn a_token_affirms_with_references_of_what_it_should_say() {
    let Some(folder) = vectors("attestation", 1) else { return };
    let name = "derived/p2026-delegated-cmw907.cbor";
    let expected = json(&folder.join("expected.json"))[name].clone();
    let (platform, realm) = (&expected["platform"], &expected["realm"]);
    let scratch = Scratch::new("affirm");
    let file = |rim: &Value| {
        let file = json!({"profile": "allod-reference-1",
            "platform": {"implementation_id": platform["implementation_id"], "config": platform["config"]},
            "realm": {"hash": realm["hash_alg"], "rim": rim, "rems": realm["rem"], "rpv": realm["rpv"],
                "mec_policy": "private"}});
        scratch.write("reference.json", file.to_string().as_bytes())
    };
    let (token, key) = (path(&folder, name), path(&folder, "keys/ta-tfa.json"));
    let judge = |reference: &str, more: &[&str]| {
        let nonce = realm["challenge"].as_str().expect("a challenge");
        let words = [&token, "--nonce", nonce, "--anchor", &key, "--allow-test-keys", "--reference", reference];
        run(&[&words[..], more].concat())
    };
    let good = file(&realm["rim"]);
    assert_eq!(judge(&good, &["--json"]), status(Outcome::Warning), "its components are not known");
    assert_eq!(judge(&good, &["--may-miss", "component"]), status(Outcome::Affirming));
    let bad = file(&json!("00".repeat(32)));
    assert_eq!(judge(&bad, &["--may-miss", "component"]), status(Outcome::Contraindicated));
}

#[test]
fn the_real_virtcca_machine_ends_as_its_provenance_says() {
    let Some(folder) = vectors("virtcca", 1) else { return };
    let expected = json(&folder.join("expected.json"))["gta-vcca-token-2.cbor"].clone();
    let scratch = Scratch::new("virtcca");
    let reference = json!({"profile": "allod-reference-1", "realm": {"hash": expected["hash_algo"],
        "rim": expected["rim"], "rems": expected["rem"]}});
    let reference = scratch.write("realm.json", reference.to_string().as_bytes());
    let nonce = expected["challenge"].as_str().expect("a challenge");
    let file = |name: &str| path(&folder, name);
    let (token, root) = (file("gta-vcca-token-2.cbor"), file("huawei-equipment-root-ca-rsa.pem"));
    let (sub, device) = (file("huawei-it-product-ca-rsa.pem"), file("gta-dev-cert.der"));
    let words = [&token, "--nonce", nonce, "--anchor", &root, "--certificate", &sub, "--reference", &reference];
    let with_device = [&words[..], &["--certificate", &device]].concat();
    let unknown = "--may-miss lifecycle --may-miss implementation-id --may-miss config --may-miss component";
    let unknown: Vec<&str> = unknown.split(' ').collect();
    assert_eq!(run(&[&with_device[..], &unknown].concat()), status(Outcome::Affirming));
    assert_eq!(run(&with_device), status(Outcome::Warning), "of its firmware it says nothing");
    assert_eq!(run(&words), status(Outcome::NoTrustAnchor), "without its certificate");
    let ecc = file("huawei-ecc-attestation-root-ca-1.pem");
    let other = [&token, "--nonce", nonce, "--anchor", &ecc, "--certificate", &sub, "--certificate", &device];
    assert_eq!(run(&other), status(Outcome::Contraindicated), "below another root");
    let earlier =
        crate::Cli::try_parse_from([&["allod", "verify", "--at", "2025-01-01T00:00:00Z"], &with_device[..]].concat());
    let crate::Command::Verify(args) = earlier.expect("a command").command else { panic!("another command") };
    assert_eq!(main(args).expect("a verdict"), status(Outcome::Contraindicated), "before the device was made");
    let mut bytes = std::fs::read(&token).expect("the token");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let bad = scratch.write("bad.cbor", &bytes);
    let bad = [&[bad.as_str()], &with_device[1..]].concat();
    assert_eq!(run(&bad), status(Outcome::Contraindicated), "a wrong signature");
    bytes.pop();
    let cut = scratch.write("cut.cbor", &bytes);
    assert_eq!(run(&[&[cut.as_str()], &with_device[1..]].concat()), status(Outcome::Malformed));
}

#[test]
fn a_log_that_does_not_lead_to_the_measurements_is_refused() {
    let Some(folder) = vectors("virtcca", 1) else { return };
    let expected = json(&folder.join("expected.json"))["gta-vcca-token-2.cbor"].clone();
    let nonce = expected["challenge"].as_str().expect("a challenge");
    let file = |name: &str| path(&folder, name);
    let words = [
        &file("gta-vcca-token-2.cbor"),
        "--nonce",
        nonce,
        "--anchor",
        &file("huawei-equipment-root-ca-rsa.pem"),
        "--certificate",
        &file("huawei-it-product-ca-rsa.pem"),
        "--certificate",
        &file("gta-dev-cert.der"),
    ];
    let log = folder.join("../eventlog/arm64-direct.bin");
    let log = log.to_str().expect("a path in UTF-8");
    assert_eq!(run(&words), status(Outcome::Warning), "the control: not done");
    assert_eq!(run(&[&words[..], &["--log", log]].concat()), status(Outcome::Contraindicated), "another machine's");
    assert_eq!(run(&[&words[..], &["--log", &file("gta-dev-cert.der")]].concat()), status(Outcome::Contraindicated));
}

#[test]
fn a_list_of_revoked_certificates_must_be_one() {
    let scratch = Scratch::new("lists");
    let token = scratch.write("token.cbor", &[0xA0]);
    let key = scratch.write("key.json", br#"{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}"#);
    let list = scratch.write("list.crl", b"no list");
    let error = |words: &[&str]| {
        let nonce = "ab".repeat(32);
        let start = ["allod", "verify", token.as_str(), "--nonce", nonce.as_str()];
        let cli = crate::Cli::try_parse_from([&start[..], words].concat()).expect("a command");
        let crate::Command::Verify(args) = cli.command else { panic!("another command") };
        main(args).expect_err("an error").to_string()
    };
    let empty = scratch.write("none.json", b"[]");
    let found = error(&["--anchor", &empty, "--crl", &list]);
    assert!(found.contains("list.crl: expected X.509"), "{found}");
    let found = error(&["--anchor", &key]);
    assert!(found.contains("key.json: expected a key on"), "{found}");
}

#[test]
fn steps_are_named_as_in_reports() {
    assert_eq!(super::step("mec-policy"), Ok(verifier::Step::MecPolicy));
    assert!(super::step("everything").is_err_and(|error| error.contains("platform-signature")));
    assert!(moment(AT).is_ok());
}

/// The real machine's token and certificate in the messages in which they would have come.
#[test]
fn the_real_virtcca_machine_is_judged_in_every_envelope() {
    let Some(folder) = vectors("virtcca", 1) else { return };
    let expected = json(&folder.join("expected.json"))["gta-vcca-token-2.cbor"].clone();
    let nonce = expected["challenge"].as_str().expect("a challenge");
    let read = |name: &str| std::fs::read(folder.join(name)).expect("the vector");
    let (token, device) = (read("gta-vcca-token-2.cbor"), read("gta-dev-cert.der"));
    let log = std::fs::read(folder.join("../eventlog/arm64-direct.bin")).expect("the vector");
    let base64 = |bytes: &[u8]| <base64ct::Base64 as base64ct::Encoding>::encode_string(bytes);
    let framed = |part: &[u8]| [&(part.len() as u64).to_le_bytes(), part].concat();
    let gta = |logs: Value| {
        let evidence = json!({"vcca_token": base64(&token), "dev_cert": base64(&device), "logs": logs});
        json!({"attester_type": "virt_cca", "evidence": evidence}).to_string().into_bytes()
    };
    let secgear = |uefi: Value| {
        json!({"evidence": token, "dev_cert": device, "ima_log": null, "uefi_log": uefi}).to_string().into_bytes()
    };
    let scratch = Scratch::new("envelopes");
    let (root, sub) =
        (path(&folder, "huawei-equipment-root-ca-rsa.pem"), path(&folder, "huawei-it-product-ca-rsa.pem"));
    let judge = |message: &[u8]| {
        let file = scratch.write("evidence", message);
        run(&[&file, "--nonce", nonce, "--anchor", &root, "--certificate", &sub])
    };
    assert_eq!(judge(&token), status(Outcome::NoTrustAnchor), "the control: the bare token lacks its certificate");
    let mut tried = 0;
    for message in [
        gta(json!([])),
        gta(json!([{"log_type": "ImaLog", "log_data": base64(b"10 00 ima-ng")}])),
        secgear(json!(null)),
        json!({"evidence_virtcca": token, "dev_cert": device}).to_string().into_bytes(),
        [framed(&token), framed(&device)].concat(),
    ] {
        assert_eq!(judge(&message), status(Outcome::Warning), "its firmware it says nothing of, and the rest holds");
        assert_eq!(judge(base64(&message).as_bytes()), status(Outcome::Warning), "in base64");
        tried += 1;
    }
    assert_eq!(tried, 5);
    // A log that came along is replayed like one that was given.
    for message in [gta(json!([{"log_type": "CCEL", "log_data": base64(&log)}])), secgear(json!({"ccel_data": log}))] {
        assert_eq!(judge(&message), status(Outcome::Contraindicated), "another machine's log");
    }
    // Another machine's certificate beside the token, as in samples that nobody compared.
    let other = json!({"evidence": token, "dev_cert": read("huawei-it-product-ca-rsa.pem")}).to_string();
    assert_eq!(judge(other.as_bytes()), status(Outcome::NoTrustAnchor), "an authority is no device");
    assert_eq!(judge(b"{\"evidence\": [1, 2, 3], \"dev_cert\": []}"), status(Outcome::Malformed));
    assert_eq!(judge(b"{}"), status(Outcome::Malformed));
}
