//! The RMM and the reference model of it, driven by the same commands: same answers, same state.
//!
//! `ALLOD_SOAK_COMMANDS` says how many commands, `ALLOD_SEED` which; `ALLOD_SOAK_STATES` how many states are explored.

// The crate goes by the name that the rest of the workspace calls it by.
extern crate allod_machine as machine;

mod boot;
mod command;
mod explore;
mod generate;
mod guest;
mod random;
mod shrink;
mod world;

use std::panic;

use machine::Board;
use machine::model::{GRANULE, fid, size};

use boot::{BOOT, FEW, Tally, report};
use command::Command;
use generate::{call, realm};
use world::{BASE, World};

/// States of each small machine in a run that is no soak.
const SOME: u64 = 150;

/// A number in the environment.
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
        failed = boot::explore(seed, count, &mut tally).err().map(|failure| report(seed, &failure));
        (left, seed) = (left - count, seed + 1);
    }
    drop(panic::take_hook());
    for ((name, status), count) in &tally {
        println!("{count:8} {name} -> {status:#x}");
    }
    assert!(failed.is_none(), "{}", failed.unwrap_or_default());
    println!("{commands} commands, seeds {first} to {}", seed - 1);
}

fn explored(index: usize) {
    let (name, alphabet) = &explore::alphabets()[index];
    match explore::visit(name, alphabet, number("ALLOD_SOAK_STATES", SOME)) {
        Ok(told) => println!("{told}"),
        Err(why) => panic!("{why}"),
    }
}

#[test]
fn two_realms_that_compete_for_memory() {
    explored(0);
}

#[test]
fn a_realm_that_runs() {
    explored(1);
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
