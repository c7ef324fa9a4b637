//! Claims of the realm token (RMM 1.0, A7.2.3.1; draft-ffm-rats-cca-token, "Realm Claims").

use crate::cbor::{Key, Reader};
use crate::family::Family;
use crate::hash::Hash;
use crate::key::PublicKey;
use crate::malformed::{Malformed, Part};
use crate::platform::{digest, exactly, hash_algorithm, instance_id};
use abi::claim;
use alloc::string::ToString;
use alloc::vec::Vec;

/// Profile of realm tokens of 2024.
const PROFILE_2024: &str = "tag:arm.com,2024:realm#2.0.0";
/// Profile of realm tokens of 2026.
const PROFILE_2026: &str = "tag:arm.com,2026:realm#2.0.0";

/// The generations of the realm token, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Profile {
    /// No claim 265, and virtCCA's rules.
    VirtCca,
    /// No claim 265: tokens before 2023.
    Legacy,
    /// `tag:arm.com,2023:realm#1.0.0`.
    V2023,
    /// `tag:arm.com,2024:realm#2.0.0`.
    V2024,
    /// `tag:arm.com,2026:realm#2.0.0`.
    V2026,
}

impl Profile {
    fn read(name: Option<&str>, family: Family) -> Result<Self, Malformed> {
        match name {
            None if family.is_virtcca() => Ok(Self::VirtCca),
            Some(name) if family.is_virtcca() && name.trim_end_matches('\0').is_empty() => Ok(Self::VirtCca),
            None => Ok(Self::Legacy),
            Some(claim::REALM_PROFILE_2023) if !family.is_virtcca() => Ok(Self::V2023),
            Some(PROFILE_2024) if !family.is_virtcca() => Ok(Self::V2024),
            Some(PROFILE_2026) if !family.is_virtcca() => Ok(Self::V2026),
            Some(other) => Err(Malformed::Profile { part: Part::Realm, found: other.to_string() }),
        }
    }

    /// What claim 265 says, or that there is none.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::VirtCca => "none (virtCCA)",
            Self::Legacy => "none (before 2023)",
            Self::V2023 => claim::REALM_PROFILE_2023,
            Self::V2024 => PROFILE_2024,
            Self::V2026 => PROFILE_2026,
        }
    }
}

/// Whether a Realm has its memory encrypted under a key of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MecPolicy {
    /// One key for all Realms.
    Shared,
    /// A key of its own.
    Private,
}

impl MecPolicy {
    /// The name in claims and references.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::Private => "private",
        }
    }

    /// Reads a name; any other text is `None`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Shared, Self::Private].into_iter().find(|policy| policy.name() == name)
    }
}

/// The key that signs a realm token, and how the platform vouches for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttestationKey<'b> {
    /// The key as it was sent: the binding is a hash of these bytes.
    pub bytes: &'b [u8],
    /// The same key, in the form that it has; not known to lie on its curve.
    pub key: PublicKey<'b>,
    /// Hash algorithm of the binding to the platform token.
    pub hash: Hash,
}

/// What the RMM says about a Realm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RealmClaims<'b> {
    /// Generation of the token.
    pub profile: Profile,
    /// What the one who asked gave.
    pub challenge: [u8; 64],
    /// Personalisation value, which the host gave.
    pub rpv: [u8; 64],
    /// Hash algorithm of the measurements.
    pub hash: Hash,
    /// The realm attestation key; none where the platform vouches for the claims themselves.
    pub key: Option<AttestationKey<'b>>,
    /// Initial measurement, 32, 48 or 64 bytes.
    pub rim: &'b [u8],
    /// Extensible measurements, each 32, 48 or 64 bytes.
    pub rems: [&'b [u8]; 4],
    /// Whose key encrypts its memory; always there since 2024.
    pub mec_policy: Option<MecPolicy>,
    /// Whether firmware may be replaced while it runs.
    pub live_activation: Option<bool>,
    /// Which Realm it is, at random; always there since 2026.
    pub instance_id: Option<[u8; 33]>,
    /// Hash of the token of its devices, if it has any.
    pub devices_hash: Option<&'b [u8]>,
}

/// The claims as they come, before any is known to be there.
#[derive(Default)]
struct Found<'b> {
    profile: Option<&'b str>,
    challenge: Option<&'b [u8]>,
    rpv: Option<&'b [u8]>,
    hash: Option<&'b str>,
    key: Option<(&'b [u8], usize)>,
    key_hash: Option<&'b str>,
    rim: Option<&'b [u8]>,
    rems: Option<Vec<&'b [u8]>>,
    mec_policy: Option<Reader<'b>>,
    mec_policy_text: Option<Reader<'b>>,
    live_activation: Option<Reader<'b>>,
    instance_id: Option<Reader<'b>>,
    devices_hash: Option<Reader<'b>>,
}

impl<'b> RealmClaims<'b> {
    /// Reads the claims of a realm token that is signed, or not, to the last byte.
    ///
    /// # Errors
    /// [`Malformed`], naming the claim that is missing, of a wrong size or impossible.
    pub(crate) fn read(mut reader: Reader<'b>, family: Family, signed: bool) -> Result<Self, Malformed> {
        let mut found = Found::default();
        reader.map(|key, value| found.take(key, value))?;
        reader.end()?;
        found.check(family, signed)
    }
}

