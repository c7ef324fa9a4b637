//! One command at a time.

use machine::model::{Entry, GRANULE, Life, Model, Pending, Rec, State, fid, size};

use super::{Generator, KEPT, NO_SPACES, SPACES, call, realm};
use crate::command::Command;
use crate::guest;
use crate::world::{BASE, limits};

impl Generator {
    pub(super) fn delegate(&mut self, model: &Model) -> Command {
        let keep = self.count(model, State::Undelegated) <= KEPT && self.random.chance(95);
        let wanted = if keep { State::Delegated } else { State::Undelegated };
        call(fid::GRANULE_DELEGATE, &[self.address(model, wanted)])
    }

    pub(super) fn undelegate(&mut self, model: &Model) -> Command {
        call(fid::GRANULE_UNDELEGATE, &[self.address(model, State::Delegated)])
    }

    pub(super) fn realm_create(&mut self, model: &Model) -> Command {
        let mut shape = self.random.weighted(&SPACES);
        if self.roots(model, shape[2]).is_none() {
            shape = SPACES[0].1;
        }
        if self.random.chance(8) {
            shape = self.random.pick(&NO_SPACES);
        }
        let base = self.roots(model, shape[2].max(1)).unwrap_or(BASE);
        let vmid = self.random.pick(&[0, 1, 2, 3, 4, 5, 6, 255]);
        let mut words = realm(shape, vmid, base);
        words.push((0x30, self.random.below(2)));
        words.push((0x400, self.random.next()));
        words.push((0x438, self.random.next()));
        if self.random.chance(10) {
            let odd = [
                (0x0, 1 << self.random.below(4)),
                (0x8, self.random.below(64)),
                (0x10, self.random.below(3)),
                (0x18, self.random.below(8)),
                (0x20, self.random.below(8)),
                (0x28, self.random.below(2)),
                (0x30, self.random.below(4)),
                (0x800, self.random.pick(&[256, 0xFFFF, 1])),
                (0x808, self.hostile_address(model)),
                (0x810, self.random.pick(&[0, 1, 2, 3, 4, !0, 1 << 32, 1 << 63])),
                (0x818, self.random.pick(&[0, 1, 2, 16, 17, 0xFFFF_FFFF])),
                (0x0, self.random.next() & !7),
                (0x1000 - 8, self.random.next()),
            ];
            words.push(self.random.pick(&odd));
        }
        if self.random.chance(10) {
            words.extend([
                (0x0, self.random.below(4) << 1),
                (0x10, self.random.below(3)),
                (0x28, self.random.below(6)),
            ]);
        }
        let mut rd = self.address(model, State::Delegated);
        if self.random.chance(3) {
            rd = base + self.random.below(shape[2].max(1)) * GRANULE;
        }
        let from = self.address(model, State::Undelegated);
        Command::Call { x: [fid::REALM_CREATE, rd, from, 0, 0, 0], page: Some((from, words)) }
    }

    pub(super) fn realm_activate(&mut self, model: &Model) -> Command {
        call(fid::REALM_ACTIVATE, &[self.rd(model)])
    }

    pub(super) fn realm_destroy(&mut self, model: &Model) -> Command {
        call(fid::REALM_DESTROY, &[self.rd(model)])
    }

    pub(super) fn rtt_create(&mut self, model: &Model) -> Command {
        let Some((rd, realm)) = self.realm(model) else { return self.realm_create(model) };
        let ipa = if self.random.chance(60) { self.random.pick(&[0, 0, 0x20_0000]) } else { self.ipa(realm) };
        let reached = if realm.space.contains(ipa) { realm.space.walk(ipa, 3).level } else { 2 };
        if reached == 3 && self.random.chance(80) {
            return self.reach(model);
        }
        let level = (reached + 1).min(3);
        let ipa = self.unaligned(ipa / size(level - 1) * size(level - 1));
        let table = self.address(model, State::Delegated);
        call(fid::RTT_CREATE, &[self.or_else(model, rd), table, ipa, self.level(level)])
    }

    pub(super) fn rtt_destroy(&mut self, model: &Model) -> Command {
        let Some((rd, realm)) = self.realm(model) else { return self.realm_create(model) };
        let (level, ipa) = self.table(realm);
        call(fid::RTT_DESTROY, &[self.or_else(model, rd), self.unaligned(ipa), self.level(level)])
    }

    pub(super) fn rtt_fold(&mut self, model: &Model) -> Command {
        let Some((rd, realm)) = self.realm(model) else { return self.realm_create(model) };
        let (level, ipa) = self.table(realm);
        call(fid::RTT_FOLD, &[self.or_else(model, rd), self.unaligned(ipa), self.level(level)])
    }

    pub(super) fn rtt_read_entry(&mut self, model: &Model) -> Command {
        let Some((rd, realm)) = self.realm(model) else { return self.realm_create(model) };
        let level = self.random.below(4);
        let ipa = self.ipa(realm) / size(level.cast_signed()) * size(level.cast_signed());
        call(fid::RTT_READ_ENTRY, &[self.or_else(model, rd), self.unaligned(ipa), self.level(level.cast_signed())])
    }

