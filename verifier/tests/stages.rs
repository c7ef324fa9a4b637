//! Every refusal of authentication and appraisal, each beside its control: the same token without the fault affirms.

mod maker;

use allod_verifier::certificate::Identity;
use allod_verifier::{Anchors, Case, Nonce, Outcome, Policy, References, Status, Step, verify};
use maker::token::{Maker, array, bytes, component, set, text, uint, wrapped};
use maker::{NOW, anchors, failed, good_anchors, good_references, judge, judge_by, key, leaf, root, sub};

/// The token affirms; with the fault it is refused at this step, and with this outcome.
fn refused(fault: impl FnOnce(&mut Maker), outcome: Outcome, step: &str) {
    assert!(judge(&Maker::default().token()).affirms(), "the control");
    let mut maker = Maker::default();
    fault(&mut maker);
    let verdict = judge(&maker.token());
    assert_eq!((verdict.outcome(), failed(&verdict).as_deref()), (outcome, Some(step)));
}

#[test]
fn a_good_token_affirms_with_every_step_done() {
    let verdict = judge(&Maker::default().token());
    assert_eq!(verdict.outcome(), Outcome::Affirming, "{verdict:#?}");
    assert!(verdict.checks().iter().all(|check| matches!(check.status, Status::Ok | Status::NotApplicable)));
    for step in Step::ALL.into_iter().filter(|step| !step.is_optional()) {
        assert!(verdict.checks().iter().any(|check| check.step == step), "{step:?} is not in the report");
    }
    let report = serde_json::to_value(&verdict).expect("a report");
    assert_eq!(report["verdict"], "affirming");
    assert_eq!(report["failed"], serde_json::Value::Null);
    assert_eq!(report["platform"]["components"][1]["type"], "RMM");
    assert_eq!(report["realm"]["rim"], "11".repeat(32));
}

#[test]
fn what_is_not_a_token_is_malformed_and_nothing_else_is_reached() {
    for (bytes, step) in [(&b""[..], "structure"), (b"hello", "structure"), (&[0xD9, 0x01, 0x8F, 0xA0], "profile")] {
        let verdict = judge(bytes);
        assert_eq!(verdict.outcome(), Outcome::Malformed);
        assert_eq!(failed(&verdict).as_deref(), Some(step));
        assert_eq!(verdict.checks().len(), Step::ALL.len());
        let after = verdict.checks().iter().skip_while(|check| check.status != Status::Failed).skip(1);
        assert!(after.into_iter().all(|check| check.status == Status::NotDone));
        assert!(verdict.platform().is_none() && verdict.realm().is_none());
    }
}

#[test]
fn a_platform_that_nobody_endorses_has_no_trust_anchor() {
    refused(|it| set(&mut it.platform, 2396, bytes(&[9; 32])), Outcome::NoTrustAnchor, "trust-anchor");
    let mut other = [9; 33];
    other[0] = 1;
    refused(|it| set(&mut it.platform, 256, bytes(&other)), Outcome::NoTrustAnchor, "trust-anchor");
    let verdict = judge_by(&Maker::default().token(), &Anchors::new(), &good_references(), NOW);
    assert_eq!(verdict.outcome(), Outcome::NoTrustAnchor);
}

#[test]
fn two_keys_for_one_platform_are_refused_and_two_certificates_of_one_key_are_not() {
    let token = Maker::default().token();
    let mut rival = leaf();
    rival.key = key(9);
    let verdict = judge_by(&token, &anchors(&root(), &[&sub(), &leaf(), &rival]), &good_references(), NOW);
    assert_eq!(verdict.outcome(), Outcome::NoTrustAnchor);
    let mut expired = leaf();
    expired.validity = ("20200101000000Z", "20210101000000Z");
    let verdict = judge_by(&token, &anchors(&root(), &[&sub(), &expired, &leaf()]), &good_references(), NOW);
    assert_eq!(verdict.outcome(), Outcome::Affirming);
}

