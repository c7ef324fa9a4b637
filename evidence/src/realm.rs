//! Claims of the realm token (RMM 1.0, A7.2.3.1; draft-ffm-rats-cca-token, "Realm Claims").

use crate::cbor::{Key, Reader};
use crate::hash::Hash;
use crate::key::Point;
use crate::malformed::{Malformed, Part};
use crate::platform::{digest, exactly, hash_algorithm};
use abi::claim;
use alloc::string::ToString;
use alloc::vec::Vec;

/// The generations of the realm token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// No claim 265: tokens before 2023.
    Legacy,
    /// `tag:arm.com,2023:realm#1.0.0`.
    V2023,
}

impl Profile {
    fn read(name: Option<&str>) -> Result<Self, Malformed> {
        match name {
            None => Ok(Self::Legacy),
            Some(claim::REALM_PROFILE_2023) => Ok(Self::V2023),
            Some(other) => Err(Malformed::Profile { part: Part::Realm, found: other.to_string() }),
        }
    }

    /// What claim 265 says, or that there is none.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Legacy => "none (before 2023)",
            Self::V2023 => claim::REALM_PROFILE_2023,
        }
    }
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
    /// The realm attestation key as it was sent: the binding is a hash of these bytes.
    pub rak: &'b [u8],
    /// The same key, taken apart; not known to lie on its curve.
    pub rak_point: Point<'b>,
    /// Hash algorithm of the binding to the platform token.
    pub rak_hash: Hash,
    /// Initial measurement, 32, 48 or 64 bytes.
    pub rim: &'b [u8],
    /// Extensible measurements, each 32, 48 or 64 bytes.
    pub rems: [&'b [u8]; 4],
}

/// The claims as they come, before any is known to be there.
#[derive(Default)]
struct Found<'b> {
    profile: Option<&'b str>,
    challenge: Option<&'b [u8]>,
    rpv: Option<&'b [u8]>,
    hash: Option<&'b str>,
    rak: Option<(&'b [u8], usize)>,
    rak_hash: Option<&'b str>,
    rim: Option<&'b [u8]>,
    rems: Option<Vec<&'b [u8]>>,
}

impl<'b> RealmClaims<'b> {
    /// Reads the payload of a realm token, to the last byte.
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
            Key::Uint(claim::CHALLENGE) => self.challenge = Some(value.bytes()?),
            Key::Uint(claim::RPV) => self.rpv = Some(value.bytes()?),
            Key::Uint(claim::REALM_HASH) => self.hash = Some(value.text()?),
            Key::Uint(claim::RAK) => {
                let (bytes, inner) = value.nested()?;
                self.rak = Some((bytes, inner.at()));
            }
            Key::Uint(claim::RAK_HASH) => self.rak_hash = Some(value.text()?),
            Key::Uint(claim::RIM) => self.rim = Some(value.bytes()?),
            Key::Uint(claim::REMS) => self.rems = Some(rems(value)?),
            _ => value.skip()?,
        }
        Ok(())
    }

    fn check(self) -> Result<RealmClaims<'b>, Malformed> {
        let (rak, rak_at) = self.rak.ok_or(missing("realm public key"))?;
        let rems = self.rems.ok_or(missing("extensible measurements"))?;
        let wrong_count = Malformed::Value { claim: "extensible measurements", expected: "exactly four" };
        Ok(RealmClaims {
            profile: Profile::read(self.profile)?,
            challenge: exactly("challenge", "64", self.challenge.ok_or(missing("challenge"))?)?,
            rpv: exactly("personalization value", "64", self.rpv.ok_or(missing("personalization value"))?)?,
            hash: hash_algorithm("hash algorithm of the realm", self.hash.ok_or(missing("hash algorithm"))?)?,
            rak,
            rak_point: Point::read(rak, rak_at)?,
            rak_hash: hash_algorithm(
                "hash algorithm of the realm public key",
                self.rak_hash.ok_or(missing("hash algorithm of the realm public key"))?,
            )?,
            rim: digest("initial measurement", self.rim.ok_or(missing("initial measurement"))?)?,
            rems: rems.try_into().map_err(|_| wrong_count)?,
        })
    }
}

fn missing(claim: &'static str) -> Malformed {
    Malformed::Missing { part: Part::Realm, claim }
}

fn rems<'b>(reader: &mut Reader<'b>) -> Result<Vec<&'b [u8]>, Malformed> {
    let mut list = Vec::new();
    reader.array(|item| {
        list.push(digest("extensible measurement", item.bytes()?)?);
        Ok(())
    })?;
    Ok(list)
}
