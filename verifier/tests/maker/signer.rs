//! Keys of every kind that signs here, each in the forms of tokens and of certificates.

use super::der;
use super::rsa::{modulus, sign_pkcs1, sign_pss};
use allod_verifier::key::Key;
use evidence::key::Curve;
use p384::ecdsa::signature::Signer as Signs;

/// A private key.
#[derive(Clone, Debug)]
pub enum Signer {
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    P521(p521::ecdsa::SigningKey),
    /// The one key of RSA-4096 that is made for tests.
    Rsa,
}

/// A P-384 key from a number: the same number, the same key.
pub fn key(number: u8) -> Signer {
    Signer::P384(p384::ecdsa::SigningKey::from_slice(&[number; 48]).expect("a scalar below the order"))
}

pub fn key256(number: u8) -> Signer {
    Signer::P256(p256::ecdsa::SigningKey::from_slice(&[number; 32]).expect("a scalar below the order"))
}

pub fn key521(number: u8) -> Signer {
    let scalar = [&[0][..], &[number; 65]].concat();
    Signer::P521(p521::ecdsa::SigningKey::from_slice(&scalar).expect("a scalar below the order"))
}

/// Identifiers of algorithms and curves, the contents of their DER.
const EC_KEY: [u8; 7] = [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01];
const P256: [u8; 8] = [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07];
const RSA_KEY: [u8; 9] = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01];
const RSA_SHA256: [u8; 9] = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0B];
const NULL: [u8; 2] = [0x05, 0x00];

impl Signer {
    /// The uncompressed point; of RSA, the RSAPublicKey in DER.
    pub fn public(&self) -> Vec<u8> {
        match self {
            Self::P256(key) => key.verifying_key().to_sec1_point(false).as_bytes().to_vec(),
            Self::P384(key) => key.verifying_key().to_sec1_point(false).as_bytes().to_vec(),
            Self::P521(key) => key.verifying_key().to_sec1_point(false).as_bytes().to_vec(),
            Self::Rsa => der::sequence(&[&der::integer(&modulus()), &der::integer(&[1, 0, 1])]),
        }
    }

    /// The SubjectPublicKeyInfo.
    pub fn info(&self) -> Vec<u8> {
        info(self.curve(), &self.public())
    }

    fn curve(&self) -> Option<Curve> {
        match self {
            Self::P256(_) => Some(Curve::P256),
            Self::P384(_) => Some(Curve::P384),
            Self::P521(_) => Some(Curve::P521),
            Self::Rsa => None,
        }
    }

    /// The same key as the verifier has it.
    pub fn verifying(&self) -> Key {
        Key::from_info(&self.info()).expect("a key that can be read")
    }

    /// The protected header with the algorithm of the key.
    pub fn header(&self) -> Vec<u8> {
        match self {
            Self::P256(_) => vec![0xA1, 0x01, 0x26],
            Self::P384(_) => vec![0xA1, 0x01, 0x38, 0x22],
            Self::P521(_) => vec![0xA1, 0x01, 0x38, 0x23],
            Self::Rsa => vec![0xA1, 0x01, 0x38, 0x24],
        }
    }

    /// A signature in the form of tokens.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::P256(key) => Signs::<p256::ecdsa::Signature>::sign(key, message).to_bytes().to_vec(),
            Self::P384(key) => Signs::<p384::ecdsa::Signature>::sign(key, message).to_bytes().to_vec(),
            Self::P521(key) => Signs::<p521::ecdsa::Signature>::sign(key, message).to_bytes().to_vec(),
            Self::Rsa => sign_pss(message, 32),
        }
    }

    /// A signature in the form of certificates.
    pub fn sign_der(&self, message: &[u8]) -> Vec<u8> {
        if let Self::Rsa = self {
            return sign_pkcs1(message);
        }
        let fixed = self.sign(message);
        let (r, s) = fixed.split_at(fixed.len() / 2);
        der::sequence(&[&der::integer(r), &der::integer(s)])
    }

    /// The identifier of the algorithm of that signature.
    pub fn algorithm(&self) -> Vec<u8> {
        let ecdsa = |last| der::sequence(&[&der::oid(&[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, last])]);
        match self {
            Self::P256(_) => ecdsa(2),
            Self::P384(_) => ecdsa(3),
            Self::P521(_) => ecdsa(4),
            Self::Rsa => der::sequence(&[&der::oid(&RSA_SHA256), &NULL]),
        }
    }
}

/// A SubjectPublicKeyInfo of any content, on a curve or of RSA.
pub fn info(curve: Option<Curve>, content: &[u8]) -> Vec<u8> {
    let algorithm = match curve {
        Some(Curve::P256) => der::sequence(&[&der::oid(&EC_KEY), &der::oid(&P256)]),
        Some(Curve::P384) => der::sequence(&[&der::oid(&EC_KEY), &der::oid(&[0x2B, 0x81, 0x04, 0x00, 0x22])]),
        Some(Curve::P521) => der::sequence(&[&der::oid(&EC_KEY), &der::oid(&[0x2B, 0x81, 0x04, 0x00, 0x23])]),
        None => der::sequence(&[&der::oid(&RSA_KEY), &NULL]),
    };
    der::sequence(&[&algorithm, &der::bits(0, content)])
}
