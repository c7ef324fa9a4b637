//! Reference values: what a platform and a Realm are expected to be. They come from whoever built or measured the
//! images, never from the machine under test.

mod admission;
mod choice;
mod corim;
mod flat;
mod huawei;
mod virtcca;
mod write;

pub use admission::{Admission, open};

use evidence::Hash;
use evidence::hex::{decode, encode};
use evidence::lifecycle::State;
use evidence::platform::Owner;
use evidence::realm::MecPolicy;
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
    /// Of several platforms, by stores and CoRIMs: the platform must be one of them.
    pub platforms: Vec<PlatformReference>,
    /// Of several Realms, likewise.
    pub realms: Vec<RealmReference>,
}

/// What is expected of a platform. What is `None` is not compared, and shows as not done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlatformReference {
    /// Its design, 32 bytes.
    pub implementation_id: Option<Vec<u8>>,
    /// Its configuration.
    pub config: Option<Vec<u8>>,
    /// The bits of its configuration that are compared; all without it.
    pub config_mask: Option<Vec<u8>>,
    /// The record of its production.
    pub manufacturing_config: Option<Vec<u8>>,
    /// The bits of that record that are compared; all without it.
    pub manufacturing_config_mask: Option<Vec<u8>>,
    /// The lifecycle states in which it may be.
    pub lifecycle: Option<Vec<State>>,
    /// Every component, none more and none fewer.
    pub components: Option<Vec<ComponentReference>>,
    /// Every key that its boot trusts, none more and none fewer.
    pub rotpks: Option<Vec<RotpkReference>>,
}

/// What is expected of one key that a platform's boot trusts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotpkReference {
    /// Its owner, its array and its index, as in `CM.0.1`.
    pub place: String,
    /// Hash of the key.
    pub hash: Vec<u8>,
}

/// What is expected of one component. What is `None` may be anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComponentReference {
    /// Its type, such as `RMM`.
    pub kind: Option<String>,
    /// Its digest.
    pub measurement: Vec<u8>,
    /// Its digests by other algorithms, each of another length: the token has one of all of them.
    pub others: Vec<Vec<u8>>,
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
    /// Extensible measurements where only some are expected.
    pub some_rems: [Option<Vec<u8>>; 4],
    /// Personalization value, 64 bytes.
    pub rpv: Option<Vec<u8>>,
    /// Whose key encrypts its memory.
    pub mec_policy: Option<MecPolicy>,
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
    /// Neither JSON nor a CoRIM.
    Form,
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
    /// A CoRIM where nobody said by which key and time to judge it.
    NotAdmitted,
    /// A CoRIM that is not signed, where a signer's key was given.
    Unsigned,
    /// A signed CoRIM, and no key to judge its signature by.
    NoKey,
    /// A CoRIM that none of the given keys signed.
    Signature,
    /// A CoRIM, or its signature, out of its validity.
    Lapsed(evidence::corim::Lapsed),
    /// A CoRIM that breaks a rule.
    Corim(evidence::corim::Refusal),
    /// Something that cannot be compared with a token, or not be said in another form.
    NotCompared {
        /// What.
        what: &'static str,
    },
}

impl From<evidence::corim::Refusal> for Unusable {
    fn from(refusal: evidence::corim::Refusal) -> Self {
        Self::Corim(refusal)
    }
}

