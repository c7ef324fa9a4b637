//! Commands at random: most fit the state that they meet, some almost, some not at all.

use std::collections::VecDeque;

use machine::model::{Entry, GRANULE, Life, Model, Pending, Realm, Rec, State, fid, size};

use crate::command::{Command, Words};
use crate::guest;
use crate::random::Random;
use crate::world::{BASE, limits};

/// Realms alive at once, unless the host is mad.
const REALMS: usize = 3;
/// Granules that the host keeps.
const KEPT: usize = 10;
/// Width, start level and number of first tables, how often.
const SPACES: [(u64, [u64; 3]); 10] = [
    (5, [32, 1, 1]),
    (4, [32, 2, 4]),
    (2, [33, 1, 1]),
    (2, [34, 2, 16]),
    (2, [40, 0, 1]),
    (2, [40, 1, 2]),
    (1, [41, 1, 4]),
    (1, [43, 1, 16]),
    (1, [48, 0, 1]),
    (1, [33, 2, 8]),
];
/// The same, none of which fits.
const NO_SPACES: [[u64; 3]; 12] = [
    [31, 2, 2],
    [49, 0, 1],
    [39, 0, 1],
    [44, 1, 16],
    [35, 2, 16],
    [32, 2, 1],
    [32, 1, 4],
    [32, 3, 16],
    [48, 0, 0],
    [32, u64::MAX, 1],
    [40, 4, 1],
    [0, 1, 1],
];

/// The page of parameters of a realm that fits.
pub fn plain_realm(rtt_base: u64) -> Words {
    realm([32, 1, 1], 1, rtt_base)
}

fn realm([width, start, roots]: [u64; 3], vmid: u64, rtt_base: u64) -> Words {
    vec![(0x8, width), (0x18, 1), (0x20, 2), (0x800, vmid), (0x808, rtt_base), (0x810, start), (0x818, roots)]
}

/// Makes commands, one after the other.
pub struct Generator {
    pub random: Random,
    /// What was decided before.
    planned: VecDeque<Command>,
    /// The next place where no program has yet been.
    next_pc: u64,
    /// Whether mappings may be write-only: no vCPU then touches the host's memory.
    pub write_only: bool,
    /// Whether the first block of 2 MB is kept to be given to a Realm as a whole.
    whole_block: bool,
}

pub fn call(x0: u64, arguments: &[u64]) -> Command {
    let mut x = [0; 6];
    x[0] = x0;
    x[1..=arguments.len()].copy_from_slice(arguments);
    Command::Call { x, page: None }
}

type Make = fn(&mut Generator, &Model) -> Command;

impl Generator {
    pub fn new(seed: u64, whole_block: bool) -> Generator {
        let write_only = seed.is_multiple_of(4);
        Generator { random: Random(seed), planned: VecDeque::new(), next_pc: 0x1_0000, write_only, whole_block }
    }

    /// The next command, given what the model knows.
    pub fn next(&mut self, model: &Model) -> Command {
        if let Some(command) = self.planned.pop_front() {
            return command;
        }
        if self.random.chance(25) && model.recs.values().any(|rec| rec.pending.is_some()) {
            return self.psci_complete(model);
        }
        if self.random.chance(25) && model.recs.values().any(|rec| rec.request.is_some()) {
            return self.set_ripas(model);
        }
        let makes: [(u64, Make); 29] = [
            (if self.count(model, State::Delegated) < 40 { 40 } else { 3 }, Generator::delegate),
            (3, Generator::undelegate),
            (if model.realms.len() < REALMS { 12 } else { 1 }, Generator::realm_create),
            (2, Generator::realm_activate),
            (1, Generator::realm_destroy),
            (14, Generator::rtt_create),
            (5, Generator::rtt_destroy),
            (5, Generator::rtt_fold),
            (3, Generator::rtt_read_entry),
            (6, Generator::map_unprotected),
            (4, Generator::unmap_unprotected),
            (10, Generator::init_ripas),
            (2, Generator::set_ripas),
            (10, Generator::data_create),
            (8, Generator::data_create_unknown),
            (6, Generator::data_destroy),
            (5, Generator::rec_create),
            (1, Generator::rec_destroy),
            (22, Generator::enter),
            (1, Generator::psci_complete),
            (1, Generator::simple),
            (1, Generator::garbage),
            (u64::from(self.random.chance(20)), Generator::map_run),
            (if self.whole_block { 8 } else { 1 }, Generator::fill),
            (1, Generator::drain),
            (2, Generator::fold_up),
            (2, Generator::begin),
            (3, Generator::reach),
            (8, Generator::build),
        ];
        let make = self.random.weighted(&makes);
        let command = make(self, model);
        self.hinted(command)
    }

