//! The forms of reference values, and what is carried between them.

use super::Result;
use super::cocli::{self, Read, Template};
use base64ct::{Base64UrlUnpadded, Encoding};
use evidence::Hash;
use evidence::corim::{AttestKey, Corim, KeyText, Layout, Platform, Realm, is_corim};
use evidence::cose::Algorithm;
use evidence::hex::encode;
use serde_json::{Value, json};
use std::fmt;
use verifier::References;
use verifier::anchor_file::{self, Trusted};
use verifier::key::{self, Key};
use verifier::reference::{Admission, open};
use x509_cert::der::pem::{LineEnding, encode_string};

/// A form to write.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Form {
    /// JSON of profile allod-reference-1.
    Allod,
    /// The flat store of reference values of rust-ccatoken and Trustee.
    Flat,
    /// Their flat store of trust anchors.
    FlatAnchors,
    /// CoRIM, unsigned.
    Corim,
    /// Huawei's list of a machine's components, software_components.json.
    SoftwareComponents,
    /// What a boot may be: rules for event logs.
    Rules,
    /// Huawei's values of a boot, image_reference_measurement.json.
    ImageReference,
}

/// Half of what may be said.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Part {
    /// Platforms and their keys.
    Platform,
    /// Realms.
    Realm,
}

/// Everything that files of any form said.
#[derive(Default)]
pub struct Set {
    /// What was not in CoRIMs.
    references: References,
    platforms: Vec<Platform>,
    realms: Vec<Realm>,
    keys: Vec<AttestKey>,
    /// What a template says of the CoRIM to be made.
    pub template: Template,
}

impl Set {
    /// Adds what a file says.
    pub fn add(&mut self, file: &[u8], admission: &Admission<'_>) -> Result<()> {
        if is_corim(file) {
            let corim = open(file, admission)?;
            for tag in &corim.passed_over {
                eprintln!("allod: what has CBOR tag {tag} in a CoRIM is left out: it is no CoMID");
            }
            extend(&mut self.platforms, corim.platforms);
            extend(&mut self.realms, corim.realms);
            extend(&mut self.keys, corim.keys.into_iter().map(in_pem).collect::<Result<_>>()?);
            return Ok(());
        }
        match cocli::read(file).transpose()? {
            Some(Read::Corim(template)) => {
                self.template = template;
                return Ok(());
            }
            Some(Read::Comid(comid)) => {
                extend(&mut self.platforms, comid.platforms);
                extend(&mut self.realms, comid.realms);
                extend(&mut self.keys, comid.keys.into_iter().map(in_pem).collect::<Result<_>>()?);
                return Ok(());
            }
            None => {}
        }
        if matches!(serde_json::from_slice(file), Ok(Value::Array(_))) {
            for trusted in anchor_file::read(file)? {
                let Trusted::Key(Some(identity), key) = trusted else {
                    return Err("expected keys with the platforms that they are for".into());
                };
                let key = KeyText::Pem(pem(&key)?);
                let (implementation_id, instance_id) = (identity.implementation_id, identity.instance_id);
                extend(&mut self.keys, vec![AttestKey { implementation_id, instance_id, key }]);
            }
            return Ok(());
        }
        Ok(self.references.add(file)?)
    }

    /// A CoRIM of everything, or of one part; without identifier.
    pub fn corim(&self, layout: Layout, part: Option<Part>) -> Result<Corim> {
        let mut made = Corim {
            id: String::new(),
            profile: None,
            layout,
            validity: None,
            entities: Vec::new(),
            platforms: Vec::new(),
            realms: Vec::new(),
            keys: Vec::new(),
            passed_over: Vec::new(),
        };
        if part != Some(Part::Realm) {
            let own = self.references.platform.iter().chain(&self.references.platforms);
            made.platforms = own.map(Platform::try_from).collect::<Result<_, _>>()?;
            extend(&mut made.platforms, self.platforms.clone());
            made.keys = self.keys.clone();
        }
        if part != Some(Part::Platform) {
            let own = self.references.realm.iter().chain(&self.references.realms);
            made.realms = own.map(Realm::try_from).collect::<Result<_, _>>()?;
            extend(&mut made.realms, self.realms.clone());
        }
        Ok(made)
    }

    /// Everything, or one part, in a form of JSON.
    pub fn text(&self, form: Form, part: Option<Part>) -> Result<String> {
        if form == Form::FlatAnchors {
            let entries = self.keys.iter().map(anchor).collect::<Result<Vec<_>>>()?;
            return if entries.is_empty() { Err("no keys in it".into()) } else { Ok(format!("{:#}", json!(entries))) };
        }
        let references = self.all(part)?;
        if !self.keys.is_empty() && part != Some(Part::Realm) {
            eprintln!("allod: keys are left out: `--to flat-anchors` writes them, `allod anchors import` keeps them");
        }
        Ok(match form {
            Form::Flat => references.to_store(Hash::Sha256)?,
            Form::SoftwareComponents => references.to_component_list()?,
            Form::Rules | Form::ImageReference => return Err("only what a boot may be has this form".into()),
            _ => references.to_json()?,
        })
    }

