//! Public keys as the root of trust names them: P-384 points and the hash of their SubjectPublicKeyInfo.

use p384::ecdsa::VerifyingKey;
use sha2::{Digest, Sha256};

use crate::Refusal;

/// Length of an uncompressed P-384 point in bytes.
pub const POINT: usize = 97;
/// Length of a scalar or coordinate of P-384 in bytes.
pub const COORDINATE: usize = 48;
/// DER before the point in the SubjectPublicKeyInfo of a P-384 key (RFC 5480 §2): id-ecPublicKey, secp384r1.
const SPKI_HEAD: [u8; 23] = [
    0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x05, 0x2B, 0x81, 0x04, 0x00,
    0x22, 0x03, 0x62, 0x00,
];

/// The uncompressed point of a key (SEC 1 §2.3.3): 0x04, x, y.
pub fn point(key: &VerifyingKey) -> Result<[u8; POINT], Refusal> {
    let encoded = key.to_sec1_point(false);
    let found = encoded.as_bytes().len() as u64;
    encoded.as_bytes().try_into().map_err(|_| Refusal::Length { what: "public point", expected: POINT as u64, found })
}

/// The coordinates of a key's point, big endian.
pub fn coordinates(key: &VerifyingKey) -> Result<([u8; COORDINATE], [u8; COORDINATE]), Refusal> {
    let point = point(key)?;
    let (mut x, mut y) = ([0; COORDINATE], [0; COORDINATE]);
    x.iter_mut().chain(&mut y).zip(point.iter().skip(1)).for_each(|(to, from)| *to = *from);
    Ok((x, y))
}

/// SHA-256 of the SubjectPublicKeyInfo (DER) of an uncompressed P-384 point.
pub fn spki_hash(point: &[u8; POINT]) -> [u8; 32] {
    Sha256::new().chain_update(SPKI_HEAD).chain_update(point).finalize().into()
}

/// Instance identifier of the platform whose CPAK has this [`spki_hash`]: 0x01, then the hash.
pub fn instance_id(cpak: &[u8; 32]) -> [u8; 33] {
    let mut id = [abi::endorsement::INSTANCE_ID_TYPE; 33];
    id.iter_mut().skip(1).zip(cpak).for_each(|(to, from)| *to = *from);
    id
}
