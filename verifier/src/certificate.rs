//! X.509 certificates as far as a platform's endorsements use them (RFC 5280).

use crate::huawei;
use crate::key::{Fault, Key, sha256};
use abi::endorsement::{CCA_IDENTITY_OID, read_cca_identity};
use base64ct::{Base64, Encoding};
use evidence::cose::Algorithm;
use std::fmt;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::{self, Decode, Encode, Reader, SliceReader};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::name::{DistributionPointName, GeneralName};
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, CrlDistributionPoints, KeyUsage, SubjectKeyIdentifier,
};
use x509_cert::{AlgorithmIdentifier, TbsCertificate, Version};

const ECDSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const ECDSA_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3");
const ECDSA_SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.4");
const RSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");
const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");
const KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");
const SUBJECT_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.14");
const REVOCATION_LISTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.31");
pub(crate) const AUTHORITY_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.35");
const CCA_IDENTITY: ObjectIdentifier = ObjectIdentifier::new_unwrap(CCA_IDENTITY_OID);

/// Bytes of a certificate file that are read, at most.
pub(crate) const MAX_FILE: usize = 256 * 1024;

/// Why bytes are not a certificate that can be used here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// Not PEM, not DER, or something else than certificates.
    Encoding,
    /// Not version 3.
    Version,
    /// An algorithm other than ECDSA with SHA-2 or RSA with SHA-256, or two that differ.
    Algorithm,
    /// A key that cannot be used.
    Key(Fault),
    /// An extension that occurs twice or does not decode.
    Extension,
    /// A critical extension that is not understood.
    Critical,
    /// The name of one of Huawei's authorities on another certificate.
    Impostor,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encoding => out.write_str("expected X.509 certificates in PEM or DER, found something else"),
            Self::Version => out.write_str("expected a certificate of version 3, found another"),
            Self::Algorithm => {
                out.write_str("expected ECDSA with SHA-2 or RSA with SHA-256, found another signature algorithm")
            }
            Self::Key(fault) => write!(out, "expected a key on P-256, P-384 or P-521 or of RSA, found {fault}"),
            Self::Extension => out.write_str("expected extensions that decode and occur once, found another"),
            Self::Critical => out.write_str("expected no unknown critical extension, found one"),
            Self::Impostor => out.write_str("expected Huawei's own certificate, found another under its name"),
        }
    }
}

impl std::error::Error for Unreadable {}

/// Which platform a CPAK certificate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its design.
    pub implementation_id: [u8; 32],
    /// Which one of that design.
    pub instance_id: [u8; 33],
}

/// A certificate that has been read; who signed it is not known yet.
#[derive(Clone, Debug)]
pub struct Certificate {
    signed: Vec<u8>,
    signature: Vec<u8>,
    algorithm: Algorithm,
    fingerprint: [u8; 32],
    serial: Vec<u8>,
    key: Key,
    subject: Vec<u8>,
    issuer: Vec<u8>,
    subject_text: String,
    issuer_text: String,
    /// First second of its validity, in seconds since 1970.
    pub not_before: u64,
    /// Last second of its validity, in seconds since 1970.
    pub not_after: u64,
    authority: bool,
    path_length: Option<u8>,
    usage: Option<KeyUsage>,
    subject_key: Option<Vec<u8>>,
    authority_key: Option<Vec<u8>>,
    identity: Option<Identity>,
    revocation_list: Option<String>,
}

/// Reads every certificate of a file: PEM, one or more, or one in DER.
///
/// # Errors
/// [`Unreadable`] if one of them is, or if there is none.
pub fn read_file(bytes: &[u8]) -> Result<Vec<Certificate>, Unreadable> {
    let read = |(label, content): &(String, Vec<u8>)| match label.as_str() {
        LABEL | "" => Certificate::read(content),
        _ => Err(Unreadable::Encoding),
    };
    blocks(bytes)?.iter().map(read).collect()
}

/// Label of a certificate in PEM.
pub(crate) const LABEL: &str = "CERTIFICATE";

