//! `cargo xtask test`: the tests that cargo runs, then the stories on QEMU: each boots Debian's kernel as a Realm under
//! our firmware, and looks at what `allod run --json` tells.

mod attacks;
mod stories;

use crate::demo::World;
use crate::{Done, chromium, images, room, tool};
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::Instant;

/// One story: a name, how much of the machine it takes, and what is to be seen.
pub(crate) struct Case {
    name: &'static str,
    weight: Weight,
    tell: fn(&Stage) -> Done,
}

/// How many stories of a kind run side by side.
#[derive(Clone, Copy, PartialEq)]
enum Weight {
    /// Two at a time: one virtual CPU each.
    Light,
    /// Alone: several virtual CPUs, or times that are measured.
    Heavy,
}

/// What the stories are told on.
pub(crate) struct Stage {
    world: World,
    /// A folder of this run's own.
    scratch: PathBuf,
}

/// What one `allod run` came to.
struct Run {
    code: i32,
    json: Value,
    stderr: String,
}

#[derive(Default)]
struct Tally {
    passed: u32,
    failed: u32,
    skipped: u32,
}

/// Runs everything, or the stories whose names contain `only`; the last line on stdout is the sum.
pub(crate) fn test(only: Option<&str>) -> Done {
    let mut tally = if only.is_none() { cargo_tests()? } else { Tally::default() };
    let world = World::prepare()?;
    let scratch = room::target("allod/scratch");
    let _ = fs::remove_dir_all(&scratch);
    fs::create_dir_all(&scratch)?;
    let stage = Stage { world, scratch };
    let cases: Vec<Case> = stories::CASES.into_iter().chain(attacks::CASES).collect();
    let chosen = cases.iter().filter(|case| only.is_none_or(|only| case.name.contains(only)));
    let (light, heavy): (Vec<&Case>, Vec<&Case>) = chosen.partition(|case| case.weight == Weight::Light);
    for (cases, side_by_side) in [(light, 2), (heavy, 1)] {
        let (passed, failed) = tell_all(&stage, &cases, side_by_side);
        tally.passed += passed;
        tally.failed += failed;
    }
    let Tally { passed, failed, skipped } = tally;
    let skips = if skipped > 0 { format!(", {skipped} skipped") } else { String::new() };
    println!("{passed} passed, {failed} failed{skips}");
    if failed == 0 { Ok(()) } else { Err("a test failed".into()) }
}

/// `cargo test`, whose own summaries are added up.
fn cargo_tests() -> Done<Tally> {
    let mut command = tool::cargo();
    let pages = chromium::provision();
    match &pages {
        Ok(program) => command.env("ALLOD_CHROMIUM", program),
        Err(_) => command.env_remove("ALLOD_CHROMIUM"),
    };
    let mut child = command.args(["test", "--locked", "--no-fail-fast"]).stdout(Stdio::piped()).spawn()?;
    let mut tally = Tally::default();
    for line in BufReader::new(child.stdout.take().ok_or("no output of cargo test")?).lines() {
        let line = line?;
        if let Some(summary) = line.strip_prefix("test result: ") {
            let count = |what: &str| count_before(summary, what);
            tally.passed += count("passed");
            tally.failed += count("failed");
            tally.skipped += count("ignored");
        }
        println!("{line}");
    }
    let status = child.wait()?;
    if !status.success() && tally.failed == 0 {
        tally.failed = 1;
    }
    if let Err(why) = pages {
        // The test that looks at pages had nothing to look with, and passed for cargo all the same.
        println!("– pages in Chromium: skipped, {why}");
        tally.passed = tally.passed.saturating_sub(1);
        tally.skipped += 1;
    }
    Ok(tally)
}

fn count_before(summary: &str, what: &str) -> u32 {
    let words: Vec<&str> = summary.split([' ', ';']).filter(|word| !word.is_empty()).collect();
    let at = words.iter().position(|word| *word == what);
    at.and_then(|at| words.get(at.checked_sub(1)?)?.parse().ok()).unwrap_or(0)
}

