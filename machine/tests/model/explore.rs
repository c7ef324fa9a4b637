//! Every state that a small machine can reach, and every command in each: the RMM answers as the model does, a refused
//! command changes nothing, and from everywhere all granules come back.

use std::collections::{HashSet, VecDeque};

use machine::model::{Entry, GRANULE, Model, State, fid, size};
use machine::{Board, Op};

use crate::command::Command;
use crate::generate::{call, plain_realm};
use crate::world::{BASE, World, limits};

const HALF: u64 = 1 << 31;
const RSI: u64 = 0xC400_0190;
const PSCI: u64 = 0xC400_0000;
/// Granules of the machine; the host keeps those from [`KEPT`] on.
const GRANULES: u64 = 24;
const KEPT: u64 = 20;
/// Where programs begin; each begins further on, as the machine knows them by that.
const FIRST_PC: u64 = 0x1_0000;
const PC_STEP: u64 = 0x1000;
/// Programs then begin at the front again.
const LAST_PC: u64 = 0x7000_0000;
const PC_AT: usize = 0x200;

const fn granule(number: u64) -> u64 {
    BASE + number * GRANULE
}

const RDS: [u64; 2] = [granule(0), granule(2)];
const TABLES: [u64; 2] = [granule(4), granule(5)];
const DATA: u64 = granule(6);
const RECS: [u64; 2] = [granule(8), granule(9)];
const PARAMS: u64 = granule(KEPT);
const RUN: u64 = granule(KEPT + 1);

fn create(realm: usize) -> Command {
    let rd = RDS[realm];
    let mut words = plain_realm(rd + GRANULE);
    words.push((0x800, realm as u64 + 1));
    Command::Call { x: [fid::REALM_CREATE, rd, PARAMS, 0, 0, 0], page: Some((PARAMS, words)) }
}

/// What a host does with a realm's memory.
fn memory(rd: u64) -> Vec<Command> {
    let mut all = vec![
        call(fid::RTT_CREATE, &[rd, TABLES[0], 0, 2]),
        call(fid::RTT_CREATE, &[rd, TABLES[1], 0, 3]),
        call(fid::RTT_CREATE, &[rd, TABLES[0], HALF, 2]),
        call(fid::DATA_CREATE, &[rd, DATA, 0, RUN, 1]),
        call(fid::DATA_CREATE_UNKNOWN, &[rd, DATA, 0]),
        call(fid::DATA_CREATE_UNKNOWN, &[rd, DATA, GRANULE]),
        call(fid::DATA_DESTROY, &[rd, 0]),
        call(fid::DATA_DESTROY, &[rd, GRANULE]),
        call(fid::RTT_MAP_UNPROTECTED, &[rd, HALF, 1, 0xDC]),
        call(fid::RTT_UNMAP_UNPROTECTED, &[rd, HALF, 1]),
        call(fid::RTT_MAP_UNPROTECTED, &[rd, HALF, 2, 0xDC]),
        call(fid::RTT_UNMAP_UNPROTECTED, &[rd, HALF, 2]),
    ];
    for (ipa, level) in [(0, 2), (0, 3), (HALF, 2)] {
        all.push(call(fid::RTT_DESTROY, &[rd, ipa, level]));
        all.push(call(fid::RTT_FOLD, &[rd, ipa, level]));
    }
    all.extend([1, 2, 3].map(|level| call(fid::RTT_INIT_RIPAS, &[rd, 0, size(level)])));
    all
}

fn life(realm: usize) -> Vec<Command> {
    let rd = RDS[realm];
    vec![create(realm), call(fid::REALM_ACTIVATE, &[rd]), call(fid::REALM_DESTROY, &[rd])]
}

