//! Images and configuration become the values that a token must show, without the machine under test.
#![forbid(unsafe_code)]

pub mod direct;
mod error;
pub mod kernel;
pub mod platform;

pub use error::Error;

/// Profile of the reference files that this crate writes: one JSON object with parts `realm` and `platform`.
pub const PROFILE: &str = "allod-reference-1";
