//! A result in JSON, written in either spelling and read in both.

use super::spelling::Names;
use super::strict::Strict;
use super::{Appraisal, Aspect, Ear, Refusal, Spelling, Tier, Vector, VerifierId};
use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Map, Value, json};

impl Ear {
    /// The claims, in this result's own spelling.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let names = self.spelling.names();
        let mut claims = Map::new();
        claims.insert("eat_profile".into(), self.profile.clone().into());
        claims.insert("iat".into(), self.issued_at.into());
        if let Some(expires) = self.expires {
            claims.insert("exp".into(), expires.into());
        }
        let VerifierId { developer, build } = &self.verifier;
        claims.insert(names.verifier.into(), json!({ "developer": developer, "build": build }));
        let mut nonces: Vec<Value> = self.nonces.iter().map(|it| text(it)).collect();
        match nonces.len() {
            0 => {}
            1 => drop(claims.insert("eat_nonce".into(), nonces.remove(0))),
            _ => drop(claims.insert("eat_nonce".into(), nonces.into())),
        }
        if let Some(raw) = &self.raw_evidence {
            claims.insert(names.raw_evidence.into(), text(raw));
        }
        let submods = self.submods.iter().map(|(name, it)| (name.clone(), it.to_json(self.spelling)));
        claims.insert("submods".into(), Value::Object(submods.collect()));
        Value::Object(claims)
    }

    /// Reads claims that nobody has vouched for.
    ///
    /// # Errors
    /// [`Refusal`], naming the member and what was expected of it.
    pub fn from_json(bytes: &[u8]) -> Result<Self, Refusal> {
        let Strict(claims) = serde_json::from_slice(bytes).map_err(|error| Refusal::Json(error.to_string()))?;
        let claims = claims.as_object().ok_or_else(|| member("the result", "an object"))?;
        let profile = string(claims, "eat_profile")?;
        let spelling = Spelling::of_profile(&profile).ok_or_else(|| Refusal::Profile(profile.clone()))?;
        let names = spelling.names();
        let submods = claims.get("submods").and_then(Value::as_object);
        let submods = submods.filter(|it| !it.is_empty()).ok_or_else(|| member("submods", "an object of parts"))?;
        let submods = submods.iter().map(|(name, it)| Ok((name.clone(), Appraisal::from_json(name, it, spelling)?)));
        let raw_evidence = claims.get(names.raw_evidence).map(|it| bytes_of(names.raw_evidence, it)).transpose()?;
        Ok(Self {
            spelling,
            profile,
            issued_at: claims.get("iat").and_then(Value::as_i64).ok_or_else(|| member("iat", "seconds since 1970"))?,
            expires: expires(claims)?,
            verifier: verifier(claims, names)?,
            nonces: nonces(claims)?,
            raw_evidence,
            submods: submods.collect::<Result<_, _>>()?,
        })
    }
}

impl Appraisal {
    fn to_json(&self, spelling: Spelling) -> Value {
        let names = spelling.names();
        let mut claims = Map::new();
        claims.insert(names.status.into(), self.status.name().into());
        if let Some(vector) = &self.vector {
            let values = vector.iter().map(|(aspect, value)| (aspect.name().to_string(), Value::from(value)));
            claims.insert(names.vector.into(), Value::Object(values.collect()));
        }
        if !self.policies.is_empty() {
            let policies = match spelling {
                Spelling::Deployed => self.policies.join(" ").into(),
                Spelling::Draft => self.policies.clone().into(),
            };
            claims.insert(names.policy.into(), policies);
        }
        let more = [(names.annotated_evidence, &self.annotated_evidence), (names.policy_claims, &self.policy_claims)];
        claims.extend(more.into_iter().filter_map(|(name, value)| Some((name.to_string(), value.clone()?))));
        Value::Object(claims)
    }

