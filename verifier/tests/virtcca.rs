//! virtCCA machines of both generations under self-made authorities: each refusal beside its control.

mod maker;

use allod_verifier::certificate::{Certificate as Read, Unreadable};
use allod_verifier::{Anchors, Case, Nonce, Outcome, Policy, References, Status, Step, Verdict, verify};
use maker::rsa::sign_pss;
use maker::signer::info;
use maker::token::{array, assembled, bytes, set, text, uint};
use maker::virtcca::{Half, Second, anchors, chain, enclosed, first, first_token, references, with};
use maker::{CHALLENGE, Certificate, NOW, Signer, der, failed, judge_by, key, key521};
use sha2::{Digest, Sha256};

const NO_PLATFORM: [Step; 4] = [Step::Lifecycle, Step::ImplementationId, Step::Config, Step::Component];

/// Judges by a policy that knows that the first generation says nothing of its firmware.
fn judge_first(token: &[u8], anchors: &Anchors) -> Verdict {
    let policy = Policy { may_stay_undone: NO_PLATFORM.to_vec(), ..Policy::default() };
    let nonce = Nonce::new(&CHALLENGE).expect("64 bytes");
    verify(token, &Case { anchors, nonce, at: NOW, references: &references(), policy: &policy })
}

fn device() -> [Certificate; 3] {
    chain(key, &Signer::Rsa)
}

fn machine() -> [Certificate; 3] {
    chain(key521, &key521(3))
}

fn judge_second(machine: &Second) -> Verdict {
    judge_by(&machine.token(), &anchors(&self::machine()), &references(), NOW)
}

/// A good machine affirms; with the fault it is refused at this step.
fn refused(fault: impl FnOnce(&mut Second), step: &str) {
    let verdict = judge_second(&Second::default());
    assert!(verdict.affirms(), "the control: {verdict:#?}");
    let mut machine = Second::default();
    fault(&mut machine);
    let verdict = judge_second(&machine);
    assert_eq!((verdict.outcome(), failed(&verdict).as_deref()), (Outcome::Contraindicated, Some(step)));
}

/// A certificate for an RSA key that nobody has the private half of.
fn another_device(bits: usize) -> (Vec<u8>, Vec<u8>) {
    let modulus = [vec![0xC3], vec![0x5A; bits / 8 - 2], vec![0x77]].concat();
    let key = info(None, &der::sequence(&[&der::integer(&modulus), &der::integer(&[1, 0, 1])]));
    let [_, _, device] = device();
    // The maker writes the key that it signs for: this one is put in its place, and signed again.
    let old = device.der();
    let signed_at = 4;
    let length = usize::from(old[signed_at + 2]) << 8 | usize::from(old[signed_at + 3]);
    let signed = &old[signed_at + 4..signed_at + 4 + length];
    let own = Signer::Rsa.info();
    let at = signed.windows(own.len()).position(|it| it == own).expect("the key is there");
    let signed = der::sequence(&[&signed[..at], &key, &signed[at + own.len()..]]);
    let signature = der::bits(0, &device.signer.sign_der(&signed));
    (key, der::sequence(&[&signed, &device.signer.algorithm(), &signature]))
}

#[test]
fn the_first_generation_affirms_where_nothing_is_asked_of_its_firmware() {
    for twice in [true, false] {
        let token = first_token(&Half { twice, ..first() });
        let verdict = judge_first(&token, &anchors(&device()));
        assert_eq!(verdict.outcome(), Outcome::Affirming, "{verdict:#?}");
        assert!(verdict.platform().is_none() && verdict.realm().is_some());
        let verdict = judge_by(&token, &anchors(&device()), &references(), NOW);
        assert_eq!(verdict.outcome(), Outcome::Warning, "by default it may not stay unasked");
        for step in NO_PLATFORM {
            let check = verdict.checks().iter().find(|check| check.step == step).expect("it is shown");
            assert_eq!(check.status, Status::NotDone);
        }
    }
}

#[test]
fn a_first_generation_token_must_be_signed_by_the_device_of_the_certificate() {
    let token = first_token(&first());
    assert!(judge_first(&token, &anchors(&device())).affirms(), "the control");
    let [root, sub, device] = device();
    let (_, other) = another_device(4096);
    let mut another = maker::anchors(&root, &[&sub]);
    another.add_endorsements(&other).expect("a certificate");
    let verdict = judge_first(&token, &another);
    assert_eq!((verdict.outcome(), failed(&verdict).as_deref()), (Outcome::Contraindicated, Some("binding")));
    another.add_endorsements(&device.der()).expect("a certificate");
    assert!(judge_first(&token, &another).affirms(), "among many, the one with the token's key");
    let none = maker::anchors(&root, &[&sub]);
    assert_eq!(judge_first(&token, &none).outcome(), Outcome::NoTrustAnchor);
}

