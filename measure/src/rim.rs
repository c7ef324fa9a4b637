//! A RIM as the RMM of Arm CCA extends it (RMM 1.0, A7.1.1 and B4.5).
//!
//! A second fold, written apart from the RMM's and from `abi`'s layouts: bytes are placed by the offsets of the
//! specification, so that a mistake in either shows as a difference. Both must equal the known answers of the tests.

use abi::GRANULE;
use abi::measurement::Hash;
use sha2::{Digest, Sha256, Sha512};

/// Bytes of a measurement field, whatever the hash.
pub const FIELD: usize = 64;

const DATA: u8 = 0;
const REC: u8 = 1;
const RIPAS: u8 = 2;
const FLAG_SVE: u8 = 1 << 1;
const FLAG_PMU: u8 = 1 << 2;

/// What RMI_REALM_CREATE measures of RmiRealmParams. LPA2 is never set by hosts of RMM 1.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Params {
    /// Width of the Realm's addresses in bits.
    pub ipa_width: u8,
    /// Length of SVE vectors in units of 128 bits, less one; `None` without SVE.
    pub sve: Option<u8>,
    /// Breakpoints less one.
    pub num_bps: u8,
    /// Watchpoints less one.
    pub num_wps: u8,
    /// Counters of the PMU; `None` without a PMU.
    pub pmu: Option<u8>,
    /// Hash algorithm of the Realm's measurements.
    pub hash: Hash,
}

/// A RIM that grows as the RMM's does.
#[derive(Clone, Debug)]
pub struct Rim {
    hash: Hash,
    field: [u8; FIELD],
    /// Digest of a granule of zeros, of which images hold many.
    zeros: [u8; FIELD],
}

impl Rim {
    /// RMI_REALM_CREATE: the hash of an RmiRealmParams image without RPV, VMID and tables.
    #[must_use]
    pub fn new(params: &Params) -> Rim {
        let mut image = [0; GRANULE];
        image[0x00] = params.sve.map_or(0, |_| FLAG_SVE) | params.pmu.map_or(0, |_| FLAG_PMU);
        image[0x08] = params.ipa_width;
        image[0x10] = params.sve.unwrap_or(0);
        image[0x18] = params.num_bps;
        image[0x20] = params.num_wps;
        image[0x28] = params.pmu.unwrap_or(0);
        image[0x30] = algorithm(params.hash);
        Rim::from(params.hash, &image)
    }

    /// A RIM that starts as the hash of `image`.
    pub(crate) fn from(hash: Hash, image: &[u8; GRANULE]) -> Rim {
        Rim { hash, field: digest(hash, image), zeros: digest(hash, &[0; GRANULE]) }
    }

    /// One table entry of RMI_RTT_INIT_RIPAS.
    pub fn ripas(&mut self, base: u64, top: u64) {
        self.extend(RIPAS, &[(0x50, &base.to_le_bytes()), (0x58, &top.to_le_bytes())]);
    }

    /// RMI_DATA_CREATE whose content is measured.
    pub fn data(&mut self, ipa: u64, page: &[u8; GRANULE]) {
        let content = if *page == [0; GRANULE] { self.zeros } else { digest(self.hash, page) };
        self.extend(DATA, &[(0x50, &ipa.to_le_bytes()), (0x58, &1u64.to_le_bytes()), (0x60, &content)]);
    }

    /// RMI_DATA_CREATE whose content is not measured: only its address counts.
    pub fn data_unmeasured(&mut self, ipa: u64) {
        self.extend(DATA, &[(0x50, &ipa.to_le_bytes())]);
    }

    /// RMI_REC_CREATE of a REC that is runnable; others are not measured, nor are its MPIDR and its granules.
    pub fn rec(&mut self, pc: u64, gprs: &[u64; 8]) {
        let mut image = [0; GRANULE];
        image[0x000] = 1;
        image[0x200..0x208].copy_from_slice(&pc.to_le_bytes());
        for (register, value) in image[0x300..0x340].chunks_exact_mut(8).zip(gprs) {
            register.copy_from_slice(&value.to_le_bytes());
        }
        self.rec_content(&image);
    }

    /// Extends with a REC descriptor over what an RMM hashes of a REC's parameters.
    pub(crate) fn rec_content(&mut self, content: &[u8]) {
        let content = digest(self.hash, content);
        self.extend(REC, &[(0x50, &content)]);
    }

    /// The RIM so far, as long as the hash.
    #[must_use]
    pub fn value(&self) -> &[u8] {
        &self.field[..self.hash.size()]
    }

    /// Hashes a descriptor of 256 bytes: kind, length, the RIM so far, and the parts at their offsets.
    fn extend(&mut self, kind: u8, parts: &[(usize, &[u8])]) {
        let mut descriptor = [0; 0x100];
        descriptor[0] = kind;
        descriptor[0x08..0x10].copy_from_slice(&0x100u64.to_le_bytes());
        descriptor[0x10..0x50].copy_from_slice(&self.field);
        for (at, bytes) in parts {
            descriptor[*at..at + bytes.len()].copy_from_slice(bytes);
        }
        self.field = digest(self.hash, &descriptor);
    }
}

/// RmiHashAlgorithm.
pub(crate) fn algorithm(hash: Hash) -> u8 {
    match hash {
        Hash::Sha256 => 0,
        Hash::Sha512 => 1,
    }
}

/// A digest in a measurement field, zeros after it.
fn digest(hash: Hash, bytes: &[u8]) -> [u8; FIELD] {
    let mut field = [0; FIELD];
    match hash {
        Hash::Sha256 => field[..32].copy_from_slice(&Sha256::digest(bytes)),
        Hash::Sha512 => field.copy_from_slice(&Sha512::digest(bytes)),
    }
    field
}

#[cfg(test)]
mod tests;
