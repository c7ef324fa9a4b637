//! What a policy says.

use crate::check::Step;
use serde::{Deserialize, Serialize};

/// What a policy says of one verification. Reasons are free of control characters, sorted, and bounded in number and
/// length.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// Whether it allows.
    pub allow: bool,
    /// Why it denies.
    pub deny: Vec<String>,
    /// What keeps it from affirming.
    pub warn: Vec<String>,
    /// What readers of the verdict should know.
    pub note: Vec<String>,
    /// The steps that may stay undone.
    pub may_miss: Vec<Step>,
}

impl Decision {
    /// Whether it has nothing against this evidence.
    #[must_use]
    pub fn allows(&self) -> bool {
        self.allow && self.deny.is_empty()
    }
}
