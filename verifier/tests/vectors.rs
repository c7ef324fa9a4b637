//! Other people's tokens under other people's keys, read in place: each comes out as its provenance says.
//!
//! `ALLOD_VECTORS` names the folder; without it, `shared/vectors` beside the workspace is tried.

mod vector;

use allod_verifier::anchors::Anchors;
use allod_verifier::{Outcome, References, Status, Step, huawei};
use vector::{Vector, vectors};

#[test]
fn tokens_that_should_verify_do_and_affirm_with_their_own_values() {
    let Some(folder) = vectors("attestation", 6) else { return };
    for (name, key_file) in [
        ("cca-tokens/legacy-tfrmm.cbor", "keys/ta-tfa.json"),
        ("cca-tokens/mixed-legacy-platform-2023-realm.cbor", "keys/evcli-ec256.json"),
        ("cca-tokens/p2023-cmw907.cbor", "keys/evcli-ec256.json"),
        ("cca-tokens/p2023-tfa-13components.cbor", "keys/ta-tfa.json"),
        ("derived/p2024-all-claims-tag399.cbor", "keys/evcli-ec256.json"),
        ("derived/p2026-delegated-cmw907.cbor", "keys/ta-tfa.json"),
    ] {
        let vector = Vector::arm(&folder, name, key_file);
        let verdict = vector.judge(&vector.token, &References::new());
        assert_eq!(
            verdict.outcome(),
            Outcome::Warning,
            "{name}: authentic, without references: {:?}",
            verdict.failed()
        );
        let verdict = vector.judge(&vector.token, &vector.echo());
        assert_eq!(verdict.outcome(), Outcome::Affirming, "{name}: {verdict:#?}");
    }
}

#[test]
fn tokens_that_should_not_verify_are_refused_for_what_is_wrong_with_them() {
    let Some(folder) = vectors("attestation", 3) else { return };
    for (name, key_file, step) in [
        ("cca-tokens/neg-binding-mismatch.cbor", "keys/ta-tfa.json", "binding"),
        ("cca-tokens/draft04-example-as-printed.cbor", "keys/ta-tfa.json", "platform-signature"),
        ("derived/p2026-neg-platform-signature.cbor", "keys/ta-tfa.json", "platform-signature"),
    ] {
        let vector = Vector::arm(&folder, name, key_file);
        let verdict = vector.judge(&vector.token, &References::new());
        assert_eq!(verdict.outcome(), Outcome::Contraindicated, "{name}");
        assert_eq!(verdict.failed().map(|check| check.label()).as_deref(), Some(step), "{name}");
    }
}

#[test]
fn the_wrong_key_is_refused() {
    let Some(folder) = vectors("attestation", 3) else { return };
    for (name, key_file) in [
        ("cca-tokens/p2023-tfa-13components.cbor", "keys/evcli-ec384.json"),
        ("cca-tokens/p2023-tfa-13components.cbor", "keys/evcli-ec256.json"),
        ("cca-tokens/p2023-cmw907.cbor", "keys/evcli-ec384.json"),
    ] {
        let vector = Vector::arm(&folder, name, key_file);
        let verdict = vector.judge(&vector.token, &References::new());
        let step = verdict.failed().map(|check| check.label());
        // A store names the platform that a key is for, and no other is.
        let wanted = if key_file.contains("evcli") { "platform-signature" } else { "trust-anchor" };
        assert_eq!(step.as_deref(), Some(wanted), "{name} under {key_file}");
    }
}

#[test]
fn published_keys_are_refused_unless_they_are_let_pass() {
    let Some(folder) = vectors("attestation", 2) else { return };
    for (name, key_file) in [
        ("cca-tokens/p2023-tfa-13components.cbor", "keys/ta-tfa.json"),
        ("cca-tokens/p2023-cmw907.cbor", "keys/evcli-ec256.json"),
    ] {
        let mut vector = Vector::arm(&folder, name, key_file);
        assert!(vector.judge(&vector.token, &vector.echo()).affirms(), "{name}: the control");
        let echo = vector.echo();
        vector.anchors = Anchors::new();
        vector.anchors.add(&std::fs::read(folder.join(key_file)).expect("the key")).expect("a key");
        let verdict = vector.judge(&vector.token, &echo);
        assert_eq!(verdict.outcome(), Outcome::NoTrustAnchor, "{name}");
        let found = verdict.failed().and_then(|check| check.found.clone()).unwrap_or_default();
        assert!(found.contains("private half is published"), "{found}");
    }
}

