//! The frame of the boot image: near its start it states its own length and version, so that it can measure itself.

use zerocopy::little_endian::U64;
use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

use crate::Refusal;
use crate::config::{magic, within};
use crate::measurement::{Component, Hash, sha256};
use crate::version::{ROOM, Version};

/// First bytes after the reset vector's branch (offset 8).
pub const MAGIC: [u8; 8] = *b"ALLODBT1";
/// Length of the frame in bytes.
pub const FRAME: usize = 56;

#[derive(FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct Record {
    branch: [u8; 8],
    magic: [u8; 8],
    length: U64,
    version: [u8; ROOM],
}

/// What the boot image says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Bytes of the whole image.
    pub length: u64,
    /// Its version.
    pub version: Version,
}

impl Frame {
    /// Reads the frame at the start of `image`.
    pub fn parse(image: &[u8]) -> Result<Self, Refusal> {
        let (record, _) = Record::ref_from_prefix(image).map_err(|_| Refusal::Length {
            what: "boot image",
            expected: FRAME as u64,
            found: image.len() as u64,
        })?;
        magic("boot image", MAGIC, record.magic)?;
        let length = record.length.get();
        within("boot image's length", FRAME as u64, abi::map::BOOT_MAX, length)?;
        Ok(Self { length, version: Version::parse(&record.version)? })
    }
}

/// Measures a boot image, whose frame must state exactly the length of `image`.
pub fn measure(image: &[u8]) -> Result<Component, Refusal> {
    measure_by(sha256, image)
}

/// As [`measure`], by this hash function.
pub fn measure_by(hash: Hash, image: &[u8]) -> Result<Component, Refusal> {
    let frame = Frame::parse(image)?;
    let found = image.len() as u64;
    if frame.length != found {
        return Err(Refusal::Length { what: "boot image", expected: frame.length, found });
    }
    Ok(Component::unsigned_by(hash, image, frame.version))
}