    pub(super) fn map_unprotected(&mut self, model: &Model) -> Command {
        let Some((rd, realm)) = self.realm(model) else { return self.realm_create(model) };
        let (ipa, level) = self.unprotected(realm);
        let desc = self.descriptor(model, level.clamp(1, 3));
        call(fid::RTT_MAP_UNPROTECTED, &[self.or_else(model, rd), ipa, self.level(level), desc])
    }

    pub(super) fn unmap_unprotected(&mut self, model: &Model) -> Command {
        let Some((rd, realm)) = self.realm(model) else { return self.realm_create(model) };
        let (mut ipa, mut level) = self.unprotected(realm);
        if self.random.chance(70) {
            let mapped = realm.space.tables.iter().flat_map(|((level, base), table)| {
                let mapped = (0..).zip(&table.entries).filter(|(_, entry)| matches!(entry, Entry::AssignedNs(_)));
                mapped.map(move |(index, _): (u64, _)| (base + index * size(*level), *level))
            });
            let mapped: Vec<_> = mapped.collect();
            if !mapped.is_empty() {
                (ipa, level) = self.random.pick(&mapped);
            }
        }
        call(fid::RTT_UNMAP_UNPROTECTED, &[self.or_else(model, rd), ipa, self.level(level)])
    }

    pub(super) fn init_ripas(&mut self, model: &Model) -> Command {
        let Some((rd, realm)) = self.new_realm(model) else { return self.towards(model) };
        let base = if self.random.chance(80) { self.own(realm) } else { self.ipa(realm) };
        let level = if realm.space.contains(base) { realm.space.walk(base, 3).level } else { 3 };
        let count = self.random.pick(&[1, 1, 2, 3, 512, 600]);
        let top = base.wrapping_add(count * size(level).min(size(2)));
        let top = if self.random.chance(3) { self.ipa(realm) } else { top };
        call(fid::RTT_INIT_RIPAS, &[self.or_else(model, rd), self.unaligned(base), self.unaligned(top)])
    }

    /// What a REC has asked for, or something near it.
    pub(super) fn set_ripas(&mut self, model: &Model) -> Command {
        let spent = self.random.chance(5);
        let asks = |rec: &Rec| rec.request.is_some_and(|request| spent || request.addr < request.top);
        let asking: Vec<_> = model.recs.iter().filter(|(_, rec)| asks(rec)).collect();
        if asking.is_empty() && self.random.chance(80) {
            return self.enter(model);
        }
        if asking.is_empty() || self.random.chance(5) {
            let Some((rd, realm)) = self.realm(model) else { return self.realm_create(model) };
            let base = self.ipa(realm);
            let rec = self.address(model, State::Rec);
            return call(fid::RTT_SET_RIPAS, &[rd, rec, base, base.wrapping_add(GRANULE)]);
        }
        let (rec, state) = self.random.pick(&asking);
        let Some(request) = state.request else { return self.enter(model) };
        let base = self.unaligned(request.addr);
        let tops = [
            (6, request.top),
            (2, request.addr + GRANULE),
            (1, request.top.wrapping_add(GRANULE)),
            (1, request.addr),
            (1, request.top - GRANULE / 2),
        ];
        let top = self.random.weighted(&tops);
        let rec = if self.random.chance(4) { self.address(model, State::Rec) } else { *rec };
        call(fid::RTT_SET_RIPAS, &[self.or_else(model, state.owner), rec, base, self.unaligned(top)])
    }

    pub(super) fn data_create(&mut self, model: &Model) -> Command {
        let Some((rd, realm)) = self.new_realm(model) else { return self.towards(model) };
        let ipa = self.own(realm);
        let (data, source) = (self.address(model, State::Delegated), self.address(model, State::Undelegated));
        let words = (0..4).map(|_| (self.random.below(512) as usize * 8, self.random.next())).collect();
        let page = self.random.chance(50).then_some((source, words));
        let flags = if self.random.chance(3) { self.random.pick(&[2, 3, 1 << 63]) } else { self.random.below(2) };
        let x = [fid::DATA_CREATE, self.or_else(model, rd), data, self.unaligned(ipa), source, flags];
        Command::Call { x, page }
    }

    pub(super) fn data_create_unknown(&mut self, model: &Model) -> Command {
        let Some((rd, realm)) = self.realm(model) else { return self.realm_create(model) };
        let ipa = self.own(realm);
        let data = self.address(model, State::Delegated);
        call(fid::DATA_CREATE_UNKNOWN, &[self.or_else(model, rd), data, self.unaligned(ipa)])
    }

    pub(super) fn data_destroy(&mut self, model: &Model) -> Command {
        let Some((rd, realm)) = self.realm(model) else { return self.realm_create(model) };
        let ipa = self.own(realm);
        call(fid::DATA_DESTROY, &[self.or_else(model, rd), self.unaligned(ipa)])
    }

