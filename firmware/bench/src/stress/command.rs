//! Commands at random, what they may answer, and what is learnt of the answer.

use super::granules::{self, BLOCK, BLOCK_IPA, GRANULES, LENT, MARK, Role, SOURCE, find};
use super::open_timer;
use crate::dismantle::call;
use crate::memory::page;
use crate::realm::{UNPROTECTED, WIDTH};
use abi::rmi::Status;
use abi::rmi::{
    self, ExitReason, REALM_FLAG_PMU, REALM_FLAG_SVE, REC_FLAG_RUNNABLE, RealmParams, RecParams, RecRun, enter, fid,
};
use core::ptr::write_bytes;
use core::sync::atomic::{AtomicU64, Ordering};
use cpu::{barrier, read, write};

/// A command: how often it comes, and its statuses (RMM 1.0, B4.3), each as a bit of its number.
pub struct Command {
    pub name: &'static str,
    function: u32,
    weight: u64,
    statuses: u8,
    /// How often it was issued, and with success.
    pub counts: [AtomicU64; 2],
}

const INPUT: u8 = 1 << 1;
const REALM: u8 = 1 << 2;
const REC: u8 = 1 << 3;
const RTT: u8 = 1 << 4;

const fn command(name: &'static str, function: u32, weight: u64, errors: u8) -> Command {
    Command { name, function, weight, statuses: errors | 1, counts: [const { AtomicU64::new(0) }; 2] }
}

pub static COMMANDS: [Command; 22] = [
    command("version", fid::VERSION, 1, INPUT),
    command("features", fid::FEATURES, 1, 0),
    command("delegate", fid::GRANULE_DELEGATE, 14, INPUT),
    command("undelegate", fid::GRANULE_UNDELEGATE, 4, INPUT),
    command("realm_create", fid::REALM_CREATE, 4, INPUT),
    command("realm_activate", fid::REALM_ACTIVATE, 3, INPUT | REALM),
    command("realm_destroy", fid::REALM_DESTROY, 2, INPUT | REALM),
    command("rec_aux_count", fid::REC_AUX_COUNT, 1, INPUT),
    command("rec_create", fid::REC_CREATE, 8, INPUT | REALM),
    command("rec_destroy", fid::REC_DESTROY, 1, INPUT | REC),
    command("rec_enter", fid::REC_ENTER, 24, INPUT | REALM | REC),
    command("psci_complete", fid::PSCI_COMPLETE, 4, INPUT),
    command("rtt_create", fid::RTT_CREATE, 12, INPUT | RTT),
    command("rtt_destroy", fid::RTT_DESTROY, 3, INPUT | RTT),
    command("rtt_fold", fid::RTT_FOLD, 3, INPUT | RTT),
    command("rtt_read_entry", fid::RTT_READ_ENTRY, 2, INPUT),
    command("data_create", fid::DATA_CREATE, 10, INPUT | REALM | RTT),
    command("data_create_unknown", fid::DATA_CREATE_UNKNOWN, 8, INPUT | RTT),
    command("data_destroy", fid::DATA_DESTROY, 5, INPUT | RTT),
    command("init_ripas", fid::RTT_INIT_RIPAS, 4, INPUT | REALM | RTT),
    command("set_ripas", fid::RTT_SET_RIPAS, 6, INPUT | REC | RTT),
    command("map_unprotected", fid::RTT_MAP_UNPROTECTED, 4, INPUT | RTT),
];

/// Addresses in use: the first pages of these tables, of a Realm's own and of its unprotected ones.
const TABLES: [u64; 3] = [0, BLOCK_IPA, 1 << 30];
const PAGES: u64 = 6;
/// Where vCPUs begin.
const CODE: [u64; 2] = [0, abi::GRANULE_U64];

/// Why vCPUs left: synchronous, IRQ, FIQ, PSCI, RIPAS change, host call, SError.
static EXITS: [AtomicU64; 7] = [const { AtomicU64::new(0) }; 7];

/// Gives how often vCPUs left for each reason.
pub fn exits() -> [u64; 7] {
    [0, 1, 2, 3, 4, 5, 6].map(|n: usize| EXITS[n].load(Ordering::Relaxed))
}

/// A CPU's source of commands.
pub struct Random {
    state: u64,
    params: u64,
    run: u64,
}