/// Splits a file into what it holds in DER, each with its label in PEM; DER itself has none.
pub(crate) fn blocks(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, Unreadable> {
    const BEGIN: &str = "-----BEGIN ";
    if bytes.len() > MAX_FILE {
        return Err(Unreadable::Encoding);
    }
    if bytes.first() == Some(&0x30) {
        return Ok(vec![(String::new(), bytes.to_vec())]);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Unreadable::Encoding)?;
    let starts: Vec<usize> = text.match_indices(BEGIN).map(|(at, _)| at).collect();
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    let blocks = starts.iter().zip(ends).map(|(start, end)| text.get(*start..end).unwrap_or_default());
    let blocks = blocks.map(block).collect::<Result<Vec<_>, _>>()?;
    if blocks.is_empty() { Err(Unreadable::Encoding) } else { Ok(blocks) }
}

/// Reads one block: its label, and its base64 in lines of any length, as others write them (RFC 7468 §3, laxly). What
/// follows it is explanatory text (§2) and no part of it.
fn block(text: &str) -> Result<(String, Vec<u8>), Unreadable> {
    const BEGIN: &str = "-----BEGIN ";
    const DASHES: &str = "-----";
    let (label, rest) = text.strip_prefix(BEGIN).and_then(|it| it.split_once(DASHES)).ok_or(Unreadable::Encoding)?;
    let end = format!("-----END {label}-----");
    let (body, _) = rest.split_once(&end).ok_or(Unreadable::Encoding)?;
    let base64: String = body.split_ascii_whitespace().collect();
    let content = Base64::decode_vec(&base64).map_err(|_| Unreadable::Encoding)?;
    Ok((label.to_string(), content))
}

impl Certificate {
    /// Reads a certificate in DER, to the last byte.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        let (signed, outer, signature) = split(bytes).map_err(|_| Unreadable::Encoding)?;
        let inner = TbsCertificate::from_der(signed).map_err(|_| Unreadable::Encoding)?;
        if inner.version() != Version::V3 {
            return Err(Unreadable::Version);
        }
        if inner.signature() != &outer {
            return Err(Unreadable::Algorithm);
        }
        let algorithm = algorithm(&outer)?;
        let info = inner.subject_public_key_info().to_der().map_err(|_| Unreadable::Encoding)?;
        let extensions = Extensions::read(inner.extensions().map_or(&[], Vec::as_slice))?;
        let certificate = Self {
            signed: signed.to_vec(),
            signature,
            algorithm,
            fingerprint: sha256(bytes),
            serial: inner.serial_number().as_bytes().to_vec(),
            key: Key::from_info(&info).map_err(Unreadable::Key)?,
            subject: inner.subject().to_der().map_err(|_| Unreadable::Encoding)?,
            issuer: inner.issuer().to_der().map_err(|_| Unreadable::Encoding)?,
            subject_text: printable(&inner.subject().to_string()),
            issuer_text: printable(&inner.issuer().to_string()),
            not_before: inner.validity().not_before.to_unix_duration().as_secs(),
            not_after: inner.validity().not_after.to_unix_duration().as_secs(),
            authority: extensions.constraints.as_ref().is_some_and(|it| it.ca),
            path_length: extensions.constraints.and_then(|it| it.path_len_constraint),
            usage: extensions.usage,
            subject_key: extensions.subject_key,
            authority_key: extensions.authority_key,
            identity: extensions.identity,
            revocation_list: extensions.revocation_list,
        };
        if huawei::is_impostor(&certificate) { Err(Unreadable::Impostor) } else { Ok(certificate) }
    }

    /// The key that it certifies.
    #[must_use]
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// Which platform it is for, if it is a CPAK's.
    #[must_use]
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// Whom it is for, in words.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject_text
    }

    /// Who is said to have signed it, in words.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer_text
    }

    /// SHA-256 of the certificate in DER.
    #[must_use]
    pub fn fingerprint(&self) -> &[u8; 32] {
        &self.fingerprint
    }

    /// Its number among those of its issuer, big endian.
    #[must_use]
    pub fn serial(&self) -> &[u8] {
        &self.serial
    }

    /// The name of its issuer in DER.
    #[must_use]
    pub(crate) fn issuer_name(&self) -> &[u8] {
        &self.issuer
    }

    /// The name of its subject in DER, and the identifier of its key if it gives one.
    #[must_use]
    pub(crate) fn subject_name(&self) -> (&[u8], Option<&[u8]>) {
        (&self.subject, self.subject_key.as_deref())
    }

    /// Where its issuer says that a list of revoked certificates is published, if it says so.
    #[must_use]
    pub fn revocation_list(&self) -> Option<&str> {
        self.revocation_list.as_deref()
    }

    /// Whether it claims to be an authority.
    #[must_use]
    pub fn is_authority(&self) -> bool {
        self.authority
    }

    /// Whether it may sign lists of revoked certificates (RFC 5280 §4.2.1.3).
    #[must_use]
    pub fn may_revoke(&self) -> bool {
        self.authority && self.usage.is_some_and(|usage| usage.crl_sign())
    }

    /// Whether it may sign other certificates (RFC 5280 §4.2.1.3, §4.2.1.9).
    #[must_use]
    pub fn may_certify(&self) -> bool {
        self.authority && self.usage.is_some_and(|usage| usage.key_cert_sign())
    }

    /// Whether its key may sign tokens and only tokens.
    #[must_use]
    pub fn may_sign_tokens(&self) -> bool {
        !self.authority && self.usage.is_some_and(|usage| usage.digital_signature() && !usage.key_cert_sign())
    }

    /// How many authorities may stand between it and an end, if it says.
    #[must_use]
    pub fn path_length(&self) -> Option<u8> {
        self.path_length
    }

    /// Whether `issuer` is the one that this certificate names: by name, and by key identifier where both give one.
    #[must_use]
    pub fn names_as_issuer(&self, issuer: &Self) -> bool {
        let same_key = match (&self.authority_key, &issuer.subject_key) {
            (Some(named), Some(own)) => named == own,
            _ => true,
        };
        self.issuer == issuer.subject && same_key
    }

    /// Whether the signature is by `issuer`'s key, with the algorithm that this key dictates.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn verify_signature(&self, issuer: &Self) -> Result<(), Fault> {
        issuer.key.verify_x509(self.algorithm, &self.signed, &self.signature)
    }

    /// Whether both are one and the same.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.signed == other.signed && self.signature == other.signature
    }
}