fn rec(rd: u64, number: usize, runnable: bool) -> Command {
    let aux = |of: usize| granule(10 + (number as u64) * limits().aux_count + of as u64);
    let mut words = vec![(0, runnable.into()), (0x100, number as u64), (PC_AT, 0), (0x800, limits().aux_count)];
    words.extend((0..limits().aux_count as usize).map(|of| (0x808 + of * 8, aux(of))));
    Command::Call { x: [fid::REC_CREATE, rd, RECS[number], PARAMS, 0, 0], page: Some((PARAMS, words)) }
}

fn enter(rec: usize, flags: u64, ops: &[Op]) -> Command {
    Command::Enter { rec: RECS[rec], run: RUN, page: vec![(0, flags)], irq: false, ops: ops.to_vec() }
}

/// What a Realm's first vCPU does.
fn running() -> Vec<Command> {
    let smc = |x: &[u64]| vec![Op::Smc(x.to_vec())];
    let programs = [
        vec![Op::Load { ipa: 0 }],
        vec![Op::Store { ipa: HALF, value: 7 }],
        smc(&[RSI + 7, 0, size(3), 0, 0]),
        smc(&[RSI + 7, 0, size(3), 1, 1]),
        smc(&[RSI + 7, 0, size(1), 1, 0]),
        smc(&[RSI + 9, 0]),
        smc(&[PSCI + 3, 1, 0, 9]),
        smc(&[0x8400_0002]),
        smc(&[0x8400_0008]),
    ];
    let mut all: Vec<Command> = programs.iter().map(|ops| enter(0, 0, ops)).collect();
    all.extend([enter(0, 1, &[]), enter(0, 2, &[]), enter(0, 16, &[]), enter(1, 0, &smc(&[0x8400_0002]))]);
    for top in [size(3), size(1)] {
        all.push(call(fid::RTT_SET_RIPAS, &[RDS[0], RECS[0], 0, top]));
    }
    for status in [0, (-3_i64).cast_unsigned()] {
        all.push(call(fid::PSCI_COMPLETE, &[RECS[0], RECS[1], status]));
    }
    all.extend(RECS.map(|rec| call(fid::REC_DESTROY, &[rec])));
    all.extend([rec(RDS[0], 0, true), rec(RDS[0], 1, false)]);
    all
}

/// Both of a machine and what has been done so far.
struct Explorer<'b> {
    world: World<'b>,
    next_pc: u64,
}

impl Explorer<'_> {
    /// A place where no program has lately begun.
    fn pc(&mut self) -> u64 {
        self.next_pc = if self.next_pc >= LAST_PC { FIRST_PC } else { self.next_pc + PC_STEP };
        self.next_pc
    }

    /// A command, with places for programs filled in.
    fn placed(&mut self, command: &Command) -> Command {
        let mut command = command.clone();
        match &mut command {
            Command::Call { page: Some((_, words)), .. } => {
                words.iter_mut().filter(|(at, _)| *at == PC_AT).for_each(|(_, pc)| *pc = self.pc());
            }
            Command::Enter { ops, .. } => {
                for op in ops {
                    if let Op::Smc(x) = op
                        && x[0] == PSCI + 3
                    {
                        x[2] = self.pc();
                    }
                }
            }
            Command::Call { .. } => {}
        }
        command
    }

    fn apply(&mut self, command: &Command, hasty: bool) -> Result<u64, String> {
        let command = self.placed(command);
        self.world.hasty = hasty;
        self.world.apply(&command).map(|answer| answer[0]).map_err(|why| format!("{command:?}: {why}"))
    }

    /// Takes everything down: all granules are free again.
    fn take_down(&mut self) -> Result<(), String> {
        for command in take_down(&self.world.model) {
            if self.apply(&command, true)? != 0 {
                return Err(format!("{command:?} is refused while all is taken down"));
            }
        }
        Ok(())
    }

    /// Goes from the beginning to a state.
    fn go(&mut self, path: &[Command]) -> Result<(), String> {
        self.take_down()?;
        path.iter().try_for_each(|command| self.apply(command, true).map(drop))
    }
}

