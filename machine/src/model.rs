//! A reference model of the RMM's commands: what each must answer, and what the machine's state then is.
//!
//! Written from the specification (Arm DEN0137 1.0-rel0) by someone who has not written the RMM, to be simple rather than
//! quick: granules are a map, tables are arrays of entries, nothing is packed into words. The model is an acceptor: it is
//! told a call and the answer to it, says what is wrong with the answer, and follows. Where the specification leaves the
//! order of failure conditions open, each of the statuses is admitted.
//!
//! [`Model::rmi`] judges a command of the host, [`Model::enter`] an entry into a REC with all that its program saw.

mod answer;
mod data;
mod enter;
mod features;
mod gic;
mod granule;
mod measure;
mod page;
mod psci;
mod realm;
mod rec;
mod ripas;
mod rsi;
mod rtt;
mod space;
mod vcpu;

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};
use std::ops::Range;

pub use answer::{Divergence, INPUT, SUCCESS};
pub use enter::Entry as RecEntry;
pub use features::Limits;
pub use granule::State;
pub use page::Image;
pub use realm::{Life, Realm};
pub use rec::{Pending, Rec, Request};
pub use space::{Entry, Ripas, Space, Table, Walk, size};

use answer::{Outcome, judge};
use space::NS_ATTRIBUTES;

