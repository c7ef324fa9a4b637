//! Public keys that are known to lie on their curve, or to be of a size that is safe, and what each can verify.

use base64ct::{Base64UrlUnpadded, Encoding};
use evidence::Hash;
use evidence::cose::Algorithm;
use evidence::key::{Curve, Point};
use p256::ecdsa::signature::Verifier;
use rsa::traits::PublicKeyParts;
use rsa::{BoxedUint, Pkcs1v15Sign, Pss, RsaPublicKey};
use serde::Deserialize;
use sha2::{Digest, Sha256, Sha384, Sha512};
use std::fmt;
use x509_cert::der::asn1::{BitStringRef, ObjectIdentifier, UintRef};
use x509_cert::der::{self, Decode, Encode, Reader, SliceReader};
use x509_cert::spki::SubjectPublicKeyInfoRef;

const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const SECP256R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const SECP384R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const SECP521R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// Sizes of an RSA modulus that are read, in bits: the authorities of virtCCA have 2048 and 4096.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;
/// The one public exponent that is read.
const RSA_EXPONENT: [u8; 3] = [1, 0, 1];
/// Length of the salt of PS256, in bytes (RFC 8230 §2).
const PSS_SALT: usize = 32;
/// DER of `DigestInfo` with SHA-256, up to the digest (RFC 8017 §9.2).
const SHA256_INFO: [u8; 19] =
    [0x30, 0x31, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20];

