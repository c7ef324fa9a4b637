//! CoRIMs: other people's, our own there and back, and one fault at a time beside the same CoRIM without it.
//!
//! `ALLOD_VECTORS` names the folder of vectors; without it, `shared/vectors` beside the workspace is tried.

use allod_evidence::Hash;
use allod_evidence::corim::{
    AttestKey, Component, Corim, Digest, KeyText, Lapsed, Layout, Masked, Platform, Realm, Refusal, Rotpk, Signed,
    Signer, ToBeSigned, Unwritable, Validity, is_corim, is_signed,
};
use allod_evidence::cose::Algorithm;
use item::{Item, bytes560, raw, tag, text};
use proptest::prelude::*;
use std::io::Write;
use std::path::PathBuf;

#[path = "corim/item.rs"]
mod item;

use Item::{Array, Endless, Map, Number};

const PLATFORM: &str = "tag:arm.com,2025:cca_platform#1.0.0";
const REALM: &str = "tag:arm.com,2025:cca_realm#1.0.0";
const PLATFORM_04: &str = "tag:arm.com,2025:endorsements/cca_platform#1.0.0";
const OLD_PLATFORM: &str = "http://arm.com/cca/ssd/1";
const OLD_REALM: &str = "http://arm.com/cca/realm/1";
const PEM: &str = "-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----";

fn n(key: i64, value: Item) -> (Item, Item) {
    (Number(key), value)
}

/// A CoRIM of one CoMID with these triples; it names a profile or, with "", none.
fn corim(profile: &str, triples: Vec<(Item, Item)>) -> Item {
    let comid = Map(vec![n(1, Map(vec![n(0, raw(&[7; 16]))])), n(4, Map(triples))]).encoded();
    let named = if profile.starts_with("tag") { tag(32, text(profile)) } else { text(profile) };
    let mut entries = vec![n(0, text("a CoRIM")), n(1, Array(vec![tag(506, raw(&comid))]))];
    entries.extend((!profile.is_empty()).then(|| n(3, named)));
    tag(501, Map(entries))
}

fn reference(class: Option<Item>, instance: Option<Item>, measurements: Vec<Item>) -> (Item, Item) {
    n(0, Array(vec![Array(vec![environment(class, instance), Array(measurements)])]))
}

fn environment(class: Option<Item>, instance: Option<Item>) -> Item {
    let class = class.map(|id| n(0, Map(vec![n(0, id)])));
    Map(class.into_iter().chain(instance.map(|id| n(1, id))).collect())
}

fn measurement(key: Item, values: Vec<(Item, Item)>) -> Item {
    Map(vec![n(0, key), n(1, Map(values))])
}

fn digests(length: usize) -> Item {
    Array(vec![Array(vec![Number(1), raw(&vec![9; length])])])
}

fn component() -> Vec<(Item, Item)> {
    vec![n(2, digests(32)), n(11, text("RMM")), n(13, Array(vec![bytes560(&[3; 32])]))]
}

fn software(values: Vec<(Item, Item)>) -> Item {
    measurement(text("cca.software-component"), values)
}

fn platform_of(measurements: Vec<Item>) -> Item {
    corim(PLATFORM, vec![reference(Some(bytes560(&[1; 32])), None, measurements)])
}

fn config(values: Vec<(Item, Item)>) -> Item {
    platform_of(vec![software(component()), measurement(text("cca.platform-config"), values)])
}

fn anchor(profile: &str, class: Option<Item>, instance: Option<Item>, keys: Vec<Item>) -> Item {
    corim(profile, vec![n(3, Array(vec![Array(vec![environment(class, instance), Array(keys)])]))])
}

fn instance() -> Item {
    tag(550, raw(&[1; 33]))
}

fn good_anchor(keys: Vec<Item>) -> Item {
    anchor(PLATFORM, Some(bytes560(&[1; 32])), Some(instance()), keys)
}

fn realm_of(measurements: Vec<Item>) -> Item {
    corim(REALM, vec![reference(Some(bytes560(&[9; 32])), None, measurements)])
}

fn register(name: &str) -> Item {
    measurement(text(name), vec![n(2, digests(32))])
}

fn old_component() -> Item {
    let key = tag(601, Map(vec![n(1, text("BL")), n(4, text("1")), n(5, raw(&[3; 32]))]));
    measurement(key, vec![n(2, digests(32))])
}

fn old_realm(registers: Vec<(Item, Item)>) -> Item {
    let values = Map(vec![n(1, Map(vec![n(4, bytes560(&[5; 64])), n(14, Map(registers))]))]);
    corim(OLD_REALM, vec![reference(None, Some(bytes560(&[9; 32])), vec![values])])
}

fn accepted(item: &Item) -> Corim {
    Corim::parse(&item.encoded()).unwrap_or_else(|refusal| panic!("{refusal}"))
}

