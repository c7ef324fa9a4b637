//! The path from a platform's key to a root: every fault, each beside its control.

mod maker;

use allod_verifier::certificate::{Certificate as Read, Unreadable, read_file};
use allod_verifier::{Anchors, Outcome};
use maker::token::Maker;
use maker::{Certificate, NOW, anchors, der, failed, good_references, judge_by, key, leaf, root, sub};

/// What a good token comes to under these anchors, and what the chain's check found.
fn outcome(anchors: &Anchors, at: u64) -> (Outcome, String) {
    let verdict = judge_by(&Maker::default().token(), anchors, &good_references(), at);
    if !verdict.affirms() {
        assert_eq!(failed(&verdict).as_deref(), Some("chain"));
    }
    let found = verdict.failed().and_then(|check| check.found.clone()).unwrap_or_default();
    (verdict.outcome(), found)
}

/// A chain holds; with the fault in one of its certificates it does not, and the reason has these words.
fn broken(fault: impl FnOnce(&mut Certificate, &mut Certificate, &mut Certificate), words: &str) {
    assert_eq!(outcome(&anchors(&root(), &[&sub(), &leaf()]), NOW).0, Outcome::Affirming, "the control");
    let (mut root, mut sub, mut leaf) = (root(), sub(), leaf());
    fault(&mut root, &mut sub, &mut leaf);
    let (outcome, found) = outcome(&anchors(&root, &[&sub, &leaf]), NOW);
    assert_eq!(outcome, Outcome::Contraindicated);
    assert!(found.contains(words), "{found:?} has no {words:?}");
}

#[test]
fn every_certificate_must_be_valid_at_the_time() {
    let past = ("20200101000000Z", "20210101000000Z");
    let future = ("20300101000000Z", "20360101000000Z");
    for validity in [past, future] {
        broken(|_, _, leaf| leaf.validity = validity, "CN=cpak is valid from 20");
        broken(|_, sub, _| sub.validity = validity, "CN=sub is valid from 20");
        broken(|root, _, _| root.validity = validity, "CN=root is valid from 20");
    }
    let anchors = anchors(&root(), &[&sub(), &leaf()]);
    let (first, last) = (1_767_225_600, 2_114_380_799);
    for (at, expected) in [
        (first, Outcome::Affirming),
        (last, Outcome::Affirming),
        (first - 1, Outcome::Contraindicated),
        (last + 1, Outcome::Contraindicated),
    ] {
        assert_eq!(outcome(&anchors, at).0, expected, "{at}");
    }
}

#[test]
fn a_date_after_2049_is_read() {
    let mut long = leaf();
    long.validity = ("20260101000000Z", "20990101000000Z");
    assert_eq!(outcome(&anchors(&root(), &[&sub(), &long]), NOW).0, Outcome::Affirming);
}

#[test]
fn signatures_hold_only_by_the_issuer() {
    broken(|_, _, leaf| leaf.signer = key(9), "CN=cpak has a signature that does not verify");
    broken(|_, sub, _| sub.signer = key(9), "CN=sub has a signature that does not verify");
    broken(|root, _, _| root.key = key(9), "CN=sub has a signature that does not verify");
    broken(
        |_, _, leaf| leaf.algorithm = Some(maker::signer::key256(1).algorithm()),
        "algorithm ES256 with a key for ES384",
    );
}

#[test]
fn another_authority_of_the_same_name_is_not_the_same() {
    let (mut root, mut sub, mut leaf) = (root(), sub(), leaf());
    (root.key, root.signer) = (key(11), key(11));
    (sub.key, sub.signer) = (key(12), key(11));
    leaf.signer = key(12);
    assert_eq!(outcome(&anchors(&root, &[&sub, &leaf]), NOW).0, Outcome::Affirming, "whole under its own root");
    let (outcome, found) = outcome(&anchors(&maker::root(), &[&sub, &leaf, &root]), NOW);
    assert_eq!(outcome, Outcome::Contraindicated, "a root among the endorsements is no anchor");
    assert!(found.contains("CN=sub has a signature"), "{found}");
}

