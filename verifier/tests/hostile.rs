//! Tokens that are signed as they should be and are not what a token may be: signatures do not excuse form.

mod maker;

use allod_verifier::Outcome;
use maker::token::{Entries, Maker, array, assembled, bytes, map, set, sign1, text, uint, wrapped};
use maker::{failed, judge, key};

/// The good token with one more claim in each half, signed again.
fn with_claim(claim: &[u8]) -> [Vec<u8>; 2] {
    [true, false].map(|platform| {
        let mut maker = Maker::default();
        if platform { &mut maker.platform } else { &mut maker.realm }.push((9999, claim.to_vec()));
        maker.token()
    })
}

#[test]
fn unknown_claims_of_any_form_are_passed_over_and_malformed_ones_are_not() {
    let nested = |depth: usize| [vec![0x81; depth], vec![0x00]].concat();
    let good = [
        uint(1),
        text("new"),
        map(&vec![(1, array(&[uint(1), text("x")]))]),
        vec![0xF6],
        vec![0xFB, 0, 0, 0, 0, 0, 0, 0, 0],
        [vec![0xC1], uint(7)].concat(),
        vec![0x1B, 0, 0, 0, 0, 0, 0, 0, 1],
        nested(8),
    ];
    for claim in &good {
        for token in with_claim(claim) {
            assert_eq!(judge(&token).outcome(), Outcome::Affirming, "{claim:02x?}");
        }
    }
    let bad: [(&str, Vec<u8>); 12] = [
        ("nested too deep", nested(40)),
        ("nested to the end", vec![0x81; 5000]),
        ("a huge array", vec![0x9B, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]),
        ("a huge map", vec![0xBA, 0xFF, 0xFF, 0xFF, 0xFF]),
        ("a huge byte string", vec![0x5B, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]),
        ("an indefinite map", vec![0xBF, 0xFF]),
        ("an indefinite array", vec![0x9F, 0xFF]),
        ("an indefinite byte string", vec![0x5F, 0x41, 0x00, 0xFF]),
        ("an indefinite text", vec![0x7F, 0x61, 0x41, 0xFF]),
        ("a key twice", vec![0xA2, 0x01, 0x00, 0x01, 0x00]),
        ("a key twice, once longer than need be", vec![0xA2, 0x01, 0x00, 0x18, 0x01, 0x00]),
        ("a text that is not UTF-8", vec![0x62, 0xC3, 0x28]),
    ];
    for (what, claim) in &bad {
        for token in with_claim(claim) {
            let verdict = judge(&token);
            assert_eq!(
                (verdict.outcome(), failed(&verdict).as_deref()),
                (Outcome::Malformed, Some("structure")),
                "{what}"
            );
        }
    }
}

#[test]
fn claims_that_are_repeated_are_refused_in_every_map() {
    let control = Maker::default();
    assert!(judge(&control.token()).affirms(), "the control");
    for key in [10, 256, 265, 2395, 2396, 2399, 2401, 2402] {
        let mut maker = Maker::default();
        let again = maker.platform.iter().find(|(found, _)| *found == key).expect("a claim").clone();
        maker.platform.push(again);
        assert_eq!(judge(&maker.token()).outcome(), Outcome::Malformed, "platform {key}");
    }
    for key in [10, 265, 44235, 44236, 44237, 44238, 44239, 44240] {
        let mut maker = Maker::default();
        let again = maker.realm.iter().find(|(found, _)| *found == key).expect("a claim").clone();
        maker.realm.push(again);
        assert_eq!(judge(&maker.token()).outcome(), Outcome::Malformed, "realm {key}");
    }
    let component = |entries: &Entries| {
        let mut maker = Maker::default();
        set(&mut maker.platform, 2399, array(&[map(entries)]));
        judge(&maker.token()).outcome()
    };
    let one = vec![(2, bytes(&[1; 32])), (5, bytes(&[2; 32]))];
    assert_eq!(component(&one), Outcome::Contraindicated, "well formed, and not what is expected");
    assert_eq!(component(&[one.clone(), vec![(2, bytes(&[1; 32]))]].concat()), Outcome::Malformed);
    let (platform, realm) = (control.platform_half(), control.realm_half());
    let halves = vec![(44234, bytes(&platform)), (44241, bytes(&realm)), (44241, bytes(&realm))];
    let twice = [vec![0xD9, 0x01, 0x8F], map(&halves)].concat();
    assert_eq!(judge(&twice).outcome(), Outcome::Malformed, "a half twice");
}

#[test]
fn bytes_behind_the_end_are_refused_at_every_level() {
    let maker = Maker::default();
    let (platform, realm) = (maker.platform_half(), maker.realm_half());
    assert!(judge(&wrapped(&platform, &realm)).affirms(), "the control");
    let outcome = |token: &[u8]| judge(token).outcome();
    assert_eq!(outcome(&[maker.token(), vec![0]].concat()), Outcome::Malformed, "behind the wrapper");
    assert_eq!(outcome(&wrapped(&[platform.clone(), vec![0]].concat(), &realm)), Outcome::Malformed, "behind a half");
    let payload = [map(&maker.platform), vec![0]].concat();
    let half = sign1(&maker.cpak, &maker.headers[0], &payload);
    assert_eq!(outcome(&wrapped(&half, &realm)), Outcome::Malformed, "behind claims, and signed");
    let header = [maker.headers[0].clone(), vec![0]].concat();
    let half = sign1(&maker.cpak, &header, &map(&maker.platform));
    assert_eq!(outcome(&wrapped(&half, &realm)), Outcome::Malformed, "behind a header, and signed");
    let mut longer = maker;
    let key = [maker::token::cose_key(&key(4)), vec![0]].concat();
    set(&mut longer.realm, 44237, bytes(&key));
    assert_eq!(outcome(&longer.token()), Outcome::Malformed, "behind a key, and signed");
}

