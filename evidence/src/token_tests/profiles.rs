//! Each part by its own profile: what each demands, forbids and knows, in every mixture.

use super::*;
use crate::platform::{Binding, Generation, Owner};
use crate::realm::{MecPolicy, Profile};

const DELEGATED: [&str; 10] = [
    "http://arm.com/CCA-SSD/1.0.0",
    "tag:arm.com,2023:cca_platform#1.0.0",
    "tag:arm.com,2024:cca_platform#1.1.0",
    "tag:arm.com,2024:cca_platform#2.0.0",
    "tag:arm.com,2026:cca_platform#2.0.0",
    "tag:arm.com,2026:cca_platform#2.0.0;delegated",
    "tag:arm.com,2026:cca_platform#2.0.0#delegated",
    "tag:arm.com,2026:cca_platform#2.1.0",
    "tag:arm.com,2026:cca_platform#2.1.0;delegated",
    "tag:arm.com,2026:cca_platform#2.1.0#delegated",
];
const REALM: [Option<&str>; 4] = [
    None,
    Some("tag:arm.com,2023:realm#1.0.0"),
    Some("tag:arm.com,2024:realm#2.0.0"),
    Some("tag:arm.com,2026:realm#2.0.0"),
];

/// A device of a platform, with everything said.
fn device() -> Entries {
    vec![
        (1, text("sha-256")),
        (2, bytes(&[0x21; 32])),
        (3, bytes(&[0x22; 64])),
        (4, vec![0xF5]),
        (5, text("spdm-1.2.0")),
        (6, bytes(&[0x23; 48])),
        (7, text("cxl-type-3")),
        (8, uint(0)),
    ]
}

fn rotpk() -> Entries {
    vec![(1, text("CM")), (2, uint(0)), (3, uint(5)), (4, bytes(&[0x31; 32]))]
}

/// The claims of a platform as a profile has them.
fn of(profile: &str) -> Entries {
    let mut entries = with(&platform(), 265, text(profile));
    if profile.contains("2026") {
        entries = without(&entries, 10);
        entries.push((2408, bytes(&[1; 32])));
    }
    if profile.contains("HESRAK") {
        entries.push((10, bytes(&[7; 64])));
    }
    if profile.contains("2024") || profile.contains("2026") {
        entries.extend([
            (2394, uint(1)),
            (2403, bytes(&[9])),
            (2404, array(&[map(&device())])),
            (2405, array(&[map(&rotpk())])),
            (2406, bytes(&[8])),
            (2407, bytes(&[])),
        ]);
    }
    entries
}

/// The claims of a Realm as a profile has them.
fn realm_of(profile: Option<&str>) -> Entries {
    let mut entries = without(&realm(), 265);
    entries.extend(profile.map(|name| (265, text(name))));
    if profile.is_some_and(|name| !name.contains("2023")) {
        let mut id = [3; 33];
        id[0] = 1;
        entries.extend([(44243, uint(1)), (44244, uint(0)), (256, bytes(&id)), (44257, bytes(&[6; 32]))]);
    }
    entries
}

/// Claims of a Realm that nobody signs.
fn bare(profile: Option<&str>) -> Entries {
    without(&without(&realm_of(profile), 44237), 44240)
}

fn token(platform: &Entries, half: &[u8]) -> Vec<u8> {
    enclosed(&[(44234, &sign1(&ES384, &map(platform))), (44241, half)])
}

#[test]
fn every_mixture_of_profiles_is_read_each_part_by_its_own() {
    for platform in DELEGATED {
        for realm in REALM {
            let token = wrapped(&of(platform), &realm_of(realm));
            let claims = unlocked(Token::parse(&token).unwrap_or_else(|why| panic!("{platform}, {realm:?}: {why}")));
            let found = claims.platform.expect("a platform");
            assert_eq!((found.profile.name(), found.binding), (platform, &[1; 32][..]));
            assert_eq!(found.profile.binding(), Binding::Delegated);
            assert_eq!(found.challenge, None);
            assert_eq!(found.client_id.is_some(), platform.contains("2024") || platform.contains("2026"));
            assert_eq!(claims.realm.mec_policy.is_some(), claims.realm.profile >= Profile::V2024);
        }
    }
}

