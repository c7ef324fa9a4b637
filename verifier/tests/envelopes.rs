//! Evidence in the envelopes of other systems: what is unwrapped is judged as what came bare, and no better.

mod maker;

use allod_verifier::envelope::{self, Opened, Refusal};
use allod_verifier::{Anchors, Case, Nonce, Outcome, Policy, Step, Verdict};
use maker::token::{Maker, array, bytes, map, set, text, uint};
use maker::virtcca::{Half, chain, first, first_token, references, with};
use maker::{CHALLENGE, Certificate, NOW, Signer, base64, der, good_anchors, good_references, key, leaf};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const NO_PLATFORM: [Step; 4] = [Step::Lifecycle, Step::ImplementationId, Step::Config, Step::Component];

fn device() -> [Certificate; 3] {
    chain(key, &Signer::Rsa)
}

/// Root and authority: the device's own certificate has to come with the evidence.
fn authorities() -> Anchors {
    let [root, sub, _] = device();
    maker::anchors(&root, &[&sub])
}

fn judge_at(evidence: &[u8], log: Option<&[u8]>, nonce: &[u8]) -> Verdict {
    let policy = Policy { may_stay_undone: NO_PLATFORM.to_vec(), ..Policy::default() };
    let (anchors, references) = (authorities(), references());
    let nonce = Nonce::new(nonce).expect("enough bytes");
    envelope::verify(
        evidence,
        log,
        &Case { anchors: &anchors, nonce, at: NOW, references: &references, policy: &policy },
    )
}

/// Judges evidence of virtCCA's first generation.
fn judge(evidence: &[u8]) -> Verdict {
    judge_at(evidence, None, &CHALLENGE)
}

/// Judges evidence of Arm CCA.
fn judge_cca(evidence: &[u8]) -> Verdict {
    let nonce = Nonce::new(&CHALLENGE).expect("64 bytes");
    let (anchors, references) = (good_anchors(), good_references());
    let policy = Policy::default();
    envelope::verify(
        evidence,
        None,
        &Case { anchors: &anchors, nonce, at: NOW, references: &references, policy: &policy },
    )
}

fn said(verdict: &Verdict) -> String {
    let structure = verdict.checks().iter().find(|check| check.step == Step::Structure);
    structure.and_then(|check| check.found.clone()).unwrap_or_default()
}

fn token() -> Vec<u8> {
    first_token(&first())
}

fn certificate() -> Vec<u8> {
    device()[2].der()
}

fn pem(der: &[u8]) -> String {
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", base64(der))
}

/// A log of a Realm in which nothing was extended, or one event was.
fn log(events: bool) -> Vec<u8> {
    let spec = [&b"Spec ID Event03\0"[..], &[0; 4], &[0, 2, 0, 2], &[1, 0, 0, 0], &[0x0B, 0, 32, 0], &[0]].concat();
    let mut log = [&[1, 0, 0, 0][..], &[3, 0, 0, 0], &[0; 20], &(spec.len() as u32).to_le_bytes(), &spec].concat();
    if events {
        let digest = Sha256::digest([0; 4]);
        log.extend(
            [&[1, 0, 0, 0][..], &[4, 0, 0, 0], &[1, 0, 0, 0], &[0x0B, 0], &digest, &[4, 0, 0, 0], &[0; 4]].concat(),
        );
    }
    log
}

