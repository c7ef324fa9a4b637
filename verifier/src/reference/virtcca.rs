//! What is expected of a virtCCA machine's Realm as Huawei's tools print and secGear and Trustee take it.

use super::corim::by_length;
use super::{RealmReference, References, Unusable, digest, hex};
use evidence::Hash;
use serde_json::{Map, Value};

/// How the tool that computes initial measurements begins its line.
const LINE: &str = "RIM-HASH:";
/// Members of Trustee's file, and of secGear's.
const NAMES: [&str; 2] = ["", "vcca.cvm."];

/// The values of a file, if it is one of these: a line `RIM-HASH: …`; an object with `rim` and perhaps `rem`, `rpv` and
/// `hash_alg`; the same with `vcca.cvm.rim` and so on; or that as a text within `refs`.
pub fn values(file: &[u8]) -> Option<Result<RealmReference, Unusable>> {
    let text = std::str::from_utf8(file).ok()?.trim();
    if let Some(rim) = text.strip_prefix(LINE) {
        return Some(digest("RIM-HASH", rim.trim().to_string()).map(only));
    }
    let Ok(Value::Object(members)) = serde_json::from_str(text) else { return None };
    if let Some(Value::String(within)) = members.get("refs") {
        return values(within.as_bytes());
    }
    let prefix = NAMES.iter().find(|prefix| members.contains_key(&format!("{prefix}rim")))?;
    (!members.contains_key("profile")).then(|| read(&members, prefix))
}

fn only(rim: Vec<u8>) -> RealmReference {
    RealmReference { hash: by_length(rim.len()), rim: Some(rim), ..RealmReference::default() }
}

fn read(members: &Map<String, Value>, prefix: &str) -> Result<RealmReference, Unusable> {
    let mut realm = RealmReference::default();
    for (name, value) in members {
        let field = name.strip_prefix(prefix).unwrap_or(name);
        let register = field.strip_prefix("rem.").and_then(|index| index.parse::<usize>().ok());
        match (field, register.and_then(|index| realm.some_rems.get_mut(index))) {
            ("rim", _) => {
                let rim = measurement("rim", value)?;
                (realm.hash, realm.rim) = (by_length(rim.len()), Some(rim));
            }
            ("rem", _) => realm.rems = Some(measurements(value)?),
            ("rpv", _) => realm.rpv = Some(hex("rpv", "64 bytes in hexadecimal", &[64], text("rpv", value)?)?),
            ("hash_alg", _) => {
                let named = text("hash_alg", value)?;
                let expected = "sha-256, sha-384 or sha-512";
                let wrong = Unusable::Value { field: "hash_alg", expected, found: named.clone() };
                Hash::from_name(&named).ok_or(wrong)?;
            }
            (_, Some(place)) => *place = Some(measurement("rem", value)?),
            _ => {
                let expected = "rim, rem, rpv or hash_alg";
                return Err(Unusable::Value { field: "a member", expected, found: name.clone() });
            }
        }
    }
    Ok(realm)
}

fn text(field: &'static str, value: &Value) -> Result<String, Unusable> {
    let wrong = || Unusable::Value { field, expected: "a text", found: value.to_string() };
    value.as_str().map(str::to_string).ok_or_else(wrong)
}

fn measurement(field: &'static str, value: &Value) -> Result<Vec<u8>, Unusable> {
    digest(field, text(field, value)?)
}

fn measurements(value: &Value) -> Result<[Vec<u8>; 4], Unusable> {
    let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
    let list = list.iter().map(|it| measurement("rem", it)).collect::<Result<Vec<_>, _>>()?;
    let wrong = Unusable::Value { field: "rem", expected: "exactly four", found: list.len().to_string() };
    list.try_into().map_err(|_| wrong)
}

impl References {
    /// Takes these values for the one Realm.
    pub(super) fn add_values(&mut self, values: RealmReference) -> Result<(), Unusable> {
        self.realm.get_or_insert_default().join(values)?;
        self.compatible()
    }
}