#[test]
fn claims_of_later_profiles_are_read() {
    let token = wrapped(&of(DELEGATED[7]), &realm_of(REALM[3]));
    let claims = unlocked(Token::parse(&token).expect("well formed"));
    let platform = claims.platform.expect("a platform");
    assert_eq!(platform.profile.generation(), Generation::V2026R1);
    assert_eq!((platform.client_id, platform.manufacturing_config), (Some(1), Some(&[9][..])));
    assert_eq!((platform.peer_signers, platform.tpm_binding), (Some(&[8][..]), Some(&[][..])));
    assert_eq!(platform.devices[0].kind, Some("cxl-type-3"));
    assert_eq!((platform.devices[0].ide, platform.devices[0].encryption), (true, Some(0)));
    assert_eq!((platform.rotpks[0].owner, platform.rotpks[0].index), (Owner::Chip, 5));
    let realm = claims.realm;
    assert_eq!((realm.mec_policy, realm.live_activation), (Some(MecPolicy::Private), Some(false)));
    assert_eq!(realm.instance_id.map(|id| id[1]), Some(3));
    assert_eq!(realm.devices_hash, Some(&[6; 32][..]));
}

#[test]
fn earlier_profiles_know_nothing_of_later_claims() {
    let mut odd = platform();
    odd.extend([2394, 2403, 2404, 2405, 2406, 2407, 2408].map(|key| (key, text("somebody's own"))));
    let mut own = realm();
    own.extend([44241, 44243, 44244, 44257, 256].map(|key| (key, text("somebody's own"))));
    let token = wrapped(&odd, &own);
    let claims = unlocked(Token::parse(&token).expect("unknown claims are passed over"));
    let platform = claims.platform.expect("a platform");
    assert_eq!((platform.client_id, platform.rotpks.len(), platform.binding), (None, 0, &[1; 32][..]));
    assert_eq!((claims.realm.mec_policy, claims.realm.instance_id), (None, None));
}

#[test]
fn what_a_later_profile_demands_is_missed() {
    for key in [2394, 2408] {
        let found = refusal(&without(&of(DELEGATED[4]), key), &realm());
        assert!(matches!(found, Malformed::Missing { part: Part::Platform, .. }), "{key}: {found}");
    }
    let found = refusal(&without(&of(DELEGATED[3]), 2394), &realm());
    assert!(matches!(found, Malformed::Missing { claim: "client id", .. }), "{found}");
    assert!(Token::parse(&wrapped(&without(&of(DELEGATED[2]), 2394), &realm())).is_ok(), "1.1.0 has no client yet");
    let found = refusal(&platform(), &without(&realm_of(REALM[2]), 44243));
    assert!(matches!(found, Malformed::Missing { claim: "memory encryption policy", .. }), "{found}");
    assert!(Token::parse(&wrapped(&platform(), &without(&realm_of(REALM[2]), 256))).is_ok(), "not yet in 2024");
    let found = refusal(&platform(), &without(&realm_of(REALM[3]), 256));
    assert!(matches!(found, Malformed::Missing { claim: "realm instance id", .. }), "{found}");
    for key in [2, 3, 4, 5, 6, 7, 8] {
        let devices = array(&[map(&without(&device(), key))]);
        let found = refusal(&with(&of(DELEGATED[7]), 2404, devices), &realm());
        assert!(matches!(found, Malformed::Missing { .. }), "device {key}: {found}");
    }
    for key in [1, 2, 3, 4] {
        let keys = array(&[map(&without(&rotpk(), key))]);
        let found = refusal(&with(&of(DELEGATED[7]), 2405, keys), &realm());
        assert!(matches!(found, Malformed::Missing { .. }), "boot key {key}: {found}");
    }
}

