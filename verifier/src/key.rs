//! Public keys that are known to lie on their curve, or to be of a size that is safe, and what each can verify.

mod primitive;

pub use primitive::{OnCurve, Rsa};

use aws_lc_rs::digest;
use base64ct::{Base64UrlUnpadded, Encoding};
use evidence::Hash;
use evidence::cose::Algorithm;
use evidence::key::{Curve, Point};
use serde::Deserialize;
use std::fmt;
use x509_cert::der::asn1::{BitStringRef, ObjectIdentifier, UintRef};
use x509_cert::der::{self, Decode, Encode, Reader, SliceReader};
use x509_cert::spki::SubjectPublicKeyInfoRef;

const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const SECP256R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const SECP384R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const SECP521R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// A public key whose signatures are verified here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// Signs with ES256 and no other algorithm.
    P256(OnCurve),
    /// Signs with ES384 and no other algorithm.
    P384(OnCurve),
    /// Signs with ES512 and no other algorithm.
    P521(OnCurve),
    /// Signs with PS256 and no other algorithm; certificates with PKCS #1 v1.5 and SHA-256.
    Rsa(Rsa),
}

/// Why a key cannot be used, or a signature does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A kind of key that is not read here.
    Curve,
    /// Coordinates that are not on the curve.
    NotOnCurve,
    /// An RSA key of another size or exponent than is safe.
    Rsa,
    /// Another algorithm than the key's own.
    Algorithm {
        /// The only one that the key signs with.
        expected: Algorithm,
        /// The one that was named.
        found: Algorithm,
    },
    /// Not a signature by this key over these bytes.
    Signature,
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Curve => out.write_str("a key of another kind than P-256, P-384, P-521 and RSA"),
            Self::NotOnCurve => out.write_str("a point that is not on its curve"),
            Self::Rsa => out.write_str("an RSA key of other than 2048 to 4096 bits, or not of exponent 65537"),
            Self::Algorithm { expected, found } => write!(out, "algorithm {found} with a key for {expected}"),
            Self::Signature => out.write_str("a signature that does not verify"),
        }
    }
}

impl Key {
    /// Takes a point that a token carries.
    ///
    /// # Errors
    /// [`Fault::NotOnCurve`].
    pub fn from_point(point: &Point<'_>) -> Result<Self, Fault> {
        Self::from_uncompressed(point.curve, &point.uncompressed())
    }

    /// Takes an uncompressed point (SEC 1, 2.3.3) of a curve.
    ///
    /// # Errors
    /// [`Fault::NotOnCurve`].
    pub fn from_uncompressed(curve: Curve, bytes: &[u8]) -> Result<Self, Fault> {
        let key = OnCurve::new(curve, bytes)?;
        Ok(match curve {
            Curve::P256 => Self::P256(key),
            Curve::P384 => Self::P384(key),
            Curve::P521 => Self::P521(key),
        })
    }

    /// Takes a SubjectPublicKeyInfo in DER, to the last byte (RFC 5480 §2, RFC 8017 appendix A).
    ///
    /// # Errors
    /// [`Fault::Curve`], [`Fault::NotOnCurve`] or [`Fault::Rsa`].
    pub fn from_info(bytes: &[u8]) -> Result<Self, Fault> {
        let info = SubjectPublicKeyInfoRef::from_der(bytes).map_err(|_| Fault::Curve)?;
        let content = info.subject_public_key.as_bytes().ok_or(Fault::Curve)?;
        let parameters = info.algorithm.parameters.ok_or(Fault::Curve)?;
        match info.algorithm.oid {
            RSA_ENCRYPTION if parameters.is_null() => Rsa::read(content).ok_or(Fault::Rsa).map(Self::Rsa),
            EC_PUBLIC_KEY => {
                let curve = match parameters.decode_as::<ObjectIdentifier>().map_err(|_| Fault::Curve)? {
                    SECP256R1 => Curve::P256,
                    SECP384R1 => Curve::P384,
                    SECP521R1 => Curve::P521,
                    _ => return Err(Fault::Curve),
                };
                Self::from_uncompressed(curve, content)
            }
            _ => Err(Fault::Curve),
        }
    }

    /// Takes the public part of a JSON Web Key (RFC 7518 §6): EC on P-256, P-384 or P-521, or RSA.
    ///
    /// # Errors
    /// [`Fault::Curve`], [`Fault::NotOnCurve`] or [`Fault::Rsa`].
    pub fn from_jwk(key: &Jwk) -> Result<Self, Fault> {
        let bytes = |text: &Option<String>| Base64UrlUnpadded::decode_vec(text.as_deref()?).ok();
        let curve = match (key.kty.as_str(), key.crv.as_deref()) {
            ("EC", Some("P-256")) => Curve::P256,
            ("EC", Some("P-384")) => Curve::P384,
            ("EC", Some("P-521")) => Curve::P521,
            ("RSA", None) => {
                let numbers = bytes(&key.n).zip(bytes(&key.e));
                return numbers.and_then(|(n, e)| Rsa::new(&n, &e)).ok_or(Fault::Rsa).map(Self::Rsa);
            }
            _ => return Err(Fault::Curve),
        };
        let (x, y) = bytes(&key.x).zip(bytes(&key.y)).ok_or(Fault::NotOnCurve)?;
        Self::from_uncompressed(curve, &[&[0x04], x.as_slice(), y.as_slice()].concat())
    }

