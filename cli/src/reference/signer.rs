//! Private keys of those who sign reference values and attestation results.

use super::{Result, about, read};
use base64ct::{Base64UrlUnpadded, Encoding};
use evidence::cose::Algorithm;
use evidence::key::Curve;
use p256::pkcs8::DecodePrivateKey;
use p384::ecdsa::signature::Signer;
use serde::Deserialize;
use std::path::Path;
use verifier::key::Key;
use zeroize::Zeroizing;

/// A private key.
pub enum SigningKey {
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    P521(p521::ecdsa::SigningKey),
}

#[derive(Deserialize)]
struct Jwk {
    crv: String,
    d: String,
}

impl SigningKey {
    /// Reads a key: PKCS #8 in PEM, or a JWK.
    pub fn read(path: &Path) -> Result<Self> {
        let file = Zeroizing::new(read(path)?);
        let expected = "expected a private key on P-256, P-384 or P-521 (PKCS #8 in PEM, or JWK)";
        Self::parse(&file).ok_or_else(|| about(path, &expected))
    }

    fn parse(file: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(file).ok()?;
        if let Ok(jwk) = serde_json::from_str::<Jwk>(text) {
            let d = Zeroizing::new(Base64UrlUnpadded::decode_vec(&Zeroizing::new(jwk.d)).ok()?);
            return match jwk.crv.as_str() {
                "P-256" => p256::ecdsa::SigningKey::from_slice(&d).ok().map(Self::P256),
                "P-384" => p384::ecdsa::SigningKey::from_slice(&d).ok().map(Self::P384),
                "P-521" => p521::ecdsa::SigningKey::from_slice(&d).ok().map(Self::P521),
                _ => None,
            };
        }
        let p256 = p256::SecretKey::from_pkcs8_pem(text).ok().map(|key| Self::P256(key.into()));
        let p384 = || p384::SecretKey::from_pkcs8_pem(text).ok().map(|key| Self::P384(key.into()));
        p256.or_else(p384).or_else(|| p521::SecretKey::from_pkcs8_pem(text).ok().map(|key| Self::P521(key.into())))
    }

    /// The one algorithm that it signs with.
    pub const fn algorithm(&self) -> Algorithm {
        match self {
            Self::P256(_) => Algorithm::Es256,
            Self::P384(_) => Algorithm::Es384,
            Self::P521(_) => Algorithm::Es512,
        }
    }

    /// Its public half.
    pub fn public(&self) -> Option<Key> {
        let (curve, point) = match self {
            Self::P256(key) => (Curve::P256, key.verifying_key().to_sec1_point(false).as_bytes().to_vec()),
            Self::P384(key) => (Curve::P384, key.verifying_key().to_sec1_point(false).as_bytes().to_vec()),
            Self::P521(key) => (Curve::P521, key.verifying_key().to_sec1_point(false).as_bytes().to_vec()),
        };
        Key::from_uncompressed(curve, &point).ok()
    }

    /// Signs, with two big-endian numbers as result (RFC 9053 §2.1).
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::P256(key) => {
                let signature: p256::ecdsa::Signature = key.sign(message);
                signature.to_bytes().to_vec()
            }
            Self::P384(key) => {
                let signature: p384::ecdsa::Signature = key.sign(message);
                signature.to_bytes().to_vec()
            }
            Self::P521(key) => {
                let signature: p521::ecdsa::Signature = key.sign(message);
                signature.to_bytes().to_vec()
            }
        }
    }
}