fn tell_all(stage: &Stage, cases: &[&Case], side_by_side: usize) -> (u32, u32) {
    let queue = Mutex::new(cases.iter());
    let counts = Mutex::new((0, 0));
    std::thread::scope(|scope| {
        for _ in 0..side_by_side {
            scope.spawn(|| {
                while let Some(case) = queue.lock().ok().and_then(|mut queue| queue.next()) {
                    let passed = tell(stage, case);
                    if let Ok(mut counts) = counts.lock() {
                        *if passed { &mut counts.0 } else { &mut counts.1 } += 1;
                    }
                }
            });
        }
    });
    counts.into_inner().unwrap_or((0, u32::try_from(cases.len()).unwrap_or(u32::MAX)))
}

fn tell(stage: &Stage, case: &Case) -> bool {
    let begun = Instant::now();
    let told = (case.tell)(stage);
    let seconds = begun.elapsed().as_secs_f64();
    match &told {
        Ok(()) => println!("✓ {} ({seconds:.1} s)", case.name),
        Err(error) => println!("✗ {} ({seconds:.1} s): {error}", case.name),
    }
    told.is_ok()
}

impl Stage {
    /// `allod run` in this world with more arguments.
    fn run(&self, args: &[&str]) -> Done<Run> {
        Run::of(self.world.run().args(args))
    }

    /// A run that must be affirmed.
    fn affirmed(&self, args: &[&str]) -> Done<Run> {
        let run = self.run(&[&["--verify"], args].concat())?;
        run.want(run.code == 0 && run.json["verdict"] == "affirming", "an affirming verdict")?;
        Ok(run)
    }

    /// A folder of firmware in which a program is a test build: one that lacks a defence, or tells more than what ships.
    fn test_build(&self, program: &str, feature: &str) -> Done<PathBuf> {
        let dir = self.scratch.join(feature);
        images::test_build(&self.world.images.firmware, program, feature, &dir)?;
        Ok(dir)
    }

    /// Runs `allod` with other than its `run` command.
    fn allod(&self) -> Command {
        Command::new(&self.world.images.allod)
    }
}

impl Run {
    fn of(command: &mut Command) -> Done<Run> {
        let out = command.arg("--json").stdin(Stdio::null()).output()?;
        let stderr = String::from_utf8_lossy(&out.stderr).into_owned();
        let json = serde_json::from_slice(&out.stdout).unwrap_or(Value::Null);
        Ok(Run { code: out.status.code().unwrap_or(-1), json, stderr })
    }

    /// An error that tells what was seen instead, unless this holds.
    fn want(&self, holds: bool, what: &str) -> Done {
        if holds {
            return Ok(());
        }
        let (json, log) = (&self.json, &self.json["log"]);
        let events: Vec<&str> = self.events().filter_map(|event| event["event"].as_str()).collect();
        let tail = log.as_array().map_or(&[][..], |lines| &lines[lines.len().saturating_sub(12)..]);
        Err(format!(
            "expected {what}; exit {}, verdict {}, failed {} ({}), attack {}, events {events:?}, log {tail:?} {}",
            self.code,
            json["verdict"],
            json["failed"],
            json["reason"],
            json["attack"],
            self.stderr.trim()
        )
        .into())
    }

    fn events(&self) -> impl Iterator<Item = &Value> {
        self.json["events"].as_array().into_iter().flatten()
    }

    fn event(&self, name: &str) -> Option<&Value> {
        self.events().find(|event| event["event"] == name)
    }

    fn count(&self, name: &str) -> usize {
        self.events().filter(|event| event["event"] == name).count()
    }

    /// Every answer of the guest tool to a line.
    fn answers(&self, ask: &str) -> Vec<&str> {
        let answers = self.json["answers"].as_array().into_iter().flatten();
        answers.filter(|answer| answer["ask"] == ask).filter_map(|answer| answer["answer"].as_str()).collect()
    }

    /// What a check of the verdict found.
    fn found(&self, step: &str) -> Option<&str> {
        let checks = self.json["report"]["checks"].as_array()?;
        checks.iter().find(|check| check["step"] == step)?["found"].as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_are_read() {
        let summary = "ok. 29 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.32s";
        assert_eq!(["passed", "failed", "ignored"].map(|what| count_before(summary, what)), [29, 2, 1]);
    }
}