fn refused(item: &Item) -> Refusal {
    Corim::parse(&item.encoded()).expect_err("this one breaks a rule")
}

#[test]
fn platform_as_it_should_be() {
    let read = accepted(&config(vec![n(4, bytes560(&[1, 2])), n(5, raw(&[3, 4]))]));
    assert_eq!(read.layout, Layout::Code2025);
    let [platform] = read.platforms.as_slice() else { panic!("one platform") };
    assert_eq!(platform.implementation_id, [1; 32]);
    assert_eq!(platform.config, Some(Masked { value: vec![1, 2], mask: Some(vec![3, 4]) }));
    let [component] = platform.components.as_slice() else { panic!("one component") };
    assert_eq!(component.name.as_deref(), Some("RMM"));
    assert_eq!(component.digests, [Digest { hash: Hash::Sha256, bytes: vec![9; 32] }]);
    assert_eq!(component.signer_id, [3; 32]);
}

#[test]
fn a_component_breaks_one_rule_at_a_time() {
    accepted(&platform_of(vec![software(component())]));
    let without = |key: usize| {
        let mut values = component();
        values.remove(key);
        refused(&platform_of(vec![software(values)]))
    };
    let with = |key: i64, value: Item| {
        let mut values = component();
        values.retain(|(old, _)| !matches!(old, Number(old) if *old == key));
        values.push(n(key, value));
        refused(&platform_of(vec![software(values)]))
    };
    let of = "cca.software-component";
    assert_eq!(without(0), Refusal::NoDigests { of });
    assert_eq!(without(2), Refusal::Signers { found: 0 });
    assert_eq!(with(2, Array(vec![])), Refusal::NoDigests { of });
    assert_eq!(with(2, digests(31)), Refusal::DigestLength { hash: Hash::Sha256, found: 31 });
    let twice = Array(vec![Array(vec![Number(1), raw(&[9; 32])]), Array(vec![text("sha-256"), raw(&[8; 32])])]);
    assert_eq!(with(2, twice), Refusal::DigestTwice { hash: Hash::Sha256 });
    assert_eq!(with(2, Array(vec![Array(vec![Number(3), raw(&[9; 32])])])), Refusal::DigestAlgorithm);
    assert_eq!(with(2, Array(vec![Array(vec![text("md5"), raw(&[9; 16])])])), Refusal::DigestAlgorithm);
    assert!(matches!(with(2, Array(vec![Array(vec![Number(1)])])), Refusal::Structure(_)));
    assert_eq!(with(13, Array(vec![bytes560(&[3; 32]), bytes560(&[4; 32])])), Refusal::Signers { found: 2 });
    assert_eq!(with(13, Array(vec![bytes560(&[3; 31])])), Refusal::SignerLength { found: 31 });
    assert_eq!(with(4, bytes560(&[1])), Refusal::Unread { of, number: 4 });
    assert_eq!(with(3, Map(vec![])), Refusal::Unread { of: "measurement", number: 3 });
    assert_eq!(with(0, Map(vec![n(1, Number(1))])), Refusal::NoValue { of: "version" });
    let authorized = Map(vec![n(0, text(of)), n(1, Map(component())), n(2, Array(vec![]))]);
    assert_eq!(refused(&platform_of(vec![authorized])), Refusal::AuthorizedBy);
    assert_eq!(refused(&platform_of(vec![Map(vec![n(1, Map(component()))])])), Refusal::NoKey);
    let unknown = |key: Item| refused(&platform_of(vec![measurement(key, component())]));
    assert_eq!(unknown(text("cca.rim")), Refusal::Key { found: "cca.rim".to_string() });
    assert!(matches!(unknown(Number(1)), Refusal::Key { .. }));
    assert!(matches!(unknown(tag(602, text("cfg"))), Refusal::Key { .. }));
    let rotpk = measurement(text("cca.rotpk.CM.0.1"), vec![n(13, Array(vec![bytes560(&[3; 32])]))]);
    assert!(matches!(refused(&platform_of(vec![software(component()), rotpk.clone()])), Refusal::Key { .. }));
    let triples = vec![reference(Some(bytes560(&[1; 32])), None, vec![software(component()), rotpk])];
    let read = accepted(&corim(PLATFORM_04, triples));
    assert_eq!(read.platforms[0].rotpks, [Rotpk { place: "CM.0.1".to_string(), hash: vec![3; 32] }]);
}

#[test]
fn digests_in_every_spelling() {
    let of = |list: Item| {
        let values = vec![n(2, list), n(13, Array(vec![bytes560(&[3; 32])]))];
        accepted(&platform_of(vec![software(values)])).platforms[0].components[0].digests.clone()
    };
    let wanted = [Digest { hash: Hash::Sha256, bytes: vec![9; 32] }];
    assert_eq!(of(digests(32)), wanted);
    assert_eq!(of(Array(vec![text("sha-256"), raw(&[9; 32])])), wanted);
    assert_eq!(of(Array(vec![Array(vec![text("sha-256"), raw(&[9; 32])])])), wanted);
}

