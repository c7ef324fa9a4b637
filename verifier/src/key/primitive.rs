//! The arithmetic: AWS-LC's, to which a key is handed only in the one form that is read here.

use super::Fault;
use aws_lc_rs::signature::{self, ParsedPublicKey, VerificationAlgorithm};
use evidence::key::Curve;
use std::fmt;
use x509_cert::der::asn1::UintRef;
use x509_cert::der::{self, Decode, Encode, Reader, SliceReader};

/// First byte of an uncompressed point (SEC 1, 2.3.3).
const UNCOMPRESSED: u8 = 0x04;
/// Sizes of an RSA modulus that are read, in bits: the authorities of virtCCA have 2048 and 4096.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;
/// The one public exponent that is read.
const RSA_EXPONENT: [u8; 3] = [1, 0, 1];

/// A point that is known to lie on its curve, and not at infinity.
#[derive(Clone)]
pub struct OnCurve(ParsedPublicKey);

impl OnCurve {
    /// Takes an uncompressed point. Compressed and hybrid ones are refused, and so is anything else that the library
    /// would read as a key.
    pub(super) fn new(curve: Curve, bytes: &[u8]) -> Result<Self, Fault> {
        if bytes.len() != 2 * curve.coordinate() + 1 || bytes.first() != Some(&UNCOMPRESSED) {
            return Err(Fault::NotOnCurve);
        }
        let algorithm: &'static dyn VerificationAlgorithm = match curve {
            Curve::P256 => &signature::ECDSA_P256_SHA256_FIXED,
            Curve::P384 => &signature::ECDSA_P384_SHA384_FIXED,
            Curve::P521 => &signature::ECDSA_P521_SHA512_FIXED,
        };
        ParsedPublicKey::new(algorithm, bytes).map(Self).map_err(|_| Fault::NotOnCurve)
    }

    /// The uncompressed point.
    pub(super) fn point(&self) -> &[u8] {
        self.0.as_ref()
    }

    /// Whether these two numbers of the curve's width are a signature with the curve's own hash.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.verify_sig(message, signature).is_ok()
    }
}

impl PartialEq for OnCurve {
    fn eq(&self, other: &Self) -> bool {
        self.point() == other.point()
    }
}

impl Eq for OnCurve {}

impl fmt::Debug for OnCurve {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, out)
    }
}

/// An RSA key of a size and an exponent that are safe.
#[derive(Clone)]
pub struct Rsa {
    pss: ParsedPublicKey,
    pkcs1: ParsedPublicKey,
    bits: usize,
}

impl Rsa {
    /// Takes an RSAPublicKey in DER, to the last byte (RFC 8017 appendix A.1.1).
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut reader = SliceReader::new(bytes).ok()?;
        let numbers = reader.sequence(|inner| Ok::<_, der::Error>((UintRef::decode(inner)?, UintRef::decode(inner)?)));
        let (n, e) = numbers.ok()?;
        reader.finish().ok()?;
        Self::new(n.as_bytes(), e.as_bytes())
    }

    /// Takes a modulus and an exponent, big-endian.
    pub(super) fn new(n: &[u8], e: &[u8]) -> Option<Self> {
        if e != RSA_EXPONENT || n.len() > RSA_BITS.end() / 8 {
            return None;
        }
        let n = n.get(n.iter().position(|byte| *byte != 0)?..)?;
        let unused = usize::try_from(n.first()?.leading_zeros()).ok()?;
        let bits = n.len().checked_mul(8)?.checked_sub(unused)?;
        if !RSA_BITS.contains(&bits) || n.last()? % 2 == 0 {
            return None;
        }
        let numbers = sequence(n).ok()?;
        let pss = ParsedPublicKey::new(&signature::RSA_PSS_2048_8192_SHA256, &numbers).ok()?;
        let pkcs1 = ParsedPublicKey::new(&signature::RSA_PKCS1_2048_8192_SHA256, &numbers).ok()?;
        Some(Self { pss, pkcs1, bits })
    }

    /// The RSAPublicKey in DER.
    pub(super) fn numbers(&self) -> &[u8] {
        self.pss.as_ref()
    }

    /// Size of the modulus in bits.
    pub(super) const fn bits(&self) -> usize {
        self.bits
    }

    /// Whether it is a signature by RSASSA-PSS with SHA-256, MGF1 of the same, and a salt of 32 bytes (RFC 8230 §2).
    pub(super) fn verifies_pss(&self, message: &[u8], signature: &[u8]) -> bool {
        self.pss.verify_sig(message, signature).is_ok()
    }

    /// Whether it is a signature by RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 §8.2).
    pub(super) fn verifies_pkcs1(&self, message: &[u8], signature: &[u8]) -> bool {
        self.pkcs1.verify_sig(message, signature).is_ok()
    }
}

impl PartialEq for Rsa {
    fn eq(&self, other: &Self) -> bool {
        self.numbers() == other.numbers()
    }
}

impl Eq for Rsa {}

impl fmt::Debug for Rsa {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.pss, out)
    }
}

fn sequence(n: &[u8]) -> der::Result<Vec<u8>> {
    let numbers = [UintRef::new(n)?.to_der()?, UintRef::new(&RSA_EXPONENT)?.to_der()?].concat();
    let header = der::Header::new(der::Tag::Sequence, der::Length::try_from(numbers.len())?);
    Ok([header.to_der()?, numbers].concat())
}
