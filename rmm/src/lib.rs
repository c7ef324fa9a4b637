//! allod-rmm
#![no_std]
#![forbid(unsafe_code)]

pub mod address;
pub mod granule;
pub mod platform;
pub mod rec;
