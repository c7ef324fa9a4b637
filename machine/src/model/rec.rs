//! RECs (RMM 1.0, A2.3, B4.3.4, B4.3.13, B4.3.14).

use std::hash::{Hash, Hasher};

use super::answer::{Conditions, INPUT, Outcome, realm};
use super::page::word;
use super::space::Ripas;
use super::vcpu::{Expected, Next, Vcpu};
use super::{Life, Model, State, measure};

/// A request of PSCI that waits for the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pending {
    /// CPU_ON.
    CpuOn {
        /// Index of the REC to be started.
        target: u64,
        /// Where it starts.
        entry: u64,
        /// Its x0.
        context: u64,
    },
    /// AFFINITY_INFO.
    AffinityInfo {
        /// Index of the REC asked about.
        target: u64,
    },
}

impl Pending {
    fn target(self) -> u64 {
        match self {
            Pending::CpuOn { target, .. } | Pending::AffinityInfo { target } => target,
        }
    }
}

/// A change of RIPAS that a Realm has asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Request {
    /// First address not yet changed.
    pub addr: u64,
    /// First address after the range.
    pub top: u64,
    /// What it is to be.
    pub ripas: Ripas,
    /// Whether that goes for memory that has been taken away too.
    pub change_destroyed: bool,
}

/// What the last exit lets the host do about an access of the host's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Abort {
    pub write: bool,
}

/// A REC.
#[derive(Clone, Debug)]
pub struct Rec {
    /// The RD of its realm.
    pub owner: u64,
    /// Its number.
    pub index: u64,
    /// Its auxiliary granules.
    pub aux: Vec<u64>,
    /// Whether it may run.
    pub runnable: bool,
    /// A request of PSCI that waits for the host.
    pub pending: Option<Pending>,
    /// A change of RIPAS that waits for the host.
    pub request: Option<Request>,
    pub(super) host_call: Option<u64>,
    pub(super) abort: Option<Abort>,
    /// A token has been asked for and is not yet all given.
    pub(super) token: bool,
    pub(super) vcpu: Vcpu,
}

impl Hash for Rec {
    /// Leaves out what registers hold.
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        (self.owner, self.index, &self.aux, self.runnable, self.pending, self.request).hash(hasher);
        (self.host_call, self.abort, self.token, std::mem::discriminant(&self.vcpu.next)).hash(hasher);
        if self.vcpu.next == Next::Replay {
            format!("{:?}", self.vcpu.op).hash(hasher);
        }
    }
}

impl Rec {
    /// Whether the host may answer the access that made the REC exit.
    #[must_use]
    pub fn is_emulatable(&self) -> bool {
        self.abort.is_some()
    }
}

/// Bits of an MPIDR that name a REC.
const AFFINITY: u64 = 0xFF00_0000 | 0xFF_0000 | 0xFF00 | 0xF;

/// A REC's index, where a MPIDR's Aff3 is at bit 24 (as in parameters).
fn index(mpidr: u64) -> u64 {
    (mpidr >> 24 & 0xFF) << 20 | (mpidr >> 16 & 0xFF) << 12 | (mpidr >> 8 & 0xFF) << 4 | mpidr & 0xF
}

/// A REC's index, where a MPIDR's Aff3 is at bit 32 (as in PSCI).
pub fn index_of_psci(mpidr: u64) -> u64 {
    index(mpidr & 0xFF_FFFF | (mpidr >> 32 & 0xFF) << 24)
}

impl Model {
    fn aux_unfit(&self, image: &[u8], rec: u64) -> bool {
        let aux = aux(image);
        let twice = aux.iter().enumerate().any(|(number, pa)| aux[..number].contains(pa));
        twice || aux.contains(&rec) || aux.iter().any(|pa| self.is_not(*pa, State::Delegated))
    }

    pub(super) fn rec_create(&mut self, x: &[u64; 8]) -> Outcome {
        let &[_, rd, rec, from, ..] = x;
        let mut conditions = Conditions::default();
        conditions
            .when(!self.is_normal(from), INPUT)
            .when(self.is_not(rec, State::Delegated), INPUT)
            .when(self.is_not(rd, State::Rd), INPUT)
            .refuse()?;
        let image = self.image(from);
        let num_aux = word(&image[..], 0x800);
        let exist = self.recs.values().filter(|other| other.owner == rd).count() as u64;
        conditions
            .when(num_aux > 16 || num_aux != self.limits.aux_count || self.aux_unfit(&image[..], rec), INPUT)
            .when(exist >= (1 << self.limits.max_recs_order) - 1, realm(0));
        let target = self.realm(rd);
        let mpidr = word(&image[..], 0x100);
        conditions
            .when(target.life != Life::New, realm(0))
            .when(mpidr & !AFFINITY != 0 || index(mpidr) != target.next_index, INPUT)
            .refuse()?;
        self.add_rec(rd, rec, &image[..]);
        Ok(vec![])
    }