/// Function identifiers of RMI (RMM 1.0, B4.2), as the calling convention numbers them.
pub mod fid {
    macro_rules! fids {
        ($($(#[$doc:meta])* $name:ident = $number:literal;)*) => {
            $($(#[$doc])* pub const $name: u64 = 0xC400_0000 + $number;)*
        };
    }
    fids! {
        /// RMI_VERSION.
        VERSION = 0x150;
        /// RMI_GRANULE_DELEGATE.
        GRANULE_DELEGATE = 0x151;
        /// RMI_GRANULE_UNDELEGATE.
        GRANULE_UNDELEGATE = 0x152;
        /// RMI_DATA_CREATE.
        DATA_CREATE = 0x153;
        /// RMI_DATA_CREATE_UNKNOWN.
        DATA_CREATE_UNKNOWN = 0x154;
        /// RMI_DATA_DESTROY.
        DATA_DESTROY = 0x155;
        /// RMI_REALM_ACTIVATE.
        REALM_ACTIVATE = 0x157;
        /// RMI_REALM_CREATE.
        REALM_CREATE = 0x158;
        /// RMI_REALM_DESTROY.
        REALM_DESTROY = 0x159;
        /// RMI_REC_CREATE.
        REC_CREATE = 0x15A;
        /// RMI_REC_DESTROY.
        REC_DESTROY = 0x15B;
        /// RMI_REC_ENTER.
        REC_ENTER = 0x15C;
        /// RMI_RTT_CREATE.
        RTT_CREATE = 0x15D;
        /// RMI_RTT_DESTROY.
        RTT_DESTROY = 0x15E;
        /// RMI_RTT_MAP_UNPROTECTED.
        RTT_MAP_UNPROTECTED = 0x15F;
        /// RMI_RTT_READ_ENTRY.
        RTT_READ_ENTRY = 0x161;
        /// RMI_RTT_UNMAP_UNPROTECTED.
        RTT_UNMAP_UNPROTECTED = 0x162;
        /// RMI_PSCI_COMPLETE.
        PSCI_COMPLETE = 0x164;
        /// RMI_FEATURES.
        FEATURES = 0x165;
        /// RMI_RTT_FOLD.
        RTT_FOLD = 0x166;
        /// RMI_REC_AUX_COUNT.
        REC_AUX_COUNT = 0x167;
        /// RMI_RTT_INIT_RIPAS.
        RTT_INIT_RIPAS = 0x168;
        /// RMI_RTT_SET_RIPAS.
        RTT_SET_RIPAS = 0x169;
    }
}

/// Bytes of a granule.
pub const GRANULE: u64 = 4096;
/// The host's hint that it has no live SVE state: not part of the function identifier.
const SVE_HINT: u64 = 1 << 16;

/// All that the RMM's commands depend on.
pub struct Model {
    /// What the machine has.
    pub limits: Limits,
    /// Memory of the Normal world's that the RMM does not track.
    pub untracked: Range<u64>,
    /// State of each granule that the RMM tracks, by address.
    pub granules: BTreeMap<u64, State>,
    /// Realms, by address of the RD.
    pub realms: BTreeMap<u64, Realm>,
    /// RECs, by address.
    pub recs: BTreeMap<u64, Rec>,
    /// Pages into which the RMM has written what the model does not foresee (a signature): to be told by
    /// [`Model::learn`].
    pub unknown: BTreeSet<u64>,
    memory: BTreeMap<u64, Image>,
}

impl Model {
    /// A machine whose granules are all the Normal world's, as is other memory that it does not track.
    #[must_use]
    pub fn new(limits: Limits, tracked: Range<u64>, untracked: Range<u64>) -> Model {
        let granules = tracked.step_by(GRANULE as usize).map(|pa| (pa, State::Undelegated)).collect();
        Model {
            limits,
            untracked,
            granules,
            realms: BTreeMap::new(),
            recs: BTreeMap::new(),
            unknown: BTreeSet::new(),
            memory: BTreeMap::new(),
        }
    }

    /// A number for this state: states from which everything goes the same way have the same, whatever was measured and
    /// stored on the way.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.granules.hash(&mut hasher);
        for (rd, realm) in &self.realms {
            (rd, realm.life, &realm.space, &realm.roots, realm.vmid, realm.next_index).hash(&mut hasher);
        }
        for (pa, rec) in &self.recs {
            (pa, rec).hash(&mut hasher);
        }
        hasher.finish()
    }

    /// Judges a command of the host, given x0 to x7 and what x0 to x4 then were, and does what it does.
    ///
    /// # Errors
    /// [`Divergence`] where the answer is none that the specification admits. REC_ENTER is judged by [`Model::enter`].
    pub fn rmi(&mut self, x: &[u64; 8], answer: &[u64; 5]) -> Result<(), Divergence> {
        let outcome = self.command(x, answer[0] == SUCCESS);
        judge(outcome, x, answer)
    }

    fn command(&mut self, x: &[u64; 8], accepted: bool) -> Outcome {
        match x[0] & !SVE_HINT {
            fid::VERSION => features::version(x),
            fid::FEATURES => Ok(vec![self.limits.register(x[1])]),
            fid::GRANULE_DELEGATE => self.delegate(x),
            fid::GRANULE_UNDELEGATE => self.undelegate(x),
            fid::DATA_CREATE => self.data_create(x),
            fid::DATA_CREATE_UNKNOWN => self.data_create_unknown(x),
            fid::DATA_DESTROY => self.data_destroy(x),
            fid::REALM_ACTIVATE => self.realm_activate(x),
            fid::REALM_CREATE => self.realm_create(x, accepted),
            fid::REALM_DESTROY => self.realm_destroy(x),
            fid::REC_AUX_COUNT => self.rec_aux_count(x),
            fid::REC_CREATE => self.rec_create(x),
            fid::REC_DESTROY => self.rec_destroy(x),
            fid::RTT_CREATE => self.rtt_create(x),
            fid::RTT_DESTROY => self.rtt_destroy(x),
            fid::RTT_FOLD => self.rtt_fold(x),
            fid::RTT_READ_ENTRY => self.rtt_read_entry(x),
            fid::RTT_MAP_UNPROTECTED => self.rtt_map_unprotected(x),
            fid::RTT_UNMAP_UNPROTECTED => self.rtt_unmap_unprotected(x),
            fid::RTT_INIT_RIPAS => self.rtt_init_ripas(x),
            fid::RTT_SET_RIPAS => self.rtt_set_ripas(x),
            fid::PSCI_COMPLETE => self.psci_complete(x),
            _ => answer::unknown(),
        }
    }
}