fn take_down(model: &Model) -> Vec<Command> {
    let mut all = Vec::new();
    for (rd, realm) in &model.realms {
        for ((level, base), table) in realm.space.tables.iter().rev() {
            let held = (0..).zip(&table.entries).filter(|(_, entry)| matches!(entry, Entry::Assigned(..)));
            all.extend(held.map(|(index, _): (u64, _)| call(fid::DATA_DESTROY, &[*rd, base + index * size(*level)])));
            if *level > realm.space.start {
                all.push(call(fid::RTT_DESTROY, &[*rd, *base, level.cast_unsigned()]));
            }
        }
        let recs = model.recs.iter().filter(|(_, rec)| rec.owner == *rd);
        all.extend(recs.map(|(pa, _)| call(fid::REC_DESTROY, &[*pa])));
        all.push(call(fid::REALM_DESTROY, &[*rd]));
    }
    if model.is_normal(DATA) {
        all.push(call(fid::GRANULE_DELEGATE, &[DATA]));
    }
    all
}

/// Visits states breadth first. Gives how many there were, and whether that was all.
fn explore(alphabet: &[Command], most: u64) -> Result<(u64, bool), String> {
    let board = Board::new(GRANULES);
    let mut explorer = Explorer { world: World::new(&board), next_pc: FIRST_PC };
    for number in 0..KEPT {
        explorer.apply(&call(fid::GRANULE_DELEGATE, &[granule(number)]), false)?;
    }
    let mut seen = HashSet::from([explorer.world.model.fingerprint()]);
    let mut waiting = VecDeque::from([Vec::<Command>::new()]);
    let mut visited = 0;
    while let Some(path) = waiting.pop_front().filter(|_| visited < most) {
        visited += 1;
        let told = |why: String| format!("after {path:#?}\n{why}");
        explorer.go(&path).map_err(told)?;
        for command in alphabet {
            if !is_new_rec(&explorer.world.model, command) {
                continue;
            }
            let status = explorer.apply(command, false).map_err(told)?;
            if status != 0 {
                continue;
            }
            if seen.insert(explorer.world.model.fingerprint()) {
                explorer.world.everything().map_err(told)?;
                waiting.push_back([&path[..], std::slice::from_ref(command)].concat());
            }
            explorer.go(&path).map_err(told)?;
        }
    }
    explorer.take_down()?;
    let back = explorer.world.model.granules.values().filter(|state| **state == State::Delegated).count();
    assert_eq!(back as u64, KEPT);
    Ok((visited, waiting.is_empty()))
}

/// Not a REC after one of this number was destroyed: numbers are not given twice, and there would be no end of them.
fn is_new_rec(model: &Model, command: &Command) -> bool {
    let Command::Call { x: [fid::REC_CREATE, rd, rec, ..], .. } = command else { return true };
    let next = model.realms.get(rd).map(|realm| realm.next_index);
    next.is_none_or(|next| RECS.get(next as usize) == Some(rec) || next == 0)
}

/// Visits at most so many states of a small machine, and says how many there were.
///
/// # Errors
/// The commands that lead to a difference, and what differs.
pub fn visit(name: &str, alphabet: &[Command], most: u64) -> Result<String, String> {
    let (visited, all) = explore(alphabet, most)?;
    let whole = if all { "all that there are" } else { "there are more" };
    Ok(format!("{name}: {visited} states, {whole}, {} commands in each", alphabet.len()))
}

/// The small machines by name, and the commands that are tried in every state of them.
pub fn alphabets() -> [(&'static str, Vec<Command>); 2] {
    let mut two = [life(0), life(1), memory(RDS[0]), memory(RDS[1])].concat();
    two.push(call(fid::GRANULE_DELEGATE, &[DATA]));
    two.push(call(fid::GRANULE_UNDELEGATE, &[DATA]));
    [("two realms that compete for memory", two), ("a realm that runs", [life(0), memory(RDS[0]), running()].concat())]
}
