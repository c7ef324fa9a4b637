//! `cargo xtask fuzz`: libFuzzer on every parser of foreign bytes, and on the RMM beside its model.
//!
//! The flags that instrument are ordinary ones of the compiler, so that the toolchain that builds the rest does. What a run
//! learns is kept under `target/`; `--keep` puts the smallest inputs that reach as much into `fuzz/corpus/`, which
//! `cargo test` replays.

use crate::{Done, room, tool};
use clap::Args;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What there is to fuzz.
const TARGETS: [&str; 8] = ["token", "log", "corim", "der", "text", "boot", "rmi", "rsi"];
/// Where the instrumented programs run.
const HOST: &str = "x86_64-unknown-linux-gnu";
/// As cargo-fuzz has them, without a sanitizer: the code is safe Rust.
const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=4 --cfg fuzzing";
/// Bytes of the longest input; of the machine's targets, choices.
const LONGEST: usize = 6144;
const MOST_CHOICES: usize = 1024;
/// Bytes that a target's committed inputs may have together.
const KEPT: u64 = 512 * 1024;

/// What is asked for.
#[derive(Args)]
pub(crate) struct Fuzz {
    /// The targets; all if none is named.
    #[arg(value_parser = TARGETS)]
    targets: Vec<String>,
    /// How long each runs.
    #[arg(long, default_value_t = 1200)]
    seconds: u64,
    /// How many run at once.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
    jobs: u32,
    /// Begin with the files of a folder too; their kinds of bytes are tried in every way. What comes of them is not kept.
    #[arg(long, value_name = "FOLDER", conflicts_with = "keep")]
    vectors: Option<PathBuf>,
    /// Put the smallest inputs that reach as much into fuzz/corpus.
    #[arg(long)]
    keep: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// What a run came to.
struct Ran {
    target: String,
    seconds: u64,
    executions: u64,
    /// Edges of the program that were taken.
    edges: u64,
    inputs: usize,
    findings: Vec<String>,
}

/// Builds, runs each target, prints what that came to; a finding is a failure.
pub(crate) fn fuzz(asked: &Fuzz) -> Done {
    build()?;
    let all: Vec<String> = TARGETS.map(String::from).into();
    let targets = if asked.targets.is_empty() { &all } else { &asked.targets };
    let mut ran = Vec::new();
    for some in targets.chunks(asked.jobs as usize) {
        let runs = some.iter().map(|target| Run::start(target, asked)).collect::<Done<Vec<_>>>()?;
        for run in runs {
            ran.push(run.end(asked)?);
        }
    }
    if asked.json {
        println!("{}", object(&ran))
    } else {
        print(&ran)
    }
    let found: usize = ran.iter().map(|it| it.findings.len()).sum();
    if found == 0 {
        Ok(())
    } else {
        Err(format!("{found} findings: run the program of the target on the file named").into())
    }
}

fn programs() -> PathBuf {
    room::target("fuzz").join("build")
}

fn build() -> Done {
    let mut cargo = tool::cargo();
    // Not locked: what the other workspace comes to depend on is found in its own lock file, and follows here.
    cargo.args(["build", "--release", "--target", HOST, "--manifest-path", "fuzz/Cargo.toml"]);
    cargo.env("CARGO_TARGET_DIR", programs()).env("RUSTFLAGS", FLAGS);
    tool::run(&mut cargo)
}

/// A target that runs.
struct Run {
    target: String,
    child: std::process::Child,
    log: PathBuf,
    artifacts: PathBuf,
    work: PathBuf,
    begun: Instant,
}

impl Run {
    fn start(target: &str, asked: &Fuzz) -> Done<Run> {
        let kind = if asked.vectors.is_some() { "with-vectors" } else { "own" };
        let place = room::target("fuzz").join(kind).join(target);
        let (work, artifacts, log) = (place.join("corpus"), place.join("findings"), place.join("log.txt"));
        for folder in [&work, &artifacts, &kept(target)] {
            fs::create_dir_all(folder)?;
        }
        if let Some(vectors) = &asked.vectors {
            seed(vectors, &work)?;
        }
        let mut command = program(target);
        command.arg(format!("-max_total_time={}", asked.seconds)).arg("-print_final_stats=1");
        command.args(["-timeout=600", "-rss_limit_mb=4096", "-reload=0"]);
        command.arg(format!("-artifact_prefix={}/", artifacts.display()));
        command.arg(&work).arg(kept(target)).stdout(Stdio::null()).stderr(fs::File::create(&log)?);
        let child = command.spawn().map_err(|error| format!("{target}: {error}"))?;
        Ok(Run { target: target.into(), child, log, artifacts, work, begun: Instant::now() })
    }

