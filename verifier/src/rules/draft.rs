//! Drafts rules from a log that is known to be good.

use super::PROFILE;
use super::rule::Seen;
use crate::replay::Agreement;
use evidence::eventlog::{Algorithm, EventLog, EventType};
use evidence::hex::encode;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Drafts a rules file that admits this boot and no other: every event once and in its order, commands and variables by
/// what they say, all else by digest. Only leaving boot services is given the choice that firmware has, of one failed
/// attempt before the one that succeeds.
///
/// `algorithm` is the bank the digests are of; events without such a digest are left out, and a comment says so.
#[must_use]
pub fn draft(log: &EventLog<'_>, algorithm: Algorithm) -> String {
    let mut text = format!("profile = \"{PROFILE}\"\nhash = \"{algorithm}\"\n");
    let mut names: Vec<String> = Vec::new();
    let mut attempts = Attempts::default();
    for entry in log.entries().iter().filter(|entry| entry.kind.is_extended()) {
        let seen = Seen::new(entry);
        let Some(digest) = entry.digest(algorithm) else {
            let _ = writeln!(text, "\n# event {} has no digest of {algorithm}", entry.number);
            continue;
        };
        let times = if seen.agreement == Agreement::Agrees { times(seen.text.as_deref()) } else { None };
        let Some(times) = attempts.take(entry.register, times, &names) else { continue };
        let name = times.map_or_else(|| name(&seen, &names), |times| times.rule.into());
        let register = log.numbering().name(entry.register);
        let _ = writeln!(text, "\n[[rule]]\nname = {}\nregister = \"{register}\"", quoted(&name));
        let _ = writeln!(text, "type = \"{}\"", entry.kind);
        let named = seen.decoded && !seen.subject.is_empty() && !seen.subject.contains('*');
        if named && seen.agreement == Agreement::Apart {
            let _ = writeln!(text, "subject = {}", quoted(&seen.subject));
        }
        let _ = writeln!(text, "{}", demand(&seen, digest));
        if let Some(Repeated { least, most, .. }) = times {
            let _ = writeln!(text, "times = \"{least}..{most}\"\ngroup = \"leaving boot services\"");
        }
        names.push(name);
    }
    text
}

/// An event that firmware repeats if leaving boot services fails at first: a name for its rule, and how often it may occur.
#[derive(Clone, Copy)]
struct Repeated {
    rule: &'static str,
    least: u32,
    most: u32,
}

fn times(text: Option<&str>) -> Option<Repeated> {
    match text? {
        "Exit Boot Services Invocation" => Some(Repeated { rule: "boot services are left", least: 1, most: 2 }),
        "Exit Boot Services Returned with Failure" => {
            Some(Repeated { rule: "the first attempt failed", least: 0, most: 1 })
        }
        _ => None,
    }
}

/// The attempts to leave boot services that the last rules of each register are about, and how often each event occurred.
#[derive(Default)]
struct Attempts(BTreeMap<u32, Vec<(&'static str, u32)>>);

impl Attempts {
    /// How often the rule of an event admits it, beyond once; `None` if the rule before admits it already. A rule
    /// admits what comes right behind it in its register: elsewhere, or once too often, an event has a rule like any other.
    fn take(&mut self, register: u32, times: Option<Repeated>, names: &[String]) -> Option<Option<Repeated>> {
        let attempts = self.0.entry(register).or_default();
        let Some(times) = times else {
            attempts.clear();
            return Some(None);
        };
        match attempts.iter_mut().find(|(rule, _)| *rule == times.rule) {
            Some((_, count)) if *count < times.most => {
                *count = count.saturating_add(1);
                None
            }
            None if !names.iter().any(|name| name == times.rule) => {
                attempts.push((times.rule, 1));
                Some(Some(times))
            }
            _ => {
                attempts.clear();
                Some(None)
            }
        }
    }
}

fn demand(seen: &Seen<'_>, digest: &[u8]) -> String {
    let measured = seen.agreement == Agreement::Agrees;
    match (&seen.text, seen.value) {
        (_, Some(value)) if measured && value.len() <= 64 && seen.entry.kind != EventType::EFI_VARIABLE_BOOT => {
            format!("value = \"{}\"", encode(value))
        }
        (Some(text), _) if measured => format!("text = {}", quoted(text)),
        _ => format!("digest = \"{}\"", encode(digest)),
    }
}

/// A name that no rule has yet: what the event is about, and a number if that is taken.
fn name(seen: &Seen<'_>, names: &[String]) -> String {
    let about = match (&*seen.subject, seen.entry.kind.name()) {
        (_, Some(kind)) if !seen.decoded => plain(kind),
        ("" | "action" | "separator" | "image", Some(kind)) => plain(kind),
        (subject, _) => subject.to_string(),
    };
    let taken = |name: &String| names.contains(name);
    let numbered = (2u32..).map(|number| format!("{about} {number}"));
    std::iter::once(about.clone()).chain(numbered).find(|name| !taken(name)).unwrap_or(about)
}

/// The name of a type without its `EV_`.
fn plain(kind: &str) -> String {
    kind.trim_start_matches("EV_").to_lowercase()
}

/// A basic string of TOML; JSON's escapes are the same but for the delete character.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default().replace('\u{7f}', "\\u007f")
}
