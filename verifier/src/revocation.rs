//! Lists of revoked certificates, as files: nothing is fetched (RFC 5280 §5).

use crate::certificate::{AUTHORITY_KEY, Certificate, Unreadable, algorithm, blocks, decoded, printable, split};
use crate::chain::moment;
use crate::key::Fault;
use evidence::cose::Algorithm;
use evidence::hex::Hex;
use std::fmt;
use x509_cert::crl::TbsCertList;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::AuthorityKeyIdentifier;
use x509_cert::time::Time;

/// Number of a list, and reasons and dates of its entries: what they say changes nothing here.
const CRL_NUMBER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.20");
const REASON: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.21");
const INVALIDITY: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.24");
const HARMLESS: [ObjectIdentifier; 3] = [CRL_NUMBER, REASON, INVALIDITY];
/// Label of a list in PEM.
const LABEL: &str = "X509 CRL";

/// A list that has been read; who signed it is not known yet.
#[derive(Clone, Debug)]
pub struct RevocationList {
    signed: Vec<u8>,
    signature: Vec<u8>,
    algorithm: Algorithm,
    issuer: Vec<u8>,
    issuer_text: String,
    authority_key: Option<Vec<u8>>,
    this_update: u64,
    next_update: Option<u64>,
    /// Numbers and the second since 1970 from which each counts.
    revoked: Vec<(Vec<u8>, u64)>,
}

/// Reads every list of a file: PEM, one or more, or one in DER.
///
/// # Errors
/// [`Unreadable`] if one of them is, or if there is none.
pub fn read_file(bytes: &[u8]) -> Result<Vec<RevocationList>, Unreadable> {
    let read = |(label, content): &(String, Vec<u8>)| match label.as_str() {
        LABEL | "" => RevocationList::read(content),
        _ => Err(Unreadable::Encoding),
    };
    blocks(bytes)?.iter().map(read).collect()
}

impl RevocationList {
    /// Reads a list in DER, to the last byte.
    ///
    /// # Errors
    /// [`Unreadable`]; also for a list of a kind that says less than it seems to (of changes, of some reasons, of other
    /// issuers): these have critical extensions.
    pub fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        let (signed, outer, signature) = split(bytes).map_err(|_| Unreadable::Encoding)?;
        let inner: TbsCertList = TbsCertList::from_der(signed).map_err(|_| Unreadable::Encoding)?;
        if inner.signature != outer {
            return Err(Unreadable::Algorithm);
        }
        let entries = inner.revoked_certificates.unwrap_or_default();
        for entry in &entries {
            understood(entry.crl_entry_extensions.as_deref().unwrap_or_default())?;
        }
        let extensions = inner.crl_extensions.unwrap_or_default();
        understood(&extensions)?;
        Ok(Self {
            signed: signed.to_vec(),
            signature,
            algorithm: algorithm(&outer)?,
            issuer: inner.issuer.to_der().map_err(|_| Unreadable::Encoding)?,
            issuer_text: printable(&inner.issuer.to_string()),
            authority_key: authority_key(&extensions)?,
            this_update: seconds(&inner.this_update),
            next_update: inner.next_update.as_ref().map(seconds),
            revoked: entries
                .iter()
                .map(|entry| (entry.serial_number.as_bytes().to_vec(), seconds(&entry.revocation_date)))
                .collect(),
        })
    }

    /// Whose certificates it is about, in words.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer_text
    }

    /// Whether it is said to be by the issuer of a certificate.
    fn concerns(&self, certificate: &Certificate, issuer: &Certificate) -> bool {
        let (name, key) = issuer.subject_name();
        let same_key = match (&self.authority_key, key) {
            (Some(named), Some(own)) => named == own,
            _ => true,
        };
        self.issuer == certificate.issuer_name() && self.issuer == name && same_key
    }

    fn verify(&self, issuer: &Certificate) -> Result<(), Fault> {
        if !issuer.may_revoke() {
            return Err(Fault::Signature);
        }
        issuer.key().verify_x509(self.algorithm, &self.signed, &self.signature)
    }

    /// First and last second since 1970 at which it holds; one that does not say until when never does.
    pub(crate) fn validity(&self) -> (u64, u64) {
        (self.this_update, self.next_update.unwrap_or(u64::MAX))
    }

    fn is_current(&self, at: u64) -> bool {
        self.this_update <= at && self.next_update.is_some_and(|next| at <= next)
    }
}

/// What the lists say of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nobody publishes a list that would say.
    Unlisted,
    /// Every certificate that a list can be about is on none.
    Good {
        /// How many certificates were looked up.
        looked_up: usize,
    },
    /// It cannot be told.
    Unknown(Vec<Unknown>),
    /// A certificate has been revoked.
    Revoked {
        /// Whose.
        subject: String,
        /// Its number, in hexadecimal.
        serial: String,
        /// Since when, in seconds since 1970.
        since: u64,
    },
}

