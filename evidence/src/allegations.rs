//! Claims for people to look at, with nothing said about their truth.

use crate::cbor::Reader;
use crate::family::Family;
use crate::hex::Hex;
use crate::malformed::Malformed;
use crate::platform::PlatformClaims;
use crate::realm::RealmClaims;
use crate::token::Claims;
use crate::wrapper::Extra;
use core::fmt;

/// Claims that can be displayed and nothing else.
pub struct Allegations<'t> {
    pub(crate) claims: &'t Claims<'t>,
    pub(crate) extras: &'t [Extra<'t>],
}

impl fmt::Display for Allegations<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "family    {}", self.claims.family)?;
        if let Some(claims) = &self.claims.platform {
            platform(out, claims)?;
        }
        realm(out, &self.claims.realm)?;
        let mut extras = self.extras.iter();
        extras.try_for_each(|it| writeln!(out, "beside    {} {}, {} bytes", it.name(), it.key, it.content.len()))
    }
}

/// The claims of one half, without the COSE around them.
pub struct Bare<'b>(Half<'b>);

enum Half<'b> {
    Platform(PlatformClaims<'b>),
    Realm(RealmClaims<'b>),
}

impl<'b> Bare<'b> {
    /// Reads the claims of a platform token of Arm CCA, to the last byte.
    ///
    /// # Errors
    /// [`Malformed`], naming the claim that is missing, of a wrong size or impossible.
    pub fn platform(claims: &'b [u8]) -> Result<Self, Malformed> {
        PlatformClaims::read(Reader::new(claims, 0)).map(|claims| Self(Half::Platform(claims)))
    }

    /// Reads the claims of a realm token of Arm CCA, to the last byte.
    ///
    /// # Errors
    /// [`Malformed`], naming the claim that is missing, of a wrong size or impossible.
    pub fn realm(claims: &'b [u8]) -> Result<Self, Malformed> {
        RealmClaims::read(Reader::new(claims, 0), Family::Cca, true).map(|claims| Self(Half::Realm(claims)))
    }
}

impl fmt::Display for Bare<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Half::Platform(claims) => platform(out, claims),
            Half::Realm(claims) => realm(out, claims),
        }
    }
}

/// One claim in its column.
fn line(out: &mut fmt::Formatter<'_>, name: &str, value: impl fmt::Display) -> fmt::Result {
    writeln!(out, "          {name:<18} {value}")
}

fn platform(out: &mut fmt::Formatter<'_>, claims: &PlatformClaims<'_>) -> fmt::Result {
    writeln!(out, "platform  profile            {}", claims.profile.name())?;
    line(out, "implementation id", Hex(&claims.implementation_id))?;
    line(out, "instance id", Hex(&claims.instance_id))?;
    line(out, "lifecycle", claims.lifecycle)?;
    line(out, "configuration", Hex(claims.config))?;
    line(out, "vouches for", Hex(claims.binding))?;
    if let Some(challenge) = claims.challenge {
        line(out, "challenge", Hex(challenge))?;
    }
    for component in &claims.components {
        let kind = component.kind.unwrap_or("(component)").escape_debug();
        let version = component.version.unwrap_or("-").escape_debug();
        writeln!(out, "          {kind:<18} {} version {version}", Hex(component.measurement))?;
        line(out, "  signer", Hex(component.signer_id))?;
    }
    for device in &claims.devices {
        let kind = device.kind.unwrap_or("(device)").escape_debug();
        writeln!(out, "          {kind:<18} {} by {}", Hex(device.measurements), device.protocol.escape_debug())?;
    }
    for rotpk in &claims.rotpks {
        writeln!(out, "          boot key {rotpk} {}", Hex(rotpk.hash))?;
    }
    if let Some(service) = claims.verification_service {
        line(out, "verification hint", service.escape_debug())?;
    }
    let opaque = [
        ("production", claims.manufacturing_config),
        ("signers of peers", claims.peer_signers),
        ("binding to a TPM", claims.tpm_binding),
    ];
    opaque.into_iter().try_for_each(|(name, value)| value.map_or(Ok(()), |value| line(out, name, Hex(value))))
}

fn realm(out: &mut fmt::Formatter<'_>, claims: &RealmClaims<'_>) -> fmt::Result {
    writeln!(out, "realm     profile            {}", claims.profile.name())?;
    line(out, "challenge", Hex(&claims.challenge))?;
    line(out, "personalization", Hex(&claims.rpv))?;
    line(out, "hash algorithm", claims.hash)?;
    line(out, "RIM", Hex(claims.rim))?;
    for (index, rem) in claims.rems.iter().enumerate() {
        writeln!(out, "          REM {index}              {}", Hex(rem))?;
    }
    if let Some(policy) = claims.mec_policy {
        line(out, "memory encryption", policy.name())?;
    }
    if let Some(allowed) = claims.live_activation {
        line(out, "live activation", if allowed { "allowed" } else { "not allowed" })?;
    }
    if let Some(id) = &claims.instance_id {
        line(out, "instance id", Hex(id))?;
    }
    claims.devices_hash.map_or(Ok(()), |hash| line(out, "devices", Hex(hash)))
}
