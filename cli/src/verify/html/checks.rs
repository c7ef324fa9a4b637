//! Every check: what was asked, expected and found, and what to do.

use super::escape::Escaped;
use super::state::State;
use crate::verify::words::{LAST_SECTION, SECTIONS, ended, expected, question, unreached};
use std::fmt::{self, Formatter};
use verifier::{Check, Status, Verdict};

/// The checks in their sections.
pub struct Checks<'a>(pub &'a Verdict);

impl fmt::Display for Checks<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        out.write_str(
            "<table class=\"checks\"><thead><tr><th>Step</th><th>Expected</th><th>Found</th><th>What to do</th></tr></thead>\n",
        )?;
        for (name, steps) in SECTIONS {
            section(out, name, self.0.checks().iter().filter(|check| steps.contains(&check.step)))?;
        }
        let others = |check: &&Check| !SECTIONS.iter().any(|(_, steps)| steps.contains(&check.step));
        section(out, LAST_SECTION, self.0.checks().iter().filter(others))?;
        out.write_str("</table>\n")
    }
}

fn section<'c>(out: &mut Formatter<'_>, name: &str, checks: impl Iterator<Item = &'c Check>) -> fmt::Result {
    let mut checks = checks.peekable();
    if checks.peek().is_none() {
        return Ok(());
    }
    writeln!(out, "<tbody><tr class=\"section\"><th colspan=\"4\" scope=\"rowgroup\">{name}</th></tr>")?;
    checks.try_for_each(|check| row(out, check))?;
    out.write_str("</tbody>\n")
}

fn row(out: &mut Formatter<'_>, check: &Check) -> fmt::Result {
    let state = State::of(check.status);
    let label = check.label();
    write!(
        out,
        "<tr class=\"check {}\" data-check=\"{}\"><th scope=\"row\">{state}<span><b>{}</b><small>{}</small></span></th>",
        state.class(),
        Escaped(&label),
        Escaped(&label),
        question(check.step)
    )?;
    let found = match &check.found {
        Some(found) => found.as_str(),
        None if unreached(check) => "not looked at",
        None => "nothing",
    };
    let wanted = match check.status {
        // What does not apply expects nothing.
        Status::NotApplicable => "",
        Status::Ok if check.expected.as_deref() == check.found.as_deref() => "the same",
        _ => expected(check),
    };
    cell(out, "Expected", wanted)?;
    cell(out, "Found", found)?;
    let advice = check.advice.as_deref().unwrap_or_default();
    match check.status {
        Status::Ok | Status::NotApplicable => cell(out, "What to do", advice)?,
        status => write!(
            out,
            "<td data-label=\"What to do\"><em class=\"{}\">{}</em> {}</td>",
            state.class(),
            ended(status),
            Escaped(advice)
        )?,
    }
    out.write_str("</tr>\n")
}

fn cell(out: &mut Formatter<'_>, label: &str, text: &str) -> fmt::Result {
    let class = if text.is_empty() { " class=\"none\"" } else { "" };
    write!(out, "<td data-label=\"{label}\"{class}>{}</td>", Escaped(text))
}