    fn add_rec(&mut self, rd: u64, rec: u64, image: &[u8]) {
        let runnable = word(image, 0) & 1 != 0;
        let target = self.realm(rd);
        let index = target.next_index;
        target.next_index += 1;
        if runnable {
            target.measurements[0] = measure::rec(target.hash, &target.measurements[0], image);
        }
        let mut x = [0; 31];
        (0..8).for_each(|number| x[number] = word(image, 0x300 + number * 8));
        let aux = aux(image);
        aux.iter().for_each(|pa| self.set(*pa, State::RecAux));
        self.set(rec, State::Rec);
        let new = Rec {
            owner: rd,
            index,
            aux,
            runnable,
            pending: None,
            request: None,
            host_call: None,
            abort: None,
            token: false,
            vcpu: Vcpu::new(x),
        };
        self.recs.insert(rec, new);
    }

    pub(super) fn rec_destroy(&mut self, x: &[u64; 8]) -> Outcome {
        Conditions::default().when(self.is_not(x[1], State::Rec), INPUT).refuse()?;
        if let Some(rec) = self.recs.remove(&x[1]) {
            rec.aux.iter().for_each(|pa| self.free(*pa));
        }
        self.free(x[1]);
        Ok(vec![])
    }

    pub(super) fn psci_complete(&mut self, x: &[u64; 8]) -> Outcome {
        const DENIED: u64 = (-3_i64).cast_unsigned();
        const ALREADY_ON: u64 = (-4_i64).cast_unsigned();
        let &[_, caller, target, status, ..] = x;
        let mut conditions = Conditions::default();
        conditions
            .when(caller == target, INPUT)
            .when(self.is_not(caller, State::Rec) || self.is_not(target, State::Rec), INPUT)
            .refuse()?;
        let (from, to) = (&self.recs[&caller], &self.recs[&target]);
        let Some(pending) = from.pending else { return conditions.when(true, INPUT).refuse().map(|()| vec![]) };
        let on = to.runnable;
        let allowed = match pending {
            Pending::CpuOn { .. } => status == SUCCESS_OF_PSCI || status == DENIED && !on,
            Pending::AffinityInfo { .. } => status == SUCCESS_OF_PSCI,
        };
        conditions
            .when(from.owner != to.owner, INPUT)
            .when(pending.target() != to.index, INPUT)
            .when(!allowed, INPUT)
            .refuse()?;
        let result = match pending {
            Pending::CpuOn { .. } if on => ALREADY_ON,
            Pending::CpuOn { .. } if status == DENIED => DENIED,
            Pending::CpuOn { context, .. } => {
                self.start(target, context);
                SUCCESS_OF_PSCI
            }
            Pending::AffinityInfo { .. } => u64::from(!on),
        };
        let from = self.rec(caller);
        from.pending = None;
        from.vcpu.next = Next::Event(from.vcpu.returned_from_psci(result));
        Ok(vec![])
    }

    /// Turns a vCPU on, with registers as new.
    fn start(&mut self, rec: u64, context: u64) {
        let target = self.rec(rec);
        target.runnable = true;
        target.vcpu.x = [0; 31];
        target.vcpu.x[0] = context;
        target.vcpu.next = Next::Event(Expected::Start(context));
    }

    pub(super) fn rec(&mut self, rec: u64) -> &mut Rec {
        self.recs.get_mut(&rec).expect("each REC is one")
    }

    /// Whether nothing says what becomes of a PSCI call that names this vCPU: a REC that was destroyed, or an affinity
    /// that no REC can have.
    #[must_use]
    pub fn is_unclear(&self, rec: u64, mpidr: u64) -> bool {
        let owner = self.recs[&rec].owner;
        let named = index_of_psci(mpidr);
        let exists = self.recs.values().any(|other| other.owner == owner && other.index == named);
        mpidr & !(0xFF << 32 | 0xFF_FF0F) != 0 || named < self.realms[&owner].next_index && !exists
    }
}

const SUCCESS_OF_PSCI: u64 = 0;

fn aux(image: &[u8]) -> Vec<u64> {
    (0..word(image, 0x800).min(16) as usize).map(|number| word(image, 0x808 + number * 8)).collect()
}
