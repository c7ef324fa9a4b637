//! Measurement: the Realm Initial Measurement and the extensible ones (RMM 1.0, A7.1, C1).
//!
//! A register is 64 bytes; a shorter digest is padded with zeroes.

use crate::platform::Platform;
use abi::measurement::{
    DESCRIPTOR, DataDescriptor, Hash, KIND_DATA, KIND_REC, KIND_RIPAS, REGISTER, RecDescriptor, RipasDescriptor,
};
use abi::rmi::{RealmParams, RecParams};
use sha2::{Digest as _, Sha256, Sha512};
use zerocopy::{FromZeros, IntoBytes};

/// A measurement register.
pub type Register = [u8; REGISTER];

/// Hashes the concatenation of `parts` by portable code.
pub fn digest(hash: Hash, parts: &[&[u8]]) -> Register {
    match hash {
        Hash::Sha256 => padded(&parts.iter().fold(Sha256::new(), |state, part| state.chain_update(part)).finalize()),
        Hash::Sha512 => padded(&parts.iter().fold(Sha512::new(), |state, part| state.chain_update(part)).finalize()),
    }
}

fn padded(digest: &[u8]) -> Register {
    let mut register = [0; REGISTER];
    for (to, from) in register.iter_mut().zip(digest) {
        *to = *from;
    }
    register
}

/// Starts a RIM: the hash of what of the parameters is the Realm's to know (RMM 1.0, C1.3 RMI_REALM_CREATE).
pub fn rim_of_realm<P: Platform>(platform: &P, hash: Hash, params: &RealmParams) -> Register {
    let mut image = RealmParams::new_zeroed();
    image.flags = params.flags;
    image.s2sz = params.s2sz;
    image.sve_vl = params.sve_vl;
    image.num_bps = params.num_bps;
    image.num_wps = params.num_wps;
    image.pmu_num_ctrs = params.pmu_num_ctrs;
    image.hash_algo = params.hash_algo;
    platform.digest(hash, &[image.as_bytes()])
}

/// Extends a RIM by a page of data; `content` is its digest, or zero when it is not measured.
pub fn rim_of_data<P: Platform>(
    platform: &P,
    hash: Hash,
    rim: Register,
    ipa: u64,
    flags: u64,
    content: Register,
) -> Register {
    let descriptor =
        DataDescriptor { kind: KIND_DATA, length: DESCRIPTOR, rim, ipa, flags, content, padding: [0; 0x60] };
    platform.digest(hash, &[descriptor.as_bytes()])
}

/// Extends a RIM by a REC that may run.
pub fn rim_of_rec<P: Platform>(platform: &P, hash: Hash, rim: Register, params: &RecParams) -> Register {
    let mut image = RecParams::new_zeroed();
    image.flags = params.flags;
    image.pc = params.pc;
    image.gprs = params.gprs;
    let content = platform.digest(hash, &[image.as_bytes()]);
    let descriptor = RecDescriptor { kind: KIND_REC, length: DESCRIPTOR, rim, content, padding: [0; 0x70] };
    platform.digest(hash, &[descriptor.as_bytes()])
}

/// Extends a RIM by a range of memory that became RAM.
pub fn rim_of_ripas<P: Platform>(platform: &P, hash: Hash, rim: Register, base: u64, top: u64) -> Register {
    let descriptor = RipasDescriptor { kind: KIND_RIPAS, length: DESCRIPTOR, rim, base, top, padding: [0; 0xA0] };
    platform.digest(hash, &[descriptor.as_bytes()])
}

/// Extends a REM: the hash of the register's digest and then the value, neither padded.
///
/// That is what deployed RMMs compute; the text of RMM 1.0, B3.42, can be read as padding both to 64 bytes
/// ([`Reading::pads_measurements`](crate::platform::Reading::pads_measurements)).
pub fn rem<P: Platform>(platform: &P, hash: Hash, register: &Register, value: &[u8]) -> Register {
    if platform.reading().pads_measurements {
        return platform.digest(hash, &[register, &padded(value)]);
    }
    let (used, _) = register.split_at(hash.size().min(REGISTER));
    platform.digest(hash, &[used, value])
}
