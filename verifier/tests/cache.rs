//! What is remembered of a platform: the same verdicts as without, and nothing that anything else depends on.

mod maker;
mod vector;

use allod_verifier::certificate::Identity;
use allod_verifier::{Anchors, Case, Nonce, Outcome, Policy, References, Verdict, verify};
use maker::token::{Maker, bytes, set};
use maker::{CHALLENGE, IMPLEMENTATION, NOW, RevocationList, good_references, instance, key, list};
use vector::{Vector, vectors};

/// Anchors whose authorities may revoke, too.
fn good_anchors() -> Anchors {
    let [root, sub] = [maker::root(), maker::sub()].map(|it| maker::Certificate { usage: Some(0x06), ..it });
    maker::anchors(&root, &[&sub, &maker::leaf()])
}

fn remembering(mut anchors: Anchors, platforms: usize) -> Anchors {
    anchors.remember(platforms);
    anchors
}

fn judge(token: &[u8], anchors: &Anchors, at: u64) -> Verdict {
    judge_for(token, anchors, at, &CHALLENGE)
}

fn judge_for(token: &[u8], anchors: &Anchors, at: u64, nonce: &[u8]) -> Verdict {
    let (references, nonce) = (good_references(), Nonce::new(nonce).expect("32 to 64 bytes"));
    verify(token, &Case { anchors, nonce, at, references: &references, policy: &Policy::default() })
}

/// A verdict with every check in it.
fn whole(verdict: &Verdict) -> String {
    format!("{verdict:?}")
}

/// Judges with a memory, which has been filled or has not, and without, and expects the same each time.
fn same(token: &[u8], anchors: &Anchors, remembering: &Anchors, at: u64) -> Verdict {
    let expected = judge(token, anchors, at);
    assert_eq!(whole(&judge(token, remembering, at)), whole(&expected));
    assert_eq!(whole(&judge(token, remembering, at)), whole(&expected), "the second time");
    expected
}

fn failed(verdict: &Verdict) -> Option<String> {
    maker::failed(verdict)
}

#[test]
fn every_bit_that_is_flipped_has_the_same_verdict_with_and_without() {
    let (plain, known) = (good_anchors(), remembering(good_anchors(), 4));
    let token = Maker::default().token();
    assert!(same(&token, &plain, &known, NOW).affirms(), "control");
    let mut refused = 0;
    for bit in (0..token.len() * 8).step_by(7) {
        let mut other = token.clone();
        other[bit / 8] ^= 1 << (bit % 8);
        let expected = judge(&other, &plain, NOW);
        assert_eq!(whole(&judge(&other, &known, NOW)), whole(&expected), "bit {bit}");
        refused += usize::from(!expected.affirms());
    }
    assert!(refused > token.len() * 8 / 7 * 9 / 10, "{refused} refused");
    assert!(judge(&token, &known, NOW).affirms(), "none of them has spoilt it");
}

#[test]
fn another_realm_on_the_same_platform_passes_and_its_own_faults_do_not() {
    let known = remembering(good_anchors(), 4);
    let maker = Maker::default();
    assert!(judge(&maker.token(), &known, NOW).affirms());
    let changed = |entry: u64, value: Vec<u8>| {
        let mut maker = maker.clone();
        set(&mut maker.realm, entry, value);
        judge(&maker.token(), &known, NOW)
    };
    assert_eq!(failed(&changed(44238, bytes(&[0x12; 32]))).as_deref(), Some("rim"), "another image");
    assert_eq!(failed(&changed(10, bytes(&[0; 64]))).as_deref(), Some("nonce"), "another challenge");
    let verdict = judge_for(&maker.token(), &known, NOW, &[0xC5; 64]);
    assert_eq!(failed(&verdict).as_deref(), Some("nonce"), "a token that is shown again");
    let foreign = maker.clone().with_rak(key(9), false);
    assert_eq!(failed(&judge(&foreign.token(), &known, NOW)).as_deref(), Some("binding"), "another platform's Realm");
    let mut unsigned = maker.clone();
    unsigned.rak = key(9);
    assert_eq!(failed(&judge(&unsigned.token(), &known, NOW)).as_deref(), Some("realm-signature"));
    assert!(judge(&maker.token(), &known, NOW).affirms());
}

