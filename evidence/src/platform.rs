//! Claims of the platform token (draft-ffm-rats-cca-token, "Platform Claims").

mod component;
mod device;
mod profile;
mod rotpk;

pub use component::Component;
pub use device::Device;
pub use profile::{Binding, Generation, Profile};
pub use rotpk::{Owner, Rotpk};

use crate::cbor::{Key, Reader};
use crate::hash::Hash;
use crate::lifecycle::Lifecycle;
use crate::malformed::{Malformed, Part};
use abi::claim;
use abi::endorsement::INSTANCE_ID_TYPE;
use alloc::vec::Vec;
use component::trimmed;

/// Value of the client claim: the Realm Management Security Domain, the only one that may ask.
const CLIENT_RMSD: u64 = 1;

/// What a platform says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlatformClaims<'b> {
    /// Generation of the token, and how it vouches for the realm token.
    pub profile: Profile,
    /// What it vouches for, by a hash of 32, 48 or 64 bytes.
    pub binding: &'b [u8],
    /// The challenge, where the platform answers it itself: 32, 48 or 64 bytes.
    pub challenge: Option<&'b [u8]>,
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
    /// Who asked for the token: 1, the Realm Management Security Domain, wherever it is said.
    pub client_id: Option<u64>,
    /// Record of its production, in a form of the maker's own.
    pub manufacturing_config: Option<&'b [u8]>,
    /// Devices that joined it at run time.
    pub devices: Vec<Device<'b>>,
    /// Keys that its boot trusts.
    pub rotpks: Vec<Rotpk<'b>>,
    /// Signers of peers, in a form of the implementation's own.
    pub peer_signers: Option<&'b [u8]>,
    /// Binding to a TPM, in a form of the implementation's own.
    pub tpm_binding: Option<&'b [u8]>,
}

/// The claims as they come, before the profile is known that says what each must be.
#[derive(Default)]
struct Found<'b> {
    profile: Option<&'b str>,
    nonce: Option<&'b [u8]>,
    implementation_id: Option<&'b [u8]>,
    instance_id: Option<&'b [u8]>,
    lifecycle: Option<u64>,
    config: Option<&'b [u8]>,
    hash: Option<&'b str>,
    verification_service: Option<&'b str>,
    components: Option<Components<'b>>,
    binding: Option<Reader<'b>>,
    client_id: Option<Reader<'b>>,
    manufacturing_config: Option<Reader<'b>>,
    devices: Option<Reader<'b>>,
    rotpks: Option<Reader<'b>>,
    peer_signers: Option<Reader<'b>>,
    tpm_binding: Option<Reader<'b>>,
}