#[test]
fn a_first_generation_key_may_be_pinned() {
    let token = first_token(&first());
    let mut pinned = Anchors::new();
    pinned.pin_any(Signer::Rsa.verifying());
    assert!(judge_first(&token, &pinned).affirms());
    let mut other = Anchors::new();
    let (key, _) = another_device(4096);
    other.pin_any(allod_verifier::key::Key::from_info(&key).expect("a key"));
    assert_eq!(failed(&judge_first(&token, &other)).as_deref(), Some("binding"));
}

#[test]
fn a_first_generation_signature_is_of_one_form_alone() {
    let half = first();
    let signed = |signature: &[u8]| enclosed(&[(44241, assembled(&half.header, &half.payload(), signature))]);
    let judge = |token: &[u8]| judge_first(token, &anchors(&device()));
    assert!(judge(&signed(&sign_pss(&half.signed_bytes(), 32))).affirms(), "the control");
    for salt in [0, 31, 33, 64] {
        let verdict = judge(&signed(&sign_pss(&half.signed_bytes(), salt)));
        assert_eq!(failed(&verdict).as_deref(), Some("realm-signature"), "a salt of {salt} bytes");
    }
    let mut bytes = sign_pss(&half.signed_bytes(), 32);
    for cut in [&bytes[..511], &[], &[&bytes[..], &[0]].concat(), &[&[0], &bytes[..]].concat()] {
        assert_eq!(failed(&judge(&signed(cut))).as_deref(), Some("realm-signature"));
    }
    bytes.fill(0xFF);
    assert_eq!(failed(&judge(&signed(&bytes))).as_deref(), Some("realm-signature"), "more than the modulus");
    let pkcs1 = Signer::Rsa.sign_der(&half.signed_bytes());
    assert_eq!(failed(&judge(&signed(&pkcs1))).as_deref(), Some("realm-signature"), "the other padding");
}

#[test]
fn a_small_device_key_is_refused_even_where_it_is_certified() {
    let (key, certificate) = another_device(2048);
    let [root, sub, _] = device();
    let mut anchors = maker::anchors(&root, &[&sub]);
    anchors.add_endorsements(&certificate).expect("a certificate");
    let verdict = judge_first(&first_token(&with(&first(), 44237, bytes(&key))), &anchors);
    assert_eq!(failed(&verdict).as_deref(), Some("realm-signature"));
    let found = verdict.failed().and_then(|check| check.found.clone()).unwrap_or_default();
    assert!(found.contains("another size"), "{found}");
}

#[test]
fn a_device_certificate_must_lead_to_a_root() {
    let token = first_token(&first());
    let broken = |fault: fn(&mut [Certificate; 3]), words: &str| {
        assert!(judge_first(&token, &anchors(&device())).affirms(), "the control");
        let mut chain = device();
        fault(&mut chain);
        let verdict = judge_first(&token, &anchors(&chain));
        assert_eq!(failed(&verdict).as_deref(), Some("chain"), "{words}");
        let found = verdict.failed().and_then(|check| check.found.clone()).unwrap_or_default();
        assert!(found.contains(words), "{found:?} has no {words:?}");
    };
    broken(
        |[_, _, device]| device.validity = ("20200101000000Z", "20210101000000Z"),
        "CN=D924B0157002 is valid from 2020",
    );
    broken(
        |[_, _, device]| device.validity = ("20300101000000Z", "20360101000000Z"),
        "CN=D924B0157002 is valid from 2030",
    );
    broken(|[_, sub, _]| sub.validity = ("20200101000000Z", "20210101000000Z"), "CN=sub is valid from 2020");
    broken(|[_, _, device]| device.signer = key(9), "CN=D924B0157002 has a signature");
    broken(|[root, ..]| (root.key, root.signer) = (key(9), key(9)), "CN=sub has a signature");
    broken(|[_, sub, _]| sub.constraints = None, "CN=sub is not an authority");
    broken(|[_, sub, _]| sub.usage = Some(0x80), "CN=sub is not an authority");
    broken(|[root, ..]| root.constraints = Some((true, Some(0))), "CN=root admits 0 authorities");
    broken(|[_, _, device]| device.usage = Some(0x20), "CN=D924B0157002 is not a key for signing tokens");
}

