//! COSE_Sign1 (RFC 9052 §4.2), as the two halves of a token use it.

use crate::cbor::{Key, MAJOR_ARRAY, Reader};
use crate::hash::Hash;
use crate::malformed::Malformed;
use abi::claim::{ALG_ES256, ALG_ES384, ALG_ES512, ALG_PS256, TAG_COSE_SIGN1};
use alloc::vec::Vec;
use core::fmt;

/// Header parameter `alg` (RFC 9052 §3.1).
const HEADER_ALG: u64 = 1;
/// Header parameter `crit` (RFC 9052 §3.1).
const HEADER_CRIT: u64 = 2;

/// Header parameters `x5chain` and `x5t` (RFC 9360 §2).
const HEADER_CHAIN: u64 = 33;
const HEADER_THUMBPRINT: u64 = 34;
/// Certificates in a header, at most.
const MAX_CERTIFICATES: usize = 8;
/// Hash algorithms of `x5t` (RFC 9054 §2).
const THUMBPRINTS: [(i128, Hash); 3] = [(-16, Hash::Sha256), (-43, Hash::Sha384), (-44, Hash::Sha512)];

/// The signature algorithms that profiles use (RFC 9053 §2.1, RFC 8230 §2). Which one may stand is decided by the key,
/// not by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// ECDSA with SHA-256, with a P-256 key.
    Es256,
    /// ECDSA with SHA-384, with a P-384 key.
    Es384,
    /// ECDSA with SHA-512, with a P-521 key.
    Es512,
    /// RSASSA-PSS with SHA-256 and a salt of 32 bytes, with an RSA key: virtCCA's first generation alone.
    Ps256,
}

impl Algorithm {
    fn from_number(number: i128) -> Result<Self, Malformed> {
        match i64::try_from(number) {
            Ok(ALG_ES256) => Ok(Self::Es256),
            Ok(ALG_ES384) => Ok(Self::Es384),
            Ok(ALG_ES512) => Ok(Self::Es512),
            Ok(ALG_PS256) => Ok(Self::Ps256),
            _ => Err(Malformed::Algorithm { found: number }),
        }
    }

    /// The registered name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
            Self::Ps256 => "PS256",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// A COSE_Sign1 that has been taken apart and not been verified.
#[derive(Clone, Debug)]
pub struct Sign1<'b> {
    protected: &'b [u8],
    protected_at: usize,
    algorithm: Algorithm,
    payload: &'b [u8],
    payload_at: usize,
    signature: &'b [u8],
    certificates: Certificates<'b>,
}

/// What headers say of the signer's certificate: allegations, which no signature makes true of their own accord.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certificates<'b> {
    /// The chain, the signer's own certificate first, each in DER (`x5chain`).
    pub chain: Vec<&'b [u8]>,
    /// The hash of the signer's own certificate (`x5t`).
    pub thumbprint: Option<(Hash, &'b [u8])>,
}

impl<'b> Certificates<'b> {
    /// Takes a header parameter, or passes over it.
    fn take(&mut self, key: Key<'b>, value: &mut Reader<'b>) -> Result<(), Malformed> {
        let twice = Malformed::Header { at: value.at(), why: "certificates in both headers" };
        match key {
            Key::Uint(HEADER_CHAIN) if !self.chain.is_empty() => return Err(twice),
            Key::Uint(HEADER_CHAIN) => self.chain = chain(value)?,
            Key::Uint(HEADER_THUMBPRINT) if self.thumbprint.is_some() => return Err(twice),
            Key::Uint(HEADER_THUMBPRINT) => self.thumbprint = Some(thumbprint(value)?),
            _ => value.skip()?,
        }
        Ok(())
    }
}

impl<'b> Sign1<'b> {
    /// Reads a COSE_Sign1 with its tag, to the last byte.
    ///
    /// # Errors
    /// [`Malformed`] if it is not one, if it names no algorithm in the protected header or one that is not read, or if
    /// it has a critical header parameter.
    pub fn read(mut reader: Reader<'b>) -> Result<Self, Malformed> {
        let at = reader.at();
        let found = reader.tag()?;
        if found != TAG_COSE_SIGN1 {
            return Err(Malformed::Tag { at, expected: "18 (COSE_Sign1)", found });
        }
        let array_at = reader.at();
        let mut four: [Option<(&[u8], usize)>; 4] = [None; 4];
        let (mut algorithm, mut certificates) = (None, Certificates::default());
        let mut next = four.iter_mut().enumerate();
        reader.array(|item| {
            let (index, slot) = next.next().ok_or_else(|| wrong_count(array_at))?;
            if index == 1 {
                return item.map(|key, value| certificates.take(key, value));
            }
            let (bytes, inner) = item.nested()?;
            *slot = Some((bytes, inner.at()));
            if index == 0 {
                algorithm = Some(protected_algorithm(inner, &mut certificates)?);
            }
            Ok(())
        })?;
        reader.end()?;
        let [Some((protected, protected_at)), _, Some((payload, payload_at)), Some((signature, _))] = four else {
            return Err(wrong_count(array_at));
        };
        let algorithm = algorithm.ok_or_else(|| wrong_count(array_at))?;
        Ok(Self { protected, protected_at, algorithm, payload, payload_at, signature, certificates })
    }

