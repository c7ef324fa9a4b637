//! Why something is no attestation result that is read here.

use crate::key::Fault;
use std::fmt;

/// What was expected of a result, and what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No JSON, or an object that names a member twice.
    Json(String),
    /// A member that is absent or of another type.
    Member {
        /// Which, with where it stands.
        name: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A profile that is not known.
    Profile(String),
    /// A part whose conclusion is better than its vector.
    Status {
        /// The part.
        submod: String,
        /// Its conclusion.
        status: &'static str,
        /// The worst tier of its vector.
        vector: &'static str,
    },
    /// Not a JSON Web Token in its compact form.
    Compact,
    /// A header that asks for what is not done here.
    Header(String),
    /// A signature that does not hold.
    Signature(Fault),
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(why) => write!(out, "expected an attestation result in JSON, found none: {why}"),
            Self::Member { name, expected } => write!(out, "{name}: expected {expected}"),
            Self::Profile(found) => {
                write!(out, "expected a profile of attestation results, found {}", found.escape_debug())
            }
            Self::Status { submod, status, vector } => {
                write!(out, "{}: expected a status no better than {vector}, found {status}", submod.escape_debug())
            }
            Self::Compact => out.write_str("expected a signed JSON Web Token in its compact form"),
            Self::Header(found) => write!(out, "expected a header that is understood, found {found}"),
            Self::Signature(fault) => write!(out, "expected a signature by the key, found {fault}"),
        }
    }
}

impl std::error::Error for Refusal {}