/// Takes a certificate or a list of revoked ones apart without encoding any of it again: the signed bytes are those that
/// were sent.
pub(crate) fn split(bytes: &[u8]) -> der::Result<(&[u8], AlgorithmIdentifier, Vec<u8>)> {
    let mut reader = SliceReader::new(bytes)?;
    let parts = reader.sequence(|inner| {
        let signed = inner.tlv_bytes()?;
        let algorithm = AlgorithmIdentifier::decode(inner)?;
        let signature = der::asn1::BitStringRef::decode(inner)?;
        let whole = signature.as_bytes().ok_or(der::ErrorKind::Failed)?;
        Ok::<_, der::Error>((signed, algorithm, whole.to_vec()))
    })?;
    reader.finish()?;
    Ok(parts)
}

/// Reads a signature algorithm. Of RSA there is one in certificates and another one in tokens, which stands for both.
pub(crate) fn algorithm(found: &AlgorithmIdentifier) -> Result<Algorithm, Unreadable> {
    let parameters = found.parameters.as_ref();
    match found.oid {
        ECDSA_SHA256 if parameters.is_none() => Ok(Algorithm::Es256),
        ECDSA_SHA384 if parameters.is_none() => Ok(Algorithm::Es384),
        ECDSA_SHA512 if parameters.is_none() => Ok(Algorithm::Es512),
        RSA_SHA256 if parameters.is_some_and(der::asn1::Any::is_null) => Ok(Algorithm::Ps256),
        _ => Err(Unreadable::Algorithm),
    }
}

/// The extensions that are understood.
#[derive(Default)]
struct Extensions {
    constraints: Option<BasicConstraints>,
    usage: Option<KeyUsage>,
    subject_key: Option<Vec<u8>>,
    authority_key: Option<Vec<u8>>,
    identity: Option<Identity>,
    revocation_list: Option<String>,
}

impl Extensions {
    fn read(list: &[Extension]) -> Result<Self, Unreadable> {
        let mut found = Self::default();
        for (index, extension) in list.iter().enumerate() {
            if list.iter().take(index).any(|earlier| earlier.extn_id == extension.extn_id) {
                return Err(Unreadable::Extension);
            }
            found.take(extension)?;
        }
        Ok(found)
    }

    fn take(&mut self, extension: &Extension) -> Result<(), Unreadable> {
        let value = extension.extn_value.as_bytes();
        match extension.extn_id {
            BASIC_CONSTRAINTS => self.constraints = Some(decoded(value)?),
            KEY_USAGE => self.usage = Some(decoded(value)?),
            SUBJECT_KEY => self.subject_key = Some(decoded::<SubjectKeyIdentifier>(value)?.0.as_bytes().to_vec()),
            AUTHORITY_KEY => {
                let identifier = decoded::<AuthorityKeyIdentifier>(value)?.key_identifier;
                self.authority_key = identifier.map(|it| it.as_bytes().to_vec());
            }
            REVOCATION_LISTS => self.revocation_list = Some(address(&decoded(value)?)),
            CCA_IDENTITY => {
                let (implementation_id, instance_id) = read_cca_identity(value).ok_or(Unreadable::Extension)?;
                self.identity = Some(Identity { implementation_id, instance_id });
            }
            _ if extension.critical => return Err(Unreadable::Critical),
            _ => {}
        }
        Ok(())
    }
}

/// The first address at which a list is published, in words.
fn address(points: &CrlDistributionPoints) -> String {
    let names = points.0.iter().filter_map(|point| match &point.distribution_point {
        Some(DistributionPointName::FullName(names)) => Some(names),
        _ => None,
    });
    let found = names.flatten().find_map(|name| match name {
        GeneralName::UniformResourceIdentifier(address) => Some(printable(address.as_str())),
        _ => None,
    });
    found.unwrap_or_else(|| "an address that is not given".to_string())
}

pub(crate) fn decoded<'a, T: Decode<'a>>(value: &'a [u8]) -> Result<T, Unreadable> {
    T::from_der(value).map_err(|_| Unreadable::Extension)
}

/// A name without what could steer a terminal.
pub(crate) fn printable(name: &str) -> String {
    name.chars().map(|it| if it.is_control() { char::REPLACEMENT_CHARACTER } else { it }).collect()
}
