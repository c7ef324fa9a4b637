//! Measurement descriptors: what is hashed into the Realm Initial Measurement (RMM 1.0, A7.1, C1.3).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Bytes of a measurement register as the interfaces carry it, whatever the hash.
pub const REGISTER: usize = 64;
/// Number of registers: the RIM, then four REMs.
pub const REGISTERS: usize = 5;

/// Hash algorithm of a Realm.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub enum Hash {
    /// SHA-256.
    Sha256 = 0,
    /// SHA-512.
    Sha512 = 1,
}

impl Hash {
    /// Reads the number that RmiRealmParams and RsiRealmConfig carry.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Sha256),
            1 => Some(Self::Sha512),
            _ => None,
        }
    }

    /// Bytes of a digest.
    #[must_use]
    pub const fn size(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    /// The name that tokens carry.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha-256",
            Self::Sha512 => "sha-512",
        }
    }
}

/// Descriptor of measured or unmeasured data.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct DataDescriptor {
    /// 0.
    pub kind: u64,
    /// 0x100.
    pub length: u64,
    /// The RIM so far, zero padded.
    pub rim: [u8; REGISTER],
    /// Where the page appears in the Realm.
    pub ipa: u64,
    /// Flags of RMI_DATA_CREATE.
    pub flags: u64,
    /// Hash of the page, or zero where it is not measured.
    pub content: [u8; REGISTER],
    /// Zero.
    pub padding: [u8; 0x60],
}

/// Descriptor of a REC.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct RecDescriptor {
    /// 1.
    pub kind: u64,
    /// 0x100.
    pub length: u64,
    /// The RIM so far, zero padded.
    pub rim: [u8; REGISTER],
    /// Hash of an RmiRecParams image that holds flags, pc and gprs alone.
    pub content: [u8; REGISTER],
    /// Zero.
    pub padding: [u8; 0x70],
}

/// Descriptor of a change of RIPAS.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct RipasDescriptor {
    /// 2.
    pub kind: u64,
    /// 0x100.
    pub length: u64,
    /// The RIM so far, zero padded.
    pub rim: [u8; REGISTER],
    /// First address.
    pub base: u64,
    /// First address after it.
    pub top: u64,
    /// Zero.
    pub padding: [u8; 0xA0],
}

/// Length of every descriptor.
pub const DESCRIPTOR: u64 = 0x100;
/// Kind of [`DataDescriptor`].
pub const KIND_DATA: u64 = 0;
/// Kind of [`RecDescriptor`].
pub const KIND_REC: u64 = 1;
/// Kind of [`RipasDescriptor`].
pub const KIND_RIPAS: u64 = 2;

const _: () = {
    assert!(size_of::<DataDescriptor>() == 0x100);
    assert!(size_of::<RecDescriptor>() == 0x100);
    assert!(size_of::<RipasDescriptor>() == 0x100);
};
