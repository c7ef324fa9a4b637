//! From a machine as `allod platform init` makes it to a verdict, by the files that `allod verify` reads.

use super::*;
use clap::Parser;
use p384::ecdsa::signature::Signer;
use p384::ecdsa::{Signature, SigningKey};
use rot::config::{Firmware, Hardware};
use rot::measurement::{Component, Measurements};
use rot::version::Version;
use verifier::{Outcome, References, Verdict};

pub(super) const NONCE: [u8; 64] = [0xC4; 64];
const ES384: [u8; 4] = [0xA1, 0x01, 0x38, 0x22];

/// A machine in a folder of its own, which goes with it.
pub(super) struct Machine {
    pub(super) folder: PathBuf,
    cpak: p384::SecretKey,
    cpak_hash: [u8; 32],
    rak: SigningKey,
}

impl Machine {
    pub(super) fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("allod-verify-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        let path = folder.to_str().expect("a path in UTF-8");
        let cli = crate::Cli::try_parse_from(["allod", "platform", "init", path]).expect("a command");
        let crate::Command::Platform(command) = cli.command else { panic!("another command") };
        crate::platform::main(command).expect("a machine");
        let otp: [u8; rot::otp::LENGTH] =
            std::fs::read(folder.join("otp.bin")).expect("an OTP").try_into().expect("of its length");
        let otp = rot::otp::Otp::parse(&otp).expect("a good OTP");
        let cpak = rot::kdf::cpak(&otp.secret).expect("a key");
        let rak = SigningKey::from(rot::kdf::rak(&otp.secret, &measurements(b"rmm"), 0x3000).expect("a key"));
        Self { folder, cpak, cpak_hash: otp.cpak, rak }
    }

    pub(super) fn root(&self) -> PathBuf {
        self.folder.join("endorsements/root.pem")
    }

    pub(super) fn endorsements(&self) -> PathBuf {
        self.folder.join("endorsements")
    }

    /// A token of this machine, with this RMM and in this lifecycle.
    fn token(&self, rmm: &[u8], lifecycle: u32) -> Vec<u8> {
        wrapped(&self.platform_half(rmm, lifecycle), &self.realm_half(&[&[0; 32]; 4]))
    }

    pub(super) fn platform_half(&self, rmm: &[u8], lifecycle: u32) -> Vec<u8> {
        let mut platform = vec![0; 4096];
        let claims = rot::token::Claims {
            rak: self.rak.verifying_key(),
            cpak: &self.cpak_hash,
            hardware: &hardware(),
            lifecycle,
            measurements: &measurements(rmm),
        };
        let length = rot::token::sign(&self.cpak, &claims, &mut platform).expect("a platform token");
        platform.truncate(length);
        platform
    }

    /// A platform half with another text of the same length, signed again.
    pub(super) fn swapped(&self, half: &[u8], old: &str, new: &str) -> Vec<u8> {
        // Before the payload stand tag, array, protected and unprotected header and its length; behind it the signature.
        let payload = &half[11..half.len() - 98];
        let at = payload.windows(old.len()).position(|it| it == old.as_bytes()).expect("the text is there");
        let payload = [&payload[..at], new.as_bytes(), &payload[at + old.len()..]].concat();
        signed(&SigningKey::from(&self.cpak), &payload)
    }

    pub(super) fn realm_half(&self, rems: &[&[u8]; 4]) -> Vec<u8> {
        let (x, y) = rot::key::coordinates(self.rak.verifying_key()).expect("a point");
        let claims = [
            (10, string(2, &NONCE)),
            (44235, string(2, &[0; 64])),
            (44237, string(2, &abi::claim::cose_key_p384(&x, &y))),
            (44236, string(3, b"sha-256")),
            (44240, string(3, b"sha-256")),
            (265, string(3, abi::claim::REALM_PROFILE_2023.as_bytes())),
            (44238, string(2, &[0x11; 32])),
            (44239, [head(4, 4), rems.map(|rem| string(2, rem)).concat()].concat()),
        ];
        let payload = [head(5, 8), claims.map(|(key, value)| [head(0, key), value].concat()).concat()].concat();
        signed(&self.rak, &payload)
    }
}

fn signed(key: &SigningKey, payload: &[u8]) -> Vec<u8> {
    let signed = [head(4, 4), string(3, b"Signature1"), string(2, &ES384), string(2, b""), string(2, payload)];
    let signature: Signature = key.sign(&signed.concat());
    let parts = [vec![0xD2, 0x84], string(2, &ES384), vec![0xA0], string(2, payload)];
    [parts.concat(), string(2, &signature.to_bytes())].concat()
}