#[test]
fn issuers_must_be_authorities() {
    broken(|_, sub, _| sub.constraints = None, "CN=sub is not an authority");
    broken(|_, sub, _| sub.constraints = Some((false, None)), "CN=sub is not an authority");
    broken(|_, sub, _| sub.usage = None, "CN=sub is not an authority");
    broken(|_, sub, _| sub.usage = Some(0x80), "CN=sub is not an authority");
    broken(|root, _, _| root.constraints = None, "CN=root is not an authority");
}

#[test]
fn a_platform_key_signs_tokens_and_nothing_else() {
    broken(|_, _, leaf| leaf.usage = None, "CN=cpak is not a key for signing tokens");
    broken(|_, _, leaf| leaf.usage = Some(0x08), "CN=cpak is not a key for signing tokens");
    broken(|_, _, leaf| leaf.usage = Some(0x84), "CN=cpak is not a key for signing tokens");
    broken(|_, _, leaf| leaf.constraints = Some((true, None)), "CN=cpak is not a key for signing tokens");
}

#[test]
fn path_lengths_are_kept() {
    broken(
        |root, _, _| root.constraints = Some((true, Some(0))),
        "CN=root admits 0 authorities below itself, there are 1",
    );
    let middle = Certificate { subject: "middle", issuer: "sub", key: key(5), signer: key(2), ..sub() };
    let below = Certificate { issuer: "middle", signer: key(5), ..leaf() };
    let mut wide = sub();
    wide.constraints = Some((true, None));
    let (found, why) = outcome(&anchors(&root(), &[&wide, &middle, &below]), NOW);
    assert_eq!(found, Outcome::Contraindicated);
    assert!(why.contains("CN=root admits 1 authorities below itself, there are 2"), "{why}");
    let mut high = root();
    high.constraints = Some((true, None));
    assert_eq!(outcome(&anchors(&high, &[&wide, &middle, &below]), NOW).0, Outcome::Affirming);
    let (found, why) = outcome(&anchors(&high, &[&sub(), &middle, &below]), NOW);
    assert_eq!(found, Outcome::Contraindicated);
    assert!(why.contains("CN=sub admits 0"), "{why}");
}

#[test]
fn a_gap_in_the_chain_is_named() {
    let (found, why) = outcome(&anchors(&root(), &[&leaf()]), NOW);
    assert_eq!(found, Outcome::Contraindicated);
    assert!(why.contains("CN=cpak is issued by CN=sub"), "{why}");
}

#[test]
fn key_identifiers_choose_the_issuer() {
    let (mut sub, mut leaf) = (sub(), leaf());
    (sub.key_ids, leaf.key_ids) = ((Some(1), None), (None, Some(1)));
    assert_eq!(outcome(&anchors(&root(), &[&sub, &leaf]), NOW).0, Outcome::Affirming);
    leaf.key_ids = (None, Some(2));
    assert_eq!(outcome(&anchors(&root(), &[&sub, &leaf]), NOW).0, Outcome::Contraindicated);
}

#[test]
fn a_circle_of_authorities_ends() {
    let one = Certificate { subject: "one", issuer: "two", key: key(21), signer: key(22), ..sub() };
    let two = Certificate { subject: "two", issuer: "one", key: key(22), signer: key(21), ..sub() };
    let (mut one, mut two) = (one, two);
    (one.constraints, two.constraints) = (Some((true, None)), Some((true, None)));
    let lost = Certificate { issuer: "one", signer: key(21), ..leaf() };
    assert_eq!(outcome(&anchors(&root(), &[&one, &two, &lost]), NOW).0, Outcome::Contraindicated);
}

