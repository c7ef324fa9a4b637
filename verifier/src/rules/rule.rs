//! One rule.

use super::pattern::is_like;
use crate::replay::{Agreement, hash};
use evidence::eventlog::{Algorithm, Entry, Event, EventType};
use evidence::hex::encode;
use std::borrow::Cow;
use std::fmt;

/// How often events have to meet a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// At least.
    pub least: u32,
    /// At most; `None` means any number.
    pub most: Option<u32>,
}

impl Times {
    /// Exactly once.
    pub const ONCE: Self = Self { least: 1, most: Some(1) };

    /// Whether no event may meet the rule.
    #[must_use]
    pub fn never(self) -> bool {
        self.most == Some(0)
    }

    /// Whether one more is admitted after so many.
    #[must_use]
    pub fn admits_after(self, count: u32) -> bool {
        self.most.is_none_or(|most| count < most)
    }
}

impl fmt::Display for Times {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.least, self.most) {
            (least, Some(most)) if least == most => write!(out, "{least}"),
            (least, Some(most)) => write!(out, "{least} to {most}"),
            (least, None) => write!(out, "{least} or more"),
        }
    }
}

/// Which events, how often, and what they have to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What people call it.
    pub name: String,
    /// The register, by name.
    pub register: String,
    /// The type.
    pub kind: EventType,
    /// A pattern for what the event is about.
    pub subject: Option<String>,
    /// How often.
    pub times: Times,
    /// Neighbouring rules of one group may be met in any order.
    pub group: Option<String>,
    /// What an event has to be; all of it.
    pub requirements: Vec<Requirement>,
}

/// What an event has to be: one of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Requirement {
    /// The digest.
    Digest(Vec<Vec<u8>>),
    /// The text, which has to be what was hashed.
    Text(Vec<String>),
    /// A pattern for the text, which has to be what was hashed.
    Like(Vec<String>),
    /// The value, which has to be what was hashed.
    Value(Vec<Vec<u8>>),
    /// A text in UTF-16, with or without NUL, that the digest is over.
    Utf16(Vec<String>),
    /// Nothing: whatever was hashed is admitted.
    Any,
}

/// An entry with all that rules ask of it.
pub(super) struct Seen<'a> {
    pub entry: &'a Entry<'a>,
    /// Whether the data is of the form that the type demands.
    pub decoded: bool,
    pub subject: Cow<'a, str>,
    pub text: Option<Cow<'a, str>>,
    pub value: Option<&'a [u8]>,
    pub agreement: Agreement,
}

impl<'a> Seen<'a> {
    /// What is seen of an entry. One that cannot be decoded has no text and no value.
    pub fn new(entry: &'a Entry<'a>) -> Self {
        match Event::decode(entry) {
            Ok(event) => Self {
                entry,
                decoded: true,
                subject: event.subject(),
                text: event.text(),
                value: event.value(),
                agreement: Agreement::of(entry),
            },
            Err(refusal) => Self {
                entry,
                decoded: false,
                subject: format!("undecodable ({refusal})").into(),
                text: None,
                value: None,
                agreement: Agreement::of(entry),
            },
        }
    }

    /// The text or value, if it is bound to the digest.
    fn measured<T>(&self, what: Option<T>) -> Option<T> {
        what.filter(|_| self.agreement == Agreement::Agrees)
    }

    /// The event in a few words, for findings.
    pub fn words(&self, hash: Algorithm) -> String {
        let digest = || self.entry.digest(hash).map_or_else(|| "no digest".into(), encode);
        match self.measured(self.text.as_deref()) {
            Some(text) => format!("{text:?}"),
            None => digest(),
        }
    }
}

impl Rule {
    /// Whether the rule is about such events.
    pub(super) fn is_about(&self, seen: &Seen<'_>) -> bool {
        self.kind == seen.entry.kind && self.subject.as_ref().is_none_or(|pattern| is_like(pattern, &seen.subject))
    }

    /// Whether an event is all that the rule demands of it.
    pub(super) fn is_met_by(&self, seen: &Seen<'_>, algorithm: Algorithm) -> bool {
        self.requirements.iter().all(|requirement| requirement.is_met_by(seen, algorithm))
    }

    /// What the rule demands, for findings.
    pub(super) fn demands(&self) -> String {
        let demands: Vec<String> = self.requirements.iter().map(ToString::to_string).collect();
        demands.join(" and ")
    }
}

impl Requirement {
    fn is_met_by(&self, seen: &Seen<'_>, algorithm: Algorithm) -> bool {
        let digest = seen.entry.digest(algorithm);
        let text = seen.measured(seen.text.as_deref());
        match self {
            Self::Digest(digests) => digest.is_some_and(|digest| digests.iter().any(|it| it == digest)),
            Self::Text(texts) => text.is_some_and(|text| texts.iter().any(|it| it == text)),
            Self::Like(patterns) => text.is_some_and(|text| patterns.iter().any(|it| is_like(it, text))),
            Self::Value(values) => seen.measured(seen.value).is_some_and(|value| values.iter().any(|it| it == value)),
            Self::Utf16(texts) => digest.is_some_and(|digest| texts.iter().any(|it| is_utf16(it, digest, algorithm))),
            Self::Any => true,
        }
    }
}

fn is_utf16(text: &str, digest: &[u8], algorithm: Algorithm) -> bool {
    let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    [&[][..], &[0, 0]].into_iter().any(|nul| hash(algorithm, &[&bytes, nul]).is_some_and(|it| it == digest))
}

impl fmt::Display for Requirement {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |texts: &[String]| texts.iter().map(|text| format!("{text:?}")).collect::<Vec<_>>();
        let (what, list) = match self {
            Self::Digest(digests) => ("digest ", digests.iter().map(|it| encode(it)).collect()),
            Self::Text(texts) => ("", quoted(texts)),
            Self::Like(patterns) => ("like ", quoted(patterns)),
            Self::Value(values) => ("value ", values.iter().map(|it| encode(it)).collect()),
            Self::Utf16(texts) => ("UTF-16 of ", quoted(texts)),
            Self::Any => ("anything", Vec::new()),
        };
        match list.as_slice() {
            [] => out.write_str(what),
            [one] => write!(out, "{what}{one}"),
            [first, rest @ ..] if rest.len() > 3 => write!(out, "{what}{first} or one of {} others", rest.len()),
            list => write!(out, "{what}{}", list.join(" or ")),
        }
    }
}
