//! The frame of a token: wrappers, COSE, and the claims that must be there. Signatures are the verifier's to test.

#[path = "token_tests/profiles.rs"]
mod profiles;
#[path = "token_tests/virtcca.rs"]
mod virtcca;

use super::*;
use crate::hash::Hash;
use crate::lifecycle::Lifecycle;
use alloc::vec;
use alloc::vec::Vec;

/// A CBOR item's head, in the shortest form.
fn head(major: u8, value: u64) -> Vec<u8> {
    let lead = major << 5;
    match value {
        0..=23 => vec![lead | value as u8],
        24..=0xFF => vec![lead | 24, value as u8],
        _ => [vec![lead | 25], (value as u16).to_be_bytes().to_vec()].concat(),
    }
}

fn uint(value: u64) -> Vec<u8> {
    head(0, value)
}

fn bytes(content: &[u8]) -> Vec<u8> {
    [head(2, content.len() as u64), content.to_vec()].concat()
}

fn text(content: &str) -> Vec<u8> {
    [head(3, content.len() as u64), content.as_bytes().to_vec()].concat()
}

fn array(items: &[Vec<u8>]) -> Vec<u8> {
    [head(4, items.len() as u64), items.concat()].concat()
}

/// A map's entries, each with a key that is a number.
type Entries = Vec<(u64, Vec<u8>)>;

fn map(entries: &Entries) -> Vec<u8> {
    let items: Vec<Vec<u8>> = entries.iter().map(|(key, value)| [uint(*key), value.clone()].concat()).collect();
    [head(5, entries.len() as u64), items.concat()].concat()
}

fn component() -> Entries {
    vec![(1, text("RMM")), (2, bytes(&[3; 32])), (4, text("1")), (5, bytes(&[4; 48]))]
}

fn platform() -> Entries {
    let mut instance = [5; 33];
    instance[0] = 1;
    vec![
        (265, text("tag:arm.com,2023:cca_platform#1.0.0")),
        (10, bytes(&[1; 32])),
        (2396, bytes(&[2; 32])),
        (256, bytes(&instance)),
        (2401, bytes(&[6])),
        (2395, uint(0x3003)),
        (2402, text("sha-256")),
        (2399, array(&[map(&component())])),
    ]
}

fn realm() -> Entries {
    let rak = [&[4][..], &[9; 96]].concat();
    let rems = vec![bytes(&[0; 32]); 4];
    vec![
        (10, bytes(&[7; 64])),
        (44235, bytes(&[8; 64])),
        (44237, bytes(&rak)),
        (44236, text("sha-256")),
        (44240, text("sha-512")),
        (265, text("tag:arm.com,2023:realm#1.0.0")),
        (44238, bytes(&[10; 32])),
        (44239, array(&rems)),
    ]
}

fn sign1(protected: &[u8], payload: &[u8]) -> Vec<u8> {
    let items = [bytes(protected), map(&vec![]), bytes(payload), bytes(&[11; 96])];
    [vec![0xD2], array(&items)].concat()
}

const ES384: [u8; 4] = [0xA1, 0x01, 0x38, 0x22];

/// A wrapper of halves that are signed, or are whatever else.
fn enclosed(halves: &[(u64, &[u8])]) -> Vec<u8> {
    let entries = halves.iter().map(|(key, half)| (*key, bytes(half))).collect();
    [vec![0xD9, 0x01, 0x8F], map(&entries)].concat()
}

fn wrapped(platform: &Entries, realm: &Entries) -> Vec<u8> {
    let halves = vec![(44234, bytes(&sign1(&ES384, &map(platform)))), (44241, bytes(&sign1(&ES384, &map(realm))))];
    [vec![0xD9, 0x01, 0x8F], map(&halves)].concat()
}

