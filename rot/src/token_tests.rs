use minicbor::Decoder;
use p384::ecdsa::signature::Verifier;
use p384::ecdsa::{Signature, SigningKey};

use super::*;
use crate::key::{point, spki_hash};
use crate::measurement::{Component, UNSIGNED};
use crate::version::Version;

fn private(byte: u8) -> SecretKey {
    SecretKey::from_slice(&[byte; 48]).unwrap()
}

fn key(byte: u8) -> SigningKey {
    SigningKey::from(private(byte))
}

fn cpak() -> [u8; 32] {
    spki_hash(&point(key(1).verifying_key()).unwrap())
}

fn measurements() -> Measurements {
    let component = |byte, signer| Component { measurement: [byte; 32], version: Version::ONE, signer };
    Measurements {
        boot: component(1, UNSIGNED),
        monitor: component(2, [9; 32]),
        rmm: component(3, [9; 32]),
        hw_config: component(4, UNSIGNED),
        fw_config: component(5, UNSIGNED),
    }
}

/// The token of a made-up machine, and its length.
fn made() -> ([u8; 4096], usize) {
    let hardware = Hardware { dram_base: 0x4000_0000, dram_size: 2 << 30, cpus: 4 };
    let rak = key(2);
    let (rak, measurements) = (rak.verifying_key(), measurements());
    let claims = Claims { rak, cpak: &cpak(), hardware: &hardware, lifecycle: 0x3000, measurements: &measurements };
    let mut out = [0; 4096];
    let length = sign(&private(1), &claims, &mut out).unwrap();
    (out, length)
}

/// Protected header, payload and signature of a tagged COSE_Sign1.
fn unwrap(token: &[u8]) -> (&[u8], &[u8], &[u8]) {
    assert_eq!(token[..2], [0xD2, 0x84]);
    let mut cbor = Decoder::new(&token[2..]);
    let protected = cbor.bytes().unwrap();
    assert_eq!(cbor.map().unwrap(), Some(0));
    let (payload, signature) = (cbor.bytes().unwrap(), cbor.bytes().unwrap());
    assert_eq!(cbor.position() + 2, token.len(), "nothing after the array");
    (protected, payload, signature)
}

#[test]
fn the_signature_is_over_the_sig_structure_as_a_whole() {
    let (room, length) = made();
    let (protected, payload, signature) = unwrap(&room[..length]);
    assert_eq!(protected, [0xA1, 0x01, 0x38, 0x22]);
    let mut whole = [0; 4096];
    let mut cbor = Encoder::new(Cursor::new(&mut whole[..]));
    cbor.array(4).unwrap().str("Signature1").unwrap().bytes(protected).unwrap().bytes(&[]).unwrap();
    cbor.bytes(payload).unwrap();
    let used = cbor.writer().position();
    let signature = Signature::from_slice(signature).unwrap();
    key(1).verifying_key().verify(&whole[..used], &signature).unwrap();
    whole[used - 1] ^= 1;
    assert!(key(1).verifying_key().verify(&whole[..used], &signature).is_err());
}

#[test]
fn the_claims_are_those_of_the_machine() {
    let (room, length) = made();
    let (_, payload, _) = unwrap(&room[..length]);
    let (x, y) = coordinates(key(2).verifying_key()).unwrap();
    let challenge: [u8; 32] = Sha256::digest(claim::cose_key_p384(&x, &y)).into();
    let instance = instance_id(&cpak());
    let config =
        [&b"ALLODHW1"[..], &[0, 0, 0, 0x40, 0, 0, 0, 0], &[0, 0, 0, 0x80, 0, 0, 0, 0], &[4, 0, 0, 0, 0, 0, 0, 0]];
    let mut cbor = Decoder::new(payload);
    assert_eq!(cbor.map().unwrap(), Some(9));
    assert_eq!((cbor.u64().unwrap(), cbor.bytes().unwrap()), (10, &challenge[..]));
    assert_eq!((cbor.u64().unwrap(), cbor.bytes().unwrap()), (256, &instance[..]));
    assert_eq!((cbor.u64().unwrap(), cbor.str().unwrap()), (265, "tag:arm.com,2023:cca_platform#1.0.0"));
    assert_eq!((cbor.u64().unwrap(), cbor.u64().unwrap()), (2395, 0x3000));
    assert_eq!((cbor.u64().unwrap(), cbor.bytes().unwrap()), (2396, &<[u8; 32]>::from(Sha256::digest(DESIGN))[..]));
    assert_eq!(cbor.u64().unwrap(), 2399);
    components(&mut cbor);
    assert_eq!((cbor.u64().unwrap(), cbor.str().unwrap()), (2400, "allod verify"));
    assert_eq!(cbor.u64().unwrap(), 2401);
    assert!(cbor.bytes().unwrap().iter().eq(config.into_iter().flatten()));
    assert_eq!((cbor.u64().unwrap(), cbor.str().unwrap()), (2402, "sha-256"));
    assert_eq!(cbor.position(), payload.len());
}

fn components(cbor: &mut Decoder<'_>) {
    assert_eq!(cbor.array().unwrap(), Some(5));
    let expected = [("BOOT", 1, 0), ("MONITOR", 2, 9), ("RMM", 3, 9), ("HW_CONFIG", 4, 0), ("FW_CONFIG", 5, 0)];
    for (name, measurement, signer) in expected {
        assert_eq!(cbor.map().unwrap(), Some(4));
        assert_eq!((cbor.u64().unwrap(), cbor.str().unwrap()), (1, name));
        assert_eq!((cbor.u64().unwrap(), cbor.bytes().unwrap()), (2, &[measurement; 32][..]));
        assert_eq!((cbor.u64().unwrap(), cbor.str().unwrap()), (4, "1"));
        assert_eq!((cbor.u64().unwrap(), cbor.bytes().unwrap()), (5, &[signer; 32][..]));
    }
}

#[test]
fn two_identical_boots_sign_the_same_token() {
    assert_eq!(made(), made());
}

#[test]
fn a_token_without_room_is_refused() {
    let rak = key(2);
    let hardware = Hardware { dram_base: 0x4000_0000, dram_size: 2 << 30, cpus: 4 };
    let (rak, measurements) = (rak.verifying_key(), measurements());
    let claims = Claims { rak, cpak: &cpak(), hardware: &hardware, lifecycle: 0x5000, measurements: &measurements };
    let (_, length) = made();
    let mut short = [0; 4096];
    let refused = sign(&private(1), &claims, &mut short[..length - 1]);
    assert_eq!(refused, Err(Refusal::NoRoom { what: "platform token" }));
}
