//! Tokens of every family: read, shown, verified; and claims that are signed anew, so that they reach the judge.

use crate::bounds::within;
use crate::{cbor, issuer, selected};
use evidence::Token;
use verifier::{Anchors, Case, Nonce, Outcome, Policy, Verdict, verify_with_log};

/// Protected header: ES384.
const ES384: [u8; 4] = [0xA1, 0x01, 0x38, 0x22];

/// Takes one input: the first byte selects whether it is CBOR of any kind, a token, a token with its log, or the claims
/// of both halves, which are signed here.
///
/// # Panics
/// If a promise of the readers is broken, or a token is affirmed whose halves nobody signed.
pub fn run(input: &[u8]) {
    let Some((selector, rest)) = selected(input) else { return };
    match selector % 5 {
        0 => cbor::run(rest),
        1 => token(rest, &issuer::ANCHORS),
        2 => token(rest, &issuer::VIRTCCA),
        3 => with_log(rest),
        _ => signed(rest),
    }
}

fn token(bytes: &[u8], anchors: &Anchors) {
    let known = within(bytes, 64, || match Token::parse(bytes) {
        Ok(token) => {
            let _ = token.allegations().to_string();
            true
        }
        Err(why) => why.to_string().is_empty(),
    });
    let verdict = judged(bytes, None, anchors);
    assert!(known || verdict.outcome() == Outcome::Malformed, "judged what cannot be read");
}

fn judged(bytes: &[u8], log: Option<&[u8]>, anchors: &Anchors) -> Verdict {
    let nonce = Nonce::new(&issuer::CHALLENGE).expect("64 bytes");
    let (references, policy) = (&*issuer::REFERENCES, &Policy::default());
    let case = Case { anchors, nonce, at: issuer::NOW, references, policy };
    let whole = [bytes, log.unwrap_or_default()].concat();
    let verdict = within(&whole, 512, || verify_with_log(bytes, log, &case));
    assert!(!verdict.affirms() || verdict.failed().is_none(), "affirmed, and failed");
    for check in verdict.checks() {
        assert!(!check.label().is_empty());
    }
    let claims = (verdict.realm(), verdict.platform());
    assert!(within(&whole, 64, || serde_json::to_string(&claims)).is_ok());
    verdict
}

/// Two pieces: the first is as long as the first two bytes say, or as what there is.
fn two(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    Some(rest.split_at(rest.len().min(u16::from_le_bytes(*length).into())))
}

fn with_log(bytes: &[u8]) {
    if let Some((token, log)) = two(bytes) {
        judged(token, Some(log), &issuer::ANCHORS);
    }
}

/// Signs the claims of a platform and of a Realm by the keys that everybody knows.
fn signed(input: &[u8]) {
    let Some((platform, realm)) = two(input) else { return };
    let halves = [half(platform, issuer::by_platform), half(realm, issuer::by_realm)];
    let [platform, realm] = halves.map(|half| bytes(&half));
    // A map of two under tag 399: 44234 and 44241.
    let token = [&[0xD9, 0x01, 0x8F, 0xA2, 0x19, 0xAC, 0xCA][..], &platform, &[0x19, 0xAC, 0xD1], &realm].concat();
    judged(&token, None, &issuer::ANCHORS);
}

/// A COSE_Sign1 over claims (RFC 9052 §4.2, §4.4).
fn half(claims: &[u8], sign: fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let (header, payload) = (bytes(&ES384), bytes(claims));
    let message = [&[0x84, 0x6A][..], b"Signature1", &header, &bytes(&[]), &payload].concat();
    let signature = bytes(&sign(&message));
    [&[0xD2, 0x84][..], &header, &[0xA0], &payload, &signature].concat()
}

/// A byte string in CBOR, its length in four bytes.
fn bytes(content: &[u8]) -> Vec<u8> {
    [&[0x5A][..], &(content.len() as u32).to_be_bytes(), content].concat()
}
