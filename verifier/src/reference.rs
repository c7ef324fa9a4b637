//! Reference values: what a platform and a Realm are expected to be. They come from whoever built or measured the
//! images, never from the machine under test.

use evidence::Hash;
use evidence::hex::{decode, encode};
use evidence::lifecycle::State;
use serde::Deserialize;
use std::fmt;

/// The value of `profile` in a file of this form.
pub const PROFILE: &str = "allod-reference-1";

/// Bytes of a reference file that are read, at most.
pub const MAX_FILE: usize = 1024 * 1024;

/// What is expected, of as much as the files say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct References {
    /// Of the platform.
    pub platform: Option<PlatformReference>,
    /// Of the Realm.
    pub realm: Option<RealmReference>,
}

/// What is expected of a platform. What is `None` is not compared, and shows as not done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlatformReference {
    /// Its design, 32 bytes.
    pub implementation_id: Option<Vec<u8>>,
    /// Its configuration.
    pub config: Option<Vec<u8>>,
    /// The lifecycle states in which it may be.
    pub lifecycle: Option<Vec<State>>,
    /// Every component, none more and none fewer.
    pub components: Option<Vec<ComponentReference>>,
}

/// What is expected of one component. What is `None` may be anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComponentReference {
    /// Its type, such as `RMM`.
    pub kind: Option<String>,
    /// Its digest.
    pub measurement: Vec<u8>,
    /// Its version.
    pub version: Option<String>,
    /// Hash of its signer's key.
    pub signer_id: Option<Vec<u8>>,
}

/// What is expected of a Realm. What is `None` is not compared, and shows as not done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RealmReference {
    /// Hash algorithm of its measurements.
    pub hash: Option<Hash>,
    /// Initial measurement.
    pub rim: Option<Vec<u8>>,
    /// Extensible measurements.
    pub rems: Option<[Vec<u8>; 4]>,
    /// Personalization value, 64 bytes.
    pub rpv: Option<Vec<u8>>,
}

/// Why a reference file cannot be used.
#[derive(Debug)]
pub enum Unusable {
    /// More bytes than are read.
    TooLong {
        /// How many there are.
        found: usize,
    },
    /// Not JSON of this form: broken, a field that is unknown or missing, or one twice.
    Json(serde_json::Error),
    /// Another form of file.
    Profile {
        /// What the file says it is.
        found: String,
    },
    /// A field that is not what it must be.
    Value {
        /// Which field.
        field: &'static str,
        /// What it must be.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// Two files that say different things of the same.
    Conflict {
        /// Of which field.
        field: &'static str,
    },
    /// Neither a platform nor a realm in it.
    Empty,
}

impl fmt::Display for Unusable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { found } => write!(out, "expected at most {MAX_FILE} bytes, found {found}"),
            Self::Json(error) => write!(out, "{error}"),
            Self::Profile { found } => write!(out, "expected profile {PROFILE:?}, found {found:?}"),
            Self::Value { field, expected, found } => write!(out, "{field}: expected {expected}, found {found:?}"),
            Self::Conflict { field } => write!(out, "{field}: two references say different things"),
            Self::Empty => out.write_str("expected a platform or a realm, found neither"),
        }
    }
}

impl std::error::Error for Unusable {}

impl References {
    /// Nothing is expected, so nothing can be affirmed.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads one file (JSON, profile `allod-reference-1`) and joins it to what is already expected: fields add up,
    /// lists of components too, and nothing may be said twice in two ways.
    ///
    /// # Errors
    /// [`Unusable`].
    pub fn add(&mut self, file: &[u8]) -> Result<(), Unusable> {
        if file.len() > MAX_FILE {
            return Err(Unusable::TooLong { found: file.len() });
        }
        let file: wire::File = serde_json::from_slice(file).map_err(Unusable::Json)?;
        if file.profile != PROFILE {
            return Err(Unusable::Profile { found: file.profile });
        }
        if file.platform.is_none() && file.realm.is_none() {
            return Err(Unusable::Empty);
        }
        if let Some(platform) = file.platform {
            let platform = PlatformReference::try_from(platform)?;
            self.platform.get_or_insert_default().join(platform)?;
        }
        if let Some(realm) = file.realm {
            let realm = RealmReference::try_from(realm)?;
            self.realm.get_or_insert_default().join(realm)?;
        }
        Ok(())
    }
}

fn join<T: PartialEq>(field: &'static str, old: &mut Option<T>, new: Option<T>) -> Result<(), Unusable> {
    match (&old, new) {
        (Some(old), Some(new)) if *old != new => Err(Unusable::Conflict { field }),
        (None, new) => {
            *old = new;
            Ok(())
        }
        _ => Ok(()),
    }
}

