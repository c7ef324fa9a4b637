//! Templates of CoRIMs in JSON, as `cocli` reads them: CoMIDs of platforms, their keys and Realms, and the CoRIM around.
//!
//! They follow the layouts that CoRIMs have: what is said and not understood is refused.

use super::Result;
use base64ct::{Base64, Base64Unpadded, Base64UrlUnpadded, Encoding};
use evidence::Hash;
use evidence::corim::{AttestKey, Component, Digest, KeyText, Masked, Platform, Realm, Validity};
use serde_json::{Map, Value};
use x509_cert::der::pem::{LineEnding, encode_string};

/// What a CoRIM's template says beside its CoMIDs.
#[derive(Clone, Default)]
pub struct Template {
    pub id: Option<String>,
    pub validity: Option<Validity>,
    pub entities: Vec<String>,
}

/// What a CoMID's template says.
#[derive(Default)]
pub struct Comid {
    pub platforms: Vec<Platform>,
    pub realms: Vec<Realm>,
    pub keys: Vec<AttestKey>,
}

/// What a file of JSON is a template of.
pub enum Read {
    Corim(Template),
    Comid(Comid),
}

/// Numbers of hash algorithms (IANA, Named Information) in digests.
const ALGORITHMS: [(u64, Hash); 3] = [(1, Hash::Sha256), (7, Hash::Sha384), (8, Hash::Sha512)];

/// Reads a template, if a file is one.
pub fn read(file: &[u8]) -> Option<Result<Read>> {
    let Ok(Value::Object(members)) = serde_json::from_slice(file) else { return None };
    if members.contains_key("corim-id") {
        return Some(corim(&members).map(Read::Corim));
    }
    if members.contains_key("id") && members.contains_key("tags") {
        return Some(Err("JSON of corim-tool: let that make a CoRIM of it".into()));
    }
    let is_comid = members.contains_key("tag-identity") && members.contains_key("triples");
    is_comid.then(|| comid(&members).map(Read::Comid))
}

fn corim(members: &Map<String, Value>) -> Result<Template> {
    only("corim", members, &["corim-id", "profile", "profiles", "validity", "entities", "dependent-rims", "lang"])?;
    let time = |text: &str| verifier::chain::seconds(text).ok_or_else(|| format!("validity: {text:?} is no time"));
    let validity = match members.get("validity").map(|it| (it.get("not-before"), it.get("not-after"))) {
        None => None,
        Some((from, until)) => Some(Validity {
            not_before: from.and_then(Value::as_str).map(time).transpose()?,
            not_after: time(until.and_then(Value::as_str).ok_or("validity: expected not-after")?)?,
        }),
    };
    let entities = members.get("entities").and_then(Value::as_array);
    let names = entities.into_iter().flatten().filter_map(|it| it.get("name")?.as_str()).map(str::to_string);
    let id = members.get("corim-id").and_then(Value::as_str).map(str::to_string);
    Ok(Template { id, validity, entities: names.collect() })
}

fn comid(members: &Map<String, Value>) -> Result<Comid> {
    only("comid", members, &["lang", "tag-identity", "entities", "linked-tags", "triples"])?;
    let triples = members.get("triples").and_then(Value::as_object).ok_or("triples: expected an object")?;
    only("triples", triples, &["reference-values", "attester-verification-keys"])?;
    let mut found = Comid::default();
    for triple in list(triples, "reference-values") {
        let triple = object("reference-values", triple)?;
        only("reference-values", triple, &["environment", "measurements", "measurement"])?;
        let environment = Environment::read(triple)?;
        // Before 2025 a triple had one measurement.
        let measurements = list(triple, "measurements").chain(triple.get("measurement"));
        let measurements = measurements.map(Measurement::read).collect::<Result<Vec<_>>>()?;
        if measurements.iter().any(Measurement::is_of_realm) {
            found.realms.push(realm(&environment, &measurements)?);
        } else {
            found.platforms.push(platform(&environment, &measurements)?);
        }
    }
    for triple in list(triples, "attester-verification-keys") {
        let triple = object("attester-verification-keys", triple)?;
        only("attester-verification-keys", triple, &["environment", "verification-keys"])?;
        found.keys.push(key(&Environment::read(triple)?, triple)?);
    }
    if found.platforms.is_empty() && found.realms.is_empty() && found.keys.is_empty() {
        return Err("triples: expected reference values or keys, found none".into());
    }
    Ok(found)
}

