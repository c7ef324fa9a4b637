//! Writes references in our own form.

use super::{ComponentReference, PROFILE, PlatformReference, RealmReference, References, RotpkReference, Unusable};
use evidence::hex::encode;
use evidence::lifecycle::State;
use serde_json::{Map, Value, json};

impl References {
    /// Writes the references as JSON of profile `allod-reference-1`, which holds one platform and one Realm.
    ///
    /// # Errors
    /// [`Unusable::Conflict`] if there are several platforms or Realms, [`Unusable::Empty`] if there is neither,
    /// [`Unusable::Value`] for what the form cannot say.
    pub fn to_json(&self) -> Result<String, Unusable> {
        let platform = only("platform", self.platform.iter().chain(&self.platforms))?;
        let realm = only("realm", self.realm.iter().chain(&self.realms))?;
        let mut file = Map::new();
        file.insert("profile".to_string(), json!(PROFILE));
        if let Some(platform) = platform {
            platform.components.iter().flatten().try_for_each(ComponentReference::by_one_algorithm)?;
            file.insert("platform".to_string(), platform_json(platform));
        }
        if let Some(realm) = realm {
            file.insert("realm".to_string(), realm_json(realm)?);
        }
        if file.len() == 1 {
            return Err(Unusable::Empty);
        }
        serde_json::to_string_pretty(&file).map_err(Unusable::Json)
    }
}

fn only<'a, T>(field: &'static str, mut list: impl Iterator<Item = &'a T>) -> Result<Option<&'a T>, Unusable> {
    let first = list.next();
    if list.next().is_some() { Err(Unusable::Conflict { field }) } else { Ok(first) }
}

/// An object of those fields that have a value.
fn object(fields: impl IntoIterator<Item = (&'static str, Option<Value>)>) -> Value {
    let said = fields.into_iter().filter_map(|(name, value)| Some((name.to_string(), value?)));
    Value::Object(said.collect())
}

fn hex(bytes: Option<&Vec<u8>>) -> Option<Value> {
    bytes.map(|it| json!(encode(it)))
}

fn platform_json(it: &PlatformReference) -> Value {
    let states = |list: &Vec<State>| json!(list.iter().map(|state| state.name()).collect::<Vec<_>>());
    let components = |list: &Vec<ComponentReference>| json!(list.iter().map(component_json).collect::<Vec<_>>());
    object([
        ("implementation_id", hex(it.implementation_id.as_ref())),
        ("config", hex(it.config.as_ref())),
        ("config_mask", hex(it.config_mask.as_ref())),
        ("manufacturing_config", hex(it.manufacturing_config.as_ref())),
        ("manufacturing_config_mask", hex(it.manufacturing_config_mask.as_ref())),
        ("lifecycle", it.lifecycle.as_ref().map(states)),
        ("components", it.components.as_ref().map(components)),
        ("rotpks", it.rotpks.as_ref().map(|list| json!(list.iter().filter_map(rotpk_json).collect::<Vec<_>>()))),
    ])
}

/// A key, of which the place reads `owner.array.index`.
fn rotpk_json(it: &RotpkReference) -> Option<Value> {
    let mut place = it.place.split('.');
    let (owner, array, index) = (place.next()?, place.next()?, place.next()?);
    let number = |text: &str| text.parse::<u64>().ok();
    Some(json!({ "owner": owner, "array": number(array)?, "index": number(index)?, "hash": encode(&it.hash) }))
}

fn component_json(it: &ComponentReference) -> Value {
    object([
        ("type", it.kind.as_ref().map(|it| json!(it))),
        ("measurement", hex(Some(&it.measurement))),
        ("version", it.version.as_ref().map(|it| json!(it))),
        ("signer_id", hex(it.signer_id.as_ref())),
    ])
}

fn realm_json(it: &RealmReference) -> Result<Value, Unusable> {
    let rems: Vec<Value> = (0..4).filter_map(|index| it.rem(index)).map(|rem| json!(encode(rem))).collect();
    if !rems.is_empty() && rems.len() != 4 {
        let expected = "all four or none, as this form cannot say some";
        return Err(Unusable::Value { field: "rems", expected, found: rems.len().to_string() });
    }
    Ok(object([
        ("hash", it.hash.map(|it| json!(it.name()))),
        ("rim", hex(it.rim.as_ref())),
        ("rems", (!rems.is_empty()).then(|| json!(rems))),
        ("rpv", hex(it.rpv.as_ref())),
        ("mec_policy", it.mec_policy.map(|it| json!(it.name()))),
    ]))
}
