//! Claims of a token without the signatures around them: as CBOR, and in the JSON that evcli and Veraison write.

use super::Found;
use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use evidence::allegations::Bare;
use evidence::cbor::{Key, Reader};
use serde_json::{Map, Value};
use std::fmt::Write;

/// How a claim stands in CBOR.
#[derive(Clone, Copy)]
enum As {
    Bytes,
    Text,
    Number,
    ListOfBytes,
    Components,
}

const PLATFORM: [(&str, u64, As); 9] = [
    ("cca-platform-profile", 265, As::Text),
    ("cca-platform-challenge", 10, As::Bytes),
    ("cca-platform-implementation-id", 2396, As::Bytes),
    ("cca-platform-instance-id", 256, As::Bytes),
    ("cca-platform-config", 2401, As::Bytes),
    ("cca-platform-lifecycle", 2395, As::Number),
    ("cca-platform-hash-algo-id", 2402, As::Text),
    ("cca-platform-service-indicator", 2400, As::Text),
    ("cca-platform-sw-components", 2399, As::Components),
];
const REALM: [(&str, u64, As); 8] = [
    ("cca-realm-profile", 265, As::Text),
    ("cca-realm-challenge", 10, As::Bytes),
    ("cca-realm-personalization-value", 44235, As::Bytes),
    ("cca-realm-hash-algo-id", 44236, As::Text),
    ("cca-realm-public-key", 44237, As::Bytes),
    ("cca-realm-public-key-hash-algo-id", 44240, As::Text),
    ("cca-realm-initial-measurement", 44238, As::Bytes),
    ("cca-realm-extensible-measurements", 44239, As::ListOfBytes),
];
const COMPONENT: [(&str, u64, As); 6] = [
    ("component-type", 1, As::Text),
    ("measurement-type", 1, As::Text),
    ("measurement-value", 2, As::Bytes),
    ("version", 4, As::Text),
    ("signer-id", 5, As::Bytes),
    ("hash-algo-id", 6, As::Text),
];
/// Members of the JSON that holds both halves.
const HALVES: [(&str, &str); 4] = [
    ("cca-platform-token", "platform"),
    ("platform", "platform"),
    ("cca-realm-delegated-token", "realm"),
    ("realm", "realm"),
];

/// Claims in CBOR, if that is what bytes are.
pub fn of_cbor(bytes: &[u8]) -> Option<Found> {
    let mut reader = Reader::new(bytes, 0);
    let (mut platform, mut realm) = (false, false);
    reader
        .map(|key, value| {
            platform |= key == Key::Uint(2396) || key == Key::Uint(2399);
            realm |= key == Key::Uint(44237) || key == Key::Uint(44238);
            value.skip()
        })
        .ok()?;
    match (platform, realm) {
        (true, false) => Some(found("platform", Bare::platform(bytes))),
        (false, true) => Some(found("realm", Bare::realm(bytes))),
        _ => None,
    }
}

fn found(half: &str, read: Result<Bare<'_>, evidence::Malformed>) -> Found {
    let kind = format!("claims of a {half} token, without signature");
    match read {
        Ok(claims) => Found::new(kind, claims.to_string()),
        Err(malformed) => Found::broken(format!("{kind}, malformed: {malformed}")),
    }
}

/// Claims in JSON, of one half or both.
pub fn of_json(members: &Map<String, Value>) -> Option<Found> {
    if let Some(found) = half(members) {
        return Some(found.within("JSON"));
    }
    let halves = HALVES.iter().filter_map(|(name, _)| half(members.get(*name)?.as_object()?));
    let mut all = Found::new("claims of a CCA token in JSON, without signatures", String::new());
    let mut some = false;
    for found in halves {
        some = true;
        all.known &= found.known;
        if !found.known {
            let _ = write!(all.kind, "; {}", found.kind);
        }
        all.text.push_str(&found.text);
    }
    some.then_some(all)
}

fn half(members: &Map<String, Value>) -> Option<Found> {
    let starts = |start: &str| members.keys().any(|name| name.starts_with(start));
    let (name, table) = match (starts("cca-platform-"), starts("cca-realm-")) {
        (true, false) => ("platform", &PLATFORM[..]),
        (false, true) => ("realm", &REALM[..]),
        _ => return None,
    };
    // The names of the halves themselves begin as their claims do.
    if HALVES.iter().any(|(half, _)| members.contains_key(*half)) {
        return None;
    }
    Some(match encoded(members, table) {
        Ok(bytes) if name == "platform" => found(name, Bare::platform(&bytes)),
        Ok(bytes) => found(name, Bare::realm(&bytes)),
        Err(member) => Found::broken(format!("claims of a {name} token, malformed: {member:?} is not what it must be")),
    })
}

/// A map of those members that a table names, in CBOR; the name of one that is not of its kind.
fn encoded(members: &Map<String, Value>, table: &[(&str, u64, As)]) -> Result<Vec<u8>, String> {
    let mut entries = Vec::new();
    let mut count = 0;
    for (name, value) in members {
        let Some((_, key, kind)) = table.iter().find(|(known, ..)| known == name) else { continue };
        head(&mut entries, 0, *key);
        encode(&mut entries, value, *kind).ok_or_else(|| name.clone())?;
        count += 1;
    }
    let mut bytes = Vec::new();
    head(&mut bytes, 5, count);
    bytes.extend(entries);
    Ok(bytes)
}

fn encode(out: &mut Vec<u8>, value: &Value, kind: As) -> Option<()> {
    match kind {
        As::Text => string(out, 3, value.as_str()?.as_bytes()),
        As::Number => head(out, 0, value.as_u64()?),
        As::Bytes => string(out, 2, &bytes(value)?),
        As::ListOfBytes => {
            let items = value.as_array()?;
            head(out, 4, items.len() as u64);
            items.iter().try_for_each(|item| encode(out, item, As::Bytes))?;
        }
        As::Components => {
            let items = value.as_array()?;
            head(out, 4, items.len() as u64);
            for item in items {
                out.extend(encoded(item.as_object()?, &COMPONENT).ok()?);
            }
        }
    }
    Some(())
}

fn bytes(value: &Value) -> Option<Vec<u8>> {
    let text = value.as_str()?;
    Base64::decode_vec(text).or_else(|_| Base64UrlUnpadded::decode_vec(text)).ok()
}

/// Appends a string of bytes (major type 2) or text (3).
pub fn string(out: &mut Vec<u8>, major: u8, content: &[u8]) {
    head(out, major, content.len() as u64);
    out.extend(content);
}

/// Appends the head of an item, always with eight bytes of argument: longer than need be is read too (RFC 8949 §3.1).
pub fn head(out: &mut Vec<u8>, major: u8, argument: u64) {
    out.push(major << 5 | 27);
    out.extend(argument.to_be_bytes());
}
