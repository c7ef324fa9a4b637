//! Signed images: a 4 KiB header, then the body that is loaded and measured (docs/architecture.md §2).
//!
//! The stages are types: [`Header::parse`] → [`Header::authenticate`] → [`Authentic::check`] → [`Component`]. Nothing is
//! copied to the load address before the header is authentic, and the body is hashed where it will run.

use abi::map;
use p384::ecdsa::signature::hazmat::{PrehashSigner, PrehashVerifier};
use p384::ecdsa::{Signature, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256, Sha384};
use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::Refusal;
use crate::config::{exactly, magic, within};
use crate::key::{POINT, spki_hash};
use crate::measurement::{Component, Hash, sha256};
use crate::version::Version;

/// Length of the header in bytes; the body follows.
pub const HEADER: usize = 4096;
/// Header bytes that are signed: all before the signature.
const SIGNED: usize = 205;
const MAGIC: [u8; 8] = *b"ALLODIMG";
const FORMAT: u32 = 1;

/// What an image is, and so where it may be loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The monitor, which runs in secure RAM.
    Monitor = 1,
    /// The Realm Management Monitor, which runs in its carve-out of DRAM.
    Rmm = 2,
}

impl Kind {
    /// The one address at which an image of this kind is loaded.
    pub const fn base(self) -> u64 {
        match self {
            Self::Monitor => map::MONITOR,
            Self::Rmm => map::RMM,
        }
    }

    /// Most bytes that its body may have: its room in memory and in flash.
    pub const fn room(self) -> u64 {
        let (memory, flash) = match self {
            Self::Monitor => (map::MONITOR_END - map::MONITOR, map::MONITOR_IMAGE_MAX),
            Self::Rmm => (map::RMM_SHARED - map::RMM, map::RMM_IMAGE_MAX),
        };
        let flash = flash - HEADER as u64;
        if memory < flash { memory } else { flash }
    }

    /// Where the signed image stands in flash 0.
    pub const fn offset(self) -> u64 {
        match self {
            Self::Monitor => map::MONITOR_IMAGE,
            Self::Rmm => map::RMM_IMAGE,
        }
    }

    fn read(wire: u32) -> Result<Self, Refusal> {
        match wire {
            1 => Ok(Self::Monitor),
            2 => Ok(Self::Rmm),
            _ => Err(Refusal::Range { what: "image kind", least: 1, most: 2, found: wire.into() }),
        }
    }
}

/// What a signer states about a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statement {
    /// What it is.
    pub kind: Kind,
    /// Physical address of its first byte.
    pub load: u64,
    /// Physical address of its first instruction.
    pub entry: u64,
    /// Version for the rollback counter.
    pub security_version: u32,
    /// Version for people and tokens.
    pub version: Version,
}

/// A header as it was read: nothing in it is true yet.
pub struct Header {
    record: Record,
    statement: Statement,
}

/// A header whose signer is the one this machine trusts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authentic {
    /// What the signer states.
    pub statement: Statement,
    /// Bytes of the body.
    pub length: u64,
    digest: [u8; 32],
    signer: [u8; POINT],
}

#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned, Clone)]
#[repr(C)]
struct Record {
    magic: [u8; 8],
    format: U32,
    kind: U32,
    length: U64,
    load: U64,
    entry: U64,
    security_version: U32,
    version: [u8; 32],
    digest: [u8; 32],
    signer: [u8; POINT],
    signature: [u8; 96],
    unused: [u8; HEADER - SIGNED - 96],
}

impl Record {
    /// SHA-384 of the signed bytes.
    fn prehash(&self) -> [u8; 48] {
        let (signed, _) = self.as_bytes().split_at(SIGNED);
        Sha384::digest(signed).into()
    }
}

