//! Images and configuration become the values that a token must show, without the machine under test.
#![forbid(unsafe_code)]

pub mod blob;
pub mod direct;
mod error;
pub mod kernel;
pub mod launch;
pub mod platform;
pub mod rim;
pub mod virtcca;
pub mod vmm;

pub use direct::Expected;
pub use error::Error;

/// Profile of the reference files that this crate writes: one JSON object with parts `realm` and `platform`.
pub const PROFILE: &str = "allod-reference-1";