#[test]
fn a_device_signs_with_rsa_what_its_authority_signs_with_rsa() {
    let [root, sub, device] = chain(|_| Signer::Rsa, &Signer::Rsa);
    let token = first_token(&first());
    assert!(judge_first(&token, &anchors(&[root.clone(), sub.clone(), device.clone()])).affirms());
    let named = Certificate { algorithm: Some(key(1).algorithm()), ..device };
    let verdict = judge_first(&token, &anchors(&[root, sub, named]));
    assert_eq!(failed(&verdict).as_deref(), Some("chain"));
}

#[test]
fn what_a_first_generation_token_says_is_compared() {
    let judge = |half: &Half| judge_first(&first_token(half), &anchors(&device()));
    assert!(judge(&first()).affirms(), "the control");
    assert_eq!(failed(&judge(&with(&first(), 10, bytes(&[0xEE; 64])))).as_deref(), Some("nonce"));
    assert_eq!(failed(&judge(&with(&first(), 44238, bytes(&[0x12; 32])))).as_deref(), Some("rim"));
    let rems = array(&[vec![bytes(&[0; 32]); 3], vec![bytes(&[1; 32])]].concat());
    assert_eq!(failed(&judge(&with(&first(), 44239, rems))).as_deref(), Some("rem 3"));
    let mut set_by_host = first();
    set(&mut set_by_host.claims, 44235, bytes(&[9; 64]));
    assert_eq!(failed(&judge(&set_by_host)).as_deref(), Some("rpv"), "where a reference expects another");
}

#[test]
fn the_second_generation_affirms_in_every_form_that_firmware_gives_it() {
    for (twice, der) in [(false, false), (true, false), (false, true), (true, true)] {
        let mut machine = Second::default();
        (machine.platform.twice, machine.platform.der) = (twice, der);
        (machine.realm.twice, machine.realm.der) = (!twice, der);
        let verdict = judge_second(&machine);
        assert_eq!(verdict.outcome(), Outcome::Affirming, "{verdict:#?}");
        assert_eq!(verdict.platform().expect("a platform").components[1].version.as_deref(), Some("1.6"));
    }
}

#[test]
fn second_generation_signatures_must_be_by_the_certified_key_and_by_the_one_that_is_vouched_for() {
    refused(|it| it.platform.signer = key521(9), "platform-signature");
    refused(|it| it.realm.signer = key521(9), "realm-signature");
    refused(|it| set(&mut it.platform.claims, 10, bytes(&[9; 32])), "binding");
    refused(|it| set(&mut it.realm.claims, 44237, bytes(&key521(9).public())), "realm-signature");
    refused(
        |it| {
            set(&mut it.realm.claims, 44237, bytes(&key521(9).public()));
            it.realm.signer = key521(9);
        },
        "binding",
    );
    refused(|it| set(&mut it.realm.claims, 44240, text("sha-512")), "binding");
    refused(|it| set(&mut it.realm.claims, 44237, bytes(&key(9).public())), "realm-signature");
    refused(|it| set(&mut it.realm.claims, 44237, bytes(&Signer::Rsa.info())), "realm-signature");
    let off_curve = [&[4][..], &[9; 132]].concat();
    refused(|it| set(&mut it.realm.claims, 44237, bytes(&off_curve)), "realm-signature");
    refused(|it| set(&mut it.realm.claims, 10, bytes(&[0xEE; 64])), "nonce");
}

#[test]
fn a_signature_in_der_is_read_strictly() {
    let machine = Second::default();
    let (header, payload) = (machine.platform.header.clone(), machine.platform.payload());
    let good = machine.platform.signer.sign_der(&machine.platform.signed_bytes());
    let judge = |signature: &[u8]| {
        let halves = [(44234, assembled(&header, &payload, signature)), (44241, machine.realm.encode())];
        judge_by(&enclosed(&halves), &anchors(&self::machine()), &references(), NOW)
    };
    assert!(judge(&good).affirms(), "the control");
    let trailing = [&good[..], &[0]].concat();
    for bad in [&good[..good.len() - 1], &trailing, &good[1..], &[0x30, 0x00], &[0x30], &[]] {
        assert_eq!(failed(&judge(bad)).as_deref(), Some("platform-signature"));
    }
}

