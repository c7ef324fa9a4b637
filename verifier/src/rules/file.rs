//! Rules as they are written in a file.

use super::rule::{Requirement, Rule, Times};
use super::{MAX_FILE, PROFILE, Rules};
use evidence::eventlog::{Algorithm, CcType, EventType, Numbering};
use evidence::hex::decode;
use serde::Deserialize;
use std::fmt;

/// Why a rules file cannot be used.
#[derive(Debug)]
pub enum Unusable {
    /// More bytes than are read.
    TooLong {
        /// How many there are.
        found: usize,
    },
    /// Not text.
    Text,
    /// Not TOML of this form: broken, or a field that is unknown, missing or of the wrong kind.
    Toml(Box<toml::de::Error>),
    /// Another form of file.
    Profile {
        /// What the file says it is.
        found: String,
    },
    /// No rule.
    Empty,
    /// A field that is not what it must be.
    Value {
        /// The rule; none for the head of the file.
        rule: Option<String>,
        /// Which field.
        field: &'static str,
        /// What it must be.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// Two rules of one name.
    Twice {
        /// The name.
        rule: String,
    },
    /// A rule that demands nothing and does not say so.
    NoDemand {
        /// Its name.
        rule: String,
    },
}

impl fmt::Display for Unusable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { found } => write!(out, "expected at most {MAX_FILE} bytes, found {found}"),
            Self::Text => out.write_str("expected text in UTF-8"),
            Self::Toml(error) => write!(out, "{error}"),
            Self::Profile { found } => write!(out, "expected profile {PROFILE:?}, found {found:?}"),
            Self::Empty => out.write_str("expected at least one rule, found none"),
            Self::Value { rule: Some(rule), field, expected, found } => {
                write!(out, "rule {rule:?}: {field}: expected {expected}, found {found:?}")
            }
            Self::Value { rule: None, field, expected, found } => {
                write!(out, "{field}: expected {expected}, found {found:?}")
            }
            Self::Twice { rule } => write!(out, "rule {rule:?}: expected a name of its own, found it twice"),
            Self::NoDemand { rule } => {
                write!(out, "rule {rule:?}: expected digest, text, like, value or utf16, or any = true, found none")
            }
        }
    }
}