#[test]
fn a_configuration_breaks_one_rule_at_a_time() {
    let masked = |value: &[u8], mask: &[u8]| tag(563, Array(vec![raw(value), raw(mask)]));
    let read = accepted(&config(vec![n(4, masked(&[1, 2], &[3, 4]))]));
    assert_eq!(read.platforms[0].config, Some(Masked { value: vec![1, 2], mask: Some(vec![3, 4]) }));
    assert_eq!(refused(&config(vec![n(4, masked(&[1, 2], &[3]))])), Refusal::Mask { value: 2, mask: 1 });
    assert_eq!(refused(&config(vec![n(5, raw(&[3]))])), Refusal::NoValue { of: "cca.platform-config" });
    let both = config(vec![n(4, masked(&[1, 2], &[3, 4])), n(5, raw(&[3, 4]))]);
    assert_eq!(refused(&both), Refusal::Twice { of: "mask" });
    let both = config(vec![n(5, raw(&[3, 4])), n(4, masked(&[1, 2], &[3, 4]))]);
    assert_eq!(refused(&both), Refusal::Twice { of: "mask" });
    let config = measurement(text("cca.platform-config"), vec![n(4, bytes560(&[1]))]);
    let twice = platform_of(vec![software(component()), config.clone(), config.clone()]);
    assert_eq!(refused(&twice), Refusal::Twice { of: "cca.platform-config" });
    assert!(matches!(refused(&platform_of(vec![config])), Refusal::NoValue { .. }), "no component");
}

#[test]
fn a_mask_chooses_bits() {
    let masked = Masked::new(&[0b1010], Some(&[0b1100])).expect("as long as the value");
    assert!(masked.admits(&[0b1010]) && masked.admits(&[0b1001]));
    assert!(!masked.admits(&[0b0010]) && !masked.admits(&[0b1010, 0]) && !masked.admits(&[]));
    let plain = Masked::new(&[0b1010], None).expect("no mask");
    assert!(plain.admits(&[0b1010]) && !plain.admits(&[0b1011]));
}

#[test]
fn environments_break_one_rule_at_a_time() {
    let of = |class: Option<Item>| corim(PLATFORM, vec![reference(class, None, vec![software(component())])]);
    accepted(&of(Some(bytes560(&[1; 32]))));
    assert_eq!(refused(&of(None)), Refusal::NoClass);
    for class in [bytes560(&[1; 31]), tag(600, raw(&[1; 32])), text("acme"), tag(560, text("acme"))] {
        assert!(matches!(refused(&of(Some(class))), Refusal::Class { .. }));
    }
    let grouped = Map(vec![n(0, Map(vec![n(0, bytes560(&[1; 32]))])), n(2, bytes560(&[1; 32]))]);
    let triple = n(0, Array(vec![Array(vec![grouped, Array(vec![software(component())])])]));
    assert_eq!(refused(&corim(PLATFORM, vec![triple])), Refusal::Unread { of: "environment", number: 2 });
    let layered = Map(vec![n(0, Map(vec![n(0, bytes560(&[1; 32])), n(3, Number(1))]))]);
    let triple = n(0, Array(vec![Array(vec![layered, Array(vec![software(component())])])]));
    assert_eq!(refused(&corim(PLATFORM, vec![triple])), Refusal::Unread { of: "class", number: 3 });
    let twice = Array(vec![environment(Some(bytes560(&[1; 32])), None), Array(vec![software(component())])]);
    let twice = n(0, Array(vec![twice.clone(), twice]));
    assert_eq!(refused(&corim(PLATFORM, vec![twice])), Refusal::Again { of: "platform" });
}

#[test]
fn what_is_said_of_one_instance_is_not_taken_for_all() {
    let platform = |it| corim(PLATFORM, vec![reference(Some(bytes560(&[1; 32])), it, vec![software(component())])]);
    let old = |it| corim(OLD_PLATFORM, vec![reference(Some(tag(600, raw(&[1; 32]))), it, vec![old_component()])]);
    let realm = |it| corim(REALM, vec![reference(Some(bytes560(&[9; 32])), it, vec![register("cca.rim")])]);
    for made in [&platform as &dyn Fn(Option<Item>) -> Item, &old, &realm] {
        accepted(&made(None));
        let found = refused(&made(Some(instance())));
        assert!(matches!(found, Refusal::Instance { .. }), "{found}");
    }
}