#[test]
fn signatures_must_be_by_the_key_that_is_endorsed_and_by_the_one_that_is_vouched_for() {
    refused(|it| it.cpak = key(9), Outcome::Contraindicated, "platform-signature");
    refused(|it| it.rak = key(9), Outcome::Contraindicated, "realm-signature");
}

#[test]
fn the_key_dictates_the_algorithm() {
    for algorithm in [vec![0xA1, 0x01, 0x26], vec![0xA1, 0x01, 0x38, 0x23]] {
        refused(|it| it.headers[0] = algorithm.clone(), Outcome::Contraindicated, "platform-signature");
        refused(|it| it.headers[1] = algorithm.clone(), Outcome::Contraindicated, "realm-signature");
    }
}

#[test]
fn a_realm_key_off_its_curve_is_refused() {
    let mut point = maker::token::cose_key(&key(4));
    let last = point.len() - 1;
    point[last] ^= 1;
    refused(|it| set(&mut it.realm, 44237, bytes(&point)), Outcome::Contraindicated, "realm-signature");
}

#[test]
fn a_realm_key_that_the_platform_does_not_vouch_for_is_refused() {
    let swapped = |it: &mut Maker, vouched| *it = it.clone().with_rak(key(9), vouched);
    refused(|it| swapped(it, false), Outcome::Contraindicated, "binding");
    let mut maker = Maker::default();
    swapped(&mut maker, true);
    assert!(judge(&maker.token()).affirms(), "the platform may vouch for another key");
    refused(|it| set(&mut it.realm, 44240, text("sha-512")), Outcome::Contraindicated, "binding");
}

#[test]
fn halves_of_two_tokens_do_not_make_one() {
    let (one, other) = (Maker::default(), Maker::default().with_rak(key(9), true));
    assert!(judge(&one.token()).affirms() && judge(&other.token()).affirms(), "the controls");
    let verdict = judge(&wrapped(&one.platform_half(), &other.realm_half()));
    assert_eq!(failed(&verdict).as_deref(), Some("binding"));
    let verdict = judge(&wrapped(&one.realm_half(), &other.platform_half()));
    assert_eq!(verdict.outcome(), Outcome::Malformed);
    // One machine that starts twice in the same way has one key: only the challenge tells its tokens apart.
    let mut earlier = Maker::default();
    set(&mut earlier.realm, 10, bytes(&[0xEE; 64]));
    let verdict = judge(&wrapped(&one.platform_half(), &earlier.realm_half()));
    assert_eq!(failed(&verdict).as_deref(), Some("nonce"));
}

#[test]
fn a_token_for_another_challenge_is_refused() {
    refused(|it| set(&mut it.realm, 10, bytes(&[0xEE; 64])), Outcome::Contraindicated, "nonce");
}

#[test]
fn a_short_challenge_is_padded_with_zeros() {
    let mut padded = [0; 64];
    padded[..32].copy_from_slice(&[0xEE; 32]);
    let mut maker = Maker::default();
    set(&mut maker.realm, 10, bytes(&padded));
    let nonce = Nonce::new(&[0xEE; 32]).expect("32 bytes");
    let (anchors, references) = (good_anchors(), good_references());
    let case = Case { anchors: &anchors, nonce, at: NOW, references: &references, policy: &Policy::default() };
    assert!(verify(&maker.token(), &case).affirms());
    assert!(Nonce::new(&[0; 31]).is_none() && Nonce::new(&[0; 65]).is_none());
}

#[test]
fn only_a_secured_platform_affirms() {
    for lifecycle in [0x0000, 0x1000, 0x20FF, 0x4000, 0x5000, 0x6000] {
        refused(|it| set(&mut it.platform, 2395, uint(lifecycle)), Outcome::Contraindicated, "lifecycle");
    }
    let mut maker = Maker::default();
    set(&mut maker.platform, 2395, uint(0x3042));
    assert!(judge(&maker.token()).affirms(), "the minor is the maker's own");
}

