//! Evidence in CBOR: conceptual message wrappers, TSM reports, tagged evidence of TLS certificates, ratsd's messages.

use super::{Opening, Refusal};
use crate::key::hash;
use evidence::cbor::{Key, Reader};
use evidence::{Hash, Malformed};

/// Tags of tokens and of collections of conceptual messages (draft-ffm-rats-cca-token, draft-ietf-rats-msg-wrap).
const TAG_CCA: u64 = 399;
const TAG_COLLECTION: u64 = 907;
/// Keys of the two halves of a token.
const HALVES: [u64; 2] = [44234, 44241];
/// COSE_Sign1 (RFC 9052 §4.2).
const TAG_SIGN1: u64 = 18;
/// CBOR that says that it is CBOR (RFC 8949 §3.4.6).
const TAG_CBOR: u64 = 55799;
/// Tags made of the numbers of content formats (RFC 9277 §4.3).
const TAGS_OF_FORMATS: std::ops::RangeInclusive<u64> = 1_668_546_817..=1_668_612_095;
/// Tags of evidence beside claims: virtCCA's of rats-tls, and those of the Confidential Computing Consortium.
const TAG_RATS_TLS: u64 = 0x0F_0629;
const TAGS_EVIDENCE: [u64; 4] = [TAG_RATS_TLS, 60_000, 60_001, 60_002];
/// Major types (RFC 8949 §3.1).
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const ARRAY: u8 = 4;
const MAP: u8 = 5;
const TAG: u8 = 6;
/// SHA-256 among the named algorithms (IANA, Named Information).
const ALGORITHMS: [(u64, Hash); 3] = [(1, Hash::Sha256), (7, Hash::Sha384), (8, Hash::Sha512)];

/// Whether bytes begin as a token does, in any of its wrappers.
#[must_use]
pub fn is_token(bytes: &[u8]) -> bool {
    let mut reader = reader(bytes);
    match reader.tag() {
        Ok(TAG_CCA) => true,
        Ok(TAG_COLLECTION) => has_half(&mut reader),
        _ => false,
    }
}

fn has_half(reader: &mut Reader<'_>) -> bool {
    let mut found = false;
    // What is found before the map turns out to be broken counts too: then it is a broken token.
    let _ = reader.map(|key, value| {
        found |= matches!(key, Key::Uint(key) if HALVES.contains(&key));
        value.skip()
    });
    found
}

fn reader(bytes: &[u8]) -> Reader<'_> {
    Reader::new(bytes, 0).admitting_indefinite()
}

fn major(reader: &Reader<'_>) -> Option<u8> {
    reader.peek().map(|first| first >> 5)
}

