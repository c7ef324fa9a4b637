//! Images and configuration become the values that a token must show, without the machine under test.
#![forbid(unsafe_code)]

pub mod direct;
mod error;
pub mod kernel;

pub use error::Error;