#[test]
fn what_a_later_profile_forbids_is_refused() {
    let mut nonce = of(DELEGATED[4]);
    nonce.push((10, bytes(&[1; 32])));
    for (platform, claim) in [
        (nonce, "challenge of the platform"),
        (with(&of(DELEGATED[4]), 2394, uint(2)), "client id"),
        (with(&of(DELEGATED[7]), 2404, array(&[map(&with(&device(), 8, uint(3)))])), "device encryption"),
        (with(&of(DELEGATED[7]), 2405, array(&[map(&with(&rotpk(), 1, text("XM")))])), "owner of a boot key"),
    ] {
        let found = refusal(&platform, &realm());
        assert!(matches!(found, Malformed::Value { claim: c, .. } if c == claim), "{claim}: {found}");
    }
    for (key, claim) in [(44243, "memory encryption policy"), (44244, "live activation policy")] {
        let found = refusal(&platform(), &with(&realm_of(REALM[2]), key, uint(2)));
        assert!(matches!(found, Malformed::Value { claim: c, .. } if c == claim), "{claim}: {found}");
    }
    let found = refusal(&platform(), &with(&realm_of(REALM[3]), 256, bytes(&[2; 33])));
    assert!(matches!(found, Malformed::Value { claim: "instance id", .. }), "{found}");
}

#[test]
fn the_first_draft_of_2024_has_the_policy_in_words() {
    let mut early = without(&realm_of(REALM[2]), 44243);
    early.push((44241, text("private")));
    let token = wrapped(&platform(), &early);
    assert_eq!(unlocked(Token::parse(&token).expect("read")).realm.mec_policy, Some(MecPolicy::Private));
    let found = refusal(&platform(), &with(&early, 44241, text("mine")));
    assert!(matches!(found, Malformed::Value { claim: "memory encryption policy", .. }), "{found}");
}

#[test]
fn components_say_more_since_2024() {
    let mut more = component();
    more.extend([(7, vec![0xF5]), (8, array(&[bytes(&[0x41; 32]), bytes(&[0x42; 64])]))]);
    let list = array(&[map(&more)]);
    let token = wrapped(&with(&of(DELEGATED[3]), 2399, list.clone()), &realm());
    let component = unlocked(Token::parse(&token).expect("read")).platform.expect("a platform").components[0].clone();
    assert_eq!((component.live, component.countersigners.len()), (Some(true), 2));
    let token = wrapped(&with(&platform(), 2399, list), &realm());
    let component = unlocked(Token::parse(&token).expect("read")).platform.expect("a platform").components[0].clone();
    assert_eq!((component.live, component.countersigners.len()), (None, 0));
}

#[test]
fn a_direct_token_has_claims_that_nobody_signs() {
    for profile in [
        "tag:arm.com,2024:cca_platform#2.0.0;direct",
        "tag:arm.com,2026:cca_platform#2.0.0;direct",
        "tag:arm.com,2026:cca_platform#2.1.0#direct",
    ] {
        let claims = map(&bare(REALM[2]));
        let direct = token(&of(profile), &claims);
        let parsed = Token::parse(&direct).unwrap_or_else(|why| panic!("{profile}: {why}"));
        let Ok((found, ())) = parsed.authenticate_with(|parts| {
            assert!(
                matches!(parts.realm, RealmHalf::Unsigned(bytes) if *bytes == claims),
                "the bytes as they were sent"
            );
            Ok::<_, core::convert::Infallible>(())
        });
        assert!(found.realm.key.is_none());
        let signed = token(&of(profile), &sign1(&ES384, &map(&realm_of(REALM[2]))));
        assert!(matches!(Token::parse(&signed), Err(Malformed::Value { claim: "realm token", .. })), "{profile}");
        let with_key = token(&of(profile), &map(&realm_of(REALM[2])));
        assert!(
            matches!(Token::parse(&with_key), Err(Malformed::Value { claim: "realm public key", .. })),
            "{profile}"
        );
    }
    for profile in DELEGATED {
        let unsigned = token(&of(profile), &map(&bare(REALM[2])));
        assert!(matches!(Token::parse(&unsigned), Err(Malformed::Value { claim: "realm token", .. })), "{profile}");
    }
    let keyless = token(&of(DELEGATED[4]), &sign1(&ES384, &map(&bare(REALM[2]))));
    assert!(matches!(Token::parse(&keyless), Err(Malformed::Missing { claim: "realm public key", .. })));
}

#[test]
fn a_direct_token_in_a_collection_names_its_format() {
    let platform = sign1(&ES384, &map(&of("tag:arm.com,2026:cca_platform#2.0.0;direct")));
    let collection = |format: u64, realm: &[u8]| {
        let halves =
            vec![(44234, array(&[uint(263), bytes(&platform)])), (44241, array(&[uint(format), bytes(realm)]))];
        [vec![0xD9, 0x03, 0x8B], map(&halves)].concat()
    };
    let claims = map(&bare(REALM[3]));
    assert!(Token::parse(&collection(263, &claims)).is_ok());
    assert!(Token::parse(&collection(267, &claims)).is_ok());
    assert!(matches!(Token::parse(&collection(264, &claims)), Err(Malformed::ContentFormat { found: 264, .. })));
    let signed = sign1(&ES384, &map(&realm_of(REALM[3])));
    assert!(matches!(Token::parse(&collection(267, &signed)), Err(Malformed::ContentFormat { found: 267, .. })));
}