#[test]
fn without_a_profile_triples_tell_the_layout() {
    let class = |byte: u8| Some(bytes560(&[byte; 32]));
    let platform = accepted(&corim("", vec![reference(class(1), None, vec![software(component())])]));
    assert_eq!((platform.layout, platform.platforms.len(), platform.profile), (Layout::Code2025, 1, None));
    let realm = accepted(&corim("", vec![reference(class(9), None, vec![register("cca.rem0"), register("cca.rim")])]));
    assert_eq!((realm.layout, realm.realms.len()), (Layout::Code2025, 1));
    for key in [bytes560(b"{}"), tag(554, text(PEM))] {
        let anchor = accepted(&anchor("", class(1), Some(instance()), vec![key]));
        assert_eq!((anchor.layout, anchor.keys.len()), (Layout::Code2025, 1));
    }
    let old_class = || Some(tag(600, raw(&[1; 32])));
    let old = accepted(&corim("", vec![reference(old_class(), None, vec![old_component()])]));
    assert_eq!((old.layout, old.platforms.len()), (Layout::Old, 1));
    assert_eq!(accepted(&anchor("", old_class(), Some(instance()), vec![bytes560(b"{}")])).layout, Layout::Old);
    // Each layout's rules hold as they do with a profile.
    let strange = refused(&corim("", vec![reference(class(1), None, vec![software(component()), register("cca.x")])]));
    assert_eq!(strange, Refusal::Key { found: "cca.x".to_string() });
    let mixed = refused(&corim("", vec![reference(old_class(), None, vec![software(component())])]));
    assert!(matches!(mixed, Refusal::Class { .. }), "{mixed}");
    let key = anchor(PLATFORM, class(1), Some(instance()), vec![bytes560(b"{}")]);
    assert!(matches!(refused(&key), Refusal::KeyForm { .. }));
}

#[test]
fn anchors_break_one_rule_at_a_time() {
    let pem = || tag(554, text(PEM));
    let class = || Some(bytes560(&[1; 32]));
    let read = accepted(&good_anchor(vec![pem()]));
    let key = KeyText::Pem(PEM.to_string());
    assert_eq!(read.keys, [AttestKey { implementation_id: [1; 32], instance_id: [1; 33], key }]);
    assert_eq!(refused(&anchor(PLATFORM, None, Some(instance()), vec![pem()])), Refusal::NoClass);
    assert_eq!(refused(&anchor(PLATFORM, class(), None, vec![pem()])), Refusal::NoInstance);
    for instance in [tag(550, raw(&[2; 33])), tag(550, raw(&[1; 32])), bytes560(&[1; 33]), text("it")] {
        let found = refused(&anchor(PLATFORM, class(), Some(instance), vec![pem()]));
        assert!(matches!(found, Refusal::Instance { .. }), "{found}");
    }
    assert_eq!(refused(&good_anchor(vec![])), Refusal::Keys { found: 0 });
    assert_eq!(refused(&good_anchor(vec![pem(), pem()])), Refusal::Keys { found: 2 });
    for key in [tag(554, text("MFkw")), tag(555, text(PEM)), bytes560(b"{}"), text(PEM)] {
        assert!(matches!(refused(&good_anchor(vec![key])), Refusal::KeyForm { .. }));
    }
    let old = anchor(OLD_PLATFORM, Some(tag(600, raw(&[1; 32]))), Some(instance()), vec![bytes560(b"{}")]);
    assert_eq!(accepted(&old).keys[0].key, KeyText::Jwk("{}".to_string()));
    let realm = anchor(REALM, class(), Some(instance()), vec![pem()]);
    assert_eq!(refused(&realm), Refusal::Triples { number: 3 });
}

#[test]
fn a_realm_breaks_one_rule_at_a_time() {
    let rpv = |length: usize| measurement(text("cca.rpv"), vec![n(4, bytes560(&vec![5; length]))]);
    let read = accepted(&realm_of(vec![register("cca.rem2"), register("cca.rim"), rpv(44)]));
    let [realm] = read.realms.as_slice() else { panic!("one realm") };
    assert_eq!(realm.rim, Digest { hash: Hash::Sha256, bytes: vec![9; 32] });
    assert_eq!(realm.rems.each_ref().map(Option::is_some), [false, false, true, false]);
    assert_eq!(realm.rpv.map(|rpv| (rpv[43], rpv[44])), Some((5, 0)), "filled up with zeros");
    assert_eq!(refused(&realm_of(vec![register("cca.rem0")])), Refusal::NoRim);
    assert_eq!(refused(&realm_of(vec![])), Refusal::NoRim);
    let other = corim(REALM, vec![reference(Some(bytes560(&[8; 32])), None, vec![register("cca.rim")])]);
    assert_eq!(refused(&other), Refusal::RimDiffers);
    let twice = realm_of(vec![register("cca.rim"), register("cca.rim")]);
    assert_eq!(refused(&twice), Refusal::Twice { of: "cca.rim" });
    for name in ["cca.rem4", "cca.rem", "cca.rem00", "cca.platform-config", "rim"] {
        let found = refused(&realm_of(vec![register("cca.rim"), register(name)]));
        assert_eq!(found, Refusal::Key { found: name.to_string() });
    }
    assert_eq!(refused(&realm_of(vec![register("cca.rim"), rpv(65)])), Refusal::Rpv { found: 65 });
    assert_eq!(refused(&realm_of(vec![register("cca.rim"), rpv(0)])), Refusal::Rpv { found: 0 });
    let two = Array(vec![Array(vec![Number(1), raw(&[9; 32])]), Array(vec![Number(8), raw(&[9; 64])])]);
    let rim = measurement(text("cca.rim"), vec![n(2, two)]);
    assert_eq!(refused(&realm_of(vec![rim])), Refusal::SeveralDigests { of: "cca.rim", found: 2 });
    assert_eq!(refused(&realm_of(vec![measurement(text("cca.rim"), vec![])])), Refusal::NoDigests { of: "cca.rim" });
}

