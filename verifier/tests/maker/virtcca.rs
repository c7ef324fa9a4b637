//! virtCCA machines of both generations, written from what is known of them: no evidence of the second is public.

use super::token::{Entries, array, assembled, bytes, map, set, text, uint};
use super::{CHALLENGE, Certificate, IMPLEMENTATION, Signer, instance, key521, root, sub};
use allod_verifier::{Anchors, References};
use sha2::{Digest, Sha256};

pub const PLATFORM_REFERENCE: &str = r#"{"profile": "allod-reference-1", "platform": {
    "implementation_id": "1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d",
    "config": "", "lifecycle": ["provisioning"], "components": [
        {"type": "imu", "measurement": "b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0", "signer_id": ""},
        {"type": "tee", "measurement": "3333333333333333333333333333333333333333333333333333333333333333",
         "version": "1.6"}]}}"#;

/// A wrapper of one half or two.
pub fn enclosed(halves: &[(u64, Vec<u8>)]) -> Vec<u8> {
    let entries = halves.iter().map(|(key, half)| (*key, bytes(half))).collect();
    [vec![0xD9, 0x01, 0x8F], map(&entries)].concat()
}

/// A half before it is signed, and the ways in which firmware differs.
#[derive(Clone)]
pub struct Half {
    pub signer: Signer,
    pub header: Vec<u8>,
    pub claims: Entries,
    /// Whether the claims stand within another byte string.
    pub twice: bool,
    /// Whether the signature is in DER.
    pub der: bool,
}

impl Half {
    pub fn payload(&self) -> Vec<u8> {
        if self.twice { bytes(&map(&self.claims)) } else { map(&self.claims) }
    }

    pub fn signed_bytes(&self) -> Vec<u8> {
        array(&[text("Signature1"), bytes(&self.header), bytes(&[]), bytes(&self.payload())])
    }

    pub fn encode(&self) -> Vec<u8> {
        let signed = self.signed_bytes();
        let signature = if self.der { self.signer.sign_der(&signed) } else { self.signer.sign(&signed) };
        assembled(&self.header, &self.payload(), &signature)
    }
}

fn cvm(signer: &Signer, key: Vec<u8>) -> Half {
    let claims = vec![
        (10, bytes(&CHALLENGE)),
        (44235, bytes(&[0; 64])),
        (44237, bytes(&key)),
        (44236, text("sha-256")),
        (44240, text("sha-256")),
        (44238, bytes(&[0x11; 32])),
        (44239, array(&vec![bytes(&[0; 32]); 4])),
    ];
    Half { signer: signer.clone(), header: signer.header(), claims, twice: true, der: false }
}

/// The half of a machine of the first generation.
pub fn first() -> Half {
    cvm(&Signer::Rsa, Signer::Rsa.info())
}

pub fn first_token(half: &Half) -> Vec<u8> {
    enclosed(&[(44241, half.encode())])
}

/// A machine of the second generation.
#[derive(Clone)]
pub struct Second {
    pub platform: Half,
    pub realm: Half,
}

impl Second {
    pub fn new(cpak: &Signer, rak: &Signer) -> Self {
        let component = |kind: &str, digest: u8, version: &str| {
            map(&vec![
                (1, text(kind)),
                (2, bytes(&[digest; 32])),
                (4, text(version)),
                (5, bytes(&[])),
                (6, text("sha-256")),
            ])
        };
        let claims = vec![
            (265, text("\0\0\0\0")),
            (10, bytes(&Sha256::digest(rak.public()))),
            (2396, bytes(&IMPLEMENTATION)),
            (256, bytes(&instance(cpak))),
            (2401, bytes(&[])),
            (2395, uint(0x2000)),
            (2399, array(&[component("imu", 0xB0, "2.1"), component("tee\0", 0x33, "1.6\0\0")])),
            (2402, text("sha-256\0")),
        ];
        let platform = Half { signer: cpak.clone(), header: cpak.header(), claims, twice: false, der: false };
        Self { platform, realm: cvm(rak, rak.public()) }
    }

    pub fn token(&self) -> Vec<u8> {
        enclosed(&[(44234, self.platform.encode()), (44241, self.realm.encode())])
    }
}

impl Default for Second {
    fn default() -> Self {
        Self::new(&key521(3), &key521(4))
    }
}

/// Gives a half another value for a claim.
pub fn with(half: &Half, key: u64, value: Vec<u8>) -> Half {
    let mut half = half.clone();
    set(&mut half.claims, key, value);
    half
}

/// The chain of a machine's key: root, authority and the certificate that comes with the evidence.
pub fn chain(issuer: fn(u8) -> Signer, machine: &Signer) -> [Certificate; 3] {
    let root = Certificate { key: issuer(41), signer: issuer(41), ..root() };
    let sub = Certificate { key: issuer(42), signer: issuer(41), ..sub() };
    let device = Certificate {
        subject: "D924B0157002",
        issuer: "sub",
        key: machine.clone(),
        signer: issuer(42),
        // As Huawei's are: for signatures and much else, and without basic constraints.
        usage: Some(0xF8),
        identity: None,
        ..super::leaf()
    };
    [root, sub, device]
}

pub fn anchors([root, sub, device]: &[Certificate; 3]) -> Anchors {
    super::anchors(root, &[sub, device])
}

/// What a token of the second generation affirms by.
pub fn references() -> References {
    let mut references = References::new();
    references.add(PLATFORM_REFERENCE.as_bytes()).expect("a reference of the platform");
    references.add(super::token::REALM_REFERENCE.as_bytes()).expect("a reference of the Realm");
    references
}