#[test]
fn the_same_key_is_read_from_every_form_of_file() {
    let Some(folder) = vectors("attestation", 1) else { return };
    for key_file in ["keys/ta-tfa.json", "keys/cpak.json", "keys/cca_platform.pub"] {
        let vector = Vector::arm(&folder, "cca-tokens/p2023-tfa-13components.cbor", key_file);
        assert!(vector.judge(&vector.token, &vector.echo()).affirms(), "{key_file}");
    }
}

#[test]
fn a_real_virtcca_machine_is_authentic_below_huaweis_roots() {
    let Some(folder) = vectors("virtcca", 1) else { return };
    let vector = Vector::virtcca(&folder);
    let verdict = vector.judge(&vector.token, &References::new());
    assert_eq!(verdict.outcome(), Outcome::Warning, "authentic, without references: {:?}", verdict.failed());
    let chain = verdict.checks().iter().find(|check| check.step == Step::Chain).expect("a chain");
    assert_eq!(chain.status, Status::Ok);
    assert!(chain.found.as_deref().is_some_and(|it| it.contains("CN=Huawei Equipment CA")), "{chain:?}");
    assert_eq!(vector.judge(&vector.token, &vector.echo()).outcome(), Outcome::Affirming);
}

#[test]
fn a_real_virtcca_token_needs_its_own_certificate_and_huaweis_roots() {
    let Some(folder) = vectors("virtcca", 1) else { return };
    let file = |name: &str| std::fs::read(folder.join(name)).expect("the file");
    let (root, sub, device) = (file(vector::ROOT), file(vector::SUB), file(vector::DEVICE));
    let mut vector = Vector::virtcca(&folder);
    let mut judge = |at: u64, roots: &[&[u8]], between: &[&[u8]]| {
        let mut anchors = Anchors::new();
        roots.iter().for_each(|root| anchors.add(root).expect("an anchor"));
        between.iter().for_each(|it| anchors.add_endorsements(it).expect("an endorsement"));
        (vector.anchors, vector.at) = (anchors, at);
        let verdict = vector.judge(&vector.token, &References::new());
        (verdict.outcome(), verdict.failed().map(|check| check.step))
    };
    let now = vector::NOW;
    assert_eq!(judge(now, &[&root], &[&sub, &device]), (Outcome::Warning, None), "the control");
    assert_eq!(judge(now, &[&sub], &[&device]), (Outcome::Warning, None), "the lower authority may be the anchor");
    let chain = (Outcome::Contraindicated, Some(Step::Chain));
    assert_eq!(judge(now, &[&device], &[]), (Outcome::Warning, None), "and so may the machine's own certificate");
    assert_eq!(judge(now, &[&root], &[&device]), chain, "a gap");
    assert_eq!(judge(now, &[&file(vector::ECC_ROOT)], &[&sub, &device]), chain, "another root");
    assert_eq!(judge(1_700_000_000, &[&root], &[&sub, &device]), chain, "before it was made");
    assert_eq!(judge(2_250_000_000, &[&root], &[&sub, &device]), chain, "after it has expired");
    assert_eq!(judge(now, &[&root], &[&sub]), (Outcome::NoTrustAnchor, Some(Step::TrustAnchor)), "no certificate");
    let mut bad = device.clone();
    let last = bad.len() - 1;
    bad[last] ^= 1;
    assert_eq!(judge(now, &[&root], &[&sub, &bad]), chain, "a certificate that was changed");
}

#[test]
fn huaweis_authorities_are_recognised() {
    let Some(folder) = vectors("virtcca", 0) else { return };
    for file in [vector::ROOT, vector::SUB, vector::ECC_ROOT, vector::ECC_SUB] {
        let pem = std::fs::read(folder.join(file)).expect("the certificate");
        let certificates = allod_verifier::certificate::read_file(&pem).expect("a certificate");
        let [certificate] = certificates.as_slice() else { panic!("one certificate") };
        let known = huawei::recognise(certificate).expect("one of the four");
        assert!(certificate.subject().contains(known.name), "{file}");
        assert!(certificate.may_certify() && certificate.may_revoke(), "{file}");
    }
    let read = |name: &str| {
        let pem = std::fs::read(folder.join(name)).expect("the certificate");
        allod_verifier::certificate::read_file(&pem).expect("a certificate").remove(0)
    };
    for (sub, root) in [(vector::SUB, vector::ROOT), (vector::ECC_SUB, vector::ECC_ROOT)] {
        let (sub, root) = (read(sub), read(root));
        assert!(sub.names_as_issuer(&root));
        assert_eq!(sub.verify_signature(&root), Ok(()));
        assert!(root.verify_signature(&sub).is_err());
    }
    assert!(read(vector::ECC_SUB).revocation_list().is_some_and(|it| it.starts_with("http://support.huawei.com/")));
}