    /// The values in the verifier's form.
    fn all(&self, part: Option<Part>) -> Result<References> {
        let mut all = self.references.clone();
        for platform in &self.platforms {
            extend(&mut all.platforms, vec![platform.try_into()?]);
        }
        for realm in &self.realms {
            extend(&mut all.realms, vec![realm.into()]);
        }
        if part == Some(Part::Realm) {
            (all.platform, all.platforms) = (None, Vec::new());
        }
        if part == Some(Part::Platform) {
            (all.realm, all.realms) = (None, Vec::new());
        }
        Ok(all)
    }
}

/// Adds what is not there yet.
fn extend<T: PartialEq>(list: &mut Vec<T>, more: Vec<T>) {
    for it in more {
        if !list.contains(&it) {
            list.push(it);
        }
    }
}

/// Identifier of a CoRIM that has none: what it says, hashed.
pub fn digest_of(corim: &Corim) -> Result<String> {
    let digest = key::hash(Hash::Sha256, &corim.encode()?);
    Ok(format!("allod-{}", encode(digest.get(..16).unwrap_or_default())))
}

/// The key that a CoRIM gives.
pub fn parsed(text: &KeyText) -> Result<Key> {
    let (KeyText::Pem(file) | KeyText::Jwk(file)) = text;
    match anchor_file::read(file.as_bytes())?.as_slice() {
        [Trusted::Key(None, key)] => Ok(key.clone()),
        _ => Err("expected one public key".into()),
    }
}

fn in_pem(it: AttestKey) -> Result<AttestKey> {
    Ok(AttestKey { key: KeyText::Pem(pem(&parsed(&it.key)?)?), ..it })
}

/// A public key in PEM.
pub fn pem(key: &Key) -> Result<String> {
    let text = encode_string("PUBLIC KEY", LineEnding::LF, &key.info())?;
    Ok(text.trim_end().to_string())
}

/// A public key on a curve as JWK (RFC 7518 §6.2).
fn jwk(key: &Key) -> Result<Value> {
    let (curve, length) = match key.algorithm() {
        Algorithm::Es256 => ("P-256", 32),
        Algorithm::Es384 => ("P-384", 48),
        Algorithm::Es512 => ("P-521", 66),
        Algorithm::Ps256 => return Err("expected a key on a curve".into()),
    };
    // The point ends a SubjectPublicKeyInfo (RFC 5480 §2.2).
    let info = key.info();
    let point = info.len().checked_sub(2 * length).and_then(|at| info.get(at..)).unwrap_or_default();
    let (x, y) = point.split_at_checked(length).unwrap_or_default();
    let number = Base64UrlUnpadded::encode_string;
    Ok(json!({ "kty": "EC", "crv": curve, "x": number(x), "y": number(y) }))
}

/// An entry of a flat store of trust anchors.
pub fn anchor(it: &AttestKey) -> Result<Value> {
    Ok(json!({
        "pkey": jwk(&parsed(&it.key)?)?,
        "implementation-id": encode(&it.implementation_id),
        "instance-id": encode(&it.instance_id),
    }))
}

impl fmt::Display for Set {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (platforms, realms) = (&self.references.platforms, &self.references.realms);
        for it in self.references.platform.iter().chain(platforms) {
            let hex = |bytes: &Option<Vec<u8>>| bytes.as_ref().map_or("(any)".to_string(), |it| encode(it));
            writeln!(out, "platform  implementation id  {}", hex(&it.implementation_id))?;
            writeln!(out, "          configuration      {}", hex(&it.config))?;
            for component in it.components.iter().flatten() {
                let kind = component.kind.as_deref().unwrap_or("(any type)");
                writeln!(out, "          {:<18} {component}", kind.escape_debug().to_string())?;
            }
        }
        for it in self.references.realm.iter().chain(realms) {
            let hex = |bytes: Option<&[u8]>| bytes.map_or("(any)".to_string(), encode);
            writeln!(out, "realm     RIM                {}", hex(it.rim.as_deref()))?;
            for index in 0..4 {
                writeln!(out, "          REM {index}              {}", hex(it.rem(index)))?;
            }
            writeln!(out, "          personalization    {}", hex(it.rpv.as_deref()))?;
        }
        self.keys.iter().try_for_each(|key| key.fmt(out))
    }
}
