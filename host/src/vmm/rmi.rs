//! RMI commands as functions: what the Normal world asks of the RMM (RMM 1.0, B4.3).

use abi::rmi::{Features, Status, VERSION_1_0, fid};

use super::{Error, Normal};
use crate::plan::Realm;

/// The RMM, called through a machine.
pub struct Rmi<'m, N: Normal>(&'m N);

/// A command that destroys something at an address: what it was, and where the next one lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Destroyed {
    /// Physical address of the granule that came free.
    pub granule: u64,
    /// First address of the Realm that may have something live.
    pub next: u64,
}

/// A status other than success, with the registers that came with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What the status says; `None` where it is no status of RMM 1.0.
    pub status: Option<Status>,
    /// x2: in commands that destroy, the first address that may have something live.
    pub next: u64,
    error: Error,
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        refusal.error
    }
}

impl Refusal {
    /// The level that a walk of the tables ended at, where that is the reason.
    pub fn level(&self) -> Option<i64> {
        match self.status {
            Some(Status::Rtt(level)) => Some(i64::from(level)),
            _ => None,
        }
    }
}

type Outcome<T> = Result<T, Refusal>;

impl<'m, N: Normal> Rmi<'m, N> {
    /// The RMM of this machine.
    pub fn new(machine: &'m N) -> Self {
        Self(machine)
    }

    /// Checks version and features against what a Realm needs; how many list registers there are.
    pub fn check_features(&self, realm: &Realm) -> Result<usize, Error> {
        self.call(fid::VERSION, [VERSION_1_0, 0, 0, 0, 0], VERSION_1_0)?;
        let features = Features::from_word(self.call(fid::FEATURES, [0; 5], 0)?[0]);
        let need = |name, expected: u8, found: u8| {
            let (expected, found) = (u64::from(expected), u64::from(found));
            if expected <= found { Ok(()) } else { Err(Error::Feature { name, expected, found }) }
        };
        let hash = match realm.hash {
            abi::measurement::Hash::Sha256 => features.sha256,
            abi::measurement::Hash::Sha512 => features.sha512,
        };
        need("S2SZ", realm.ipa_width, features.s2sz)?;
        need("NUM_BPS", realm.num_bps, features.num_bps)?;
        need("NUM_WPS", realm.num_wps, features.num_wps)?;
        need("hash algorithm", 1, u8::from(hash))?;
        Ok(usize::from(features.gicv3_num_lrs) + 1)
    }

    /// RMI_GRANULE_DELEGATE.
    pub fn delegate(&self, address: u64) -> Outcome<()> {
        self.call(fid::GRANULE_DELEGATE, [address, 0, 0, 0, 0], address).map(drop)
    }

    /// RMI_GRANULE_UNDELEGATE.
    pub fn undelegate(&self, address: u64) -> Outcome<()> {
        self.call(fid::GRANULE_UNDELEGATE, [address, 0, 0, 0, 0], address).map(drop)
    }

    /// RMI_REALM_CREATE.
    pub fn realm_create(&self, rd: u64, params: u64) -> Outcome<()> {
        self.call(fid::REALM_CREATE, [rd, params, 0, 0, 0], rd).map(drop)
    }

    /// RMI_REALM_ACTIVATE.
    pub fn realm_activate(&self, rd: u64) -> Outcome<()> {
        self.call(fid::REALM_ACTIVATE, [rd, 0, 0, 0, 0], rd).map(drop)
    }

    /// RMI_REALM_DESTROY.
    pub fn realm_destroy(&self, rd: u64) -> Outcome<()> {
        self.call(fid::REALM_DESTROY, [rd, 0, 0, 0, 0], rd).map(drop)
    }

    /// RMI_REC_AUX_COUNT.
    pub fn rec_aux_count(&self, rd: u64) -> Outcome<u64> {
        self.call(fid::REC_AUX_COUNT, [rd, 0, 0, 0, 0], rd).map(|[count, ..]| count)
    }

    /// RMI_REC_CREATE.
    pub fn rec_create(&self, rd: u64, rec: u64, params: u64) -> Outcome<()> {
        self.call(fid::REC_CREATE, [rd, rec, params, 0, 0], rec).map(drop)
    }

