//! virtCCA's tokens: told from Arm's by what is in them, and read by their own rules.

use super::*;
use crate::key::PublicKey;

const PS256: [u8; 4] = [0xA1, 0x01, 0x38, 0x24];
const ES512: [u8; 4] = [0xA1, 0x01, 0x38, 0x23];

fn cvm(key: &[u8]) -> Entries {
    let realm = without(&without(&realm(), 265), 44237);
    [vec![(44237, bytes(key))], realm].concat()
}

fn machine() -> Entries {
    let entries = with(&platform(), 265, text("\0\0\0\0"));
    let unsigned = vec![(1, text("tee\0")), (2, bytes(&[3; 32])), (4, text("1.6\0")), (5, bytes(&[]))];
    let entries = with(&entries, 2399, array(&[map(&unsigned)]));
    with(&with(&with(&entries, 2401, bytes(&[])), 2395, uint(0x2000)), 2402, text("sha-256\0"))
}

/// A half whose claims stand within another byte string.
fn twice(header: &[u8], claims: &Entries) -> Vec<u8> {
    sign1(header, &bytes(&map(claims)))
}

fn first(half: &[u8]) -> Vec<u8> {
    enclosed(&[(44241, half)])
}

fn second(platform: &[u8], realm: &[u8]) -> Vec<u8> {
    enclosed(&[(44234, platform), (44241, realm)])
}

const RSA: [u8; 8] = [0x30, 0x06, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06];

fn point() -> Vec<u8> {
    [&[4][..], &[9; 132]].concat()
}

#[test]
fn a_realm_alone_that_signs_with_rsa_is_the_first_generation() {
    for half in [twice(&PS256, &cvm(&RSA)), sign1(&PS256, &map(&cvm(&RSA)))] {
        let token = first(&half);
        let claims = unlocked(Token::parse(&token).expect("well formed"));
        assert_eq!((claims.family, claims.platform), (Family::VirtCca1, None));
        assert_eq!(claims.realm.profile, crate::realm::Profile::VirtCca);
        assert!(matches!(claims.realm.key.map(|it| it.key), Some(PublicKey::Info(info)) if info == RSA));
    }
    let token = first(&sign1(&ES384, &map(&realm())));
    let found = Token::parse(&token).err();
    assert!(matches!(found, Some(Malformed::Missing { part: Part::Platform, .. })), "of Arm's, half is missing");
    let token = first(&map(&without(&without(&realm(), 44237), 44240)));
    assert!(matches!(Token::parse(&token).err(), Some(Malformed::Missing { part: Part::Platform, .. })));
}

#[test]
fn a_platform_without_profile_is_the_second_generation() {
    for profile in ["", "\0", "\0\0\0\0"] {
        let platform = with(&machine(), 265, text(profile));
        for platform in [sign1(&ES512, &map(&platform)), twice(&ES512, &platform)] {
            let token = second(&platform, &twice(&ES512, &cvm(&point())));
            let claims = unlocked(Token::parse(&token).expect("well formed"));
            assert_eq!(claims.family, Family::VirtCca2);
            let platform = claims.platform.expect("a platform");
            assert_eq!((platform.components[0].kind, platform.components[0].version), (Some("tee"), Some("1.6")));
            assert!(platform.components[0].signer_id.is_empty() && platform.config.is_empty());
            assert_eq!(platform.lifecycle, Lifecycle(0x2000));
        }
    }
}

#[test]
fn each_generation_has_its_own_algorithm_and_arm_has_neither() {
    let realm = |header: &[u8]| twice(header, &cvm(&point()));
    let platform = |header: &[u8]| sign1(header, &map(&machine()));
    assert!(Token::parse(&second(&platform(&ES512), &realm(&ES512))).is_ok(), "the control");
    for header in [PS256, ES384] {
        assert!(matches!(Token::parse(&second(&platform(&header), &realm(&ES512))), Err(Malformed::Header { .. })));
        assert!(matches!(Token::parse(&second(&platform(&ES512), &realm(&header))), Err(Malformed::Header { .. })));
    }
    let arm = |header: &[u8]| sign1(header, &map(&super::platform()));
    let own = |header: &[u8]| sign1(header, &map(&super::realm()));
    assert!(Token::parse(&second(&arm(&ES384), &own(&ES384))).is_ok(), "the control");
    assert!(matches!(Token::parse(&second(&arm(&PS256), &own(&ES384))), Err(Malformed::Header { .. })));
    assert!(matches!(Token::parse(&second(&arm(&ES384), &own(&PS256))), Err(Malformed::Header { .. })));
}