impl<'b> Found<'b> {
    fn take(&mut self, key: Key<'b>, value: &mut Reader<'b>) -> Result<(), Malformed> {
        match key {
            Key::Uint(claim::PROFILE) => self.profile = Some(value.text()?),
            Key::Uint(claim::CHALLENGE) => self.challenge = Some(value.bytes()?),
            Key::Uint(claim::RPV) => self.rpv = Some(value.bytes()?),
            Key::Uint(claim::REALM_HASH) => self.hash = Some(value.text()?),
            Key::Uint(claim::RAK) => {
                let (bytes, inner) = value.nested()?;
                self.key = Some((bytes, inner.at()));
            }
            Key::Uint(claim::RAK_HASH) => self.key_hash = Some(value.text()?),
            Key::Uint(claim::RIM) => self.rim = Some(value.bytes()?),
            Key::Uint(claim::REMS) => self.rems = Some(rems(value)?),
            Key::Uint(claim::MEC_POLICY) => self.mec_policy = Some(value.later()?),
            Key::Uint(claim::MEC_POLICY_TEXT) => self.mec_policy_text = Some(value.later()?),
            Key::Uint(claim::LIVE_ACTIVATION_POLICY) => self.live_activation = Some(value.later()?),
            Key::Uint(claim::INSTANCE_ID) => self.instance_id = Some(value.later()?),
            Key::Uint(claim::DEVICES_HASH) => self.devices_hash = Some(value.later()?),
            _ => value.skip()?,
        }
        Ok(())
    }

    fn check(self, family: Family, signed: bool) -> Result<RealmClaims<'b>, Malformed> {
        let profile = Profile::read(self.profile, family)?;
        let key = self.key(family, signed)?;
        let mec_policy = self.mec_policy(profile)?;
        // What a profile does not know is a claim of somebody's own, and nothing to read anything out of.
        let known = |raw: Option<Reader<'b>>| raw.filter(|_| profile >= Profile::V2024);
        let instance = known(self.instance_id).map(|mut it| it.bytes().and_then(instance_id)).transpose()?;
        if instance.is_none() && profile >= Profile::V2026 {
            return Err(missing("realm instance id"));
        }
        let activation = known(self.live_activation).map(|mut it| policy(&mut it, "live activation policy"));
        let devices = known(self.devices_hash).map(|mut it| it.bytes().and_then(|it| digest("hash of devices", it)));
        let rems = self.rems.ok_or(missing("extensible measurements"))?;
        let wrong_count = Malformed::Value { claim: "extensible measurements", expected: "exactly four" };
        let hash = self.hash.ok_or(missing("hash algorithm"))?;
        Ok(RealmClaims {
            profile,
            challenge: exactly("challenge", "64", self.challenge.ok_or(missing("challenge"))?)?,
            rpv: exactly("personalization value", "64", self.rpv.ok_or(missing("personalization value"))?)?,
            hash: hash_algorithm("hash algorithm of the realm", trimmed(hash, family))?,
            key,
            rim: digest("initial measurement", self.rim.ok_or(missing("initial measurement"))?)?,
            rems: rems.try_into().map_err(|_| wrong_count)?,
            mec_policy,
            live_activation: activation.transpose()?,
            instance_id: instance,
            devices_hash: devices.transpose()?,
        })
    }

    /// The key and its hash: both if it signs the token, neither if nobody does.
    fn key(&self, family: Family, signed: bool) -> Result<Option<AttestationKey<'b>>, Malformed> {
        const KEY: &str = "realm public key";
        const HASH: &str = "hash algorithm of the realm public key";
        match (self.key, self.key_hash) {
            (None, None) if !signed => Ok(None),
            _ if !signed => Err(Malformed::Value { claim: KEY, expected: "none in a realm token that is not signed" }),
            (None, _) => Err(missing(KEY)),
            (_, None) => Err(missing(HASH)),
            (Some((bytes, at)), Some(hash)) => Ok(Some(AttestationKey {
                bytes,
                key: PublicKey::read(bytes, at, family)?,
                hash: hash_algorithm(HASH, trimmed(hash, family))?,
            })),
        }
    }

    fn mec_policy(&self, profile: Profile) -> Result<Option<MecPolicy>, Malformed> {
        const CLAIM: &str = "memory encryption policy";
        if profile < Profile::V2024 {
            return Ok(None);
        }
        if let Some(mut reader) = self.mec_policy.clone() {
            return Ok(Some(if policy(&mut reader, CLAIM)? { MecPolicy::Private } else { MecPolicy::Shared }));
        }
        // The first draft of 2024 had a text, at another key.
        let text = self.mec_policy_text.clone().filter(|_| profile == Profile::V2024);
        let text = text.ok_or(missing(CLAIM))?.text()?;
        MecPolicy::from_name(text).map(Some).ok_or(Malformed::Value { claim: CLAIM, expected: "shared or private" })
    }
}

fn missing(claim: &'static str) -> Malformed {
    Malformed::Missing { part: Part::Realm, claim }
}

/// Reads a policy that is 0 or 1.
fn policy(reader: &mut Reader<'_>, claim: &'static str) -> Result<bool, Malformed> {
    match reader.uint()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Malformed::Value { claim, expected: "0 or 1" }),
    }
}

/// A text without the NULs that virtCCA fills fields with.
fn trimmed(text: &str, family: Family) -> &str {
    if family.is_virtcca() { text.trim_end_matches('\0') } else { text }
}

fn rems<'b>(reader: &mut Reader<'b>) -> Result<Vec<&'b [u8]>, Malformed> {
    let mut list = Vec::new();
    reader.array(|item| {
        list.push(digest("extensible measurement", item.bytes()?)?);
        Ok(())
    })?;
    Ok(list)
}
