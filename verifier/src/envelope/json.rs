//! Evidence in JSON: the messages of CoCo and Trustee, secGear, global-trust-authority, kata, ratsd and Veraison.

use super::{Opening, Refusal, from_base64, from_hex};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// Members that hold a token.
const TOKENS: [&str; 9] = [
    "token",
    "vcca_token",
    "cca_token",
    "cca-token",
    "virtcca_token",
    "vcca_cvm_token",
    "evidence_virtcca",
    "outblob",
    "cmw",
];
/// Members that hold evidence in one more envelope, or a token.
const WITHIN: [&str; 9] = [
    "evidence",
    "tee-evidence",
    "tee_evidence",
    "primary_evidence",
    "primary-evidence",
    "evidences",
    "measurements",
    "verification_requests",
    "quote",
];
/// Members that hold the certificate of the device.
const CERTIFICATES: [&str; 5] = ["dev_cert", "dev-cert", "device_cert", "aik_cert", "cpak_cert"];
/// Members that hold the event log, and those that hold its ACPI table.
const LOGS: [&str; 6] = ["ccel_data", "cc_eventlog", "cc_event_log", "ccel", "event_log", "eventlog"];
const TABLES: [&str; 1] = ["ccel_table"];
/// Members in which one looks for logs.
const OF_LOGS: [&str; 2] = ["logs", "uefi_log"];
/// Members whose content is something else than what is judged here.
const OTHERS: [(&str, &str); 9] = [
    ("ima_log", "a log of IMA"),
    ("dim_log", "a log of DIM"),
    ("additional_evidence", "evidence of devices"),
    ("additional-evidence", "evidence of devices"),
    ("auxblob", "an auxiliary blob"),
    ("manifestblob", "a manifest"),
    ("init-data", "initialisation data"),
    ("init_data", "initialisation data"),
    ("runtime-data", "runtime data, whose hash is the challenge"),
];
/// What tells one system's message from another's: members that it has, and what it is.
const KINDS: [(&[&str], &str); 14] = [
    (&["verification_requests"], "a request to Trustee's attestation service"),
    (&["tee-evidence"], "a Trustee (KBS) attest message"),
    (&["primary_evidence"], "Trustee (KBS) evidence"),
    (&["vcca_token"], "global-trust-authority evidence of virtCCA"),
    (&["attester_type"], "global-trust-authority evidence of one attester"),
    (&["evidences"], "global-trust-authority evidence of one node"),
    (&["measurements"], "a global-trust-authority message"),
    (&["evidence_virtcca"], "kata evidence of virtCCA"),
    (&["evidence", "dev_cert"], "secGear evidence of virtCCA"),
    (&["outblob", "provider"], "a TSM report"),
    (&["cmw"], "a message of ratsd"),
    (&["type", "value"], "evidence with its media type"),
    (&["evidence"], "a message with evidence"),
    (&["token"], "CoCo evidence"),
];
/// Members that only results have.
const RESULT: [&str; 3] = ["submods", "ear.status", "ear_status"];
/// Member that says what a collection of conceptual messages is of.
const COLLECTION: &str = "__cmwc_t";

/// JSON in which no object names a member twice, and a list of bytes is bytes.
enum Json {
    Object(Vec<(String, Self)>),
    List(Vec<Self>),
    Bytes(Vec<u8>),
    Text(String),
    Number(u64),
    Nothing,
    Other,
}

impl Json {
    /// What is in it as bytes, in whichever encoding.
    fn decoded(&self, member: &str) -> Result<Vec<u8>, Refusal> {
        let found = match self {
            Self::Bytes(bytes) => Some(bytes.clone()),
            Self::Text(text) if text.contains("-----BEGIN ") => Some(text.clone().into_bytes()),
            Self::Text(text) => from_hex(text).or_else(|| from_base64(text)),
            _ => None,
        };
        found.ok_or_else(|| Refusal::Encoding { member: printable(member) })
    }

    fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::Nothing => true,
            Self::Text(text) => text.is_empty(),
            Self::List(list) => list.is_empty(),
            Self::Object(members) => members.is_empty(),
            _ => false,
        }
    }

    /// Whether it is a record of a conceptual message wrapper: media type, value, and perhaps what it is for.
    fn is_record(&self) -> bool {
        let Self::List(items) = self else { return false };
        let (kind, value) = (items.first().and_then(Self::text), items.get(1).and_then(Self::text));
        kind.is_some_and(|it| it.contains('/')) && value.is_some() && items.len() <= 3
    }
}

type Members = [(String, Json)];

fn member<'a>(members: &'a Members, name: &str) -> Option<&'a Json> {
    members.iter().find(|(it, _)| it == name).map(|(_, value)| value)
}

impl Opening {
    /// Opens a text of JSON; answers whether it was an envelope that is known.
    pub(super) fn json_text(&mut self, text: &str, left: u8) -> Result<bool, Refusal> {
        let json = serde_json::from_str(text).map_err(|error| Refusal::Json(printable(&error.to_string())))?;
        if self.json(&json, left)? {
            return Ok(true);
        }
        Err(Refusal::NoToken { kind: "JSON of no kind that is known here".into() })
    }

    fn json(&mut self, json: &Json, left: u8) -> Result<bool, Refusal> {
        let left = left.checked_sub(1).ok_or(Refusal::TooDeep)?;
        match json {
            Json::Object(members) => self.object(members, left),
            Json::List(_) if json.is_record() => self.record("a conceptual message", json, left),
            Json::List(items) => items.iter().try_fold(false, |known, item| Ok(self.json(item, left)? || known)),
            Json::Bytes(bytes) => self.bytes(bytes, left),
            Json::Text(text) => self.text(text.trim(), left),
            Json::Number(_) | Json::Nothing | Json::Other => Ok(false),
        }
    }

    fn object(&mut self, members: &Members, left: u8) -> Result<bool, Refusal> {
        let has = |name: &&str| member(members, name).is_some_and(|it| !it.is_empty());
        if RESULT.iter().any(has) {
            return Err(Refusal::Result);
        }
        if is_collection(members) {
            return self.collection(members, left);
        }
        let Some((_, kind)) = KINDS.iter().find(|(names, _)| names.iter().all(has)) else { return Ok(false) };
        let provider = member(members, "provider").and_then(Json::text);
        // The kernel ends the name with a line feed.
        let provider = provider.map(|it| format!(" by {}", printable(it.trim_end())));
        self.layer(format!("{kind}{}", provider.unwrap_or_default()));
        for (name, value) in members.iter().filter(|(_, value)| !value.is_empty()) {
            self.member(name, value, members, left)?;
        }
        Ok(true)
    }

    fn member(&mut self, name: &str, value: &Json, beside: &Members, left: u8) -> Result<(), Refusal> {
        let media_type = |name| name == "value" && member(beside, "type").is_some();
        if TOKENS.contains(&name) || WITHIN.contains(&name) || media_type(name) {
            if !self.json(value, left)? {
                // Whoever reads it as a token names what is wrong with it.
                self.take_token(&value.decoded(name)?)?;
            }
        } else if CERTIFICATES.contains(&name) {
            self.take_certificate(&value.decoded(name)?)?;
        } else if LOGS.contains(&name) {
            self.take_log(&value.decoded(name)?)?;
        } else if TABLES.contains(&name) {
            self.take_table(&value.decoded(name)?)?;
        } else if OF_LOGS.contains(&name) {
            self.logs(value)?;
        } else if let Some((_, what)) = OTHERS.iter().find(|(it, _)| *it == name) {
            self.beside(*what);
        }
        Ok(())
    }