#[test]
fn a_header_says_no_more_than_is_understood() {
    let judged = |header: &[u8]| {
        let mut maker = Maker::default();
        maker.headers[0] = header.to_vec();
        judge(&maker.token()).outcome()
    };
    assert_eq!(judged(&[0xA1, 0x01, 0x38, 0x22]), Outcome::Affirming, "the control");
    assert_eq!(judged(&[0xA2, 0x01, 0x38, 0x22, 0x04, 0x41, 0x07]), Outcome::Affirming, "a name of the key");
    assert_eq!(judged(&[0xA2, 0x01, 0x38, 0x22, 0x02, 0x81, 0x04]), Outcome::Malformed, "critical parameters");
    assert_eq!(judged(&[0xA2, 0x01, 0x38, 0x22, 0x01, 0x38, 0x22]), Outcome::Malformed, "the algorithm twice");
    assert_eq!(judged(&[]), Outcome::Malformed, "none");
    assert_eq!(judged(&[0xA1, 0x01, 0x27]), Outcome::Malformed, "EdDSA");
    assert_eq!(judged(&[0xA1, 0x01, 0x63, 0x65, 0x33, 0x38]), Outcome::Malformed, "an algorithm by name");
}

#[test]
fn signatures_have_the_size_of_their_curve() {
    let maker = Maker::default();
    let payload = map(&maker.platform);
    let signed = array(&[text("Signature1"), bytes(&maker.headers[0]), bytes(&[]), bytes(&payload)]);
    let good = maker.cpak.sign(&signed);
    let judged = |signature: &[u8]| {
        let verdict = judge(&wrapped(&assembled(&maker.headers[0], &payload, signature), &maker.realm_half()));
        (verdict.outcome(), failed(&verdict))
    };
    assert_eq!(judged(&good), (Outcome::Affirming, None), "the control");
    let refused = (Outcome::Contraindicated, Some("platform-signature".to_string()));
    let zeros = vec![0; 96];
    let longer = [&[0], &good[..]].concat();
    for bad in
        [&good[..95], &[&good[..], &[0]].concat(), &longer, &[], &zeros, &[0xFF; 96], &maker.cpak.sign_der(&signed)]
    {
        assert_eq!(judged(bad), refused, "{} bytes", bad.len());
    }
}

#[test]
fn a_key_is_a_point_of_its_curve_in_one_of_two_forms() {
    let judged = |content: &[u8]| {
        let mut maker = Maker::default();
        set(&mut maker.realm, 44237, bytes(content));
        set(&mut maker.platform, 10, bytes(&<sha2::Sha256 as sha2::Digest>::digest(content)));
        let verdict = judge(&maker.token());
        (verdict.outcome(), failed(&verdict))
    };
    let (raw, cose) = (key(4).public(), maker::token::cose_key(&key(4)));
    assert_eq!((judged(&raw).0, judged(&cose).0), (Outcome::Affirming, Outcome::Affirming), "the controls");
    let malformed = (Outcome::Malformed, Some("profile".to_string()));
    let refused = (Outcome::Contraindicated, Some("realm-signature".to_string()));
    let mut compressed = raw[..49].to_vec();
    compressed[0] = 2 | (raw[96] & 1);
    assert_eq!(judged(&compressed).0, Outcome::Malformed, "a compressed point");
    assert_eq!(judged(&raw[..96]), malformed, "too short");
    assert_eq!(judged(&[&raw[..], &[0]].concat()), malformed, "too long");
    assert_eq!(judged(&[&[4][..], &[0; 96]].concat()), refused, "nowhere");
    assert_eq!(judged(&[&[4][..], &[0xFF; 96]].concat()), refused, "beyond the field");
    let mut off = raw.clone();
    off[96] ^= 1;
    assert_eq!(judged(&off), refused, "beside the curve");
    let with = |at: usize, byte: u8| {
        let mut other = cose.clone();
        other[at] = byte;
        other
    };
    assert_eq!(judged(&with(4, 1)), malformed, "coordinates of another curve");
    assert_eq!(judged(&with(4, 8)), malformed, "a curve that is not known");
    assert_eq!(judged(&with(2, 1)), malformed, "a key of another type");
    let private = [&[0xA5][..], &cose[1..], &[0x23, 0x41, 0x01]].concat();
    assert_eq!(judged(&private).0, Outcome::Affirming, "whatever else a key says is passed over");
    let p256 = maker::token::cose_key(&maker::signer::key256(4));
    assert_eq!(judged(&p256), refused, "a key of another curve than the signature's");
}
