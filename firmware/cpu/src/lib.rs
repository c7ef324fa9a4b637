//! The processor and the few devices that every firmware image drives, in small sound pieces.
//!
//! UNSAFETY: system registers, device registers, translation tables and page copies exist below what Rust can see.
//! Each unsafe block says who guarantees what it relies on.
#![no_std]

pub mod barrier;
pub mod gic;
pub mod guarded;
pub mod lock;
pub mod mmio;
pub mod page;
pub mod power;
pub mod register;
pub mod sha2;
pub mod stage1;
pub mod tlb;
pub mod uart;
pub mod vectors;