    fn end(mut self, asked: &Fuzz) -> Done<Ran> {
        let status = self.child.wait()?;
        let seconds = self.begun.elapsed().as_secs();
        let text = String::from_utf8_lossy(&fs::read(&self.log)?).into_owned();
        let executions = number(&text, "stat::number_of_executed_units:").unwrap_or(0);
        let edges = text.lines().filter_map(|line| number(line, " cov:")).max().unwrap_or(0);
        let findings = files(&self.artifacts)?.iter().map(|path| room::shown(path)).collect::<Vec<_>>();
        if !status.success() && findings.is_empty() {
            return Err(format!("{} ended ({status}): {}", self.target, room::shown(&self.log)).into());
        }
        if asked.keep {
            keep(&self.target, &self.work)?;
        }
        let inputs = files(&self.work)?.len();
        Ok(Ran { target: self.target, seconds, executions, edges, inputs, findings })
    }
}

fn kept(target: &str) -> PathBuf {
    room::root().join("fuzz/corpus").join(target)
}

fn longest(target: &str) -> usize {
    if ["rmi", "rsi"].contains(&target) { MOST_CHOICES } else { LONGEST }
}

fn program(target: &str) -> Command {
    let mut command = Command::new(programs().join(HOST).join("release").join(target));
    command.arg(format!("-max_len={}", longest(target)));
    command
}

/// Puts every file of a folder and below, small enough, behind each selector that a target may have.
fn seed(from: &Path, to: &Path) -> Done {
    for path in files(from)? {
        let bytes = fs::read(&path)?;
        for selector in 0..8_u8 {
            let name = tool::hex(&<sha2::Sha256 as sha2::Digest>::digest(&bytes));
            if bytes.len() < 64 * 1024 {
                fs::write(to.join(format!("{selector}-{name}")), [&[selector], &bytes[..]].concat())?;
            }
        }
    }
    Ok(())
}

/// The files of a folder and of those in it.
fn files(folder: &Path) -> Done<Vec<PathBuf>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() { all.extend(files(&path)?) } else { all.push(path) }
    }
    all.sort();
    Ok(all)
}

/// Replaces what is committed by the fewest inputs that take every edge, the shortest first, as far as they have room.
fn keep(target: &str, work: &Path) -> Done {
    let (place, old) = (work.with_file_name("merged"), kept(target));
    let _ = fs::remove_dir_all(&place);
    fs::create_dir_all(&place)?;
    let mut merge = program(target);
    merge.args(["-set_cover_merge=1", "-use_counters=0", "-timeout=600", "-rss_limit_mb=4096"]);
    tool::run(merge.arg(&place).arg(&old).arg(work).stdout(Stdio::null()).stderr(Stdio::null()))?;
    let sized = |path: PathBuf| fs::metadata(&path).map(|it| (it.len(), path));
    let mut merged = files(&place)?.into_iter().map(sized).collect::<Result<Vec<_>, _>>()?;
    merged.sort();
    fs::remove_dir_all(&old)?;
    fs::create_dir_all(&old)?;
    let mut left = KEPT;
    for (size, path) in merged {
        left = left.saturating_sub(size);
        if left > 0 {
            fs::copy(&path, old.join(path.file_name().unwrap_or_default()))?;
        }
    }
    Ok(())
}

/// The number behind a label.
fn number(text: &str, label: &str) -> Option<u64> {
    let rest = text.rsplit_once(label)?.1.trim_start();
    rest.split(|it: char| !it.is_ascii_digit()).next()?.parse().ok()
}

fn print(ran: &[Ran]) {
    println!("{:8} {:>8} {:>14} {:>8} {:>8} {:>9}", "target", "seconds", "executions", "edges", "inputs", "findings");
    for it in ran {
        let Ran { target, seconds, executions, edges, inputs, findings } = it;
        println!("{target:8} {seconds:>8} {executions:>14} {edges:>8} {inputs:>8} {:>9}", findings.len());
        findings.iter().for_each(|path| println!("  {path}"));
    }
    let total: u64 = ran.iter().map(|it| it.executions).sum();
    let time = Duration::from_secs(ran.iter().map(|it| it.seconds).sum());
    println!("{total} executions in {} s", time.as_secs());
}

fn object(ran: &[Ran]) -> Value {
    let list = ran.iter().map(|it| {
        json!({"target": it.target, "seconds": it.seconds, "executions": it.executions, "edges": it.edges,
            "inputs": it.inputs, "findings": it.findings})
    });
    let list: Vec<Value> = list.collect();
    json!({"targets": list, "executions": ran.iter().map(|it| it.executions).sum::<u64>()})
}
