//! Key derivation: the platform's keys from its root secret (docs/keys.md, with known answers).
//!
//! `OKM = HKDF-SHA-512(salt "allod/kdf/1", secret, info, 64 bytes)` (RFC 5869); the scalar is OKM, a big-endian number,
//! modulo the order of P-384, so that its bias is below 2^-128. A scalar of zero is refused.

use hkdf::Hkdf;
use p384::elliptic_curve::ops::Reduce;
use p384::{FieldBytes, NonZeroScalar, Scalar, SecretKey};
use sha2::Sha512;
use zeroize::{Zeroize, Zeroizing};

use crate::Refusal;
use crate::measurement::Measurements;
use crate::otp::SECRET;

const SALT: &[u8] = b"allod/kdf/1";
const CPAK: &[u8] = b"allod/cpak/1";
const RAK: &[u8] = b"allod/rak/1";

/// Derives the CCA platform attestation key: it depends on the root secret alone, so it names the machine.
pub fn cpak(secret: &[u8; SECRET]) -> Result<SecretKey, Refusal> {
    derive(secret, &[CPAK])
}

/// Derives the Realm attestation key: other firmware, another configuration or another lifecycle has another key.
pub fn rak(secret: &[u8; SECRET], measurements: &Measurements, lifecycle: u32) -> Result<SecretKey, Refusal> {
    let lifecycle = lifecycle.to_be_bytes();
    let [boot, monitor, rmm, hardware, firmware] =
        measurements.named().map(|(_, component)| &component.measurement[..]);
    derive(secret, &[RAK, &lifecycle, boot, monitor, rmm, hardware, firmware])
}

fn derive(secret: &[u8; SECRET], info: &[&[u8]]) -> Result<SecretKey, Refusal> {
    let mut okm = Zeroizing::new([0; 64]);
    Hkdf::<Sha512>::new(Some(SALT), secret)
        .expand_multi_info(info, okm.as_mut_slice())
        .map_err(|_| Refusal::Blank { what: "derived key" })?;
    let mut scalar = reduce(&okm);
    let key = Option::<NonZeroScalar>::from(NonZeroScalar::new(scalar)).map(SecretKey::from);
    scalar.zeroize();
    key.ok_or(Refusal::Blank { what: "derived key" })
}

/// A 64-byte big-endian number modulo the group's order: high · 2^384 + low, in constant time.
fn reduce(number: &[u8; 64]) -> Scalar {
    let (high, low) = number.split_at(16);
    let mut wide = Zeroizing::new(FieldBytes::default());
    wide.iter_mut().skip(32).zip(high).for_each(|(to, from)| *to = *from);
    let mut high = <Scalar as Reduce<FieldBytes>>::reduce(&wide);
    wide.iter_mut().zip(low).for_each(|(to, from)| *to = *from);
    let mut low = <Scalar as Reduce<FieldBytes>>::reduce(&wide);
    let sum = high * two_to_384() + low;
    high.zeroize();
    low.zeroize();
    sum
}

/// 2^384 modulo the group's order, as the square of 2^192.
fn two_to_384() -> Scalar {
    let mut bytes = FieldBytes::default();
    if let Some(byte) = bytes.get_mut(23) {
        *byte = 1;
    }
    <Scalar as Reduce<FieldBytes>>::reduce(&bytes).square()
}

#[cfg(test)]
#[path = "kdf_tests.rs"]
mod tests;
