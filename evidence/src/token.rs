//! A token of either family, and the stage before authentication.

use crate::allegations::Allegations;
use crate::cbor::{MAJOR_BYTES, Reader};
use crate::cose::{Algorithm, Certificates, Sign1};
use crate::family::Family;
use crate::malformed::{Malformed, Part};
use crate::platform::{Binding, PlatformClaims};
use crate::realm::RealmClaims;
use crate::wrapper::{Extra, Wrapper, is_map};
use alloc::vec::Vec;

/// Bytes that are read, at most: tokens have two to three thousand, and lists of devices may follow one day.
pub const MAX_TOKEN: usize = 64 * 1024;

/// A token that is well formed, of profiles that are known, with every claim that these demand; nothing in it is
/// known to be true, and none of its claims can be read.
pub struct Token<'b> {
    platform: Option<Sign1<'b>>,
    realm: RealmHalf<'b>,
    claims: Claims<'b>,
    extras: Vec<Extra<'b>>,
}

/// The Realm's half of a token.
#[derive(Clone, Debug)]
pub enum RealmHalf<'b> {
    /// Signed by the key that it carries.
    Signed(Sign1<'b>),
    /// Claims as they were sent: the platform vouches for their hash.
    Unsigned(&'b [u8]),
}

/// The claims of both halves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims<'b> {
    /// Whose rules they follow.
    pub family: Family,
    /// What the platform says of itself; virtCCA's first generation says nothing.
    pub platform: Option<PlatformClaims<'b>>,
    /// What the RMM says of the Realm.
    pub realm: RealmClaims<'b>,
}

/// What an authenticator is shown: the two halves, and the claims as allegations.
pub struct Parts<'t, 'b> {
    /// The platform's half, to be verified under a key that an endorsement names.
    pub platform: Option<&'t Sign1<'b>>,
    /// The Realm's half, to be verified under the key that it carries itself, or by its hash; the platform's half
    /// vouches for either. Without one, the key must be the endorsed one.
    pub realm: &'t RealmHalf<'b>,
    /// Allegations: the alleged signer, the key, its binding and the challenge are among them.
    pub alleged: &'t Claims<'b>,
    /// What else is in the wrapper, which nobody has signed.
    pub extras: &'t [Extra<'b>],
}

impl<'b> Token<'b> {
    /// Reads a token of either family in any of the wrappers.
    ///
    /// # Errors
    /// [`Malformed`], saying where and what was expected and found.
    pub fn parse(bytes: &'b [u8]) -> Result<Self, Malformed> {
        if bytes.len() > MAX_TOKEN {
            return Err(Malformed::TooLong { limit: MAX_TOKEN, found: bytes.len() });
        }
        let wrapper = Wrapper::read(bytes)?;
        let realm = wrapper.realm.ok_or(missing(Part::Realm))?;
        let realm =
            if is_map(&realm) { RealmHalf::Unsigned(realm.rest()) } else { RealmHalf::Signed(Sign1::read(realm)?) };
        let platform = wrapper.platform.map(Sign1::read).transpose()?;
        let claims = match &platform {
            None => alone(&realm)?,
            Some(platform) => together(platform, &realm)?,
        };
        Ok(Self { platform, realm, claims, extras: wrapper.extras })
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
        let (platform, realm) = (self.platform.as_ref(), &self.realm);
        let parts = Parts { platform, realm, alleged: &self.claims, extras: &self.extras };
        let answer = authenticator(&parts)?;
        Ok((self.claims, answer))
    }

    /// What the platform half's headers say of the certificate of its signer. It is no claim, and as true as whoever
    /// handed over the token: certificates count below an anchor, and nowhere else.
    #[must_use]
    pub fn certificates(&self) -> Option<&Certificates<'b>> {
        self.platform.as_ref().map(Sign1::certificates).filter(|it| **it != Certificates::default())
    }

    /// The claims for people to look at, with nothing said about their truth.
    #[must_use]
    pub fn allegations(&self) -> Allegations<'_> {
        Allegations { claims: &self.claims, extras: &self.extras }
    }
}

fn missing(part: Part) -> Malformed {
    Malformed::Missing { part, claim: "the token itself" }
}

