//! A verdict as one page: the chain of trust drawn, every check with its reason, authentic claims, and the boot as a line
//! of events. The page asks for nothing from elsewhere, runs no script, and prints.

mod checks;
mod claims;
mod drawing;
mod escape;
mod state;
mod timeline;
mod trust;

use checks::Checks;
use claims::Claims;
use drawing::Drawing;
use escape::Escaped;
use evidence::eventlog::{EventLog, Refusal};
use state::{MARKS, State};
use std::fmt::{self, Formatter};
use timeline::Timeline;
use trust::Chain;
use verifier::chain::moment;
use verifier::ear::{Ear, Tier};
use verifier::{Check, Outcome, Status, Step, Verdict};

const STYLE: &str = include_str!("html/report.css");
/// Nothing may be loaded and nothing may run, whatever stands in the page.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// Everything that a page shows.
pub struct Page<'a> {
    /// The verdict.
    pub verdict: &'a Verdict,
    /// What relying parties are told.
    pub ear: &'a Ear,
    /// The event log, if one was given, or why it is none.
    pub log: Option<Result<EventLog<'a>, Refusal>>,
    /// What the evidence is called.
    pub name: &'a str,
    /// Its SHA-256 in hexadecimal.
    pub digest: &'a str,
    /// Its length in bytes.
    pub length: usize,
    /// The time of verification, in seconds since 1970.
    pub at: u64,
}

impl fmt::Display for Page<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let (state, words) = conclusion(self.verdict);
        let outcome = self.verdict.outcome().name();
        write!(
            out,
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
             <title>{outcome}: {}</title>\n<style>\n{STYLE}</style>\n</head>\n<body data-verdict=\"{outcome}\">\n{MARKS}",
            Escaped(self.name)
        )?;
        writeln!(
            out,
            "<header class=\"verdict {}\"><div class=\"inside\">{state}<div><p class=\"over\">Attestation report</p>\
             <h1>{}</h1><p class=\"why\">{words}</p></div></div></header>\n<main>",
            state.class(),
            title(self.verdict.outcome())
        )?;
        self.facts(out)?;
        self.attention(out)?;
        writeln!(out, "<section><h2>Chain of trust</h2>\n{}</section>", Drawing(&Chain::of(self.verdict)))?;
        self.result(out)?;
        writeln!(out, "<section><h2>Every check</h2>\n{}</section>", Checks(self.verdict))?;
        writeln!(out, "<section><h2>What is claimed</h2>\n{}</section>", Claims(self.verdict))?;
        self.boot(out)?;
        writeln!(
            out,
            "</main>\n<footer>Made by allod {} from the verdict alone. This page asks for nothing from elsewhere.</footer>\n\
             </body>\n</html>",
            env!("CARGO_PKG_VERSION")
        )
    }
}

const fn title(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Affirming => "Affirming",
        Outcome::Warning => "Warning",
        Outcome::Contraindicated => "Contraindicated",
        Outcome::Malformed => "Malformed",
        Outcome::NoTrustAnchor => "No trust anchor",
    }
}

fn conclusion(verdict: &Verdict) -> (State, String) {
    let undone = verdict.checks().iter().filter(|check| check.status == Status::NotDone).count();
    match verdict.outcome() {
        Outcome::Affirming if undone == 0 => (State::Held, "Every check was done, and held.".into()),
        Outcome::Affirming => {
            (State::Held, format!("Every check that was done held; {undone} may stay undone by your own choice."))
        }
        Outcome::Warning => (State::Weak, "Nothing failed, but not everything could be checked or trusted.".into()),
        Outcome::Malformed => (State::Failed, "This is not a token that is read here.".into()),
        Outcome::NoTrustAnchor => (State::Failed, "Nobody whom you trust endorses this platform.".into()),
        Outcome::Contraindicated => {
            let failed = verdict.checks().iter().filter(|check| check.status == Status::Failed);
            let failed: Vec<String> = failed.map(|check| Escaped(check.label()).to_string()).collect();
            (State::Failed, format!("Failed: {}.", failed.join(", ")))
        }
    }
}