/// The messages of every system that sends tokens of virtCCA with the device's certificate.
fn virtcca_messages() -> Vec<(&'static str, Vec<u8>)> {
    let (token, certificate) = (token(), certificate());
    let framed = |part: &[u8]| [&(part.len() as u64).to_le_bytes(), part].concat();
    let gta = json!({"vcca_token": base64(&token), "dev_cert": base64(&certificate)});
    let node = json!({"node_id": "n", "nonce": {"iat": 1, "value": "AAAA", "signature": "AAAA"},
        "evidences": [{"attester_type": "virt_cca", "evidence": gta}]});
    vec![
        (
            "secGear",
            json!({"evidence": token, "dev_cert": certificate, "ima_log": null, "uefi_log": null}).to_string().into(),
        ),
        ("global-trust-authority evidence of virtCCA", gta.to_string().into()),
        ("one attester", json!({"attester_type": "virt_cca", "evidence": gta}).to_string().into()),
        ("global-trust-authority message", json!({"agent_version": "1", "measurements": [node]}).to_string().into()),
        ("kata", json!({"evidence_virtcca": token, "dev_cert": certificate}).to_string().into()),
        ("kata", json!({"evidence_virtcca": token, "dev_cert": pem(&certificate).as_bytes()}).to_string().into()),
        ("kata", json!({"evidence_virtcca": hex(&token), "dev_cert": pem(&certificate)}).to_string().into()),
        (
            "Trustee (KBS) attest message",
            json!({"tee-evidence": {"primary_evidence": {"evidence_virtcca": token, "dev_cert": certificate},
                "additional_evidence": ""}, "runtime-data": {"nonce": "n"}})
            .to_string()
            .into(),
        ),
        ("behind its length", [framed(&token), framed(&certificate)].concat()),
        ("behind its length", [framed(&token), framed(pem(&certificate).as_bytes())].concat()),
    ]
}

fn hex(bytes: &[u8]) -> String {
    evidence::hex::encode(bytes)
}

#[test]
fn a_device_certificate_in_the_envelope_is_an_endorsement() {
    assert_eq!(judge(&token()).outcome(), Outcome::NoTrustAnchor, "the control: a bare token has none with it");
    for (name, message) in virtcca_messages() {
        let verdict = judge(&message);
        assert_eq!(verdict.outcome(), Outcome::Affirming, "{name}: {verdict:#?}");
        let said = said(&verdict);
        assert!(said.contains(name) && said.contains("taken as --certificate"), "{name}: {said}");
        let dumped: Vec<String> = message.iter().map(|byte| format!("0x{byte:02x}")).collect();
        let armoured = format!("-----BEGIN EVIDENCE-----\n{}\n-----END EVIDENCE-----\n", base64(&message));
        let twice = base64(hex(&message).as_bytes());
        for encoded in [hex(&message), base64(&message), twice, dumped.join(",\n "), armoured] {
            assert_eq!(judge(encoded.as_bytes()).outcome(), Outcome::Affirming, "{name}, encoded");
        }
    }
}

#[test]
fn a_certificate_is_not_believed_because_it_came_along() {
    let [_, _, device] = device();
    let own = Certificate { signer: Signer::Rsa, issuer: "D924B0157002", ..device.clone() };
    let stranger = Certificate { signer: key(9), ..device };
    for certificate in [own.der(), stranger.der()] {
        let message = json!({"evidence": token(), "dev_cert": certificate}).to_string();
        let verdict = judge(message.as_bytes());
        assert_eq!(verdict.outcome(), Outcome::Contraindicated);
        assert_eq!(verdict.failed().map(|check| check.step), Some(Step::Chain));
    }
    let message = json!({"evidence": token(), "dev_cert": [0x30, 0x00]}).to_string();
    assert_eq!(judge(message.as_bytes()).outcome(), Outcome::Malformed, "none");
}

#[test]
fn a_log_in_the_envelope_must_lead_to_the_measurements() {
    let secgear = |events: bool| {
        let log = json!({"ccel_table": [], "ccel_data": log(events)});
        json!({"evidence": token(), "dev_cert": certificate(), "ima_log": [1, 2], "uefi_log": log}).to_string()
    };
    let gta = |events: bool| {
        let logs = json!([{"log_type": "ImaLog", "log_data": "AAAA"},
            {"log_type": "CCEL", "log_data": base64(&log(events))}]);
        json!({"vcca_token": base64(&token()), "dev_cert": base64(&certificate()), "logs": logs}).to_string()
    };
    for message in [secgear, gta] {
        let verdict = judge(message(false).as_bytes());
        assert_eq!(verdict.outcome(), Outcome::Affirming, "{verdict:#?}");
        let said = said(&verdict);
        assert!(said.contains("taken as --log") && said.contains("not judged"), "{said}");
        let verdict = judge(message(true).as_bytes());
        assert_eq!(verdict.outcome(), Outcome::Contraindicated);
        assert_eq!(verdict.failed().map(|check| check.step), Some(Step::Log));
        // One that is given by itself counts instead.
        assert_eq!(judge_at(message(true).as_bytes(), Some(&log(false)), &CHALLENGE).outcome(), Outcome::Affirming);
        assert_eq!(
            judge_at(message(false).as_bytes(), Some(&log(true)), &CHALLENGE).outcome(),
            Outcome::Contraindicated
        );
    }
}

