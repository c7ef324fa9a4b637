//! A policy's text.

use super::{Refusal, STOCK};
use crate::key::sha256;
use crate::verdict::Applied;
use evidence::hex::encode;

/// Bytes of a policy that are read, at most.
pub const MAX_SOURCE: usize = 256 * 1024;

/// Brackets within brackets of a policy, at most: reading takes twice as long with every further one.
pub const MAX_NESTING: usize = 12;

/// A policy that has not been looked into yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    name: String,
    text: String,
}

impl Source {
    /// Takes the text of a policy, to be called `name` in reports.
    ///
    /// # Errors
    /// [`Refusal::TooLong`], [`Refusal::Text`] and [`Refusal::TooDeep`].
    pub fn new(name: impl Into<String>, text: Vec<u8>) -> Result<Self, Refusal> {
        if text.len() > MAX_SOURCE {
            return Err(Refusal::TooLong { limit: MAX_SOURCE, found: text.len() });
        }
        let text = String::from_utf8(text).map_err(|_| Refusal::Text)?;
        if nesting(&text) > MAX_NESTING {
            return Err(Refusal::TooDeep { limit: MAX_NESTING });
        }
        Ok(Self { name: name.into(), text })
    }

    /// The stock policy of this name; of any other name there is none.
    #[must_use]
    pub fn stock(name: &str) -> Option<Self> {
        let found = STOCK.iter().find(|it| it.name == name)?;
        Some(Self { name: found.name.into(), text: found.text.into() })
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its name and digest, as a verdict has them.
    #[must_use]
    pub fn applied(&self) -> Applied {
        Applied { name: self.name.clone(), sha256: encode(&sha256(self.text.as_bytes())) }
    }
}

/// How many brackets are open at once, at most; in strings and comments they are none.
fn nesting(text: &str) -> usize {
    let (mut open, mut most) = (0_usize, 0);
    let mut left = text.chars();
    while let Some(found) = left.next() {
        match found {
            '(' | '[' | '{' => open = open.saturating_add(1),
            ')' | ']' | '}' => open = open.saturating_sub(1),
            '#' => drop(left.by_ref().find(|it| *it == '\n')),
            '`' => drop(left.by_ref().find(|it| *it == '`')),
            '"' => string(&mut left),
            _ => {}
        }
        most = most.max(open);
    }
    most
}

/// Passes over the rest of a string.
fn string(left: &mut std::str::Chars<'_>) {
    while let Some(found) = left.next() {
        match found {
            '"' | '\n' => return,
            '\\' => drop(left.next()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_within_brackets_are_counted_where_they_are_brackets() {
        for (text, most) in [
            ("", 0),
            ("a := [f(x), {\"y\": [1]}]", 3),
            ("# ((((\na := (1)", 1),
            ("a := \"[[[\\\"[[\" b := (1)", 1),
            ("a := `\\[[\"` b := ([1])", 2),
            (")))((", 2),
        ] {
            assert_eq!(nesting(text), most, "{text}");
        }
    }

    #[test]
    fn a_policy_nests_so_far_and_no_further() {
        let nested = |depth: usize| format!("package allod\nx := {}1{}\n", "[".repeat(depth), "]".repeat(depth));
        assert!(Source::new("own", nested(MAX_NESTING).into_bytes()).is_ok());
        let deeper = Source::new("own", nested(MAX_NESTING + 1).into_bytes());
        assert_eq!(deeper, Err(Refusal::TooDeep { limit: MAX_NESTING }));
    }
}