impl Page<'_> {
    fn facts(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let count =
            |statuses: &[Status]| self.verdict.checks().iter().filter(|it| statuses.contains(&it.status)).count();
        let family = self.verdict.family().map_or_else(|| "not known".to_string(), |it| it.to_string());
        out.write_str("<section class=\"facts\"><dl class=\"counts\">\n")?;
        let counts = [
            (State::Held, "held", count(&[Status::Ok])),
            (State::Failed, "failed", count(&[Status::Failed])),
            (State::Weak, "no ground for trust", count(&[Status::Warning])),
            (State::Undone, "not done", count(&[Status::NotDone])),
            (State::Apart, "do not apply", count(&[Status::NotApplicable])),
        ];
        for (state, name, count) in counts.into_iter().filter(|(state, _, count)| *count > 0 || *state != State::Weak) {
            let quiet = if count == 0 { " quiet" } else { "" };
            writeln!(out, "<div class=\"{}{quiet}\"><dt>{name}</dt><dd>{count}</dd></div>", state.class())?;
        }
        out.write_str("</dl><dl class=\"about\">\n")?;
        let lines = [
            ("Evidence", Escaped(self.name).to_string()),
            ("Family", family),
            ("Verified at", moment(self.at)),
            ("Size", format!("{} bytes", self.length)),
            ("SHA-256", self.digest.to_string()),
        ];
        for (name, value) in lines {
            writeln!(out, "<div><dt>{name}</dt><dd>{value}</dd></div>")?;
        }
        for policy in self.verdict.policies() {
            writeln!(out, "<div><dt>Policy</dt><dd>{} {}</dd></div>", Escaped(&policy.name), Escaped(&policy.sha256))?;
        }
        out.write_str("</dl></section>\n")
    }

    /// What failed or was not done, and was looked at: once for all of which the same can be said.
    fn attention(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let needs = |status| matches!(status, Status::Failed | Status::Warning | Status::NotDone);
        let mut groups: Vec<(&Check, Vec<String>)> = Vec::new();
        for check in self.verdict.checks().iter().filter(|it| needs(it.status) && it.found.is_some()) {
            let same = |(first, _): &&mut (&Check, _)| first.status == check.status && first.advice == check.advice;
            match groups.iter_mut().find(same) {
                Some((_, labels)) => labels.push(check.label()),
                None => groups.push((check, vec![check.label()])),
            }
        }
        groups.sort_by_key(|(check, _)| std::cmp::Reverse(State::of(check.status)));
        if groups.is_empty() {
            return Ok(());
        }
        let title = if self.verdict.affirms() { "What was left undone" } else { "What needs attention" };
        writeln!(out, "<section><h2>{title}</h2>\n<ul class=\"attention\">")?;
        for (check, labels) in groups {
            let state = State::of(check.status);
            let advice = check.advice.as_deref().unwrap_or_default();
            writeln!(
                out,
                "<li class=\"{}\">{state}<div><b>{}</b> {}<p>{}</p></div></li>",
                state.class(),
                Escaped(labels.join(", ")),
                state.word(),
                Escaped(advice)
            )?;
        }
        out.write_str("</ul></section>\n")
    }

    fn result(&self, out: &mut Formatter<'_>) -> fmt::Result {
        out.write_str("<section><h2>What relying parties are told</h2>\n<div class=\"results\">\n")?;
        for (name, appraisal) in self.ear.submods.iter().rev() {
            let status = appraisal.status;
            writeln!(
                out,
                "<section class=\"card\"><h3>{} <em class=\"{}\">{}</em></h3><ul>",
                Escaped(name),
                tier(status),
                status.name()
            )?;
            for (aspect, value) in appraisal.vector.iter().flat_map(|vector| vector.iter().collect::<Vec<_>>()) {
                let class = tier(Tier::of(value));
                writeln!(
                    out,
                    "<li class=\"{class}\"><span>{}</span><b>{value}</b><small>{}</small></li>",
                    aspect.name(),
                    aspect.meaning(value)
                )?;
            }
            out.write_str("</ul></section>\n")?;
        }
        out.write_str("</div></section>\n")
    }

    fn boot(&self, out: &mut Formatter<'_>) -> fmt::Result {
        out.write_str("<section><h2>The boot, event by event</h2>\n")?;
        match &self.log {
            None => out.write_str("<p class=\"note\">No event log was given.</p>\n")?,
            Some(log) => {
                let replayed = State::of_steps(self.verdict, &[Step::Log]);
                write!(out, "{}", Timeline { log, replayed, hash: self.verdict.realm().map(|it| it.hash.as_str()) })?;
            }
        }
        out.write_str("</section>\n")
    }
}

const fn tier(tier: Tier) -> &'static str {
    match tier {
        Tier::None => State::Apart.class(),
        Tier::Affirming => State::Held.class(),
        Tier::Warning => State::Weak.class(),
        Tier::Contraindicated => State::Failed.class(),
    }
}
