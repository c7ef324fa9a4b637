//! Only in a test build: how long EL3 signs, for many attestation keys, by the code that serves the RMM's requests.

use crate::machine::Processor;
use crate::{console, fault};
use abi::el3::{self, SignRequest};
use abi::map;
use monitor::Hardware;
use monitor::attest::Attest;
use monitor::call::Buffer;
use p384::SecretKey;
use rot::key::coordinates;
use rot::measurement::sha256;
use zerocopy::IntoBytes;

/// How many keys are tried.
const KEYS: u8 = 64;

/// The order of P-384 less one, the greatest scalar (FIPS 186-4, D.1.2.4).
const GREATEST: [u8; 48] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37, 0x2d, 0xdf, 0x58, 0x1a, 0x0d, 0xb2, 0x48, 0xb0,
    0xa7, 0x7a, 0xec, 0xec, 0x19, 0x6a, 0xcc, 0xc5, 0x29, 0x72,
];

/// Signs the same hash with each key, and prints what each request took, in ticks of the counter.
pub fn measure() {
    let hash: [u8; 48] = core::array::from_fn(|n| n as u8);
    for number in 0..KEYS {
        let took =
            sign(&private(number), hash).unwrap_or_else(|| fault::stop(format_args!("key {number} does not sign")));
        console::line(format_args!("monitor: signed by key {number}: {took} ticks"));
    }
}

/// The least and the greatest scalar, one with few bits, and others as they come.
fn private(number: u8) -> [u8; 48] {
    let mut scalar = [0; 48];
    match number {
        0 => scalar[47] = 1,
        1 => scalar = GREATEST,
        2 => scalar[0] = 0x80,
        _ => {
            scalar[..32].copy_from_slice(&sha256(&[number, 0]));
            scalar[32..].copy_from_slice(&sha256(&[number, 1])[..16]);
        }
    }
    scalar
}

/// Hands in a request as the RMM does, fetches the answer, and gives what the first of the two took.
fn sign(private: &[u8; 48], hash: [u8; 48]) -> Option<u64> {
    const PAGE: Buffer = Buffer { pa: map::RMM_SHARED, size: abi::GRANULE_U64 };
    let public = SecretKey::from_slice(private).ok()?.public_key();
    let (x, y) = coordinates(&public.into()).ok()?;
    let attest = Attest::new(&[], private, &x, &y).ok()?;
    let request = SignRequest {
        sig_alg: el3::SIGN_ECDSA_P384,
        padding0: 0,
        rec_granule: 0,
        ticket: 1,
        hash_alg: el3::SIGN_SHA384,
        hash,
        padding1: [0; 4],
    };
    Processor.write_shared(0, request.as_bytes());
    let begun = cpu::read!(cntpct_el0);
    attest.token_sign(&Processor, el3::SIGN_PUSH, PAGE, el3::CURVE_P384).ok()?;
    let took = cpu::read!(cntpct_el0).saturating_sub(begun);
    attest.token_sign(&Processor, el3::SIGN_PULL, PAGE, el3::CURVE_P384).ok()?;
    Some(took)
}
