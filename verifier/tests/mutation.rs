//! Every single bit and every single field of a token counts: each change is refused, or changes nothing that is said.

mod field;
mod maker;
mod vector;

use allod_verifier::certificate::{self, Identity};
use allod_verifier::{Anchors, References, Verdict};
use maker::token::Maker;
use maker::virtcca::Second;
use maker::{IMPLEMENTATION, NOW, good_references, instance, judge_by, key, key521};
use std::num::NonZero;
use vector::{Vector, vectors};

/// The platform's key, pinned: no bit of a token has a part in the chain of certificates, which costs half the time.
fn pinned() -> Anchors {
    let mut anchors = Anchors::new();
    let identity = Identity { implementation_id: IMPLEMENTATION, instance_id: instance(&key(3)) };
    anchors.pin(identity, key(3).verifying());
    anchors
}

/// What a token says, and whether that is affirmed.
fn said(verdict: &Verdict) -> (bool, String) {
    (verdict.affirms(), serde_json::to_string(&(verdict.platform(), verdict.realm())).expect("JSON"))
}

/// Judges every variant, on every processor, and counts those that are authentic and say just what the original says.
fn none_says_more(
    count: usize,
    variant: &(impl Fn(usize) -> Vec<u8> + Sync),
    judge: &(impl Fn(&[u8]) -> Verdict + Sync),
    original: &[u8],
) -> usize {
    let control = said(&judge(original));
    assert!(control.0, "the control");
    let judged = |at: usize| {
        let verdict = judge(&variant(at));
        if verdict.failed().is_some() {
            assert!(!verdict.affirms(), "variant {at}");
            // What is refused before it is authentic says nothing.
            assert!(verdict.platform().is_none() && verdict.realm().is_none(), "variant {at}");
            return 0;
        }
        assert_eq!(said(&verdict), control, "variant {at}");
        1
    };
    let workers = std::thread::available_parallelism().map_or(1, NonZero::get);
    std::thread::scope(|scope| {
        let handles: Vec<_> = (0..workers)
            .map(|worker| scope.spawn(move || (worker..count).step_by(workers).map(judged).sum::<usize>()))
            .collect();
        handles.into_iter().map(|handle| handle.join().expect("no panic")).sum()
    })
}

/// Flips every bit; `every` leaves out all but one in so many.
fn flips(token: &[u8], every: usize, judge: impl Fn(&[u8]) -> Verdict + Sync) -> usize {
    let variant = |at: usize| {
        let (bit, mut bad) = (at * every, token.to_vec());
        bad[bit / 8] ^= 1 << (bit % 8);
        bad
    };
    none_says_more(token.len() * 8 / every, &variant, &judge, token)
}

#[test]
fn every_flip_of_a_single_bit_is_refused() {
    let (anchors, references) = (pinned(), good_references());
    let token = Maker::default().token();
    assert_eq!(flips(&token, 1, |token| judge_by(token, &anchors, &references, NOW)), 0);
}

#[test]
fn every_bit_of_a_token_of_each_profile_counts() {
    let Some(folder) = vectors("attestation", 4) else { return };
    for (name, key_file) in PROFILES {
        let vector = Vector::arm(&folder, name, key_file);
        let references = vector.echo();
        // What may change nothing: a profile or a wrapper that another bit spells, and means the same. There is none.
        assert_eq!(flips(&vector.token, 1, |token| vector.judge(token, &references)), 0, "{name}");
    }
}

/// A token of each profile, and the key of its platform.
const PROFILES: [(&str, &str); 4] = [
    ("cca-tokens/legacy-tfrmm.cbor", "keys/ta-tfa.json"),
    ("cca-tokens/p2023-cmw907.cbor", "keys/evcli-ec256.json"),
    ("derived/p2024-all-claims-tag399.cbor", "keys/evcli-ec256.json"),
    ("derived/p2026-delegated-cmw907.cbor", "keys/ta-tfa.json"),
];

#[test]
fn every_bit_of_a_real_virtcca_token_counts() {
    let Some(vector) = real() else { return };
    let references = vector.echo();
    assert_eq!(flips(&vector.token, 1, |token| vector.judge(token, &references)), 0);
}

/// The token of the real machine, with its device's key pinned.
fn real() -> Option<Vector> {
    let folder = vectors("virtcca", 1)?;
    let der = std::fs::read(folder.join(vector::DEVICE)).expect("the certificate");
    let certificate = certificate::read_file(&der).expect("a certificate").remove(0);
    Some(Vector::virtcca(&folder).pinned(certificate.key().clone(), None))
}

#[test]
fn bits_of_the_second_generation_count() {
    let machine = Second::default();
    let mut anchors = Anchors::new();
    anchors.pin_any(key521(3).verifying());
    let references = maker::virtcca::references();
    // P-521 takes its time: one bit of each byte, going round.
    assert_eq!(flips(&machine.token(), 9, |token| judge_by(token, &anchors, &references, NOW)), 0);
    let mut in_der = machine;
    (in_der.platform.der, in_der.realm.der) = (true, true);
    assert_eq!(flips(&in_der.token(), 17, |token| judge_by(token, &anchors, &references, NOW)), 0);
}

#[test]
fn every_field_of_a_token_counts() {
    let fields = |token: &[u8], judge: &(dyn Fn(&[u8]) -> Verdict + Sync)| {
        let variants = field::variants(token);
        let harmless = none_says_more(variants.len(), &|at| variants[at].clone(), &|token: &[u8]| judge(token), token);
        (variants.len(), harmless)
    };
    let own = |token: &[u8]| judge_by(token, &pinned(), &good_references(), NOW);
    // Whatever is put into an unprotected header is passed over, and so is an entry of the wrapper of an unknown key.
    let (count, harmless) = fields(&Maker::default().token(), &own);
    assert!(count > 500 && harmless <= count / 50, "{count} variants, {harmless} of them harmless");
    let real = real();
    if let Some(vector) = &real {
        let references = vector.echo();
        let (count, harmless) = fields(&vector.token, &|token| vector.judge(token, &references));
        assert!(count > 200 && harmless <= count / 50, "{count} variants, {harmless} of them harmless");
    }
    let Some(folder) = vectors("attestation", 4) else { return };
    for (name, key_file) in PROFILES {
        let vector = Vector::arm(&folder, name, key_file);
        let references: References = vector.echo();
        let (count, harmless) = fields(&vector.token, &|token| vector.judge(token, &references));
        assert!(count > 300 && harmless <= count / 50, "{name}: {count} variants, {harmless} of them harmless");
    }
}