/// The claims of a Realm without a platform: only virtCCA's first generation does that, and only it signs with RSA.
fn alone<'b>(realm: &RealmHalf<'b>) -> Result<Claims<'b>, Malformed> {
    match realm {
        RealmHalf::Signed(half) if half.algorithm() == Algorithm::Ps256 => {
            let family = Family::VirtCca1;
            let realm = RealmClaims::read(unwrapped(half.payload())?.0, family, true)?;
            Ok(Claims { family, platform: None, realm })
        }
        _ => Err(missing(Part::Platform)),
    }
}

/// The claims of a platform and of a Realm on it.
fn together<'b>(platform: &Sign1<'b>, realm: &RealmHalf<'b>) -> Result<Claims<'b>, Malformed> {
    let (payload, twice) = unwrapped(platform.payload())?;
    let at = payload.at();
    let claims = PlatformClaims::read(payload)?;
    let family = if claims.profile.is_virtcca() { Family::VirtCca2 } else { Family::Cca };
    let realm_claims = realm_claims(realm, family)?;
    let wrapped_twice = Malformed::Type { at, expected: "a map of claims", found: "one within another byte string" };
    match family {
        Family::Cca if twice => return Err(wrapped_twice),
        Family::Cca => cca(&claims, platform, realm)?,
        _ => virtcca(platform, realm)?,
    }
    Ok(Claims { family, platform: Some(claims), realm: realm_claims })
}

fn realm_claims<'b>(realm: &RealmHalf<'b>, family: Family) -> Result<RealmClaims<'b>, Malformed> {
    match realm {
        RealmHalf::Signed(half) if family.is_virtcca() => RealmClaims::read(unwrapped(half.payload())?.0, family, true),
        RealmHalf::Signed(half) => RealmClaims::read(half.payload(), family, true),
        // The offset is lost with the wrapper; what is wrong is named by its claim.
        RealmHalf::Unsigned(claims) => RealmClaims::read(Reader::new(claims, 0), family, false),
    }
}

/// The rules of Arm CCA that concern both halves.
fn cca(claims: &PlatformClaims<'_>, platform: &Sign1<'_>, realm: &RealmHalf<'_>) -> Result<(), Malformed> {
    only(platform, |algorithm| algorithm != Algorithm::Ps256)?;
    match (claims.profile.binding(), realm) {
        (Binding::Delegated | Binding::Hesrak, RealmHalf::Signed(half)) => {
            only(half, |algorithm| algorithm != Algorithm::Ps256)
        }
        (Binding::Direct | Binding::Hesrak, RealmHalf::Unsigned(_)) => Ok(()),
        (Binding::Delegated, RealmHalf::Unsigned(_)) => {
            Err(Malformed::Value { claim: "realm token", expected: "a signature, as the platform's profile delegates" })
        }
        (Binding::Direct, RealmHalf::Signed(_)) => Err(Malformed::Value {
            claim: "realm token",
            expected: "claims without a signature, as the platform's profile is direct",
        }),
    }
}

/// The rules of virtCCA's second generation that concern both halves.
fn virtcca(platform: &Sign1<'_>, realm: &RealmHalf<'_>) -> Result<(), Malformed> {
    only(platform, |algorithm| algorithm == Algorithm::Es512)?;
    match realm {
        RealmHalf::Signed(half) => only(half, |algorithm| algorithm == Algorithm::Es512),
        RealmHalf::Unsigned(_) => Err(Malformed::Value { claim: "realm token", expected: "a signature" }),
    }
}

fn only(half: &Sign1<'_>, admits: impl Fn(Algorithm) -> bool) -> Result<(), Malformed> {
    let wrong = Malformed::Header { at: half.at(), why: "an algorithm that this family of tokens does not use" };
    if admits(half.algorithm()) { Ok(()) } else { Err(wrong) }
}

/// The claims in a payload, and whether they stand within another byte string, as in virtCCA.
fn unwrapped(mut payload: Reader<'_>) -> Result<(Reader<'_>, bool), Malformed> {
    if payload.peek().is_none_or(|first| first >> 5 != MAJOR_BYTES) {
        return Ok((payload, false));
    }
    let (_, inner) = payload.nested()?;
    payload.end()?;
    Ok((inner, true))
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