fn list<'a>(members: &'a Map<String, Value>, name: &str) -> impl Iterator<Item = &'a Value> {
    members.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn object<'a>(name: &str, value: &'a Value) -> Result<&'a Map<String, Value>> {
    value.as_object().ok_or_else(|| format!("{name}: expected an object").into())
}

/// Refuses what is not understood.
fn only(of: &str, members: &Map<String, Value>, known: &[&str]) -> Result<()> {
    match members.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(format!("{of}: {name:?} is not understood").into()),
        None => Ok(()),
    }
}

fn base64(of: &str, text: &str) -> Result<Vec<u8>> {
    let bytes = Base64::decode_vec(text).or_else(|_| Base64Unpadded::decode_vec(text));
    bytes.or_else(|_| Base64UrlUnpadded::decode_vec(text)).map_err(|_| format!("{of}: expected base64").into())
}

/// The bytes of a value with its type.
fn typed(of: &str, value: &Value, kinds: &[&str]) -> Result<Vec<u8>> {
    let (kind, text) = (value.get("type").and_then(Value::as_str), value.get("value").and_then(Value::as_str));
    match (kind, text) {
        (Some(kind), Some(text)) if kinds.contains(&kind) => base64(of, text),
        _ => Err(format!("{of}: expected a value of type {}", kinds.join(" or ")).into()),
    }
}

/// What a triple is about.
struct Environment<'a> {
    class: Option<&'a Value>,
    instance: Option<&'a Value>,
}

impl<'a> Environment<'a> {
    fn read(triple: &'a Map<String, Value>) -> Result<Self> {
        let environment = object("environment", triple.get("environment").ok_or("expected an environment")?)?;
        only("environment", environment, &["class", "instance"])?;
        if let Some(class) = environment.get("class") {
            only("class", object("class", class)?, &["id", "vendor", "model"])?;
        }
        let class = environment.get("class").and_then(|it| it.get("id"));
        Ok(Self { class, instance: environment.get("instance") })
    }

    fn implementation_id(&self) -> Result<[u8; 32]> {
        let class = self.class.ok_or("environment: expected a class with an id")?;
        let id = typed("class", class, &["bytes", "psa.impl-id", "cca.impl-id"])?;
        id.try_into().map_err(|_| "class: expected an implementation id of 32 bytes".into())
    }

    fn instance_id(&self) -> Result<[u8; 33]> {
        let instance = self.instance.ok_or("environment: expected an instance")?;
        let id = typed("instance", instance, &["ueid", "bytes"])?;
        let id = <[u8; 33]>::try_from(id).ok().filter(|id| id.first() == Some(&1));
        id.ok_or_else(|| "instance: expected 33 bytes from 01 on".into())
    }

    /// What a Realm is called: its instance, as before 2025, or its class.
    fn realm(&self) -> Result<Vec<u8>> {
        match self.instance.or(self.class) {
            Some(id) => typed("realm", id, &["bytes"]),
            None => Err("environment: expected the initial measurement as class or instance".into()),
        }
    }
}

/// A measurement: its key as text, what stands in the key beside, and its values.
struct Measurement<'a> {
    key: String,
    beside: Option<&'a Map<String, Value>>,
    value: &'a Map<String, Value>,
}

