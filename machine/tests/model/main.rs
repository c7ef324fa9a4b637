//! The RMM and the reference model of it, driven by the same commands: same answers, same state.
//!
//! `ALLOD_SOAK_COMMANDS` says how many commands, `ALLOD_SEED` which; `ALLOD_SOAK_STATES` how many states are explored.

// The crate goes by the name that the rest of the workspace calls it by.
extern crate allod_machine as machine;

mod command;
mod explore;
mod generate;
mod guest;
mod random;
mod shrink;
mod world;

use std::collections::BTreeMap;
use std::panic;

use machine::Board;
use machine::model::{GRANULE, fid, size};

use command::{Command, name};
use generate::{Generator, call, realm};
use world::{BASE, World};

/// Commands of one boot.
const BOOT: usize = 3000;
/// How often everything is compared.
const EVERYTHING: usize = 300;
/// Granules of a machine, and of one in which a block of 2 MB finds room.
const FEW: u64 = 96;
const MANY: u64 = 512 + FEW;

/// Whether the machine of a seed has room for a block.
fn has_block(seed: u64) -> bool {
    seed % 8 == 7
}

fn granules(seed: u64) -> u64 {
    if has_block(seed) { MANY } else { FEW }
}

/// Answers by name and status.
type Tally = BTreeMap<(String, u64), u64>;

struct Failure {
    commands: Vec<Command>,
    why: String,
}

/// One boot, with commands at random.
fn explore(seed: u64, count: usize, tally: &mut Tally) -> Result<(), Failure> {
    let board = Board::new(granules(seed));
    let mut world = World::new(&board);
    let mut generator = Generator::new(seed, has_block(seed));
    let mut commands = Vec::new();
    for number in 1..=count {
        let command = generator.next(&world.model);
        commands.push(command.clone());
        let done = world.apply(&command).and_then(|answer| {
            let due = number % EVERYTHING == 0 || number == count;
            if due { world.everything().map(|()| answer) } else { Ok(answer) }
        });
        match done {
            Ok(answer) => *tally.entry((called(&command), answer[0])).or_default() += 1,
            Err(why) => return Err(Failure { commands, why }),
        }
    }
    world.tally.into_iter().for_each(|(key, count)| *tally.entry(key).or_default() += count);
    Ok(())
}

fn called(command: &Command) -> String {
    match command {
        Command::Call { x, .. } => name(x[0]),
        Command::Enter { .. } => "REC_ENTER".into(),
    }
}

/// Plays commands again: which was the last, and what was then wrong.
fn replay(granules: u64, commands: &[Command]) -> Option<(usize, String)> {
    let board = Board::new(granules);
    let mut world = World::new(&board);
    for (number, command) in commands.iter().enumerate() {
        if let Err(why) = world.apply(command) {
            return Some((number, why));
        }
    }
    world.everything().err().map(|why| (commands.len(), why))
}

/// A short list of commands that fails too, and why.
fn report(seed: u64, failure: &Failure) -> String {
    let granules = granules(seed);
    let short = shrink::shrink(failure.commands.clone(), |list| replay(granules, list).is_some());
    let why = replay(granules, &short).map_or_else(|| failure.why.clone(), |(_, why)| why);
    let list: Vec<String> = short.iter().map(|command| format!("  {command:?}")).collect();
    format!("seed {seed} (first seen: {}), shrunk:\n{}\n{why}", failure.why, list.join("\n"))
}

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[test]
fn the_rmm_answers_as_the_model_does() {
    let first = number("ALLOD_SEED", 6);
    let commands = number("ALLOD_SOAK_COMMANDS", 9_000) as usize;
    panic::set_hook(Box::new(|_| ()));
    let mut tally = Tally::new();
    let mut left = commands;
    let mut seed = first;
    let mut failed = None;
    while left > 0 && failed.is_none() {
        let count = left.min(BOOT);
        failed = explore(seed, count, &mut tally).err().map(|failure| report(seed, &failure));
        (left, seed) = (left - count, seed + 1);
    }
    drop(panic::take_hook());
    for ((name, status), count) in &tally {
        println!("{count:8} {name} -> {status:#x}");
    }
    assert!(failed.is_none(), "{}", failed.unwrap_or_default());
    println!("{commands} commands, seeds {first} to {}", seed - 1);
}

/// At random this is all but never met: mappings of 1 GB that a table of the highest level above would say as well.
#[test]
fn a_table_of_gigabytes_is_folded_only_when_nothing_is_mapped() {
    const HALF: u64 = 1 << 39;
    let [rd, root, table, params] = [0, 1, 2, 3].map(|number| BASE + number * GRANULE);
    let fold = call(fid::RTT_FOLD, &[rd, HALF, 1]);
    let mut commands: Vec<Command> = [rd, root, table].map(|pa| call(fid::GRANULE_DELEGATE, &[pa])).into();
    let page = Some((params, realm([40, 0, 1], 1, root)));
    commands.push(Command::Call { x: [fid::REALM_CREATE, rd, params, 0, 0, 0], page });
    let create = call(fid::RTT_CREATE, &[rd, table, HALF, 1]);
    commands.extend([create.clone(), fold.clone(), create]);
    for index in 0..512 {
        let at = index * size(1);
        commands.push(call(fid::RTT_MAP_UNPROTECTED, &[rd, HALF + at, 1, at | 0xDC]));
    }
    let board = Board::new(FEW);
    let mut world = World::new(&board);
    for command in &commands {
        assert_eq!(world.apply(command).unwrap()[0], 0, "{command:?}");
    }
    assert_eq!(world.apply(&fold).unwrap()[0], 0x104);
    world.everything().unwrap();
}
