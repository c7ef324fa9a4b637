//! Reads attestation evidence: CBOR, COSE and the claims of Arm CCA and virtCCA tokens.
//!
//! This room only reads. [`Token::parse`] turns bytes into a token whose claims stay out of reach until an
//! authenticator (the `verifier` room) has judged its signatures: see [`Token::authenticate_with`]. What people want to
//! look at before that comes from [`Token::allegations`], which can be displayed and nothing else.
//!
//! Every reader here is total: it answers a value or a [`Malformed`], never panics, and allocates no more than a small
//! multiple of its input.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod allegations;
pub mod cbor;
pub mod corim;
pub mod cose;
pub mod eventlog;
pub mod family;
pub mod hash;
pub mod hex;
pub mod key;
pub mod lifecycle;
pub mod malformed;
pub mod platform;
pub mod realm;
pub mod token;
pub mod wrapper;

pub use family::Family;
pub use hash::Hash;
pub use lifecycle::Lifecycle;
pub use malformed::Malformed;
pub use platform::PlatformClaims;
pub use realm::RealmClaims;
pub use token::{Claims, Parts, RealmHalf, Token};