#[test]
fn an_open_platform_that_is_expected_is_a_warning_and_no_more() {
    let mut maker = Maker::default();
    set(&mut maker.platform, 2395, uint(0x5000));
    let open = maker::token::PLATFORM_REFERENCE.replace("\"secured\"", "\"secured\", \"recoverable-debug\"");
    let mut references = References::new();
    references.add(open.as_bytes()).expect("a reference");
    references.add(maker::token::REALM_REFERENCE.as_bytes()).expect("a reference");
    let verdict = judge_by(&maker.token(), &good_anchors(), &references, NOW);
    assert_eq!(verdict.outcome(), Outcome::Warning);
}

#[test]
fn configuration_and_realm_are_compared() {
    refused(|it| set(&mut it.platform, 2401, bytes(&[1])), Outcome::Contraindicated, "config");
    refused(|it| set(&mut it.realm, 44236, text("sha-512")), Outcome::Contraindicated, "realm-hash");
    refused(|it| set(&mut it.realm, 44238, bytes(&[0x12; 32])), Outcome::Contraindicated, "rim");
    refused(|it| set(&mut it.realm, 44238, bytes(&[0x11; 64])), Outcome::Contraindicated, "rim");
    refused(|it| set(&mut it.realm, 44235, bytes(&[1; 64])), Outcome::Contraindicated, "rpv");
    for index in 0..4 {
        let mut rems = vec![bytes(&[0; 32]); 4];
        rems[index] = bytes(&[1; 32]);
        refused(|it| set(&mut it.realm, 44239, array(&rems)), Outcome::Contraindicated, &format!("rem {index}"));
    }
}

#[test]
fn components_are_compared_both_ways() {
    let boot = || component("BOOT", 0xB0, None, 0);
    let rmm = || component("RMM", 0x33, Some("0.1.0"), 0x55);
    let case = |list: Vec<Vec<u8>>, step: &str| {
        refused(|it| set(&mut it.platform, 2399, array(&list)), Outcome::Contraindicated, step);
    };
    case(vec![boot(), component("RMM", 0x34, Some("0.1.0"), 0x55)], "component RMM");
    case(vec![boot(), component("RMM", 0x33, Some("0.2.0"), 0x55)], "component RMM");
    case(vec![boot(), component("RMM", 0x33, None, 0x55)], "component RMM");
    case(vec![boot(), component("RMM", 0x33, Some("0.1.0"), 0x56)], "component RMM");
    case(vec![boot(), component("RMX", 0x33, Some("0.1.0"), 0x55)], "component RMX");
    case(vec![rmm()], "component BOOT");
    case(vec![boot(), rmm(), component("SPY", 1, None, 0)], "component SPY");
    case(vec![boot(), rmm(), rmm()], "component RMM");
    let mut reordered = Maker::default();
    set(&mut reordered.platform, 2399, array(&[rmm(), boot()]));
    assert!(judge(&reordered.token()).affirms(), "order is no part of a reference");
}

#[test]
fn a_changed_component_is_named_with_what_was_expected_and_found() {
    let mut maker = Maker::default();
    let list = [component("BOOT", 0xB0, None, 0), component("RMM", 0x34, Some("0.1.0"), 0x56)];
    set(&mut maker.platform, 2399, array(&list));
    let verdict = judge(&maker.token());
    let check = verdict.failed().expect("a failure");
    let expected = format!("{}, version 0.1.0, signer {}", "33".repeat(32), "55".repeat(32));
    let found = format!("{}, version 0.1.0, signer {}", "34".repeat(32), "56".repeat(32));
    assert_eq!((check.expected.as_deref(), check.found.as_deref()), (Some(&*expected), Some(&*found)));
    assert!(check.advice.is_some());
    let missing = verdict.checks().iter().filter(|check| check.status == Status::Failed).count();
    assert_eq!(missing, 1, "a changed component is one failure, not an unexpected and a missing one");
}

