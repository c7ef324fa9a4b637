//! Stores and CoRIMs of several platforms and Realms: a token is held against the one that it fits, and must fit one.

mod maker;

use allod_verifier::reference::{Admission, PlatformReference, Unusable};
use allod_verifier::{Outcome, References, Status, Step};
use evidence::Hash;
use evidence::corim::{Corim, Lapsed, Layout, Platform, Realm, Validity};
use maker::token::Maker;
use maker::{NOW, failed, good_anchors, good_references, judge_by};

const ANYBODY: Admission<'_> = Admission { keys: &[], at: NOW, lapsed_passes: false };

/// A CoRIM of platforms, of which the first is the good one with a change.
fn platforms(change: impl Fn(&mut Platform), more: &[Platform]) -> Corim {
    let mut first = good_platform();
    change(&mut first);
    let platforms = [&[first], more].concat();
    Corim { platforms, realms: Vec::new(), ..empty() }
}

fn empty() -> Corim {
    Corim {
        id: "test".to_string(),
        profile: None,
        layout: Layout::Draft04,
        validity: None,
        entities: Vec::new(),
        platforms: Vec::new(),
        realms: Vec::new(),
        keys: Vec::new(),
        passed_over: Vec::new(),
    }
}

fn good_platform() -> Platform {
    let reference = good_references().platform.expect("a platform");
    Platform::try_from(&PlatformReference { lifecycle: None, ..reference }).expect("all that a CoRIM must have")
}

fn good_realm() -> Realm {
    Realm::try_from(&good_references().realm.expect("a realm")).expect("all that a CoRIM must have")
}

fn outcome(references: &References) -> (Outcome, Option<String>) {
    let verdict = judge_by(&Maker::default().token(), &good_anchors(), references, NOW);
    (verdict.outcome(), failed(&verdict))
}

/// References by CoRIMs alone.
fn by(platform: &Corim, realm: &Corim) -> References {
    let mut references = References::new();
    for corim in [platform, realm] {
        references.admit(&corim.encode().expect("written"), &ANYBODY).expect("admitted");
    }
    references
}

fn realms(list: Vec<Realm>) -> Corim {
    Corim { realms: list, ..empty() }
}

#[test]
fn a_token_must_fit_one_of_several() {
    let good = || realms(vec![good_realm()]);
    let affirms = (Outcome::Affirming, None);
    assert_eq!(outcome(&by(&platforms(|_| (), &[]), &good())), affirms, "the control");

    let other_build = |it: &mut Platform| it.components[0].digests[0].bytes[0] ^= 1;
    let other_design = |it: &mut Platform| it.implementation_id[0] ^= 1;
    for change in [other_build as fn(&mut Platform), other_design] {
        assert_eq!(outcome(&by(&platforms(change, &[good_platform()]), &good())), affirms, "the second is it");
        let (verdict, step) = outcome(&by(&platforms(change, &[]), &good()));
        assert_eq!(verdict, Outcome::Contraindicated, "{step:?}");
    }

    let mut other = good_realm();
    other.rim.bytes[0] ^= 1;
    assert_eq!(outcome(&by(&platforms(|_| (), &[]), &realms(vec![other.clone(), good_realm()]))), affirms);
    let found = outcome(&by(&platforms(|_| (), &[]), &realms(vec![other])));
    assert_eq!(found, (Outcome::Contraindicated, Some("rim".to_string())));
}

#[test]
fn a_register_that_nobody_expects_shows_as_not_done() {
    let mut realm = good_realm();
    realm.rems[2] = None;
    let references = by(&platforms(|_| (), &[]), &realms(vec![realm]));
    let verdict = judge_by(&Maker::default().token(), &good_anchors(), &references, NOW);
    assert_eq!(verdict.outcome(), Outcome::Warning);
    let undone: Vec<_> = verdict.checks().iter().filter(|it| it.status == Status::NotDone).map(|it| it.step).collect();
    assert!(undone.contains(&Step::Rem), "{undone:?}");
}

#[test]
fn stores_there_and_back() {
    let by_corim = by(&platforms(|_| (), &[]), &realms(vec![good_realm()]));
    let mut by_store = References::new();
    by_store.add(by_corim.to_store(Hash::Sha256).expect("a store").as_bytes()).expect("as it was written");
    assert_eq!(outcome(&by_store), (Outcome::Affirming, None));
    let mut by_json = References::new();
    by_json.add(by_corim.to_json().expect("our own form").as_bytes()).expect("as it was written");
    assert_eq!(outcome(&by_json), (Outcome::Affirming, None));
    let several = by(&platforms(|it| it.implementation_id[0] ^= 1, &[good_platform()]), &realms(vec![good_realm()]));
    assert!(matches!(several.to_json(), Err(Unusable::Conflict { field: "platform" })));
}

#[test]
fn a_store_must_agree_with_what_is_expected_besides() {
    let bytes = |corim: &Corim| corim.encode().expect("written");
    let mut references = good_references();
    references.admit(&bytes(&platforms(|_| (), &[])), &ANYBODY).expect("it says the same");
    assert_eq!(outcome(&references), (Outcome::Affirming, None));
    let other = bytes(&platforms(|it| it.implementation_id[0] ^= 1, &[]));
    let found = good_references().admit(&other, &ANYBODY);
    assert!(matches!(found, Err(Unusable::Conflict { field: "platform" })), "{found:?}");
}

#[test]
fn a_corim_is_judged_before_it_is_believed() {
    let lasting = Corim { validity: Some(Validity { not_before: None, not_after: NOW }), ..platforms(|_| (), &[]) };
    let bytes = lasting.encode().expect("written");
    let mut references = References::new();
    assert!(matches!(references.add(&bytes), Err(Unusable::NotAdmitted)));
    references.admit(&bytes, &ANYBODY).expect("in its last second");
    let later = Admission { at: NOW + 1, ..ANYBODY };
    let found = References::new().admit(&bytes, &later);
    assert!(matches!(found, Err(Unusable::Lapsed(Lapsed::Expired(_)))), "{found:?}");
    References::new().admit(&bytes, &Admission { lapsed_passes: true, ..later }).expect("let");
}

#[test]
fn a_component_with_digests_by_two_algorithms_is_compared_by_the_tokens() {
    let twice = |it: &mut Platform| {
        let digest = evidence::corim::Digest::new(Hash::Sha512, &[1; 64]).expect("64 bytes");
        it.components[0].digests.push(digest);
    };
    assert_eq!(outcome(&by(&platforms(twice, &[]), &realms(vec![good_realm()]))), (Outcome::Affirming, None));
    let other = |it: &mut Platform| {
        twice(it);
        it.components[0].digests.remove(0);
    };
    let (outcome, _) = outcome(&by(&platforms(other, &[]), &realms(vec![good_realm()])));
    assert_eq!(outcome, Outcome::Contraindicated, "a digest by the other algorithm alone");
}