#[test]
fn the_old_layout_breaks_one_rule_at_a_time() {
    let class = || Some(tag(600, raw(&[1; 32])));
    let platform = |list: Vec<Item>| corim(OLD_PLATFORM, vec![reference(class(), None, list)]);
    let settings = measurement(tag(602, text("cfg")), vec![n(4, bytes560(&[1]))]);
    let read = accepted(&platform(vec![old_component(), settings.clone()]));
    assert_eq!(read.platforms[0].components[0].version.as_deref(), Some("1"));
    assert!(matches!(refused(&platform(vec![software(component())])), Refusal::Key { .. }));
    let twice = platform(vec![old_component(), settings.clone(), settings]);
    assert!(matches!(refused(&twice), Refusal::Twice { .. }));
    let unsigned = measurement(tag(601, Map(vec![n(1, text("BL"))])), vec![n(2, digests(32))]);
    assert_eq!(refused(&platform(vec![unsigned])), Refusal::Signers { found: 0 });
    let empty = measurement(tag(601, Map(vec![n(5, raw(&[3; 32]))])), vec![]);
    assert!(matches!(refused(&platform(vec![empty])), Refusal::NoDigests { .. }));
    let young = corim(OLD_PLATFORM, vec![reference(Some(bytes560(&[1; 32])), None, vec![old_component()])]);
    assert!(matches!(refused(&young), Refusal::Class { .. }));

    let rim = || (text("rim"), digests(32));
    assert_eq!(accepted(&old_realm(vec![rim(), (text("rem3"), digests(32))])).realms[0].rpv, Some([5; 64]));
    assert_eq!(refused(&old_realm(vec![(text("rem3"), digests(32))])), Refusal::NoRim);
    let found = refused(&old_realm(vec![rim(), (text("rem4"), digests(32))]));
    assert_eq!(found, Refusal::Key { found: "rem4".to_string() });
    let differs = Array(vec![Array(vec![Number(1), raw(&[8; 32])])]);
    assert_eq!(refused(&old_realm(vec![(text("rim"), differs)])), Refusal::RimDiffers);
}

#[test]
fn wrappers() {
    let inner = |item: &Item| if let Item::Tag(_, inner) = item { (**inner).clone() } else { panic!("a tag") };
    let good = platform_of(vec![software(component())]);
    let plain = inner(&good);
    for item in [plain.clone(), tag(500, good.clone()), tag(500, plain.clone())] {
        assert_eq!(accepted(&item), accepted(&good));
    }
    assert!(matches!(refused(&tag(505, plain.clone())), Refusal::Structure(_)));
    assert_eq!(refused(&tag(18, plain.clone())), Refusal::Signed { found: true });
    let Map(entries) = plain else { panic!("a map") };
    let endless = Endless(entries.clone());
    assert_eq!(accepted(&tag(501, endless)), accepted(&good));
    let without = |key: i64| {
        let entries = entries.iter().filter(|(it, _)| !matches!(it, Number(it) if *it == key)).cloned();
        tag(501, Map(entries.collect()))
    };
    assert_eq!(refused(&without(0)), Refusal::NoId);
    assert_eq!(refused(&without(1)), Refusal::Empty);
    let mut trailing = good.encoded();
    trailing.push(0);
    assert!(matches!(Corim::parse(&trailing), Err(Refusal::Structure(_))));
    let twice = Map(entries.iter().chain(entries.iter().take(1)).cloned().collect());
    assert!(matches!(refused(&twice), Refusal::Structure(_)));
    let other = corim("http://arm.com/iot/profile/1", vec![]);
    assert_eq!(refused(&other), Refusal::Profile { found: "http://arm.com/iot/profile/1".to_string() });
    let conditional = corim(PLATFORM, vec![n(8, Array(vec![]))]);
    assert_eq!(refused(&conditional), Refusal::Triples { number: 8 });
    assert!(matches!(Corim::parse(&vec![0; 2 << 20]), Err(Refusal::TooLong { .. })));
}

