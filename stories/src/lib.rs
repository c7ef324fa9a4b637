//! What whole-system tests share: a small kernel in name only, a machine in software that runs it, and what a Realm says.
#![forbid(unsafe_code)]

pub mod realm;
pub mod reference;
pub mod run;