/// The list of components, which the profile says how to read.
enum Components<'b> {
    Read(Vec<Component<'b>>),
    Later(Reader<'b>),
}

impl<'b> Components<'b> {
    fn read(self, generation: Generation) -> Result<Vec<Component<'b>>, Malformed> {
        match self {
            Self::Read(list) => Ok(list),
            Self::Later(mut reader) => component::read_all(&mut reader, generation),
        }
    }
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
            Key::Uint(claim::CHALLENGE) => self.nonce = Some(value.bytes()?),
            Key::Uint(claim::IMPLEMENTATION_ID) => self.implementation_id = Some(value.bytes()?),
            Key::Uint(claim::INSTANCE_ID) => self.instance_id = Some(value.bytes()?),
            Key::Uint(claim::LIFECYCLE) => self.lifecycle = Some(value.uint()?),
            Key::Uint(claim::CONFIG) => self.config = Some(value.bytes()?),
            Key::Uint(claim::PLATFORM_HASH) => self.hash = Some(value.text()?),
            Key::Uint(claim::VERIFICATION_SERVICE) => self.verification_service = Some(value.text()?),
            Key::Uint(claim::SW_COMPONENTS) => self.components = Some(self.components(value)?),
            Key::Uint(claim::WORKLOAD_BINDING) => self.binding = Some(value.later()?),
            Key::Uint(claim::CLIENT_ID) => self.client_id = Some(value.later()?),
            Key::Uint(claim::MANUFACTURING_CONFIG) => self.manufacturing_config = Some(value.later()?),
            Key::Uint(claim::PLATFORM_EXTENSION) => self.devices = Some(value.later()?),
            Key::Uint(claim::ROTPKS) => self.rotpks = Some(value.later()?),
            Key::Uint(claim::PEER_SIGNERS) => self.peer_signers = Some(value.later()?),
            Key::Uint(claim::TPM_BINDING) => self.tpm_binding = Some(value.later()?),
            _ => value.skip()?,
        }
        Ok(())
    }

    fn check(mut self) -> Result<PlatformClaims<'b>, Malformed> {
        let profile = Profile::read(self.profile.ok_or(missing("profile"))?)?;
        let generation = profile.generation();
        let (binding, challenge) = self.binding(profile)?;
        let implementation_id = self.implementation_id.ok_or(missing("implementation id"))?;
        let hash = trimmed(self.hash.ok_or(missing("hash algorithm"))?, generation);
        let components = self.components.take().ok_or(missing("software components"))?;
        // What a profile does not know is a claim of somebody's own, and nothing to read anything out of.
        let (some, more) = (generation >= Generation::V2024R1, generation >= Generation::V2024R2);
        let devices = self.devices.as_mut().filter(|_| more);
        let rotpks = self.rotpks.as_mut().filter(|_| more);
        Ok(PlatformClaims {
            profile,
            binding,
            challenge,
            implementation_id: exactly("implementation id", "32", implementation_id)?,
            instance_id: instance_id(self.instance_id.ok_or(missing("instance id"))?)?,
            lifecycle: lifecycle(self.lifecycle.ok_or(missing("lifecycle"))?, generation)?,
            config: self.config.ok_or(missing("configuration"))?,
            hash: hash_algorithm("hash algorithm of the platform", hash)?,
            components: components.read(generation)?,
            verification_service: self.verification_service.map(|text| trimmed(text, generation)),
            client_id: client(self.client_id.as_mut(), generation)?,
            manufacturing_config: opaque(self.manufacturing_config.filter(|_| some))?,
            devices: devices.map(|it| device::read_all(it, generation)).transpose()?.unwrap_or_default(),
            rotpks: rotpks.map(rotpk::read_all).transpose()?.unwrap_or_default(),
            peer_signers: opaque(self.peer_signers.filter(|_| more))?,
            tpm_binding: opaque(self.tpm_binding.filter(|_| more))?,
        })
    }

    /// What the platform vouches for, and the challenge if it answers that itself. Claim 10 is the one or the other.
    /// The components, at once where the profile stands before them, as it does in the order that most encoders keep.
    fn components(&self, value: &mut Reader<'b>) -> Result<Components<'b>, Malformed> {
        match self.profile.map(Profile::read) {
            Some(Ok(profile)) => component::read_all(value, profile.generation()).map(Components::Read),
            _ => value.later().map(Components::Later),
        }
    }

    fn binding(&mut self, profile: Profile) -> Result<(&'b [u8], Option<&'b [u8]>), Malformed> {
        const BINDING: &str = "binding to the realm token";
        const CHALLENGE: &str = "challenge of the platform";
        if profile.generation() < Generation::V2026R0 {
            return Ok((digest(BINDING, self.nonce.ok_or(missing(BINDING))?)?, None));
        }
        let binding = self.binding.as_mut().ok_or(missing(BINDING))?.bytes()?;
        let challenge = match (profile.binding(), self.nonce) {
            (Binding::Hesrak, None) => return Err(missing(CHALLENGE)),
            (Binding::Hesrak, Some(nonce)) => Some(digest(CHALLENGE, nonce)?),
            (_, None) => None,
            (_, Some(_)) => return Err(Malformed::Value { claim: CHALLENGE, expected: "none in this profile" }),
        };
        Ok((digest(BINDING, binding)?, challenge))
    }
}

fn opaque(raw: Option<Reader<'_>>) -> Result<Option<&[u8]>, Malformed> {
    raw.map(|mut reader| reader.bytes()).transpose()
}

fn client(raw: Option<&mut Reader<'_>>, generation: Generation) -> Result<Option<u64>, Malformed> {
    match raw {
        _ if generation < Generation::V2024R1 => Ok(None),
        None if generation >= Generation::V2024R2 => Err(missing("client id")),
        None => Ok(None),
        Some(reader) => match reader.int()? {
            found if found == i128::from(CLIENT_RMSD) => Ok(Some(CLIENT_RMSD)),
            _ => Err(Malformed::Value { claim: "client id", expected: "1 (Realm Management Security Domain)" }),
        },
    }
}

fn missing(claim: &'static str) -> Malformed {
    Malformed::Missing { part: Part::Platform, claim }
}

fn lifecycle(value: u64, generation: Generation) -> Result<Lifecycle, Malformed> {
    let wrong = Malformed::Value { claim: "lifecycle", expected: "a state from 0x0000 to 0x60ff" };
    let lifecycle = u16::try_from(value).map(Lifecycle).map_err(|_| wrong.clone())?;
    // virtCCA's values are Huawei's own.
    if generation == Generation::VirtCca { Ok(lifecycle) } else { lifecycle.state().map(|_| lifecycle).ok_or(wrong) }
}

/// Takes the identifier of a platform or a Realm: 33 bytes, the first of which says that the others are random.
pub(crate) fn instance_id(bytes: &[u8]) -> Result<[u8; 33], Malformed> {
    let id: [u8; 33] = exactly("instance id", "33", bytes)?;
    if id.first() != Some(&INSTANCE_ID_TYPE) {
        return Err(Malformed::Value { claim: "instance id", expected: "first byte 0x01" });
    }
    Ok(id)
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
