//! What the caller lets pass. The default denies.

use crate::check::Step;
use crate::rules::Rules;
use evidence::lifecycle::State;

/// What a verdict may affirm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Lifecycle states that pass where no reference names any.
    pub lifecycles: Vec<State>,
    /// Steps that may stay undone, for want of a reference, in a verdict that affirms.
    pub may_stay_undone: Vec<Step>,
    /// What the Realm's boot may be, by its event log; without a log this is a step that was not done.
    pub rules: Option<Rules>,
}

impl Default for Policy {
    /// A secured platform alone, and no step left out.
    fn default() -> Self {
        Self { lifecycles: vec![State::Secured], may_stay_undone: Vec::new(), rules: None }
    }
}