    /// The algorithm that the protected header names: an allegation, to be compared with the key's.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The signature as it was sent: two big-endian numbers of the curve's size one after the other (RFC 9053 §2.1), or
    /// one of the modulus' size for RSA.
    #[must_use]
    pub fn signature(&self) -> &'b [u8] {
        self.signature
    }

    /// What the headers say of the signer's certificate.
    #[must_use]
    pub fn certificates(&self) -> &Certificates<'b> {
        &self.certificates
    }

    /// The bytes that are signed: the Sig_structure with an empty external_aad (RFC 9052 §4.4). Header and payload are in
    /// it as they were sent.
    #[must_use]
    pub fn signed_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.payload.len().saturating_add(self.protected.len()).saturating_add(32));
        bytes.push(0x84);
        bytes.push(0x6A);
        bytes.extend_from_slice(b"Signature1");
        push_byte_string(&mut bytes, self.protected);
        push_byte_string(&mut bytes, &[]);
        push_byte_string(&mut bytes, self.payload);
        bytes
    }

    /// A reader of the protected header.
    pub(crate) fn protected(&self) -> Reader<'b> {
        Reader::new(self.protected, 0)
    }

    /// Where it says by which algorithm it is signed, for messages.
    pub(crate) fn at(&self) -> usize {
        self.protected_at
    }

    /// A reader of the payload.
    pub(crate) fn payload(&self) -> Reader<'b> {
        Reader::new(self.payload, self.payload_at)
    }
}

fn wrong_count(at: usize) -> Malformed {
    Malformed::Type { at, expected: "an array of the 4 items of COSE_Sign1", found: "another number of items" }
}

/// One certificate in a byte string, or several in an array of them.
fn chain<'b>(value: &mut Reader<'b>) -> Result<Vec<&'b [u8]>, Malformed> {
    let at = value.at();
    if value.peek().is_none_or(|first| first >> 5 != MAJOR_ARRAY) {
        return value.bytes().map(|one| Vec::from([one]));
    }
    let mut chain = Vec::new();
    value.array(|item| {
        chain.push(item.bytes()?);
        if chain.len() > MAX_CERTIFICATES {
            return Err(Malformed::Header { at, why: "more certificates than any chain has" });
        }
        Ok(())
    })?;
    if chain.is_empty() { Err(Malformed::Header { at, why: "a chain of no certificates" }) } else { Ok(chain) }
}

/// A hash algorithm and a hash.
fn thumbprint<'b>(value: &mut Reader<'b>) -> Result<(Hash, &'b [u8]), Malformed> {
    let at = value.at();
    let (mut algorithm, mut hash, mut count) = (None, None, 0_u8);
    value.array(|item| {
        match count {
            0 => algorithm = Some(item.int()?),
            _ => hash = Some(item.bytes()?),
        }
        count = count.saturating_add(1);
        Ok(())
    })?;
    let known = THUMBPRINTS.iter().find(|(number, _)| algorithm == Some(*number)).map(|(_, hash)| *hash);
    match known.zip(hash).filter(|_| count == 2) {
        Some(found) => Ok(found),
        None => Err(Malformed::Header { at, why: "a hash of the certificate that is not by SHA-2" }),
    }
}

fn protected_algorithm<'b>(
    mut header: Reader<'b>,
    certificates: &mut Certificates<'b>,
) -> Result<Algorithm, Malformed> {
    let at = header.at();
    let none = Malformed::Header { at, why: "expected an algorithm in the protected header, found none" };
    // A header without parameters is no bytes at all (RFC 9052 §3).
    if header.peek().is_none() {
        return Err(none);
    }
    let mut algorithm = None;
    header.map(|key, value| match key {
        Key::Uint(HEADER_ALG) => {
            algorithm = Some(Algorithm::from_number(value.int()?)?);
            Ok(())
        }
        Key::Uint(HEADER_CRIT) => {
            Err(Malformed::Header { at: value.at(), why: "critical parameters are not understood" })
        }
        _ => certificates.take(key, value),
    })?;
    header.end()?;
    algorithm.ok_or(none)
}

/// Appends a byte string with the shortest head (RFC 8949 §4.2.1).
fn push_byte_string(out: &mut Vec<u8>, content: &[u8]) {
    let length = content.len() as u64;
    let big = length.to_be_bytes();
    match length {
        0..=23 => out.push(0x40 | big[7]),
        24..=0xFF => out.extend_from_slice(&[0x58, big[7]]),
        0x100..=0xFFFF => out.extend_from_slice(&[0x59, big[6], big[7]]),
        0x1_0000..=0xFFFF_FFFF => out.extend([0x5A].iter().chain(&big[4..])),
        _ => out.extend([0x5B].iter().chain(&big)),
    }
    out.extend_from_slice(content);
}
