//! Judges attestation evidence: evidence + endorsements + references + policy → verdict.
//!
//! The stages are types, so that to forget one does not compile:
//!
//! ```text
//! evidence::Token::parse(bytes)                 well formed; no claim can be read
//!     .authenticate(&anchors, &nonce, at)       whose it is, and that it is fresh   → Authentic
//!     .appraise(&references, &policy)           whether it is what was expected     → Verdict
//! ```
//!
//! [`verify()`] runs them all. Every step is recorded as a [`Check`] with what was expected and found; one that could not
//! be done is recorded as that, and keeps the verdict from affirming. This room reads no file and asks no clock.
#![forbid(unsafe_code)]

pub mod anchor_file;
pub mod anchors;
pub mod appraise;
pub mod authenticate;
mod cache;
pub mod certificate;
pub mod chain;
pub mod check;
mod components;
pub mod ear;
pub mod envelope;
pub mod huawei;
pub mod key;
pub mod log;
pub mod policy;
pub mod reference;
pub mod rego;
pub mod replay;
pub mod revocation;
pub mod rules;
pub mod test_keys;
pub mod verdict;
pub mod verify;

pub use anchors::{Anchors, Wanted};
pub use authenticate::{Authentic, Authenticate, Nonce, Refused};
pub use check::{Check, Status, Step};
pub use policy::Policy;
pub use reference::References;
pub use verdict::{Applied, Outcome, Verdict};
pub use verify::{Case, verify, verify_with_log};
