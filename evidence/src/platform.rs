//! Claims of the platform token (draft-ffm-rats-cca-token, "Platform Claims").

use crate::cbor::{Key, Reader};
use crate::hash::Hash;
use crate::lifecycle::Lifecycle;
use crate::malformed::{Malformed, Part};
use abi::claim;
use abi::endorsement::INSTANCE_ID_TYPE;
use alloc::string::ToString;
use alloc::vec::Vec;

/// Profile of platform tokens before 2023.
const PROFILE_LEGACY: &str = "http://arm.com/CCA-SSD/1.0.0";

/// The generations of the platform token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// `http://arm.com/CCA-SSD/1.0.0`.
    Legacy,
    /// `tag:arm.com,2023:cca_platform#1.0.0`.
    V2023,
}

impl Profile {
    fn read(name: &str) -> Result<Self, Malformed> {
        match name {
            PROFILE_LEGACY => Ok(Self::Legacy),
            claim::PLATFORM_PROFILE_2023 => Ok(Self::V2023),
            other => Err(Malformed::Profile { part: Part::Platform, found: other.to_string() }),
        }
    }

    /// What claim 265 says.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Legacy => PROFILE_LEGACY,
            Self::V2023 => claim::PLATFORM_PROFILE_2023,
        }
    }
}

/// One measured piece of firmware or configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Component<'b> {
    /// What it is, such as `RMM`; tokens without it occur.
    pub kind: Option<&'b str>,
    /// Digest, 32, 48 or 64 bytes.
    pub measurement: &'b [u8],
    /// Version, in the maker's words.
    pub version: Option<&'b str>,
    /// Hash of the key that verified it.
    pub signer_id: &'b [u8],
    /// Hash algorithm, in the maker's words; the platform's own if absent.
    pub hash: Option<&'b str>,
}

/// What a platform says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlatformClaims<'b> {
    /// Generation of the token.
    pub profile: Profile,
    /// Hash of the realm attestation key, 32, 48 or 64 bytes.
    pub binding: &'b [u8],
    /// Which design the platform is of.
    pub implementation_id: [u8; 32],
    /// Which platform of that design it is.
    pub instance_id: [u8; 33],
    /// Where in its life it stands.
    pub lifecycle: Lifecycle,
    /// Its configuration, in a form of the implementation's own.
    pub config: &'b [u8],
    /// Hash algorithm of the components.
    pub hash: Hash,
    /// What it booted, in order; at least one.
    pub components: Vec<Component<'b>>,
    /// Where the maker says tokens can be verified: a hint, never to be trusted.
    pub verification_service: Option<&'b str>,
}

/// The claims as they come, before any is known to be there.
#[derive(Default)]
struct Found<'b> {
    profile: Option<&'b str>,
    binding: Option<&'b [u8]>,
    implementation_id: Option<&'b [u8]>,
    instance_id: Option<&'b [u8]>,
    lifecycle: Option<u64>,
    config: Option<&'b [u8]>,
    hash: Option<&'b str>,
    components: Option<Vec<Component<'b>>>,
    verification_service: Option<&'b str>,
}

impl<'b> PlatformClaims<'b> {
    /// Reads the payload of a platform token, to the last byte.
    ///
    /// # Errors
    /// [`Malformed`], naming the claim that is missing, of a wrong size or impossible.
    pub(crate) fn read(mut reader: Reader<'b>) -> Result<Self, Malformed> {
        let mut found = Found::default();
        reader.map(|key, value| found.take(key, value))?;
        reader.end()?;
        found.check()
    }
}

impl<'b> Found<'b> {
    fn take(&mut self, key: Key<'b>, value: &mut Reader<'b>) -> Result<(), Malformed> {
        match key {
            Key::Uint(claim::PROFILE) => self.profile = Some(value.text()?),
            Key::Uint(claim::CHALLENGE) => self.binding = Some(value.bytes()?),
            Key::Uint(claim::IMPLEMENTATION_ID) => self.implementation_id = Some(value.bytes()?),
            Key::Uint(claim::INSTANCE_ID) => self.instance_id = Some(value.bytes()?),
            Key::Uint(claim::LIFECYCLE) => self.lifecycle = Some(value.uint()?),
            Key::Uint(claim::CONFIG) => self.config = Some(value.bytes()?),
            Key::Uint(claim::PLATFORM_HASH) => self.hash = Some(value.text()?),
            Key::Uint(claim::SW_COMPONENTS) => self.components = Some(components(value)?),
            Key::Uint(claim::VERIFICATION_SERVICE) => self.verification_service = Some(value.text()?),
            _ => value.skip()?,
        }
        Ok(())
    }

