//! What a fuzzer throws bytes at: one function for each family of foreign bytes, which panics where a promise is broken.
//!
//! Besides not panicking, readers promise to take no more memory than a small multiple of their input ([`bounds`]), to be
//! done within a second, and to read again what they have written. The same functions run under libFuzzer (`cargo xtask
//! fuzz`) and, over the committed corpora, in `cargo test`.
#![forbid(unsafe_code)]

pub mod boot;
pub mod bounds;
mod cbor;
#[path = "../../../machine/tests/model/command.rs"]
mod command;
pub mod corim;
pub mod der;
#[path = "../../../machine/tests/model/generate.rs"]
mod generate;
#[path = "../../../machine/tests/model/guest.rs"]
mod guest;
mod issuer;
pub mod log;
mod random;
pub mod rmi;
pub mod rsi;
pub mod text;
pub mod token;
#[path = "../../../machine/tests/model/world.rs"]
mod world;

/// A target: what it is called, and what takes its inputs.
pub type Target = (&'static str, fn(&[u8]));

/// Every target, by the name of its corpus.
pub const TARGETS: [Target; 8] = [
    ("boot", boot::run),
    ("corim", corim::run),
    ("der", der::run),
    ("log", log::run),
    ("rmi", rmi::run),
    ("rsi", rsi::run),
    ("text", text::run),
    ("token", token::run),
];

/// Takes the first byte of an input apart from the rest: it selects what reads that.
fn selected(input: &[u8]) -> Option<(u8, &[u8])> {
    input.split_first().map(|(selector, rest)| (*selector, rest))
}
