//! Keys that a platform's boot trusts (draft-ffm-rats-cca-token, "Root of Trust Public Keys").

use super::{digest, missing};
use crate::cbor::{Key, Reader};
use crate::malformed::Malformed;
use alloc::vec::Vec;
use core::fmt;

/// Keys of the map of a key.
const OWNER: u64 = 1;
const ARRAY: u64 = 2;
const INDEX: u64 = 3;
const HASH: u64 = 4;

/// Whose key it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The maker of the chip.
    Chip,
    /// The maker of the device.
    Device,
}

impl Owner {
    /// The two letters of the claim.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Chip => "CM",
            Self::Device => "DM",
        }
    }

    /// Reads the two letters; any other text is `None`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Chip, Self::Device].into_iter().find(|owner| owner.name() == name)
    }
}

/// One key, by its place and its hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotpk<'b> {
    /// Whose it is.
    pub owner: Owner,
    /// Which array of keys is in use.
    pub array: u64,
    /// Which key of that array.
    pub index: u64,
    /// Hash of the key, 32, 48 or 64 bytes.
    pub hash: &'b [u8],
}

impl fmt::Display for Rotpk<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}.{}", self.owner.name(), self.array, self.index)
    }
}

/// Reads the list.
pub(super) fn read_all<'b>(reader: &mut Reader<'b>) -> Result<Vec<Rotpk<'b>>, Malformed> {
    let mut list = Vec::new();
    reader.array(|item| {
        list.push(read(item)?);
        Ok(())
    })?;
    Ok(list)
}

fn read<'b>(reader: &mut Reader<'b>) -> Result<Rotpk<'b>, Malformed> {
    let (mut owner, mut array, mut index, mut hash) = (None, None, None, None);
    reader.map(|key, value| {
        match key {
            Key::Uint(OWNER) => owner = Some(value.text()?),
            Key::Uint(ARRAY) => array = Some(value.uint()?),
            Key::Uint(INDEX) => index = Some(value.uint()?),
            Key::Uint(HASH) => hash = Some(value.bytes()?),
            _ => value.skip()?,
        }
        Ok(())
    })?;
    let owner = Owner::from_name(owner.ok_or(missing("owner of a boot key"))?);
    Ok(Rotpk {
        owner: owner.ok_or(Malformed::Value { claim: "owner of a boot key", expected: "CM or DM" })?,
        array: array.ok_or(missing("array of a boot key"))?,
        index: index.ok_or(missing("index of a boot key"))?,
        hash: digest("hash of a boot key", hash.ok_or(missing("hash of a boot key"))?)?,
    })
}