    /// RMI_REC_DESTROY.
    pub fn rec_destroy(&self, rec: u64) -> Outcome<()> {
        self.call(fid::REC_DESTROY, [rec, 0, 0, 0, 0], rec).map(drop)
    }

    /// RMI_REC_ENTER.
    pub fn rec_enter(&self, rec: u64, run: u64) -> Outcome<()> {
        self.call(fid::REC_ENTER, [rec, run, 0, 0, 0], rec).map(drop)
    }

    /// RMI_PSCI_COMPLETE.
    pub fn psci_complete(&self, calling: u64, target: u64, status: u64) -> Outcome<()> {
        self.call(fid::PSCI_COMPLETE, [calling, target, status, 0, 0], target).map(drop)
    }

    /// RMI_DATA_CREATE.
    pub fn data_create(&self, rd: u64, data: u64, ipa: u64, src: u64, flags: u64) -> Outcome<()> {
        self.call(fid::DATA_CREATE, [rd, data, ipa, src, flags], ipa).map(drop)
    }

    /// RMI_DATA_CREATE_UNKNOWN.
    pub fn data_create_unknown(&self, rd: u64, data: u64, ipa: u64) -> Outcome<()> {
        self.call(fid::DATA_CREATE_UNKNOWN, [rd, data, ipa, 0, 0], ipa).map(drop)
    }

    /// RMI_DATA_DESTROY.
    pub fn data_destroy(&self, rd: u64, ipa: u64) -> Outcome<Destroyed> {
        let found = self.call(fid::DATA_DESTROY, [rd, ipa, 0, 0, 0], ipa)?;
        Ok(Destroyed { granule: found[0], next: found[1] })
    }

    /// RMI_RTT_CREATE.
    pub fn rtt_create(&self, rd: u64, rtt: u64, ipa: u64, level: i64) -> Outcome<()> {
        self.call(fid::RTT_CREATE, [rd, rtt, ipa, level.cast_unsigned(), 0], ipa).map(drop)
    }

    /// RMI_RTT_DESTROY.
    pub fn rtt_destroy(&self, rd: u64, ipa: u64, level: i64) -> Outcome<Destroyed> {
        let found = self.call(fid::RTT_DESTROY, [rd, ipa, level.cast_unsigned(), 0, 0], ipa)?;
        Ok(Destroyed { granule: found[0], next: found[1] })
    }

    /// RMI_RTT_MAP_UNPROTECTED of one granule.
    pub fn map_unprotected(&self, rd: u64, ipa: u64, descriptor: u64) -> Outcome<()> {
        self.call(fid::RTT_MAP_UNPROTECTED, [rd, ipa, 3, descriptor, 0], ipa).map(drop)
    }

    /// RMI_RTT_UNMAP_UNPROTECTED of one granule.
    pub fn unmap_unprotected(&self, rd: u64, ipa: u64) -> Outcome<()> {
        self.call(fid::RTT_UNMAP_UNPROTECTED, [rd, ipa, 3, 0, 0], ipa).map(drop)
    }

    /// RMI_RTT_INIT_RIPAS; the address reached.
    pub fn init_ripas(&self, rd: u64, base: u64, top: u64) -> Outcome<u64> {
        self.call(fid::RTT_INIT_RIPAS, [rd, base, top, 0, 0], base).map(|[reached, ..]| reached)
    }

    /// RMI_RTT_SET_RIPAS; the address reached.
    pub fn set_ripas(&self, rd: u64, rec: u64, base: u64, top: u64) -> Outcome<u64> {
        self.call(fid::RTT_SET_RIPAS, [rd, rec, base, top, 0], base).map(|[reached, ..]| reached)
    }

    fn call(&self, command: u32, arguments: [u64; 5], address: u64) -> Outcome<[u64; 4]> {
        let [found, x1, x2, x3, x4] = self.0.smc(command, arguments);
        match Status::from_word(found) {
            Some(Status::Success) => Ok([x1, x2, x3, x4]),
            status => Err(Refusal { status, next: x2, error: Error::Refused { command, found, address } }),
        }
    }
}