/// Both halves in the map of tag 399.
pub(super) fn wrapped(platform: &[u8], realm: &[u8]) -> Vec<u8> {
    let entries = [(44234, platform), (44241, realm)].map(|(key, half)| [head(0, key), string(2, half)].concat());
    [vec![0xD9, 0x01, 0x8F, 0xA2], entries.concat()].concat()
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn head(major: u8, value: u64) -> Vec<u8> {
    let lead = major << 5;
    match value {
        0..=23 => vec![lead | value as u8],
        24..=0xFF => vec![lead | 24, value as u8],
        _ => [vec![lead | 25], (value as u16).to_be_bytes().to_vec()].concat(),
    }
}

fn string(major: u8, content: &[u8]) -> Vec<u8> {
    [head(major, content.len() as u64), content.to_vec()].concat()
}

fn hardware() -> Hardware {
    Hardware { dram_base: 0x4000_0000, dram_size: 0x4000_0000, cpus: 1 }
}

fn measurements(rmm: &[u8]) -> Measurements {
    Measurements {
        boot: Component::unsigned(b"boot", Version::ONE),
        monitor: Component::unsigned(b"monitor", Version::ONE),
        rmm: Component::unsigned(rmm, Version::ONE),
        hw_config: Component::hardware(&hardware()),
        fw_config: Component::firmware(&Firmware { debug: false, trace: 0 }),
    }
}

/// References that a maker of images would write, from the same measurements.
fn references_for(rmm: &[u8]) -> References {
    let mut references = References::new();
    references.add(reference_file(rmm).to_string().as_bytes()).expect("a reference");
    references
}

pub(super) fn reference_file(rmm: &[u8]) -> serde_json::Value {
    let components = measurements(rmm).named().map(|(kind, component)| {
        serde_json::json!({"type": kind, "measurement": hex::encode(&component.measurement),
            "version": "1", "signer_id": hex::encode(&component.signer)})
    });
    serde_json::json!({"profile": "allod-reference-1",
        "platform": {"implementation_id": hex::encode(&rot::token::IMPLEMENTATION_ID), "lifecycle": ["secured"],
            "config": hex::encode(&hardware().encode()), "components": components},
        "realm": {"hash": "sha-256", "rim": "11".repeat(32), "rems": ["00".repeat(32), "00".repeat(32),
            "00".repeat(32), "00".repeat(32)], "rpv": "00".repeat(64)}})
}

fn judge(token: &[u8], root: &Machine, endorsements: &Machine) -> Verdict {
    let anchors = anchors(&[root.root()], &endorsements.endorsements()).expect("anchors");
    let nonce = Nonce::new(&NONCE).expect("64 bytes");
    let references = references_for(b"rmm");
    let at = now().expect("a time");
    verifier::verify(token, &Case { anchors: &anchors, nonce, at, references: &references, policy: &Policy::default() })
}

fn failed(verdict: &Verdict) -> Option<String> {
    verdict.failed().map(verifier::Check::label)
}

#[test]
fn a_machine_as_it_was_manufactured_is_affirmed_and_others_are_not() {
    let (machine, forger) = (Machine::new("maker"), Machine::new("forger"));
    let verdict = judge(&machine.token(b"rmm", 0x3000), &machine, &machine);
    assert_eq!(verdict.outcome(), Outcome::Affirming, "{verdict:#?}");
    let shown = Text { verdict: &verdict, colours: false }.to_string();
    assert!(shown.contains("Verdict: affirming") && !shown.contains('✗') && !shown.contains('\u{1b}'), "{shown}");

    let verdict = judge(&machine.token(b"other rmm", 0x3000), &machine, &machine);
    assert_eq!(failed(&verdict).as_deref(), Some("component RMM"));
    let shown = Text { verdict: &verdict, colours: false }.to_string();
    assert!(shown.contains("Verdict: contraindicated (failed: component RMM)"), "{shown}");

    let verdict = judge(&machine.token(b"rmm", 0x5000), &machine, &machine);
    assert_eq!((verdict.outcome(), failed(&verdict).as_deref()), (Outcome::Contraindicated, Some("lifecycle")));

    let forged = forger.token(b"rmm", 0x3000);
    assert!(judge(&forged, &forger, &forger).affirms(), "whole in its maker's own eyes");
    assert_eq!(judge(&forged, &machine, &machine).outcome(), Outcome::NoTrustAnchor);
    assert_eq!(failed(&judge(&forged, &machine, &forger)).as_deref(), Some("chain"));
}

#[test]
fn a_broken_certificate_among_the_endorsements_is_an_error_that_names_it() {
    let machine = Machine::new("broken");
    std::fs::write(machine.endorsements().join("notes.txt"), "not a certificate").expect("written");
    assert!(anchors(&[machine.root()], &machine.endorsements()).is_ok(), "other names are passed over");
    std::fs::write(machine.endorsements().join("extra.pem"), "not a certificate").expect("written");
    let error = anchors(&[machine.root()], &machine.endorsements()).expect_err("an error");
    assert!(error.to_string().contains("extra.pem: expected X.509 certificates"), "{error}");
}

#[test]
fn a_token_may_come_as_hexadecimal_text() {
    let machine = Machine::new("text");
    let bytes = machine.token(b"rmm", 0x3000);
    let path = machine.folder.join("token");
    for content in [bytes.clone(), format!("{}\n", hex::encode(&bytes)).into_bytes()] {
        std::fs::write(&path, content).expect("written");
        let opened = envelope::open(&evidence(&path).expect("read")).expect("a token");
        assert_eq!(opened.token(), bytes);
    }
    assert!(evidence(&machine.folder.join("absent")).is_err());
}

#[test]
fn arguments_are_read_strictly() {
    assert!(nonce(&"ab".repeat(64)).is_ok() && nonce(&"ab".repeat(32)).is_ok());
    assert!(nonce(&"ab".repeat(31)).is_err() && nonce(&"ab".repeat(65)).is_err() && nonce("xy").is_err());
    assert_eq!(moment("1795305600"), Ok(1_795_305_600));
    assert_eq!(moment("2026-11-22T00:00:00Z"), Ok(1_795_305_600));
    assert!(moment("yesterday").is_err() && moment("-1").is_err() && moment("2026-11-22").is_err());
}
