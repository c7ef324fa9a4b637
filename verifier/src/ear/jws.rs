//! A result as a JSON Web Token: a JSON Web Signature in its compact form (RFC 7515 §7.1, RFC 7519).

use super::strict::Strict;
use super::{Ear, Refusal};
use crate::key::{Key, sha256};
use base64ct::{Base64UrlUnpadded, Encoding};
use evidence::cose::Algorithm;
use serde_json::{Map, Value, json};

/// A token taken apart, whose signature has not been judged.
pub struct Jws {
    signed: String,
    algorithm: Algorithm,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

impl Jws {
    /// Takes a token apart.
    ///
    /// # Errors
    /// [`Refusal::Compact`] or [`Refusal::Header`]: an algorithm other than ES256, ES384, ES512 and PS256, or a header
    /// that must be understood and is not (RFC 7515 §4.1.11).
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let parts: Vec<&str> = text.trim().split('.').collect();
        let [header, payload, signature] = parts.as_slice() else { return Err(Refusal::Compact) };
        let decode = |part: &str| Base64UrlUnpadded::decode_vec(part).map_err(|_| Refusal::Compact);
        let Strict(said) =
            serde_json::from_slice(&decode(header)?).map_err(|error| Refusal::Json(error.to_string()))?;
        if let Some(critical) = said.get("crit") {
            return Err(Refusal::Header(format!("crit {critical}")));
        }
        let algorithm = match said.get("alg").and_then(Value::as_str) {
            Some("ES256") => Algorithm::Es256,
            Some("ES384") => Algorithm::Es384,
            Some("ES512") => Algorithm::Es512,
            Some("PS256") => Algorithm::Ps256,
            other => return Err(Refusal::Header(format!("alg {}", other.unwrap_or("absent").escape_debug()))),
        };
        let signed = format!("{header}.{payload}");
        Ok(Self { signed, algorithm, payload: decode(payload)?, signature: decode(signature)? })
    }

    /// What the header says that it is signed with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The payload, which nobody has vouched for.
    #[must_use]
    pub fn alleged(&self) -> &[u8] {
        &self.payload
    }

    /// Judges the signature. A key in the header is not looked at: whoever makes a token can put one there.
    ///
    /// # Errors
    /// [`Refusal::Signature`].
    pub fn verify(&self, key: &Key) -> Result<&[u8], Refusal> {
        key.verify(self.algorithm, self.signed.as_bytes(), &self.signature).map_err(Refusal::Signature)?;
        Ok(&self.payload)
    }
}

impl Ear {
    /// The result as a token, signed by `sign` with the private half of `key`: two big-endian numbers (RFC 7518 §3.4).
    #[must_use]
    pub fn to_jws(&self, key: &Key, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
        let mut header = Map::new();
        header.insert("alg".into(), key.algorithm().name().into());
        header.insert("typ".into(), "JWT".into());
        if let Some(jwk) = public_jwk(key) {
            header.insert("kid".into(), thumbprint(&jwk).into());
            header.insert("jwk".into(), jwk);
        }
        let encoded = |value: &Value| Base64UrlUnpadded::encode_string(value.to_string().as_bytes());
        let signed = format!("{}.{}", encoded(&Value::Object(header)), encoded(&self.to_json()));
        let signature = Base64UrlUnpadded::encode_string(&sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    /// Reads a token, and believes it if this key has signed it.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn open(text: &str, key: &Key) -> Result<Self, Refusal> {
        Self::from_json(Jws::parse(text)?.verify(key)?)
    }
}

/// A public key on a curve as a JSON Web Key (RFC 7518 §6.2); `None` for RSA.
#[must_use]
pub fn public_jwk(key: &Key) -> Option<Value> {
    let width = key.scalar()?;
    let info = key.info();
    // The point ends the SubjectPublicKeyInfo.
    let numbers = info.get(info.len().checked_sub(width.checked_mul(2)?)?..)?;
    let (x, y) = numbers.split_at_checked(width)?;
    let curve = match key.algorithm() {
        Algorithm::Es256 => "P-256",
        Algorithm::Es384 => "P-384",
        Algorithm::Es512 => "P-521",
        Algorithm::Ps256 => return None,
    };
    let text = Base64UrlUnpadded::encode_string;
    Some(json!({ "crv": curve, "kty": "EC", "x": text(x), "y": text(y) }))
}

/// What names a key (RFC 7638): SHA-256 of its required members in alphabetical order, without spaces.
fn thumbprint(jwk: &Value) -> String {
    let members = ["crv", "kty", "x", "y"].map(|name| format!("\"{name}\":{}", jwk.get(name).unwrap_or(&Value::Null)));
    Base64UrlUnpadded::encode_string(&sha256(format!("{{{}}}", members.join(",")).as_bytes()))
}
