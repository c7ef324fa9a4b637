//! Calls of a Realm to PSCI, and what it may not call (RMM 1.0, B6).

use super::enter::{Exit, Step, reason};
use super::rec::index_of_psci;
use super::vcpu::{Next, Reg};
use super::{Life, Model, Pending};

const SMCCC_VERSION: u32 = 0x8000_0000;
const VERSION: u32 = 0x8400_0000;
const CPU_SUSPEND: [u32; 2] = [0x8400_0001, 0xC400_0001];
const CPU_OFF: u32 = 0x8400_0002;
const CPU_ON: [u32; 2] = [0x8400_0003, 0xC400_0003];
const AFFINITY_INFO: [u32; 2] = [0x8400_0004, 0xC400_0004];
const SYSTEM: [u32; 2] = [0x8400_0008, 0x8400_0009];
const FEATURES: u32 = 0x8400_000A;

const NOT_SUPPORTED: u64 = (-1_i64).cast_unsigned();
const INVALID_PARAMETERS: u64 = (-2_i64).cast_unsigned();
const ALREADY_ON: u64 = (-4_i64).cast_unsigned();
const INVALID_ADDRESS: u64 = (-9_i64).cast_unsigned();

fn is_offered(fid: u32) -> bool {
    let known = [CPU_OFF, FEATURES, SMCCC_VERSION];
    [CPU_SUSPEND, CPU_ON, AFFINITY_INFO, SYSTEM].concat().contains(&fid) || known.contains(&fid)
}

/// An exit that shows the host a call: its identifier, an MPIDR, and the other arguments or zero.
fn exit(fid: u32, mpidr: u64, others: [u64; 2]) -> Exit {
    let mut exit = Exit::of(reason::PSCI);
    exit.gprs[0] = Reg::Is(fid.into());
    exit.gprs[1] = Reg::Is(mpidr);
    exit.gprs[2] = Reg::OneOf(others[0], 0);
    exit.gprs[3] = Reg::OneOf(others[1], 0);
    exit
}

impl Model {
    fn result(&self, rec: u64, result: u64) -> Step {
        Step::Next(self.recs[&rec].vcpu.returned_from_psci(result))
    }

    pub(super) fn psci(&mut self, rec: u64, fid: u32, x: &[u64; 31]) -> Step {
        match fid {
            // With SVE, the version that has a hint about it.
            SMCCC_VERSION => self.result(rec, if self.limits.sve_vl.is_some() { 0x1_0003 } else { 0x1_0002 }),
            VERSION => self.result(rec, 0x1_0001),
            CPU_OFF => {
                self.rec(rec).runnable = false;
                Step::exit(exit(fid, 0, [0; 2]), Next::Never)
            }
            FEATURES if x[1] as u32 == VERSION => {
                Step::Next(self.recs[&rec].vcpu.returned(&[Reg::OneOf(0, NOT_SUPPORTED)]))
            }
            FEATURES => self.result(rec, if is_offered(x[1] as u32) { 0 } else { NOT_SUPPORTED }),
            _ if CPU_SUSPEND.contains(&fid) => {
                let mut shown = exit(fid, 0, [x[2], x[3]]);
                shown.gprs[1] = Reg::OneOf(x[1], 0);
                Step::exit(shown, Next::Event(self.recs[&rec].vcpu.returned_from_psci(0)))
            }
            _ if CPU_ON.contains(&fid) => self.cpu_on(rec, fid, x),
            _ if AFFINITY_INFO.contains(&fid) => self.affinity_info(rec, fid, x),
            _ if SYSTEM.contains(&fid) => {
                let rd = self.recs[&rec].owner;
                self.realm(rd).life = Life::SystemOff;
                Step::exit(exit(fid, 0, [0; 2]), Next::Never)
            }
            _ => {
                let mut outputs = vec![Reg::Is(NOT_SUPPORTED)];
                outputs.extend(x[1..4].iter().map(|before| Reg::OneOf(0, *before)));
                Step::Next(self.recs[&rec].vcpu.returned(&outputs))
            }
        }
    }

    fn cpu_on(&mut self, rec: u64, fid: u32, x: &[u64; 31]) -> Step {
        let &[_, mpidr, entry, context, ..] = x;
        let target = index_of_psci(mpidr);
        if !self.owner(rec).space.is_protected(entry) {
            return self.result(rec, INVALID_ADDRESS);
        }
        if target >= self.owner(rec).next_index {
            return self.result(rec, INVALID_PARAMETERS);
        }
        if target == self.recs[&rec].index {
            return self.result(rec, ALREADY_ON);
        }
        self.rec(rec).pending = Some(Pending::CpuOn { target, entry, context });
        Step::exit(exit(fid, mpidr, [entry, context]), Next::Never)
    }

    fn affinity_info(&mut self, rec: u64, fid: u32, x: &[u64; 31]) -> Step {
        let &[_, mpidr, level, ..] = x;
        let target = index_of_psci(mpidr);
        if level != 0 || target >= self.owner(rec).next_index {
            return self.result(rec, INVALID_PARAMETERS);
        }
        if target == self.recs[&rec].index {
            return self.result(rec, 0);
        }
        self.rec(rec).pending = Some(Pending::AffinityInfo { target });
        Step::exit(exit(fid, mpidr, [0; 2]), Next::Never)
    }
}