/// Why it cannot be told whether a certificate is revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// No list of its issuer is at hand.
    NoList {
        /// Whose certificate.
        subject: String,
        /// Where the issuer publishes lists, if it says.
        published: Option<String>,
    },
    /// The list at hand does not hold at the time of verification.
    Stale {
        /// Whose list.
        issuer: String,
        /// First second.
        this_update: u64,
        /// Last second, if it says.
        next_update: Option<u64>,
    },
    /// The list at hand is not signed by the issuer that it names.
    Signature {
        /// Whose list it is said to be.
        issuer: String,
    },
}

impl fmt::Display for Unknown {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoList { subject, published: Some(address) } => {
                write!(out, "no list for {subject}; its issuer publishes one at {address}")
            }
            Self::NoList { subject, published: None } => write!(out, "no list for {subject}"),
            Self::Stale { issuer, this_update, next_update } => {
                let until = next_update.map_or_else(|| "a time that it does not say".to_string(), moment);
                write!(out, "the list of {issuer} holds from {} to {until}", moment(*this_update))
            }
            Self::Signature { issuer } => write!(out, "the list of {issuer} is not signed by it"),
        }
    }
}

/// Looks up every certificate of a path, leaf first and root last, of which the last needs none. A certificate must be
/// on a list if its issuer says where one is published, and the leaf also if any list is at hand at all. A list that is
/// out of date can revoke, and can clear nobody.
#[must_use]
pub fn standing(path: &[&Certificate], lists: &[RevocationList], at: u64) -> Standing {
    let mut looked_up = 0_usize;
    let mut unknown = Vec::new();
    for (index, (certificate, issuer)) in path.iter().zip(path.iter().skip(1)).enumerate() {
        match look_up(certificate, issuer, lists, at) {
            Found::Revoked(since) => {
                let serial = Hex(certificate.serial()).to_string();
                return Standing::Revoked { subject: certificate.subject().into(), serial, since };
            }
            Found::Good => looked_up = looked_up.saturating_add(1),
            Found::Unknown(why) => unknown.push(why),
            Found::NoList => {
                let published = certificate.revocation_list().map(str::to_string);
                if published.is_some() || (index == 0 && !lists.is_empty()) {
                    unknown.push(Unknown::NoList { subject: certificate.subject().into(), published });
                }
            }
        }
    }
    match (unknown.is_empty(), looked_up) {
        (false, _) => Standing::Unknown(unknown),
        (true, 0) => Standing::Unlisted,
        (true, looked_up) => Standing::Good { looked_up },
    }
}

/// What the lists say of one certificate.
enum Found {
    Revoked(u64),
    Good,
    Unknown(Unknown),
    NoList,
}

fn look_up(certificate: &Certificate, issuer: &Certificate, lists: &[RevocationList], at: u64) -> Found {
    let mut found = Found::NoList;
    for list in lists.iter().filter(|list| list.concerns(certificate, issuer)) {
        let said = || list.issuer_text.clone();
        if list.verify(issuer).is_err() {
            if !matches!(found, Found::Good) {
                found = Found::Unknown(Unknown::Signature { issuer: said() });
            }
            continue;
        }
        if let Some((_, since)) = list.revoked.iter().find(|(serial, _)| serial == certificate.serial()) {
            return Found::Revoked(*since);
        }
        if list.is_current(at) {
            found = Found::Good;
        } else if !matches!(found, Found::Good) {
            let (this_update, next_update) = (list.this_update, list.next_update);
            found = Found::Unknown(Unknown::Stale { issuer: said(), this_update, next_update });
        }
    }
    found
}

fn seconds(time: &Time) -> u64 {
    time.to_unix_duration().as_secs()
}

/// Refuses what is not understood and must be.
fn understood(extensions: &[Extension]) -> Result<(), Unreadable> {
    for (index, extension) in extensions.iter().enumerate() {
        if extensions.iter().take(index).any(|earlier| earlier.extn_id == extension.extn_id) {
            return Err(Unreadable::Extension);
        }
        if extension.critical && !HARMLESS.contains(&extension.extn_id) && extension.extn_id != AUTHORITY_KEY {
            return Err(Unreadable::Critical);
        }
    }
    Ok(())
}

fn authority_key(extensions: &[Extension]) -> Result<Option<Vec<u8>>, Unreadable> {
    let Some(extension) = extensions.iter().find(|it| it.extn_id == AUTHORITY_KEY) else { return Ok(None) };
    let identifier = decoded::<AuthorityKeyIdentifier>(extension.extn_value.as_bytes())?.key_identifier;
    Ok(identifier.map(|it| it.as_bytes().to_vec()))
}
