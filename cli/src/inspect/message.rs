//! Messages in CBOR that are no tokens: conceptual message wrappers, CoSERV's queries and results, problem details.

use super::Found;
use evidence::Malformed;
use evidence::cbor::{Key, Reader};
use evidence::hex::encode;
use std::fmt::Write;

/// Major types (RFC 8949 §3.1).
const UINT: u8 = 0;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const ARRAY: u8 = 4;
const MAP: u8 = 5;
const TAG: u8 = 6;
/// Tags made of the numbers of content formats (RFC 9277 §4.3).
const TAGS_OF_FORMATS: std::ops::RangeInclusive<u64> = 1_668_546_817..=1_668_612_095;
/// What a query of CoSERV is for (draft-ietf-rats-coserv).
const ARTIFACTS: [&str; 3] = ["endorsed values", "trust anchors", "reference values"];
const SELECTORS: [&str; 3] = ["classes", "instances", "groups"];
const RESULTS: [(u64, &str); 6] = [
    (0, "reference values"),
    (1, "endorsed values"),
    (2, "conditional endorsements"),
    (3, "attest keys"),
    (4, "trust anchors"),
    (5, "CoRIMs"),
];
const EXPIRY: u64 = 10;

/// Says what a message is, if it is one.
pub fn of(bytes: &[u8]) -> Option<Found> {
    problem(bytes).or_else(|| coserv(bytes)).or_else(|| wrapper(bytes))
}

fn reader(bytes: &[u8]) -> Reader<'_> {
    let mut reader = Reader::new(bytes, 0).admitting_indefinite();
    if major(&reader) == Some(TAG) {
        let _ = reader.tag();
    }
    reader
}

fn major(reader: &Reader<'_>) -> Option<u8> {
    reader.peek().map(|first| first >> 5)
}

fn shown(key: Key<'_>) -> String {
    match key {
        Key::Uint(number) => number.to_string(),
        Key::Nint(number) => format!("-{}", u128::from(number) + 1),
        Key::Text(text) => text.escape_debug().to_string(),
        Key::Bytes(bytes) => encode(bytes),
    }
}

/// Concise problem details (RFC 9290): title and detail.
fn problem(bytes: &[u8]) -> Option<Found> {
    let (mut title, mut detail) = (None, None);
    reader(bytes)
        .map(|key, value| {
            match key {
                Key::Nint(0) => title = Some(value.text()?),
                Key::Nint(1) => detail = Some(value.text()?),
                _ => value.skip()?,
            }
            Ok(())
        })
        .ok()?;
    let text = format!("title     {}\ndetail    {}", title?.escape_debug(), detail.unwrap_or_default().escape_debug());
    Some(Found::new("problem details (of CoSERV or another service)", text))
}

/// A query of CoSERV, with what answers it or without.
fn coserv(bytes: &[u8]) -> Option<Found> {
    let (mut text, mut query, mut results) = (String::new(), false, false);
    reader(bytes)
        .map(|key, value| {
            match key {
                Key::Uint(0) if major(value) == Some(TEXT) => {
                    let _ = writeln!(text, "profile   {}", value.text()?.escape_debug());
                }
                Key::Uint(1) if major(value) == Some(MAP) => query = asked(value, &mut text)?,
                Key::Uint(2) if major(value) == Some(MAP) => {
                    results = true;
                    answered(value, &mut text)?;
                }
                _ => value.skip()?,
            }
            Ok(())
        })
        .ok()?;
    let kind = if results { "results of a CoSERV query" } else { "CoSERV query" };
    (query && text.starts_with("profile")).then(|| Found::new(kind, text))
}

fn asked(reader: &mut Reader<'_>, text: &mut String) -> Result<bool, Malformed> {
    let (mut artifact, mut selector) = (None, None);
    reader.map(|key, value| {
        match key {
            Key::Uint(0) if major(value) == Some(UINT) => artifact = Some(value.uint()?),
            Key::Uint(1) if major(value) == Some(MAP) => selector = Some(selected(value)?),
            _ => value.skip()?,
        }
        Ok(())
    })?;
    let name = artifact.and_then(|it| ARTIFACTS.get(usize::try_from(it).ok()?));
    let Some((name, selector)) = name.zip(selector) else { return Ok(false) };
    let _ = writeln!(text, "asks for  {name} of {selector}");
    Ok(true)
}