#[test]
fn without_a_tag_and_with_a_list_of_one_profile() {
    let with = |profile: Option<Item>| {
        let Item::Tag(_, inner) = platform_of(vec![software(component())]) else { panic!("a tag") };
        let Map(mut entries) = *inner else { panic!("a map") };
        if let Some(profile) = profile {
            entries[2].1 = profile;
        }
        Map(entries)
    };
    let control = with(None);
    assert!(is_corim(&control.encoded()));
    let read = accepted(&control);
    assert_eq!(accepted(&with(Some(Array(vec![tag(32, text(PLATFORM))])))), read);
    let two = with(Some(Array(vec![text(PLATFORM), text(REALM)])));
    assert_eq!(refused(&two), Refusal::Twice { of: "profile" });
    for other in [Map(vec![]), Map(vec![n(0, text("id"))]), Map(vec![n(0, text("id")), n(1, Map(vec![]))]), text("id")]
    {
        assert!(!is_corim(&other.encoded()));
    }
}

#[test]
fn validity() {
    let with = |validity: Item| {
        let Item::Tag(_, inner) = platform_of(vec![software(component())]) else { panic!("a tag") };
        let Map(mut entries) = *inner else { panic!("a map") };
        entries.push(n(4, validity));
        tag(501, Map(entries))
    };
    let time = |at: i64| tag(1, Number(at));
    let read = accepted(&with(Map(vec![n(0, time(10)), n(1, time(20))])));
    let validity = read.validity.expect("it says");
    assert_eq!(validity, Validity { not_before: Some(10), not_after: 20 });
    assert_eq!(
        [9, 10, 20, 21].map(|at| validity.judge(at)),
        [Err(Lapsed::NotYet(10)), Ok(()), Ok(()), Err(Lapsed::Expired(20))]
    );
    assert_eq!(refused(&with(Map(vec![n(0, time(20)), n(1, time(10))]))), Refusal::Validity);
    assert_eq!(refused(&with(Map(vec![n(0, time(20))]))), Refusal::Validity);
    assert!(matches!(refused(&with(Map(vec![n(1, Number(10))]))), Refusal::Structure(_)));
    let shown = Validity { not_before: Some(951_782_400), not_after: 1_767_139_200 }.to_string();
    assert_eq!(shown, "from 2000-02-29T00:00:00Z until 2025-12-31T00:00:00Z");
}

fn digest(hash: Hash, byte: u8) -> Digest {
    let length = match hash {
        Hash::Sha256 => 32,
        Hash::Sha384 => 48,
        Hash::Sha512 => 64,
    };
    Digest::new(hash, &vec![byte; length]).expect("the algorithm's length")
}

fn sample(layout: Layout) -> Corim {
    let component = |name: Option<&str>| Component {
        name: name.map(ToString::to_string),
        version: name.map(|_| "1.0".to_string()),
        digests: vec![digest(Hash::Sha256, 1), digest(Hash::Sha512, 2)],
        signer_id: vec![4; 48],
    };
    let draft = layout == Layout::Draft04;
    let masked = Masked { value: vec![1; 300], mask: Some(vec![2; 300]) };
    let platform = Platform {
        implementation_id: [6; 32],
        components: vec![component(Some("RMM")), component(None)],
        config: Some(masked.clone()),
        manufacturing_config: draft.then_some(masked),
        rotpks: if draft { vec![Rotpk { place: "DM.7.5".to_string(), hash: vec![1; 32] }] } else { vec![] },
    };
    let key = KeyText::Pem(PEM.to_string());
    Corim {
        id: "made here".to_string(),
        profile: Some(layout.profile(allod_evidence::corim::Subject::Platform).to_string()),
        layout,
        validity: Some(Validity { not_before: None, not_after: 5_000_000_000 }),
        entities: vec!["Maker".to_string()],
        platforms: vec![platform.clone(), Platform { config: None, ..platform }],
        realms: Vec::new(),
        keys: vec![AttestKey { implementation_id: [6; 32], instance_id: [1; 33], key }],
        passed_over: Vec::new(),
    }
}

fn realm_sample(layout: Layout) -> Corim {
    let rem = || Some(digest(Hash::Sha512, 3));
    let realm = Realm { rim: digest(Hash::Sha512, 2), rems: [rem(), None, rem(), None], rpv: Some([8; 64]) };
    let profile = layout.profile(allod_evidence::corim::Subject::Realm).to_string();
    let profile = Some(profile);
    let bare = Realm { rim: digest(Hash::Sha256, 2), rems: [None, None, None, None], rpv: None };
    let realms = vec![realm, bare];
    Corim { profile, realms, platforms: vec![], keys: vec![], ..sample(layout) }
}

#[test]
fn written_and_read() {
    for layout in [Layout::Code2025, Layout::Draft04] {
        for corim in [sample(layout), realm_sample(layout)] {
            let bytes = corim.encode().expect("a layout that is written");
            assert!(is_corim(&bytes) && !is_signed(&bytes));
            assert_eq!(Corim::parse(&bytes), Ok(corim));
        }
    }
}

