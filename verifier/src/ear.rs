//! Attestation results: a verdict in the form that relying parties read (EAR, draft-ietf-rats-ear; the vector of
//! draft-ietf-rats-ar4si §2.3).
//!
//! ```text
//! Verdict → Ear::of(verdict, …) → Ear → to_json(spelling) → claims    unsigned
//!                                     → to_jws(spelling, key) → JWT   ES256, ES384 or ES512
//!           Ear::from_json(claims), Ear::open(JWT, key)               and back
//! ```
//!
//! Nothing here is better than what was checked: a value is affirming only where every step that it stands for was done
//! and held. Two spellings of the members are in use ([`Spelling`]); both are written, and both are read.

mod claims;
mod derive;
mod json;
mod jws;
mod refusal;
mod spelling;
mod strict;
mod vector;

pub use jws::{Jws, public_jwk};
pub use refusal::Refusal;
pub use spelling::Spelling;
pub use vector::{Aspect, Tier, Vector};

use serde_json::Value;
use std::collections::BTreeMap;

/// An attestation result.
#[derive(Clone, Debug, PartialEq)]
pub struct Ear {
    /// How its members are spelled.
    pub spelling: Spelling,
    /// What the result says its form is.
    pub profile: String,
    /// When it was made, in seconds since 1970.
    pub issued_at: i64,
    /// Until when it may be used, in seconds since 1970.
    pub expires: Option<i64>,
    /// Who made it.
    pub verifier: VerifierId,
    /// What the evidence was asked for with; more than one in results of others.
    pub nonces: Vec<Vec<u8>>,
    /// The evidence as it was sent, if it is handed on.
    pub raw_evidence: Option<Vec<u8>>,
    /// What was found of each part of the attester, by its name.
    pub submods: BTreeMap<String, Appraisal>,
}

/// Who made a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierId {
    /// Whose program.
    pub developer: String,
    /// Which version of it.
    pub build: String,
}

/// What was found of a part of the attester.
#[derive(Clone, Debug, PartialEq)]
pub struct Appraisal {
    /// The conclusion: never better than the vector.
    pub status: Tier,
    /// The aspects one by one; results of others may lack it.
    pub vector: Option<Vector>,
    /// By which policies.
    pub policies: Vec<String>,
    /// Authentic claims.
    pub annotated_evidence: Option<Value>,
    /// What policies add: here the checks, with their reasons.
    pub policy_claims: Option<Value>,
}

/// What a result says beside the verdict.
#[derive(Clone, Debug)]
pub struct Context<'a> {
    /// How to spell it.
    pub spelling: Spelling,
    /// The time of verification, in seconds since 1970.
    pub at: u64,
    /// The challenge as the relying party chose it.
    pub nonce: &'a [u8],
    /// What the verdict was reached by.
    pub policy: &'a crate::Policy,
    /// The evidence, if it is to be handed on.
    pub raw_evidence: Option<&'a [u8]>,
}

impl Ear {
    /// The worst status of any part; none if there is no part.
    #[must_use]
    pub fn status(&self) -> Tier {
        self.submods.values().map(|appraisal| appraisal.status).max().unwrap_or(Tier::None)
    }
}
