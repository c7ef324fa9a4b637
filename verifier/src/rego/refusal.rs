//! Why a policy says nothing that counts.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a policy cannot be used, or gives no decision. Each contraindicates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// More bytes than are read.
    TooLong {
        /// How many are read.
        limit: usize,
        /// How many there are.
        found: usize,
    },
    /// Brackets within brackets deeper than any policy needs.
    TooDeep {
        /// The most that are read.
        limit: usize,
    },
    /// Not UTF-8.
    Text,
    /// Not Rego.
    Syntax(String),
    /// A policy of another package.
    Package {
        /// Its package.
        found: String,
    },
    /// `allow` has no value.
    Undefined,
    /// A rule with a value of another type than it has to have.
    Kind {
        /// The rule.
        rule: String,
        /// The type it has to have.
        expected: String,
        /// What came out.
        found: String,
    },
    /// `may_miss` names no step.
    Step {
        /// What it names.
        found: String,
    },
    /// More reasons, or longer ones, than are read.
    Verbose {
        /// The rule.
        rule: String,
    },
    /// An error while it was evaluated: a built-in function that was called wrongly, two values of one rule, and so on.
    Error(String),
    /// It took too long.
    Time {
        /// How long it may take, in milliseconds.
        limit: u64,
    },
    /// It took too much memory.
    Memory {
        /// How much it may take, in bytes.
        limit: u64,
    },
    /// It is nested, or recurs, deeper than the stack.
    Depth,
    /// It could not be evaluated: where, or how that ended.
    NotRun(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooDeep { limit } => write!(out, "expected at most {limit} brackets within each other, found more"),
            Self::TooLong { limit, found } => write!(out, "expected at most {limit} bytes, found {found}"),
            Self::Text => out.write_str("expected text in UTF-8"),
            Self::Syntax(why) => write!(out, "expected Rego: {why}"),
            Self::Package { found } => write!(out, "expected package {}, found {found}", super::PACKAGE),
            Self::Undefined => out.write_str("allow is undefined: say `default allow := false`"),
            Self::Kind { rule, expected, found } => write!(out, "{rule}: expected {expected}, found {found}"),
            Self::Step { found } => write!(out, "may_miss: expected the name of a step, found {found}"),
            Self::Verbose { rule } => write!(out, "{rule}: expected a few reasons of a few lines, found more"),
            Self::Error(why) => write!(out, "error: {why}"),
            Self::Time { limit } => write!(out, "expected a decision within {limit} ms, found none"),
            Self::Memory { limit } => {
                write!(out, "expected a decision within {} MiB of memory, found none", limit >> 20)
            }
            Self::Depth => out.write_str("expected a decision within the depth of the stack, found none"),
            Self::NotRun(why) => write!(out, "could not be evaluated: {why}"),
        }
    }
}

impl std::error::Error for Refusal {}
