//! Makes whole platforms for tests: keys, certificates, tokens and references, each part open to be made wrong.
//!
//! DER and CBOR are written by hand here, so that nothing under test is used to make what it is tested with.
#![allow(dead_code, reason = "each test file uses its own part")]

pub mod der;
pub mod token;

use abi::endorsement::cca_identity;
use allod_verifier::{Anchors, Case, Nonce, Policy, References, Verdict, verify};
use p384::ecdsa::signature::Signer;
use p384::ecdsa::{Signature, SigningKey};

/// A time within the validity of everything that is not made wrong: 2026-11-22.
pub const NOW: u64 = 1_795_305_600;
/// The challenge of a token that is not made wrong.
pub const CHALLENGE: [u8; 64] = [0xC4; 64];
pub const IMPLEMENTATION: [u8; 32] = [0x1D; 32];

/// A P-384 key from a number: the same number, the same key.
pub fn key(number: u8) -> SigningKey {
    SigningKey::from_slice(&[number; 48]).expect("a scalar below the order")
}

/// The uncompressed point of a key, 97 bytes.
pub fn point(key: &SigningKey) -> Vec<u8> {
    key.verifying_key().to_sec1_point(false).as_bytes().to_vec()
}

/// An instance identifier that follows a key, as our platforms have it.
pub fn instance(key: &SigningKey) -> [u8; 33] {
    let mut id = [0; 33];
    id[0] = 1;
    id[1..].copy_from_slice(&point(key)[1..33]);
    id
}

/// What stands in a certificate. The defaults make a leaf that is right.
#[derive(Clone)]
pub struct Certificate {
    pub version: u8,
    pub subject: &'static str,
    pub issuer: &'static str,
    pub key: SigningKey,
    pub signer: SigningKey,
    pub validity: (&'static str, &'static str),
    /// `cA` and `pathLenConstraint`, or no such extension.
    pub constraints: Option<(bool, Option<u8>)>,
    /// Bits of keyUsage, the first the highest (0x80 digitalSignature, 0x04 keyCertSign), or no such extension.
    pub usage: Option<u8>,
    pub identity: Option<([u8; 32], [u8; 33])>,
    /// Identifiers of the subject's and of the authority's key.
    pub key_ids: (Option<u8>, Option<u8>),
    /// Further extensions, in DER.
    pub more: Vec<Vec<u8>>,
    /// Last number of the signature algorithm's identifier: 3 is ECDSA with SHA-384.
    pub algorithm: u8,
}

pub fn root() -> Certificate {
    Certificate {
        subject: "root",
        issuer: "root",
        key: key(1),
        signer: key(1),
        constraints: Some((true, Some(1))),
        usage: Some(0x04),
        identity: None,
        ..leaf()
    }
}

pub fn sub() -> Certificate {
    let constraints = Some((true, Some(0)));
    Certificate { subject: "sub", issuer: "root", key: key(2), signer: key(1), constraints, ..root() }
}

pub fn leaf() -> Certificate {
    Certificate {
        version: 2,
        subject: "cpak",
        issuer: "sub",
        key: key(3),
        signer: key(2),
        validity: ("20260101000000Z", "20361231235959Z"),
        constraints: None,
        usage: Some(0x80),
        identity: Some((IMPLEMENTATION, instance(&key(3)))),
        key_ids: (None, None),
        more: Vec::new(),
        algorithm: 3,
    }
}

impl Certificate {
    /// The certificate in DER, signed with the signer's key and SHA-384.
    pub fn der(&self) -> Vec<u8> {
        let algorithm = der::sequence(&[&der::oid(&[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, self.algorithm])]);
        let ec_key = der::oid(&[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01]);
        let curve = der::oid(&[0x2B, 0x81, 0x04, 0x00, 0x22]);
        let key_info = der::sequence(&[&der::sequence(&[&ec_key, &curve]), &der::bits(0, &point(&self.key))]);
        let (from, to) = self.validity;
        let signed = der::sequence(&[
            &der::tagged(0xA0, &der::integer(&[self.version])),
            &der::integer(&[7]),
            &algorithm,
            &der::name(self.issuer),
            &der::sequence(&[&der::time(from), &der::time(to)]),
            &der::name(self.subject),
            &key_info,
            &der::tagged(0xA3, &der::sequence(&[&self.extensions().concat()])),
        ]);
        let signature: Signature = self.signer.sign(&signed);
        let (r, s) = signature.split_bytes();
        let signature = der::sequence(&[&der::integer(&r), &der::integer(&s)]);
        der::sequence(&[&signed, &algorithm, &der::bits(0, &signature)])
    }

