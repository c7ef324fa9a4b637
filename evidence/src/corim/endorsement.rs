//! What a CoRIM endorses, in one form for all layouts.

use super::Refusal;
use crate::hash::Hash;
use alloc::string::String;
use alloc::vec::Vec;

/// A digest and the algorithm that made it; lengths agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    /// By what it was made.
    pub hash: Hash,
    /// 32, 48 or 64 bytes, as the algorithm gives.
    pub bytes: Vec<u8>,
}

impl Digest {
    /// Takes bytes of the algorithm's length.
    ///
    /// # Errors
    /// [`Refusal::DigestLength`].
    pub fn new(hash: Hash, bytes: &[u8]) -> Result<Self, Refusal> {
        if bytes.len() != length(hash) {
            return Err(Refusal::DigestLength { hash, found: bytes.len() });
        }
        Ok(Self { hash, bytes: bytes.to_vec() })
    }
}

const fn length(hash: Hash) -> usize {
    match hash {
        Hash::Sha256 => 32,
        Hash::Sha384 => 48,
        Hash::Sha512 => 64,
    }
}

/// Reference values of one design of platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Platform {
    /// Which design.
    pub implementation_id: [u8; 32],
    /// Every component of its firmware.
    pub components: Vec<Component>,
    /// Its configuration.
    pub config: Option<Masked>,
    /// Its configuration at manufacture (draft -04).
    pub manufacturing_config: Option<Masked>,
    /// Hashes of the keys that its firmware is signed with (draft -04).
    pub rotpks: Vec<Rotpk>,
}

/// Reference values of one component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    /// Its type, such as `RMM`; any if there is none.
    pub name: Option<String>,
    /// Its version; any if there is none.
    pub version: Option<String>,
    /// Its digests, one or more, each by another algorithm.
    pub digests: Vec<Digest>,
    /// Hash of its signer's key, 32, 48 or 64 bytes.
    pub signer_id: Vec<u8>,
}

/// Bytes of which a mask may say which bits are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Masked {
    /// The bytes.
    pub value: Vec<u8>,
    /// As many bytes, with the bits set that are compared; without it all are.
    pub mask: Option<Vec<u8>>,
}

impl Masked {
    /// Takes a value and a mask of its length.
    ///
    /// # Errors
    /// [`Refusal::Mask`].
    pub fn new(value: &[u8], mask: Option<&[u8]>) -> Result<Self, Refusal> {
        match mask {
            Some(mask) if mask.len() != value.len() => Err(Refusal::Mask { value: value.len(), mask: mask.len() }),
            _ => Ok(Self { value: value.to_vec(), mask: mask.map(<[u8]>::to_vec) }),
        }
    }

    /// Whether bytes are as expected, in the bits that are compared.
    #[must_use]
    pub fn admits(&self, found: &[u8]) -> bool {
        let Some(mask) = &self.mask else { return self.value == found };
        let bits = self.value.iter().zip(mask).zip(found);
        // A mask of another length compares fewer bits than whoever wrote it meant: then nothing is as expected.
        let whole = self.value.len() == found.len() && mask.len() == self.value.len();
        whole && bits.into_iter().all(|((value, mask), found)| (value ^ found) & mask == 0)
    }
}

/// The hash of a root-of-trust public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotpk {
    /// `CM` (chip manufacturer) or `DM` (device manufacturer), the array and the index, as `CM.0.1`.
    pub place: String,
    /// The hash.
    pub hash: Vec<u8>,
}

/// Reference values of one Realm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Realm {
    /// Its initial measurement, which is also its name.
    pub rim: Digest,
    /// Its extensible measurements, as many as are expected.
    pub rems: [Option<Digest>; 4],
    /// Its personalization value, filled up with zeros.
    pub rpv: Option<[u8; 64]>,
}

/// The key that tokens of one platform are signed with (CPAK).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttestKey {
    /// The platform's design.
    pub implementation_id: [u8; 32],
    /// Which one of that design.
    pub instance_id: [u8; 33],
    /// The key.
    pub key: KeyText,
}

/// A public key as text; what it stands for has not been looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyText {
    /// SubjectPublicKeyInfo in PEM.
    Pem(String),
    /// JWK (RFC 7517), as some tools put it into the old layout.
    Jwk(String),
}
