//! Authentic claims in a report: bytes in hexadecimal, and nothing that was not said.

use evidence::hex::encode;
use evidence::{Hash, Lifecycle, PlatformClaims, RealmClaims};
use serde::Serialize;

/// Authentic claims of a platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Platform {
    /// Claim 265.
    pub profile: String,
    /// Claim 2396.
    pub implementation_id: String,
    /// Claim 256.
    pub instance_id: String,
    /// Claim 2395, in words and as a number.
    pub lifecycle: String,
    /// Claim 2395.
    #[serde(skip)]
    pub lifecycle_number: u16,
    /// The same as it is in the token.
    #[serde(skip)]
    pub lifecycle_claim: Lifecycle,
    /// Claim 2401.
    pub config: String,
    /// Claim 2402.
    pub hash: String,
    /// Claim 2399.
    pub components: Vec<Component>,
    /// Claim 2408, or 10 before 2026.
    pub binding: String,
    /// Claim 10, where the platform answers the challenge itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub challenge: Option<String>,
    /// Claim 2400.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verification_service: Option<String>,
    /// Claim 2394.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<u64>,
    /// Claim 2403.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manufacturing_config: Option<String>,
    /// Claim 2404.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<Device>,
    /// Claim 2405.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rotpks: Vec<Rotpk>,
    /// Claim 2406.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer_signers: Option<String>,
    /// Claim 2407.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tpm_binding: Option<String>,
}

/// An authentic component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Component {
    /// Its type, if it has one.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Its digest.
    pub measurement: String,
    /// Its version, if it has one.
    pub version: Option<String>,
    /// Hash of its signer's key.
    pub signer_id: String,
    /// Its hash algorithm, if it says one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// Whether it can be replaced while it runs, if it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub live_activation: Option<bool>,
    /// Hashes of the keys of further signers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub countersigners: Vec<String>,
}

/// An authentic device of a platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Device {
    /// Its type, if it has one.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Digest of its measurements.
    pub measurements: String,
    /// Digest of its certificates.
    pub certificates: String,
    /// Protocol of its attestation.
    pub protocol: String,
    /// Whether the link to it is protected.
    pub ide: bool,
    /// Digest of the protocol's negotiation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vca: Option<String>,
    /// Who encrypts its memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encryption: Option<u64>,
}

/// An authentic key that a platform's boot trusts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rotpk {
    /// Whose: `CM` or `DM`.
    pub owner: &'static str,
    /// Which array of keys is in use.
    pub array: u64,
    /// Which key of that array.
    pub index: u64,
    /// Hash of the key.
    pub hash: String,
}

/// Authentic claims of a Realm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Realm {
    /// Claim 265.
    pub profile: String,
    /// Claim 10.
    pub challenge: String,
    /// Claim 44235.
    pub rpv: String,
    /// Claim 44236.
    pub hash: String,
    /// The same, to compute with.
    #[serde(skip)]
    pub algorithm: Hash,
    /// Claim 44238.
    pub rim: String,
    /// Claim 44239.
    pub rems: [String; 4],
    /// Claim 44243.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mec_policy: Option<&'static str>,
    /// Claim 44244.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub live_activation: Option<bool>,
    /// Claim 256.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_id: Option<String>,
    /// Claim 44257.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub devices_hash: Option<String>,
}

impl From<&PlatformClaims<'_>> for Platform {
    fn from(claims: &PlatformClaims<'_>) -> Self {
        Self {
            profile: claims.profile.name().into(),
            implementation_id: encode(&claims.implementation_id),
            instance_id: encode(&claims.instance_id),
            lifecycle: claims.lifecycle.to_string(),
            lifecycle_number: claims.lifecycle.0,
            lifecycle_claim: claims.lifecycle,
            config: encode(claims.config),
            hash: claims.hash.to_string(),
            components: claims.components.iter().map(Component::from).collect(),
            binding: encode(claims.binding),
            challenge: claims.challenge.map(encode),
            verification_service: claims.verification_service.map(str::to_string),
            client_id: claims.client_id,
            manufacturing_config: claims.manufacturing_config.map(encode),
            devices: claims.devices.iter().map(Device::from).collect(),
            rotpks: claims.rotpks.iter().map(Rotpk::from).collect(),
            peer_signers: claims.peer_signers.map(encode),
            tpm_binding: claims.tpm_binding.map(encode),
        }
    }
}

impl From<&evidence::platform::Component<'_>> for Component {
    fn from(claims: &evidence::platform::Component<'_>) -> Self {
        Self {
            kind: claims.kind.map(str::to_string),
            measurement: encode(claims.measurement),
            version: claims.version.map(str::to_string),
            signer_id: encode(claims.signer_id),
            hash: claims.hash.map(str::to_string),
            live_activation: claims.live,
            countersigners: claims.countersigners.iter().map(|it| encode(it)).collect(),
        }
    }
}

impl From<&evidence::platform::Device<'_>> for Device {
    fn from(claims: &evidence::platform::Device<'_>) -> Self {
        Self {
            kind: claims.kind.map(str::to_string),
            measurements: encode(claims.measurements),
            certificates: encode(claims.certificates),
            protocol: claims.protocol.to_string(),
            ide: claims.ide,
            vca: claims.vca.map(encode),
            encryption: claims.encryption,
        }
    }
}

impl From<&evidence::platform::Rotpk<'_>> for Rotpk {
    fn from(claims: &evidence::platform::Rotpk<'_>) -> Self {
        Self { owner: claims.owner.name(), array: claims.array, index: claims.index, hash: encode(claims.hash) }
    }
}

impl From<&RealmClaims<'_>> for Realm {
    fn from(claims: &RealmClaims<'_>) -> Self {
        Self {
            profile: claims.profile.name().into(),
            challenge: encode(&claims.challenge),
            rpv: encode(&claims.rpv),
            hash: claims.hash.to_string(),
            algorithm: claims.hash,
            rim: encode(claims.rim),
            rems: claims.rems.map(encode),
            mec_policy: claims.mec_policy.map(|it| it.name()),
            live_activation: claims.live_activation,
            instance_id: claims.instance_id.as_ref().map(|it| encode(it)),
            devices_hash: claims.devices_hash.map(encode),
        }
    }
}