    fn extensions(&self) -> Vec<Vec<u8>> {
        let mut list = self.more.clone();
        if let Some((authority, length)) = self.constraints {
            let authority = if authority { der::tagged(0x01, &[0xFF]) } else { vec![] };
            let length = length.map(|it| der::integer(&[it])).unwrap_or_default();
            list.push(der::extension(&[0x55, 0x1D, 0x13], true, &der::sequence(&[&authority, &length])));
        }
        if let Some(usage) = self.usage {
            let unused = usage.trailing_zeros() as u8;
            list.push(der::extension(&[0x55, 0x1D, 0x0F], true, &der::bits(unused, &[usage])));
        }
        if let (Some(own), _) = self.key_ids {
            list.push(der::extension(&[0x55, 0x1D, 0x0E], false, &der::tagged(0x04, &[own; 20])));
        }
        if let (_, Some(authority)) = self.key_ids {
            let value = der::sequence(&[&der::tagged(0x80, &[authority; 20])]);
            list.push(der::extension(&[0x55, 0x1D, 0x23], false, &value));
        }
        if let Some((implementation, instance)) = &self.identity {
            list.push(der::extension(&IDENTITY, false, &cca_identity(implementation, instance)));
        }
        list
    }
}

/// 1.3.6.1.4.1.32473.1.1, the content of the identifier in DER.
pub const IDENTITY: [u8; 10] = [0x2B, 0x06, 0x01, 0x04, 0x01, 0x81, 0xFD, 0x59, 0x01, 0x01];

/// Anchors of a root and the endorsements below it.
pub fn anchors(root: &Certificate, endorsements: &[&Certificate]) -> Anchors {
    let mut anchors = Anchors::new();
    anchors.add_roots(&root.der()).expect("a root that can be read");
    for endorsement in endorsements {
        anchors.add_endorsements(&endorsement.der()).expect("an endorsement that can be read");
    }
    anchors
}

/// The anchors under which a token that is not made wrong affirms.
pub fn good_anchors() -> Anchors {
    anchors(&root(), &[&sub(), &leaf()])
}

/// The references under which a token that is not made wrong affirms.
pub fn good_references() -> References {
    let mut references = References::new();
    references.add(token::PLATFORM_REFERENCE.as_bytes()).expect("a reference of the platform");
    references.add(token::REALM_REFERENCE.as_bytes()).expect("a reference of the Realm");
    references
}

/// Judges a token by good anchors, the good challenge, now, and good references.
pub fn judge(token: &[u8]) -> Verdict {
    judge_by(token, &good_anchors(), &good_references(), NOW)
}

pub fn judge_by(token: &[u8], anchors: &Anchors, references: &References, at: u64) -> Verdict {
    let nonce = Nonce::new(&CHALLENGE).expect("64 bytes");
    verify(token, &Case { anchors, nonce, at, references, policy: &Policy::default() })
}

/// The name of the first step that failed, with its subject.
pub fn failed(verdict: &Verdict) -> Option<String> {
    verdict.failed().map(allod_verifier::Check::label)
}

/// Base64 with padding (RFC 4648 §4).
pub fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |chunk: &[u8]| {
        let number = (0..3).fold(0_u32, |number, at| number << 8 | u32::from(*chunk.get(at).unwrap_or(&0)));
        let digit = |at: usize| char::from(DIGITS[(number >> (18 - 6 * at)) as usize & 63]);
        (0..4).map(|at| if at <= chunk.len() { digit(at) } else { '=' }).collect::<String>()
    };
    bytes.chunks(3).map(group).collect()
}
