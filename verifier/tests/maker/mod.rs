//! Makes whole platforms for tests: keys, certificates, tokens and references, each part open to be made wrong.
//!
//! DER and CBOR are written by hand here, so that nothing under test is used to make what it is tested with.
#![allow(dead_code, reason = "each test file uses its own part")]

pub mod der;
pub mod rsa;
pub mod signer;
pub mod token;
pub mod virtcca;

use abi::endorsement::cca_identity;
use allod_verifier::{Anchors, Case, Nonce, Policy, References, Verdict, verify};
pub use signer::{Signer, key, key521};

/// A time within the validity of everything that is not made wrong: 2026-11-22.
pub const NOW: u64 = 1_795_305_600;
/// The challenge of a token that is not made wrong.
pub const CHALLENGE: [u8; 64] = [0xC4; 64];
pub const IMPLEMENTATION: [u8; 32] = [0x1D; 32];

/// An instance identifier that follows a key, as our platforms have it.
pub fn instance(key: &Signer) -> [u8; 33] {
    let mut id = [0; 33];
    id[0] = 1;
    id[1..].copy_from_slice(&key.public()[1..33]);
    id
}

/// What stands in a certificate. The defaults make a leaf that is right.
#[derive(Clone)]
pub struct Certificate {
    pub version: u8,
    pub subject: &'static str,
    pub issuer: &'static str,
    pub key: Signer,
    pub signer: Signer,
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
    /// The number among those of its issuer.
    pub serial: u8,
    /// Where a list of revoked certificates is said to be published.
    pub list: Option<&'static str>,
    /// The identifier of the signature's algorithm, if it is not to be the signer's.
    pub algorithm: Option<Vec<u8>>,
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
        serial: 7,
        list: None,
        algorithm: None,
    }
}

impl Certificate {
    /// The certificate in DER, signed with the signer's key.
    pub fn der(&self) -> Vec<u8> {
        let algorithm = self.algorithm.clone().unwrap_or_else(|| self.signer.algorithm());
        let (from, to) = self.validity;
        let signed = der::sequence(&[
            &der::tagged(0xA0, &der::integer(&[self.version])),
            &der::integer(&[self.serial]),
            &algorithm,
            &der::name(self.issuer),
            &der::sequence(&[&der::time(from), &der::time(to)]),
            &der::name(self.subject),
            &self.key.info(),
            &der::tagged(0xA3, &der::sequence(&[&self.extensions().concat()])),
        ]);
        let signature = der::bits(0, &self.signer.sign_der(&signed));
        der::sequence(&[&signed, &algorithm, &signature])
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
        if let Some(address) = self.list {
            let name = der::tagged(0xA0, &der::tagged(0xA0, &der::tagged(0x86, address.as_bytes())));
            list.push(der::extension(&[0x55, 0x1D, 0x1F], false, &der::sequence(&[&der::sequence(&[&name])])));
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

/// A list of revoked certificates. The defaults make one that is right and empty.
#[derive(Clone)]
pub struct RevocationList {
    pub issuer: &'static str,
    pub signer: Signer,
    pub this_update: &'static str,
    pub next_update: Option<&'static str>,
    pub revoked: Vec<u8>,
    /// Extensions, in DER.
    pub more: Vec<Vec<u8>>,
}

/// The list of the authority that signs leaves.
pub fn list() -> RevocationList {
    RevocationList {
        issuer: "sub",
        signer: key(2),
        this_update: "20261101000000Z",
        next_update: Some("20261201000000Z"),
        revoked: Vec::new(),
        more: Vec::new(),
    }
}

impl RevocationList {
    /// The list in DER, signed.
    pub fn der(&self) -> Vec<u8> {
        let algorithm = self.signer.algorithm();
        let entry = |serial: &u8| der::sequence(&[&der::integer(&[*serial]), &der::time("20261105000000Z")]);
        let entries: Vec<u8> = self.revoked.iter().flat_map(entry).collect();
        let signed = der::sequence(&[
            &der::integer(&[1]),
            &algorithm,
            &der::name(self.issuer),
            &der::time(self.this_update),
            &self.next_update.map(der::time).unwrap_or_default(),
            &if entries.is_empty() { vec![] } else { der::sequence(&[&entries]) },
            &if self.more.is_empty() { vec![] } else { der::tagged(0xA0, &der::sequence(&[&self.more.concat()])) },
        ]);
        let signature = der::bits(0, &self.signer.sign_der(&signed));
        der::sequence(&[&signed, &algorithm, &signature])
    }
}