/// Conceptual messages, and the other envelopes of Arm CCA's tokens.
fn cca_messages() -> Vec<(&'static str, Vec<u8>)> {
    let token = Maker::default().token();
    let media = "application/eat-collection; profile=\"tag:arm.com,2023:realm#1.0.0\"";
    let tagged = |number: u32, item: Vec<u8>| [&[0xDA][..], &number.to_be_bytes(), &item].concat();
    let named = |entries: &[(&str, Vec<u8>)]| {
        let content = entries.iter().flat_map(|(name, value)| [text(name), value.clone()].concat());
        [vec![0xA0 | entries.len() as u8], content.collect()].concat()
    };
    let record = array(&[text(media), bytes(&token)]);
    let report = named(&[("provider", text("arm_cca_guest")), ("outblob", bytes(&token))]);
    let ratsd = named(&[
        ("__cmwc_t", text("tag:github.com,2025:veraison/ratsd/cmw/v2")),
        ("__ratsd", array(&[text("application/eat-ucs+cbor"), bytes(&map(&vec![(10, bytes(&[7; 8]))]))])),
        ("tsm", array(&[text("application/vnd.veraison.tsm-report+cbor"), bytes(&report)])),
    ]);
    let signed = [vec![0xD2], array(&[bytes(&[0xA0]), vec![0xA0], bytes(&ratsd), bytes(&[0xFF])])].concat();
    let tsm = json!({"provider": "arm_cca_guest\n", "outblob": url(&token)}).to_string();
    let legacy = json!({"__cmwc_t": "tag:github.com,2025:veraison/ratsd/cmw",
        "tsm": ["application/vnd.veraison.tsm-report+json", url(tsm.as_bytes())]});
    vec![
        ("CoCo", json!({"token": token}).to_string().into()),
        ("KBS", json!({"primary_evidence": {"token": token}, "additional_evidence": ""}).to_string().into()),
        ("KBS", json!({"tee-evidence": json!({"token": token}).to_string(), "tee-pubkey": {}}).to_string().into()),
        (
            "attestation service",
            json!({"verification_requests": [{"tee": "cca", "evidence": url(json!({"token": token}).to_string().as_bytes())}],
                "policy_ids": ["default"]})
            .to_string()
            .into(),
        ),
        ("media type", json!({"evidence": {"type": media, "value": base64(&token)}, "status": "complete"}).to_string().into()),
        ("conceptual message", json!([media, url(&token)]).to_string().into()),
        ("conceptual message", json!([media, url(&token), 4]).to_string().into()),
        ("collection", json!({"a": ["text/plain", "aGVsbG8"], "b": [media, url(&token)]}).to_string().into()),
        ("TSM report", tsm.clone().into()),
        ("ratsd", json!({"eat_profile": "p", "eat_nonce": "n", "cmw": url(legacy.to_string().as_bytes())}).to_string().into()),
        ("conceptual message", record.clone()),
        ("conceptual message", array(&[uint(263), bytes(&token), uint(4)])),
        ("conceptual message", tagged(1_668_546_817 + 263, bytes(&token))),
        ("collection", named(&[("a", array(&[text("text/plain"), bytes(b"hello")])), ("b", record.clone())])),
        ("collection", [vec![0xD9, 0x03, 0x8B], map(&vec![(1, named(&[("b", record)]))])].concat()),
        ("TSM report", report),
        ("collection", ratsd),
        ("signed message", signed),
        ("byte string", bytes(&token)),
    ]
}

/// Base64 of the other alphabet, without padding.
fn url(bytes: &[u8]) -> String {
    base64(bytes).trim_end_matches('=').replace('+', "-").replace('/', "_")
}

