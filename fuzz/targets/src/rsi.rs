//! What a Realm asks of the RMM, of memory and of PSCI, entry by entry, on the RMM and on the reference model of it.

use std::sync::LazyLock;

use machine::model::{Life, Model, Rec, State};
use machine::{Board, Op};

use crate::command::Command;
use crate::generate::Generator;
use crate::random::Random;
use crate::rmi::{GRANULES, MOST};
use crate::world::World;
use crate::{guest, selected};

/// First function identifier of RSI.
const RSI: u64 = 0xC400_0190;
/// More commands than it takes until a Realm runs.
const PATIENCE: usize = 20_000;

/// Commands after which a Realm runs.
static BEGINNING: LazyLock<Vec<Command>> =
    LazyLock::new(|| (1..40).map(beginning).min_by_key(Vec::len).unwrap_or_default());

/// Whether a REC can be entered.
fn is_ready(model: &Model, rec: &Rec) -> bool {
    rec.runnable && rec.pending.is_none() && model.realms[&rec.owner].life == Life::Active
}

fn beginning(seed: u64) -> Vec<Command> {
    let board = Board::new(GRANULES);
    let mut world = World::new(&board);
    world.hasty = true;
    let mut generator = Generator::new(seed * 4 + 1, false);
    let mut commands = Vec::new();
    while world.model.recs.values().filter(|rec| is_ready(&world.model, rec)).count() < 2 && commands.len() < PATIENCE {
        let command = generator.next(&world.model);
        world.apply(&command).expect("as the model has it");
        commands.push(command);
    }
    commands
}

/// Takes one input: the first byte selects how closely the two are compared, each of the others chooses.
///
/// # Panics
/// If the RMM does not answer as its model does, or if their states differ.
pub fn run(input: &[u8]) {
    let Some((selector, choices)) = selected(input) else { return };
    let board = Board::new(GRANULES);
    let mut world = World::new(&board);
    world.hasty = true;
    for command in BEGINNING.iter() {
        world.apply(command).expect("as it was before");
    }
    world.hasty = selector & 7 != 0;
    // An odd seed: vCPUs touch the host's memory too. Programs begin where none of the beginning's did.
    let mut generator = Generator::new(1, false);
    for _ in 0..BEGINNING.len() {
        generator.pc();
    }
    generator.random = Random::of(choices);
    for _ in 0..MOST {
        if generator.random.is_spent() {
            break;
        }
        let command = command(&mut generator, &world.model);
        if let Err(why) = world.apply(&command) {
            panic!("{command:?}: {why}");
        }
    }
    if let Err(why) = world.everything() {
        panic!("at the end: {why}");
    }
}

fn command(from: &mut Generator, model: &Model) -> Command {
    let ready: Vec<u64> = model.recs.iter().filter(|(_, rec)| is_ready(model, rec)).map(|(pa, _)| *pa).collect();
    let pages = model.granules.iter().filter(|(_, state)| **state == State::Undelegated);
    let pages: Vec<u64> = pages.map(|(pa, _)| *pa).collect();
    if ready.is_empty() || pages.is_empty() || from.random.chance(20) {
        return from.next(model);
    }
    let (rec, run) = (from.random.pick(&ready), from.random.pick(&pages));
    let mut command = guest::enter(from, model, rec, run);
    if let Command::Enter { irq: false, ops, .. } = &mut command
        && from.random.chance(25)
    {
        ops.push(wild(from));
    }
    command
}

/// A call of RSI with anything in its registers.
fn wild(from: &mut Generator) -> Op {
    let random = &mut from.random;
    let mut x = vec![RSI + random.below(16)];
    let count = random.below(11);
    x.extend((0..count).map(|_| if random.chance(50) { random.below(0x1_0000) } else { random.next() }));
    Op::Smc(x)
}
