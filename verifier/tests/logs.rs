//! Event logs at the level of the verdict: the log of the boot that the token measured affirms, and no other does.

#[allow(dead_code, reason = "each test file uses its own part")]
mod boot;
mod maker;

use allod_verifier::{Case, Nonce, Outcome, Policy, References, Step, Verdict, verify_with_log};
use boot::{SEPARATOR, Step as Event, log};
use maker::token::{Maker, PLATFORM_REFERENCE, array, bytes, set};
use maker::{CHALLENGE, NOW, good_anchors};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::sync::OnceLock;

fn hex(text: &str) -> Vec<u8> {
    evidence::hex::decode(text).expect("hexadecimal")
}

/// The four measurements that events lead to, by hand.
fn rems(events: &[Event]) -> [[u8; 32]; 4] {
    let mut rems = [[0; 32]; 4];
    for event in events {
        let rem = &mut rems[event.register as usize - 1];
        *rem = Sha256::new_with_prefix(*rem).chain_update(&event.digest).finalize().into();
    }
    rems
}

/// A token of a Realm that measured this, and references that expect just that.
fn measured(rems: &[[u8; 32]; 4]) -> (Vec<u8>, References) {
    let mut maker = Maker::default();
    set(&mut maker.realm, 44239, array(&rems.map(|rem| bytes(&rem))));
    let text = rems.map(|rem| evidence::hex::encode(&rem));
    let realm = json!({"profile": "allod-reference-1", "realm": {"hash": "sha-256", "rim": "11".repeat(32), "rems": text,
        "rpv": "00".repeat(64)}});
    let mut references = References::new();
    references.add(PLATFORM_REFERENCE.as_bytes()).expect("a reference of the platform");
    references.add(realm.to_string().as_bytes()).expect("a reference of the Realm");
    (maker.token(), references)
}

/// The token and the references of the boot, made once.
fn booted() -> &'static (Vec<u8>, References) {
    static BOOTED: OnceLock<(Vec<u8>, References)> = OnceLock::new();
    BOOTED.get_or_init(|| measured(&rems(&boot::boot())))
}

fn judge((token, references): &(Vec<u8>, References), log: Option<&[u8]>) -> Verdict {
    let (anchors, policy) = (good_anchors(), Policy::default());
    let nonce = Nonce::new(&CHALLENGE).expect("64 bytes");
    verify_with_log(token, log, &Case { anchors: &anchors, nonce, at: NOW, references, policy: &policy })
}

/// The verdict on the boot's token with another log.
fn with(log: &[u8]) -> (Outcome, Option<Step>) {
    let verdict = judge(booted(), Some(log));
    (verdict.outcome(), verdict.failed().map(|check| check.step))
}

const REFUSED: (Outcome, Option<Step>) = (Outcome::Contraindicated, Some(Step::Log));

fn changed(change: impl FnOnce(&mut Vec<Event>)) -> Vec<u8> {
    let mut events = boot::boot();
    change(&mut events);
    log(&events)
}

#[test]
fn the_log_of_the_boot_that_was_measured_affirms() {
    let whole = log(&boot::boot());
    assert_eq!(with(&whole), (Outcome::Affirming, None));
    let filler = [whole, vec![0xFF; 4096]].concat();
    assert_eq!(with(&filler), (Outcome::Affirming, None), "in an area that is filled up");
}

#[test]
fn zero_measurements_with_a_log_are_refused() {
    let zeros = measured(&[[0; 32]; 4]);
    assert!(judge(&zeros, Some(&log(&[]))).affirms(), "the control: nothing was measured, and nothing is told");
    let verdict = judge(&zeros, Some(&log(&boot::boot())));
    assert_eq!((verdict.outcome(), verdict.failed().map(|check| check.step)), REFUSED);
    assert_eq!(with(&log(&[])), REFUSED, "and an empty log where something was measured");
}