#[test]
fn tokens_of_arm_cca_are_found_in_every_message() {
    assert!(judge_cca(&Maker::default().token()).affirms(), "the control");
    for (name, message) in cca_messages() {
        let verdict = judge_cca(&message);
        assert!(verdict.affirms(), "{name}: {verdict:#?}");
        assert!(said(&verdict).contains(name), "{name}: {}", said(&verdict));
        assert!(!said(&verdict).contains(char::REPLACEMENT_CHARACTER), "{name}: {}", said(&verdict));
    }
}

#[test]
fn a_change_of_the_token_is_refused_through_every_envelope() {
    let good = Maker::default().token();
    let mut bad = Maker::default();
    set(&mut bad.realm, 44238, bytes(&[0x12; 32]));
    let message = |token: &[u8]| json!({"tee-evidence": {"primary_evidence": {"token": token}}}).to_string();
    assert!(judge_cca(message(&good).as_bytes()).affirms(), "the control");
    assert_eq!(judge_cca(message(&bad.token()).as_bytes()).outcome(), Outcome::Contraindicated);
    let mut flipped = good.clone();
    let last = flipped.len() - 1;
    flipped[last] ^= 1;
    assert_eq!(judge_cca(message(&flipped).as_bytes()).outcome(), Outcome::Contraindicated);
    assert_eq!(judge_cca(message(&good[..last]).as_bytes()).outcome(), Outcome::Malformed, "cut short");
}

/// A TLS certificate as rats-tls makes it for virtCCA, and the token for its claims.
fn tls(nonce: &[u8], of: &Signer) -> Vec<u8> {
    let hash = array(&[uint(1), bytes(&Sha256::digest(of.info()))]);
    let claims = [vec![0xA2], text("pubkey-hash"), bytes(&hash), text("nonce"), bytes(nonce)].concat();
    let challenge = [&Sha256::digest(&claims)[..], &[0; 32]].concat();
    let half: Half = with(&first(), 10, bytes(&challenge));
    let (token, device) = (first_token(&half), certificate());
    let framed = |part: &[u8]| [&(part.len() as u64).to_le_bytes(), part].concat();
    let evidence = [framed(&token), framed(&device)].concat();
    let value = [vec![0xDA, 0x00, 0x0F, 0x06, 0x29], array(&[bytes(&evidence), bytes(&claims)])].concat();
    let more = vec![der::extension(&[0x67, 0x81, 0x05, 0x05, 0x04, 0x09], false, &value)];
    Certificate { subject: "RATS-TLS", issuer: "RATS-TLS", key: key(7), signer: key(7), more, identity: None, ..leaf() }
        .der()
}

#[test]
fn a_tls_certificate_proves_its_key_and_its_nonce() {
    let nonce = [0x4E; 32];
    let good = tls(&nonce, &key(7));
    for evidence in [good.clone(), pem(&good).into_bytes()] {
        let verdict = judge_at(&evidence, None, &nonce);
        assert_eq!(verdict.outcome(), Outcome::Affirming, "{verdict:#?}");
        assert!(said(&verdict).contains("rats-tls"), "{}", said(&verdict));
    }
    let verdict = judge_at(&good, None, &[0x4F; 32]);
    assert_eq!(verdict.failed().map(|check| check.step), Some(Step::Nonce), "another's handshake");
    let other = tls(&nonce, &key(8));
    let verdict = judge_at(&other, None, &nonce);
    assert_eq!(verdict.outcome(), Outcome::Malformed, "somebody else's key");
    assert!(verdict.failed().and_then(|it| it.found.clone()).is_some_and(|it| it.contains("another key's")));
}

#[test]
fn a_conceptual_message_in_a_certificate_is_opened() {
    let record = array(&[text("application/eat-collection"), bytes(&Maker::default().token())]);
    let value = der::tagged(0x04, &record);
    let more = vec![der::extension(&[0x2B, 6, 1, 5, 5, 7, 1, 0x23], false, &value)];
    let certificate = Certificate { key: key(7), signer: key(7), more, identity: None, ..leaf() }.der();
    let verdict = judge_cca(&certificate);
    assert!(verdict.affirms(), "{verdict:#?}");
    assert!(said(&verdict).contains("the TLS key of the certificate"), "{}", said(&verdict));
    assert_eq!(judge_cca(&leaf().der()).outcome(), Outcome::Malformed, "a certificate without evidence");
}

