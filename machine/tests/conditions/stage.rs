//! A machine on which every object that a command can name exists, in every state that it can be in.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use abi::map;
use host::vmm::Normal;
use machine::model::{GRANULE, fid};
use machine::{Board, Event, Machine, Op, Program};

/// Words of a page that is otherwise zero: where, and what.
pub type Words = Vec<(usize, u64)>;

const fn granule(number: u64) -> u64 {
    map::RMM_END + number * GRANULE
}

/// A realm that is being built.
pub const NEW: u64 = granule(0);
pub const ROOT: u64 = granule(1);
/// A realm that runs.
pub const ACTIVE: u64 = granule(2);
/// A realm that has turned itself off.
pub const OFF: u64 = granule(4);
/// A realm that has nothing but its first table.
pub const EMPTY: u64 = granule(6);
/// A realm that has a table and no RECs.
pub const TABLED: u64 = granule(34);
const TABLED_TABLE: u64 = granule(36);
/// A page of the new realm's at address 0, and one of the active realm's.
pub const DATA: u64 = granule(8);
const ACTIVE_DATA: u64 = granule(9);
const TABLES: u64 = granule(10);
/// Delegated, used for nothing.
pub const SPARE: u64 = granule(24);
pub const SPARES: [u64; 8] =
    [granule(25), granule(26), granule(27), granule(28), granule(29), granule(30), granule(31), granule(32)];
const RECS: u64 = granule(40);
/// Granules kept for a REC and what it consists of.
const PER_REC: u64 = 10;
const KEPT: u64 = 200;
/// The Normal world's.
pub const NORMAL: u64 = granule(KEPT);
pub const PARAMS: u64 = granule(KEPT + 1);
pub const RUN: u64 = granule(KEPT + 2);
pub const SOURCE: u64 = granule(KEPT + 3);
/// The Normal world's in the RMM's eyes, another world's in those of granule protection.
pub const STOLEN: u64 = granule(KEPT + 4);
const GRANULES: u64 = KEPT + 8;
/// No memory: a device, and beyond all addresses.
pub const DEVICE: u64 = 0x0900_0000;
pub const BEYOND: u64 = 1 << 48;

/// Bits of an address of each realm, and the first address that is not its own.
const WIDTH: u64 = 40;
pub const HALF: u64 = 1 << 39;
/// The first address of nobody.
pub const END: u64 = 1 << WIDTH;
/// A table of level 3 in which nothing is.
pub const IDLE: u64 = 0x40_0000;
pub const SIZE_2: u64 = 0x20_0000;
pub const SIZE_1: u64 = 1 << 30;
/// Attributes of a mapping of the host's memory.
pub const ATTRIBUTES: u64 = 0xDC;

/// RECs by number. Those of the new realm: one that may run, one that may not.
pub const NEW_REC: u64 = rec(0);
pub const NEW_REC_1: u64 = rec(1);
/// The active realm's: fresh; not to be run; waiting for PSCI; with a change of RIPAS to pages, to what lies inside a
/// block, and to less than a block; fresh again.
pub const FRESH: u64 = rec(2);
pub const STOPPED: u64 = rec(3);
pub const CALLING: u64 = rec(4);
pub const CHANGING: u64 = rec(5);
pub const CHANGING_INSIDE: u64 = rec(6);
pub const CHANGING_LESS: u64 = rec(7);
pub const CALLER: u64 = rec(8);
/// Those of the realm that is off.
pub const OFF_REC: u64 = rec(9);
pub const OFF_REC_1: u64 = rec(10);

const fn rec(number: u64) -> u64 {
    RECS + number * PER_REC * GRANULE
}

const RSI: u64 = 0xC400_0190;
const SUSPEND: u64 = 0xC400_0001;
const AFFINITY_INFO: u64 = 0xC400_0004;
const SYSTEM_OFF: u64 = 0x8400_0008;

#[derive(Default)]
struct Script {
    ops: VecDeque<Op>,
    seen: Vec<(Event, Op)>,
}

/// The machine, and what its vCPUs do.
pub struct Stage<'b> {
    pub machine: Machine<'b>,
    script: Arc<Mutex<Script>>,
    pub aux: u64,
}