    /// Now and then with the hint of the host's that it has no SVE state.
    fn hinted(&mut self, mut command: Command) -> Command {
        if let Command::Call { x, .. } = &mut command
            && self.random.chance(2)
        {
            x[0] |= 1 << 16;
        }
        command
    }

    fn count(&self, model: &Model, wanted: State) -> usize {
        let kept = if self.whole_block { size(2) / GRANULE } else { 0 };
        model.granules.values().skip(kept as usize).filter(|state| **state == wanted).count()
    }

    /// A granule in a state, or the first of all.
    fn some(&mut self, model: &Model, wanted: State) -> u64 {
        let all = model.granules.iter().filter(|(_, state)| **state == wanted).map(|(pa, _)| *pa);
        let all: Vec<u64> = all.filter(|pa| !self.whole_block || *pa >= BASE + size(2)).collect();
        if all.is_empty() { BASE } else { self.random.pick(&all) }
    }

    /// An address that is meant to be a granule in a state.
    fn address(&mut self, model: &Model, wanted: State) -> u64 {
        match self.random.below(40) {
            0 => BASE + self.random.below(model.granules.len() as u64) * GRANULE,
            1 => self.hostile_address(model),
            _ => self.some(model, wanted),
        }
    }

    fn hostile_address(&mut self, model: &Model) -> u64 {
        let end = BASE + model.granules.len() as u64 * GRANULE;
        let fixed = [
            0,
            end,
            BASE - GRANULE,
            0x4000_0000,
            0x4010_0000,
            0x0900_0000,
            0x0E00_0000,
            1 << 47,
            1 << 48,
            1 << 52,
            !0,
            !0xFFF,
        ];
        match self.random.below(3) {
            0 => self.some(model, State::Delegated) + self.random.pick(&[1, 8, 0x800, 0xFFF]),
            1 => self.some(model, State::Delegated) | self.random.pick(&[1 << 48, 1 << 63, 1 << 52]),
            _ => self.random.pick(&fixed),
        }
    }

    /// A realm's RD, or what is none.
    fn rd(&mut self, model: &Model) -> u64 {
        self.address(model, State::Rd)
    }