#[test]
fn halves_of_two_machines_do_not_make_one() {
    let (one, other) = (Second::default(), Second::new(&key521(3), &key521(9)));
    assert!(judge_second(&one).affirms() && judge_second(&other).affirms(), "the controls");
    let mixed = Second { platform: one.platform.clone(), realm: other.realm };
    assert_eq!(failed(&judge_second(&mixed)).as_deref(), Some("binding"));
    let alone = enclosed(&[(44241, one.realm.encode())]);
    let verdict = judge_by(&alone, &anchors(&machine()), &references(), NOW);
    assert_eq!((verdict.outcome(), failed(&verdict).as_deref()), (Outcome::Malformed, Some("profile")));
}

#[test]
fn the_second_generation_has_one_certificate_that_comes_with_it() {
    let token = Second::default().token();
    let [root, sub, device] = machine();
    let judge = |anchors: &Anchors| judge_by(&token, anchors, &references(), NOW);
    assert!(judge(&maker::anchors(&root, &[&sub, &device])).affirms(), "the control");
    assert_eq!(judge(&maker::anchors(&root, &[&sub])).outcome(), Outcome::NoTrustAnchor);
    let rival = Certificate { key: key521(9), ..device.clone() };
    assert_eq!(judge(&maker::anchors(&root, &[&sub, &device, &rival])).outcome(), Outcome::NoTrustAnchor);
    assert_eq!(failed(&judge(&maker::anchors(&root, &[&sub, &rival]))).as_deref(), Some("platform-signature"));
    let small = Certificate { key: key(9), ..device.clone() };
    assert_eq!(judge(&maker::anchors(&root, &[&sub, &small])).outcome(), Outcome::NoTrustAnchor, "not on P-521");
    let named = Certificate { identity: Some(([9; 32], maker::instance(&key521(3)))), ..device };
    assert_eq!(judge(&maker::anchors(&root, &[&sub, &named])).outcome(), Outcome::NoTrustAnchor, "of another machine");
}

#[test]
fn the_lifecycle_of_virtcca_has_no_default() {
    let judge = |machine: &Second, references: &References| {
        judge_by(&machine.token(), &anchors(&self::machine()), references, NOW)
    };
    assert!(judge(&Second::default(), &references()).affirms(), "the control");
    let silent = maker::virtcca::PLATFORM_REFERENCE.replace(r#""lifecycle": ["provisioning"],"#, "");
    let mut without = References::new();
    without.add(silent.as_bytes()).expect("a reference");
    without.add(maker::token::REALM_REFERENCE.as_bytes()).expect("a reference");
    for lifecycle in [0x2000, 0x3000] {
        let mut machine = Second::default();
        set(&mut machine.platform.claims, 2395, uint(lifecycle));
        assert_eq!(judge(&machine, &without).outcome(), Outcome::Warning, "{lifecycle:#x}");
    }
    refused(|it| set(&mut it.platform.claims, 2395, uint(0x3000)), "lifecycle");
}

#[test]
fn nobody_may_borrow_huaweis_names() {
    let [root, ..] = device();
    for name in ["Huawei Equipment CA", "HUAWEI IT PRODUCT CA", "Huawei Computing ECC CCA CA 1"] {
        let impostor = Certificate { subject: name, ..root.clone() };
        assert_eq!(Read::read(&impostor.der()).err(), Some(Unreadable::Impostor), "{name}");
    }
    let other = Certificate { subject: "Huawei Equipment CA 2", ..root };
    assert!(Read::read(&other.der()).is_ok(), "other names are others");
}

#[test]
fn evidence_of_one_family_is_not_judged_as_the_other() {
    // The same keys and claims, with a profile of Arm's: an anchor for virtCCA is none for Arm CCA.
    let mut arm = Second::default();
    set(&mut arm.platform.claims, 265, text("tag:arm.com,2023:cca_platform#1.0.0"));
    set(&mut arm.platform.claims, 2402, text("sha-256"));
    let signed = maker::token::component("RMM", 1, None, 2);
    set(&mut arm.platform.claims, 2399, array(&[signed]));
    let plain = Half { twice: false, ..arm.realm.clone() };
    let token = enclosed(&[(44234, arm.platform.encode()), (44241, plain.encode())]);
    let verdict = judge_by(&token, &anchors(&machine()), &references(), NOW);
    assert_eq!(verdict.outcome(), Outcome::NoTrustAnchor);
    assert_eq!(Sha256::digest(key521(4).public()).len(), 32);
}