impl<'a> Measurement<'a> {
    fn read(it: &'a Value) -> Result<Self> {
        let it = object("measurement", it)?;
        only("measurement", it, &["key", "value"])?;
        let value = object("measurement", it.get("value").ok_or("measurement: expected a value")?)?;
        let known = ["version", "digests", "raw-value", "raw-value-mask", "name", "cryptokeys", "integrity-registers"];
        only("measurement", value, &known)?;
        let key = it.get("key");
        let kind = key.and_then(|it| it.get("type")).and_then(Value::as_str);
        let content = key.and_then(|it| it.get("value"));
        let (key, beside) = match (kind, content) {
            (None, None) => (String::new(), None),
            (Some("string" | "text"), Some(Value::String(text))) => (text.clone(), None),
            (Some("psa.refval-id" | "cca.refval-id"), Some(Value::Object(beside))) => {
                only("measurement key", beside, &["label", "version", "signer-id"])?;
                ("cca.software-component".to_string(), Some(beside))
            }
            (Some("cca.platform-config-id"), Some(_)) => ("cca.platform-config".to_string(), None),
            _ => return Err("measurement: a key that is not understood".into()),
        };
        Ok(Self { key, beside, value })
    }

    fn is_of_realm(&self) -> bool {
        let of = |start| self.key.starts_with(start);
        of("cca.rim") || of("cca.rem") || of("cca.rpv") || self.value.contains_key("integrity-registers")
    }

    fn text(&self, name: &str) -> Option<String> {
        let own = self.value.get(name).or_else(|| self.beside?.get(name))?;
        own.as_str().or_else(|| own.get("value")?.as_str()).map(str::to_string)
    }

    fn masked(&self) -> Result<Masked> {
        let value = self.value.get("raw-value").ok_or_else(|| format!("{}: expected a raw value", self.key))?;
        let value = typed(&self.key, value, &["bytes"])?;
        let mask = self.value.get("raw-value-mask").and_then(Value::as_str);
        let mask = mask.map(|it| base64("raw-value-mask", it)).transpose()?;
        Ok(Masked::new(&value, mask.as_deref())?)
    }

    fn digests(&self) -> Result<Vec<Digest>> {
        let list = self.value.get("digests").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        digests(&self.key, list)
    }
}

/// Digests, each as `"sha-256;base64"`, with a colon by older tools, or as `[1, "base64"]`.
fn digests(of: &str, list: &[Value]) -> Result<Vec<Digest>> {
    let one = |it: &Value| -> Result<Digest> {
        let (hash, text) = match it {
            Value::String(text) => {
                let (name, text) =
                    text.split_once([';', ':']).ok_or_else(|| format!("{of}: expected algorithm;base64"))?;
                (Hash::from_name(name), text)
            }
            it => {
                let (algorithm, text) = (it.get(0).unwrap_or(it), it.get(1).and_then(Value::as_str));
                let numbered = ALGORITHMS.iter().find(|(number, _)| algorithm.as_u64() == Some(*number));
                let hash = numbered.map(|(_, hash)| *hash).or_else(|| Hash::from_name(algorithm.as_str()?));
                (hash, text.unwrap_or_default())
            }
        };
        let hash = hash.ok_or_else(|| format!("{of}: an algorithm that is not known"))?;
        Ok(Digest::new(hash, &base64(of, text)?)?)
    };
    let digests = list.iter().map(one).collect::<Result<Vec<_>>>()?;
    let twice = |(index, it): (usize, &Digest)| digests.iter().take(index).any(|earlier| earlier.hash == it.hash);
    match digests.is_empty() || digests.iter().enumerate().any(twice) {
        true => Err(format!("{of}: expected digests, one by an algorithm").into()),
        false => Ok(digests),
    }
}

fn one_digest(of: &str, digests: Vec<Digest>) -> Result<Digest> {
    <[Digest; 1]>::try_from(digests).map(|[one]| one).map_err(|_| format!("{of}: expected one digest").into())
}

fn platform(environment: &Environment<'_>, measurements: &[Measurement<'_>]) -> Result<Platform> {
    if environment.instance.is_some() {
        return Err("instance: expected none beside reference values of a platform".into());
    }
    let (mut components, mut config, mut production) = (Vec::new(), None, None);
    for it in measurements {
        match it.key.as_str() {
            "cca.software-component" => components.push(component(it)?),
            "cca.platform-config" if config.is_none() => config = Some(it.masked()?),
            "cca.platform-manufacturing-config" if production.is_none() => production = Some(it.masked()?),
            "" => return Err("measurement of a platform: expected a key".into()),
            key => return Err(format!("{key}: not understood, or for the second time").into()),
        }
    }
    if components.is_empty() {
        return Err("expected a component of the platform, found none".into());
    }
    let implementation_id = environment.implementation_id()?;
    Ok(Platform { implementation_id, components, config, manufacturing_config: production, rotpks: Vec::new() })
}

