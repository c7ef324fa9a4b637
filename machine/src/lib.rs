//! The same machine in software: memory with granule protection, TLBs that forget nothing unless told to, CPUs as
//! threads, scripted Realms; on it the monitor, the RMM and the host that ship.
//!
//! [`Board`] is what a machine is made of, [`Machine`] is one boot of it. A call of the Normal world goes the way it goes
//! on the processor: [`Machine::call`] → `monitor` → `rmm` → back. What firmware must never do (touch a granule of another
//! world, hold one granule twice, give away one that is not wiped) panics here.
#![forbid(unsafe_code)]

pub mod board;
mod el2;
mod el3;
pub mod guest;
pub mod identity;
mod inspect;
pub mod machine;
mod mmu;
pub mod model;
mod normal;

pub use board::{Board, Fault, World};
pub use guest::{Event, Op, Program};
pub use identity::Identity;
pub use machine::Machine;

#[cfg(test)]
mod tests;
