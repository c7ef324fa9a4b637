//! Signed CoRIMs (draft-ietf-rats-corim, 4.2): COSE_Sign1 around an unsigned one.

use super::encode::Encoder;
use super::read::{content, first_tags, validity};
use super::{Corim, MAX_CORIM, Refusal, TAG_OLD_CHOICE, TAG_OLD_SIGNED, TAG_URI, Validity};
use crate::cbor::{Key, Reader};
use crate::cose::{Algorithm, Sign1};
use crate::malformed::Malformed;
use abi::claim::{ALG_ES256, ALG_ES384, ALG_ES512, TAG_COSE_SIGN1};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

/// Header parameters (RFC 9052 §3.1; draft-ietf-rats-corim, 4.2.1; RFC 9597).
const ALG: u64 = 1;
const CONTENT_TYPE: u64 = 3;
const KID: u64 = 4;
const CORIM_META: u64 = 8;
const CWT_CLAIMS: u64 = 15;

/// What is written as content type.
const RIM_CBOR: &str = "application/rim+cbor";
/// What older tools write.
const OLD_UNSIGNED: &str = "application/corim-unsigned+cbor";

/// Who says to have signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// A name.
    pub name: String,
    /// An address.
    pub uri: Option<String>,
    /// When the signature is valid, if it says.
    pub validity: Option<Validity>,
}

/// A signed CoRIM of which the signature has not been judged; its content cannot be had yet.
#[derive(Clone, Debug)]
pub struct Signed<'b> {
    cose: Sign1<'b>,
    content_type: &'b str,
    kid: Option<&'b [u8]>,
    signer: Signer,
}

#[derive(Default)]
struct Header<'b> {
    content_type: Option<&'b str>,
    kid: Option<&'b [u8]>,
    name: Option<String>,
    uri: Option<String>,
    validity: Option<Validity>,
}

impl<'b> Signed<'b> {
    /// Takes a signed CoRIM apart, to its last byte, without looking into its content.
    ///
    /// # Errors
    /// [`Refusal`] if it is none, or if its header does not say what it must.
    pub fn parse(bytes: &'b [u8]) -> Result<Self, Refusal> {
        if bytes.len() > MAX_CORIM {
            return Err(Refusal::TooLong { limit: MAX_CORIM, found: bytes.len() });
        }
        let tags = first_tags(bytes);
        if !tags.contains(&TAG_COSE_SIGN1) {
            return Err(Refusal::Signed { found: false });
        }
        let mut reader = Reader::new(bytes, 0);
        for _ in tags.iter().take_while(|tag| matches!(**tag, TAG_OLD_CHOICE | TAG_OLD_SIGNED)) {
            reader.tag()?;
        }
        let cose = Sign1::read(reader)?;
        let mut header = Header::default();
        let mut protected = cose.protected().admitting_indefinite();
        protected.map_with(|key, value| header.take(key, value))?;
        protected.end()?;
        let content_type = header.content_type.ok_or(Refusal::ContentType { found: String::new() })?;
        let name = header.name.ok_or(Refusal::NoSignerName)?;
        let signer = Signer { name, uri: header.uri, validity: header.validity };
        Ok(Self { cose, content_type, kid: header.kid, signer })
    }

