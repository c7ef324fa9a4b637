//! The CCA platform token: a COSE_Sign1 over the claims of the platform, signed by the CPAK
//! (draft-ffm-rats-cca-token §4.3; RFC 9052 §4; RMM 1.0, A7.2).

use abi::claim;
use ecdsa::hazmat::sign_prehashed_rfc6979;
use minicbor::Encoder;
use minicbor::encode::write::{Cursor, EndOfSlice};
use p384::ecdsa::VerifyingKey;
use p384::{NistP384, SecretKey};
use sha2::{Digest, Sha256, Sha384};
use zeroize::Zeroizing;

use crate::Refusal;
use crate::config::Hardware;
use crate::key::{coordinates, instance_id};
use crate::measurement::Measurements;

/// Implementation identifier: SHA-256 of [`DESIGN`]. It names this design, not a machine.
pub const IMPLEMENTATION_ID: [u8; 32] = [
    0xD2, 0x4B, 0x04, 0x91, 0xB4, 0x7A, 0xD6, 0x47, 0xB2, 0xB9, 0xF4, 0xDC, 0xB6, 0x81, 0x70, 0x24, 0x58, 0xC9, 0x47,
    0xBF, 0xF8, 0x3C, 0xD3, 0xFD, 0x55, 0x1B, 0x45, 0xC9, 0x66, 0x13, 0x11, 0x9A,
];
/// The text whose SHA-256 is [`IMPLEMENTATION_ID`].
pub const DESIGN: &str = "allod: Arm CCA platform on QEMU virt with RME, design 1";
/// Verification service claim (RMM 1.0, A7.2.3.2.8): optional, and no more than a hint. Verifiers are known that count on it.
const VERIFICATION_SERVICE: &str = "allod verify";
/// Protected header: algorithm ES384.
const PROTECTED: [u8; 4] = [0xA1, 0x01, 0x38, 0x22];
/// Bytes before the payload in the Sig_structure (RFC 9052 §4.4): "Signature1", protected header, no external data.
const SIG_STRUCTURE: [u8; 18] = *b"\x84\x6ASignature1\x44\xA1\x01\x38\x22\x40";
/// Room for the claims in bytes; five components with the longest versions take less than half.
const CLAIMS_ROOM: usize = 2048;

/// What the platform token says, but for the key that it is signed with.
pub struct Claims<'a> {
    /// Public half of the RAK; its hash is the token's challenge.
    pub rak: &'a VerifyingKey,
    /// SHA-256 of the SubjectPublicKeyInfo of the CPAK.
    pub cpak: &'a [u8; 32],
    /// The machine; the 32 bytes of its HW_CONFIG are the configuration claim.
    pub hardware: &'a Hardware,
    /// Lifecycle that is shown.
    pub lifecycle: u32,
    /// The components.
    pub measurements: &'a Measurements,
}

type Cbor<'a> = Encoder<Cursor<&'a mut [u8]>>;
type Written = Result<(), minicbor::encode::Error<EndOfSlice>>;

/// Signs a platform token into `out` with the nonce of RFC 6979, and returns its length in bytes. Refuses when there is no
/// room.
///
/// It takes a private key alone: to make a `SigningKey` of it would compute its public half, at the price of a signature.
pub fn sign(cpak: &SecretKey, claims: &Claims<'_>, out: &mut [u8]) -> Result<usize, Refusal> {
    let no_room = |_| Refusal::NoRoom { what: "platform token" };
    let mut room = [0; CLAIMS_ROOM];
    let length = claims.encode(&mut room)?;
    let payload = room.get(..length).unwrap_or(&[]);
    let scalar = Zeroizing::new(cpak.to_nonzero_scalar());
    let (signature, _) = sign_prehashed_rfc6979::<NistP384, Sha384>(&scalar, &prehash(payload)?, &[]);
    let mut cbor = Encoder::new(Cursor::new(out));
    cose_sign1(&mut cbor, payload, &signature.to_bytes()).map_err(no_room)?;
    Ok(cbor.writer().position())
}

fn cose_sign1(cbor: &mut Cbor<'_>, payload: &[u8], signature: &[u8]) -> Written {
    cbor.tag(minicbor::data::Tag::new(claim::TAG_COSE_SIGN1))?.array(4)?;
    cbor.bytes(&PROTECTED)?.map(0)?.bytes(payload)?.bytes(signature)?;
    Ok(())
}

/// SHA-384 of the Sig_structure around `payload` (RFC 9052 §4.4).
fn prehash(payload: &[u8]) -> Result<[u8; 48], Refusal> {
    let mut head = [0; 9];
    let mut cbor = Encoder::new(Cursor::new(&mut head[..]));
    cbor.bytes_len(payload.len() as u64).map_err(|_| Refusal::NoRoom { what: "Sig_structure" })?;
    let length = cbor.writer().position();
    let head = head.get(..length).unwrap_or(&[]);
    Ok(Sha384::new().chain_update(SIG_STRUCTURE).chain_update(head).chain_update(payload).finalize().into())
}

impl Claims<'_> {
    fn encode(&self, room: &mut [u8]) -> Result<usize, Refusal> {
        let (x, y) = coordinates(self.rak)?;
        let challenge: [u8; 32] = Sha256::digest(claim::cose_key_p384(&x, &y)).into();
        let instance = instance_id(self.cpak);
        let mut cbor = Encoder::new(Cursor::new(room));
        self.write(&mut cbor, &challenge, &instance).map_err(|_| Refusal::NoRoom { what: "platform claims" })?;
        Ok(cbor.writer().position())
    }

    /// The claims in ascending order of their keys.
    fn write(&self, cbor: &mut Cbor<'_>, challenge: &[u8; 32], instance: &[u8; 33]) -> Written {
        cbor.map(9)?;
        cbor.u64(claim::CHALLENGE)?.bytes(challenge)?;
        cbor.u64(claim::INSTANCE_ID)?.bytes(instance)?;
        cbor.u64(claim::PROFILE)?.str(claim::PLATFORM_PROFILE_2023)?;
        cbor.u64(claim::LIFECYCLE)?.u32(self.lifecycle)?;
        cbor.u64(claim::IMPLEMENTATION_ID)?.bytes(&IMPLEMENTATION_ID)?;
        cbor.u64(claim::SW_COMPONENTS)?;
        self.write_components(cbor)?;
        cbor.u64(claim::VERIFICATION_SERVICE)?.str(VERIFICATION_SERVICE)?;
        cbor.u64(claim::CONFIG)?.bytes(&self.hardware.encode())?;
        cbor.u64(claim::PLATFORM_HASH)?.str("sha-256")?;
        Ok(())
    }

    fn write_components(&self, cbor: &mut Cbor<'_>) -> Written {
        let components = self.measurements.named();
        cbor.array(components.len() as u64)?;
        for (name, component) in components {
            cbor.map(4)?;
            cbor.u64(claim::COMPONENT_TYPE)?.str(name)?;
            cbor.u64(claim::COMPONENT_MEASUREMENT)?.bytes(&component.measurement)?;
            cbor.u64(claim::COMPONENT_VERSION)?.str(component.version.as_str())?;
            cbor.u64(claim::COMPONENT_SIGNER)?.bytes(&component.signer)?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
