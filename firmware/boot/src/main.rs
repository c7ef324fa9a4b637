//! Boot: the first code of the machine and its root of trust for measurement.
//!
//! It runs in flash 0 at EL3 on CPU 0 (the others sleep), takes monitor and RMM out of flash, verifies and measures the
//! copies, derives the platform's keys, signs the platform token, and leaves the monitor nothing but the Realm
//! attestation key, that token and the machine's configuration (docs/architecture.md §2 and §3).
//!
//! UNSAFETY: entry and exit in assembly; flash and secure RAM are addresses that only this image, alone on one CPU, uses.
#![no_std]
#![no_main]

mod clock;
mod console;
mod entry;
mod flash;
mod memory;
mod stages;
