//! Keys of every kind that signs here, each in the forms of tokens and of certificates.

use super::der;
use allod_verifier::key::Key;
use evidence::key::Curve;
use p384::ecdsa::signature::Signer as Signs;
use rsa::traits::PublicKeyParts;
use rsa::{BoxedUint, Pkcs1v15Sign, Pss, RsaPrivateKey};
use sha2::{Digest, Sha256};
use std::sync::OnceLock;

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
            Self::Rsa => {
                let modulus = rsa_key().n().to_be_bytes_trimmed_vartime();
                der::sequence(&[&der::integer(&modulus), &der::integer(&[1, 0, 1])])
            }
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
            let prefix = der::sequence(&[&der::sequence(&[&der::oid(&SHA256), &NULL]), &der::tagged(0x04, &[0; 32])]);
            let prefix = prefix[..prefix.len() - 32].into();
            let scheme = Pkcs1v15Sign { hash_len: Some(32), prefix };
            return rsa_key().sign(scheme, &Sha256::digest(message)).expect("a signature");
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

const SHA256: [u8; 9] = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];

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

/// RSASSA-PSS with SHA-256 and a salt of any length.
pub fn sign_pss(message: &[u8], salt: usize) -> Vec<u8> {
    let scheme = Pss::<Sha256>::new_with_salt(salt);
    rsa_key().sign_with_rng(&mut Counter(0), scheme, &Sha256::digest(message)).expect("a signature")
}

/// Numbers that are not random at all, as a test's salt need not be.
struct Counter(u64);

impl rsa::rand_core::TryRng for Counter {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        self.try_next_u64().map(|number| number as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Ok(self.0)
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
        for byte in out {
            *byte = (self.try_next_u64()? >> 56) as u8;
        }
        Ok(())
    }
}

impl rsa::rand_core::TryCryptoRng for Counter {}

fn rsa_key() -> &'static RsaPrivateKey {
    static KEY: OnceLock<RsaPrivateKey> = OnceLock::new();
    KEY.get_or_init(|| {
        let number = |text: &str| BoxedUint::from_be_slice_vartime(&evidence::hex::decode(text).expect("hexadecimal"));
        RsaPrivateKey::from_p_q(number(P), number(Q), BoxedUint::from(65537_u64)).expect("a key")
    })
}

// Made for these tests and used nowhere else: making one takes minutes in a build that is not optimised.
const P: &str = "\
    e4c19d95e2c0e658f7eba80aa8f02e9b5f65585e2ba06a30bf1158d3cb192c498d657aace42d654cf7b1ae1968747d16c638aa8f\
    3ec122233f2fce895062af42ac9a43eb34bd0fc33891a638e4eca9447813c31c3c16cd1ae637f3c879e268b6c9f9337372939edf\
    34b41e22d77f1948aebef5f1039b23ce8df621fb788714040826e8f52d457af3867bb411e685bb2ef8b8eee911832f3a6f38d5b8\
    8b443236f0fecb03be73c987a7041a7921997cdfab435fb5a1020690d0417d2477d3320918f16971afaffd36216090be76306e11\
    1b954f25360e64f529173fdc7114b189bfe5f70e140b3108208dcd5687e0f870091c96b751ec8b5821c203ff4141a0c9";
const Q: &str = "\
    d0b5345b7559f1d21f83b043cde50b47afacaed0ad3660175647a605047f199b12df2aed72b0ff83fa6fedcb8b30751afd91efe9\
    c1413d5d42949e75584de6eea7e3f28683b00ed4b33c8ff2605c238d80108e469737384da70856241569c16b387517fbfa8398f3\
    1c85778219f4eb8bdf934eb1fef202e5ff375f88d51b92eb0be3dec7f09fe1d08d6171bd1f56f558e98670335e6b0e64bf99c980\
    ea88b68e20b32d93051bc91828585c7abb2dddd7f441186769f9ae77af9eecd16c376edc11d5306e4e2d94ef6ec9de2c1ebecf5d\
    d67a4fec3ee5d5b7ca38ae8723ee215db1d2f519cb424aa7a91f0f68e2cd142a05c18d13b65024435d4bdca80a7b1787";
