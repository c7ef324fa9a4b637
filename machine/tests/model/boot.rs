//! One boot: commands at random on the machine and the model, and a short list of them where the two differ.

use std::collections::BTreeMap;

use machine::Board;

use crate::command::{Command, name};
use crate::generate::Generator;
use crate::shrink;
use crate::world::World;

/// Commands of one boot.
pub const BOOT: usize = 3000;
/// How often everything is compared.
const EVERYTHING: usize = 300;
/// Granules of a machine, and of one in which a block of 2 MB finds room.
pub const FEW: u64 = 96;
const MANY: u64 = 512 + FEW;

/// Whether the machine of a seed has room for a block.
fn has_block(seed: u64) -> bool {
    seed % 8 == 7
}

fn granules(seed: u64) -> u64 {
    if has_block(seed) { MANY } else { FEW }
}

/// Answers by name and status.
pub type Tally = BTreeMap<(String, u64), u64>;

/// A list of commands, and what was wrong after the last.
pub struct Failure {
    commands: Vec<Command>,
    why: String,
}

/// One boot, with commands at random.
pub fn explore(seed: u64, count: usize, tally: &mut Tally) -> Result<(), Failure> {
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
pub fn report(seed: u64, failure: &Failure) -> String {
    let granules = granules(seed);
    let short = shrink::shrink(failure.commands.clone(), |list| replay(granules, list).is_some());
    let why = replay(granules, &short).map_or_else(|| failure.why.clone(), |(_, why)| why);
    let list: Vec<String> = short.iter().map(|command| format!("  {command:?}")).collect();
    format!("seed {seed} (first seen: {}), shrunk:\n{}\n{why}", failure.why, list.join("\n"))
}
