//! Writes the two younger layouts.

use super::encode::Encoder;
use super::measurement::{CRYPTO_KEYS, DIGESTS, NAME, RAW_MASK, RAW_VALUE, VERSION};
use super::{
    AttestKey, Component, Corim, Digest, KeyText, Layout, Masked, Platform, Realm, Subject, TAG_BYTES, TAG_COMID,
    TAG_MASKED, TAG_PKIX_KEY, TAG_UEID, TAG_UNSIGNED, TAG_URI,
};
use crate::hash::Hash;
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

/// Role of an entity that made the CoRIM (draft-ietf-rats-corim, 4.1.5).
const MANIFEST_CREATOR: u64 = 1;

/// Why a CoRIM cannot be written in its layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unwritable {
    /// The layout before 2025, which is only read.
    Old,
    /// Platforms and Realms in one: their profiles differ.
    Both,
    /// Neither platforms, nor Realms, nor keys.
    Empty,
    /// Something that only draft -04 has.
    Draft04,
    /// A key that is not in PEM.
    Key,
    /// A part with this CBOR tag, which was not looked into and would be lost.
    PassedOver(u64),
}

impl fmt::Display for Unwritable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self {
            Self::PassedOver(tag) => {
                return write!(out, "a part with CBOR tag {tag} was passed over and would be lost");
            }
            Self::Old => "the layout before 2025 is read and not written",
            Self::Both => "a CoRIM is for platforms or for realms: expected one of them, found both",
            Self::Empty => "expected reference values or keys, found neither",
            Self::Draft04 => "manufacturing configuration and ROTPKs can be written only in the layout of draft -04",
            Self::Key => "expected keys in PEM, found another form",
        };
        out.write_str(words)
    }
}

impl core::error::Error for Unwritable {}

impl Corim {
    /// Writes the CoRIM, unsigned and with tag 501, in its layout; the profile follows from that. Every platform and
    /// every Realm has a CoMID of its own.
    ///
    /// # Errors
    /// [`Unwritable`].
    pub fn encode(&self) -> Result<Vec<u8>, Unwritable> {
        if let Some(tag) = self.passed_over.first() {
            return Err(Unwritable::PassedOver(*tag));
        }
        let subject = self.subject()?;
        let comids = self.comids()?;
        let mut out = Encoder::default();
        out.tag(TAG_UNSIGNED);
        out.map(3 + u64::from(self.validity.is_some()) + u64::from(!self.entities.is_empty()));
        out.uint(0);
        out.text(&self.id);
        out.uint(1);
        out.array(comids.len() as u64);
        comids.iter().for_each(|comid| out.tagged_bytes(TAG_COMID, comid));
        out.uint(3);
        out.tag(TAG_URI);
        out.text(self.layout.profile(subject));
        if let Some(validity) = self.validity {
            out.uint(4);
            out.validity(validity);
        }
        if !self.entities.is_empty() {
            out.uint(5);
            out.array(self.entities.len() as u64);
            self.entities.iter().for_each(|name| entity(&mut out, name));
        }
        Ok(out.finish())
    }

    fn subject(&self) -> Result<Subject, Unwritable> {
        let platform = !self.platforms.is_empty() || !self.keys.is_empty();
        let young = self.platforms.iter().any(|it| it.manufacturing_config.is_some() || !it.rotpks.is_empty());
        match (platform, self.realms.is_empty()) {
            _ if self.layout == Layout::Old => Err(Unwritable::Old),
            _ if young && self.layout != Layout::Draft04 => Err(Unwritable::Draft04),
            (true, false) => Err(Unwritable::Both),
            (false, true) => Err(Unwritable::Empty),
            (true, true) => Ok(Subject::Platform),
            (false, false) => Ok(Subject::Realm),
        }
    }

    fn comids(&self) -> Result<Vec<Vec<u8>>, Unwritable> {
        let draft = self.layout == Layout::Draft04;
        let mut triples: Vec<Vec<u8>> = self.platforms.iter().map(|it| platform(it, draft)).collect();
        triples.extend(self.realms.iter().map(realm));
        if !self.keys.is_empty() {
            triples.push(keys(&self.keys)?);
        }
        let comid = |(index, triples): (usize, &Vec<u8>)| {
            let mut out = Encoder::default();
            out.map(2);
            out.uint(1);
            out.map(1);
            out.uint(0);
            out.text(&format!("{}/{index}", self.id));
            out.uint(4);
            let mut bytes = out.finish();
            bytes.extend_from_slice(triples);
            bytes
        };
        Ok(triples.iter().enumerate().map(comid).collect())
    }
}

fn entity(out: &mut Encoder, name: &str) {
    out.map(2);
    out.uint(0);
    out.text(name);
    out.uint(2);
    out.array(1);
    out.uint(MANIFEST_CREATOR);
}

