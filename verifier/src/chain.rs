//! The path from an endorsed key to a root that the caller trusts (RFC 5280 §6).

use crate::certificate::Certificate;
use crate::key::Fault;
use std::fmt;

/// Authorities between a key and its root, at most.
const MAX_AUTHORITIES: usize = 4;
/// Signatures that the search for a path verifies, at most.
const MAX_SIGNATURES: usize = 64;

/// Why no path holds: the fault of the candidate that came furthest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    /// Nobody of the issuer's name is at hand.
    NoIssuer {
        /// Whose issuer.
        subject: String,
        /// The issuer that it names.
        issuer: String,
    },
    /// Not signed by the one who is named.
    Signature {
        /// Whose signature.
        subject: String,
        /// What is wrong with it.
        fault: Fault,
    },
    /// Not valid at the time of verification.
    Validity {
        /// Whose validity.
        subject: String,
        /// First second.
        not_before: u64,
        /// Last second.
        not_after: u64,
    },
    /// An issuer that is no authority, or whose key may not sign certificates.
    NoAuthority {
        /// Whose.
        subject: String,
    },
    /// A key that may not sign tokens, or may do more than that.
    Usage {
        /// Whose.
        subject: String,
    },
    /// More authorities than one of them admits below itself, or than are followed.
    PathLength {
        /// Who admits fewer.
        subject: String,
        /// How many it admits.
        admitted: usize,
        /// How many there are, at least.
        found: usize,
    },
    /// More candidates than are tried.
    TooMany,
    /// A key without a certificate.
    NoCertificate,
}

impl fmt::Display for Broken {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoIssuer { subject, issuer } => {
                write!(out, "{subject} is issued by {issuer}, whose certificate is neither a root nor an endorsement")
            }
            Self::Signature { subject, fault } => write!(out, "{subject} has {fault}"),
            Self::Validity { subject, not_before, not_after } => {
                write!(out, "{subject} is valid from {} to {}", moment(*not_before), moment(*not_after))
            }
            Self::NoAuthority { subject } => write!(out, "{subject} is not an authority that may sign certificates"),
            Self::Usage { subject } => write!(out, "{subject} is not a key for signing tokens and them alone"),
            Self::PathLength { subject, admitted, found } => {
                write!(out, "{subject} admits {admitted} authorities below itself, there are {found}")
            }
            Self::TooMany => out.write_str("more certificates of the same names than are tried"),
            Self::NoCertificate => out.write_str("a key that no certificate is about"),
        }
    }
}

/// A time in words, from seconds since 1970.
#[must_use]
pub fn moment(seconds: u64) -> String {
    let duration = std::time::Duration::from_secs(seconds);
    x509_cert::der::DateTime::from_unix_duration(duration).map_or_else(|_| seconds.to_string(), |it| it.to_string())
}

/// Reads a time such as `2026-11-22T12:00:00Z` into seconds since 1970; anything else is `None`.
#[must_use]
pub fn seconds(text: &str) -> Option<u64> {
    text.parse::<x509_cert::der::DateTime>().ok().map(|it| it.unix_duration().as_secs())
}

/// Finds a path from `leaf` through `between` to one of `roots`, every certificate of which is valid `at`, in seconds
/// since 1970, and entitled to what it does there. The answer begins with the leaf and ends with the root, which may be
/// the leaf itself.
///
/// # Errors
/// [`Broken`].
pub fn path<'c>(
    leaf: &'c Certificate,
    between: &'c [Certificate],
    roots: &'c [Certificate],
    at: u64,
) -> Result<Vec<&'c Certificate>, Broken> {
    if !leaf.may_sign_tokens() {
        return Err(Broken::Usage { subject: leaf.subject().into() });
    }
    valid(leaf, at)?;
    if roots.iter().any(|root| root.is(leaf)) {
        return Ok(vec![leaf]);
    }
    let mut search = Search { between, roots, at, signatures: 0, furthest: None };
    let mut path = vec![leaf];
    if search.climb(&mut path) {
        return Ok(path);
    }
    let nobody = Broken::NoIssuer { subject: leaf.subject().into(), issuer: leaf.issuer().into() };
    Err(search.furthest.map_or(nobody, |(_, broken)| broken))
}

struct Search<'c> {
    between: &'c [Certificate],
    roots: &'c [Certificate],
    at: u64,
    signatures: usize,
    furthest: Option<(usize, Broken)>,
}

impl<'c> Search<'c> {
    /// Extends the path until it ends in a root; leaves it as it was if it cannot.
    fn climb(&mut self, path: &mut Vec<&'c Certificate>) -> bool {
        let Some(top) = path.last().copied() else { return false };
        let (roots, between) = (self.roots, self.between);
        let mut named = false;
        // Who names itself as its issuer leads to nobody else.
        let between = between.iter().filter(|it| !it.names_as_issuer(it));
        for (candidate, is_root) in roots.iter().map(|it| (it, true)).chain(between.map(|it| (it, false))) {
            if !top.names_as_issuer(candidate) || path.iter().any(|it| it.is(candidate)) {
                continue;
            }
            named = true;
            if let Err(broken) = self.admit(path, top, candidate) {
                self.note(path.len(), broken);
                continue;
            }
            path.push(candidate);
            if is_root || self.climb(path) {
                return true;
            }
            path.pop();
        }
        if !named {
            self.note(path.len(), Broken::NoIssuer { subject: top.subject().into(), issuer: top.issuer().into() });
        }
        false
    }

    /// Whether `issuer` may stand above `top`.
    fn admit(&mut self, path: &[&Certificate], top: &Certificate, issuer: &Certificate) -> Result<(), Broken> {
        let subject = || issuer.subject().to_string();
        if !issuer.may_certify() {
            return Err(Broken::NoAuthority { subject: subject() });
        }
        // Those below the issuer, the leaf apart (RFC 5280 §4.2.1.9).
        let below = path.len().saturating_sub(1);
        let admitted = issuer.path_length().map_or(MAX_AUTHORITIES, usize::from).min(MAX_AUTHORITIES);
        if below > admitted {
            return Err(Broken::PathLength { subject: subject(), admitted, found: below });
        }
        valid(issuer, self.at)?;
        self.signatures = self.signatures.saturating_add(1);
        if self.signatures > MAX_SIGNATURES {
            return Err(Broken::TooMany);
        }
        top.verify_signature(issuer).map_err(|fault| Broken::Signature { subject: top.subject().into(), fault })
    }

    fn note(&mut self, height: usize, broken: Broken) {
        if self.furthest.as_ref().is_none_or(|(before, _)| height > *before) {
            self.furthest = Some((height, broken));
        }
    }
}

fn valid(certificate: &Certificate, at: u64) -> Result<(), Broken> {
    let (not_before, not_after) = (certificate.not_before, certificate.not_after);
    if (not_before..=not_after).contains(&at) {
        return Ok(());
    }
    Err(Broken::Validity { subject: certificate.subject().into(), not_before, not_after })
}
