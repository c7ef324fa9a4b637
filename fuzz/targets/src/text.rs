//! Files that people and other tools write: references, boot rules, libvirt domains, policies with what they are asked
//! about, evidence in envelopes, attestation results, and whatever `inspect` is shown.

use crate::bounds::within;
use crate::selected;
use allod::domain::Domain;
use allod::inspect;
use evidence::Hash;
use serde_json::{Value, json};
use std::time::Duration;
use verifier::ear::{Ear, Jws};
use verifier::rego::{self, Source};
use verifier::rules::Rules;
use verifier::{References, envelope};

/// Brackets of a policy, at most: what nests without end is bounded by a process of its own, which there is none of here.
const BRACKETS: usize = 64;
/// Time for a policy: a fraction of what any step has.
const TIME: Duration = Duration::from_millis(200);

/// Takes one input: the first byte selects the reader.
///
/// # Panics
/// If a promise of the readers is broken, or if what is written is not what is then read.
pub fn run(input: &[u8]) {
    let Some((selector, bytes)) = selected(input) else { return };
    match selector % 8 {
        0 => references(bytes),
        1 => rules(bytes),
        2 => domain(bytes),
        3 => policy(bytes),
        4 => times(bytes),
        5 => inspected(bytes),
        6 => envelope(bytes),
        _ => result(bytes),
    }
}

/// A store that is written from references can be read, and is then written the same.
fn references(bytes: &[u8]) {
    let mut first = References::new();
    if within(bytes, 128, || first.add(bytes).map_err(|why| why.to_string())).is_err() {
        return;
    }
    let Ok(store) = within(bytes, 128, || first.to_store(Hash::Sha256)) else { return };
    let mut second = References::new();
    assert!(second.add(store.as_bytes()).is_ok(), "what is written can be read: {store}");
    assert_eq!(second.to_store(Hash::Sha256).ok(), Some(store), "and is the same");
}

fn rules(bytes: &[u8]) {
    let _ = within(bytes, 128, || Rules::parse(bytes).map_err(|why| why.to_string()));
}

fn domain(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = within(bytes, 256, || Domain::parse(text).map_err(|why| why.to_string()));
}

/// Nothing that is shown claims to have been verified.
fn inspected(bytes: &[u8]) {
    let found = within(bytes, 1024, || inspect::of(bytes));
    assert!(!found.kind.is_empty());
}

/// A policy, and behind the first zero byte what it is asked about.
fn policy(bytes: &[u8]) {
    let (text, document) = match bytes.iter().position(|byte| *byte == 0) {
        Some(end) => (&bytes[..end], serde_json::from_slice(&bytes[end + 1..]).unwrap_or(Value::Null)),
        None => (bytes, json!({ "profile": rego::PROFILE, "at": 1, "family": "cca", "verdict": "affirming" })),
    };
    if text.iter().filter(|byte| b"([{".contains(byte)).count() > BRACKETS {
        return;
    }
    // An empty text stands for the policies that are in stock.
    let own = Source::new("own", text.to_vec());
    let sources = if text.is_empty() {
        rego::STOCK.iter().filter_map(|it| Source::stock(it.name)).collect()
    } else {
        own.into_iter().collect::<Vec<_>>()
    };
    for source in sources {
        let decision = rego::evaluate(&source, &document, TIME).map_err(|why| why.to_string());
        assert!(rego::read(&source).is_ok() || decision.is_err(), "what cannot be read decides nothing");
    }
}

/// What is opened is a token, or says what it is not; what comes with it can be read.
fn envelope(bytes: &[u8]) {
    let opened = within(bytes, 256, || envelope::open(bytes).map_err(|why| why.to_string()));
    if let Ok(opened) = opened {
        let _ = (opened.said(), opened.token().len(), opened.log().map(<[u8]>::len));
    }
}

/// A result that is written can be read, and is then written the same.
fn result(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = within(bytes, 64, || Jws::parse(text).map(|jws| Ear::from_json(jws.alleged()).is_ok()));
    }
    let Ok(first) = within(bytes, 128, || Ear::from_json(bytes).map_err(|why| why.to_string())) else { return };
    let written = first.to_json();
    let second = Ear::from_json(written.to_string().as_bytes());
    assert_eq!(second.map(|it| it.to_json()).ok(), Some(written), "what is written is what was read");
}

fn times(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Some(seconds) = verifier::chain::seconds(text) {
        let moment = verifier::chain::moment(seconds);
        assert_eq!(verifier::chain::seconds(&moment), Some(seconds), "a time that is written is the one that was read");
    }
}