impl Random {
    /// Makes the source of a CPU, and readies its timer.
    pub fn new(cpu: usize, seed: u64) -> Random {
        open_timer(cpu);
        let own = granules::private(cpu as u64);
        let state = (seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (cpu as u64) << 32 | 1;
        Random { state, params: page(own), run: page(own + 1) }
    }

    fn next(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn one_in(&mut self, bound: u64) -> bool {
        self.below(bound) == 0
    }

    fn among<const N: usize>(&mut self, choices: [u64; N]) -> u64 {
        choices[self.below(N as u64) as usize]
    }

    /// Issues commands.
    pub fn issue(&mut self, commands: u64) {
        for _ in 0..commands {
            let command = self.choose();
            let arguments = self.arguments(command.function);
            let done = self.one(command, arguments);
            if command.function == fid::REC_ENTER {
                self.left(arguments, done);
            }
            if done && command.function == fid::REALM_CREATE {
                self.furnish(arguments[0]);
            }
            if self.one_in(200) {
                self.take_down();
            }
        }
    }

    fn one(&self, command: &Command, arguments: [u64; 5]) -> bool {
        let answer = call(command.function, arguments);
        let done = check(command, arguments, answer);
        if done {
            self.learn(command.function, arguments, answer);
        }
        done
    }

    fn try_to(&self, function: u32, arguments: [u64; 5]) {
        let command = COMMANDS.iter().find(|command| command.function == function);
        if let Some(command) = command {
            self.one(command, arguments);
        }
    }

    /// Gives a new realm tables and code, as far as the others leave it and the granules alone.
    fn furnish(&mut self, rd: u64) {
        for level in [2, 3] {
            let table = self.granule(Role::Delegated);
            self.try_to(fid::RTT_CREATE, [rd, table, 0, level, 0]);
        }
        self.try_to(fid::RTT_INIT_RIPAS, [rd, 0, (PAGES / 2) << 12, 0, 0]);
        for ipa in CODE {
            let data = self.granule(Role::Delegated);
            self.try_to(fid::DATA_CREATE, [rd, data, ipa, page(SOURCE), 1]);
        }
    }

    /// Takes a realm down as far as this CPU gets, which is all of it if the others leave it alone.
    fn take_down(&mut self) {
        let rd = self.granule(Role::Active);
        let of = |function: u32| COMMANDS.iter().find(|command| command.function == function);
        let try_to =
            |function: u32, arguments: [u64; 5]| of(function).is_some_and(|command| self.one(command, arguments));
        for rec in granules::recs(rd) {
            try_to(fid::REC_DESTROY, [rec, 0, 0, 0, 0]);
        }
        for first in TABLES {
            for ipa in (first..).step_by(abi::GRANULE).take(PAGES as usize) {
                try_to(fid::DATA_DESTROY, [rd, ipa, 0, 0, 0]);
            }
        }
        for level in [3, 2] {
            for ipa in TABLES.into_iter().flat_map(|ipa| [ipa, ipa | UNPROTECTED]) {
                try_to(fid::RTT_DESTROY, [rd, ipa & !((1 << (12 + 9 * (4 - level))) - 1), level, 0, 0]);
            }
        }
        try_to(fid::REALM_DESTROY, [rd, 0, 0, 0, 0]);
    }

    fn choose(&mut self) -> &'static Command {
        let mut left = self.below(COMMANDS.iter().map(|command| command.weight).sum());
        let mut chosen = COMMANDS.iter().filter(|command| match left.checked_sub(command.weight) {
            Some(less) => {
                left = less;
                false
            }
            None => true,
        });
        chosen.next().unwrap_or(&COMMANDS[0])
    }

    /// Gives a granule that may be in this role; now and then any other, or no granule at all.
    fn granule(&mut self, role: Role) -> u64 {
        let start = self.below(GRANULES);
        if self.one_in(64) {
            return self.among([page(start) | 8, abi::map::RMM, abi::map::GICD, 1 << 50, !0xfff, 0]);
        }
        if self.one_in(16) {
            return page(start);
        }
        find(role, start).unwrap_or(page(start))
    }

    /// Gives the RD of a realm that is in the state for a command; one is mostly activated once it has vCPUs.
    fn realm(&mut self, function: u32) -> u64 {
        let (new, active) = (self.granule(Role::New), self.granule(Role::Active));
        let recs = granules::of(new).map_or(0, |thought| thought.next.load(Ordering::Relaxed));
        match function {
            fid::REALM_ACTIVATE if recs < 3 && !self.one_in(64) => active,
            fid::REALM_DESTROY if !self.one_in(16) => active,
            fid::DATA_CREATE | fid::REC_CREATE | fid::REALM_ACTIVATE | fid::RTT_INIT_RIPAS => new,
            _ if self.one_in(2) => new,
            _ => active,
        }
    }

    /// Gives an address of the Realm's own, or one that is not; the first pages of a few tables.
    fn ipa(&mut self) -> u64 {
        if self.one_in(64) {
            return self.among([1, 1 << WIDTH, 0x800, !0xfff]);
        }
        let [low, block, high] = TABLES;
        self.among([low, low, low, block, block, high]) + (self.below(PAGES) << 12)
    }

    /// Gives an address and a level for a table's command.
    fn table(&mut self) -> (u64, u64) {
        let level = self.among([3, 3, 3, 2, 2, 1]);
        let ipa = self.ipa() & !((1 << (12 + 9 * (4 - level))) - 1);
        (ipa | self.among([0, 0, UNPROTECTED]), level)
    }

    /// Gives a granule for data: for the block, mostly the one whose place the address is.
    fn data(&mut self, ipa: u64) -> u64 {
        match ipa.checked_sub(BLOCK_IPA) {
            Some(offset) if offset < 1 << 21 && !self.one_in(4) => page(BLOCK) + offset,
            _ => self.granule(Role::Delegated),
        }
    }

    fn arguments(&mut self, function: u32) -> [u64; 5] {
        let rd = self.realm(function);
        let ipa = self.ipa();
        match function {
            fid::VERSION => [self.among([rmi::VERSION_1_0, 0]), 0, 0, 0, 0],
            fid::FEATURES => [self.below(4), 0, 0, 0, 0],
            fid::GRANULE_DELEGATE => [self.marked(), 0, 0, 0, 0],
            fid::GRANULE_UNDELEGATE => [self.granule(Role::Delegated), 0, 0, 0, 0],
            fid::REALM_CREATE => [self.granule(Role::Delegated), self.realm_params(), 0, 0, 0],
            fid::REC_CREATE => [rd, self.granule(Role::Delegated), self.rec_params(rd), 0, 0],
            fid::REC_DESTROY => [self.granule(Role::Rec), 0, 0, 0, 0],
            fid::REC_ENTER => self.entry(),
            fid::PSCI_COMPLETE => self.psci(),
            fid::RTT_CREATE => {
                let (ipa, level) = self.table();
                [rd, self.granule(Role::Delegated), ipa, level, 0]
            }
            fid::RTT_DESTROY | fid::RTT_FOLD | fid::RTT_READ_ENTRY => {
                let (ipa, level) = self.table();
                [rd, ipa, level, 0, 0]
            }
            fid::DATA_CREATE => [rd, self.data(ipa), ipa, self.source(), self.among([0, 1, 1, 2])],
            fid::DATA_CREATE_UNKNOWN => [rd, self.data(ipa), ipa, 0, 0],
            fid::DATA_DESTROY => [rd, ipa, 0, 0, 0],
            fid::RTT_INIT_RIPAS => [rd, ipa, ipa.wrapping_add(self.below(4) << 12), 0, 0],
            fid::RTT_SET_RIPAS => self.ripas(),
            fid::RTT_MAP_UNPROTECTED => self.unprotected(),
            _ => [rd, 0, 0, 0, 0],
        }
    }

    /// A granule to delegate, with the Normal world's mark in it, if it is still that.
    fn marked(&mut self) -> u64 {
        let address = if self.one_in(8) { page(BLOCK + self.below(6)) } else { self.granule(Role::Undelegated) };
        let pool = page(0)..page(LENT);
        if pool.contains(&address) {
            // SAFETY: memory of the pool, to which there is no reference.
            let _ = unsafe { cpu::guarded::write64((address & !7) as usize, MARK) };
        }
        address
    }

    /// A page to copy from: code, or one that may be taken away meanwhile.
    fn source(&mut self) -> u64 {
        if self.one_in(8) { page(LENT + self.below(GRANULES - LENT)) } else { page(SOURCE) }
    }

    fn realm_params(&mut self) -> u64 {
        let (root, vmid) = (self.granule(Role::Delegated), self.below(5) as u16);
        let (flags, hash) = (self.below(4), self.below(2) as u8);
        let params = self.params as *mut RealmParams;
        // SAFETY: a page of this CPU's own, mapped and without references.
        unsafe {
            write_bytes(params.cast::<u8>(), 0, abi::GRANULE);
            (*params).flags = if flags == 0 { REALM_FLAG_SVE | REALM_FLAG_PMU } else { 0 };
            (*params).pmu_num_ctrs = 2 * u8::from(flags == 0);
            (*params).s2sz = WIDTH;
            (*params).num_bps = 1;
            (*params).num_wps = 1;
            (*params).hash_algo = hash;
            (*params).vmid = vmid;
            (*params).rtt_base = root;
            (*params).rtt_level_start = 1;
            (*params).rtt_num_start = 1;
        }
        self.params
    }

    fn rec_params(&mut self, rd: u64) -> u64 {
        let aux = [self.granule(Role::Delegated), self.granule(Role::Delegated)];
        let next = granules::of(rd).map_or(0, |thought| thought.next.load(Ordering::Relaxed));
        let (pc, seed, off) = (self.among(CODE), self.next(), self.one_in(4));
        let params = self.params as *mut RecParams;
        // SAFETY: as above.
        unsafe {
            write_bytes(params.cast::<u8>(), 0, abi::GRANULE);
            (*params).flags = if off { 0 } else { REC_FLAG_RUNNABLE };
            (*params).mpidr = next;
            (*params).pc = pc;
            (*params).gprs[0] = seed;
            (*params).num_aux = 2;
            (*params).aux[0] = aux[0];
            (*params).aux[1] = aux[1];
        }
        self.params
    }

    /// Prepares the entry of a vCPU, which a timer ends. The structure may be on a page that others take away.
    fn entry(&mut self) -> [u64; 5] {
        const PENDING: u64 = 1 << 62 | 1 << 60;
        let waits = enter::TRAP_WFI | enter::TRAP_WFE;
        let flags = self.among([0, waits, waits, waits | enter::EMUL_MMIO, enter::INJECT_SEA, enter::RIPAS_RESPONSE]);
        let list = self.among([0, 0, PENDING | 27, PENDING | 2000]);
        let run = self.run as *mut RecRun;
        // SAFETY: as above.
        unsafe {
            write_bytes(run.cast::<u8>(), 0, abi::GRANULE);
            (*run).enter.flags = flags;
            (*run).enter.gicv3_lrs[0] = list;
        }
        write!(cnthp_cval_el2, read!(cntpct_el0) + 300_000);
        write!(cnthp_ctl_el2, 1);
        barrier::isb();
        let run = if self.one_in(8) { page(LENT + self.below(GRANULES - LENT)) } else { self.run };
        [self.granule(Role::Rec), run, 0, 0, 0]
    }

    /// After a vCPU: takes the interrupt, and notes what the vCPU asked for.
    fn left(&mut self, [rec, page, ..]: [u64; 5], ran: bool) {
        write!(cnthp_ctl_el2, 0);
        barrier::isb();
        if page != self.run || !ran {
            return;
        }
        // SAFETY: a page of this CPU's own, and the RMM is done with it.
        let exit = unsafe { &(*(self.run as *const RecRun)).exit };
        let reason = ExitReason::from_number(exit.exit_reason);
        assert!(reason.is_some(), "an exit for no reason: {}", exit.exit_reason);
        EXITS[usize::from(exit.exit_reason)].fetch_add(1, Ordering::Relaxed);
        let Some(thought) = granules::of(rec) else { return };
        match reason {
            Some(ExitReason::RipasChange) => {
                thought.base.store(exit.ripas_base, Ordering::Relaxed);
                thought.top.store(exit.ripas_top, Ordering::Relaxed);
            }
            Some(ExitReason::Psci) => thought.asks.store(exit.gprs[1] + 1, Ordering::Relaxed),
            _ => {}
        }
    }

    /// The answer to a call of PSCI, mostly one that a vCPU waits for.
    fn psci(&mut self) -> [u64; 5] {
        let any = (self.granule(Role::Rec), self.granule(Role::Rec));
        let (caller, target) = granules::asking().filter(|_| !self.one_in(8)).unwrap_or(any);
        [caller, target, self.among([0, 0, (-3_i64).cast_unsigned(), 7]), 0, 0]
    }

    /// The change of RIPAS that a vCPU asked for, as far as is known.
    fn ripas(&mut self) -> [u64; 5] {
        let rec = self.granule(Role::Rec);
        let Some(thought) = granules::of(rec) else { return [0, rec, 0, abi::GRANULE_U64, 0] };
        let [rd, base, top] = [&thought.rd, &thought.base, &thought.top].map(|value| value.load(Ordering::Relaxed));
        [rd, rec, base, if self.one_in(2) { top } else { base.wrapping_add(abi::GRANULE_U64) }, 0]
    }

    /// Maps pages of the Normal world, or blocks of them; or unmaps them.
    fn unprotected(&mut self) -> [u64; 5] {
        const NORMAL_WRITE_BACK: u64 = 0b11 << 6 | 0b111 << 2;
        let level = self.among([3, 3, 2]);
        let size = 1 << (12 + 9 * (3 - level));
        let ipa = self.ipa() & !(size - 1) | UNPROTECTED;
        let rd = self.realm(fid::RTT_MAP_UNPROTECTED);
        if self.one_in(2) {
            let answer = call(fid::RTT_UNMAP_UNPROTECTED, [rd, ipa, level, 0, 0]);
            assert!(matches!(Status::from_word(answer[0]), Some(Status::Success | Status::Input | Status::Rtt(0..=3))));
        }
        [rd, ipa, level, page(self.below(GRANULES)) & !(size - 1) | NORMAL_WRITE_BACK, 0]
    }

    /// Notes what a command that was done has made of granules.
    fn learn(&self, function: u32, [first, second, ..]: [u64; 5], [_, x1, ..]: [u64; 5]) {
        match function {
            fid::GRANULE_DELEGATE | fid::REALM_DESTROY => granules::note(first, Role::Delegated),
            fid::GRANULE_UNDELEGATE => {
                granules::note(first, Role::Undelegated);
                if (page(0)..page(LENT)).contains(&first) {
                    (0..8).for_each(|n| granules::came_back(first + n * 0x208));
                }
            }
            fid::REALM_CREATE => {
                granules::note(first, Role::New);
                granules::of(first).into_iter().for_each(|rd| rd.next.store(0, Ordering::Relaxed));
            }
            fid::REALM_ACTIVATE => granules::note(first, Role::Active),
            fid::REC_CREATE => {
                // SAFETY: a page of this CPU's own.
                let (index, [one, two, ..]) = unsafe {
                    let params = self.params as *const RecParams;
                    ((*params).mpidr, (*params).aux)
                };
                granules::rec(second, first, index, [one, two]);
            }
            fid::REC_DESTROY => granules::no_rec(first),
            fid::PSCI_COMPLETE => granules::of(first).into_iter().for_each(|rec| rec.asks.store(0, Ordering::Relaxed)),
            fid::RTT_CREATE => granules::note(second, Role::Rtt),
            fid::RTT_DESTROY | fid::RTT_FOLD | fid::DATA_DESTROY => granules::note(x1, Role::Delegated),
            fid::DATA_CREATE | fid::DATA_CREATE_UNKNOWN => granules::note(second, Role::Data),
            _ => {}
        }
    }
}

/// Sees that a status is one of the command's, and says whether it is success.
fn check(command: &Command, arguments: [u64; 5], answer: [u64; 5]) -> bool {
    let [all, done] = &command.counts;
    all.fetch_add(1, Ordering::Relaxed);
    let status = Status::from_word(answer[0]);
    let index = match status {
        Some(Status::Realm(index)) => index <= u8::from(command.function == fid::REC_ENTER),
        Some(Status::Rtt(level)) => (1..=3).contains(&level),
        other => other.is_some(),
    };
    let known = answer[0] & 0xff < 8 && command.statuses >> (answer[0] & 7) & 1 != 0;
    assert!(index && known, "{} {arguments:x?} -> {answer:x?}", command.name);
    if status == Some(Status::Success) {
        done.fetch_add(1, Ordering::Relaxed);
    }
    status == Some(Status::Success)
}
