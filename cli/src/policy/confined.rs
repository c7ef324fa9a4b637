//! Policies are strangers' programs: each is evaluated by a process of this same program that has bounded its own
//! memory and time before it reads one, has no environment, and answers in one line.

use crate::Done;
use rustix::process::{Resource, Rlimit, Signal, setrlimit};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::thread::{Builder, sleep, spawn};
use std::time::{Duration, Instant};
use verifier::rego::{Decision, Refusal, Source, evaluate};

/// Address space of a process that evaluates a policy, in bytes, the program itself included.
const MEMORY: u64 = 512 * 1024 * 1024;
/// Its time on a processor, in seconds.
const TIME: u64 = 2;
/// The time after which it is ended whatever it does; it may have to wait for a processor.
const WALL: Duration = Duration::from_secs(120);
/// Its stack, in bytes.
const STACK: usize = 16 * 1024 * 1024;
/// Bytes of an answer that are read, at most.
const MAX_ANSWER: u64 = 4 * 1024 * 1024;
/// Bytes of what it says while it ends that are read, at most.
const MAX_SAID: u64 = 64 * 1024;

/// What such a process is asked.
#[derive(Serialize)]
struct Question<'a> {
    name: &'a str,
    text: &'a str,
    /// Nothing, if the policy is only to be read.
    document: Option<&'a Value>,
}

/// The same, as it arrives.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    name: String,
    text: String,
    document: Option<Value>,
}

type Answer = Result<Decision, Refusal>;

/// Asks a policy about a document.
///
/// # Errors
/// [`Refusal`] for whatever is no decision.
pub fn ask(source: &Source, document: &Value) -> Answer {
    question(&Question { name: source.name(), text: source.text(), document: Some(document) })
}

/// Reads a policy without asking it anything.
///
/// # Errors
/// [`Refusal`] for whatever is no policy.
pub fn read(source: &Source) -> Result<(), Refusal> {
    question(&Question { name: source.name(), text: source.text(), document: None }).map(drop)
}

fn question(question: &Question<'_>) -> Answer {
    let not_run = |why: &dyn std::fmt::Display| Refusal::NotRun(why.to_string());
    let question = serde_json::to_vec(question).map_err(|why| not_run(&why))?;
    let program = std::env::current_exe().map_err(|why| not_run(&why))?;
    let mut child = Command::new(program)
        .args(["policy", "evaluate"])
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|why| not_run(&why))?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    // A child that ends before it has read everything makes the rest of the question pointless, and no error.
    let asking = spawn(move || stdin.map(|mut stdin| stdin.write_all(&question)));
    let answer = spawn(move || stdout.map(|it| all(it, MAX_ANSWER)).unwrap_or_default());
    let said = spawn(move || stderr.map(|it| all(it, MAX_SAID)).unwrap_or_default());
    let ended = end(&mut child).map_err(|why| not_run(&why))?;
    let (answer, said) = (answer.join().unwrap_or_default(), said.join().unwrap_or_default());
    drop(asking.join());
    match ended {
        Some(status) if status.success() => {
            serde_json::from_slice(&answer).map_err(|why| not_run(&format!("its answer cannot be read: {why}")))?
        }
        Some(status) => Err(why(status, &String::from_utf8_lossy(&said))),
        None => Err(Refusal::Time { limit: u64::try_from(WALL.as_millis()).unwrap_or(u64::MAX) }),
    }
}

fn all(source: impl Read, most: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Whoever says more finds the pipe closed.
    match source.take(most).read_to_end(&mut bytes) {
        Ok(_) => bytes,
        Err(_) => Vec::new(),
    }
}

/// Waits for a process, and ends it if that takes too long: `None`.
fn end(child: &mut Child) -> std::io::Result<Option<ExitStatus>> {
    const PAUSE: Duration = Duration::from_millis(1);
    let start = Instant::now();
    while start.elapsed() < WALL {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        sleep(PAUSE);
    }
    child.kill()?;
    child.wait()?;
    Ok(None)
}

/// Why a process ended without an answer.
fn why(status: ExitStatus, said: &str) -> Refusal {
    let by = |signal: Signal| status.signal() == Some(signal.as_raw());
    if by(Signal::XCPU) || by(Signal::KILL) {
        Refusal::Time { limit: TIME.saturating_mul(1000) }
    } else if by(Signal::ABORT) && said.contains("memory allocation of") {
        Refusal::Memory { limit: MEMORY }
    } else if by(Signal::SEGV) || by(Signal::BUS) || (by(Signal::ABORT) && said.contains("overflowed its stack")) {
        Refusal::Depth
    } else {
        let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
        Refusal::NotRun(format!("{status}: {last}"))
    }
}

/// Answers the question on standard input, within limits: the other side of [`ask`].
pub fn answer() -> Done {
    confine()?;
    let mut question = Vec::new();
    std::io::stdin().read_to_end(&mut question)?;
    let asked: Asked = serde_json::from_slice(&question)?;
    drop(question);
    let thread = Builder::new().stack_size(STACK).spawn(move || decide(asked))?;
    let answer = thread.join().map_err(|_| "the evaluation panicked")?;
    println!("{}", serde_json::to_string(&answer)?);
    Ok(ExitCode::SUCCESS)
}

fn decide(asked: Asked) -> Answer {
    let source = Source::new(asked.name, asked.text.into_bytes())?;
    match &asked.document {
        Some(document) => evaluate(&source, document, WALL),
        None => verifier::rego::read(&source).map(|()| Decision::default()),
    }
}

/// Bounds what this process may take from now on; no limit can be raised again, and no core is left behind.
fn confine() -> Result<(), rustix::io::Errno> {
    let limit = |soft: u64, hard: u64| Rlimit { current: Some(soft), maximum: Some(hard) };
    setrlimit(Resource::As, limit(MEMORY, MEMORY))?;
    setrlimit(Resource::Cpu, limit(TIME, TIME.saturating_add(1)))?;
    setrlimit(Resource::Core, limit(0, 0))
}
