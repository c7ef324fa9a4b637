//! The RMM under test on a small machine in memory, as the Normal world and a scripted Realm see it.

extern crate allod_rmm as rmm;

mod aborts;
mod attest;
mod audit;
mod build;
mod enter;
mod exceptions;
mod fake;
mod host;
mod hostile;
mod interrupts;
mod random;
mod resources;
mod services;
mod state;
mod tables;