/// The claims, taken by an authenticator that asks nothing: only a test may do this.
fn unlocked(token: Token<'_>) -> Claims<'_> {
    let Ok((claims, ())) = token.authenticate_with(|_| Ok::<_, core::convert::Infallible>(()));
    claims
}

fn refusal(platform: &Entries, realm: &Entries) -> Malformed {
    Token::parse(&wrapped(platform, realm)).err().expect("a refusal")
}

fn without(entries: &Entries, key: u64) -> Entries {
    entries.iter().filter(|(found, _)| *found != key).cloned().collect()
}

fn with(entries: &Entries, key: u64, value: Vec<u8>) -> Entries {
    let replaced = entries.iter().map(|(found, old)| (*found, if *found == key { value.clone() } else { old.clone() }));
    replaced.collect()
}

#[test]
fn a_whole_token_gives_its_claims() {
    let token = wrapped(&platform(), &realm());
    let claims = unlocked(Token::parse(&token).expect("well formed"));
    assert_eq!(claims.family, Family::Cca);
    let platform = claims.platform.expect("a platform");
    assert_eq!(platform.binding, [1; 32]);
    assert_eq!(platform.lifecycle, Lifecycle(0x3003));
    assert_eq!(platform.components.len(), 1);
    assert_eq!(platform.components[0].signer_id, [4; 48]);
    assert_eq!(claims.realm.key.map(|it| it.hash), Some(Hash::Sha512));
    assert_eq!(claims.realm.rems, [&[0; 32][..]; 4]);
}

#[test]
fn every_wrapper_is_read_and_further_entries_are_passed_over() {
    let (platform, realm) = (bytes(&sign1(&ES384, &map(&platform()))), bytes(&sign1(&ES384, &map(&realm()))));
    let entry = |half: &Vec<u8>| array(&[uint(263), half.clone()]);
    let collection = vec![(44256, array(&[uint(1)])), (44241, entry(&realm)), (44234, entry(&platform))];
    let between = vec![(44234, entry(&platform)), (44241, entry(&realm))];
    for (tag, entries) in [([0x03, 0x8B], &collection), ([0x01, 0x8F], &between)] {
        let token = [vec![0xD9], tag.to_vec(), map(entries)].concat();
        assert_eq!(unlocked(Token::parse(&token).expect("well formed")).realm.rim, [10; 32]);
    }
    let wrong = vec![(44234, array(&[uint(262), platform])), (44241, entry(&realm))];
    let token = [vec![0xD9, 0x03, 0x8B], map(&wrong)].concat();
    assert!(matches!(Token::parse(&token), Err(Malformed::ContentFormat { found: 262, .. })));
    assert!(matches!(Token::parse(&[0xD9, 0x01, 0x8E, 0xA0]), Err(Malformed::Tag { found: 398, .. })));
}

#[test]
fn every_claim_that_the_profile_demands_is_missed() {
    for (key, _) in platform() {
        let found = refusal(&without(&platform(), key), &realm());
        assert!(matches!(found, Malformed::Missing { part: Part::Platform, .. }), "{key}: {found}");
    }
    for (key, _) in realm().into_iter().filter(|(key, _)| *key != 265) {
        let found = refusal(&platform(), &without(&realm(), key));
        assert!(matches!(found, Malformed::Missing { part: Part::Realm, .. }), "{key}: {found}");
    }
    for key in [2, 5] {
        let found = refusal(&with(&platform(), 2399, array(&[map(&without(&component(), key))])), &realm());
        assert!(matches!(found, Malformed::Missing { part: Part::Platform, .. }), "component {key}: {found}");
    }
    assert!(Token::parse(&wrapped(&platform(), &without(&realm(), 265))).is_ok(), "older realm tokens have no profile");
}

#[test]
fn wrong_sizes_and_values_are_refused() {
    for (key, value) in [(10, bytes(&[1; 33])), (2396, bytes(&[2; 31])), (256, bytes(&[1; 32]))] {
        assert!(matches!(refusal(&with(&platform(), key, value), &realm()), Malformed::Size { .. }), "{key}");
    }
    for (key, value) in [(256, bytes(&[2; 33])), (2395, uint(0x7000)), (2402, text("md5")), (2399, array(&[]))] {
        assert!(matches!(refusal(&with(&platform(), key, value), &realm()), Malformed::Value { .. }), "{key}");
    }
    for (key, value) in [(10, bytes(&[1; 32])), (44235, bytes(&[1; 65])), (44238, bytes(&[])), (44237, bytes(&[4; 98]))]
    {
        assert!(matches!(refusal(&platform(), &with(&realm(), key, value)), Malformed::Size { .. }), "{key}");
    }
    let three = array(&vec![bytes(&[0; 32]); 3]);
    let five = array(&vec![bytes(&[0; 32]); 5]);
    for rems in [three, five] {
        assert!(matches!(refusal(&platform(), &with(&realm(), 44239, rems)), Malformed::Value { .. }));
    }
    let next = text("tag:arm.com,2030:realm#9.0.0");
    assert!(matches!(refusal(&platform(), &with(&realm(), 265, next)), Malformed::Profile { part: Part::Realm, .. }));
}

#[test]
fn unknown_claims_are_passed_over_and_repeated_ones_refused() {
    let mut more = platform();
    more.push((9999, array(&[text("new")])));
    assert!(Token::parse(&wrapped(&more, &realm())).is_ok());
    more.push((9999, uint(0)));
    assert!(matches!(refusal(&more, &realm()), Malformed::Duplicate { .. }));
}

#[test]
fn cose_is_read_strictly() {
    let platform = map(&platform());
    let token = |half: Vec<u8>| {
        let halves = vec![(44234, bytes(&half)), (44241, bytes(&sign1(&ES384, &map(&realm()))))];
        [vec![0xD9, 0x01, 0x8F], map(&halves)].concat()
    };
    let verdict = |half: Vec<u8>| Token::parse(&token(half)).err();
    assert_eq!(verdict(sign1(&ES384, &platform)), None);
    let long_tag = [vec![0xD8, 0x12], sign1(&ES384, &platform)[1..].to_vec()].concat();
    assert_eq!(verdict(long_tag), None, "a tag in a longer encoding is a tag");
    assert!(matches!(verdict(sign1(&ES384, &platform)[1..].to_vec()), Some(Malformed::Type { .. })));
    for empty in [&[0xA0][..], &[]] {
        assert!(matches!(verdict(sign1(empty, &platform)), Some(Malformed::Header { .. })));
    }
    assert!(matches!(verdict(sign1(&[0xA1, 0x01, 0x27], &platform)), Some(Malformed::Algorithm { found: -8 })));
    let critical = [0xA2, 0x01, 0x38, 0x22, 0x02, 0x81, 0x04];
    assert!(matches!(verdict(sign1(&critical, &platform)), Some(Malformed::Header { .. })));
    let five = [vec![0xD2], array(&[bytes(&ES384), map(&vec![]), bytes(&platform), bytes(&[]), bytes(&[])])].concat();
    assert!(matches!(verdict(five), Some(Malformed::Type { .. })));
    let three = [vec![0xD2], array(&[bytes(&ES384), map(&vec![]), bytes(&platform)])].concat();
    assert!(matches!(verdict(three), Some(Malformed::Type { .. })));
}

#[test]
fn trailing_bytes_are_refused_at_every_level() {
    let mut token = wrapped(&platform(), &realm());
    token.push(0);
    assert!(matches!(Token::parse(&token), Err(Malformed::Trailing { count: 1, .. })));
    let payload = [map(&platform()), vec![0]].concat();
    let halves = vec![(44234, bytes(&sign1(&ES384, &payload))), (44241, bytes(&sign1(&ES384, &map(&realm()))))];
    let token = [vec![0xD9, 0x01, 0x8F], map(&halves)].concat();
    assert!(matches!(Token::parse(&token), Err(Malformed::Trailing { count: 1, .. })));
    assert!(matches!(Token::parse(&vec![0; MAX_TOKEN + 1]), Err(Malformed::TooLong { .. })));
}

#[test]
fn every_cut_of_a_token_is_refused() {
    let token = wrapped(&platform(), &realm());
    for end in 0..token.len() {
        assert!(Token::parse(&token[..end]).is_err(), "cut at {end}");
    }
}

#[test]
fn control_characters_do_not_reach_a_terminal() {
    let mut wicked = component();
    wicked[0].1 = text("\u{1b}[2JRMM");
    let token = wrapped(&with(&platform(), 2399, array(&[map(&wicked)])), &realm());
    let shown = alloc::format!("{}", Token::parse(&token).expect("well formed").allegations());
    assert!(shown.contains("RMM") && !shown.contains('\u{1b}'));
}
