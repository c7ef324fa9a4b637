//! The hash algorithms of logs.

use core::fmt;

/// A hash algorithm by its TCG number (TCG Algorithm Registry).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    /// 0x0004, 20 bytes.
    Sha1,
    /// 0x000B, 32 bytes.
    Sha256,
    /// 0x000C, 48 bytes.
    Sha384,
    /// 0x000D, 64 bytes.
    Sha512,
    /// 0x0012, 32 bytes (GM/T 0004).
    Sm3,
    /// Any other number, with the size that the log's header gives.
    Other {
        /// The number.
        id: u16,
        /// Size of a digest in bytes, 1 to 64.
        size: u8,
    },
}

impl Algorithm {
    /// The algorithms whose sizes are known.
    pub const KNOWN: [Self; 5] = [Self::Sha1, Self::Sha256, Self::Sha384, Self::Sha512, Self::Sm3];

    /// The algorithm of a number; one that is not known needs a size.
    #[must_use]
    pub fn new(id: u16, size: u8) -> Self {
        Self::KNOWN.into_iter().find(|it| it.id() == id).unwrap_or(Self::Other { id, size })
    }

    /// The TCG number.
    #[must_use]
    pub const fn id(self) -> u16 {
        match self {
            Self::Sha1 => 0x0004,
            Self::Sha256 => 0x000b,
            Self::Sha384 => 0x000c,
            Self::Sha512 => 0x000d,
            Self::Sm3 => 0x0012,
            Self::Other { id, .. } => id,
        }
    }

    /// Size of a digest in bytes.
    #[must_use]
    pub const fn size(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 | Self::Sm3 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
            Self::Other { size, .. } => size as usize,
        }
    }

    /// The algorithm of a name as it is displayed, `sha256` and `SHA256` included.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::KNOWN.into_iter().find(|it| {
            let known = it.name().bytes().filter(|byte| *byte != b'-');
            known.eq(name.bytes().filter(|byte| *byte != b'-').map(|byte| byte.to_ascii_lowercase()))
        })
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha-1",
            Self::Sha256 => "sha-256",
            Self::Sha384 => "sha-384",
            Self::Sha512 => "sha-512",
            Self::Sm3 => "sm3",
            Self::Other { .. } => "other",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other { id, .. } => write!(out, "algorithm {id:#06x}"),
            known => out.write_str(known.name()),
        }
    }
}