    /// A REC that fits.
    pub(super) fn rec_create_for(&mut self, model: &Model, rd: u64, index: u64, free: &mut Vec<u64>) -> Command {
        let mut next = || free.pop().unwrap_or(BASE);
        let mpidr = index & 0xF | (index >> 4 & 0xFF) << 8 | (index >> 12 & 0xFF) << 16 | index >> 20 << 24;
        let count = limits().aux_count;
        let mut words = vec![(0, 1), (0x100, mpidr), (0x800, count)];
        words.extend((0..count as usize).map(|number| (0x808 + number * 8, next())));
        let rec = next();
        words.push((0, u64::from(self.random.chance(75))));
        words.push((0x200, self.pc()));
        words.extend([0x300, 0x320, 0x338].map(|at| (at, self.random.next())));
        let from = self.some(model, State::Undelegated);
        Command::Call { x: [fid::REC_CREATE, rd, rec, from, 0, 0], page: Some((from, words)) }
    }

    pub(super) fn rec_create(&mut self, model: &Model) -> Command {
        let Some((rd, realm)) = self.new_realm(model) else { return self.towards(model) };
        let count = limits().aux_count;
        let mut free: Vec<u64> = (0..=count).map(|_| self.address(model, State::Delegated)).collect();
        let mut command = self.rec_create_for(model, rd, realm.next_index, &mut free);
        let odd = [
            (0, self.random.next()),
            (0x100, self.random.pick(&[0, 1, 16, 256, 1 << 24, 1 << 32, 1 << 31])),
            (0x800, self.random.pick(&[0, 1, count + 1, 17, !0])),
            (0x808, self.some(model, State::Undelegated)),
            (0x810, self.some(model, State::Data)),
        ];
        if let Command::Call { x, page: Some((from, words)) } = &mut command {
            x[1] = self.or_else(model, rd);
            if self.random.chance(10) {
                words.push(self.random.pick(&odd));
            }
            if self.random.chance(3) {
                (*from, x[3]) = (x[2], x[2]);
            }
        }
        command
    }

    pub(super) fn rec_destroy(&mut self, model: &Model) -> Command {
        call(fid::REC_DESTROY, &[self.address(model, State::Rec)])
    }

    pub(super) fn psci_complete(&mut self, model: &Model) -> Command {
        let waiting: Vec<_> = model.recs.iter().filter(|(_, rec)| rec.pending.is_some()).collect();
        let status = self.random.pick(&[
            0,
            0,
            0,
            (-3_i64).cast_unsigned(),
            1,
            (-2_i64).cast_unsigned(),
            (-4_i64).cast_unsigned(),
        ]);
        if waiting.is_empty() || self.random.chance(10) {
            let (caller, target) = (self.address(model, State::Rec), self.address(model, State::Rec));
            return call(fid::PSCI_COMPLETE, &[caller, target, status]);
        }
        let (caller, rec) = self.random.pick(&waiting);
        let named = match rec.pending {
            Some(Pending::CpuOn { target, .. } | Pending::AffinityInfo { target }) => target,
            None => 0,
        };
        // Now and then the one of another realm that has the same number.
        let own = !self.random.chance(15);
        let target = model.recs.iter().find(|(_, other)| (other.owner == rec.owner) == own && other.index == named);
        let target = target.map_or(BASE, |(pa, _)| *pa);
        let target = if self.random.chance(8) { self.address(model, State::Rec) } else { target };
        call(fid::PSCI_COMPLETE, &[*caller, target, status])
    }

    pub(super) fn enter(&mut self, model: &Model) -> Command {
        let ready = |rec: &Rec| rec.runnable && rec.pending.is_none() && model.realms[&rec.owner].life == Life::Active;
        let able: Vec<_> = model.recs.iter().filter(|(_, rec)| ready(rec)).collect();
        if able.is_empty() && self.random.chance(80) {
            return self.towards(model);
        }
        let rec = if able.is_empty() || self.random.chance(4) {
            self.address(model, State::Rec)
        } else {
            *self.random.pick(&able).0
        };
        let run = self.address(model, State::Undelegated);
        guest::enter(self, model, rec, run)
    }

    pub(super) fn simple(&mut self, model: &Model) -> Command {
        match self.random.below(4) {
            0 => call(fid::VERSION, &[self.random.pick(&[0x1_0000, 0x1_0001, 0x2_0000, 0, !0, 1 << 31 | 0x1_0000])]),
            1 => call(fid::FEATURES, &[self.random.pick(&[0, 0, 1, 2, !0, 1 << 32])]),
            _ => call(fid::REC_AUX_COUNT, &[self.rd(model)]),
        }
    }

    /// Any number of the range that is forwarded, with any arguments.
    pub(super) fn garbage(&mut self, model: &Model) -> Command {
        let x0 = 0xC400_0150 + self.random.below(0x3F);
        let mut any = || match self.random.below(4) {
            0 => self.random.pick(&[0, 1, 2, 3, 4, !0, 1 << 63]),
            1 => self.hostile_address(model),
            2 => self.random.next(),
            _ => BASE + self.random.below(model.granules.len() as u64) * GRANULE,
        };
        let arguments = [any(), any(), any(), any(), any()];
        if x0 == fid::REC_ENTER {
            return Command::Enter { rec: arguments[0], run: arguments[1], page: vec![], irq: false, ops: vec![] };
        }
        call(x0, &arguments)
    }
}
