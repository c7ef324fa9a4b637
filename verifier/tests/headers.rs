//! Certificates in the headers of a token: endorsements like any others, and no reason to trust whoever shows them.

mod maker;

use allod_verifier::{Anchors, Outcome, Step, Verdict};
use maker::token::{Maker, array, bytes, map, text, wrapped};
use maker::{Certificate, NOW, anchors, good_references, instance, judge_by, key, leaf, root, sub};
use sha2::{Digest, Sha256};

/// The number of a hash algorithm in a header: -16 is SHA-256, -43 SHA-384.
const SHA256: [u8; 1] = [0x2F];
const SHA384: [u8; 2] = [0x38, 0x2A];

fn thumbprint(algorithm: &[u8], digest: &[u8]) -> Vec<u8> {
    array(&[algorithm.to_vec(), bytes(digest)])
}

fn chain(certificates: &[&[u8]]) -> Vec<u8> {
    match certificates {
        [one] => bytes(one),
        several => array(&several.iter().map(|it| bytes(it)).collect::<Vec<_>>()),
    }
}

/// A good token with more in the protected and in the unprotected header of its platform half.
fn token(protected: &[(u64, Vec<u8>)], unprotected: &[(u64, Vec<u8>)]) -> Vec<u8> {
    let maker = Maker::default();
    let header = map(&[&[(1, vec![0x38, 0x22])], protected].concat());
    let payload = map(&maker.platform);
    let signed = array(&[text("Signature1"), bytes(&header), bytes(&[]), bytes(&payload)]);
    let items = [bytes(&header), map(&unprotected.to_vec()), bytes(&payload), bytes(&maker.cpak.sign(&signed))];
    wrapped(&[vec![0xD2], array(&items)].concat(), &maker.realm_half())
}

fn judge(token: &[u8], anchors: &Anchors) -> Verdict {
    judge_by(token, anchors, &good_references(), NOW)
}

fn failed(verdict: &Verdict) -> (Outcome, Option<Step>) {
    (verdict.outcome(), verdict.failed().map(|check| check.step))
}

#[test]
fn a_chain_in_the_header_leads_to_an_anchor() {
    let (leaf, sub, root) = (leaf().der(), sub().der(), root());
    let anchors = anchors(&root, &[]);
    let bare = judge(&token(&[], &[]), &anchors);
    assert_eq!(failed(&bare), (Outcome::NoTrustAnchor, Some(Step::TrustAnchor)), "the control: nobody endorses it");
    let digest = Sha256::digest(&leaf);
    let both = chain(&[&leaf, &sub]);
    for token in [
        token(&[], &[(33, both.clone())]),
        token(&[(33, both.clone())], &[]),
        token(&[(34, thumbprint(&SHA256, &digest))], &[(33, both.clone())]),
        token(&[], &[(33, both.clone()), (34, thumbprint(&SHA256, &digest))]),
        token(&[], &[(33, chain(&[&leaf, &sub, &root.der()]))]),
    ] {
        let verdict = judge(&token, &anchors);
        assert!(verdict.affirms(), "{verdict:#?}");
    }
    let below = maker::anchors(&root, &[&maker::sub()]);
    assert!(judge(&token(&[], &[(33, chain(&[&leaf]))]), &below).affirms(), "one certificate is no array");
}

#[test]
fn a_chain_is_not_trusted_for_being_shown() {
    let good = anchors(&root(), &[]);
    let control = token(&[], &[(33, chain(&[&leaf().der(), &sub().der()]))]);
    assert!(judge(&control, &good).affirms(), "the control");
    // Somebody else's authorities of the same names, root and all.
    let own_root = Certificate { key: key(21), signer: key(21), ..root() };
    let own_sub = Certificate { key: key(22), signer: key(21), ..sub() };
    let own_leaf = Certificate { signer: key(22), ..leaf() };
    let forged = token(&[], &[(33, chain(&[&own_leaf.der(), &own_sub.der(), &own_root.der()]))]);
    assert_eq!(failed(&judge(&forged, &good)), (Outcome::Contraindicated, Some(Step::Chain)));
    assert!(judge(&forged, &anchors(&own_root, &[])).affirms(), "whole in its maker's own eyes");
    let nobody = failed(&judge(&control, &Anchors::new()));
    assert_eq!(nobody.0, Outcome::Contraindicated, "no anchor, however whole the chain");
    let lone = Certificate { signer: key(3), issuer: "cpak", ..leaf() };
    let forged = token(&[], &[(33, chain(&[&lone.der()]))]);
    assert_eq!(failed(&judge(&forged, &good)), (Outcome::Contraindicated, Some(Step::Chain)), "signed by itself");
    // A certificate of another platform, or of none, endorses nobody here.
    let other = Certificate { identity: Some((maker::IMPLEMENTATION, instance(&key(9)))), ..leaf() };
    for other in [other, Certificate { identity: None, ..leaf() }] {
        let forged = token(&[], &[(33, chain(&[&other.der(), &sub().der()]))]);
        assert_eq!(failed(&judge(&forged, &good)), (Outcome::NoTrustAnchor, Some(Step::TrustAnchor)));
    }
    // Another key that is endorsed for the same platform makes two.
    let another = Certificate { key: key(9), identity: leaf().identity, ..leaf() };
    let two = maker::anchors(&root(), &[&sub(), &another]);
    assert_eq!(failed(&judge(&control, &two)), (Outcome::NoTrustAnchor, Some(Step::TrustAnchor)));
}

#[test]
fn headers_with_certificates_are_read_strictly() {
    let anchors = anchors(&root(), &[]);
    let (leaf, sub) = (leaf().der(), sub().der());
    let both = chain(&[&leaf, &sub]);
    let other = Sha256::digest(&sub);
    let long = vec![leaf.as_slice(); 9];
    for (what, token) in [
        ("another's hash", token(&[(34, thumbprint(&SHA256, &other))], &[(33, both.clone())])),
        ("another's hash, unsigned", token(&[], &[(33, both.clone()), (34, thumbprint(&SHA256, &other))])),
        (
            "a hash of another length",
            token(&[(34, thumbprint(&SHA384, &Sha256::digest(&leaf)))], &[(33, both.clone())]),
        ),
        ("no hash that is known", token(&[(34, thumbprint(&[0x2E], &other))], &[(33, both.clone())])),
        ("a chain in both headers", token(&[(33, both.clone())], &[(33, both.clone())])),
        ("no certificate", token(&[], &[(33, array(&[]))])),
        ("a text", token(&[], &[(33, text("leaf"))])),
        ("what is no certificate", token(&[], &[(33, bytes(&[0x30, 0x00]))])),
        ("a certificate cut short", token(&[], &[(33, bytes(&leaf[..leaf.len() - 1]))])),
        ("a chain longer than any", token(&[], &[(33, chain(&long))])),
    ] {
        assert_eq!(judge(&token, &anchors).outcome(), Outcome::Malformed, "{what}");
    }
    assert!(judge(&token(&[], &[(33, both)]), &anchors).affirms(), "the control");
}
