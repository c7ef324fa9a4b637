//! A CCA token: its wrapper, and the stage before authentication.

use crate::cbor::{Key, Reader};
use crate::cose::Sign1;
use crate::hex::Hex;
use crate::malformed::{Malformed, Part};
use crate::platform::PlatformClaims;
use crate::realm::RealmClaims;
use abi::claim::{CONTENT_FORMAT_EAT_CWT, PLATFORM_TOKEN, REALM_TOKEN, TAG_CCA_LEGACY, TAG_CMW_COLLECTION};
use core::fmt;

/// Bytes that are read, at most: tokens have two to three thousand, and lists of devices may follow one day.
pub const MAX_TOKEN: usize = 64 * 1024;

/// CBOR's major type of arrays, the upper three bits of an item's first byte (RFC 8949 §3.1).
const MAJOR_ARRAY: u8 = 4;

/// A token that is well formed, of profiles that are known, with every claim that these demand; nothing in it is
/// known to be true, and none of its claims can be read.
pub struct Token<'b> {
    platform: Sign1<'b>,
    realm: Sign1<'b>,
    claims: Claims<'b>,
}

/// The claims of both halves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims<'b> {
    /// What the platform says of itself.
    pub platform: PlatformClaims<'b>,
    /// What the RMM says of the Realm.
    pub realm: RealmClaims<'b>,
}

/// What an authenticator is shown: the two signed halves, and the claims as allegations.
pub struct Parts<'t, 'b> {
    /// The platform's half, to be verified under a key that an endorsement names.
    pub platform: &'t Sign1<'b>,
    /// The Realm's half, to be verified under the key that it carries itself, which the platform's half vouches for.
    pub realm: &'t Sign1<'b>,
    /// Allegations: the alleged signer, the key, its binding and the challenge are among them.
    pub alleged: &'t Claims<'b>,
}

impl<'b> Token<'b> {
    /// Reads a token in any of its wrappers: the collection with tag 907, the map with tag 399, and the form between.
    ///
    /// # Errors
    /// [`Malformed`], saying where and what was expected and found.
    pub fn parse(bytes: &'b [u8]) -> Result<Self, Malformed> {
        if bytes.len() > MAX_TOKEN {
            return Err(Malformed::TooLong { limit: MAX_TOKEN, found: bytes.len() });
        }
        let mut reader = Reader::new(bytes, 0);
        let found = reader.tag()?;
        if found != TAG_CCA_LEGACY && found != TAG_CMW_COLLECTION {
            return Err(Malformed::Tag { at: 0, expected: "399 or 907 (CCA token)", found });
        }
        let (mut platform, mut realm) = (None, None);
        reader.map(|key, value| {
            match key {
                Key::Uint(PLATFORM_TOKEN) => platform = Some(Sign1::read(entry(value)?)?),
                Key::Uint(REALM_TOKEN) => realm = Some(Sign1::read(entry(value)?)?),
                _ => value.skip()?,
            }
            Ok(())
        })?;
        reader.end()?;
        let platform = platform.ok_or(Malformed::Missing { part: Part::Platform, claim: "the token itself" })?;
        let realm = realm.ok_or(Malformed::Missing { part: Part::Realm, claim: "the token itself" })?;
        let claims =
            Claims { platform: PlatformClaims::read(platform.payload())?, realm: RealmClaims::read(realm.payload())? };
        Ok(Self { platform, realm, claims })
    }

    /// Hands the parts to an authenticator, and the claims over if it is content. This is the only way to the claims,
    /// and `verifier::authenticate` is meant to be the only caller.
    ///
    /// # Errors
    /// What the authenticator answers; the claims are then gone.
    pub fn authenticate_with<T, E>(
        self,
        authenticator: impl FnOnce(&Parts<'_, 'b>) -> Result<T, E>,
    ) -> Result<(Claims<'b>, T), E> {
        let parts = Parts { platform: &self.platform, realm: &self.realm, alleged: &self.claims };
        let answer = authenticator(&parts)?;
        Ok((self.claims, answer))
    }

    /// The claims for people to look at, with nothing said about their truth.
    #[must_use]
    pub fn allegations(&self) -> Allegations<'_> {
        Allegations(&self.claims)
    }
}

/// An entry of the wrapper: a byte string, or `[263, byte string]`.
fn entry<'b>(value: &mut Reader<'b>) -> Result<Reader<'b>, Malformed> {
    let at = value.at();
    if value.peek().is_none_or(|first| first >> 5 != MAJOR_ARRAY) {
        return value.nested().map(|(_, inner)| inner);
    }
    let mut format = None;
    let mut inner = None;
    value.array(|item| {
        match format {
            None => format = Some(item.uint()?),
            Some(_) => inner = Some(item.nested()?.1),
        }
        Ok(())
    })?;
    match (format, inner) {
        (Some(CONTENT_FORMAT_EAT_CWT), Some(inner)) => Ok(inner),
        (Some(found), Some(_)) => Err(Malformed::ContentFormat { at, found }),
        _ => Err(Malformed::Type { at, expected: "a content format and a byte string", found: "less" }),
    }
}

/// Claims that can be displayed and nothing else.
pub struct Allegations<'t>(&'t Claims<'t>);

impl fmt::Display for Allegations<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Claims { platform, realm } = self.0;
        writeln!(out, "platform  profile            {}", platform.profile.name())?;
        writeln!(out, "          implementation id  {}", Hex(&platform.implementation_id))?;
        writeln!(out, "          instance id        {}", Hex(&platform.instance_id))?;
        writeln!(out, "          lifecycle          {}", platform.lifecycle)?;
        writeln!(out, "          configuration      {}", Hex(platform.config))?;
        writeln!(out, "          realm key hash     {}", Hex(platform.binding))?;
        for component in &platform.components {
            let kind = component.kind.unwrap_or("(component)").escape_debug();
            let version = component.version.unwrap_or("-").escape_debug();
            writeln!(out, "          {kind:<18} {} version {version}", Hex(component.measurement))?;
        }
        writeln!(out, "realm     profile            {}", realm.profile.name())?;
        writeln!(out, "          challenge          {}", Hex(&realm.challenge))?;
        writeln!(out, "          personalization    {}", Hex(&realm.rpv))?;
        writeln!(out, "          hash algorithm     {}", realm.hash)?;
        writeln!(out, "          RIM                {}", Hex(realm.rim))?;
        for (index, rem) in realm.rems.iter().enumerate() {
            writeln!(out, "          REM {index}              {}", Hex(rem))?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
