//! The flat stores of rust-ccatoken and Trustee: one JSON file of platforms and Realms, with bytes in hexadecimal.

use super::corim::{by_length, default_lifecycle, no_policy};
use super::{ComponentReference, PlatformReference, RealmReference, References, Unusable, digest, hex};
use evidence::Hash;
use evidence::hex::encode;
use serde::{Deserialize, Serialize};

#[derive(Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Store {
    #[serde(default)]
    platform: Vec<Platform>,
    #[serde(default)]
    realm: Vec<Realm>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Platform {
    implementation_id: String,
    sw_components: Vec<Component>,
    platform_configuration: String,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Component {
    #[serde(skip_serializing_if = "Option::is_none")]
    component_type: Option<String>,
    measurement_value: String,
    signer_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Realm {
    initial_measurement: String,
    rak_hash_algorithm: String,
    extensible_measurements: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    personalization_value: Option<String>,
}

/// Whether a file looks like such a store: an object with a list where our own form has an object.
pub fn is_store(file: &[u8]) -> bool {
    let Ok(serde_json::Value::Object(fields)) = serde_json::from_slice(file) else { return false };
    !fields.contains_key("profile")
        && ["platform", "realm"].iter().any(|it| fields.get(*it).is_some_and(|it| it.is_array()))
}

impl References {
    /// Takes every entry of a flat store as one more alternative. The hash algorithm of the realm key is read and not
    /// compared: the binding of that key is verified by whichever algorithm the token names.
    pub(super) fn add_store(&mut self, file: &[u8]) -> Result<(), Unusable> {
        let store: Store = serde_json::from_slice(file).map_err(Unusable::Json)?;
        if store.platform.is_empty() && store.realm.is_empty() {
            return Err(Unusable::Empty);
        }
        let platforms = store.platform.into_iter().map(PlatformReference::try_from).collect::<Result<Vec<_>, _>>()?;
        let realms = store.realm.into_iter().map(RealmReference::try_from).collect::<Result<Vec<_>, _>>()?;
        self.platforms.extend(platforms);
        self.realms.extend(realms);
        self.compatible()
    }

    /// Writes every platform and Realm as a flat store. `binding` is what to put as hash algorithm of the realm key, of
    /// which references say nothing.
    ///
    /// # Errors
    /// [`Unusable`] if one does not say what the store must have, or says what the store cannot.
    pub fn to_store(&self, binding: Hash) -> Result<String, Unusable> {
        let platforms = self.platform.iter().chain(&self.platforms).map(Platform::try_from);
        let realms = self.realm.iter().chain(&self.realms).map(|it| Realm::new(it, binding));
        let store = Store { platform: platforms.collect::<Result<_, _>>()?, realm: realms.collect::<Result<_, _>>()? };
        serde_json::to_string_pretty(&store).map_err(Unusable::Json)
    }
}

impl TryFrom<Platform> for PlatformReference {
    type Error = Unusable;

    fn try_from(wire: Platform) -> Result<Self, Unusable> {
        let components = wire.sw_components.into_iter().map(ComponentReference::try_from).collect::<Result<_, _>>()?;
        Ok(Self {
            implementation_id: Some(hex(
                "implementation-id",
                "32 bytes in hexadecimal",
                &[32],
                wire.implementation_id,
            )?),
            config: Some(hex("platform-configuration", "bytes in hexadecimal", &[], wire.platform_configuration)?),
            components: Some(components),
            ..Self::default()
        })
    }
}

impl TryFrom<Component> for ComponentReference {
    type Error = Unusable;

    fn try_from(wire: Component) -> Result<Self, Unusable> {
        Ok(Self {
            kind: wire.component_type,
            measurement: digest("measurement-value", wire.measurement_value)?,
            others: Vec::new(),
            version: wire.version,
            signer_id: Some(digest("signer-id", wire.signer_id)?),
        })
    }
}

impl TryFrom<Realm> for RealmReference {
    type Error = Unusable;

    fn try_from(wire: Realm) -> Result<Self, Unusable> {
        let field = "rak-hash-algorithm";
        if Hash::from_name(&wire.rak_hash_algorithm).is_none() {
            let expected = "sha-256, sha-384 or sha-512";
            return Err(Unusable::Value { field, expected, found: wire.rak_hash_algorithm });
        }
        let rim = digest("initial-measurement", wire.initial_measurement)?;
        let rems = wire.extensible_measurements.into_iter().map(|it| digest("extensible-measurements", it));
        let rems = rems.collect::<Result<Vec<_>, _>>()?;
        let (field, expected) = ("extensible-measurements", "exactly four");
        let found = rems.len().to_string();
        let rems = rems.try_into().map_err(|_| Unusable::Value { field, expected, found })?;
        let rpv = |text| hex("personalization-value", "64 bytes in hexadecimal", &[64], text);
        Ok(Self {
            hash: by_length(rim.len()),
            rim: Some(rim),
            rems: Some(rems),
            rpv: wire.personalization_value.map(rpv).transpose()?,
            ..Self::default()
        })
    }
}

fn needed<T>(field: &'static str, value: Option<T>) -> Result<T, Unusable> {
    value.ok_or(Unusable::Value { field, expected: "a value, as the flat store must have one", found: String::new() })
}

impl TryFrom<&PlatformReference> for Platform {
    type Error = Unusable;

    fn try_from(it: &PlatformReference) -> Result<Self, Unusable> {
        default_lifecycle(it)?;
        if it.config_mask.is_some() {
            return Err(Unusable::NotCompared { what: "a mask of the configuration" });
        }
        if it.manufacturing_config.is_some() || it.rotpks.is_some() {
            return Err(Unusable::NotCompared { what: "a manufacturing configuration or ROTPK" });
        }
        let components = needed("components", it.components.as_ref())?;
        let component = |it: &ComponentReference| {
            it.by_one_algorithm()?;
            Ok(Component {
                component_type: it.kind.clone(),
                measurement_value: encode(&it.measurement),
                signer_id: encode(needed("signer_id", it.signer_id.as_ref())?),
                version: it.version.clone(),
            })
        };
        Ok(Self {
            implementation_id: encode(needed("implementation_id", it.implementation_id.as_ref())?),
            sw_components: components.iter().map(component).collect::<Result<_, Unusable>>()?,
            platform_configuration: encode(needed("config", it.config.as_ref())?),
        })
    }
}

impl Realm {
    fn new(it: &RealmReference, binding: Hash) -> Result<Self, Unusable> {
        no_policy(it)?;
        let rems = (0..4).map(|index| needed("rems", it.rem(index)).map(encode)).collect::<Result<_, _>>()?;
        Ok(Self {
            initial_measurement: encode(needed("rim", it.rim.as_ref())?),
            rak_hash_algorithm: binding.name().to_string(),
            extensible_measurements: rems,
            personalization_value: it.rpv.as_ref().map(|it| encode(it)),
        })
    }
}
