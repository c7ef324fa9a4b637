//! From what policies say to the verdict.

use super::{Decision, Refusal, Source};
use crate::appraise::conclude;
use crate::check::{Check, Status, Step};
use crate::policy::Policy;
use crate::verdict::{Applied, Verdict};

/// What came of asking a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    applied: Applied,
    result: Result<Decision, Refusal>,
}

impl Ruling {
    /// Notes what a policy said, or why it said nothing.
    #[must_use]
    pub fn new(source: &Source, result: Result<Decision, Refusal>) -> Self {
        Self { applied: source.applied(), result }
    }

    /// The steps that may stay undone; none unless the policy allows.
    fn may_miss(&self) -> &[Step] {
        self.result.as_ref().ok().filter(|decision| decision.allows()).map_or(&[], |decision| &decision.may_miss)
    }

    fn check(&self) -> Check {
        let expected = format!("allowed by the policy with SHA-256 {}", self.applied.sha256);
        let check = match &self.result {
            Ok(decision) if decision.allows() => allowed(decision, expected),
            Ok(decision) => Check::failed(Step::Policy, expected, denied(decision)),
            Err(refusal) => Check::failed(Step::Policy, expected, refusal.to_string()),
        };
        check.of(self.applied.name.as_str())
    }
}

fn denied(decision: &Decision) -> String {
    let mut found = decision.deny.clone();
    if !decision.allow {
        found.push("allow is false".into());
    }
    found.join("; ")
}

fn allowed(decision: &Decision, expected: String) -> Check {
    let may_miss: Vec<&str> = decision.may_miss.iter().map(|step| step.name()).collect();
    let mut found = vec!["allowed".to_string()];
    found.extend((!may_miss.is_empty()).then(|| format!("may stay undone: {}", may_miss.join(", "))));
    found.extend(decision.note.iter().cloned());
    if decision.warn.is_empty() {
        return Check { expected: Some(expected), ..Check::ok(Step::Policy, found.join("; ")) };
    }
    found.extend(decision.warn.iter().cloned());
    Check { status: Status::Warning, ..Check::failed(Step::Policy, expected, found.join("; ")) }
}

impl Verdict {
    /// The verdict with what policies say of it. On a token that is not authentic it stays as it is: there is nothing
    /// that a policy could be asked about.
    #[must_use]
    pub fn ruled(self, rulings: &[Ruling], policy: &Policy) -> Self {
        if self.realm().is_none() || rulings.is_empty() {
            return self;
        }
        let mut checks = self.checks().to_vec();
        checks.extend(rulings.iter().map(Ruling::check));
        let mut may = policy.may_stay_undone.clone();
        may.extend(rulings.iter().flat_map(Ruling::may_miss));
        let outcome = conclude(&checks, &may);
        self.reconsidered(outcome, checks, rulings.iter().map(|it| it.applied.clone()).collect())
    }
}
