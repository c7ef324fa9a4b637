//! The RIM of a kernel that boots directly, without firmware of its own in the Realm.
//!
//! A second fold, written apart from the RMM's and from `abi`'s layouts: bytes are placed by the offsets of RMM 1.0, A7.1
//! and B4.5, so that a mistake in either shows as a difference. Both must equal the known answers of the tests.

use abi::GRANULE;
use abi::measurement::Hash;
use evidence::hex;
use host::config::Config;
use host::plan::{BLOCK, Images, Plan, Realm, Rec, Step, plan};
use serde_json::{Value, json};
use sha2::{Digest, Sha256, Sha512};

use crate::Error;

/// Bytes of a measurement field, whatever the hash.
const FIELD: usize = 64;
const DATA: u8 = 0;
const REC: u8 = 1;
const RIPAS: u8 = 2;

/// The measurements that a Realm's token must show, and what they depend on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Hash algorithm of RIM and REMs.
    pub hash: Hash,
    /// Realm Initial Measurement, as long as the hash.
    pub rim: Vec<u8>,
    /// The four Realm Extensible Measurements before anything extended them: zeros.
    pub rems: [Vec<u8>; 4],
    /// Realm personalization value.
    pub rpv: [u8; 64],
}

/// Predicts the measurements of the VM that the host builds from the same files and configuration.
///
/// # Errors
/// [`Error::Host`] where the host would refuse to build it.
pub fn expect(images: &Images<'_>, config: &Config) -> Result<Expected, Error> {
    let plan = plan(images, config).map_err(Error::Host)?;
    let zero = vec![0; config.hash.size()];
    let rems = [zero.clone(), zero.clone(), zero.clone(), zero];
    Ok(Expected { hash: config.hash, rim: fold(&plan, images), rems, rpv: config.rpv })
}

impl Expected {
    /// The `realm` part of a reference file of profile `allod-reference-1`: lower-case hex throughout.
    #[must_use]
    pub fn json(&self) -> Value {
        let rems = self.rems.each_ref().map(|rem| hex::encode(rem));
        json!({
            "rim": hex::encode(&self.rim),
            "hash": self.hash.name(),
            "rems": rems,
            "rpv": hex::encode(&self.rpv),
        })
    }
}

/// Folds a plan into its RIM, as long as the Realm's hash (RMM 1.0, A7.1.1).
#[must_use]
pub fn fold(plan: &Plan, images: &Images<'_>) -> Vec<u8> {
    let mut rim = Rim::new(&plan.realm);
    let mut page = [0; GRANULE];
    for step in &plan.steps {
        match step {
            Step::CreateRealm | Step::Table { .. } | Step::Activate => {}
            Step::InitRipas { base, top } => {
                let entries = (*base..*top).step_by(BLOCK as usize);
                entries.for_each(|entry| rim.ripas(entry, (entry + BLOCK).min(*top)));
            }
            Step::Data(data) => {
                plan.fill(images, data, &mut page);
                rim.data(data.ipa, &page, data.measured);
            }
            Step::Rec(rec) => rim.rec(rec),
        }
    }
    rim.value().to_vec()
}

/// A RIM that grows as the RMM's does.
#[derive(Clone, Debug)]
pub struct Rim {
    hash: Hash,
    field: [u8; FIELD],
}

impl Rim {
    /// RMI_REALM_CREATE: the hash of an RmiRealmParams image without RPV, VMID and tables.
    #[must_use]
    pub fn new(realm: &Realm) -> Rim {
        let mut params = [0; GRANULE];
        params[0x08] = realm.ipa_width;
        params[0x18] = realm.num_bps;
        params[0x20] = realm.num_wps;
        params[0x30] = match realm.hash {
            Hash::Sha256 => 0,
            Hash::Sha512 => 1,
        };
        Rim { hash: realm.hash, field: digest(realm.hash, &params) }
    }

    /// One table entry of RMI_RTT_INIT_RIPAS.
    pub fn ripas(&mut self, base: u64, top: u64) {
        self.extend(RIPAS, &[(0x50, &base.to_le_bytes()), (0x58, &top.to_le_bytes())]);
    }

    /// RMI_DATA_CREATE: the content counts only where it is measured, the address always.
    pub fn data(&mut self, ipa: u64, page: &[u8; GRANULE], measured: bool) {
        let content = if measured { digest(self.hash, page) } else { [0; FIELD] };
        let flags = u64::from(measured);
        self.extend(DATA, &[(0x50, &ipa.to_le_bytes()), (0x58, &flags.to_le_bytes()), (0x60, &content)]);
    }

    /// RMI_REC_CREATE: nothing unless the REC is runnable, and neither its MPIDR nor its granules.
    pub fn rec(&mut self, rec: &Rec) {
        if !rec.runnable {
            return;
        }
        let mut params = [0; GRANULE];
        params[0x000] = 1;
        params[0x200..0x208].copy_from_slice(&rec.pc.to_le_bytes());
        for (register, value) in params[0x300..0x340].chunks_exact_mut(8).zip(rec.gprs) {
            register.copy_from_slice(&value.to_le_bytes());
        }
        self.extend(REC, &[(0x50, &digest(self.hash, &params))]);
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
