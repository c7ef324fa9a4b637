//! The Normal world's side of a Realm: what to build, building it, and running it.
//!
//! [`plan::plan`] turns images and a [`config::Config`] into one list of steps. The host on the bare machine executes
//! that list, `machine` replays it, and `measure` folds it into the Realm Initial Measurement, so that the three cannot
//! drift apart.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod config;
pub mod dtb;
mod error;
pub mod image;
pub mod plan;
pub mod vmm;

pub use error::Error;