impl PlatformReference {
    fn join(&mut self, other: Self) -> Result<(), Unusable> {
        join("implementation_id", &mut self.implementation_id, other.implementation_id)?;
        join("config", &mut self.config, other.config)?;
        join("lifecycle", &mut self.lifecycle, other.lifecycle)?;
        let Some(more) = other.components else { return Ok(()) };
        let components = self.components.get_or_insert_default();
        let fresh: Vec<_> = more.into_iter().filter(|it| !components.contains(it)).collect();
        let clashes = |it: &ComponentReference| it.kind.is_some() && components.iter().any(|old| old.kind == it.kind);
        if fresh.iter().any(clashes) {
            return Err(Unusable::Conflict { field: "components" });
        }
        components.extend(fresh);
        Ok(())
    }
}

impl RealmReference {
    fn join(&mut self, other: Self) -> Result<(), Unusable> {
        join("hash", &mut self.hash, other.hash)?;
        join("rim", &mut self.rim, other.rim)?;
        join("rems", &mut self.rems, other.rems)?;
        join("rpv", &mut self.rpv, other.rpv)
    }
}

/// The file as it is written.
mod wire {
    use super::Deserialize;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    pub struct File {
        pub profile: String,
        pub platform: Option<Platform>,
        pub realm: Option<Realm>,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    pub struct Platform {
        pub implementation_id: Option<String>,
        pub config: Option<String>,
        pub lifecycle: Option<Vec<String>>,
        pub components: Option<Vec<Component>>,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    pub struct Component {
        #[serde(rename = "type")]
        pub kind: Option<String>,
        pub measurement: String,
        pub version: Option<String>,
        pub signer_id: Option<String>,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    pub struct Realm {
        pub hash: Option<String>,
        pub rim: Option<String>,
        pub rems: Option<Vec<String>>,
        pub rpv: Option<String>,
    }
}

/// Reads hexadecimal of one of the lengths in bytes; no length means any.
fn hex(field: &'static str, expected: &'static str, lengths: &[usize], text: String) -> Result<Vec<u8>, Unusable> {
    match decode(&text) {
        Some(bytes) if lengths.is_empty() || lengths.contains(&bytes.len()) => Ok(bytes),
        _ => Err(Unusable::Value { field, expected, found: text }),
    }
}

fn digest(field: &'static str, text: String) -> Result<Vec<u8>, Unusable> {
    hex(field, "32, 48 or 64 bytes in hexadecimal", &[32, 48, 64], text)
}

fn lifecycle(name: String) -> Result<State, Unusable> {
    let expected = "unknown, assembly, provisioning, secured, non-rot-debug, recoverable-debug or decommissioned";
    State::from_name(&name).ok_or(Unusable::Value { field: "lifecycle", expected, found: name })
}

impl TryFrom<wire::Platform> for PlatformReference {
    type Error = Unusable;

    fn try_from(wire: wire::Platform) -> Result<Self, Unusable> {
        let id = |text| hex("implementation_id", "32 bytes in hexadecimal", &[32], text);
        let config = |text| hex("config", "bytes in hexadecimal", &[], text);
        let states = |names: Vec<String>| names.into_iter().map(lifecycle).collect();
        let components = |list: Vec<wire::Component>| list.into_iter().map(ComponentReference::try_from).collect();
        Ok(Self {
            implementation_id: wire.implementation_id.map(id).transpose()?,
            config: wire.config.map(config).transpose()?,
            lifecycle: wire.lifecycle.map(states).transpose()?,
            components: wire.components.map(components).transpose()?,
        })
    }
}

impl TryFrom<wire::Component> for ComponentReference {
    type Error = Unusable;

    fn try_from(wire: wire::Component) -> Result<Self, Unusable> {
        let measurement = digest("measurement", wire.measurement)?;
        let signer_id = wire.signer_id.map(|text| digest("signer_id", text)).transpose()?;
        Ok(Self { kind: wire.kind, measurement, version: wire.version, signer_id })
    }
}

impl TryFrom<wire::Realm> for RealmReference {
    type Error = Unusable;

    fn try_from(wire: wire::Realm) -> Result<Self, Unusable> {
        let hash = |name: String| {
            let expected = "sha-256, sha-384 or sha-512";
            Hash::from_name(&name).ok_or(Unusable::Value { field: "hash", expected, found: name })
        };
        let rems = |list: Vec<String>| {
            let count = Unusable::Value { field: "rems", expected: "exactly four", found: list.len().to_string() };
            let list = list.into_iter().map(|text| digest("rems", text)).collect::<Result<Vec<_>, _>>()?;
            list.try_into().map_err(|_| count)
        };
        Ok(Self {
            hash: wire.hash.map(hash).transpose()?,
            rim: wire.rim.map(|text| digest("rim", text)).transpose()?,
            rems: wire.rems.map(rems).transpose()?,
            rpv: wire.rpv.map(|text| hex("rpv", "64 bytes in hexadecimal", &[64], text)).transpose()?,
        })
    }
}

impl fmt::Display for ComponentReference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&encode(&self.measurement))?;
        if let Some(version) = &self.version {
            write!(out, ", version {}", version.escape_debug())?;
        }
        self.signer_id.iter().try_for_each(|signer| write!(out, ", signer {}", encode(signer)))
    }
}