#[test]
fn a_change_of_the_anchors_is_felt_at_once() {
    let token = Maker::default().token();
    let filled = || {
        let known = remembering(good_anchors(), 4);
        assert!(judge(&token, &known, NOW).affirms());
        known
    };
    let mut revoked = filled();
    revoked.add_revocations(&RevocationList { revoked: vec![7], ..list() }.der()).expect("a list");
    assert_eq!(failed(&judge(&token, &revoked, NOW)).as_deref(), Some("revocation"));
    let other_key = maker::Certificate { key: key(5), ..maker::leaf() };
    let mut doubted = filled();
    doubted.add_endorsements(&other_key.der()).expect("a certificate");
    assert_eq!(judge(&token, &doubted, NOW).outcome(), Outcome::NoTrustAnchor, "two keys for one platform");
    let mut pinned = filled();
    pinned.pin(Identity { implementation_id: IMPLEMENTATION, instance_id: instance(&key(3)) }, key(5).verifying());
    assert_eq!(judge(&token, &pinned, NOW).outcome(), Outcome::NoTrustAnchor, "another key is pinned for it");
    let mut any = filled();
    any.pin_any(key(5).verifying());
    assert_eq!(judge(&token, &any, NOW).outcome(), Outcome::NoTrustAnchor, "another key is pinned for all");
    // The certificate of a platform that is trusted for itself: its chain is then another.
    let mut added = filled();
    added.add(&maker::leaf().der()).expect("a certificate");
    let mut anew = good_anchors();
    anew.add(&maker::leaf().der()).expect("a certificate");
    assert_eq!(whole(&judge(&token, &added, NOW)), whole(&judge(&token, &anew, NOW)));
    let mut rooted = filled();
    rooted.add_roots(&maker::sub().der()).expect("a certificate");
    let mut anew = good_anchors();
    anew.add_roots(&maker::sub().der()).expect("a certificate");
    assert_eq!(whole(&judge(&token, &rooted, NOW)), whole(&judge(&token, &anew, NOW)));
    assert!(judge(&token, &Anchors::new(), NOW).outcome() == Outcome::NoTrustAnchor, "control: nobody is trusted");
}

#[test]
fn nothing_outlives_a_certificate_or_a_list() {
    let token = Maker::default().token();
    let (plain, known) = (good_anchors(), remembering(good_anchors(), 4));
    let expires = 2_114_380_799; // 2036-12-31T23:59:59Z
    let begins = 1_767_225_600; // 2026-01-01T00:00:00Z
    assert!(same(&token, &plain, &known, NOW).affirms());
    for (at, affirms) in [(expires, true), (expires + 1, false), (begins, true), (begins - 1, false), (NOW, true)] {
        assert_eq!(same(&token, &plain, &known, at).affirms(), affirms, "at {at}");
    }
    let mut plain = good_anchors();
    plain.add_revocations(&list().der()).expect("a list");
    let known = remembering(plain.clone(), 4);
    let lapses = 1_796_083_200; // 2026-12-01T00:00:00Z
    for (at, affirms) in [(NOW, true), (lapses, true), (lapses + 1, false), (NOW, true), (begins, false)] {
        assert_eq!(same(&token, &plain, &known, at).affirms(), affirms, "at {at}, with a list");
    }
}

#[test]
fn whoever_fails_is_not_remembered_and_more_than_fit_are_forgotten() {
    let mut plain = Anchors::new();
    let platforms: Vec<Maker> = (10..20).map(|number| Maker::default().with_cpak(key(number))).collect();
    for (maker, number) in platforms.iter().zip(10..19) {
        let instance_id = instance(&maker.cpak);
        plain.pin(Identity { implementation_id: IMPLEMENTATION, instance_id }, key(number).verifying());
    }
    let known = remembering(plain.clone(), 3);
    for _ in 0..2 {
        for (index, maker) in platforms.iter().enumerate() {
            let verdict = same(&maker.token(), &plain, &known, NOW);
            assert_eq!(verdict.affirms(), index < 9, "the tenth is of nobody known");
        }
    }
    let mut late = known.clone();
    let last = &platforms[9];
    late.pin(Identity { implementation_id: IMPLEMENTATION, instance_id: instance(&last.cpak) }, last.cpak.verifying());
    assert!(judge(&last.token(), &late, NOW).affirms(), "a failure is not remembered");
    assert!(!judge(&last.token(), &known, NOW).affirms(), "nor does the copy that was changed change the other");
}

#[test]
fn every_vector_has_the_same_verdict_with_and_without() {
    const TFA: &str = "keys/ta-tfa.json";
    const EVCLI: &str = "keys/evcli-ec256.json";
    let Some(folder) = vectors("attestation", 8) else { return };
    for (name, key_file) in [
        ("cca-tokens/legacy-tfrmm.cbor", TFA),
        ("cca-tokens/mixed-legacy-platform-2023-realm.cbor", EVCLI),
        ("cca-tokens/p2023-cmw907.cbor", EVCLI),
        ("cca-tokens/p2023-tfa-13components.cbor", TFA),
        ("derived/p2024-all-claims-tag399.cbor", EVCLI),
        ("derived/p2026-delegated-cmw907.cbor", TFA),
        ("cca-tokens/neg-binding-mismatch.cbor", TFA),
        ("derived/p2026-neg-platform-signature.cbor", TFA),
    ] {
        let mut vector = Vector::arm(&folder, name, key_file);
        let expected = whole(&vector.judge(&vector.token, &References::new()));
        vector.anchors.remember(4);
        for _ in 0..2 {
            assert_eq!(whole(&vector.judge(&vector.token, &References::new())), expected, "{name}");
        }
    }
}