#[test]
fn without_references_nothing_is_affirmed_and_nothing_is_hidden() {
    let token = Maker::default().token();
    let verdict = judge_by(&token, &good_anchors(), &References::new(), NOW);
    assert_eq!(verdict.outcome(), Outcome::Warning);
    let undone: Vec<Step> =
        verdict.checks().iter().filter(|it| it.status == Status::NotDone).map(|check| check.step).collect();
    for step in
        [Step::ImplementationId, Step::Config, Step::Component, Step::RealmHash, Step::Rim, Step::Rem, Step::Rpv]
    {
        assert!(undone.contains(&step), "{step:?}");
    }
    for left_out in ["implementation_id", "config", "components"] {
        let mut json: serde_json::Value = serde_json::from_str(maker::token::PLATFORM_REFERENCE).expect("JSON");
        json["platform"].as_object_mut().expect("an object").remove(left_out);
        let mut references = References::new();
        references.add(json.to_string().as_bytes()).expect("a reference");
        references.add(maker::token::REALM_REFERENCE.as_bytes()).expect("a reference");
        let verdict = judge_by(&token, &good_anchors(), &references, NOW);
        assert_eq!(verdict.outcome(), Outcome::Warning, "{left_out}");
    }
    for left_out in ["hash", "rim", "rems", "rpv"] {
        let mut json: serde_json::Value = serde_json::from_str(maker::token::REALM_REFERENCE).expect("JSON");
        json["realm"].as_object_mut().expect("an object").remove(left_out);
        let mut references = References::new();
        references.add(maker::token::PLATFORM_REFERENCE.as_bytes()).expect("a reference");
        references.add(json.to_string().as_bytes()).expect("a reference");
        let verdict = judge_by(&token, &good_anchors(), &references, NOW);
        assert_eq!(verdict.outcome(), Outcome::Warning, "{left_out}");
    }
}

#[test]
fn a_policy_may_do_without_a_step() {
    let token = Maker::default().token();
    let nonce = Nonce::new(&maker::CHALLENGE).expect("64 bytes");
    let (anchors, references) = (good_anchors(), References::new());
    let may_stay_undone = vec![Step::ImplementationId, Step::Config, Step::Component, Step::RealmHash, Step::Rim];
    let mut policy = Policy { may_stay_undone, ..Policy::default() };
    let outcome = |policy: &Policy| {
        verify(&token, &Case { anchors: &anchors, nonce, at: NOW, references: &references, policy }).outcome()
    };
    assert_eq!(outcome(&policy), Outcome::Warning);
    policy.may_stay_undone.extend([Step::Rem, Step::Rpv, Step::Log]);
    assert_eq!(outcome(&policy), Outcome::Affirming);
}

#[test]
fn every_key_signs_with_its_own_algorithm_alone() {
    let keys = [maker::signer::key256(3), key(13), maker::key521(3)];
    for (index, cpak) in keys.iter().enumerate() {
        for rak in [maker::signer::key256(4), key(14), maker::key521(4)] {
            let mut anchors = Anchors::new();
            let maker = Maker::default().with_cpak(cpak.clone()).with_rak(rak, true);
            let identity = Identity { implementation_id: maker::IMPLEMENTATION, instance_id: maker::instance(cpak) };
            anchors.pin(identity, cpak.verifying());
            let verdict = judge_by(&maker.token(), &anchors, &good_references(), NOW);
            assert_eq!(verdict.outcome(), Outcome::Affirming, "{verdict:#?}");
            let other = keys[(index + 1) % keys.len()].header();
            let mut maker = maker;
            maker.headers[0] = other;
            let verdict = judge_by(&maker.token(), &anchors, &good_references(), NOW);
            assert_eq!(failed(&verdict).as_deref(), Some("platform-signature"));
        }
    }
}