fn refusal(evidence: &[u8]) -> Refusal {
    envelope::open(evidence).expect_err("a refusal")
}

fn opened(evidence: &Value) -> Opened {
    envelope::open(evidence.to_string().as_bytes()).expect("an envelope")
}

#[test]
fn envelopes_are_read_strictly() {
    let token = token();
    assert_eq!(opened(&json!({"token": token})).token(), token, "the control");
    let twice = format!("{{\"token\": {0}, \"token\": {0}}}", json!(token));
    assert!(matches!(refusal(twice.as_bytes()), Refusal::Json(error) if error.contains("second time")));
    let two = json!({"token": token, "evidence": {"token": token}}).to_string();
    assert_eq!(refusal(two.as_bytes()), Refusal::Several { what: "token" });
    let logs = json!({"log_type": "CCEL", "log_data": "AAAA"});
    let two =
        json!({"vcca_token": base64(&token), "dev_cert": base64(&certificate()), "logs": [logs, logs]}).to_string();
    assert_eq!(refusal(two.as_bytes()), Refusal::Several { what: "event log" });
    assert!(matches!(refusal(b"{\"token\": [1, 2"), Refusal::Json(_)), "cut short");
    assert!(matches!(refusal(b"{\"token\": {\"a\": 1}}"), Refusal::Encoding { .. }));
    assert!(matches!(refusal(b"{\"token\": \"%%%%\"}"), Refusal::Encoding { .. }));
    assert!(matches!(refusal(b"{\"a\": 1}"), Refusal::NoToken { .. }));
    assert!(matches!(refusal(b"{\"additional_evidence\": \"\", \"primary_evidence\": null}"), Refusal::NoToken { .. }));
    assert!(matches!(refusal(b"{\"ear.status\": \"affirming\", \"token\": \"AAAA\"}"), Refusal::Result));
    assert_eq!(refusal(b"eyJhbGciOiJFUzI1NiJ9.e30.AAAA"), Refusal::Result, "somebody else's verdict");
    assert_eq!(refusal(&vec![b' '; envelope::MAX + 1]), Refusal::TooLong { found: envelope::MAX + 1 });
    let mut deep = base64(&token);
    (0..20).for_each(|_| deep = base64(deep.as_bytes()));
    assert_eq!(refusal(deep.as_bytes()), Refusal::TooDeep);
    let deep = [vec![b'['; 5000], vec![b']'; 5000]].concat();
    assert!(matches!(refusal(&deep), Refusal::Json(_)));
}

#[test]
fn what_is_nothing_known_is_left_for_the_reader_of_tokens() {
    for bytes in [&b"\xFF\xFF"[..], &[0xA0], &[0xD9, 0x03, 0x8B, 0xA0], &[], &[0x30, 0x80], &[0x80]] {
        assert_eq!(envelope::open(bytes).expect("not opened").token(), bytes);
        assert_eq!(judge(bytes).outcome(), Outcome::Malformed);
    }
    assert_eq!(envelope::open(b"d9018fa0").expect("not opened").token(), [0xD9, 0x01, 0x8F, 0xA0]);
}

#[test]
fn no_cut_or_change_of_an_envelope_says_more() {
    let mut tried = 0;
    for (name, message) in virtcca_messages().into_iter().chain(cca_messages()) {
        let whole = envelope::open(&message).expect("an envelope");
        for cut in (0..message.len()).step_by(message.len() / 64 + 1) {
            assert_ne!(envelope::open(&message[..cut]).ok().as_ref(), Some(&whole), "{name} cut at {cut}");
            tried += 1;
        }
        for at in (0..message.len()).step_by(message.len() / 256 + 1) {
            let mut other = message.clone();
            other[at] ^= 1 << (at % 8);
            // Anything may come of it but a panic.
            let _ = envelope::open(&other);
            tried += 1;
        }
    }
    assert!(tried > 5000, "{tried}");
}