    /// The algorithm that the header names: an allegation, to be compared with the key's.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.cose.algorithm()
    }

    /// The name of the key that the header gives, an allegation too.
    #[must_use]
    pub fn kid(&self) -> Option<&'b [u8]> {
        self.kid
    }

    /// Hands the algorithm, the signed bytes and the signature to a judge, and the content over if the judge is
    /// content.
    ///
    /// # Errors
    /// What the judge answers, else what [`Corim::parse`] would.
    pub fn authenticate_with<E: From<Refusal>>(
        self,
        judge: impl FnOnce(Algorithm, &[u8], &[u8]) -> Result<(), E>,
    ) -> Result<(Corim, Signer), E> {
        judge(self.cose.algorithm(), &self.cose.signed_bytes(), self.cose.signature())?;
        let corim = self.open()?;
        Ok((corim, self.signer))
    }

    /// Signer and content for people to look at, with nothing said about their truth.
    #[must_use]
    pub fn allegations(&self) -> Allegations<'_, 'b> {
        Allegations(self)
    }

    fn open(&self) -> Result<Corim, Refusal> {
        let corim = content(self.cose.payload().admitting_indefinite())?;
        if let (Some(outside), Some(inside)) = (profile_parameter(self.content_type), &corim.profile)
            && outside != inside
        {
            return Err(Refusal::ProfileOutside { outside: outside.to_string(), inside: inside.clone() });
        }
        Ok(corim)
    }
}

impl<'b> Header<'b> {
    fn take(&mut self, key: Key<'b>, value: &mut Reader<'b>) -> Result<(), Refusal> {
        match key {
            Key::Uint(CONTENT_TYPE) => self.content_type = Some(content_type(value.text()?)?),
            Key::Uint(KID) => self.kid = Some(value.bytes()?),
            Key::Uint(CORIM_META) => {
                let mut meta = value.nested()?.1;
                meta.map_with(|key, value| self.meta(key, value))?;
                meta.end()?;
            }
            Key::Uint(CWT_CLAIMS) => value.map_with(|key, value| self.claim(key, value))?,
            _ => value.skip()?,
        }
        Ok(())
    }

    /// Takes an entry of corim-meta.
    fn meta(&mut self, key: Key<'b>, value: &mut Reader<'b>) -> Result<(), Refusal> {
        match key {
            Key::Uint(0) => value.map_with(|key, value| self.signer(key, value)),
            Key::Uint(1) => self.limit(validity(value)?),
            _ => Ok(value.skip()?),
        }
    }

    fn signer(&mut self, key: Key<'b>, value: &mut Reader<'b>) -> Result<(), Refusal> {
        match key {
            Key::Uint(0) => self.name = Some(value.text()?.to_string()),
            Key::Uint(1) => {
                let at = value.at();
                let found = value.tag()?;
                if found != TAG_URI {
                    return Err(Malformed::Tag { at, expected: "32 (URI)", found }.into());
                }
                self.uri = Some(value.text()?.to_string());
            }
            _ => value.skip()?,
        }
        Ok(())
    }

    /// Takes a CWT claim that stands for a part of corim-meta: issuer, expiry, beginning.
    fn claim(&mut self, key: Key<'b>, value: &mut Reader<'b>) -> Result<(), Refusal> {
        match key {
            Key::Uint(1) => self.name = Some(value.text()?.to_string()),
            Key::Uint(4) => self.limit(Validity { not_before: None, not_after: value.uint()? })?,
            Key::Uint(5) => self.limit(Validity { not_before: Some(value.uint()?), not_after: u64::MAX })?,
            _ => value.skip()?,
        }
        Ok(())
    }

    /// Narrows the validity.
    fn limit(&mut self, more: Validity) -> Result<(), Refusal> {
        let old = self.validity.unwrap_or(Validity { not_before: None, not_after: u64::MAX });
        let joined =
            Validity { not_before: old.not_before.max(more.not_before), not_after: old.not_after.min(more.not_after) };
        if joined.not_before.is_some_and(|start| start > joined.not_after) {
            return Err(Refusal::Validity);
        }
        self.validity = Some(joined);
        Ok(())
    }
}

fn content_type(text: &str) -> Result<&str, Refusal> {
    let kind = text.split(';').next().unwrap_or_default().trim();
    if kind == RIM_CBOR || kind == OLD_UNSIGNED {
        return Ok(text);
    }
    Err(Refusal::ContentType { found: text.to_string() })
}