/// The board that a stage stands on.
pub fn board() -> Board {
    Board::new(GRANULES)
}

fn lock(script: &Mutex<Script>) -> MutexGuard<'_, Script> {
    script.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The page of parameters of a realm of another VMID with its first table at an address.
pub fn realm(vmid: u64, root: u64) -> Words {
    vec![(0x8, WIDTH), (0x18, 1), (0x20, 2), (0x800, vmid), (0x808, root), (0x810, 0), (0x818, 1)]
}

/// The page of parameters of a REC.
pub fn rec_words(index: u64, runnable: bool, pc: u64, aux: &[u64]) -> Words {
    let mut words = vec![(0, runnable.into()), (0x100, index), (0x200, pc), (0x800, aux.len() as u64)];
    words.extend((0..).zip(aux).map(|(number, pa)| (0x808 + number * 8, *pa)));
    words
}

/// What x4 is after a call with no result in it: what it was. RMI_RTT_READ_ENTRY has one, which is zero if it is refused.
pub fn kept_x4(call: &[u64]) -> u64 {
    if call[0] == fid::RTT_READ_ENTRY { 0 } else { call.get(4).copied().unwrap_or(0) }
}

impl<'b> Stage<'b> {
    /// Builds everything.
    pub fn new(board: &'b Board) -> Stage<'b> {
        let mut stage = Stage { machine: Machine::new(board), script: Arc::default(), aux: 0 };
        (0..KEPT).for_each(|number| stage.ok(fid::GRANULE_DELEGATE, &[granule(number)]));
        board.tables().delegate(STOLEN).expect("the monitor can take it");
        for (vmid, rd) in (1..).zip([NEW, ACTIVE, OFF, EMPTY, TABLED]) {
            stage.write(PARAMS, &realm(vmid, rd + GRANULE));
            stage.ok(fid::REALM_CREATE, &[rd, PARAMS]);
        }
        let [_, aux, ..] = stage.call(&[fid::REC_AUX_COUNT, NEW]);
        assert!((1..PER_REC).contains(&aux));
        stage.aux = aux;
        stage.ok(fid::RTT_CREATE, &[TABLED, TABLED_TABLE, 0, 1]);
        stage.memory(NEW, TABLES, DATA);
        stage.memory(ACTIVE, TABLES + 7 * GRANULE, ACTIVE_DATA);
        stage.recs();
        stage.run();
        stage
    }

    /// Tables for pages at 0, at [`IDLE`] and at [`HALF`], a page at 0, one that the host has yet to give after it, and
    /// one of the host's.
    fn memory(&self, rd: u64, tables: u64, data: u64) {
        let places = [(0, 1), (0, 2), (0, 3), (IDLE, 3), (HALF, 1), (HALF, 2), (HALF, 3)];
        for (table, (ipa, level)) in (tables..).step_by(GRANULE as usize).zip(places) {
            self.ok(fid::RTT_CREATE, &[rd, table, ipa, level]);
        }
        self.ok(fid::DATA_CREATE, &[rd, data, 0, SOURCE, 1]);
        self.ok(fid::RTT_INIT_RIPAS, &[rd, GRANULE, 2 * GRANULE]);
        self.ok(fid::RTT_MAP_UNPROTECTED, &[rd, HALF, 3, NORMAL | ATTRIBUTES]);
    }

    fn recs(&self) {
        let active = [FRESH, STOPPED, CALLING, CHANGING, CHANGING_INSIDE, CHANGING_LESS, CALLER];
        let off = [OFF_REC, OFF_REC_1];
        for (rd, recs) in [(NEW, &[NEW_REC, NEW_REC_1][..]), (ACTIVE, &active), (OFF, &off)] {
            for (index, rec) in (0..).zip(recs) {
                let runnable = ![NEW_REC_1, STOPPED, OFF_REC_1].contains(rec);
                let aux: Vec<u64> = (1..=self.aux).map(|number| rec + number * GRANULE).collect();
                // Programs are told apart by where they begin.
                self.write(PARAMS, &rec_words(index, runnable, *rec, &aux));
                self.program(*rec);
                self.ok(fid::REC_CREATE, &[rd, *rec, PARAMS]);
            }
        }
        self.ok(fid::REALM_ACTIVATE, &[ACTIVE]);
        self.ok(fid::REALM_ACTIVATE, &[OFF]);
    }

    fn run(&self) {
        for (rec, call) in [
            (CALLING, vec![AFFINITY_INFO, 1, 0]),
            (CHANGING, vec![RSI + 7, 2 * GRANULE, 4 * GRANULE, 1, 0]),
            (CHANGING_INSIDE, vec![RSI + 7, SIZE_2 + GRANULE, 3 * SIZE_2, 1, 0]),
            (CHANGING_LESS, vec![RSI + 7, SIZE_2, SIZE_2 + GRANULE, 1, 0]),
            (OFF_REC, vec![SYSTEM_OFF]),
        ] {
            assert_eq!(self.enter(rec, &[Op::Smc(call)])[0], 0, "{rec:#x}");
        }
    }

    fn program(&self, pc: u64) {
        let script = self.script.clone();
        let make = move || -> Box<dyn Program> {
            let script = script.clone();
            Box::new(move |event| {
                let mut script = lock(&script);
                let op = script.ops.pop_front().unwrap_or_else(|| Op::Smc(vec![SUSPEND]));
                script.seen.push((event, op.clone()));
                op
            })
        };
        self.machine.program(pc, Box::new(make));
    }

    /// Writes a page of the host's: words, and zero otherwise.
    pub fn write(&self, pa: u64, words: &Words) {
        let mut page = [0; GRANULE as usize];
        for (at, value) in words {
            page[*at..at + 8].copy_from_slice(&value.to_le_bytes());
        }
        self.machine.write(pa, &page);
    }

    /// Calls with x0 and up.
    pub fn call(&self, x: &[u64]) -> [u64; 5] {
        let mut registers = [0; 8];
        registers[..x.len()].copy_from_slice(x);
        self.machine.call(registers)
    }

    fn ok(&self, function: u64, arguments: &[u64]) {
        let answer = self.call(&[&[function], arguments].concat());
        assert_eq!(answer[0], 0, "{function:#x} {arguments:#x?}");
    }

    /// Enters a REC, which does what is given and then suspends.
    pub fn enter(&self, rec: u64, ops: &[Op]) -> [u64; 5] {
        *lock(&self.script) = Script { ops: ops.iter().cloned().collect(), seen: vec![] };
        self.write(RUN, &vec![]);
        self.call(&[fid::REC_ENTER, rec, RUN])
    }

    /// What came of the operations of the last entry.
    pub fn seen(&self) -> Vec<Event> {
        lock(&self.script).seen.iter().map(|(event, _)| event.clone()).collect()
    }

    /// Has the REC [`CALLER`] make a call, does for it what a host does, and gives x0 to x3 after it.
    pub fn realm_call(&self, x: &[u64]) -> [u64; 4] {
        let mut ops = vec![Op::Smc(x.to_vec())];
        let mut made = false;
        for _ in 0..4 {
            assert_eq!(self.enter(CALLER, &ops)[0], 0);
            ops.clear();
            for (event, op) in lock(&self.script).seen.drain(..) {
                if let (true, Event::Returned([x0, x1, x2, x3, ..])) = (made, event) {
                    return [x0, x1, x2, x3];
                }
                made |= op == Op::Smc(x.to_vec());
            }
            self.complete(x);
        }
        panic!("{x:x?} does not return");
    }

    /// Completes a call of PSCI that waits for the host.
    fn complete(&self, x: &[u64]) {
        const PSCI: u8 = 3;
        let mut exit = [0; 0x208];
        self.machine.read(RUN + 0x800, &mut exit);
        if exit[0] == PSCI && exit[0x200..] == x[0].to_le_bytes() {
            let target = if x[1] == 1 { STOPPED } else { FRESH };
            self.ok(fid::PSCI_COMPLETE, &[CALLER, target, 0]);
        }
    }
}
