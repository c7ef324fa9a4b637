//! What ties a realm token to a platform, by every binding; and what later profiles say, compared with references.

mod maker;

use allod_verifier::replay::Extension;
use allod_verifier::{Authenticate, Case, Nonce, Outcome, Policy, References, Status, Step, Verdict, verify};
use maker::token::{Entries, Maker, array, bytes, map, set, sign1, text, uint, wrapped};
use maker::{CHALLENGE, NOW, failed, good_anchors, good_references, judge, judge_by, key};
use sha2::{Digest, Sha256, Sha384, Sha512};

const DIRECT: &str = "tag:arm.com,2026:cca_platform#2.1.0;direct";
const HESRAK: &str = "tag:arm.com,2026:cca_platform#2.0.0;HESRAK";
const DELEGATED: &str = "tag:arm.com,2026:cca_platform#2.0.0;delegated";

/// The good token with claims of 2026.
fn of_2026(profile: &str) -> Maker {
    let mut maker = Maker::default();
    set(&mut maker.platform, 265, text(profile));
    for entry in maker.platform.iter_mut().filter(|(key, _)| *key == 10) {
        entry.0 = 2408;
    }
    maker.platform.push((2394, uint(1)));
    let mut id = [9; 33];
    id[0] = 1;
    set(&mut maker.realm, 265, text("tag:arm.com,2026:realm#2.0.0"));
    maker.realm.extend([(256, bytes(&id)), (44243, uint(1))]);
    maker
}

