//! Measurement (RMM 1.0, A7.1; B3.41 to B3.45).

use sha2::{Digest, Sha256, Sha512};

use super::page::set_word;

/// A measurement: a hash, padded with zeros.
pub type Measurement = [u8; 64];

/// A realm's hash algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

impl Hash {
    pub fn from_wire(value: u8) -> Option<Hash> {
        [Hash::Sha256, Hash::Sha512].get(usize::from(value)).copied()
    }

    pub fn length(self) -> usize {
        match self {
            Hash::Sha256 => 32,
            Hash::Sha512 => 64,
        }
    }

    pub fn of(self, bytes: &[u8]) -> Measurement {
        let mut field = [0; 64];
        match self {
            Hash::Sha256 => field[..32].copy_from_slice(&Sha256::digest(bytes)),
            Hash::Sha512 => field.copy_from_slice(&Sha512::digest(bytes)),
        }
        field
    }
}

/// A page that holds only the named pieces of another: where each begins, and how long it is.
fn only(image: &[u8], pieces: &[(usize, usize)]) -> Vec<u8> {
    let mut kept = vec![0; image.len()];
    for &(at, length) in pieces {
        kept[at..at + length].copy_from_slice(&image[at..at + length]);
    }
    kept
}

/// RIM of a new realm, from its parameters.
pub fn created(hash: Hash, params: &[u8]) -> Measurement {
    hash.of(&only(params, &[(0, 8), (8, 1), (0x10, 1), (0x18, 1), (0x20, 1), (0x28, 1), (0x30, 1)]))
}

fn extend(hash: Hash, rim: &Measurement, kind: u8, fill: impl FnOnce(&mut [u8])) -> Measurement {
    let mut descriptor = vec![0; 0x100];
    descriptor[0] = kind;
    set_word(&mut descriptor, 8, 0x100);
    descriptor[0x10..0x50].copy_from_slice(rim);
    fill(&mut descriptor);
    hash.of(&descriptor)
}

/// RIM after DATA_CREATE.
pub fn data(hash: Hash, rim: &Measurement, ipa: u64, flags: u64, content: &[u8]) -> Measurement {
    let content = if flags & 1 != 0 { hash.of(content) } else { [0; 64] };
    extend(hash, rim, 0, |descriptor| {
        set_word(descriptor, 0x50, ipa);
        set_word(descriptor, 0x58, flags);
        descriptor[0x60..0xA0].copy_from_slice(&content);
    })
}

/// RIM after REC_CREATE of a REC that is runnable.
pub fn rec(hash: Hash, rim: &Measurement, params: &[u8]) -> Measurement {
    let content = hash.of(&only(params, &[(0, 8), (0x200, 8), (0x300, 64)]));
    extend(hash, rim, 1, |descriptor| descriptor[0x50..0x90].copy_from_slice(&content))
}

/// RIM after one entry has become RAM.
pub fn ripas(hash: Hash, rim: &Measurement, base: u64, top: u64) -> Measurement {
    extend(hash, rim, 2, |descriptor| {
        set_word(descriptor, 0x50, base);
        set_word(descriptor, 0x58, top);
    })
}

/// REM after RSI_MEASUREMENT_EXTEND: the old one's hash, then the value as long as it is.
pub fn extended(hash: Hash, rem: &Measurement, value: &[u8]) -> Measurement {
    hash.of(&[&rem[..hash.length()], value].concat())
}