    /// The SubjectPublicKeyInfo in DER.
    #[must_use]
    pub fn info(&self) -> Vec<u8> {
        let (curve, point) = match self {
            Self::P256(key) => (SECP256R1, key.point()),
            Self::P384(key) => (SECP384R1, key.point()),
            Self::P521(key) => (SECP521R1, key.point()),
            Self::Rsa(key) => return encoded(RSA_ENCRYPTION, der::asn1::AnyRef::NULL, key.numbers()),
        };
        encoded(EC_PUBLIC_KEY, der::asn1::AnyRef::from(&curve), point)
    }

    /// SHA-256 of the SubjectPublicKeyInfo: what `openssl pkey -pubin -outform DER | sha256sum` prints.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        sha256(&self.info())
    }

    /// The one algorithm that this key signs tokens with: no header can choose another.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        match self {
            Self::P256(_) => Algorithm::Es256,
            Self::P384(_) => Algorithm::Es384,
            Self::P521(_) => Algorithm::Es512,
            Self::Rsa(_) => Algorithm::Ps256,
        }
    }

    /// Length of each of the two numbers of a signature on the key's curve, in bytes; `None` for RSA.
    #[must_use]
    pub const fn scalar(&self) -> Option<usize> {
        match self {
            Self::P256(_) => Some(Curve::P256.coordinate()),
            Self::P384(_) => Some(Curve::P384.coordinate()),
            Self::P521(_) => Some(Curve::P521.coordinate()),
            Self::Rsa(_) => None,
        }
    }

    /// Size of an RSA modulus in bits; `None` for a curve.
    #[must_use]
    pub fn modulus_bits(&self) -> Option<usize> {
        if let Self::Rsa(key) = self { Some(key.bits()) } else { None }
    }

    /// Verifies a token's signature (two big-endian numbers, RFC 9053 §2.1; one for RSA) over `message`, made with the
    /// algorithm that is `named` beside it.
    ///
    /// # Errors
    /// [`Fault::Algorithm`] if that is not the key's own, else [`Fault::Signature`].
    pub fn verify(&self, named: Algorithm, message: &[u8], signature: &[u8]) -> Result<(), Fault> {
        if named != self.algorithm() {
            return Err(Fault::Algorithm { expected: self.algorithm(), found: named });
        }
        let holds = match self {
            Self::P256(key) | Self::P384(key) | Self::P521(key) => key.verifies(message, signature),
            Self::Rsa(key) => key.verifies_pss(message, signature),
        };
        if holds { Ok(()) } else { Err(Fault::Signature) }
    }

    /// Verifies the signature of a certificate or a list of revoked ones: as a token's, but in the forms of X.509, which
    /// are DER on curves (RFC 5480 appendix A) and PKCS #1 v1.5 with SHA-256 for RSA (RFC 8017 §8.2).
    ///
    /// # Errors
    /// [`Fault::Algorithm`] if the algorithm that is `named` is not the key's own, else [`Fault::Signature`].
    pub fn verify_x509(&self, named: Algorithm, message: &[u8], signature: &[u8]) -> Result<(), Fault> {
        match (self, self.scalar()) {
            (Self::Rsa(key), _) if named == Algorithm::Ps256 => {
                if key.verifies_pkcs1(message, signature) {
                    Ok(())
                } else {
                    Err(Fault::Signature)
                }
            }
            (_, None) => Err(Fault::Algorithm { expected: self.algorithm(), found: named }),
            (_, Some(width)) => {
                let fixed = fixed_width(signature, width).ok_or(Fault::Signature)?;
                self.verify(named, message, &fixed)
            }
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.algorithm())
    }
}

/// A JSON Web Key, as far as it is public (RFC 7517 §4, RFC 7518 §6).
#[derive(Clone, Debug, Deserialize)]
pub struct Jwk {
    kty: String,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
}

/// A SubjectPublicKeyInfo in DER. Its parts are of a bounded length, so that there always is one.
fn encoded(oid: ObjectIdentifier, parameters: der::asn1::AnyRef<'_>, content: &[u8]) -> Vec<u8> {
    let algorithm = x509_cert::spki::AlgorithmIdentifierRef { oid, parameters: Some(parameters) };
    let subject_public_key = BitStringRef::from_bytes(content);
    let info = subject_public_key.map(|subject_public_key| SubjectPublicKeyInfoRef { algorithm, subject_public_key });
    info.and_then(|info| info.to_der()).unwrap_or_default()
}

/// Turns a DER signature (RFC 5480, Appendix A) into two numbers of a fixed width.
pub(crate) fn fixed_width(signature: &[u8], width: usize) -> Option<Vec<u8>> {
    let mut reader = SliceReader::new(signature).ok()?;
    let (r, s) =
        reader.sequence(|inner| Ok::<_, der::Error>((UintRef::decode(inner)?, UintRef::decode(inner)?))).ok()?;
    reader.finish().ok()?;
    let mut fixed = vec![0; width.checked_mul(2)?];
    let (left, right) = fixed.split_at_mut(width);
    for (half, number) in [(left, r.as_bytes()), (right, s.as_bytes())] {
        let start = width.checked_sub(number.len())?;
        half.get_mut(start..)?.copy_from_slice(number);
    }
    Some(fixed)
}

/// Hashes bytes.
#[must_use]
pub fn hash(algorithm: Hash, bytes: &[u8]) -> Vec<u8> {
    let algorithm = match algorithm {
        Hash::Sha256 => &digest::SHA256,
        Hash::Sha384 => &digest::SHA384,
        Hash::Sha512 => &digest::SHA512,
    };
    digest::digest(algorithm, bytes).as_ref().to_vec()
}

/// SHA-256 of bytes.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; digest::SHA256_OUTPUT_LEN];
    out.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    out
}

#[cfg(test)]
mod tests;