#[test]
fn a_security_element_answers_the_challenge_itself() {
    for profile in ["tag:arm.com,2026:cca_platform#2.0.0;HESRAK", "tag:arm.com,2026:cca_platform#2.1.0#HESRAK"] {
        let signed = sign1(&ES384, &map(&realm_of(REALM[3])));
        for half in [signed.clone(), map(&bare(REALM[3]))] {
            let claims = token(&of(profile), &half);
            let claims = unlocked(Token::parse(&claims).unwrap_or_else(|why| panic!("{profile}: {why}")));
            let platform = claims.platform.expect("a platform");
            assert_eq!((platform.challenge, platform.binding), (Some(&[7; 64][..]), &[1; 32][..]));
        }
        let silent = token(&without(&of(profile), 10), &signed);
        assert!(matches!(Token::parse(&silent), Err(Malformed::Missing { claim: "challenge of the platform", .. })));
    }
}

#[test]
fn profiles_are_read_to_the_letter() {
    for wrong in [
        "tag:arm.com,2026:cca_platform#2.0.0;other",
        "tag:arm.com,2026:cca_platform#2.0.0;Direct",
        "tag:arm.com,2023:cca_platform#1.0.0;direct",
        "tag:arm.com,2026:cca_platform#2.2.0",
        "tag:arm.com,2026:realm#2.0.0",
    ] {
        let found = refusal(&with(&of(DELEGATED[4]), 265, text(wrong)), &realm());
        assert!(matches!(found, Malformed::Profile { part: Part::Platform, .. }), "{wrong}: {found}");
    }
}

#[test]
fn entries_beside_the_halves_are_shown_and_never_fatal() {
    let halves = [bytes(&sign1(&ES384, &map(&platform()))), bytes(&sign1(&ES384, &map(&realm())))];
    let [platform, realm] = halves;
    let beside = vec![
        (44234, platform),
        (44241, realm),
        (44256, array(&[uint(263), bytes(&[1, 2, 3])])),
        (44258, bytes(&[4, 5])),
        (44252, array(&[uint(1)])),
        (7, text("what it may be")),
    ];
    let token = [vec![0xD9, 0x01, 0x8F], map(&beside)].concat();
    let parsed = Token::parse(&token).expect("well formed");
    let shown = alloc::format!("{}", parsed.allegations());
    for line in ["firmware activity log 44256, 3 bytes", "device token 44258, 2 bytes", "list of devices 44252"] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
}

#[test]
fn longer_encodings_than_need_be_are_read() {
    // A collection whose tag, map, keys, formats and lengths all stand in eight bytes.
    let long = |major: u8, value: u64| [vec![major << 5 | 27], value.to_be_bytes().to_vec()].concat();
    let long_bytes = |content: &[u8]| [long(2, content.len() as u64), content.to_vec()].concat();
    let half = |entries: &Entries| {
        let items: Vec<Vec<u8>> = entries.iter().map(|(key, value)| [long(0, *key), value.clone()].concat()).collect();
        let payload = [long(5, entries.len() as u64), items.concat()].concat();
        let protected = [long(5, 1), long(0, 1), long(1, 34)].concat();
        let parts = [long_bytes(&protected), long(5, 0), long_bytes(&payload), long_bytes(&[11; 96])].concat();
        long_bytes(&[long(6, 18), long(4, 4), parts].concat())
    };
    let entry = |key: u64, half: Vec<u8>| [long(0, key), long(4, 2), long(0, 263), half].concat();
    let entries = [entry(44234, half(&platform())), entry(44241, half(&realm()))].concat();
    let token = [long(6, 907), long(5, 2), entries].concat();
    let claims = unlocked(Token::parse(&token).expect("non-preferred encodings are accepted"));
    assert_eq!(claims.realm.rim, [10; 32]);
}