    fn check(self) -> Result<PlatformClaims<'b>, Malformed> {
        let profile = Profile::read(self.profile.ok_or(missing("profile"))?)?;
        let instance_id = exactly("instance id", "33", self.instance_id.ok_or(missing("instance id"))?)?;
        if instance_id.first() != Some(&INSTANCE_ID_TYPE) {
            return Err(Malformed::Value { claim: "instance id", expected: "first byte 0x01" });
        }
        let implementation_id = self.implementation_id.ok_or(missing("implementation id"))?;
        let hash = self.hash.ok_or(missing("hash algorithm"))?;
        let components = self.components.ok_or(missing("software components"))?;
        if components.is_empty() {
            return Err(Malformed::Value { claim: "software components", expected: "at least one" });
        }
        Ok(PlatformClaims {
            profile,
            binding: digest("binding to the realm key", self.binding.ok_or(missing("binding to the realm key"))?)?,
            implementation_id: exactly("implementation id", "32", implementation_id)?,
            instance_id,
            lifecycle: lifecycle(self.lifecycle.ok_or(missing("lifecycle"))?)?,
            config: self.config.ok_or(missing("configuration"))?,
            hash: hash_algorithm("hash algorithm of the platform", hash)?,
            components,
            verification_service: self.verification_service,
        })
    }
}

fn missing(claim: &'static str) -> Malformed {
    Malformed::Missing { part: Part::Platform, claim }
}

fn lifecycle(value: u64) -> Result<Lifecycle, Malformed> {
    let wrong = Malformed::Value { claim: "lifecycle", expected: "a state from 0x0000 to 0x60ff" };
    let lifecycle = u16::try_from(value).map(Lifecycle).map_err(|_| wrong.clone())?;
    lifecycle.state().map(|_| lifecycle).ok_or(wrong)
}

fn components<'b>(reader: &mut Reader<'b>) -> Result<Vec<Component<'b>>, Malformed> {
    let mut list = Vec::new();
    reader.array(|item| {
        list.push(component(item)?);
        Ok(())
    })?;
    Ok(list)
}

fn component<'b>(reader: &mut Reader<'b>) -> Result<Component<'b>, Malformed> {
    let (mut kind, mut measurement, mut version, mut signer_id, mut hash) = (None, None, None, None, None);
    reader.map(|key, value| {
        match key {
            Key::Uint(claim::COMPONENT_TYPE) => kind = Some(value.text()?),
            Key::Uint(claim::COMPONENT_MEASUREMENT) => measurement = Some(value.bytes()?),
            Key::Uint(claim::COMPONENT_VERSION) => version = Some(value.text()?),
            Key::Uint(claim::COMPONENT_SIGNER) => signer_id = Some(value.bytes()?),
            Key::Uint(claim::COMPONENT_HASH) => hash = Some(value.text()?),
            _ => value.skip()?,
        }
        Ok(())
    })?;
    let measurement = digest("component measurement", measurement.ok_or(missing("component measurement"))?)?;
    let signer_id = digest("component signer id", signer_id.ok_or(missing("component signer id"))?)?;
    Ok(Component { kind, measurement, version, signer_id, hash })
}

/// Takes bytes of exactly one size.
pub(crate) fn exactly<const N: usize>(
    claim: &'static str,
    expected: &'static str,
    bytes: &[u8],
) -> Result<[u8; N], Malformed> {
    bytes.try_into().map_err(|_| Malformed::Size { claim, expected, found: bytes.len() })
}

/// Takes bytes of the size of a digest. The size is not tied to an algorithm: tokens in the field break that.
pub(crate) fn digest<'b>(claim: &'static str, bytes: &'b [u8]) -> Result<&'b [u8], Malformed> {
    match bytes.len() {
        32 | 48 | 64 => Ok(bytes),
        found => Err(Malformed::Size { claim, expected: "32, 48 or 64", found }),
    }
}

/// Reads the name of a hash algorithm.
pub(crate) fn hash_algorithm(claim: &'static str, name: &str) -> Result<Hash, Malformed> {
    Hash::from_name(name).ok_or(Malformed::Value { claim, expected: "sha-256, sha-384 or sha-512" })
}
