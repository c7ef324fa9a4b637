//! Holds a log against its rules.

use super::rule::{Requirement, Rule, Seen};
use super::{Finding, Rules};
use crate::replay::Agreement;
use evidence::eventlog::{Algorithm, EventLog, Numbering};
use std::collections::BTreeMap;

/// What holding a log against its rules comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What is wrong; nothing if the log is as the rules have it.
    pub findings: Vec<Finding>,
    /// Which rule admitted which event, by number and name.
    pub admitted: Vec<(usize, String)>,
    /// Events admitted by a rule that demands nothing of them: anything may hide behind these.
    pub unpinned: Vec<usize>,
}

impl Report {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.findings.is_empty()
    }
}

impl Rules {
    /// Holds a log against the rules.
    ///
    /// It says nothing about whether the log is true: replay it and compare with a verified token first.
    #[must_use]
    pub fn check(&self, log: &EventLog<'_>) -> Report {
        let mut checker = Checker::new(self, log.numbering());
        for entry in log.entries().iter().filter(|entry| entry.kind.is_extended()) {
            checker.event(&Seen::new(entry));
        }
        checker.finish(log)
    }
}

/// A rule in use.
struct Used<'r> {
    rule: &'r Rule,
    register: Option<u32>,
    /// Its place among the rules of its register; rules of one group share one.
    place: usize,
    /// Events that met it.
    count: u32,
    /// Whether an event that it is about differed.
    differed: bool,
}

struct Checker<'r> {
    hash: Algorithm,
    numbering: Numbering,
    rules: Vec<Used<'r>>,
    /// By register: the place reached, and the rule last met.
    reached: BTreeMap<u32, (usize, usize)>,
    report: Report,
}

impl<'r> Checker<'r> {
    fn new(rules: &'r Rules, numbering: Numbering) -> Self {
        let mut used: Vec<Used<'r>> = Vec::new();
        for rule in &rules.rules {
            let register = numbering.number(&rule.register);
            let last = used.iter().rfind(|it| it.register == register && !it.rule.times.never());
            let place = last.map_or(0, |last| {
                let together = rule.group.is_some() && last.rule.group == rule.group;
                if together { last.place } else { last.place + 1 }
            });
            used.push(Used { rule, register, place, count: 0, differed: false });
        }
        Self { hash: rules.hash, numbering, rules: used, reached: BTreeMap::new(), report: Report::default() }
    }

    fn event(&mut self, seen: &Seen<'_>) {
        let event = seen.entry.number;
        if let Agreement::Differs(algorithm) = seen.agreement {
            self.report.findings.push(Finding::DigestDiffers { event, what: self.describe(seen), algorithm });
        }
        if seen.entry.digest(self.hash).is_none() {
            self.report.findings.push(Finding::NoDigest { event, algorithm: self.hash });
            return;
        }
        let about: Vec<usize> = (0..self.rules.len()).filter(|index| self.is_about(*index, seen)).collect();
        let met: Vec<usize> =
            about.iter().copied().filter(|index| self.rules[*index].rule.is_met_by(seen, self.hash)).collect();
        let never = met.iter().find(|index| self.rules[**index].rule.times.never());
        if let Some(index) = never {
            let rule = self.rules[*index].rule.name.clone();
            self.report.findings.push(Finding::Forbidden { event, rule, found: seen.words(self.hash) });
        } else if met.is_empty() {
            self.refuse(seen, &about);
        } else {
            self.admit(seen, &met);
        }
    }

    fn is_about(&self, index: usize, seen: &Seen<'_>) -> bool {
        let used = &self.rules[index];
        used.register == Some(seen.entry.register) && used.rule.is_about(seen)
    }

    fn describe(&self, seen: &Seen<'_>) -> String {
        let register = self.numbering.name(seen.entry.register);
        format!("{} ({}) in {register}", seen.entry.kind, seen.subject)
    }

    /// An event that meets these rules: the first that still takes one, from the place reached onward, then backward.
    fn admit(&mut self, seen: &Seen<'_>, met: &[usize]) {
        let event = seen.entry.number;
        let register = seen.entry.register;
        let (place, last) = self.reached.get(&register).copied().unwrap_or((0, 0));
        let takes = |index: &&usize| {
            let used = &self.rules[**index];
            used.rule.times.admits_after(used.count)
        };
        let forward = met.iter().filter(|index| self.rules[**index].place >= place).find(takes).copied();
        let chosen = forward.or_else(|| met.iter().find(takes).copied());
        let Some(index) = chosen else {
            let Some(used) = met.first().map(|index| &self.rules[*index]) else { return };
            let (rule, times) = (used.rule.name.clone(), used.rule.times);
            self.report.findings.push(Finding::TooMany { event, rule, times, found: seen.words(self.hash) });
            return;
        };
        if forward.is_none() {
            let (rule, after) = (self.rules[index].rule.name.clone(), self.rules[last].rule.name.clone());
            self.report.findings.push(Finding::OutOfOrder { event, rule, after });
        } else {
            self.reached.insert(register, (self.rules[index].place, index));
        }
        let used = &mut self.rules[index];
        used.count = used.count.saturating_add(1);
        self.report.admitted.push((event, used.rule.name.clone()));
        if used.rule.requirements.contains(&Requirement::Any) {
            self.report.unpinned.push(event);
        }
    }

    /// An event that meets no rule; `about` are the rules for such events.
    fn refuse(&mut self, seen: &Seen<'_>, about: &[usize]) {
        let event = seen.entry.number;
        let found = seen.words(self.hash);
        let open: Vec<usize> = about
            .iter()
            .copied()
            .filter(|index| self.rules[*index].rule.times.admits_after(self.rules[*index].count))
            .collect();
        let nearest = open.iter().find(|index| !self.rules[**index].differed).or(open.first());
        let finding = match (nearest, about.iter().find(|index| !self.rules[**index].rule.times.never())) {
            (Some(index), _) => {
                let used = &mut self.rules[*index];
                used.differed = true;
                Finding::Differs { event, rule: used.rule.name.clone(), expected: used.rule.demands(), found }
            }
            (None, Some(index)) => {
                let rule = self.rules[*index].rule;
                Finding::TooMany { event, rule: rule.name.clone(), times: rule.times, found }
            }
            (None, None) => Finding::NotAdmitted { event, what: self.describe(seen), found },
        };
        self.report.findings.push(finding);
    }

    fn finish(mut self, log: &EventLog<'_>) -> Report {
        for finding in &mut self.report.findings {
            *finding = one_too_many(finding.clone(), &self.rules);
        }
        for used in &self.rules {
            let rule = used.rule.name.clone();
            if used.register.is_none() {
                self.report.findings.push(Finding::NoRegister { rule, register: used.rule.register.clone() });
            } else if used.count < used.rule.times.least && !used.differed {
                self.report.findings.push(Finding::Missing { rule, times: used.rule.times, found: used.count });
            }
        }
        self.report.findings.extend(log.end().residue.map(|at| Finding::Residue { at }));
        self.report
    }
}

/// An event that differed from a rule which others met as often as it admits is one too many: a second kernel.
fn one_too_many(finding: Finding, rules: &[Used<'_>]) -> Finding {
    let Finding::Differs { event, rule, found, .. } = &finding else { return finding };
    match rules.iter().find(|used| used.rule.name == *rule) {
        Some(used) if !used.rule.times.admits_after(used.count) => {
            Finding::TooMany { event: *event, rule: rule.clone(), times: used.rule.times, found: found.clone() }
        }
        _ => finding,
    }
}
