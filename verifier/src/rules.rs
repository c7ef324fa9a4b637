//! Rules for event logs: what must, may and must not occur in a boot.
//!
//! A rules file (TOML, profile `allod-boot-rules-1`) lists, register by register and in order, every event that is
//! admitted. It fails closed: an event that no rule admits, a rule that no event meets, one event too many, one that
//! differs, one in the wrong place, and data that is not what its digest is over, are each a [`Finding`].
//!
//! Order is only ever compared within a register: nothing that is measured says how events of two registers lie.

mod check;
mod draft;
mod file;
mod finding;
pub mod huawei;
mod pattern;
mod rule;

pub use check::Report;
pub use draft::draft;
pub use file::Unusable;
pub use finding::Finding;
pub use rule::{Rule, Times};

use evidence::eventlog::Algorithm;

/// The value of `profile` in a rules file of this form.
pub const PROFILE: &str = "allod-boot-rules-1";
/// Bytes of a rules file that are read, at most.
pub const MAX_FILE: usize = 1024 * 1024;

/// What a boot may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The algorithm of the digests.
    pub hash: Algorithm,
    /// The rules, in the order in which events of one register have to meet them.
    pub rules: Vec<Rule>,
}

#[cfg(test)]
mod tests;
