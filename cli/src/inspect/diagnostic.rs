//! CBOR's diagnostic notation (RFC 8949 §8, RFC 8610 G), as drafts and test data print it: as much as tokens and claims are
//! written in.

use super::claims::{head, string};
use super::{Found, binary};
use evidence::hex;

/// Items within items that are followed, at most.
const MAX_DEPTH: u8 = 16;

/// First bytes of items that hold others: arrays, maps and tags (RFC 8949 §3.1).
const STRUCTURES: std::ops::RangeInclusive<u8> = 0x80..=0xDF;
/// Words for values, and the byte that each is (RFC 8949 §3.3).
const WORDS: [(&str, u8); 3] = [("false", 0xF4), ("true", 0xF5), ("null", 0xF6)];

/// Says what a text in diagnostic notation is, if it is one and no JSON.
pub fn of(text: &str) -> Option<Found> {
    if serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() {
        return None;
    }
    let mut reading = Reading { rest: text, out: Vec::new() };
    reading.item(MAX_DEPTH)?;
    reading.blank();
    // A number or a word alone is no notation of anything.
    if !reading.rest.is_empty() || !reading.out.first().is_some_and(|first| STRUCTURES.contains(first)) {
        return None;
    }
    let outside = "CBOR in diagnostic notation";
    // Where all names are texts, it may as well be JSON with a fault.
    let like_json = text.strip_prefix('{').is_some_and(|rest| rest.trim_start().starts_with('"'));
    let found = Some(binary(&reading.out).map_or_else(|| Found::broken(outside), |found| found.within(outside)));
    found.filter(|found| found.known || !like_json)
}

struct Reading<'t> {
    rest: &'t str,
    out: Vec<u8>,
}

impl<'t> Reading<'t> {
    /// Passes over space and comments: between slashes, or from a hash sign to the end of the line.
    fn blank(&mut self) {
        loop {
            self.rest = self.rest.trim_start();
            let comment = self.rest.strip_prefix('/').and_then(|rest| rest.split_once('/'));
            let line = self.rest.strip_prefix('#').map(|rest| rest.split_once('\n').unwrap_or((rest, "")));
            match comment.or(line) {
                Some((_, rest)) => self.rest = rest,
                None => return,
            }
        }
    }

    fn take(&mut self, mark: &str) -> bool {
        self.blank();
        let rest = self.rest.strip_prefix(mark);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn until(&mut self, mark: char) -> Option<&'t str> {
        let (content, rest) = self.rest.split_once(mark)?;
        self.rest = rest;
        Some(content)
    }

    fn item(&mut self, left: u8) -> Option<()> {
        let left = left.checked_sub(1)?;
        if self.take("{") {
            return self.many(5, "}", left);
        }
        if self.take("[") {
            return self.many(4, "]", left);
        }
        if self.take("<<") {
            return self.embedded(left);
        }
        if self.take("h'") {
            let digits: String = self.until('\'')?.split_whitespace().collect();
            string(&mut self.out, 2, &hex::decode(&digits)?);
            return Some(());
        }
        if self.take("\"") {
            let text = self.until('"').filter(|text| !text.contains('\\'))?;
            string(&mut self.out, 3, text.as_bytes());
            return Some(());
        }
        if let Some((_, byte)) = WORDS.iter().find(|(word, _)| self.take(word)) {
            self.out.push(*byte);
            return Some(());
        }
        self.number(left)
    }

    /// Items within a byte string.
    fn embedded(&mut self, left: u8) -> Option<()> {
        let before = std::mem::take(&mut self.out);
        while !self.take(">>") {
            self.item(left)?;
            let _ = self.take(",");
        }
        let content = std::mem::replace(&mut self.out, before);
        string(&mut self.out, 2, &content);
        Some(())
    }

    /// A number, or a tag: a number with an item in parentheses.
    fn number(&mut self, left: u8) -> Option<()> {
        self.blank();
        let negative = self.take("-");
        let end = self.rest.find(|it: char| !it.is_ascii_alphanumeric()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at_checked(end)?;
        let number =
            digits.strip_prefix("0x").map_or_else(|| digits.parse().ok(), |it| u64::from_str_radix(it, 16).ok())?;
        self.rest = rest;
        if !negative && self.take("(") {
            head(&mut self.out, 6, number);
            self.item(left)?;
            return self.take(")").then_some(());
        }
        let argument = if negative { number.checked_sub(1)? } else { number };
        head(&mut self.out, u8::from(negative), argument);
        Some(())
    }

    /// Items with commas between them, or with colons and commas in turn.
    fn many(&mut self, major: u8, end: &str, left: u8) -> Option<()> {
        let at = self.out.len();
        let mut count = 0;
        while !self.take(end) {
            self.item(left)?;
            if major == 5 {
                self.take(":").then_some(())?;
                self.item(left)?;
            }
            count += 1;
            if !self.take(",") {
                self.take(end).then_some(())?;
                break;
            }
        }
        let mut start = Vec::new();
        head(&mut start, major, count);
        self.out.splice(at..at, start);
        Some(())
    }
}