#[test]
fn what_only_virtcca_may_is_refused_in_arms_tokens() {
    let arm = |platform: &[u8], realm: &[u8]| Token::parse(&second(platform, realm)).err();
    let (platform, realm) = (sign1(&ES384, &map(&super::platform())), sign1(&ES384, &map(&super::realm())));
    assert_eq!(arm(&platform, &realm), None, "the control");
    let wrapped_twice = |entries: &Entries| sign1(&ES384, &bytes(&map(entries)));
    assert!(matches!(arm(&wrapped_twice(&super::platform()), &realm), Some(Malformed::Type { .. })));
    assert!(matches!(arm(&platform, &wrapped_twice(&super::realm())), Some(Malformed::Type { .. })));
    let info = sign1(&ES384, &map(&with(&super::realm(), 44237, bytes(&RSA))));
    assert!(arm(&platform, &info).is_some(), "a SubjectPublicKeyInfo is no key of Arm's");
    let unsigned = with(&component(), 5, bytes(&[]));
    let unsigned = sign1(&ES384, &map(&with(&super::platform(), 2399, array(&[map(&unsigned)]))));
    assert!(matches!(arm(&unsigned, &realm), Some(Malformed::Size { .. })));
    let filled = sign1(&ES384, &map(&with(&super::realm(), 44236, text("sha-256\0"))));
    assert!(matches!(arm(&platform, &filled), Some(Malformed::Value { .. })));
}

#[test]
fn virtcca_is_read_as_strictly() {
    for key in [10, 44235, 44236, 44237, 44238, 44239, 44240] {
        let found = Token::parse(&first(&twice(&PS256, &without(&cvm(&RSA), key)))).err();
        assert!(matches!(found, Some(Malformed::Missing { part: Part::Realm, .. })), "{key}: {found:?}");
    }
    for key in [10, 256, 265, 2395, 2396, 2399, 2401, 2402] {
        let platform = sign1(&ES512, &map(&without(&machine(), key)));
        let found = Token::parse(&second(&platform, &twice(&ES512, &cvm(&point())))).err();
        assert!(matches!(found, Some(Malformed::Missing { part: Part::Platform, .. })), "{key}: {found:?}");
    }
    let trailing = sign1(&PS256, &[bytes(&map(&cvm(&RSA))), vec![0]].concat());
    assert!(matches!(Token::parse(&first(&trailing)), Err(Malformed::Trailing { count: 1, .. })));
    let within = sign1(&PS256, &bytes(&[map(&cvm(&RSA)), vec![0]].concat()));
    assert!(matches!(Token::parse(&first(&within)), Err(Malformed::Trailing { count: 1, .. })));
    let thrice = sign1(&PS256, &bytes(&bytes(&map(&cvm(&RSA)))));
    assert!(matches!(Token::parse(&first(&thrice)), Err(Malformed::Type { .. })));
    let mut again = cvm(&RSA);
    again.push((10, bytes(&[7; 64])));
    assert!(matches!(Token::parse(&first(&twice(&PS256, &again))), Err(Malformed::Duplicate { .. })));
    for (key, value) in [(265, text("tag:arm.com,2023:realm#1.0.0")), (265, text("virtcca"))] {
        let named = [cvm(&RSA), vec![(key, value)]].concat();
        let found = Token::parse(&first(&twice(&PS256, &named))).err();
        assert!(matches!(found, Some(Malformed::Profile { part: Part::Realm, .. })), "{found:?}");
    }
    let cose_key = [0xA0; 40];
    assert!(matches!(Token::parse(&first(&twice(&PS256, &cvm(&cose_key)))), Err(Malformed::Value { .. })));
}

#[test]
fn every_cut_of_a_virtcca_token_is_refused() {
    let token = second(&sign1(&ES512, &map(&machine())), &twice(&ES512, &cvm(&point())));
    for end in 0..token.len() {
        assert!(Token::parse(&token[..end]).is_err(), "cut at {end}");
    }
}
