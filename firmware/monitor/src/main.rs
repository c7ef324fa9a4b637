//! The monitor on the processor: EL3, from boot's hand-over to the world switch.
//!
//! UNSAFETY: it writes every register that separates the worlds, reads what boot left in memory, and is entered by
//! exceptions. Decisions are made in the `monitor` crate, which has none of this.
#![no_std]
#![no_main]

mod cold;
mod console;
mod critical;
mod el2;
mod fault;
mod interrupts;
mod machine;
mod mmu;
mod percpu;
mod place;
mod protection;
#[cfg(feature = "measure-signing")]
mod signing;
mod smc;
mod start;
mod wipe;
mod worlds;
