//! The list of a virtCCA machine's components as Huawei ships it with the firmware, `software_components.json`: one
//! object with the member `measure_value`, in which *firware* is spelt so.

use super::corim::{by_length, default_lifecycle};
use super::{ComponentReference, PlatformReference, References, Unusable, digest};
use evidence::Hash;
use evidence::hex::encode;
use serde::{Deserialize, Serialize};

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct List {
    measure_value: Vec<Entry>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    firware_name: String,
    measurement: String,
    firware_version: String,
    hash_algorithm: String,
}

/// Whether a file looks like such a list.
pub fn is_component_list(file: &[u8]) -> bool {
    let Ok(serde_json::Value::Object(fields)) = serde_json::from_slice(file) else { return false };
    fields.contains_key("measure_value")
}

impl References {
    /// Takes the components of a list. Of everything else the list says nothing.
    pub(super) fn add_component_list(&mut self, file: &[u8]) -> Result<(), Unusable> {
        let list: List = serde_json::from_slice(file).map_err(Unusable::Json)?;
        if list.measure_value.is_empty() {
            return Err(Unusable::Empty);
        }
        let components = list.measure_value.into_iter().map(ComponentReference::try_from).collect::<Result<_, _>>()?;
        let platform = PlatformReference { components: Some(components), ..PlatformReference::default() };
        self.platform.get_or_insert_default().join(platform)?;
        self.compatible()
    }

    /// Writes the components of the one platform as such a list.
    ///
    /// # Errors
    /// [`Unusable`] if there is no platform or more than one, or if it says what the list cannot.
    pub fn to_component_list(&self) -> Result<String, Unusable> {
        let mut platforms = self.platform.iter().chain(&self.platforms);
        let platform = platforms.next().ok_or(Unusable::Empty)?;
        if platforms.next().is_some() {
            return Err(Unusable::Conflict { field: "platform" });
        }
        default_lifecycle(platform)?;
        if platform.config.is_some() || platform.manufacturing_config.is_some() || platform.rotpks.is_some() {
            return Err(Unusable::NotCompared { what: "a configuration or ROTPK" });
        }
        let components = platform.components.as_deref().unwrap_or_default();
        if components.is_empty() {
            return Err(Unusable::Empty);
        }
        let list = List { measure_value: components.iter().map(Entry::try_from).collect::<Result<_, _>>()? };
        serde_json::to_string_pretty(&list).map_err(Unusable::Json)
    }
}

impl TryFrom<Entry> for ComponentReference {
    type Error = Unusable;

    fn try_from(entry: Entry) -> Result<Self, Unusable> {
        // In tokens and in lists these may end in NUL.
        let text = |text: &str| text.trim_end_matches('\0').to_string();
        let measurement = digest("measurement", text(&entry.measurement))?;
        let named = text(&entry.hash_algorithm).to_ascii_lowercase();
        let algorithm = Hash::from_name(&named).or_else(|| Hash::from_name(&named.replace("sha", "sha-")));
        if algorithm.is_none() || algorithm != by_length(measurement.len()) {
            let expected = "the algorithm that the measurement's length is of";
            return Err(Unusable::Value { field: "hash_algorithm", expected, found: entry.hash_algorithm });
        }
        let (kind, version) = (text(&entry.firware_name), text(&entry.firware_version));
        Ok(Self { kind: Some(kind), measurement, others: Vec::new(), version: Some(version), signer_id: None })
    }
}

impl TryFrom<&ComponentReference> for Entry {
    type Error = Unusable;

    fn try_from(it: &ComponentReference) -> Result<Self, Unusable> {
        it.by_one_algorithm()?;
        if it.signer_id.as_ref().is_some_and(|signer| !signer.is_empty()) {
            return Err(Unusable::NotCompared { what: "a component's signer" });
        }
        let needed = |field, value: &Option<String>| {
            value.clone().ok_or(Unusable::Value {
                field,
                expected: "a text, as the list must have one",
                found: String::new(),
            })
        };
        Ok(Self {
            firware_name: needed("type", &it.kind)?,
            firware_version: needed("version", &it.version)?,
            hash_algorithm: by_length(it.measurement.len()).unwrap_or(Hash::Sha256).name().to_string(),
            measurement: encode(&it.measurement),
        })
    }
}