#[test]
fn not_written() {
    let both = Corim { realms: realm_sample(Layout::Code2025).realms, ..sample(Layout::Code2025) };
    assert_eq!(both.encode(), Err(Unwritable::Both));
    assert_eq!(Corim { layout: Layout::Old, ..sample(Layout::Code2025) }.encode(), Err(Unwritable::Old));
    assert_eq!(Corim { layout: Layout::Code2025, ..sample(Layout::Draft04) }.encode(), Err(Unwritable::Draft04));
    let empty = Corim { platforms: vec![], keys: vec![], ..sample(Layout::Code2025) };
    assert_eq!(empty.encode(), Err(Unwritable::Empty));
    let lost = Corim { passed_over: vec![505], ..sample(Layout::Code2025) };
    assert_eq!(lost.encode(), Err(Unwritable::PassedOver(505)));
    let mut jwk = sample(Layout::Code2025);
    jwk.keys[0].key = KeyText::Jwk("{}".to_string());
    assert_eq!(jwk.encode(), Err(Unwritable::Key));
}

fn signer() -> Signer {
    let validity = Some(Validity { not_before: Some(1), not_after: 2 });
    Signer { name: "Signer".to_string(), uri: Some("https://signer.example".to_string()), validity }
}

fn signed() -> Vec<u8> {
    let corim = sample(Layout::Code2025).encode().expect("written");
    let made = ToBeSigned::new(&corim, Algorithm::Es384, Some(b"key"), &signer()).expect("readable");
    made.finish(&made.signed_bytes())
}

#[test]
fn a_signature_stands_before_the_content() {
    let bytes = signed();
    assert!(is_signed(&bytes) && is_corim(&bytes));
    assert_eq!(Corim::parse(&bytes), Err(Refusal::Signed { found: true }));
    let read = Signed::parse(&bytes).expect("well formed");
    assert_eq!((read.algorithm(), read.kid()), (Algorithm::Es384, Some(&b"key"[..])));
    assert!(read.allegations().to_string().contains("made here"));
    let denied = read.clone().authenticate_with(|_, _, _| Err(Refusal::Empty));
    assert_eq!(denied, Err(Refusal::Empty));
    let (corim, by) = read
        .authenticate_with(|algorithm, message, signature| {
            // What stands for a signature here is the message itself.
            assert_eq!((algorithm, message), (Algorithm::Es384, signature));
            Ok::<_, Refusal>(())
        })
        .expect("judged to be good");
    assert_eq!((corim, by), (sample(Layout::Code2025), signer()));
    let unsigned = sample(Layout::Code2025).encode().expect("written");
    assert_eq!(Signed::parse(&unsigned).map(drop), Err(Refusal::Signed { found: false }));
}

#[test]
fn a_header_breaks_one_rule_at_a_time() {
    let meta = |entries: Vec<(Item, Item)>| raw(&Map(entries).encoded());
    let name = || n(0, Map(vec![n(0, text("Signer"))]));
    let payload = sample(Layout::Code2025).encode().expect("written");
    let judge = |header: Vec<(Item, Item)>| {
        let header = Map(header).encoded();
        let cose = tag(18, Array(vec![raw(&header), Map(vec![]), raw(&payload), raw(&[0; 64])])).encoded();
        Signed::parse(&cose)?.authenticate_with(|_, _, _| Ok::<_, Refusal>(())).map(|(_, signer)| signer)
    };
    let alg = || n(1, Number(-7));
    let kind = |value: &str| n(3, text(value));
    let good = judge(vec![alg(), kind("application/rim+cbor"), n(8, meta(vec![name()]))]).expect("as it should be");
    assert_eq!(good, Signer { name: "Signer".to_string(), uri: None, validity: None });
    let same = format!("application/rim+cbor; profile=\"{PLATFORM}\"");
    assert!(judge(vec![alg(), kind(&same), n(8, meta(vec![name()]))]).is_ok());
    let other = judge(vec![alg(), kind("application/rim+cbor; profile=\"x\""), n(8, meta(vec![name()]))]);
    assert!(matches!(other, Err(Refusal::ProfileOutside { .. })), "{other:?}");
    let eat = judge(vec![alg(), kind("application/eat+cwt"), n(8, meta(vec![name()]))]);
    assert_eq!(eat, Err(Refusal::ContentType { found: "application/eat+cwt".to_string() }));
    let none = judge(vec![alg(), n(8, meta(vec![name()]))]);
    assert_eq!(none, Err(Refusal::ContentType { found: String::new() }));
    assert_eq!(judge(vec![alg(), kind("application/rim+cbor")]), Err(Refusal::NoSignerName));
    let cwt = Map(vec![n(1, text("Issuer")), n(5, Number(3)), n(4, Number(9))]);
    let claims = judge(vec![alg(), kind("application/rim+cbor"), n(15, cwt)]).expect("claims instead of meta");
    let validity = Some(Validity { not_before: Some(3), not_after: 9 });
    assert_eq!(claims, Signer { name: "Issuer".to_string(), uri: None, validity });
    let never = Map(vec![n(1, text("Issuer")), n(5, Number(9)), n(4, Number(3))]);
    assert_eq!(judge(vec![alg(), kind("application/rim+cbor"), n(15, never)]), Err(Refusal::Validity));
    let critical = vec![alg(), n(2, Array(vec![Number(8)])), kind("application/rim+cbor"), n(8, meta(vec![name()]))];
    assert!(matches!(judge(critical), Err(Refusal::Structure(_))));
}

