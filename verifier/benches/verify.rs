//! How many tokens one core judges in a second, each part made by the tests' own issuer: `cargo xtask bench verify`.
//!
//! Times are of the thread's own CPU clock, which other programs on the machine disturb least; the median and the best
//! of several rounds are printed as one JSON object. With `--write FOLDER`, files for `allod verify` are left there.

#[path = "../tests/boot/mod.rs"]
#[allow(dead_code, reason = "only the making of a log is used here")]
mod boot;
#[path = "../tests/maker/mod.rs"]
mod maker;

use allod_verifier::log::replayed;
use allod_verifier::{Anchors, Case, Nonce, Outcome, Policy, References, verify};
use boot::{Step, log};
use evidence::{Hash, Token};
use maker::token::{Entries, Maker, bytes, map, set, text};
use maker::{CHALLENGE, IMPLEMENTATION, NOW, instance, key};
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};
use std::hint::black_box;
use std::path::Path;

/// Components of the token that is judged, as many as TF-A's sample has.
const COMPONENTS: u8 = 13;
/// Size of the event log that is replayed, in bytes: all that the table of a virtual machine's firmware has room for.
const LOG: usize = 256 * 1024;
/// Rounds of each measurement.
const ROUNDS: usize = 31;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|it| it == "--write") {
        write(Path::new(arguments.get(at + 1).expect("a folder after --write")));
        return;
    }
    let token = maker().token();
    let references = references();
    let mut known = pinned();
    known.remember(1024);
    let judge = |anchors: &Anchors| {
        let nonce = Nonce::new(&CHALLENGE).expect("64 bytes");
        let case = Case { anchors, nonce, at: NOW, references: &references, policy: &Policy::default() };
        assert_eq!(verify(black_box(&token), &case).outcome(), Outcome::Affirming);
    };
    let (plain, chained) = (pinned(), maker::good_anchors());
    let log = event_log();
    let replay = || assert!(replayed(black_box(&log), Hash::Sha256, None).is_ok());
    println!(
        "{}",
        json!({
            "token_bytes": token.len(),
            "components": COMPONENTS,
            "log_bytes": log.len(),
            "verify": rate(100, || judge(&plain)),
            "verify_known_platform": rate(100, || judge(&known)),
            "verify_by_certificates": rate(50, || judge(&chained)),
            "parse": rate(10_000, || drop(Token::parse(black_box(&token)).expect("well formed"))),
            "replay": rate(20, replay),
        })
    );
}

/// What the maker of logs reads its digests with.
fn hex(text: &str) -> Vec<u8> {
    evidence::hex::decode(text).expect("hexadecimal")
}

/// Runs something `count` times in each round, and answers the seconds of CPU that it took once.
fn rate(count: u32, mut run: impl FnMut()) -> Value {
    (0..count.div_ceil(10)).for_each(|_| run());
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let begun = clock();
            (0..count).for_each(|_| run());
            (clock() - begun) / f64::from(count)
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    json!({"seconds": rounds[ROUNDS / 2], "best": rounds[0]})
}

fn clock() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn component(number: u8) -> Entries {
    vec![
        (1, text(&format!("COMPONENT_{number}"))),
        (2, bytes(&[number; 32])),
        (4, text("2.14.0")),
        (5, bytes(&[0x55; 32])),
        (6, text("sha-256")),
    ]
}

/// A token of a platform with as many components as real firmware has, P-384 in both halves.
fn maker() -> Maker {
    let mut maker = Maker::default();
    let list: Vec<Vec<u8>> = (0..COMPONENTS).map(|number| map(&component(number))).collect();
    set(&mut maker.platform, 2399, maker::token::array(&list));
    maker
}

fn pinned() -> Anchors {
    let cpak = key(3);
    let mut anchors = Anchors::new();
    let identity =
        allod_verifier::certificate::Identity { implementation_id: IMPLEMENTATION, instance_id: instance(&cpak) };
    anchors.pin(identity, cpak.verifying());
    anchors
}

fn platform_reference() -> String {
    let hex = |byte: u8| format!("{byte:02x}").repeat(32);
    let component = |number: u8| json!({"type": format!("COMPONENT_{number}"), "measurement": hex(number), "version": "2.14.0", "signer_id": hex(0x55)});
    let components: Vec<Value> = (0..COMPONENTS).map(component).collect();
    json!({"profile": "allod-reference-1", "platform": {
        "implementation_id": hex(0x1D), "config": "c0ffee", "lifecycle": ["secured"], "components": components}})
    .to_string()
}

fn references() -> References {
    let mut references = References::new();
    references.add(platform_reference().as_bytes()).expect("a reference of the platform");
    references.add(maker::token::REALM_REFERENCE.as_bytes()).expect("a reference of the Realm");
    references
}

/// A log as GRUB writes it, of commands that are each an event, until it fills the table.
fn event_log() -> Vec<u8> {
    let command =
        |number: usize| Step::line("grub_cmd", &format!("menuentry 'Linux {number}' --class gnu-linux --class os"));
    let one = log(&[command(0)]).len() - log(&[]).len();
    let steps: Vec<Step> = (0..(LOG - log(&[]).len()) / (one + 6)).map(command).collect();
    log(&steps)
}

/// Leaves a token, its anchors and its references in a folder.
fn write(folder: &Path) {
    let put = |name: &str, content: &[u8]| std::fs::write(folder.join(name), content).expect("a folder to write to");
    put("token.cbor", &maker().token());
    put("anchors.pem", maker_pem().as_bytes());
    put("platform.json", platform_reference().as_bytes());
    put("realm.json", maker::token::REALM_REFERENCE.as_bytes());
    println!("{}", json!({"nonce": "c4".repeat(64), "at": "2026-11-22T00:00:00Z"}));
}

fn maker_pem() -> String {
    let certificates = [maker::root(), maker::sub(), maker::leaf()];
    let pem = |it: &maker::Certificate| {
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", maker::base64(&it.der()))
    };
    certificates.iter().map(pem).collect()
}