fn selected(reader: &mut Reader<'_>) -> Result<String, Malformed> {
    let mut said = Vec::new();
    reader.map(|key, value| {
        let Key::Uint(number) = key else { return value.skip() };
        let name = SELECTORS.get(usize::try_from(number).unwrap_or(usize::MAX)).copied().unwrap_or("others");
        let mut ids = Vec::new();
        strings(value, &mut ids)?;
        said.push(format!("{name} {}", ids.join(", ")));
        Ok(())
    })?;
    Ok(said.join("; "))
}

/// Every byte string and text in an item, in order.
fn strings(value: &mut Reader<'_>, found: &mut Vec<String>) -> Result<(), Malformed> {
    match major(value) {
        Some(BYTES) => found.push(encode(value.bytes()?)),
        Some(TEXT) => found.push(format!("\"{}\"", value.text()?.escape_debug())),
        Some(ARRAY) => value.array(|item| strings(item, found))?,
        Some(MAP) => value.map(|_, item| strings(item, found))?,
        Some(TAG) => {
            // Depth is bounded by what was skipped before: a tag within a tag is none of an identifier's.
            value.tag()?;
            if major(value) == Some(TAG) { value.skip()? } else { strings(value, found)? }
        }
        _ => value.skip()?,
    }
    Ok(())
}

fn answered(reader: &mut Reader<'_>, text: &mut String) -> Result<(), Malformed> {
    reader.map(|key, value| {
        let mut count = 0_usize;
        match key {
            Key::Uint(EXPIRY) => {
                let mut said = Vec::new();
                strings(value, &mut said)?;
                let _ = writeln!(text, "expires   {}", said.join(" "));
                return Ok(());
            }
            _ if major(value) == Some(ARRAY) => value.array(|item| {
                count += 1;
                item.skip()
            })?,
            _ => value.skip()?,
        }
        let known = RESULTS.iter().find(|(number, _)| key == Key::Uint(*number));
        let name = known.map_or_else(|| format!("entries of key {}", shown(key)), |(_, name)| (*name).to_string());
        let _ = writeln!(text, "answers   {count} {name}");
        Ok(())
    })
}

/// A collection of conceptual messages, or one of them (draft-ietf-rats-msg-wrap).
fn wrapper(bytes: &[u8]) -> Option<Found> {
    let mut one = Reader::new(bytes, 0).admitting_indefinite();
    if major(&one) == Some(TAG)
        && let Ok(Some(said)) = record(&mut one)
    {
        return Some(Found::new("conceptual message wrapper (a tag)", said));
    }
    let mut one = reader(bytes);
    if major(&one) == Some(ARRAY) {
        let said = record(&mut one).ok()??;
        return Some(Found::new("conceptual message wrapper (a record)", said));
    }
    let (mut text, mut records, mut others) = (String::new(), 0, 0);
    one.map(|key, value| {
        match record(value)? {
            Some(said) => {
                records += 1;
                let _ = writeln!(text, "entry     {:<10} {said}", shown(key));
            }
            None => others += usize::from(!matches!(key, Key::Text("__cmwc_t"))),
        }
        Ok(())
    })
    .ok()?;
    (records > 0 && others == 0).then(|| Found::new("conceptual message wrapper, a collection", text))
}

/// What a value is said to be, if it is a record or its form as a tag; the reader is behind it then in any case.
fn record(value: &mut Reader<'_>) -> Result<Option<String>, Malformed> {
    let mut inner = value.clone();
    value.skip()?;
    match major(&inner) {
        Some(TAG) => {
            let tag = inner.tag()?;
            let known = TAGS_OF_FORMATS.contains(&tag) && major(&inner) == Some(BYTES);
            Ok(if known { Some(format!("tag {tag}, {} bytes", inner.bytes()?.len())) } else { None })
        }
        Some(ARRAY) => {
            let (mut index, mut kind, mut length) = (0_usize, None, None);
            inner.array(|item| {
                index += 1;
                match (index, major(item)) {
                    (1, Some(TEXT)) => kind = Some(item.text()?.escape_debug().to_string()),
                    (1, Some(UINT)) => kind = Some(format!("content format {}", item.uint()?)),
                    (2, Some(BYTES)) => length = Some(item.bytes()?.len()),
                    _ => item.skip()?,
                }
                Ok(())
            })?;
            let said = kind.zip(length).filter(|_| index <= 3);
            Ok(said.map(|(kind, length)| format!("{kind}, {length} bytes")))
        }
        _ => Ok(None),
    }
}
