//! Evidence in the certificate of a TLS server or client.

use crate::certificate::split;
use x509_cert::TbsCertificate;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::asn1::{OctetStringRef, Utf8StringRef};
use x509_cert::der::{Decode, Encode};

/// Tagged evidence (TCG DICE, as the interoperable RA-TLS of the Confidential Computing Consortium has it).
const TAGGED_EVIDENCE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.23.133.5.4.9");
/// A conceptual message wrapper (`id-pe-cmw`, draft-ietf-rats-msg-wrap).
const WRAPPER: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.1.35");
/// The token in the certificates of islet's RA-TLS.
const ISLET: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.3.3.7");

const PLACES: [(ObjectIdentifier, &str); 3] = [
    (TAGGED_EVIDENCE, "an X.509 certificate with tagged evidence (RA-TLS)"),
    (WRAPPER, "an X.509 certificate with a conceptual message wrapper"),
    (ISLET, "an X.509 certificate of islet's RA-TLS"),
];

/// What a certificate carries.
pub struct Carried {
    /// In words.
    pub name: &'static str,
    /// What is in the extension.
    pub content: Vec<u8>,
    /// The certificate's own key: a SubjectPublicKeyInfo in DER.
    pub key: Vec<u8>,
}

/// The evidence in a certificate in DER, if it is one and has any. Nothing is judged of the certificate: what counts is
/// whether the token in it is for its key.
pub fn evidence(der: &[u8]) -> Option<Carried> {
    let (signed, _, _) = split(der).ok()?;
    let inner = TbsCertificate::from_der(signed).ok()?;
    let extensions = inner.extensions()?;
    let (name, extension) = PLACES.iter().find_map(|(place, name)| {
        let mut of = extensions.iter().filter(|it| it.extn_id == *place);
        // Two of the same kind are none: nobody knows which counts.
        of.next().filter(|_| of.next().is_none()).map(|it| (*name, it))
    })?;
    let key = inner.subject_public_key_info().to_der().ok()?;
    Some(Carried { name, content: content(extension.extn_value.as_bytes()).to_vec(), key })
}

/// What stands in a text or byte string of DER, if one of these is all there is.
fn content(value: &[u8]) -> &[u8] {
    let text = || Utf8StringRef::from_der(value).map(|text| text.as_str().as_bytes());
    let bytes = <&OctetStringRef>::from_der(value).map(OctetStringRef::as_bytes);
    bytes.or_else(|_| text()).unwrap_or(value)
}
