//! The root of trust: what `boot` measures, verifies, derives and signs, and what is manufactured for it.
//!
//! `firmware/boot` runs these functions on the bare machine; `allod platform` makes their inputs (OTP, signed images,
//! machine configuration) and `measure` computes their outputs from built files.
#![no_std]
#![forbid(unsafe_code)]

pub mod boot;
pub mod config;
pub mod handover;
pub mod image;
pub mod kdf;
pub mod key;
pub mod measurement;
pub mod otp;
pub mod refusal;
pub mod token;
pub mod version;

pub use refusal::Refusal;
