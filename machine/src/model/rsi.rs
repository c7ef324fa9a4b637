//! Calls of a Realm to the RMM (RMM 1.0, B5).

use super::enter::{Exit, Step, reason};
use super::space::{Entry, Ripas, Walk, size};
use super::vcpu::{Next, Reg};
use super::{GRANULE, Model, Realm, Request, measure};

/// Function identifiers of RSI.
mod fid {
    pub const VERSION: u32 = 0xC400_0190;
    pub const FEATURES: u32 = 0xC400_0191;
    pub const MEASUREMENT_READ: u32 = 0xC400_0192;
    pub const MEASUREMENT_EXTEND: u32 = 0xC400_0193;
    pub const ATTESTATION_TOKEN_INIT: u32 = 0xC400_0194;
    pub const ATTESTATION_TOKEN_CONTINUE: u32 = 0xC400_0195;
    pub const REALM_CONFIG: u32 = 0xC400_0196;
    pub const IPA_STATE_SET: u32 = 0xC400_0197;
    pub const IPA_STATE_GET: u32 = 0xC400_0198;
    pub const HOST_CALL: u32 = 0xC400_0199;
}

const SUCCESS: u64 = 0;
const INPUT: u64 = 1;
const STATE: u64 = 2;

/// What a Realm's page argument names.
pub enum Page {
    /// Memory of the Realm's.
    At(u64),
    /// None that the Realm may name.
    None,
    /// Memory that the host must first give.
    Fault(Box<Exit>),
}

impl Model {
    /// The memory of a page that the Realm names.
    pub(super) fn page(&self, rec: u64, ipa: u64) -> Page {
        let space = &self.owner(rec).space;
        if !space.is_protected(ipa) || !ipa.is_multiple_of(GRANULE) {
            return Page::None;
        }
        let walk = space.walk(ipa, 3);
        match space.entry(&walk) {
            Entry::Assigned(Ripas::Ram, pa) => Page::At(pa + ipa % size(walk.level)),
            Entry::Assigned(Ripas::Empty, _) | Entry::Unassigned(Ripas::Empty) => Page::None,
            _ => Page::Fault(Box::new(Exit::fault(ipa, walk.level))),
        }
    }

    pub(super) fn owner(&self, rec: u64) -> &Realm {
        &self.realms[&self.recs[&rec].owner]
    }

    fn owner_mut(&mut self, rec: u64) -> &mut Realm {
        let rd = self.recs[&rec].owner;
        self.realm(rd)
    }

    fn answer(&self, rec: u64, outputs: &[u64]) -> Step {
        let outputs: Vec<Reg> = outputs.iter().copied().map(Reg::Is).collect();
        Step::Next(self.recs[&rec].vcpu.returned(&outputs))
    }

    pub(super) fn smc(&mut self, rec: u64) -> Step {
        let x = self.recs[&rec].vcpu.x;
        match x[0] as u32 {
            fid::VERSION => {
                let status = if x[1] == 0x1_0000 { SUCCESS } else { INPUT };
                self.answer(rec, &[status, 0x1_0000, 0x1_0000])
            }
            fid::FEATURES => self.answer(rec, &[SUCCESS, 0]),
            fid::MEASUREMENT_READ => self.measurement_read(rec, x[1]),
            fid::MEASUREMENT_EXTEND => self.measurement_extend(rec, &x),
            fid::ATTESTATION_TOKEN_INIT => {
                self.rec(rec).token = true;
                Step::Next(self.recs[&rec].vcpu.returned(&[Reg::Is(SUCCESS), Reg::Any]))
            }
            fid::ATTESTATION_TOKEN_CONTINUE => self.token_continue(rec, &x),
            fid::REALM_CONFIG => self.realm_config(rec, x[1]),
            fid::IPA_STATE_SET => self.ipa_state_set(rec, &x),
            fid::IPA_STATE_GET => self.ipa_state_get(rec, x[1], x[2]),
            fid::HOST_CALL => self.host_call(rec, x[1]),
            other => self.psci(rec, other, &x),
        }
    }

    fn measurement_read(&self, rec: u64, index: u64) -> Step {
        let Some(measurement) = self.owner(rec).measurements.get(index as usize) else {
            return self.answer(rec, &[INPUT]);
        };
        let words = measurement.chunks(8).map(|bytes| u64::from_le_bytes(bytes.try_into().expect("eight bytes")));
        self.answer(rec, &[SUCCESS].into_iter().chain(words).collect::<Vec<_>>())
    }