/// The head of a map of triples with one reference triple, up to its measurements.
fn reference(class: &[u8], measurements: u64) -> Encoder {
    let mut out = Encoder::default();
    out.map(1);
    out.uint(0);
    out.array(1);
    out.array(2);
    out.map(1);
    environment_class(&mut out, class);
    out.array(measurements);
    out
}

fn environment_class(out: &mut Encoder, class: &[u8]) {
    out.uint(0);
    out.map(1);
    out.uint(0);
    out.tagged_bytes(TAG_BYTES, class);
}

/// The head of a measurement, up to its values.
fn measurement(out: &mut Encoder, key: &str, values: u64) {
    out.map(2);
    out.uint(0);
    out.text(key);
    out.uint(1);
    out.map(values);
}

fn platform(it: &Platform, draft: bool) -> Vec<u8> {
    let configs = u64::from(it.config.is_some()) + u64::from(it.manufacturing_config.is_some());
    let count = it.components.len() as u64 + it.rotpks.len() as u64 + configs;
    let mut out = reference(&it.implementation_id, count);
    it.components.iter().for_each(|each| component(&mut out, each));
    if let Some(config) = &it.config {
        masked(&mut out, "cca.platform-config", config, draft);
    }
    if let Some(config) = &it.manufacturing_config {
        // This one has a mask always.
        let mask = config.mask.clone().unwrap_or_else(|| vec![0xFF; config.value.len()]);
        let config = Masked { value: config.value.clone(), mask: Some(mask) };
        masked(&mut out, "cca.platform-manufacturing-config", &config, draft);
    }
    for rotpk in &it.rotpks {
        measurement(&mut out, &format!("cca.rotpk.{}", rotpk.place), 1);
        signer(&mut out, &rotpk.hash);
    }
    out.finish()
}

fn component(out: &mut Encoder, it: &Component) {
    let optional = u64::from(it.version.is_some()) + u64::from(it.name.is_some());
    measurement(out, "cca.software-component", 2 + optional);
    if let Some(version) = &it.version {
        out.uint(VERSION);
        out.map(1);
        out.uint(0);
        out.text(version);
    }
    digests(out, &it.digests);
    if let Some(name) = &it.name {
        out.uint(NAME);
        out.text(name);
    }
    signer(out, &it.signer_id);
}

fn signer(out: &mut Encoder, hash: &[u8]) {
    out.uint(CRYPTO_KEYS);
    out.array(1);
    out.tagged_bytes(TAG_BYTES, hash);
}

fn digests(out: &mut Encoder, list: &[Digest]) {
    out.uint(DIGESTS);
    out.array(list.len() as u64);
    for digest in list {
        out.array(2);
        out.uint(match digest.hash {
            Hash::Sha256 => 1,
            Hash::Sha384 => 7,
            Hash::Sha512 => 8,
        });
        out.bytes(&digest.bytes);
    }
}

/// A value with its mask: in one item in draft -04, in two before.
fn masked(out: &mut Encoder, key: &str, it: &Masked, draft: bool) {
    let Some(mask) = &it.mask else {
        measurement(out, key, 1);
        out.uint(RAW_VALUE);
        return out.tagged_bytes(TAG_BYTES, &it.value);
    };
    measurement(out, key, if draft { 1 } else { 2 });
    out.uint(RAW_VALUE);
    if draft {
        out.tag(TAG_MASKED);
        out.array(2);
        out.bytes(&it.value);
        return out.bytes(mask);
    }
    out.tagged_bytes(TAG_BYTES, &it.value);
    out.uint(RAW_MASK);
    out.bytes(mask);
}

fn realm(it: &Realm) -> Vec<u8> {
    let rems = it.rems.iter().flatten().count() as u64;
    let mut out = reference(&it.rim.bytes, 1 + rems + u64::from(it.rpv.is_some()));
    measurement(&mut out, "cca.rim", 1);
    digests(&mut out, core::slice::from_ref(&it.rim));
    for (index, rem) in it.rems.iter().enumerate() {
        if let Some(rem) = rem {
            measurement(&mut out, &format!("cca.rem{index}"), 1);
            digests(&mut out, core::slice::from_ref(rem));
        }
    }
    if let Some(rpv) = &it.rpv {
        measurement(&mut out, "cca.rpv", 1);
        out.uint(RAW_VALUE);
        out.tagged_bytes(TAG_BYTES, rpv);
    }
    out.finish()
}

fn keys(list: &[AttestKey]) -> Result<Vec<u8>, Unwritable> {
    let mut out = Encoder::default();
    out.map(1);
    out.uint(3);
    out.array(list.len() as u64);
    for it in list {
        let KeyText::Pem(pem) = &it.key else { return Err(Unwritable::Key) };
        out.array(2);
        out.map(2);
        environment_class(&mut out, &it.implementation_id);
        out.uint(1);
        out.tagged_bytes(TAG_UEID, &it.instance_id);
        out.array(1);
        out.tag(TAG_PKIX_KEY);
        out.text(pem);
    }
    Ok(out.finish())
}