impl std::error::Error for Unusable {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireFile {
    profile: String,
    hash: String,
    #[serde(default)]
    rule: Vec<WireRule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireRule {
    name: String,
    register: String,
    r#type: String,
    subject: Option<String>,
    times: Option<WireTimes>,
    group: Option<String>,
    digest: Option<List>,
    text: Option<List>,
    like: Option<List>,
    value: Option<List>,
    utf16: Option<List>,
    #[serde(default)]
    any: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WireTimes {
    Number(u32),
    Range(String),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum List {
    One(String),
    Many(Vec<String>),
}

impl List {
    fn into_vec(self) -> Vec<String> {
        match self {
            Self::One(text) => vec![text],
            Self::Many(texts) => texts,
        }
    }
}

impl Rules {
    /// Reads a rules file.
    ///
    /// # Errors
    /// [`Unusable`] names the rule and the field.
    pub fn parse(file: &[u8]) -> Result<Self, Unusable> {
        if file.len() > MAX_FILE {
            return Err(Unusable::TooLong { found: file.len() });
        }
        let text = std::str::from_utf8(file).map_err(|_| Unusable::Text)?;
        let file: WireFile = toml::from_str(text).map_err(|error| Unusable::Toml(Box::new(error)))?;
        if file.profile != PROFILE {
            return Err(Unusable::Profile { found: file.profile });
        }
        let expected = "sha-1, sha-256, sha-384, sha-512 or sm3";
        let unknown = Unusable::Value { rule: None, field: "hash", expected, found: file.hash.clone() };
        let hash = Algorithm::from_name(&file.hash).ok_or(unknown)?;
        let rules = file.rule.into_iter().map(|rule| rule.read(hash)).collect::<Result<Vec<_>, _>>()?;
        let twice = rules.iter().enumerate().find(|(index, it)| rules.iter().take(*index).any(|a| a.name == it.name));
        match (twice, rules.is_empty()) {
            (Some((_, rule)), _) => Err(Unusable::Twice { rule: rule.name.clone() }),
            (None, true) => Err(Unusable::Empty),
            (None, false) => Ok(Self { hash, rules }),
        }
    }
}

impl WireRule {
    fn wrong(&self, field: &'static str, expected: &'static str, found: &str) -> Unusable {
        Unusable::Value { rule: Some(self.name.clone()), field, expected, found: found.into() }
    }

    fn read(mut self, hash: Algorithm) -> Result<Rule, Unusable> {
        let known = [Numbering::Tpm, Numbering::Cc(CcType::Unstated)];
        if known.iter().all(|numbering| numbering.number(&self.register).is_none()) {
            return Err(self.wrong(
                "register",
                "REM0 to REM3, RTMR0 to RTMR3, RIM, MRTD, MR0 to MR4, PCR0 to PCR23",
                &self.register,
            ));
        }
        let kind = EventType::from_name(&self.r#type).filter(|kind| kind.is_extended());
        let kind =
            kind.ok_or_else(|| self.wrong("type", "the name of an event type that extends a register", &self.r#type))?;
        let times = self.times()?;
        let requirements = self.requirements(kind, times, hash)?;
        let Self { name, register, subject, group, .. } = self;
        Ok(Rule { name, register, kind, subject, times, group, requirements })
    }

    fn times(&self) -> Result<Times, Unusable> {
        let range = match &self.times {
            None => return Ok(Times::ONCE),
            Some(WireTimes::Number(count)) => return Ok(Times { least: *count, most: Some(*count) }),
            Some(WireTimes::Range(range)) => range,
        };
        let parse = |range: &str| {
            let Some((least, most)) = range.split_once("..") else {
                let count = range.parse().ok()?;
                return Some(Times { least: count, most: Some(count) });
            };
            let most = if most.is_empty() { None } else { Some(most.parse().ok()?) };
            let times = Times { least: least.parse().ok()?, most };
            times.most.is_none_or(|most| times.least <= most).then_some(times)
        };
        parse(range).ok_or_else(|| self.wrong("times", "a number, or a range such as \"0..1\" or \"1..\"", range))
    }

    fn requirements(&mut self, kind: EventType, times: Times, hash: Algorithm) -> Result<Vec<Requirement>, Unusable> {
        let mut all = Vec::new();
        if let Some(list) = self.digest.take() {
            all.push(Requirement::Digest(self.hexes("digest", list, Some(hash.size()))?));
        }
        if let Some(list) = self.value.take() {
            all.push(Requirement::Value(self.hexes("value", list, None)?));
        }
        let texts = [
            ("text", self.text.take(), Requirement::Text as fn(_) -> _),
            ("like", self.like.take(), Requirement::Like as fn(_) -> _),
            ("utf16", self.utf16.take(), Requirement::Utf16 as fn(_) -> _),
        ];
        for (field, list, requirement) in texts {
            let Some(list) = list.map(List::into_vec) else { continue };
            if list.is_empty() {
                return Err(self.wrong(field, "at least one", "none"));
            }
            all.push(requirement(list));
        }
        match (all.is_empty(), self.any) {
            (true, false) if times.never() => all.push(Requirement::Any),
            (true, false) if kind == EventType::SEPARATOR => all.push(Requirement::Value(vec![vec![0; 4]])),
            (true, false) => return Err(Unusable::NoDemand { rule: self.name.clone() }),
            (true, true) => all.push(Requirement::Any),
            (false, true) => return Err(self.wrong("any", "no other demand beside it", "one")),
            (false, false) => {}
        }
        Ok(all)
    }

    fn hexes(&self, field: &'static str, list: List, size: Option<usize>) -> Result<Vec<Vec<u8>>, Unusable> {
        let list = list.into_vec();
        if list.is_empty() {
            return Err(self.wrong(field, "at least one", "none"));
        }
        let expected = if size.is_some() { "hexadecimal of the hash's length" } else { "hexadecimal" };
        let read = |text: &String| {
            let bytes = decode(text).filter(|bytes| size.is_none_or(|size| bytes.len() == size));
            bytes.ok_or_else(|| self.wrong(field, expected, text))
        };
        list.iter().map(read).collect()
    }
}