#[test]
fn a_log_with_separators_missing_is_refused() {
    let separators: Vec<usize> = (0..boot::boot().len()).filter(|at| boot::boot()[*at].kind == SEPARATOR).collect();
    assert_eq!(separators.len(), 2);
    for at in separators {
        assert_eq!(with(&changed(|events| drop(events.remove(at)))), REFUSED, "event {at}");
    }
    assert_eq!(with(&changed(|events| events.retain(|event| event.kind != SEPARATOR))), REFUSED);
}

#[test]
fn a_truncated_log_is_refused_at_every_event_and_byte() {
    let count = boot::boot().len();
    for left in 0..count {
        assert_eq!(with(&changed(|events| events.truncate(left))), REFUSED, "{left} events");
    }
    let whole = log(&boot::boot());
    for length in (0..whole.len()).step_by(61).chain([whole.len() - 1]) {
        assert_eq!(with(&whole[..length]), REFUSED, "{length} bytes");
    }
}

#[test]
fn a_reordered_or_doubled_log_is_refused() {
    let events = boot::boot();
    let mut tried = 0;
    for at in 1..events.len() {
        // Order is only measured within a register.
        let Some(before) = (0..at).rev().find(|before| events[*before].register == events[at].register) else {
            continue;
        };
        if events[before].digest == events[at].digest {
            continue;
        }
        assert_eq!(with(&changed(|events| events.swap(before, at))), REFUSED, "events {before} and {at}");
        assert_eq!(with(&changed(|events| events.insert(at, events[at].clone()))), REFUSED, "event {at} twice");
        tried += 1;
    }
    assert!(tried > 30, "{tried}");
}

#[test]
fn an_event_whose_digest_does_not_match_its_data_is_refused() {
    let mut tried = 0;
    for at in 0..boot::boot().len() {
        // The digest of what was measured, and other words: the replay leads to the token's measurements all the same.
        let forged = changed(|events| {
            let last = events[at].data.len() - 2;
            events[at].data[last] ^= 1;
        });
        let over_its_data = {
            let event = &boot::boot()[at];
            event.digest[..] == Sha256::digest(&event.data)[..]
        };
        let is_line = boot::boot()[at].data.starts_with(b"grub_cmd: ");
        if over_its_data || is_line {
            assert_eq!(with(&forged), REFUSED, "event {at}");
            tried += 1;
        }
        let digest = changed(|events| events[at].digest[31] ^= 1);
        assert_eq!(with(&digest), REFUSED, "event {at}: another digest");
    }
    assert!(tried > 20, "{tried}");
}

#[test]
fn what_is_no_log_is_refused_and_none_is_not_done() {
    for bytes in [&b""[..], b"hello", &[0xFF; 64], &[0; 64]] {
        assert_eq!(with(bytes), REFUSED);
    }
    let verdict = judge(booted(), None);
    assert!(verdict.failed().is_none(), "without a log the references still say what to expect");
}

/// The four measurements of an RMM that pads the old value and the extension to 64 bytes each, by hand.
fn padded_rems(events: &[Event]) -> [[u8; 32]; 4] {
    let mut rems = [[0; 32]; 4];
    for event in events {
        let rem = &mut rems[event.register as usize - 1];
        let block = [&rem[..], &[0; 32], &event.digest, &vec![0; 64 - event.digest.len()]].concat();
        *rem = Sha256::digest(block).into();
    }
    rems
}

#[test]
fn an_rmm_that_pads_what_it_extends_is_replayed_so_and_the_report_says_it() {
    let case = measured(&padded_rems(&boot::boot()));
    let verdict = judge(&case, Some(&log(&boot::boot())));
    assert_eq!(verdict.outcome(), Outcome::Affirming);
    let said = |verdict: &Verdict| {
        let check = verdict.checks().iter().find(|check| check.step == Step::Log).expect("the step");
        check.found.as_ref().is_some_and(|found| found.contains("padded to 64 bytes"))
    };
    assert!(said(&verdict));
    assert!(!said(&judge(booted(), Some(&log(&boot::boot())))), "control: nothing is padded");
    let other = judge(&case, Some(&changed(|events| events.swap(0, 1))));
    assert_eq!((other.outcome(), other.failed().map(|check| check.step)), REFUSED, "another order");
}
