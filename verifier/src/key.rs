//! Public keys that are known to lie on their curve, and what each can verify.

use evidence::Hash;
use evidence::cose::Algorithm;
use evidence::key::{Curve, Point};
use p256::ecdsa::signature::Verifier;
use sha2::{Digest, Sha256, Sha384, Sha512};
use std::fmt;

/// A public key on a curve whose signatures are verified here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// Signs with ES256 and no other algorithm.
    P256(p256::ecdsa::VerifyingKey),
    /// Signs with ES384 and no other algorithm.
    P384(p384::ecdsa::VerifyingKey),
}

/// Why a key cannot be used, or a signature does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A curve that is not read here.
    Curve,
    /// Coordinates that are not on the curve.
    NotOnCurve,
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
            Self::Curve => out.write_str("a key on a curve other than P-256 and P-384"),
            Self::NotOnCurve => out.write_str("a point that is not on its curve"),
            Self::Algorithm { expected, found } => write!(out, "algorithm {found} with a key for {expected}"),
            Self::Signature => out.write_str("a signature that does not verify"),
        }
    }
}

impl Key {
    /// Takes a point that a token carries.
    ///
    /// # Errors
    /// [`Fault::Curve`] or [`Fault::NotOnCurve`].
    pub fn from_point(point: &Point<'_>) -> Result<Self, Fault> {
        Self::from_uncompressed(point.curve, &point.uncompressed())
    }

    /// Takes an uncompressed point (SEC 1, 2.3.3) of a curve.
    ///
    /// # Errors
    /// [`Fault::Curve`] or [`Fault::NotOnCurve`].
    pub fn from_uncompressed(curve: Curve, bytes: &[u8]) -> Result<Self, Fault> {
        if bytes.len() != 2 * curve.coordinate() + 1 {
            return Err(Fault::NotOnCurve);
        }
        match curve {
            Curve::P256 => p256::ecdsa::VerifyingKey::from_sec1_bytes(bytes).map(Self::P256),
            Curve::P384 => p384::ecdsa::VerifyingKey::from_sec1_bytes(bytes).map(Self::P384),
            Curve::P521 => return Err(Fault::Curve),
        }
        .map_err(|_| Fault::NotOnCurve)
    }

    /// The one algorithm that this key signs with: no header can choose another.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        match self {
            Self::P256(_) => Algorithm::Es256,
            Self::P384(_) => Algorithm::Es384,
        }
    }

    /// Length of each of the two numbers of a signature, in bytes.
    #[must_use]
    pub const fn scalar(&self) -> usize {
        match self {
            Self::P256(_) => 32,
            Self::P384(_) => 48,
        }
    }

    /// Verifies a signature (two big-endian numbers, RFC 9053 §2.1) over `message`, made with the algorithm that is
    /// `named` beside it.
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
        }
        .map_err(|_| Fault::Signature)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.algorithm())
    }
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