#[test]
fn a_certificate_that_is_not_understood_is_not_read() {
    let unknown = |critical| der::extension(&[0x55, 0x1D, 0x1E], critical, &der::sequence(&[]));
    let read = |certificate: &Certificate| Read::read(&certificate.der()).err();
    assert_eq!(read(&leaf()), None);
    let with = |fault: &dyn Fn(&mut Certificate)| {
        let mut certificate = leaf();
        fault(&mut certificate);
        read(&certificate)
    };
    assert_eq!(with(&|it| it.more.push(unknown(false))), None);
    assert_eq!(with(&|it| it.more.push(unknown(true))), Some(Unreadable::Critical));
    assert_eq!(with(&|it| it.more = vec![unknown(false), unknown(false)]), Some(Unreadable::Extension));
    let broken_identity = || der::extension(&maker::IDENTITY, false, &[0x30, 0x00]);
    assert_eq!(with(&|it| (it.identity, it.more) = (None, vec![broken_identity()])), Some(Unreadable::Extension));
    let sha224 = der::sequence(&[&der::oid(&[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 1])]);
    assert_eq!(with(&|it| it.algorithm = Some(sha224.clone())), Some(Unreadable::Algorithm));
    assert_eq!(with(&|it| it.version = 1), Some(Unreadable::Version));
    let mut long = leaf().der();
    long.push(0);
    assert_eq!(Read::read(&long).err(), Some(Unreadable::Encoding));
}

#[test]
fn a_platforms_own_certificate_may_be_the_anchor() {
    let anchored = |certificate: &Certificate| {
        let mut anchors = Anchors::new();
        anchors.add(&certificate.der()).expect("a certificate");
        anchors
    };
    assert_eq!(outcome(&anchored(&leaf()), NOW).0, Outcome::Affirming);
    assert_eq!(outcome(&anchored(&leaf()), 1).0, Outcome::Contraindicated, "it is valid only for its time");
    let wrong = Certificate { usage: Some(0x08), ..leaf() };
    assert_eq!(outcome(&anchored(&wrong), NOW).0, Outcome::Contraindicated, "and only for its use");
    let token = Maker::default().token();
    let verdict = judge_by(&token, &anchored(&sub()), &good_references(), NOW);
    assert_eq!(verdict.outcome(), Outcome::NoTrustAnchor, "an authority is not a platform");
    let other = Certificate { identity: None, ..leaf() };
    let verdict = judge_by(&token, &anchored(&other), &good_references(), NOW);
    assert_eq!(verdict.outcome(), Outcome::NoTrustAnchor, "a certificate of nobody in particular");
}

#[test]
fn every_bit_of_a_certificate_counts() {
    let good = leaf().der();
    let issuer = Read::read(&sub().der()).expect("the issuer");
    let holds = |bytes: &[u8]| {
        let read = Read::read(bytes).ok();
        read.is_some_and(|it| it.names_as_issuer(&issuer) && it.verify_signature(&issuer).is_ok())
    };
    assert!(holds(&good), "the control");
    for at in 0..good.len() {
        for bit in 0..8 {
            let mut bad = good.clone();
            bad[at] ^= 1 << bit;
            assert!(!holds(&bad), "byte {at}, bit {bit}");
        }
    }
}

#[test]
fn files_hold_one_certificate_in_der_or_several_in_pem() {
    let pem = |certificate: &Certificate| {
        let text = maker::base64(&certificate.der());
        let lines: Vec<&str> = text.as_bytes().chunks(64).map(|it| std::str::from_utf8(it).expect("ASCII")).collect();
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
    };
    let count = |file: &str| read_file(file.as_bytes()).map(|it| it.len());
    assert_eq!(count(&pem(&leaf())), Ok(1));
    assert_eq!(count(&format!("the root:\n{}\nand\n\n{}", pem(&root()), pem(&sub()))), Ok(2));
    assert_eq!(read_file(&leaf().der()).map(|it| it.len()), Ok(1));
    for bad in ["", "hello", "-----BEGIN CERTIFICATE-----\n", &pem(&leaf()).replace("CERTIFICATE", "PRIVATE KEY")] {
        assert_eq!(count(bad), Err(Unreadable::Encoding), "{bad}");
    }
}
