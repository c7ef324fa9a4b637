//! The states in which a report shows links, things and checks.

use std::fmt;
use verifier::{Check, Status, Step, Verdict};

/// How something stands, from what needs no attention to what needs most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// There is nothing to be checked.
    Apart,
    Held,
    Undone,
    Weak,
    Failed,
}

impl State {
    pub const fn of(status: Status) -> Self {
        match status {
            Status::NotApplicable => Self::Apart,
            Status::Ok => Self::Held,
            Status::NotDone => Self::Undone,
            Status::Warning => Self::Weak,
            Status::Failed => Self::Failed,
        }
    }

    /// The worst of the checks of these steps; nothing to be checked if there is none.
    pub fn of_steps(verdict: &Verdict, steps: &[Step]) -> Self {
        let checks = verdict.checks().iter().filter(|check| steps.contains(&check.step));
        checks.map(|check| Self::of(check.status)).max().unwrap_or(Self::Apart)
    }

    /// The state of the check with this label.
    pub fn of_label(verdict: &Verdict, label: &str) -> Option<Self> {
        verdict.checks().iter().find(|check| check.label() == label).map(|check: &Check| Self::of(check.status))
    }

    /// The class in the style sheet, and the name of the mark.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Apart => "apart",
            Self::Held => "held",
            Self::Undone => "undone",
            Self::Weak => "weak",
            Self::Failed => "failed",
        }
    }

    /// For those who see no colours.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Apart => "does not apply",
            Self::Held => "held",
            Self::Undone => "not done",
            Self::Weak => "no ground for trust",
            Self::Failed => "failed",
        }
    }
}

/// A state's mark.
impl fmt::Display for State {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (class, word) = (self.class(), self.word());
        write!(out, "<svg class=\"mark {class}\" role=\"img\" aria-label=\"{word}\"><use href=\"#{class}\"/></svg>")
    }
}

/// The marks, drawn once.
pub const MARKS: &str = concat!(
    "<svg class=\"marks\" aria-hidden=\"true\"><defs>",
    "<symbol id=\"held\" viewBox=\"0 0 20 20\"><circle class=\"disc\" cx=\"10\" cy=\"10\" r=\"9\"/>",
    "<path class=\"stroke\" d=\"M5.8 10.4l2.9 2.9 5.6-6.2\"/></symbol>",
    "<symbol id=\"failed\" viewBox=\"0 0 20 20\"><circle class=\"disc\" cx=\"10\" cy=\"10\" r=\"9\"/>",
    "<path class=\"stroke\" d=\"M6.8 6.8l6.4 6.4M13.2 6.8l-6.4 6.4\"/></symbol>",
    "<symbol id=\"undone\" viewBox=\"0 0 20 20\"><circle class=\"ring\" cx=\"10\" cy=\"10\" r=\"8\"/>",
    "<path class=\"line\" d=\"M6.6 10h6.8\"/></symbol>",
    "<symbol id=\"weak\" viewBox=\"0 0 20 20\"><circle class=\"disc\" cx=\"10\" cy=\"10\" r=\"9\"/>",
    "<path class=\"stroke\" d=\"M10 5.4v5.4M10 14v.4\"/></symbol>",
    "<symbol id=\"apart\" viewBox=\"0 0 20 20\"><circle class=\"dot\" cx=\"10\" cy=\"10\" r=\"3\"/></symbol>",
    "</defs></svg>\n"
);