    fn from_json(part: &str, value: &Value, spelling: Spelling) -> Result<Self, Refusal> {
        let names = spelling.names();
        let claims = value.as_object().ok_or_else(|| member(part, "an object"))?;
        let status = claims.get(names.status).and_then(tier);
        let status = status.ok_or_else(|| member(&format!("{part}: {}", names.status), "the name of a tier"))?;
        let vector = claims.get(names.vector).map(|it| vector(part, it)).transpose()?;
        if let Some(tier) = vector.map(|it| it.tier()).filter(|tier| *tier > status) {
            return Err(Refusal::Status { submod: part.into(), status: status.name(), vector: tier.name() });
        }
        Ok(Self {
            status,
            vector,
            policies: claims.get(names.policy).map(|it| policies(part, it)).transpose()?.unwrap_or_default(),
            annotated_evidence: claims.get(names.annotated_evidence).cloned(),
            policy_claims: claims.get(names.policy_claims).cloned(),
        })
    }
}

fn text(bytes: &[u8]) -> Value {
    Base64UrlUnpadded::encode_string(bytes).into()
}

fn member(name: &str, expected: &'static str) -> Refusal {
    Refusal::Member { name: name.escape_debug().to_string(), expected }
}

fn string(claims: &Map<String, Value>, name: &str) -> Result<String, Refusal> {
    claims.get(name).and_then(Value::as_str).map(str::to_owned).ok_or_else(|| member(name, "a text"))
}

fn bytes_of(name: &str, value: &Value) -> Result<Vec<u8>, Refusal> {
    let bytes = value.as_str().and_then(|text| Base64UrlUnpadded::decode_vec(text.trim_end_matches('=')).ok());
    bytes.ok_or_else(|| member(name, "base64url"))
}

fn expires(claims: &Map<String, Value>) -> Result<Option<i64>, Refusal> {
    let read = |value: &Value| value.as_i64().ok_or_else(|| member("exp", "seconds since 1970"));
    claims.get("exp").map(read).transpose()
}

fn verifier(claims: &Map<String, Value>, names: &Names) -> Result<VerifierId, Refusal> {
    let id = claims.get(names.verifier).and_then(Value::as_object);
    let id = id.ok_or_else(|| member(names.verifier, "developer and build"))?;
    Ok(VerifierId { developer: string(id, "developer")?, build: string(id, "build")? })
}

/// One nonce or several; Trustee and others put text there that is no base64url, which is taken as it is.
fn nonces(claims: &Map<String, Value>) -> Result<Vec<Vec<u8>>, Refusal> {
    let read = |value: &Value| {
        let text = value.as_str().ok_or_else(|| member("eat_nonce", "a text, or a list of them"))?;
        Ok(bytes_of("eat_nonce", value).unwrap_or_else(|_| text.as_bytes().to_vec()))
    };
    match claims.get("eat_nonce") {
        None => Ok(Vec::new()),
        Some(Value::Array(list)) => list.iter().map(read).collect(),
        Some(one) => Ok(vec![read(one)?]),
    }
}

fn tier(value: &Value) -> Option<Tier> {
    value.as_str().and_then(Tier::from_name)
}

fn vector(part: &str, value: &Value) -> Result<Vector, Refusal> {
    let wrong = |name: &str, expected| member(&format!("{part}: {name}"), expected);
    let values = value.as_object().ok_or_else(|| wrong("its vector", "an object"))?;
    let mut vector = Vector::default();
    for (name, value) in values {
        let aspect = Aspect::ALL.into_iter().find(|aspect| aspect.name() == name);
        let aspect = aspect.ok_or_else(|| wrong(name, "one of the eight names of a vector"))?;
        let value = value.as_i64().and_then(|value| i8::try_from(value).ok());
        vector.set(aspect, value.ok_or_else(|| wrong(name, "a number from -128 to 127"))?);
    }
    Ok(vector)
}

/// A list in the draft; before, one text.
fn policies(part: &str, value: &Value) -> Result<Vec<String>, Refusal> {
    let wrong = || member(&format!("{part}: its policies"), "a text, or a list of them");
    match value {
        Value::String(one) => Ok(vec![one.clone()]),
        Value::Array(list) => list.iter().map(|it| it.as_str().map(str::to_owned).ok_or_else(wrong)).collect(),
        _ => Err(wrong()),
    }
}