    /// The logs of one system stand in an object, those of another in a list that says of each what it is.
    fn logs(&mut self, value: &Json) -> Result<(), Refusal> {
        match value {
            Json::Object(members) => {
                let some = members.iter().filter(|(_, value)| !value.is_empty());
                some.into_iter().try_for_each(|(name, value)| match name.as_str() {
                    name if LOGS.contains(&name) => self.take_log(&value.decoded(name)?),
                    name if TABLES.contains(&name) => self.take_table(&value.decoded(name)?),
                    name => {
                        self.beside(format!("a log called {}", printable(name)));
                        Ok(())
                    }
                })
            }
            Json::List(items) => items.iter().try_for_each(|item| self.log_of_kind(item)),
            _ => Err(Refusal::Encoding { member: "logs".into() }),
        }
    }

    fn log_of_kind(&mut self, item: &Json) -> Result<(), Refusal> {
        let Json::Object(members) = item else { return Err(Refusal::Encoding { member: "logs".into() }) };
        let kind = member(members, "log_type").and_then(Json::text).unwrap_or_default();
        match member(members, "log_data") {
            Some(data) if kind.eq_ignore_ascii_case("ccel") => self.take_log(&data.decoded("log_data")?),
            _ => {
                self.beside(format!("a log called {}", printable(kind)));
                Ok(())
            }
        }
    }

    fn collection(&mut self, members: &Members, left: u8) -> Result<bool, Refusal> {
        self.layer("a collection of conceptual messages in JSON");
        let mut known = false;
        for (name, value) in members {
            let name = printable(name);
            match value {
                Json::Object(inner) => known |= self.object(inner, left)?,
                _ if value.is_record() => known |= self.record(&format!("entry {name}"), value, left)?,
                // What the collection is of.
                _ => {}
            }
        }
        Ok(known)
    }

    fn record(&mut self, what: &str, record: &Json, left: u8) -> Result<bool, Refusal> {
        let Json::List(items) = record else { return Ok(false) };
        let kind = items.first().and_then(Json::text).map(printable).unwrap_or_default();
        let content = items.get(1).map_or(Ok(Vec::new()), |value| match value {
            Json::Text(text) => from_base64(text).ok_or(Refusal::Encoding { member: what.to_string() }),
            value => value.decoded(what),
        })?;
        self.message(what, &kind, &content, left)
    }
}

/// Whether an object is a collection of conceptual messages (draft-ietf-rats-msg-wrap): each member is a record or one
/// more collection, beside the one that says what it is of.
fn is_collection(members: &Members) -> bool {
    let of = |name: &str| name == COLLECTION;
    let one = |(name, value): &(String, Json)| of(name) || value.is_record() || matches!(value, Json::Object(_));
    let some = members.iter().any(|(name, value)| of(name) || value.is_record());
    some && members.iter().all(one)
}

/// Without what could steer a terminal, and not too long to be read.
fn printable(text: &str) -> String {
    const SHOWN: usize = 100;
    crate::certificate::printable(text).chars().take(SHOWN).collect()
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reading)
    }
}

struct Reading;

impl<'de> Visitor<'de> for Reading {
    type Value = Json;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json, E> {
        Ok(Json::Number(number))
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Nothing)
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_string()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        // A list of bytes is read as bytes: a megabyte of them would else become tens of megabytes.
        let (mut bytes, mut list) = (Vec::new(), Vec::new());
        while let Some(item) = items.next_element()? {
            match item {
                Json::Number(number) if list.is_empty() && number < 256 => bytes.extend(u8::try_from(number)),
                item => {
                    list.extend(bytes.drain(..).map(|byte| Json::Number(byte.into())));
                    list.push(item);
                }
            }
        }
        Ok(if bytes.is_empty() { Json::List(list) } else { Json::Bytes(bytes) })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json, A::Error> {
        let mut members: Vec<(String, Json)> = Vec::new();
        let mut names = std::collections::BTreeSet::new();
        while let Some(name) = entries.next_key::<String>()? {
            if !names.insert(name.clone()) {
                return Err(A::Error::custom(format!("member {name:?} for the second time")));
            }
            members.push((name, entries.next_value()?));
        }
        Ok(Json::Object(members))
    }
}