/// How many entries of each kind a vector has, or what refuses it.
type Outcome = Result<(usize, usize, usize), &'static str>;

/// What each vector is to be read as; `Err` has the beginning of the refusal's debug form.
const VECTORS: [(&str, Outcome); 15] = [
    ("cca-endorsements.cbor", Ok((1, 0, 1))),
    ("cca-realm-endorsements.cbor", Ok((0, 1, 0))),
    ("corim-cca-platform-bad-no-class.cbor", Err("NoClass")),
    ("corim-cca-platform-bad-refval-no-digests.cbor", Err("NoDigests")),
    ("corim-cca-platform-bad-refval-no-mkey.cbor", Err("NoKey")),
    ("corim-cca-platform-bad-ta-no-instance.cbor", Err("NoInstance")),
    ("corim-cca-platform-valid.cbor", Ok((1, 0, 1))),
    ("corim-cca-realm-valid.cbor", Ok((0, 1, 0))),
    ("corim-lib-cca-platform-valid.cbor", Ok((1, 0, 1))),
    ("corim-lib-cca-realm-invalid-missing-rim.cbor", Err("NoRim")),
    ("corim-lib-cca-realm-valid.cbor", Ok((0, 1, 0))),
    ("signed-corim-cca-ref-plat.cbor", Ok((1, 0, 0))),
    ("signed-corim-cca-ta.cbor", Ok((0, 0, 1))),
    // A CoRIM for PSA: its signature holds, its content is not for this room.
    ("signed-corim-valid.cbor", Err("Profile")),
    ("../cca-tokens/p2023-cmw907.cbor", Err("Structure")),
];

#[test]
fn vectors_are_read_as_their_provenance_says() {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors");
    let folder = std::env::var_os("ALLOD_VECTORS").map_or(beside, PathBuf::from).join("attestation/corim");
    if !folder.is_dir() {
        let _ = writeln!(std::io::stderr(), "SKIPPED: no vectors; set ALLOD_VECTORS (15 CoRIMs not tried)");
        return;
    }
    for (name, expected) in VECTORS {
        let bytes = std::fs::read(folder.join(name)).expect("the vector is there");
        let read = if is_signed(&bytes) {
            let signed = Signed::parse(&bytes).expect("well formed");
            signed.authenticate_with(|_, _, _| Ok::<_, Refusal>(())).map(|(corim, _)| corim)
        } else {
            Corim::parse(&bytes)
        };
        match (read, expected) {
            (Ok(corim), Ok(counts)) => {
                assert_eq!((corim.platforms.len(), corim.realms.len(), corim.keys.len()), counts, "{name}");
                assert!(is_corim(&bytes), "{name}");
                rewritten(name, corim);
            }
            (Err(refusal), Err(start)) => assert!(format!("{refusal:?}").starts_with(start), "{name}: {refusal:?}"),
            (found, _) => panic!("{name}: {found:?}"),
        }
    }
}

/// Writes what was read in a young layout, and reads it again.
fn rewritten(name: &str, read: Corim) {
    let layout = if read.layout == Layout::Old { Layout::Draft04 } else { read.layout };
    match (Corim { layout, ..read.clone() }).encode() {
        Ok(bytes) => {
            let again = Corim::parse(&bytes).expect("what is written can be read");
            assert_eq!((again.platforms, again.realms, again.keys), (read.platforms, read.realms, read.keys), "{name}");
        }
        Err(error) => assert!(error == Unwritable::Key && name.contains("ta"), "{name}: {error}"),
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = (Corim::parse(&bytes), Signed::parse(&bytes).map(|it| it.allegations().to_string()), is_corim(&bytes));
    }

    #[test]
    fn any_change_is_read_or_refused(at in any::<prop::sample::Index>(), byte: u8, cut in any::<prop::sample::Index>()) {
        for good in [sample(Layout::Draft04).encode().expect("written"), signed()] {
            let mut bytes = good;
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if let Ok(corim) = Corim::parse(&bytes) {
                let _ = (corim.to_string(), corim.encode());
            }
            let _ = Signed::parse(&bytes).map(|it| it.allegations().to_string());
            bytes.truncate(cut.index(bytes.len()));
            let _ = (Corim::parse(&bytes).is_err(), Signed::parse(&bytes).is_err());
        }
    }
}