/// A value of a collection, as it is read: nothing is opened before the whole has been found well formed.
enum Entry<'b> {
    Record(String, &'b [u8]),
    Bytes(&'b [u8]),
    Other(&'b [u8]),
}

impl Opening {
    /// Opens CBOR; answers whether it was an envelope that is known.
    pub(super) fn cbor(&mut self, bytes: &[u8], left: u8) -> Result<bool, Refusal> {
        let mut whole = reader(bytes);
        if whole.skip().and_then(|()| whole.end()).is_err() {
            return Ok(false);
        }
        let mut reader = reader(bytes);
        match major(&reader) {
            Some(TAG) => match reader.tag() {
                Ok(tag) => self.tagged(tag, reader, left),
                Err(_) => Ok(false),
            },
            Some(BYTES) => {
                let Ok((inner, _)) = reader.nested() else { return Ok(false) };
                self.layer("a byte string of CBOR");
                self.or_back(inner, left)
            }
            Some(ARRAY) => match record(&mut reader) {
                Ok(Some((kind, content))) => self.message("a conceptual message", &kind, content, left),
                _ => Ok(false),
            },
            Some(MAP) => self.map(reader, left),
            _ => Ok(false),
        }
    }

    /// Opens what is in the layer that was entered last, or leaves that layer.
    fn or_back(&mut self, inner: &[u8], left: u8) -> Result<bool, Refusal> {
        let known = self.bytes(inner, left)?;
        if !known {
            self.opened.layers.pop();
        }
        Ok(known)
    }

    fn tagged(&mut self, tag: u64, mut reader: Reader<'_>, left: u8) -> Result<bool, Refusal> {
        match (tag, major(&reader)) {
            (TAG_CBOR, _) => self.bytes(reader.rest(), left),
            (TAG_COLLECTION, Some(MAP)) => self.map(reader, left),
            (TAG_SIGN1, Some(ARRAY)) => self.signed(reader, left),
            (tag, Some(BYTES)) if TAGS_OF_FORMATS.contains(&tag) => {
                let Ok(content) = reader.bytes() else { return Ok(false) };
                self.message("a conceptual message", &format!("tag {tag}"), content, left)
            }
            (tag, Some(ARRAY)) if TAGS_EVIDENCE.contains(&tag) => self.with_claims(tag, reader, left),
            _ => Ok(false),
        }
    }

    /// Evidence and the claims of which its challenge is the hash (Interoperable RA-TLS §3).
    fn with_claims(&mut self, tag: u64, mut reader: Reader<'_>, left: u8) -> Result<bool, Refusal> {
        let mut parts = Vec::new();
        let read = reader.array(|item| {
            parts.push(item.bytes()?);
            Ok(())
        });
        let (Ok(()), &[evidence, claims]) = (read, parts.as_slice()) else { return Ok(false) };
        self.layer(if tag == TAG_RATS_TLS { "evidence of rats-tls for virtCCA" } else { "tagged evidence" });
        self.opened.claims = Some(claims.to_vec());
        self.or_back(evidence, left)
    }

    /// A collection that ratsd has signed. Who ratsd is, nobody here knows: what counts is what is in it.
    fn signed(&mut self, mut reader: Reader<'_>, left: u8) -> Result<bool, Refusal> {
        let (mut index, mut payload) = (0_usize, None);
        let read = reader.array(|item| {
            index = index.saturating_add(1);
            if index == 3 {
                payload = Some(item.bytes()?);
                return Ok(());
            }
            item.skip()
        });
        let (Ok(()), 4, Some(payload)) = (read, index, payload) else { return Ok(false) };
        self.layer("a signed message");
        let known = self.or_back(payload, left)?;
        if known {
            self.beside("the signature of the message around it");
        }
        Ok(known)
    }

    fn map(&mut self, mut reader: Reader<'_>, left: u8) -> Result<bool, Refusal> {
        let mut entries = Vec::new();
        let read = reader.map(|key, value| {
            entries.push((name(key), entry(value)?));
            Ok(())
        });
        if read.is_err() {
            return Ok(false);
        }
        if let Some((_, Entry::Bytes(report))) = entries.iter().find(|(name, _)| name == "outblob") {
            self.layer("a TSM report");
            for (name, _) in entries.iter().filter(|(name, _)| name.ends_with("blob") && name != "outblob") {
                self.beside(name.clone());
            }
            return self.or_back(report, left);
        }
        self.collection_of(&entries, left)
    }

    fn collection_of(&mut self, entries: &[(String, Entry<'_>)], left: u8) -> Result<bool, Refusal> {
        let before = self.opened.layers.len();
        self.layer("a collection of conceptual messages");
        let mut known = false;
        for (name, entry) in entries {
            let what = format!("entry {name}");
            known |= match entry {
                Entry::Record(kind, content) => self.message(&what, kind, content, left)?,
                Entry::Other(item) => self.cbor(item, left.checked_sub(1).ok_or(Refusal::TooDeep)?)?,
                Entry::Bytes(_) => false,
            };
        }
        if !known {
            self.opened.layers.truncate(before);
        }
        Ok(known)
    }

    /// Opens a conceptual message. One that is no evidence that is known is named and left.
    pub(super) fn message(&mut self, what: &str, kind: &str, content: &[u8], left: u8) -> Result<bool, Refusal> {
        let layers = self.opened.layers.len();
        self.layer(format!("{what} of type {kind}"));
        let known = self.bytes(content, left)?;
        if !known {
            self.opened.layers.truncate(layers);
            self.beside(format!("{what} of type {kind}"));
        }
        Ok(known)
    }
}

fn name(key: Key<'_>) -> String {
    match key {
        Key::Uint(number) => number.to_string(),
        Key::Nint(number) => format!("-1-{number}"),
        Key::Text(text) => crate::certificate::printable(text),
        Key::Bytes(bytes) => evidence::hex::encode(bytes),
    }
}

fn entry<'b>(value: &mut Reader<'b>) -> Result<Entry<'b>, Malformed> {
    let mut tried = value.clone();
    let encoded = value.encoded()?;
    Ok(match major(&tried) {
        Some(BYTES) => Entry::Bytes(tried.bytes()?),
        Some(ARRAY) => match record(&mut tried)? {
            Some((kind, content)) => Entry::Record(kind, content),
            None => Entry::Other(encoded),
        },
        _ => Entry::Other(encoded),
    })
}

/// A record: media type or content format, value, and perhaps what it is for.
fn record<'b>(reader: &mut Reader<'b>) -> Result<Option<(String, &'b [u8])>, Malformed> {
    let (mut index, mut kind, mut content) = (0_usize, None, None);
    reader.array(|item| {
        index = index.saturating_add(1);
        match (index, major(item)) {
            (1, Some(TEXT)) => kind = Some(crate::certificate::printable(item.text()?)),
            (1, Some(0)) => kind = Some(item.uint()?.to_string()),
            (2, Some(BYTES)) => content = Some(item.bytes()?),
            _ => item.skip()?,
        }
        Ok(())
    })?;
    Ok(kind.zip(content).filter(|_| index <= 3))
}

/// Reads the claims that tie a TLS key to a token: `{"pubkey-hash": [algorithm, hash], ? "nonce": bytes, …}`. The hash
/// must be that of `key`, a SubjectPublicKeyInfo in DER; the nonce is the answer.
pub fn bound(claims: &[u8], key: &[u8]) -> Result<Option<Vec<u8>>, Refusal> {
    let broken = |_| Refusal::Claims { why: "expected a map of them, found something else" };
    let (mut reader, mut named, mut nonce) = (reader(claims), None, None);
    reader
        .map(|name, value| {
            match name {
                Key::Text("pubkey-hash") => named = Some(key_hash(value)?),
                Key::Text("nonce") => nonce = Some(value.bytes()?.to_vec()),
                _ => value.skip()?,
            }
            Ok(())
        })
        .and_then(|()| reader.end())
        .map_err(broken)?;
    let Some((algorithm, expected)) = named else {
        return Err(Refusal::Claims { why: "expected the hash of a key, found none" });
    };
    let Some((_, algorithm)) = ALGORITHMS.iter().find(|(number, _)| *number == algorithm) else {
        return Err(Refusal::Claims {
            why: "expected the hash of a key by SHA-256, SHA-384 or SHA-512, found another",
        });
    };
    if hash(*algorithm, key) != expected {
        return Err(Refusal::Claims { why: "expected the hash of the certificate's key, found another key's" });
    }
    Ok(nonce)
}

/// `[algorithm, hash]`, in a byte string or not.
fn key_hash(value: &mut Reader<'_>) -> Result<(u64, Vec<u8>), Malformed> {
    let mut inner = if major(value) == Some(BYTES) { value.nested()?.1 } else { value.later()? };
    let (at, mut algorithm, mut digest) = (inner.at(), None, None);
    inner.array(|item| {
        match algorithm {
            None => algorithm = Some(item.uint()?),
            Some(_) => digest = Some(item.bytes()?.to_vec()),
        }
        Ok(())
    })?;
    algorithm.zip(digest).ok_or(Malformed::Type { at, expected: "an algorithm and a hash", found: "less" })
}
