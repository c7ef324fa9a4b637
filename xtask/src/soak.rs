//! `cargo xtask soak`: the RMM beside its model for as long as wanted, by commands at random.

use crate::{Done, room, tool};
use clap::Args;
use std::path::PathBuf;

/// What is asked for.
#[derive(Args)]
pub(crate) struct Soak {
    /// Commands, of all shards together.
    #[arg(long, default_value_t = 1_000_000)]
    commands: u64,
    /// Stop after this many seconds; the next run goes on from there.
    #[arg(long)]
    seconds: Option<u64>,
    /// Which part of the work, and of how many: 0/1 is all of it.
    #[arg(long, default_value = "0/1")]
    shard: String,
    /// Which commands.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Visit so many states of each small machine first (the first shard does).
    #[arg(long, default_value_t = 2_000)]
    states: u64,
    /// Where it is written how far the shard has come.
    #[arg(long)]
    state: Option<PathBuf>,
}

/// Builds the driver, quick and still checked, and runs it. What it finds is its failure.
pub(crate) fn soak(asked: &Soak) -> Done {
    let place = match &asked.state {
        Some(path) => path.clone(),
        None => {
            let folder = room::target("soak");
            std::fs::create_dir_all(&folder)?;
            folder.join(format!("seed-{}-shard-{}.txt", asked.seed, asked.shard.replace('/', "-of-")))
        }
    };
    let mut command = tool::cargo();
    command.args(["run", "--quiet", "--locked", "--release", "--package", "allod-machine", "--example", "soak", "--"]);
    command.args(["--commands", &asked.commands.to_string(), "--seed", &asked.seed.to_string()]);
    command.args(["--states", &asked.states.to_string(), "--shard", &asked.shard]);
    command.arg("--state").arg(place);
    if let Some(seconds) = asked.seconds {
        command.args(["--seconds", &seconds.to_string()]);
    }
    tool::run(&mut command)
}
