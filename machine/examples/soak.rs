//! Commands at random on the RMM and its model for as long as wanted: `cargo xtask soak` runs this.
//!
//! The work is cut into boots, each by a seed of its own. A shard takes every n-th boot; a state file says how far it
//! came, and the next run goes on from there. A difference is shrunk, printed and noted, and ends the run.

// The crate goes by the name that the rest of the workspace calls it by.
extern crate allod_machine as machine;

#[path = "../tests/model/boot.rs"]
mod boot;
#[path = "../tests/model/command.rs"]
mod command;
#[path = "../tests/model/explore.rs"]
mod explore;
#[path = "../tests/model/generate.rs"]
mod generate;
#[path = "../tests/model/guest.rs"]
mod guest;
#[path = "../tests/model/random.rs"]
mod random;
#[path = "../tests/model/shrink.rs"]
mod shrink;
#[path = "../tests/model/world.rs"]
mod world;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{env, fs, io, panic};

use boot::{BOOT, Tally};

/// How often the state is written and progress told.
const TOLD: Duration = Duration::from_secs(30);

/// What is asked for.
struct Plan {
    /// The first boot's seed.
    seed: u64,
    /// Commands of all shards together.
    commands: u64,
    /// How long at most.
    time: Option<Duration>,
    shard: u64,
    shards: u64,
    /// States of the small machines, visited by the first shard when it begins.
    states: u64,
    state: PathBuf,
}

impl Plan {
    fn read(arguments: impl Iterator<Item = String>) -> Result<Plan, String> {
        let mut plan =
            Plan { seed: 1, commands: 1_000_000, time: None, shard: 0, shards: 1, states: 0, state: "soak.txt".into() };
        let mut rest = arguments;
        while let Some(name) = rest.next() {
            let value = rest.next().ok_or_else(|| format!("{name} wants a value"))?;
            let number = |text: &str| text.parse::<u64>().map_err(|_| format!("{name} {text}: no number"));
            match name.as_str() {
                "--seed" => plan.seed = number(&value)?,
                "--commands" => plan.commands = number(&value)?,
                "--seconds" => plan.time = Some(Duration::from_secs(number(&value)?)),
                "--states" => plan.states = number(&value)?,
                "--state" => plan.state = value.into(),
                "--shard" => {
                    let (shard, shards) = value.split_once('/').ok_or("--shard wants i/n")?;
                    (plan.shard, plan.shards) = (number(shard)?, number(shards)?);
                    if plan.shard >= plan.shards {
                        return Err(format!("--shard {value}: i counts from 0, and is less than n"));
                    }
                }
                _ => return Err(format!("{name}: no such argument")),
            }
        }
        Ok(plan)
    }

    /// What a state file must say to be of this plan.
    fn label(&self) -> String {
        format!("soak seed {} shard {}/{}", self.seed, self.shard, self.shards)
    }

    /// Boots of this shard.
    fn boots(&self) -> u64 {
        let all = self.commands.div_ceil(BOOT as u64);
        all.saturating_sub(self.shard).div_ceil(self.shards)
    }

    /// The seed of a boot of this shard.
    fn seed_of(&self, boot: u64) -> u64 {
        self.seed + boot * self.shards + self.shard
    }
}

/// How far a shard has come.
#[derive(Default)]
struct State {
    boots: u64,
    seconds: u64,
    tally: Tally,
}

impl State {
    /// Reads what an earlier run of the same plan left; another's is an error, so that nothing is lost.
    fn load(plan: &Plan) -> Result<State, String> {
        let text = match fs::read_to_string(&plan.state) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(State::default()),
            Err(error) => return Err(format!("{}: {error}", plan.state.display())),
        };
        let mut lines = text.lines();
        if lines.next() != Some(&plan.label()) {
            return Err(format!("{}: of another soak than {}", plan.state.display(), plan.label()));
        }
        let mut state = State::default();
        for line in lines {
            let words: Vec<&str> = line.split(' ').collect();
            let bad = || format!("{}: {line}", plan.state.display());
            let number = |text: &str| text.parse::<u64>().map_err(|_| bad());
            match words[..] {
                ["boots", n] => state.boots = number(n)?,
                ["seconds", n] => state.seconds = number(n)?,
                ["answer", ref name @ .., status, count] => {
                    *state.tally.entry((name.join(" "), number(status)?)).or_default() += number(count)?;
                }
                _ => return Err(bad()),
            }
        }
        Ok(state)
    }

    fn save(&self, plan: &Plan) -> io::Result<()> {
        let mut text = format!("{}\nboots {}\nseconds {}\n", plan.label(), self.boots, self.seconds);
        for ((name, status), count) in &self.tally {
            let _ = writeln!(text, "answer {name} {status} {count}");
        }
        let beside = plan.state.with_extension("new");
        fs::write(&beside, text)?;
        fs::rename(beside, &plan.state)
    }

    fn commands(&self) -> u64 {
        self.boots * BOOT as u64
    }
}

/// Runs boots until the plan is done or its time over. Gives a difference that was found.
fn soak(plan: &Plan, state: &mut State) -> io::Result<Option<String>> {
    let (begin, before) = (Instant::now(), state.seconds);
    let mut told = begin;
    while state.boots < plan.boots() && plan.time.is_none_or(|time| begin.elapsed() < time) {
        let seed = plan.seed_of(state.boots);
        if let Err(failure) = boot::explore(seed, BOOT, &mut state.tally) {
            state.save(plan)?;
            return Ok(Some(boot::report(seed, &failure)));
        }
        state.boots += 1;
        state.seconds = before + begin.elapsed().as_secs();
        if told.elapsed() >= TOLD || state.boots == plan.boots() {
            told = Instant::now();
            state.save(plan)?;
            eprintln!("{}: {}", plan.label(), progress(state));
        }
    }
    state.save(plan)?;
    Ok(None)
}

fn progress(state: &State) -> String {
    let rate = state.commands() / state.seconds.max(1);
    format!("{} boots, {} commands, {} s, {rate} commands/s", state.boots, state.commands(), state.seconds)
}

fn run() -> Result<Option<String>, String> {
    let plan = Plan::read(env::args().skip(1))?;
    let mut state = State::load(&plan)?;
    // A panic of the machine is caught, and told with the command that led to it.
    panic::set_hook(Box::new(|_| ()));
    if plan.states > 0 && plan.shard == 0 && state.boots == 0 {
        for (name, alphabet) in explore::alphabets() {
            match explore::visit(name, &alphabet, plan.states) {
                Ok(told) => println!("{told}"),
                Err(why) => return Ok(Some(why)),
            }
        }
    }
    let found = soak(&plan, &mut state).map_err(|error| format!("{}: {error}", plan.state.display()))?;
    for ((name, status), count) in &state.tally {
        println!("{count:10} {name} -> {status:#x}");
    }
    println!("{}: {}, {}", plan.label(), progress(&state), if found.is_some() { "1 finding" } else { "no finding" });
    Ok(found)
}

fn main() -> ExitCode {
    match run() {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(found)) => {
            eprintln!("{found}");
            ExitCode::FAILURE
        }
        Err(why) => {
            eprintln!("soak: {why}");
            ExitCode::from(2)
        }
    }
}