/// Signs a body: the header that goes before it. Refuses what no machine would load.
pub fn sign(key: &SigningKey, statement: &Statement, body: &[u8]) -> Result<[u8; HEADER], Refusal> {
    statement.check(body.len() as u64)?;
    let mut record = Record {
        magic: MAGIC,
        format: FORMAT.into(),
        kind: (statement.kind as u32).into(),
        length: (body.len() as u64).into(),
        load: statement.load.into(),
        entry: statement.entry.into(),
        security_version: statement.security_version.into(),
        version: *statement.version.padded(),
        digest: Sha256::digest(body).into(),
        signer: crate::key::point(key.verifying_key())?,
        signature: [0; 96],
        unused: [0; HEADER - SIGNED - 96],
    };
    let signature: Signature = key.sign_prehash(&record.prehash()).map_err(|_| Refusal::Sign { what: "image" })?;
    record.signature = signature.to_bytes().into();
    Ok(zerocopy::transmute!(record))
}

impl Statement {
    /// Checks that a body of `length` bytes lies exactly where its kind must, and is entered inside itself.
    fn check(&self, length: u64) -> Result<(), Refusal> {
        within("image length", 4, self.kind.room(), length)?;
        let base = self.kind.base();
        exactly("image load address", base, self.load)?;
        within("image entry", base, base.saturating_add(length).saturating_sub(4), self.entry)?;
        exactly("image entry modulo 4", 0, self.entry & 3)
    }
}

impl Header {
    /// Tells whether bytes begin like a signed image.
    pub fn begins(bytes: &[u8]) -> bool {
        bytes.starts_with(&MAGIC)
    }

    /// Hash of the key that claims to have signed it, as OTP and tokens name signers.
    pub fn signer_hash(&self) -> [u8; 32] {
        spki_hash(&self.record.signer)
    }

    /// Reads a header; refuses one that is not of this format.
    pub fn parse(bytes: &[u8; HEADER]) -> Result<Self, Refusal> {
        let record: Record = zerocopy::transmute!(*bytes);
        magic("image", MAGIC, record.magic)?;
        exactly("image format", FORMAT.into(), record.format.get().into())?;
        if record.unused.iter().any(|&byte| byte != 0) {
            return Err(Refusal::NotZero { what: "image header after the signature" });
        }
        let statement = Statement {
            kind: Kind::read(record.kind.get())?,
            load: record.load.get(),
            entry: record.entry.get(),
            security_version: record.security_version.get(),
            version: Version::parse(&record.version)?,
        };
        Ok(Self { record, statement })
    }

    /// Checks in this order: the signer is the key whose hash OTP holds, the signature is the signer's, the image is of the
    /// expected kind, not older than `lowest_version`, and lies where this kind must.
    pub fn authenticate(&self, kind: Kind, key_hash: &[u8; 32], lowest_version: u32) -> Result<Authentic, Refusal> {
        let found = self.signer_hash();
        if found != *key_hash {
            return Err(Refusal::Hash { what: "image signer", expected: *key_hash, found });
        }
        self.verify()?;
        exactly("image kind", kind as u64, self.statement.kind as u64)?;
        let found = self.statement.security_version;
        within("image security version", lowest_version.into(), u32::MAX.into(), found.into())?;
        let length = self.record.length.get();
        self.statement.check(length)?;
        Ok(Authentic { statement: self.statement, length, digest: self.record.digest, signer: self.record.signer })
    }

    fn verify(&self) -> Result<(), Refusal> {
        let refused = Refusal::Signature { what: "image" };
        let key = VerifyingKey::from_sec1_bytes(&self.record.signer).map_err(|_| refused)?;
        let signature = Signature::from_slice(&self.record.signature).map_err(|_| refused)?;
        key.verify_prehash(&self.record.prehash(), &signature).map_err(|_| refused)
    }
}

impl Authentic {
    /// Measures the body where it will run; refuses one that is not the signed one.
    pub fn check(&self, body: &[u8]) -> Result<Component, Refusal> {
        self.check_by(sha256, body)
    }

    /// As [`Self::check`], by this hash function.
    pub fn check_by(&self, hash: Hash, body: &[u8]) -> Result<Component, Refusal> {
        let found = body.len() as u64;
        if found != self.length {
            return Err(Refusal::Length { what: "image body", expected: self.length, found });
        }
        let component = Component::signed_by(hash, body, self.statement.version, &self.signer);
        if component.measurement != self.digest {
            return Err(Refusal::Hash { what: "image body", expected: self.digest, found: component.measurement });
        }
        Ok(component)
    }
}

#[cfg(test)]
#[path = "image_tests.rs"]
mod tests;