fn component(it: &Measurement<'_>) -> Result<Component> {
    let of_key = it.beside.and_then(|beside| beside.get("signer-id")).and_then(Value::as_str);
    let signers: Vec<Vec<u8>> = list(it.value, "cryptokeys")
        .map(|key| typed("cryptokeys", key, &["bytes"]))
        .chain(of_key.map(|text| base64("signer-id", text)))
        .collect::<Result<_>>()?;
    let [signer_id] = signers.as_slice() else { return Err("component: expected exactly one signer id".into()) };
    let name = it.text("name").or_else(|| it.text("label"));
    Ok(Component { name, version: it.text("version"), digests: it.digests()?, signer_id: signer_id.clone() })
}

fn realm(environment: &Environment<'_>, measurements: &[Measurement<'_>]) -> Result<Realm> {
    let (mut rim, mut rems, mut rpv) = (None, [None, None, None, None], None);
    let mut registers: Vec<(String, Vec<Digest>)> = Vec::new();
    for it in measurements {
        if let Some(list) = it.value.get("integrity-registers") {
            for (name, value) in object("integrity-registers", list)? {
                let list = value.get("value").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
                registers.push((format!("cca.{name}"), digests(name, list)?));
            }
            rpv = it.value.get("raw-value").map(|value| typed("raw-value", value, &["bytes"])).transpose()?;
        } else if it.key == "cca.rpv" {
            rpv = Some(it.masked()?.value);
        } else {
            registers.push((it.key.clone(), it.digests()?));
        }
    }
    for (name, list) in registers {
        let digest = one_digest(&name, list)?;
        let place = match name.as_str() {
            "cca.rim" => &mut rim,
            "cca.rem0" => &mut rems[0],
            "cca.rem1" => &mut rems[1],
            "cca.rem2" => &mut rems[2],
            "cca.rem3" => &mut rems[3],
            _ => return Err(format!("{name}: not understood").into()),
        };
        if place.replace(digest).is_some() {
            return Err(format!("{name}: for the second time").into());
        }
    }
    let rim = rim.filter(|rim: &Digest| environment.realm().is_ok_and(|id| id == rim.bytes));
    let rim = rim.ok_or("realm: expected an initial measurement that is what the environment is called by")?;
    Ok(Realm { rim, rems, rpv: rpv.map(padded).transpose()? })
}

/// Fewer than 64 bytes are filled up with zeros, as VMMs do.
fn padded(rpv: Vec<u8>) -> Result<[u8; 64]> {
    let mut whole = [0; 64];
    whole.get_mut(..rpv.len()).ok_or("cca.rpv: expected at most 64 bytes")?.copy_from_slice(&rpv);
    Ok(whole)
}

fn key(environment: &Environment<'_>, triple: &Map<String, Value>) -> Result<AttestKey> {
    let keys: Vec<&Value> = list(triple, "verification-keys").collect();
    let [key] = keys.as_slice() else { return Err("verification-keys: expected exactly one".into()) };
    let member = |name| key.get(name).and_then(Value::as_str);
    let text = match (member("type"), member("value"), member("key")) {
        (Some("pkix-base64-key"), Some(text), None) => text,
        // As older tools have it.
        (None, None, Some(text)) if text.starts_with("-----BEGIN PUBLIC KEY-----") => text,
        _ => return Err("verification-keys: expected one of type pkix-base64-key".into()),
    };
    let pem = if text.contains("-----BEGIN ") {
        text.to_string()
    } else {
        encode_string("PUBLIC KEY", LineEnding::LF, &base64("verification-keys", text)?)?
    };
    let (implementation_id, instance_id) = (environment.implementation_id()?, environment.instance_id()?);
    Ok(AttestKey { implementation_id, instance_id, key: KeyText::Pem(pem.trim_end().to_string()) })
}
