//! CCA tokens, signed, each claim open to be made wrong.

use super::{CHALLENGE, IMPLEMENTATION, Signer, instance, key};
use sha2::{Digest, Sha256};

pub const PLATFORM_REFERENCE: &str = r#"{"profile": "allod-reference-1", "platform": {
    "implementation_id": "1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d",
    "config": "c0ffee", "lifecycle": ["secured"], "components": [
        {"type": "BOOT", "measurement": "b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0",
         "signer_id": "0000000000000000000000000000000000000000000000000000000000000000"},
        {"type": "RMM", "measurement": "3333333333333333333333333333333333333333333333333333333333333333",
         "version": "0.1.0",
         "signer_id": "5555555555555555555555555555555555555555555555555555555555555555"}]}}"#;
pub const REALM_REFERENCE: &str = r#"{"profile": "allod-reference-1", "realm": {"hash": "sha-256",
    "rim": "1111111111111111111111111111111111111111111111111111111111111111",
    "rems": ["0000000000000000000000000000000000000000000000000000000000000000",
             "0000000000000000000000000000000000000000000000000000000000000000",
             "0000000000000000000000000000000000000000000000000000000000000000",
             "0000000000000000000000000000000000000000000000000000000000000000"],
    "rpv": "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"}}"#;

fn head(major: u8, value: u64) -> Vec<u8> {
    let lead = major << 5;
    match value {
        0..=23 => vec![lead | value as u8],
        24..=0xFF => vec![lead | 24, value as u8],
        _ => [vec![lead | 25], (value as u16).to_be_bytes().to_vec()].concat(),
    }
}

pub fn uint(value: u64) -> Vec<u8> {
    head(0, value)
}

pub fn bytes(content: &[u8]) -> Vec<u8> {
    [head(2, content.len() as u64), content.to_vec()].concat()
}

pub fn text(content: &str) -> Vec<u8> {
    [head(3, content.len() as u64), content.as_bytes().to_vec()].concat()
}

pub fn array(items: &[Vec<u8>]) -> Vec<u8> {
    [head(4, items.len() as u64), items.concat()].concat()
}

/// The entries of a map, in order.
pub type Entries = Vec<(u64, Vec<u8>)>;

pub fn map(entries: &Entries) -> Vec<u8> {
    let items: Vec<Vec<u8>> = entries.iter().map(|(key, value)| [uint(*key), value.clone()].concat()).collect();
    [head(5, entries.len() as u64), items.concat()].concat()
}

/// Replaces the value of a key.
pub fn set(entries: &mut Entries, key: u64, value: Vec<u8>) {
    for entry in entries.iter_mut().filter(|(found, _)| *found == key) {
        entry.1 = value.clone();
    }
}

/// A token before it is signed.
#[derive(Clone)]
pub struct Maker {
    pub cpak: Signer,
    pub rak: Signer,
    pub platform: Entries,
    pub realm: Entries,
    /// Protected headers of both halves: ES384 unless made wrong.
    pub headers: [Vec<u8>; 2],
}

pub fn component(kind: &str, measurement: u8, version: Option<&str>, signer: u8) -> Vec<u8> {
    let mut entries = vec![(1, text(kind)), (2, bytes(&[measurement; 32]))];
    entries.extend(version.map(|version| (4, text(version))));
    entries.push((5, bytes(&[signer; 32])));
    map(&entries)
}

pub fn cose_key(key: &Signer) -> Vec<u8> {
    let point = key.public();
    let half = point.len() / 2;
    let curve = match half {
        32 => 1,
        48 => 2,
        _ => 3,
    };
    let head = [0xA4, 1, 2, 0x20, curve, 0x21];
    [&head[..], &bytes(&point[1..=half]), &[0x22], &bytes(&point[half + 1..])].concat()
}

impl Default for Maker {
    fn default() -> Self {
        let (cpak, rak) = (key(3), key(4));
        let boot = component("BOOT", 0xB0, None, 0);
        let rmm = component("RMM", 0x33, Some("0.1.0"), 0x55);
        let platform = vec![
            (265, text("tag:arm.com,2023:cca_platform#1.0.0")),
            (10, bytes(&Sha256::digest(cose_key(&rak)))),
            (2396, bytes(&IMPLEMENTATION)),
            (256, bytes(&instance(&cpak))),
            (2401, bytes(&[0xC0, 0xFF, 0xEE])),
            (2395, uint(0x3000)),
            (2402, text("sha-256")),
            (2399, array(&[boot, rmm])),
        ];
        let realm = vec![
            (10, bytes(&CHALLENGE)),
            (44235, bytes(&[0; 64])),
            (44237, bytes(&cose_key(&rak))),
            (44236, text("sha-256")),
            (44240, text("sha-256")),
            (265, text("tag:arm.com,2023:realm#1.0.0")),
            (44238, bytes(&[0x11; 32])),
            (44239, array(&vec![bytes(&[0; 32]); 4])),
        ];
        let headers = [cpak.header(), rak.header()];
        Self { cpak, rak, platform, realm, headers }
    }
}

impl Maker {
    /// The signed platform half.
    pub fn platform_half(&self) -> Vec<u8> {
        sign1(&self.cpak, &self.headers[0], &map(&self.platform))
    }

    /// The signed realm half.
    pub fn realm_half(&self) -> Vec<u8> {
        sign1(&self.rak, &self.headers[1], &map(&self.realm))
    }

    pub fn token(&self) -> Vec<u8> {
        wrapped(&self.platform_half(), &self.realm_half())
    }

    /// Gives the platform another key, with which it signs and names itself.
    pub fn with_cpak(mut self, cpak: Signer) -> Self {
        set(&mut self.platform, 256, bytes(&instance(&cpak)));
        self.headers[0] = cpak.header();
        self.cpak = cpak;
        self
    }

    /// Gives the Realm another key, with or without the platform's consent.
    pub fn with_rak(mut self, rak: Signer, vouched: bool) -> Self {
        set(&mut self.realm, 44237, bytes(&cose_key(&rak)));
        if vouched {
            set(&mut self.platform, 10, bytes(&Sha256::digest(cose_key(&rak))));
        }
        self.headers[1] = rak.header();
        self.rak = rak;
        self
    }
}

/// Both halves in the wrapper of RMM 1.0.
pub fn wrapped(platform: &[u8], realm: &[u8]) -> Vec<u8> {
    [vec![0xD9, 0x01, 0x8F], map(&vec![(44234, bytes(platform)), (44241, bytes(realm))])].concat()
}

/// A COSE_Sign1 by a key, with its own algorithm whatever the header says.
pub fn sign1(key: &Signer, header: &[u8], payload: &[u8]) -> Vec<u8> {
    let signed = array(&[text("Signature1"), bytes(header), bytes(&[]), bytes(payload)]);
    assembled(header, payload, &key.sign(&signed))
}

/// A COSE_Sign1 with any signature.
pub fn assembled(header: &[u8], payload: &[u8], signature: &[u8]) -> Vec<u8> {
    let items = [bytes(header), map(&vec![]), bytes(payload), bytes(signature)];
    [vec![0xD2], array(&items)].concat()
}