impl fmt::Display for Unusable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { found } => write!(out, "expected at most {MAX_FILE} bytes, found {found}"),
            Self::Json(error) => write!(out, "{error}"),
            Self::Form => out.write_str(
                "expected reference values, in JSON or as a CoRIM, found neither: `allod inspect` says what a file is",
            ),
            Self::Profile { found } => write!(out, "expected profile {PROFILE:?}, found {found:?}"),
            Self::Value { field, expected, found } => write!(out, "{field}: expected {expected}, found {found:?}"),
            Self::Conflict { field } => write!(out, "{field}: two references say different things"),
            Self::Empty => out.write_str("expected a platform or a realm, found neither"),
            Self::NotAdmitted => out.write_str("expected JSON, found a CoRIM, which takes a key and a time to judge"),
            Self::Unsigned => out.write_str("expected a CoRIM signed by the given key, found one that is not signed"),
            Self::NoKey => out.write_str("the CoRIM is signed: give its signer's key, to have that judged"),
            Self::Signature => out.write_str("expected a signature by a given key, found another's or none that holds"),
            Self::Lapsed(lapsed) => write!(out, "CoRIM: {lapsed}"),
            Self::Corim(refusal) => write!(out, "CoRIM: {refusal}"),
            Self::NotCompared { what } => write!(out, "{what} cannot be compared or said there"),
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

    /// Reads one file and joins it to what is already expected: JSON of profile `allod-reference-1`, of which fields add
    /// up, lists of components too, and nothing may be said twice in two ways; or a flat store as rust-ccatoken and
    /// Trustee have them, of which each entry is one more alternative. CoRIMs: see [`References::admit`].
    ///
    /// # Errors
    /// [`Unusable`].
    pub fn add(&mut self, file: &[u8]) -> Result<(), Unusable> {
        if file.len() > MAX_FILE {
            return Err(Unusable::TooLong { found: file.len() });
        }
        if evidence::corim::is_corim(file) {
            return Err(Unusable::NotAdmitted);
        }
        if flat::is_store(file) {
            return self.add_store(file);
        }
        if huawei::is_component_list(file) {
            return self.add_component_list(file);
        }
        if let Some(values) = virtcca::values(file) {
            return self.add_values(values?);
        }
        if !file.trim_ascii_start().starts_with(b"{") {
            return Err(Unusable::Form);
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
        self.compatible()
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
        join("config_mask", &mut self.config_mask, other.config_mask)?;
        join("manufacturing_config", &mut self.manufacturing_config, other.manufacturing_config)?;
        join("manufacturing_config_mask", &mut self.manufacturing_config_mask, other.manufacturing_config_mask)?;
        join("lifecycle", &mut self.lifecycle, other.lifecycle)?;
        join("rotpks", &mut self.rotpks, other.rotpks)?;
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
        for (old, new) in self.some_rems.iter_mut().zip(other.some_rems) {
            join("rems", old, new)?;
        }
        join("rpv", &mut self.rpv, other.rpv)?;
        join("mec_policy", &mut self.mec_policy, other.mec_policy)
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
        pub config_mask: Option<String>,
        pub manufacturing_config: Option<String>,
        pub manufacturing_config_mask: Option<String>,
        pub lifecycle: Option<Vec<String>>,
        pub components: Option<Vec<Component>>,
        pub rotpks: Option<Vec<Rotpk>>,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    pub struct Rotpk {
        pub owner: String,
        pub array: u64,
        pub index: u64,
        pub hash: String,
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
        pub mec_policy: Option<String>,
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

fn mec_policy(name: String) -> Result<MecPolicy, Unusable> {
    let wrong = Unusable::Value { field: "mec_policy", expected: "shared or private", found: name.clone() };
    MecPolicy::from_name(&name).ok_or(wrong)
}

fn lifecycle(name: String) -> Result<State, Unusable> {
    let expected = "unknown, assembly, provisioning, secured, non-rot-debug, recoverable-debug or decommissioned";
    State::from_name(&name).ok_or(Unusable::Value { field: "lifecycle", expected, found: name })
}

impl TryFrom<wire::Platform> for PlatformReference {
    type Error = Unusable;

    fn try_from(wire: wire::Platform) -> Result<Self, Unusable> {
        let id = |text| hex("implementation_id", "32 bytes in hexadecimal", &[32], text);
        let bytes =
            |field, text: Option<String>| text.map(|it| hex(field, "bytes in hexadecimal", &[], it)).transpose();
        let rotpks = |list: Vec<wire::Rotpk>| list.into_iter().map(RotpkReference::try_from).collect();
        let states = |names: Vec<String>| names.into_iter().map(lifecycle).collect();
        let components = |list: Vec<wire::Component>| list.into_iter().map(ComponentReference::try_from).collect();
        Ok(Self {
            implementation_id: wire.implementation_id.map(id).transpose()?,
            config: bytes("config", wire.config)?,
            config_mask: bytes("config_mask", wire.config_mask)?,
            manufacturing_config: bytes("manufacturing_config", wire.manufacturing_config)?,
            manufacturing_config_mask: bytes("manufacturing_config_mask", wire.manufacturing_config_mask)?,
            lifecycle: wire.lifecycle.map(states).transpose()?,
            components: wire.components.map(components).transpose()?,
            rotpks: wire.rotpks.map(rotpks).transpose()?,
        })
    }
}

impl TryFrom<wire::Rotpk> for RotpkReference {
    type Error = Unusable;

    fn try_from(wire: wire::Rotpk) -> Result<Self, Unusable> {
        let wire::Rotpk { owner, array, index, hash } = wire;
        let wrong = Unusable::Value { field: "owner", expected: "CM or DM", found: owner.clone() };
        let owner = Owner::from_name(&owner).ok_or(wrong)?.name();
        Ok(Self { place: format!("{owner}.{array}.{index}"), hash: digest("hash", hash)? })
    }
}

impl TryFrom<wire::Component> for ComponentReference {
    type Error = Unusable;

    fn try_from(wire: wire::Component) -> Result<Self, Unusable> {
        let measurement = digest("measurement", wire.measurement)?;
        // On virtCCA a component's signer may be empty.
        let signer = |text| hex("signer_id", "0, 32, 48 or 64 bytes in hexadecimal", &[0, 32, 48, 64], text);
        let signer_id = wire.signer_id.map(signer).transpose()?;
        Ok(Self { kind: wire.kind, measurement, others: Vec::new(), version: wire.version, signer_id })
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
            some_rems: [None, None, None, None],
            rpv: wire.rpv.map(|text| hex("rpv", "64 bytes in hexadecimal", &[64], text)).transpose()?,
            mec_policy: wire.mec_policy.map(mec_policy).transpose()?,
        })
    }
}

impl fmt::Display for ComponentReference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&encode(&self.measurement))?;
        self.others.iter().try_for_each(|other| write!(out, " or {}", encode(other)))?;
        if let Some(version) = &self.version {
            write!(out, ", version {}", version.escape_debug())?;
        }
        self.signer_id.iter().try_for_each(|signer| write!(out, ", signer {}", encode(signer)))
    }
}
