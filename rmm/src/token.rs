//! The attestation token: a platform token and a realm token in CBOR tag 399 (RMM 1.0, A7.2).
//!
//! Encoded by hand in CBOR's deterministic form (RFC 8949 §4.2.1 but for the order of keys, which is that of deployed
//! RMMs). The signature is the last 96 bytes, so that the token is whole but for them when its claims are captured.

use crate::attestation::Attestation;
use crate::measurement::Register;
use abi::claim;
use abi::measurement::{Hash, REGISTERS};
use sha2::{Digest as _, Sha384};

/// What a realm token claims.
pub struct Claims<'a> {
    /// The verifier's challenge.
    pub challenge: [u8; 64],
    /// Personalisation value.
    pub rpv: [u8; 64],
    /// Hash algorithm of the measurements.
    pub hash: Hash,
    /// RIM and REMs.
    pub measurements: [Register; REGISTERS],
    /// The key, and the platform's token.
    pub attestation: &'a Attestation,
}

const MAJOR_UNSIGNED: u8 = 0;
const MAJOR_BYTES: u8 = 2;
const MAJOR_TEXT: u8 = 3;
const MAJOR_ARRAY: u8 = 4;
const MAJOR_MAP: u8 = 5;
const MAJOR_TAG: u8 = 6;

/// Protected header of both signatures: map of one, alg (1): ES384 (-35).
const PROTECTED: [u8; 4] = [0xA1, 0x01, 0x38, 0x22];
const SIGNATURE: usize = 96;
/// Hash algorithm of the binding between the two tokens.
const RAK_HASH: &str = "sha-256";
/// The most bytes of a realm token's claims.
const MAX_PAYLOAD: usize = 768;

/// Where encoded bytes go: a buffer, of which it remembers how far it is full.
struct Writer<'b> {
    buffer: &'b mut [u8],
    length: usize,
    overflow: bool,
}

impl<'b> Writer<'b> {
    const fn new(buffer: &'b mut [u8]) -> Self {
        Self { buffer, length: 0, overflow: false }
    }

    fn byte(&mut self, byte: u8) {
        match self.buffer.get_mut(self.length) {
            Some(to) => {
                *to = byte;
                self.length = self.length.saturating_add(1);
            }
            None => self.overflow = true,
        }
    }

    fn raw(&mut self, bytes: impl IntoIterator<Item = u8>) {
        bytes.into_iter().for_each(|byte| self.byte(byte));
    }

    /// Writes the head of a data item: major type and argument, in the shortest form (RFC 8949 §3).
    fn head(&mut self, major: u8, argument: u64) {
        let [.., b1, b0] = argument.to_be_bytes();
        let major = major << 5;
        match argument {
            0..24 => self.byte(major | b0),
            24..0x100 => self.raw([major | 24, b0]),
            0x100..0x1_0000 => self.raw([major | 25, b1, b0]),
            _ => self.overflow = true,
        }
    }

    fn key(&mut self, key: u64) {
        self.head(MAJOR_UNSIGNED, key);
    }

    fn bytes(&mut self, bytes: impl ExactSizeIterator<Item = u8>) {
        self.head(MAJOR_BYTES, bytes.len() as u64);
        self.raw(bytes);
    }

    fn text(&mut self, text: &str) {
        self.head(MAJOR_TEXT, text.len() as u64);
        self.raw(text.bytes());
    }

    fn finish(self) -> Option<usize> {
        (!self.overflow).then_some(self.length)
    }
}

/// Builds the token in `buffer`, its signature zero. Gives its length and the digest to sign; nothing if the platform
/// gave no key or no token, or if the token does not fit.
pub fn build(buffer: &mut [u8], claims: &Claims<'_>) -> Option<(usize, [u8; 48])> {
    let mut payload = [0; MAX_PAYLOAD];
    let length = encode_claims(&mut payload, claims)?;
    let payload = payload.get(..length)?;
    if claims.attestation.key().len() == 0 || claims.attestation.platform_token().len() == 0 {
        return None;
    }
    let mut writer = Writer::new(buffer);
    writer.head(MAJOR_TAG, claim::TAG_CCA_LEGACY);
    writer.head(MAJOR_MAP, 2);
    writer.key(claim::PLATFORM_TOKEN);
    writer.bytes(claims.attestation.platform_token());
    writer.key(claim::REALM_TOKEN);
    writer.head(MAJOR_BYTES, sign1_length(length));
    writer.head(MAJOR_TAG, claim::TAG_COSE_SIGN1);
    writer.head(MAJOR_ARRAY, 4);
    writer.bytes(PROTECTED.into_iter());
    writer.head(MAJOR_MAP, 0);
    writer.bytes(payload.iter().copied());
    writer.bytes([0; SIGNATURE].into_iter());
    Some((writer.finish()?, digest(payload)?))
}

/// Writes the signature into a token of `length` bytes.
pub fn set_signature(buffer: &mut [u8], length: usize, signature: &[u8; SIGNATURE]) {
    let place = length.checked_sub(SIGNATURE).and_then(|start| buffer.get_mut(start..length));
    for (to, from) in place.into_iter().flatten().zip(signature) {
        *to = *from;
    }
}

/// Gives the length of the COSE_Sign1 around a payload of more than 255 bytes: tag, array, protected header,
/// unprotected header, heads of payload and signature.
const fn sign1_length(payload: usize) -> u64 {
    (1 + 1 + 1 + PROTECTED.len() + 1 + 3 + payload + 2 + SIGNATURE) as u64
}

/// Gives the digest of the Sig_structure (RFC 9052 §4.4).
fn digest(payload: &[u8]) -> Option<[u8; 48]> {
    let mut head = [0; 32];
    let mut writer = Writer::new(&mut head);
    writer.head(MAJOR_ARRAY, 4);
    writer.text("Signature1");
    writer.bytes(PROTECTED.into_iter());
    writer.head(MAJOR_BYTES, 0);
    writer.head(MAJOR_BYTES, payload.len() as u64);
    let length = writer.finish()?;
    Some(Sha384::new().chain_update(head.get(..length)?).chain_update(payload).finalize().into())
}

fn encode_claims(buffer: &mut [u8], claims: &Claims<'_>) -> Option<usize> {
    let [rim, rems @ ..] = &claims.measurements;
    let used = |register: Register| register.into_iter().take(claims.hash.size());
    let mut writer = Writer::new(buffer);
    writer.head(MAJOR_MAP, 8);
    writer.key(claim::CHALLENGE);
    writer.bytes(claims.challenge.into_iter());
    writer.key(claim::RPV);
    writer.bytes(claims.rpv.into_iter());
    writer.key(claim::RAK);
    writer.bytes(claims.attestation.key());
    writer.key(claim::REALM_HASH);
    writer.text(claims.hash.name());
    writer.key(claim::RAK_HASH);
    writer.text(RAK_HASH);
    writer.key(claim::PROFILE);
    writer.text(claim::REALM_PROFILE_2023);
    writer.key(claim::RIM);
    writer.bytes(used(*rim));
    writer.key(claim::REMS);
    writer.head(MAJOR_ARRAY, rems.len() as u64);
    rems.iter().for_each(|rem| writer.bytes(used(*rem)));
    writer.finish()
}