/// The profile that a content type names as its parameter.
fn profile_parameter(content_type: &str) -> Option<&str> {
    let parameters = content_type.split(';').skip(1);
    parameters.filter_map(|it| it.trim().strip_prefix("profile=")).map(|it| it.trim_matches('"')).next()
}

/// Signer and content of a CoRIM that can be displayed and nothing else.
pub struct Allegations<'s, 'b>(&'s Signed<'b>);

impl fmt::Display for Allegations<'_, '_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Signed { cose, kid, signer, .. } = self.0;
        writeln!(out, "signed    algorithm          {}", cose.algorithm())?;
        writeln!(out, "          by                 {}", signer.name.escape_debug())?;
        if let Some(uri) = &signer.uri {
            writeln!(out, "          of                 {}", uri.escape_debug())?;
        }
        if let Some(kid) = kid {
            writeln!(out, "          key id             {}", kid.escape_ascii())?;
        }
        if let Some(validity) = signer.validity {
            writeln!(out, "          valid              {validity}")?;
        }
        match self.0.open() {
            Ok(corim) => corim.fmt(out),
            Err(refusal) => writeln!(out, "content   cannot be read: {refusal}"),
        }
    }
}

/// A CoRIM with the header that is to be signed along with it.
#[derive(Clone, Debug)]
pub struct ToBeSigned {
    protected: Vec<u8>,
    payload: Vec<u8>,
}

impl ToBeSigned {
    /// Takes an unsigned CoRIM as it is.
    ///
    /// # Errors
    /// What [`Corim::parse`] says of it: what nobody would read is not signed.
    pub fn new(corim: &[u8], algorithm: Algorithm, kid: Option<&[u8]>, signer: &Signer) -> Result<Self, Refusal> {
        Corim::parse(corim)?;
        let mut header = Encoder::default();
        header.map(3 + u64::from(kid.is_some()));
        header.uint(ALG);
        header.int(match algorithm {
            Algorithm::Es256 => ALG_ES256,
            Algorithm::Es384 => ALG_ES384,
            Algorithm::Es512 => ALG_ES512,
            found => return Err(Refusal::SignatureAlgorithm { found }),
        });
        header.uint(CONTENT_TYPE);
        header.text(RIM_CBOR);
        if let Some(kid) = kid {
            header.uint(KID);
            header.bytes(kid);
        }
        header.uint(CORIM_META);
        header.bytes(&meta(signer));
        Ok(Self { protected: header.finish(), payload: corim.to_vec() })
    }

    /// The bytes to sign: the Sig_structure with an empty external_aad (RFC 9052 §4.4).
    #[must_use]
    pub fn signed_bytes(&self) -> Vec<u8> {
        let mut bytes = Encoder::default();
        bytes.array(4);
        bytes.text("Signature1");
        bytes.bytes(&self.protected);
        bytes.bytes(&[]);
        bytes.bytes(&self.payload);
        bytes.finish()
    }

    /// Puts the signature in: two big-endian numbers of the curve's size (RFC 9053 §2.1).
    #[must_use]
    pub fn finish(&self, signature: &[u8]) -> Vec<u8> {
        let mut bytes = Encoder::default();
        bytes.tag(TAG_COSE_SIGN1);
        bytes.array(4);
        bytes.bytes(&self.protected);
        bytes.map(0);
        bytes.bytes(&self.payload);
        bytes.bytes(signature);
        bytes.finish()
    }
}

fn meta(signer: &Signer) -> Vec<u8> {
    let mut meta = Encoder::default();
    meta.map(1 + u64::from(signer.validity.is_some()));
    meta.uint(0);
    meta.map(1 + u64::from(signer.uri.is_some()));
    meta.uint(0);
    meta.text(&signer.name);
    if let Some(uri) = &signer.uri {
        meta.uint(1);
        meta.tag(TAG_URI);
        meta.text(uri);
    }
    if let Some(validity) = signer.validity {
        meta.uint(1);
        meta.validity(validity);
    }
    meta.finish()
}