    /// A realm that there is.
    fn realm<'m>(&mut self, model: &'m Model) -> Option<(u64, &'m Realm)> {
        let all: Vec<_> = model.realms.iter().collect();
        (!all.is_empty()).then(|| self.random.pick(&all)).map(|(rd, realm)| (*rd, realm))
    }

    /// A realm that is being built; now and then another.
    fn new_realm<'m>(&mut self, model: &'m Model) -> Option<(u64, &'m Realm)> {
        let all: Vec<_> = model.realms.iter().filter(|(_, realm)| realm.life == Life::New).collect();
        if all.is_empty() && self.random.chance(80) {
            return None;
        }
        if all.is_empty() || self.random.chance(3) {
            return self.realm(model);
        }
        let (rd, realm) = self.random.pick(&all);
        Some((*rd, realm))
    }

    /// The RD of `rd`, or now and then something else.
    fn or_else(&mut self, model: &Model, rd: u64) -> u64 {
        if self.random.chance(3) { self.rd(model) } else { rd }
    }

    /// An address of a realm's, most often where it has tables.
    pub fn ipa(&mut self, realm: &Realm) -> u64 {
        let half = realm.space.half();
        let fixed =
            [0, 0x1000, 0x20_0000, 0x4000_0000, half - 0x1000, half - 0x20_0000, half, half + 0x1000, half + 0x20_0000];
        let far = [half * 2, half * 2 - 0x1000, 1 << 48, !0xFFF, 0x800, half | 8, 1 << 63];
        let tables: Vec<_> = realm.space.tables.keys().copied().collect();
        match self.random.below(40) {
            0 => self.random.pick(&far),
            1..8 => self.random.pick(&fixed),
            _ => {
                let (level, base) = self.random.pick(&tables);
                let index = self.random.pick(&[0, 0, 1, 1, 2, 3, 4, 511]);
                base + index * size(level)
            }
        }
    }

    /// An address that is mapped.
    pub fn mapped(&mut self, realm: &Realm) -> u64 {
        let leaves = realm.space.tables.iter().flat_map(|((level, base), table)| {
            let mapped = |entry: &Entry| matches!(entry, Entry::Assigned(..) | Entry::AssignedNs(_));
            let mapped = (0..).zip(&table.entries).filter(move |(_, entry)| mapped(entry));
            mapped.map(move |(index, _): (u64, _)| base + index * size(*level))
        });
        let mut leaves: Vec<u64> = leaves.collect();
        // A run of mappings would outweigh all else.
        leaves.dedup_by_key(|ipa| if *ipa % size(2) < 4 * GRANULE { *ipa } else { *ipa | (size(2) - 1) });
        if leaves.is_empty() { self.ipa(realm) } else { self.random.pick(&leaves) }
    }

    /// A page of the realm's own memory.
    fn own(&mut self, realm: &Realm) -> u64 {
        let tables: Vec<_> = realm.space.tables.keys().copied().collect();
        let pages: Vec<_> =
            tables.into_iter().filter(|(level, base)| *level == 3 && realm.space.is_protected(*base)).collect();
        if pages.is_empty() || self.random.chance(10) {
            return self.ipa(realm);
        }
        self.random.pick(&pages).1 + self.random.pick(&[0, 0, 1, 1, 2, 3, 511]) * GRANULE
    }

    /// A level, now and then another.
    fn level(&mut self, level: i64) -> u64 {
        if self.random.chance(4) { self.random.pick(&[0, 1, 2, 3, 4, !0, 1 << 63, 255]) } else { level.cast_unsigned() }
    }

    fn delegate(&mut self, model: &Model) -> Command {
        let keep = self.count(model, State::Undelegated) <= KEPT && self.random.chance(95);
        let wanted = if keep { State::Delegated } else { State::Undelegated };
        call(fid::GRANULE_DELEGATE, &[self.address(model, wanted)])
    }

    fn undelegate(&mut self, model: &Model) -> Command {
        call(fid::GRANULE_UNDELEGATE, &[self.address(model, State::Delegated)])
    }

    /// Where so many free granules stand side by side, as aligned as they must be.
    fn roots(&mut self, model: &Model, count: u64) -> Option<u64> {
        let free = |pa: u64| model.state(pa) == Some(State::Delegated);
        let fits = |pa: &u64| pa % (count * GRANULE) == 0 && (0..count).all(|number| free(pa + number * GRANULE));
        let all: Vec<u64> = model.granules.keys().copied().filter(fits).collect();
        if self.random.chance(4) {
            return Some(self.address(model, State::Delegated));
        }
        (!all.is_empty()).then(|| self.random.pick(&all))
    }

    fn realm_create(&mut self, model: &Model) -> Command {
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
        let mut rd = self.address(model, State::Delegated);
        if self.random.chance(3) {
            rd = base + self.random.below(shape[2].max(1)) * GRANULE;
        }
        let from = self.address(model, State::Undelegated);
        Command::Call { x: [fid::REALM_CREATE, rd, from, 0, 0, 0], page: Some((from, words)) }
    }

    fn realm_activate(&mut self, model: &Model) -> Command {
        call(fid::REALM_ACTIVATE, &[self.rd(model)])
    }

    fn realm_destroy(&mut self, model: &Model) -> Command {
        call(fid::REALM_DESTROY, &[self.rd(model)])
    }

    fn rtt_create(&mut self, model: &Model) -> Command {
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

    fn unaligned(&mut self, ipa: u64) -> u64 {
        if self.random.chance(3) {
            ipa | self.random.pick(&[1, 0x800, 0x1000, 0x20_0000, 1 << 48, 1 << 63])
        } else {
            ipa
        }
    }

    /// A table that is no first one: its level and first address.
    fn table(&mut self, realm: &Realm) -> (i64, u64) {
        let below: Vec<_> =
            realm.space.tables.keys().copied().filter(|(level, _)| *level > realm.space.start).collect();
        if below.is_empty() || self.random.chance(5) { (3, self.ipa(realm)) } else { self.random.pick(&below) }
    }

    fn rtt_destroy(&mut self, model: &Model) -> Command {
        let Some((rd, realm)) = self.realm(model) else { return self.realm_create(model) };
        let (level, ipa) = self.table(realm);
        call(fid::RTT_DESTROY, &[self.or_else(model, rd), self.unaligned(ipa), self.level(level)])
    }

    fn rtt_fold(&mut self, model: &Model) -> Command {
        let Some((rd, realm)) = self.realm(model) else { return self.realm_create(model) };
        let (level, ipa) = self.table(realm);
        call(fid::RTT_FOLD, &[self.or_else(model, rd), self.unaligned(ipa), self.level(level)])
    }

    /// Folds what can be folded, from below.
    fn fold_up(&mut self, model: &Model) -> Command {
        for (rd, realm) in &model.realms {
            for ((level, base), table) in realm.space.tables.iter().rev() {
                if *level > realm.space.start && table.folded(*level).is_some() {
                    return call(fid::RTT_FOLD, &[*rd, *base, level.cast_unsigned()]);
                }
            }
        }
        self.rtt_fold(model)
    }

    fn rtt_read_entry(&mut self, model: &Model) -> Command {
        let Some((rd, realm)) = self.realm(model) else { return self.realm_create(model) };
        let level = self.random.below(4);
        let ipa = self.ipa(realm) / size(level.cast_signed()) * size(level.cast_signed());
        call(fid::RTT_READ_ENTRY, &[self.or_else(model, rd), self.unaligned(ipa), self.level(level.cast_signed())])
    }

    /// An address of the host's in a realm, and the level at which it can be mapped.
    fn unprotected(&mut self, realm: &Realm) -> (u64, i64) {
        let ipa = self.ipa(realm) | if self.random.chance(97) { realm.space.half() } else { 0 };
        let level = if realm.space.contains(ipa) { realm.space.walk(ipa, 3).level } else { 3 };
        (self.unaligned(ipa / size(level) * size(level)), level)
    }

    fn descriptor(&mut self, model: &Model, level: i64) -> u64 {
        let pa = if self.random.chance(80) {
            self.some(model, State::Undelegated)
        } else {
            self.random.pick(&[
                0,
                0x0900_0000,
                0x4010_0000,
                1 << 40,
                (1 << 48) - 0x4000_0000,
                1 << 48,
                1 << 55,
                1 << 10,
                1,
            ])
        };
        let access = if self.write_only { self.random.below(4) } else { self.random.pick(&[0, 1, 3, 3, 3]) };
        let desc = pa / size(level) * size(level) | access << 6 | self.random.pick(&[6, 6, 7, 5, 3, 2, 1, 0]) << 2;
        let odd = 1 << self.random.below(64);
        let reserved = 0b100 << 2;
        match self.random.below(40) {
            0 => desc | odd,
            1 => desc & !(7 << 2) | reserved,
            _ => desc,
        }
    }

    fn map_unprotected(&mut self, model: &Model) -> Command {
        let Some((rd, realm)) = self.realm(model) else { return self.realm_create(model) };
        let (ipa, level) = self.unprotected(realm);
        let desc = self.descriptor(model, level.clamp(1, 3));
        call(fid::RTT_MAP_UNPROTECTED, &[self.or_else(model, rd), ipa, self.level(level), desc])
    }

    fn unmap_unprotected(&mut self, model: &Model) -> Command {
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

    /// Maps all that a table covers, so that it can be folded.
    fn map_run(&mut self, model: &Model) -> Command {
        let Some((rd, realm)) = self.realm(model) else { return self.realm_create(model) };
        let half = realm.space.half();
        let tables = realm.space.tables.iter().filter(|((level, base), _)| *level >= 2 && *base >= half);
        let tables: Vec<_> =
            tables.filter(|(_, table)| !table.entries.contains(&Entry::Table)).map(|(key, _)| *key).collect();
        if tables.is_empty() {
            return self.map_unprotected(model);
        }
        let (level, base) = self.random.pick(&tables);
        let first = self.descriptor(model, level - 1);
        for index in 0..512 {
            let (ipa, desc) = (base + index * size(level), first + index * size(level));
            self.planned.push_back(call(fid::RTT_MAP_UNPROTECTED, &[rd, ipa, level.cast_unsigned(), desc]));
        }
        if self.random.chance(20) {
            let (ipa, odd) = (base + self.random.below(512) * size(level), self.descriptor(model, level));
            self.planned.push_back(call(fid::RTT_UNMAP_UNPROTECTED, &[rd, ipa, level.cast_unsigned()]));
            self.planned.push_back(call(fid::RTT_MAP_UNPROTECTED, &[rd, ipa, level.cast_unsigned(), odd]));
        }
        self.planned.push_back(call(fid::RTT_FOLD, &[rd, base, level.cast_unsigned()]));
        call(fid::RTT_READ_ENTRY, &[rd, base, level.cast_unsigned()])
    }

    /// Gives a whole table's worth of memory, where there is as much.
    fn fill(&mut self, model: &Model) -> Command {
        let Some((rd, realm)) = self.realm(model) else { return self.realm_create(model) };
        let block = (BASE..BASE + size(2)).step_by(GRANULE as usize);
        let free = |pa: u64| matches!(model.state(pa), Some(State::Delegated | State::Undelegated));
        let tables = realm.space.tables.iter().filter(|((level, base), table)| {
            let empty = table.entries.iter().all(|entry| matches!(entry, Entry::Unassigned(_)));
            *level == 3 && realm.space.is_protected(*base) && empty
        });
        let tables: Vec<u64> = tables.map(|((_, base), _)| *base).collect();
        if !self.whole_block || tables.is_empty() || !block.clone().all(free) {
            return self.data_create_unknown(model);
        }
        let (base, pa) = (self.random.pick(&tables), BASE);
        let normal = block.filter(|pa| model.is_normal(*pa));
        self.planned.extend(normal.map(|pa| call(fid::GRANULE_DELEGATE, &[pa])));
        for number in 0..512 {
            let offset = number * GRANULE;
            self.planned.push_back(call(fid::DATA_CREATE_UNKNOWN, &[rd, pa + offset, base + offset]));
        }
        let last = if self.random.chance(70) { fid::RTT_FOLD } else { fid::RTT_DESTROY };
        self.planned.push_back(call(last, &[rd, base, 3]));
        call(fid::RTT_INIT_RIPAS, &[rd, base, base + size(2)])
    }

    fn init_ripas(&mut self, model: &Model) -> Command {
        let Some((rd, realm)) = self.new_realm(model) else { return self.towards(model) };
        let base = if self.random.chance(80) { self.own(realm) } else { self.ipa(realm) };
        let level = if realm.space.contains(base) { realm.space.walk(base, 3).level } else { 3 };
        let count = self.random.pick(&[1, 1, 2, 3, 512, 600]);
        let top = base.wrapping_add(count * size(level).min(size(2)));
        let top = if self.random.chance(3) { self.ipa(realm) } else { top };
        call(fid::RTT_INIT_RIPAS, &[self.or_else(model, rd), self.unaligned(base), self.unaligned(top)])
    }

    /// What a REC has asked for, or something near it.
    fn set_ripas(&mut self, model: &Model) -> Command {
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
        let tops = [request.top, request.top, request.addr + GRANULE, request.top.wrapping_add(GRANULE), request.addr];
        let top = self.random.weighted(&[(6, tops[0]), (2, tops[2]), (1, tops[3]), (1, tops[4])]);
        let rec = if self.random.chance(4) { self.address(model, State::Rec) } else { *rec };
        call(fid::RTT_SET_RIPAS, &[self.or_else(model, state.owner), rec, base, self.unaligned(top)])
    }

    fn data_create(&mut self, model: &Model) -> Command {
        let Some((rd, realm)) = self.new_realm(model) else { return self.towards(model) };
        let ipa = self.own(realm);
        let (data, source) = (self.address(model, State::Delegated), self.address(model, State::Undelegated));
        let words = (0..4).map(|_| (self.random.below(512) as usize * 8, self.random.next())).collect();
        let page = self.random.chance(50).then_some((source, words));
        let flags = if self.random.chance(3) { self.random.pick(&[2, 3, 1 << 63]) } else { self.random.below(2) };
        let x = [fid::DATA_CREATE, self.or_else(model, rd), data, self.unaligned(ipa), source, flags];
        Command::Call { x, page }
    }

    fn data_create_unknown(&mut self, model: &Model) -> Command {
        let Some((rd, realm)) = self.realm(model) else { return self.realm_create(model) };
        let ipa = self.own(realm);
        let data = self.address(model, State::Delegated);
        call(fid::DATA_CREATE_UNKNOWN, &[self.or_else(model, rd), data, self.unaligned(ipa)])
    }

    fn data_destroy(&mut self, model: &Model) -> Command {
        let Some((rd, realm)) = self.realm(model) else { return self.realm_create(model) };
        let ipa = self.own(realm);
        call(fid::DATA_DESTROY, &[self.or_else(model, rd), self.unaligned(ipa)])
    }

    /// A place where no program has yet been.
    pub fn pc(&mut self) -> u64 {
        self.next_pc += 0x4000;
        self.next_pc
    }

    /// A REC that fits.
    fn rec_create_for(&mut self, model: &Model, rd: u64, index: u64, free: &mut Vec<u64>) -> Command {
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

    fn rec_create(&mut self, model: &Model) -> Command {
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

    fn rec_destroy(&mut self, model: &Model) -> Command {
        call(fid::REC_DESTROY, &[self.address(model, State::Rec)])
    }

    fn psci_complete(&mut self, model: &Model) -> Command {
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
        let target = model.recs.iter().find(|(_, other)| other.owner == rec.owner && other.index == named);
        let target = target.map_or(BASE, |(pa, _)| *pa);
        let target = if self.random.chance(8) { self.address(model, State::Rec) } else { target };
        call(fid::PSCI_COMPLETE, &[*caller, target, status])
    }

    fn enter(&mut self, model: &Model) -> Command {
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

    fn simple(&mut self, model: &Model) -> Command {
        match self.random.below(4) {
            0 => call(fid::VERSION, &[self.random.pick(&[0x1_0000, 0x1_0001, 0x2_0000, 0, !0, 1 << 31 | 0x1_0000])]),
            1 => call(fid::FEATURES, &[self.random.pick(&[0, 0, 1, 2, !0, 1 << 32])]),
            _ => call(fid::REC_AUX_COUNT, &[self.rd(model)]),
        }
    }

    /// Any number of the range that is forwarded, with any arguments.
    fn garbage(&mut self, model: &Model) -> Command {
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

    fn drain(&mut self, model: &Model) -> Command {
        match self.realm(model) {
            Some((rd, _)) if self.random.chance(20) => self.take_down(model, rd),
            _ => self.data_destroy(model),
        }
    }

    /// Takes a realm down.
    fn take_down(&mut self, model: &Model, rd: u64) -> Command {
        let realm = &model.realms[&rd];
        for ((level, base), table) in realm.space.tables.iter().rev() {
            for (index, entry) in (0..).zip(&table.entries) {
                let ipa = base + index * size(*level);
                if matches!(entry, Entry::Assigned(..)) {
                    self.planned.push_back(call(fid::DATA_DESTROY, &[rd, ipa]));
                }
            }
            if *level > realm.space.start {
                self.planned.push_back(call(fid::RTT_DESTROY, &[rd, *base, level.cast_unsigned()]));
            }
        }
        let recs = model.recs.iter().filter(|(_, rec)| rec.owner == rd);
        recs.for_each(|(pa, _)| self.planned.push_back(call(fid::REC_DESTROY, &[*pa])));
        self.planned.push_back(call(fid::REALM_DESTROY, &[rd]));
        call(fid::REALM_DESTROY, &[rd])
    }

    /// A realm that runs: two tables down to pages, some of them memory of its own and of the host's, two RECs.
    fn build(&mut self, model: &Model) -> Command {
        let new = model.realms.iter().find(|(_, realm)| realm.life == Life::New);
        let Some((rd, realm)) = new else { return self.towards(model) };
        let free =
            |pa: &u64| model.state(*pa) == Some(State::Delegated) && (!self.whole_block || *pa >= BASE + size(2));
        let mut free: Vec<u64> = model.granules.keys().copied().filter(free).collect();
        let mut plan = Vec::new();
        let half = realm.space.half();
        for ipa in [0, half] {
            for level in realm.space.walk(ipa, 3).level + 1..=3 {
                plan.push(call(fid::RTT_CREATE, &[*rd, free.pop().unwrap_or(BASE), ipa, level.cast_unsigned()]));
            }
        }
        let top = self.random.pick(&[3, 4, 5, 8, 512]) * GRANULE;
        plan.push(call(fid::RTT_INIT_RIPAS, &[*rd, 0, top]));
        for number in 0..3 {
            let source = self.some(model, State::Undelegated);
            let arguments = [*rd, free.pop().unwrap_or(BASE), number * GRANULE, source, self.random.below(2)];
            plan.push(call(fid::DATA_CREATE, &arguments));
            let desc = self.some(model, State::Undelegated) | 6 << 2 | 3 << 6;
            plan.push(call(fid::RTT_MAP_UNPROTECTED, &[*rd, half + number * GRANULE, 3, desc]));
        }
        for number in 0..2 {
            let rec = self.rec_create_for(model, *rd, realm.next_index + number, &mut free);
            plan.push(rec);
        }
        plan.push(call(fid::REALM_ACTIVATE, &[*rd]));
        self.planned.extend(plan);
        self.planned.pop_front().unwrap_or_else(|| call(fid::REALM_ACTIVATE, &[*rd]))
    }

    /// A step towards a REC that can be entered.
    fn towards(&mut self, model: &Model) -> Command {
        let of = |rd: u64| model.recs.values().filter(move |rec| rec.owner == rd);
        let new: Vec<u64> =
            model.realms.iter().filter(|(_, realm)| realm.life == Life::New).map(|(rd, _)| *rd).collect();
        let runs = |rd: u64| of(rd).any(|rec| rec.runnable) && model.realms[&rd].life == Life::Active;
        let dead = model.realms.keys().copied().find(|rd| !new.contains(rd) && !runs(*rd));
        match (new.first(), dead) {
            (None, _) if model.realms.len() < REALMS => self.realm_create(model),
            (None, Some(rd)) => self.take_down(model, rd),
            (None, None) => self.rtt_create(model),
            (Some(_), _) if self.random.chance(60) => self.build(model),
            (Some(rd), _) if of(*rd).count() > 1 && self.random.chance(30) => call(fid::REALM_ACTIVATE, &[*rd]),
            (Some(_), _) => self.rec_create(model),
        }
    }

    /// Takes a realm from whatever it lacks towards running.
    fn begin(&mut self, model: &Model) -> Command {
        let Some((rd, realm)) = self.realm(model) else { return self.realm_create(model) };
        let recs = model.recs.values().filter(|rec| rec.owner == rd).count();
        match realm.life {
            Life::New if recs < 2 => self.rec_create(model),
            Life::New if self.random.chance(30) => call(fid::REALM_ACTIVATE, &[rd]),
            Life::New => self.data_create(model),
            Life::Active => self.enter(model),
            Life::SystemOff => self.drain(model),
        }
    }

    /// Makes the tables down to a page.
    fn reach(&mut self, model: &Model) -> Command {
        let Some((rd, realm)) = self.realm(model) else { return self.realm_create(model) };
        let half = realm.space.half();
        let ipa = self.random.pick(&[0, 0, 0x20_0000, half, half + 0x20_0000, half - 0x20_0000]);
        let level = realm.space.walk(ipa, 3).level + 1;
        if level > 3 {
            return self.enter(model);
        }
        call(
            fid::RTT_CREATE,
            &[rd, self.some(model, State::Delegated), ipa / size(level - 1) * size(level - 1), level.cast_unsigned()],
        )
    }
}
