//! Other people's tokens, read in place: each is parsed, and what is decoded equals what an independent reader found.
//!
//! `ALLOD_VECTORS` names the folder; without it, `shared/vectors` beside the workspace is tried.

use allod_evidence::hex::encode;
use allod_evidence::{Claims, Family, PlatformClaims, RealmClaims, Token};
use serde_json::Value;
use std::io::Write;
use std::path::PathBuf;

fn vectors(folder: &str, tokens: usize) -> Option<(PathBuf, Value)> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors");
    let folder = std::env::var_os("ALLOD_VECTORS").map_or(beside, PathBuf::from).join(folder);
    let Ok(list) = std::fs::read_to_string(folder.join("expected.json")) else {
        // Past the capture of passing tests' output: a skipped test must be seen.
        let _ = writeln!(std::io::stderr(), "SKIPPED: no vectors; set ALLOD_VECTORS ({tokens} tokens not tried)");
        return None;
    };
    Some((folder, serde_json::from_str(&list).expect("expected.json is JSON")))
}

/// The claims without authentication: the expectations say which signatures hold, the verifier's tests check that.
fn unlocked(token: Token<'_>) -> Claims<'_> {
    let Ok((claims, ())) = token.authenticate_with(|_| Ok::<_, std::convert::Infallible>(()));
    claims
}

fn same(name: &str, what: &str, found: &str, wanted: &Value) {
    assert_eq!(Some(found), wanted.as_str(), "{name}: {what}");
}

fn compare_platform(name: &str, claims: &PlatformClaims<'_>, expected: &Value) {
    same(name, "implementation id", &encode(&claims.implementation_id), &expected["implementation_id"]);
    same(name, "instance id", &encode(&claims.instance_id), &expected["instance_id"]);
    same(name, "configuration", &encode(claims.config), &expected["config"]);
    same(name, "binding", &encode(claims.binding), &expected["binding"]);
    same(name, "hash", claims.hash.name(), &expected["hash_alg"]);
    same(name, "profile", claims.profile.name(), &expected["profile"]);
    assert_eq!(Some(u64::from(claims.lifecycle.0)), expected["lifecycle"].as_u64(), "{name}: lifecycle");
    assert_eq!(Some(claims.components.len() as u64), expected["components"].as_u64(), "{name}: components");
}

fn compare_realm(name: &str, claims: &RealmClaims<'_>, expected: &Value, names: [&str; 2]) {
    let key = claims.key.expect("a key");
    same(name, "challenge", &encode(&claims.challenge), &expected["challenge"]);
    same(name, "personalization value", &encode(&claims.rpv), &expected["rpv"]);
    same(name, "realm hash", claims.hash.name(), &expected[names[0]]);
    same(name, "RAK hash", key.hash.name(), &expected[names[1]]);
    same(name, "RIM", &encode(claims.rim), &expected["rim"]);
    for (index, rem) in claims.rems.iter().enumerate() {
        same(name, "REM", &encode(rem), &expected["rem"][index]);
    }
}

#[test]
fn tokens_of_arm_cca_are_read_as_expected() {
    let Some((folder, expected)) = vectors("attestation", 9) else { return };
    let mut read = 0;
    for (name, expected) in expected.as_object().expect("an object").iter().filter(|(name, _)| name.ends_with(".cbor"))
    {
        if expected["platform"]["profile"].as_str().is_none() {
            continue;
        }
        let bytes = std::fs::read(folder.join(name)).expect("the vector is there");
        let claims = unlocked(Token::parse(&bytes).unwrap_or_else(|why| panic!("{name}: {why}")));
        assert_eq!(claims.family, Family::Cca);
        compare_platform(name, claims.platform.as_ref().expect("a platform"), &expected["platform"]);
        compare_realm(name, &claims.realm, &expected["realm"], ["hash_alg", "rak_hash_alg"]);
        let length = claims.realm.key.map(|key| key.bytes.len() as u64);
        assert_eq!(length, expected["realm"]["rak_len"].as_u64(), "{name}: RAK");
        read += 1;
    }
    assert_eq!(read, 9, "every token that is listed");
}

#[test]
fn the_claims_of_2024_are_all_read() {
    let Some((folder, _)) = vectors("attestation", 1) else { return };
    let bytes = std::fs::read(folder.join("derived/p2024-all-claims-tag399.cbor")).expect("the vector is there");
    let claims = unlocked(Token::parse(&bytes).expect("well formed"));
    let platform = claims.platform.expect("a platform");
    assert_eq!((platform.client_id, platform.manufacturing_config), (Some(1), Some(&[1, 2, 3][..])));
    assert_eq!(
        platform.devices.iter().map(|it| it.kind).collect::<Vec<_>>(),
        [Some("cxl-type-3"), Some("other-device-2")]
    );
    assert_eq!(platform.rotpks.iter().map(ToString::to_string).collect::<Vec<_>>(), ["DM.0.0"]);
    assert_eq!(platform.peer_signers, Some(&[5; 5][..]));
    assert_eq!(claims.realm.mec_policy.map(|it| it.name()), Some("private"));
}

#[test]
fn the_token_of_a_real_virtcca_machine_is_read_as_expected() {
    let Some((folder, expected)) = vectors("virtcca", 1) else { return };
    let name = "gta-vcca-token-2.cbor";
    let (bytes, expected) = (std::fs::read(folder.join(name)).expect("the vector is there"), &expected[name]);
    let claims = unlocked(Token::parse(&bytes).expect("well formed"));
    assert_eq!((claims.family, claims.platform.is_none()), (Family::VirtCca1, true));
    compare_realm(name, &claims.realm, expected, ["hash_algo", "pub_key_hash_algo"]);
    let length = claims.realm.key.map(|key| key.bytes.len() as u64);
    assert_eq!(length, expected["pub_key_len"].as_u64());
}
