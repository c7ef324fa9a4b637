//! The attestation token, from the Realm's calls to the verified signature.

use crate::fake::PLATFORM_TOKEN;
use crate::host::*;
use abi::{claim, rsi};
use minicbor::Decoder;
use minicbor::data::Tag;
use p384::ecdsa::Signature;
use p384::ecdsa::signature::Verifier;
use sha2::{Digest, Sha256};
use std::sync::atomic::Ordering;

const INIT: u64 = rsi::fid::ATTESTATION_TOKEN_INIT as u64;
const CONTINUE: u64 = rsi::fid::ATTESTATION_TOKEN_CONTINUE as u64;

fn init(host: &Host, challenge: u8) {
    let mut call = [u64::from_le_bytes([challenge; 8]); 9];
    call[0] = INIT;
    assert_eq!(host.service(&call)[..4], [0, 4096, 0, 0]);
}

/// Reads the token in pieces of a size, and gives it.
fn read(host: &Host, size: u64) -> Vec<u8> {
    let mut token = Vec::new();
    loop {
        let [status, count, ..] = host.service(&[CONTINUE, RAM, 64, size]);
        host.machine().peek(DATA, |page| token.extend_from_slice(&page.0[64..][..count as usize]));
        match status {
            0 => return token,
            3 => assert_eq!(count, size),
            other => panic!("status {other}"),
        }
    }
}

fn sign1(bytes: &[u8]) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let mut decoder = Decoder::new(bytes);
    assert_eq!(decoder.tag().unwrap(), Tag::new(18));
    assert_eq!(decoder.array().unwrap(), Some(4));
    let protected = decoder.bytes().unwrap().to_vec();
    assert_eq!(decoder.map().unwrap(), Some(0));
    let payload = decoder.bytes().unwrap().to_vec();
    let signature = decoder.bytes().unwrap().to_vec();
    assert_eq!(decoder.position(), bytes.len());
    (protected, payload, signature)
}

#[test]
fn token_is_signed_and_says_what_the_realm_is() {
    let host = Host::with_realm();
    init(&host, 0xC4);
    let token = read(&host, 1000);
    let mut decoder = Decoder::new(&token);
    assert_eq!(decoder.tag().unwrap(), Tag::new(399));
    assert_eq!(decoder.map().unwrap(), Some(2));
    assert_eq!((decoder.u64().unwrap(), decoder.bytes().unwrap()), (claim::PLATFORM_TOKEN, &PLATFORM_TOKEN[..]));
    assert_eq!(decoder.u64().unwrap(), claim::REALM_TOKEN);
    let (protected, payload, signature) = sign1(decoder.bytes().unwrap());
    assert_eq!(decoder.position(), token.len());
    assert_eq!(protected, [0xA1, 0x01, 0x38, 0x22]);

    let mut signed = Vec::new();
    let mut encoder = minicbor::Encoder::new(&mut signed);
    encoder.array(4).unwrap().str("Signature1").unwrap().bytes(&protected).unwrap();
    encoder.bytes(&[]).unwrap().bytes(&payload).unwrap();
    let signature = Signature::from_slice(&signature).unwrap();
    host.machine().key.verifying_key().verify(&signed, &signature).unwrap();

    let mut claims = Decoder::new(&payload);
    assert_eq!(claims.map().unwrap(), Some(8));
    assert_eq!((claims.u64().unwrap(), claims.bytes().unwrap()), (claim::CHALLENGE, &[0xC4; 64][..]));
    assert_eq!((claims.u64().unwrap(), claims.bytes().unwrap()), (claim::RPV, &[9; 64][..]));
    assert_eq!(claims.u64().unwrap(), claim::RAK);
    let key = claims.bytes().unwrap();
    assert_eq!((key.len(), &key[..8]), (107, &claim::COSE_KEY_P384_HEAD[..]));
    assert_eq!((claims.u64().unwrap(), claims.str().unwrap()), (claim::REALM_HASH, "sha-256"));
    assert_eq!((claims.u64().unwrap(), claims.str().unwrap()), (claim::RAK_HASH, "sha-256"));
    assert_eq!((claims.u64().unwrap(), claims.str().unwrap()), (claim::PROFILE, claim::REALM_PROFILE_2023));
    assert_eq!(claims.u64().unwrap(), claim::RIM);
    let rim = claims.bytes().unwrap();
    assert_eq!((rim.len(), rim[0], rim[31]), (32, 0x9A, 0x3F));
    assert_eq!(claims.u64().unwrap(), claim::REMS);
    assert_eq!(claims.array().unwrap(), Some(4));
    (0..4).for_each(|_| assert_eq!(claims.bytes().unwrap(), [0; 32]));
    assert_eq!(claims.position(), payload.len());
}

#[test]
fn platform_is_challenged_with_the_hash_of_the_key() {
    let host = Host::with_realm();
    let point = host.machine().key.verifying_key().to_sec1_point(false);
    let (x, y) = (point.x().unwrap(), point.y().unwrap());
    let key = claim::cose_key_p384(&(*x).into(), &(*y).into());
    assert_eq!(*host.machine().challenge.lock().unwrap(), Sha256::digest(key).to_vec());
    init(&host, 1);
    assert!(read(&host, 4000).windows(key.len()).any(|window| window == key));
}

#[test]
fn token_with_sha_512_and_two_granules_of_steps() {
    let host = Host::new();
    host.build(&Options { hash: 1, second_rec: false });
    init(&host, 2);
    let small = read(&host, 7);
    init(&host, 2);
    assert_eq!(small[..small.len() - 96], read(&host, 4000)[..small.len() - 96]);
}

#[test]
fn token_calls_have_an_order_and_bounds() {
    let host = Host::with_realm();
    assert_eq!(host.service(&[CONTINUE, RAM, 0, 4096])[0], 2);
    init(&host, 3);
    for (ipa, offset, size) in
        [(RAM + 1, 0, 1), (RAM, 4096, 0), (RAM, 4000, 97), (RAM, 1, u64::MAX), (SHARED, 0, 1), (0, 0, 16)]
    {
        assert_eq!(host.service(&[CONTINUE, ipa, offset, size])[0], 1, "{ipa:#x} {offset} {size}");
    }
    assert_eq!(host.service(&[CONTINUE, RAM, 0, 0])[..2], [3, 0]);
    read(&host, 4000);
    assert_eq!(host.service(&[CONTINUE, RAM, 0, 4000])[0], 2);
}

#[test]
fn interrupt_comes_before_signing() {
    let host = Host::with_realm();
    init(&host, 4);
    host.machine().again.store(3, Ordering::Relaxed);
    host.machine().irq.store(true, Ordering::Relaxed);
    let after = host.smc(&[CONTINUE, RAM, 0, 4000]);
    assert_eq!(host.run().exit_reason, abi::rmi::ExitReason::Irq as u8);
    host.machine().irq.store(false, Ordering::Relaxed);
    host.run();
    assert_eq!(after.lock().unwrap()[..4], [3, 0, 0, 0]);
    read(&host, 4000);
}

#[test]
fn without_a_platform_token_there_is_none_of_a_realm() {
    // As after a boot in which EL3 gave nothing.
    let host = Host { rmm: rmm::Rmm::new(crate::fake::Fake::new()) };
    host.build(&Options { hash: 0, second_rec: false });
    init(&host, 1);
    let resume = [CONTINUE, RAM, 0, 64];
    assert_eq!(host.service(&resume)[..4], [4, 0, 0, 0]);
    // It is over: the next is out of order.
    assert_eq!(host.service(&resume)[..4], [2, 0, 0, 0]);
}