fn references(more: &str) -> References {
    let mut references = good_references();
    let file = format!(r#"{{"profile": "allod-reference-1", "realm": {{"mec_policy": "private"}}{more}}}"#);
    references.add(file.as_bytes()).expect("a reference");
    references
}

fn judged(token: &[u8]) -> Verdict {
    judge_by(token, &good_anchors(), &references(""), NOW)
}

/// Claims of a Realm that nobody signs.
fn bare(maker: &Maker) -> Entries {
    maker.realm.iter().filter(|(key, _)| *key != 44237 && *key != 44240).cloned().collect()
}

/// A token whose platform vouches for claims by their hash.
fn direct(maker: &Maker, claims: &Entries, hash: &[u8]) -> Vec<u8> {
    let mut maker = maker.clone();
    set(&mut maker.platform, 2408, bytes(hash));
    wrapped(&maker.platform_half(), &map(claims))
}

#[test]
fn every_profile_affirms_by_its_own_rules() {
    for profile in [DELEGATED, "tag:arm.com,2026:cca_platform#2.1.0", "tag:arm.com,2026:cca_platform#2.0.0#delegated"] {
        let verdict = judged(&of_2026(profile).token());
        assert_eq!(verdict.outcome(), Outcome::Affirming, "{profile}: {verdict:#?}");
    }
    let mut raw = Maker::default();
    set(&mut raw.platform, 265, text("http://arm.com/CCA-SSD/1.0.0"));
    set(&mut raw.realm, 44237, bytes(&key(4).public()));
    set(&mut raw.platform, 10, bytes(&Sha256::digest(key(4).public())));
    raw.realm.retain(|(key, _)| *key != 265);
    assert_eq!(judge(&raw.token()).outcome(), Outcome::Affirming, "a raw key, before 2023");
}

#[test]
fn a_key_is_vouched_for_as_it_was_sent() {
    // The same key, its parameters in another order and one of them longer than need be.
    let point = key(4).public();
    let odd =
        [&[0xA4, 0x22][..], &bytes(&point[49..]), &[0x21], &bytes(&point[1..49]), &[0x20, 0x18, 2, 1, 2]].concat();
    let mut maker = of_2026(DELEGATED);
    set(&mut maker.realm, 44237, bytes(&odd));
    assert_eq!(failed(&judged(&maker.token())).as_deref(), Some("binding"), "the other encoding is vouched for");
    set(&mut maker.platform, 2408, bytes(&Sha256::digest(&odd)));
    assert_eq!(judged(&maker.token()).outcome(), Outcome::Affirming);
    set(&mut maker.realm, 44240, text("sha-384"));
    assert_eq!(failed(&judged(&maker.token())).as_deref(), Some("binding"));
    set(&mut maker.platform, 2408, bytes(&Sha384::digest(&odd)));
    assert_eq!(judged(&maker.token()).outcome(), Outcome::Affirming);
}

#[test]
fn claims_that_nobody_signs_are_vouched_for_by_their_hash() {
    let maker = of_2026(DIRECT);
    let claims = bare(&maker);
    let verdict = judged(&direct(&maker, &claims, &Sha256::digest(map(&claims))));
    assert_eq!(verdict.outcome(), Outcome::Affirming, "{verdict:#?}");
    let unsigned = verdict.checks().iter().find(|check| check.step == Step::RealmSignature).expect("it is shown");
    assert_eq!(unsigned.status, Status::NotApplicable);
    for (key, value) in [(44238, bytes(&[0x12; 32])), (10, bytes(&[0xEE; 64])), (44243, uint(0))] {
        let mut other = claims.clone();
        set(&mut other, key, value);
        let verdict = judged(&direct(&maker, &other, &Sha256::digest(map(&claims))));
        assert_eq!(failed(&verdict).as_deref(), Some("binding"), "{key}: other claims than those that are vouched for");
    }
    let verdict = judged(&direct(&maker, &claims, &Sha512::digest(map(&claims))));
    assert_eq!(failed(&verdict).as_deref(), Some("binding"), "another hash than the claims name");
    let mut stale = claims.clone();
    set(&mut stale, 10, bytes(&[0xEE; 64]));
    let verdict = judged(&direct(&maker, &stale, &Sha256::digest(map(&stale))));
    assert_eq!(failed(&verdict).as_deref(), Some("nonce"));
    let forged = of_2026(DIRECT).with_cpak(key(9));
    let verdict = judged(&direct(&forged, &claims, &Sha256::digest(map(&claims))));
    assert_eq!(verdict.outcome(), Outcome::NoTrustAnchor);
    let mut forged = of_2026(DIRECT);
    forged.cpak = key(9);
    let verdict = judged(&direct(&forged, &claims, &Sha256::digest(map(&claims))));
    assert_eq!(failed(&verdict).as_deref(), Some("platform-signature"));
}

#[test]
fn a_platform_that_answers_the_challenge_answers_this_one() {
    let answering = |challenge: &[u8]| {
        let mut maker = of_2026(HESRAK);
        maker.platform.push((10, bytes(challenge)));
        maker
    };
    for half in [true, false] {
        let token = |challenge: &[u8]| {
            let maker = answering(challenge);
            let claims = bare(&maker);
            if half { maker.token() } else { direct(&maker, &claims, &Sha256::digest(map(&claims))) }
        };
        assert_eq!(judged(&token(&CHALLENGE)).outcome(), Outcome::Affirming, "the control");
        for wrong in [&[0xEE; 64][..], &CHALLENGE[..32], &CHALLENGE[..48]] {
            assert_eq!(failed(&judged(&token(wrong))).as_deref(), Some("nonce"), "{} bytes", wrong.len());
        }
    }
    let mut maker = answering(&[0xEE; 32]);
    let padded = [[0xEE; 32], [0; 32]].concat();
    set(&mut maker.realm, 10, bytes(&padded));
    let nonce = Nonce::new(&[0xEE; 32]).expect("32 bytes");
    let (anchors, references) = (good_anchors(), references(""));
    let case = Case { anchors: &anchors, nonce, at: NOW, references: &references, policy: &Policy::default() };
    assert!(verify(&maker.token(), &case).affirms(), "a short challenge stands unpadded in the platform's claim");
}

#[test]
fn the_memory_encryption_policy_is_compared_where_it_is_said() {
    let mut maker = of_2026(DELEGATED);
    assert_eq!(judge(&maker.token()).outcome(), Outcome::Warning, "nothing says what to expect");
    assert_eq!(judged(&maker.token()).outcome(), Outcome::Affirming);
    set(&mut maker.realm, 44243, uint(0));
    assert_eq!(failed(&judged(&maker.token())).as_deref(), Some("mec-policy"));
    assert_eq!(failed(&judged(&Maker::default().token())).as_deref(), Some("mec-policy"), "expected and not said");
}

#[test]
fn a_configuration_is_compared_under_its_mask() {
    let with = |more: &str| {
        let platform = maker::token::PLATFORM_REFERENCE.replace(r#""config": "c0ffee""#, more);
        let mut references = References::new();
        references.add(platform.as_bytes()).expect("a reference");
        references.add(maker::token::REALM_REFERENCE.as_bytes()).expect("a reference");
        judge_by(&Maker::default().token(), &good_anchors(), &references, NOW)
    };
    assert!(with(r#""config": "c0ffee", "config_mask": "ffffff""#).affirms());
    assert!(with(r#""config": "c0ff00", "config_mask": "ffff00""#).affirms());
    assert!(with(r#""config": "cfffef", "config_mask": "f0fffe""#).affirms());
    for wrong in [
        r#""config": "c1ff00", "config_mask": "ffff00""#,
        r#""config": "c0ff", "config_mask": "ffff""#,
        r#""config": "c0ffee", "config_mask": "ffff""#,
        r#""config": "c0ffee00", "config_mask": "ffffff00""#,
        r#""config": "", "config_mask": """#,
    ] {
        assert_eq!(failed(&with(wrong)).as_deref(), Some("config"), "{wrong}");
    }
}

#[test]
fn what_a_reference_asks_of_later_claims_is_compared_both_ways() {
    let rotpk = |owner: &str, index: u64, hash: u8| {
        map(&vec![(1, text(owner)), (2, uint(0)), (3, uint(index)), (4, bytes(&[hash; 32]))])
    };
    let token = |keys: &[Vec<u8>]| {
        let mut maker = of_2026(DELEGATED);
        maker.platform.extend([(2405, array(keys)), (2403, bytes(&[1, 2, 3]))]);
        maker.token()
    };
    let entry = |owner: &str, index: u64, hash: &str| {
        format!(r#"{{"owner": "{owner}", "array": 0, "index": {index}, "hash": "{}"}}"#, hash.repeat(32))
    };
    let keys = format!("[{}, {}]", entry("CM", 0, "31"), entry("DM", 1, "32"));
    let expecting = |more: String| references(&format!(r#", "platform": {{{more}}}"#));
    let references = expecting(format!(r#""rotpks": {keys}, "manufacturing_config": "010203""#));
    let judge = |token: &[u8], references: &References| judge_by(token, &good_anchors(), references, NOW);
    let good = token(&[rotpk("DM", 1, 0x32), rotpk("CM", 0, 0x31)]);
    assert!(judge(&good, &references).affirms(), "in any order");
    for (keys, place) in [
        (vec![rotpk("CM", 0, 0x31)], "rotpk DM.0.1"),
        (vec![rotpk("CM", 0, 0x31), rotpk("DM", 1, 0x33)], "rotpk DM.0.1"),
        (vec![rotpk("CM", 0, 0x31), rotpk("DM", 1, 0x32), rotpk("DM", 2, 0x34)], "rotpk DM.0.2"),
    ] {
        assert_eq!(failed(&judge(&token(&keys), &references)).as_deref(), Some(place));
    }
    let other = expecting(r#""manufacturing_config": "010204""#.into());
    assert_eq!(failed(&judge(&good, &other)).as_deref(), Some("manufacturing-config"));
    let masked = expecting(r#""manufacturing_config": "010204", "manufacturing_config_mask": "ffff00""#.into());
    assert!(judge(&good, &masked).affirms());
    let silent = judge(&of_2026(DELEGATED).token(), &other);
    assert_eq!(failed(&silent).as_deref(), Some("manufacturing-config"), "expected and not said");
}

#[test]
fn devices_hold_an_affirming_verdict_back_until_somebody_lets_them() {
    let devices =
        vec![(2, bytes(&[0x21; 32])), (3, bytes(&[0x22; 32])), (4, vec![0xF5]), (5, text("other")), (7, text("disk"))];
    let outcome = |maker: &Maker, may_stay_undone: Vec<Step>| {
        let (anchors, references) = (good_anchors(), references(""));
        let policy = Policy { may_stay_undone, ..Policy::default() };
        let nonce = Nonce::new(&CHALLENGE).expect("64 bytes");
        verify(&maker.token(), &Case { anchors: &anchors, nonce, at: NOW, references: &references, policy: &policy })
            .outcome()
    };
    let mut of_platform = of_2026(DELEGATED);
    of_platform.platform.push((2404, array(&[map(&devices)])));
    assert_eq!(outcome(&of_platform, vec![]), Outcome::Warning);
    assert_eq!(outcome(&of_platform, vec![Step::Extension]), Outcome::Affirming);
    let mut of_realm = of_2026(DELEGATED);
    of_realm.realm.push((44257, bytes(&[6; 32])));
    assert_eq!(outcome(&of_realm, vec![]), Outcome::Warning);
    assert_eq!(outcome(&of_realm, vec![Step::Devices]), Outcome::Affirming);
}

#[test]
fn the_token_of_devices_is_known_by_its_hash() {
    let own = b"what devices say";
    let mut maker = of_2026(DELEGATED);
    maker.realm.push((44257, bytes(&Sha256::digest(own))));
    let found = |content: &[u8]| {
        let halves = vec![
            (44234, bytes(&maker.platform_half())),
            (44241, bytes(&maker.realm_half())),
            (44258, array(&[uint(263), bytes(content)])),
        ];
        let verdict = judged(&[vec![0xD9, 0x01, 0x8F], map(&halves)].concat());
        let structure = verdict.checks()[0].found.clone().unwrap_or_default();
        assert!(structure.contains("unsigned: device token (44258"), "{structure}");
        let check =
            verdict.checks().iter().find(|check| check.step == Step::Devices).expect("there are devices").clone();
        check.found.unwrap_or_default()
    };
    assert!(found(own).contains("is beside this one"));
    assert!(found(b"what others say").contains("is not beside this one"));
}

#[test]
fn a_log_explains_the_extensible_measurements_or_is_refused() {
    let token = Maker::default().token();
    let (anchors, nonce) = (good_anchors(), Nonce::new(&CHALLENGE).expect("64 bytes"));
    let mut bare = References::new();
    bare.add(maker::token::PLATFORM_REFERENCE.as_bytes()).expect("a reference");
    let without_rems = maker::token::REALM_REFERENCE.split(r#""rems""#).next().expect("a start").to_string();
    let rpv = format!(r#"{without_rems} "rpv": "{}"}}}}"#, "00".repeat(64));
    bare.add(rpv.as_bytes()).expect("a reference");
    let judged = |log: Option<Result<[Vec<u8>; 4], String>>, references: &References| {
        let parsed = evidence::Token::parse(&token).expect("well formed");
        let authentic = parsed.authenticate(&anchors, &nonce, NOW).expect("authentic");
        let authentic = match log {
            Some(log) => authentic.with_log(log.map(|rems| (rems, Extension::Plain))),
            None => authentic,
        };
        authentic.appraise(references, &Policy { may_stay_undone: vec![Step::Rem], ..Policy::default() })
    };
    let zeros = || std::array::from_fn(|_| vec![0; 32]);
    assert!(judged(None, &good_references()).affirms(), "with references of all four, none is needed");
    let without = judged(None, &bare);
    assert_eq!(without.outcome(), Outcome::Warning);
    let log = without.checks().iter().find(|check| check.step == Step::Log).expect("it is shown");
    assert_eq!(log.status, Status::NotDone);
    assert!(judged(Some(Ok(zeros())), &bare).affirms());
    let mut other: [Vec<u8>; 4] = zeros();
    other[2] = vec![1; 32];
    assert_eq!(failed(&judged(Some(Ok(other)), &bare)).as_deref(), Some("log"), "events that nothing was extended by");
    assert_eq!(failed(&judged(Some(Err("cut short".into())), &bare)).as_deref(), Some("log"));
}

#[test]
fn an_unsigned_entry_of_a_delegating_platform_is_malformed() {
    let maker = of_2026(DELEGATED);
    let verdict = judged(&wrapped(&maker.platform_half(), &map(&bare(&maker))));
    assert_eq!((verdict.outcome(), failed(&verdict).as_deref()), (Outcome::Malformed, Some("profile")));
    let verdict = judged(&wrapped(&sign1(&key(3), &key(3).header(), &map(&maker.platform)), &maker.realm_half()));
    assert!(verdict.affirms(), "the control");
}