    fn measurement_extend(&mut self, rec: u64, x: &[u64; 31]) -> Step {
        let (index, length) = (x[1], x[2]);
        if !(1..=4).contains(&index) || length > 64 {
            return self.answer(rec, &[INPUT]);
        }
        let bytes: Vec<u8> = x[3..11].iter().flat_map(|word| word.to_le_bytes()).collect();
        let target = self.owner_mut(rec);
        let rem = &mut target.measurements[index as usize];
        *rem = measure::extended(target.hash, rem, &bytes[..length as usize]);
        self.answer(rec, &[SUCCESS])
    }

    fn token_continue(&mut self, rec: u64, x: &[u64; 31]) -> Step {
        let &[_, ipa, offset, length, ..] = x;
        let beyond = offset >= GRANULE || offset.checked_add(length).is_none_or(|end| end > GRANULE);
        let theirs = !self.owner(rec).space.is_protected(ipa) || !ipa.is_multiple_of(GRANULE);
        if beyond || theirs {
            return self.answer(rec, &[INPUT]);
        }
        if !self.recs[&rec].token {
            return self.answer(rec, &[STATE]);
        }
        match self.page(rec, ipa) {
            Page::None => self.answer(rec, &[INPUT]),
            Page::Fault(exit) => Step::Exit(exit, Next::Replay),
            Page::At(pa) => {
                self.unknown.insert(pa);
                Step::Next(super::vcpu::Expected::Token(length))
            }
        }
    }

    fn realm_config(&mut self, rec: u64, ipa: u64) -> Step {
        match self.page(rec, ipa) {
            Page::None => self.answer(rec, &[INPUT]),
            Page::Fault(exit) => Step::Exit(exit, Next::Replay),
            Page::At(pa) => {
                let config = config(self.owner(rec));
                self.learn(pa, &config);
                self.answer(rec, &[SUCCESS])
            }
        }
    }

    fn ipa_state_set(&mut self, rec: u64, x: &[u64; 31]) -> Step {
        let &[_, base, top, ripas, flags, ..] = x;
        let half = self.owner(rec).space.half();
        let unfit =
            !base.is_multiple_of(GRANULE) || !top.is_multiple_of(GRANULE) || top <= base || base >= half || top > half;
        let ripas = match ripas & 0xFF {
            0 => Ripas::Empty,
            1 => Ripas::Ram,
            _ => return self.answer(rec, &[INPUT]),
        };
        if unfit {
            return self.answer(rec, &[INPUT]);
        }
        self.rec(rec).request = Some(Request { addr: base, top, ripas, change_destroyed: flags & 1 != 0 });
        Step::exit(Exit { ripas: [base, top, ripas as u64], ..Exit::of(reason::RIPAS_CHANGE) }, Next::Ripas)
    }

    fn ipa_state_get(&self, rec: u64, start: u64, end: u64) -> Step {
        let space = &self.owner(rec).space;
        let unfit = !start.is_multiple_of(GRANULE) || !end.is_multiple_of(GRANULE) || end <= start;
        if unfit || start >= space.half() || end > space.half() {
            return self.answer(rec, &[INPUT]);
        }
        let ripas = |at: &Walk| match space.entry(at) {
            Entry::Unassigned(ripas) | Entry::Assigned(ripas, _) => Some(ripas),
            _ => None,
        };
        let walk = space.walk(start, 3);
        let first = ripas(&walk);
        let run = std::iter::successors(Some(walk), Walk::next).take_while(|at| ripas(at) == first);
        let reached = run.last().map_or(start, |last| last.end());
        self.answer(rec, &[SUCCESS, reached.min(end), first.map_or(0, |ripas| ripas as u64)])
    }

    fn host_call(&mut self, rec: u64, ipa: u64) -> Step {
        if !ipa.is_multiple_of(256) {
            return self.answer(rec, &[INPUT]);
        }
        match self.page(rec, ipa & !(GRANULE - 1)) {
            Page::None => self.answer(rec, &[INPUT]),
            Page::Fault(exit) => Step::Exit(exit, Next::Replay),
            Page::At(pa) => {
                let known = |value| if self.unknown.contains(&pa) { Reg::Any } else { Reg::Is(value) };
                let offset = ipa % GRANULE;
                let mut exit = Exit::of(reason::HOST_CALL);
                exit.imm = self.load(pa, offset) & 0xFFFF;
                exit.gprs = std::array::from_fn(|number| known(self.load(pa, offset + 8 + number as u64 * 8)));
                self.rec(rec).host_call = Some(ipa);
                Step::exit(exit, Next::HostCall)
            }
        }
    }
}

/// What RSI_REALM_CONFIG writes.
fn config(realm: &Realm) -> [u8; GRANULE as usize] {
    let mut page = [0; GRANULE as usize];
    page[..8].copy_from_slice(&u64::from(realm.space.width).to_le_bytes());
    page[8] = realm.hash as u8;
    page[0x200..0x240].copy_from_slice(&realm.rpv);
    page
}