/// A public key whose signatures are verified here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// Signs with ES256 and no other algorithm.
    P256(p256::ecdsa::VerifyingKey),
    /// Signs with ES384 and no other algorithm.
    P384(p384::ecdsa::VerifyingKey),
    /// Signs with ES512 and no other algorithm.
    P521(p521::ecdsa::VerifyingKey),
    /// Signs with PS256 and no other algorithm; certificates with PKCS #1 v1.5 and SHA-256.
    Rsa(RsaPublicKey),
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
        if bytes.len() != 2 * curve.coordinate() + 1 {
            return Err(Fault::NotOnCurve);
        }
        match curve {
            Curve::P256 => p256::ecdsa::VerifyingKey::from_sec1_bytes(bytes).map(Self::P256),
            Curve::P384 => p384::ecdsa::VerifyingKey::from_sec1_bytes(bytes).map(Self::P384),
            Curve::P521 => p521::ecdsa::VerifyingKey::from_sec1_bytes(bytes).map(Self::P521),
        }
        .map_err(|_| Fault::NotOnCurve)
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
            RSA_ENCRYPTION if parameters.is_null() => rsa(content).ok_or(Fault::Rsa),
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
                return numbers.and_then(|(n, e)| rsa_of(&n, &e)).ok_or(Fault::Rsa);
            }
            _ => return Err(Fault::Curve),
        };
        let (x, y) = bytes(&key.x).zip(bytes(&key.y)).ok_or(Fault::NotOnCurve)?;
        Self::from_uncompressed(curve, &[&[0x04], x.as_slice(), y.as_slice()].concat())
    }

    /// The SubjectPublicKeyInfo in DER.
    #[must_use]
    pub fn info(&self) -> Vec<u8> {
        let (oid, point) = match self {
            Self::P256(key) => (SECP256R1, key.to_sec1_point(false).as_bytes().to_vec()),
            Self::P384(key) => (SECP384R1, key.to_sec1_point(false).as_bytes().to_vec()),
            Self::P521(key) => (SECP521R1, key.to_sec1_point(false).as_bytes().to_vec()),
            Self::Rsa(key) => return rsa_info(key).unwrap_or_default(),
        };
        let parameters = der::asn1::AnyRef::from(&oid);
        let algorithm = x509_cert::spki::AlgorithmIdentifierRef { oid: EC_PUBLIC_KEY, parameters: Some(parameters) };
        encoded(algorithm, &point).unwrap_or_default()
    }

    /// SHA-256 of the SubjectPublicKeyInfo: what `openssl pkey -pubin -outform DER | sha256sum` prints.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        Sha256::digest(self.info()).into()
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
        if let Self::Rsa(key) = self { usize::try_from(key.n().bits_vartime()).ok() } else { None }
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
        match self {
            Self::P256(key) => p256::ecdsa::Signature::from_slice(signature).and_then(|it| key.verify(message, &it)),
            Self::P384(key) => p384::ecdsa::Signature::from_slice(signature).and_then(|it| key.verify(message, &it)),
            Self::P521(key) => p521::ecdsa::Signature::from_slice(signature).and_then(|it| key.verify(message, &it)),
            Self::Rsa(key) => {
                let scheme = Pss::<Sha256>::new_with_salt(PSS_SALT);
                return key.verify(scheme, &Sha256::digest(message), signature).map_err(|_| Fault::Signature);
            }
        }
        .map_err(|_| Fault::Signature)
    }

    /// Verifies the signature of a certificate or a list of revoked ones: as a token's, but in the forms of X.509, which
    /// are DER on curves (RFC 5480 appendix A) and PKCS #1 v1.5 with SHA-256 for RSA (RFC 8017 §8.2).
    ///
    /// # Errors
    /// [`Fault::Algorithm`] if the algorithm that is `named` is not the key's own, else [`Fault::Signature`].
    pub fn verify_x509(&self, named: Algorithm, message: &[u8], signature: &[u8]) -> Result<(), Fault> {
        match (self, self.scalar()) {
            (Self::Rsa(key), _) if named == Algorithm::Ps256 => {
                let scheme = Pkcs1v15Sign { hash_len: Some(Sha256::output_size()), prefix: Box::new(SHA256_INFO) };
                key.verify(scheme, &Sha256::digest(message), signature).map_err(|_| Fault::Signature)
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

/// An RSAPublicKey in DER (RFC 8017 appendix A.1.1).
fn rsa(bytes: &[u8]) -> Option<Key> {
    let mut reader = SliceReader::new(bytes).ok()?;
    let numbers = reader.sequence(|inner| Ok::<_, der::Error>((UintRef::decode(inner)?, UintRef::decode(inner)?)));
    let (n, e) = numbers.ok()?;
    reader.finish().ok()?;
    rsa_of(n.as_bytes(), e.as_bytes())
}

fn rsa_of(n: &[u8], e: &[u8]) -> Option<Key> {
    let number = |bytes: &[u8]| BoxedUint::from_be_slice_vartime(bytes);
    if e != RSA_EXPONENT || n.len() > RSA_BITS.end() / 8 {
        return None;
    }
    RsaPublicKey::new_with_size_limits(number(n), number(e), RSA_BITS).ok().map(Key::Rsa)
}

fn rsa_info(key: &RsaPublicKey) -> der::Result<Vec<u8>> {
    let modulus = key.n().to_be_bytes_trimmed_vartime();
    let (n, e) = (UintRef::new(&modulus)?, UintRef::new(&RSA_EXPONENT)?);
    let numbers = [n.to_der()?, e.to_der()?].concat();
    let header = der::Header::new(der::Tag::Sequence, der::Length::try_from(numbers.len())?);
    let content = [header.to_der()?, numbers].concat();
    let parameters = Some(der::asn1::AnyRef::NULL);
    encoded(x509_cert::spki::AlgorithmIdentifierRef { oid: RSA_ENCRYPTION, parameters }, &content)
}

fn encoded(algorithm: x509_cert::spki::AlgorithmIdentifierRef<'_>, content: &[u8]) -> der::Result<Vec<u8>> {
    let subject_public_key = BitStringRef::from_bytes(content)?;
    SubjectPublicKeyInfoRef { algorithm, subject_public_key }.to_der()
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
    match algorithm {
        Hash::Sha256 => Sha256::digest(bytes).to_vec(),
        Hash::Sha384 => Sha384::digest(bytes).to_vec(),
        Hash::Sha512 => Sha512::digest(bytes).to_vec(),
    }
}
