//! One start of the machine from reset to power-off: what it said, what it was asked, and when.

use super::frame::{Decoder, Piece};
use super::qemu::{Input, Machine, Parts};
use super::timeline::{Timeline, stage_of};
use super::trace;
use evidence::hex;
use serde_json::Value;
use std::error::Error;
use std::io::Write;
use std::time::{Duration, Instant};
use verifier::Verdict;

type Done = Result<(), Box<dyn Error>>;

/// What the machine says is kept up to these bounds: it is not trusted to stop by itself.
const MAX_CONSOLE: usize = 1 << 20;
const MAX_EVENTS: usize = 20_000;
const MAX_LINE: usize = 1 << 20;

/// Beginning of the name of the stage in which a token was judged; the outcome follows.
pub const VERDICT: &str = "verdict: ";

/// Judges a token for a challenge.
pub type Judge<'a> = &'a dyn Fn(&[u8; 64], &[u8]) -> Result<Verdict, Box<dyn Error>>;

/// What the guest tool is asked, in this order, in every Realm.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// A token over a challenge.
    Attest([u8; 64]),
    /// A line of the guest tool's protocol (docs/architecture.md §7) that has an answer.
    Line(String),
    /// Power off through PSCI; nothing is answered.
    PowerOff,
}

/// How a session is held.
pub struct Manner<'a> {
    /// What the guest tool is asked.
    pub asks: Vec<Ask>,
    /// Who judges each token as it comes, if somebody does.
    pub judge: Option<Judge<'a>>,
    /// How long the machine may take.
    pub timeout: Duration,
    /// Show the Realm's console as it comes, and pass on what is typed.
    pub console: bool,
    /// Show the firmware's messages and calls as they come.
    pub trace: bool,
    /// Show each stage as it ends.
    pub progress: bool,
}

/// What one start of the machine came to.
pub struct Record {
    /// The stages with their times.
    pub timeline: Timeline,
    /// The machine's events, in order.
    pub events: Vec<Value>,
    /// The tokens, each with the challenge it was asked for.
    pub tokens: Vec<([u8; 64], Vec<u8>)>,
    /// The verdicts on them, as far as they were judged as they came.
    pub verdicts: Vec<Verdict>,
    /// The answers of the guest tool to lines, each with the line.
    pub answers: Vec<(String, String)>,
    /// Boot's refusal, if it refused: the step and why.
    pub refused: Option<(String, String)>,
    /// Lines of the firmware and of the host for people, the last of them.
    pub log: Vec<String>,
    /// What the Realm wrote on its console, the first megabyte of it.
    pub console: Vec<u8>,
    /// Why the session ended other than by the machine's own power-off.
    pub trouble: Option<String>,
}

impl Record {
    /// The first event of a name.
    pub fn event(&self, name: &str) -> Option<&Value> {
        self.events.iter().find(|event| event["event"] == name)
    }

    /// The machine came to its own end: every Realm stopped and the host said so.
    pub fn ended_well(&self) -> bool {
        self.trouble.is_none()
            && self.refused.is_none()
            && self.event("done").is_some()
            && self.event("error").is_none()
    }

    /// The step that failed and why, if one did.
    pub fn failure(&self) -> Option<(String, String)> {
        let text = |event: &Value, key: &str| event[key].as_str().unwrap_or("unknown").to_owned();
        let error = self.event("error").map(|event| (text(event, "step"), text(event, "why")));
        let trouble = || self.trouble.clone().map(|why| ("machine".to_owned(), why));
        let unfinished = || {
            self.event("done").is_none().then(|| ("machine".to_owned(), "it ended before its work was done".to_owned()))
        };
        self.refused.clone().or(error).or_else(trouble).or_else(unfinished)
    }
}

struct Session<'a> {
    machine: Machine,
    manner: &'a Manner<'a>,
    record: Record,
    host: Decoder,
    root: Decoder,
    guest: Vec<u8>,
    /// Index of the ask whose answer is awaited, or of the next one.
    at: usize,
}

/// Starts a machine and stays with it to its end.
pub fn hold(parts: &Parts, manner: &Manner) -> Result<Record, Box<dyn Error>> {
    let timeline = Timeline::begin();
    let machine = Machine::start(parts)?;
    let record = Record {
        timeline,
        events: Vec::new(),
        tokens: Vec::new(),
        verdicts: Vec::new(),
        answers: Vec::new(),
        refused: None,
        log: Vec::new(),
        console: Vec::new(),
        trouble: None,
    };
    let mut session = Session {
        machine,
        manner,
        record,
        host: Decoder::default(),
        root: Decoder::default(),
        guest: Vec::new(),
        at: 0,
    };
    if manner.console {
        type_into(&session.machine);
    }
    if let Err(error) = session.stay() {
        session.record.trouble = Some(format!("{error} {}", session.machine.said().trim()).trim_end().to_owned());
    }
    Ok(session.record)
}

impl Session<'_> {
    fn stay(&mut self) -> Done {
        let deadline = Instant::now() + self.manner.timeout;
        loop {
            match self.machine.next(deadline) {
                Some(Input::Host(bytes)) => {
                    for piece in self.host.feed(&bytes) {
                        self.hear_host(piece)?;
                    }
                }
                Some(Input::Root(bytes)) => {
                    let pieces = self.root.feed(&bytes);
                    pieces.into_iter().for_each(|piece| self.hear_root(piece));
                }
                Some(Input::Typed(bytes)) => self.machine.send(b'C', &bytes)?,
                Some(Input::Closed) => return self.closed(),
                None => {
                    self.record.trouble = Some(format!("no end after {} s; killed", self.manner.timeout.as_secs()));
                    self.leftovers();
                    return Ok(());
                }
            }
        }
    }

    /// QEMU has closed a port: it is ending. What the other port still holds is read first.
    fn closed(&mut self) -> Done {
        let grace = Instant::now() + Duration::from_secs(5);
        let status = self.machine.ended(grace)?;
        while let Some(input) = self.machine.next(Instant::now() + Duration::from_millis(50)) {
            match input {
                Input::Host(bytes) => self.host.feed(&bytes).into_iter().try_for_each(|piece| self.hear_host(piece))?,
                Input::Root(bytes) => self.root.feed(&bytes).into_iter().for_each(|piece| self.hear_root(piece)),
                Input::Closed | Input::Typed(_) => {}
            }
        }
        self.leftovers();
        match status {
            Some(status) if status.success() => {}
            Some(status) => {
                self.record.trouble = Some(format!("QEMU ended with {status}: {}", self.machine.said().trim()))
            }
            None => self.record.trouble = Some("QEMU closed its ports but did not end".into()),
        }
        Ok(())
    }

    fn leftovers(&mut self) {
        for piece in [self.host.rest(), self.root.rest()].into_iter().flatten() {
            if let Piece::Raw(line) = piece {
                self.note(line);
            }
        }
    }

    fn hear_host(&mut self, piece: Piece) -> Done {
        match piece {
            Piece::Frame(b'E', json) => self.event(&json),
            Piece::Frame(b'C', bytes) => self.console(&bytes),
            Piece::Frame(b'A', bytes) => return self.hear_guest(&bytes),
            Piece::Frame(b'L', text) => self.note(String::from_utf8_lossy(&text).trim_end().to_owned()),
            Piece::Frame(channel, _) => self.note(format!("host: a frame for unknown channel {channel:#x}")),
            Piece::Raw(line) => self.note(format!("host: {line}")),
        }
        Ok(())
    }

    fn hear_root(&mut self, piece: Piece) {
        let Piece::Raw(line) = piece else { return };
        if let Some(call) = trace::decode(&line) {
            if self.manner.trace {
                eprintln!("  {call}");
            }
            return;
        }
        if let Some((step, why)) = line.strip_prefix("boot: refused: ").and_then(|rest| rest.split_once(": ")) {
            self.record.refused = Some((step.to_owned(), why.to_owned()));
        }
        self.note(line);
    }

    fn event(&mut self, json: &[u8]) {
        let Ok(event) = serde_json::from_slice::<Value>(json) else {
            return self.note(format!("host: an event that is no JSON: {}", String::from_utf8_lossy(json)));
        };
        let name = event["event"].as_str().unwrap_or_default().to_owned();
        if name == "realm" {
            self.at = 0;
            self.guest.clear();
        }
        if let Some(stage) = stage_of(&name) {
            self.stage(stage);
        }
        if self.record.events.len() < MAX_EVENTS {
            self.record.events.push(event);
        }
    }

    fn stage(&mut self, name: &str) {
        let stage = self.record.timeline.end(name);
        if self.manner.progress {
            println!("  {:>7.3} s  {}", stage.took.as_secs_f64(), stage.name);
        }
    }

    fn hear_guest(&mut self, bytes: &[u8]) -> Done {
        self.guest.extend_from_slice(bytes);
        if self.guest.len() > MAX_LINE {
            return Err(format!("the guest tool wrote a line of more than {MAX_LINE} bytes").into());
        }
        while let Some(end) = self.guest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.guest.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            self.answer(&line)?;
        }
        Ok(())
    }

    fn answer(&mut self, line: &str) -> Done {
        if line.starts_with("ready") {
            self.stage("Linux booted to the guest tool");
            self.record.answers.push(("ready".into(), line.into()));
            return self.ask();
        }
        match self.manner.asks.get(self.at) {
            Some(Ask::Attest(nonce)) => self.token(*nonce, line)?,
            Some(Ask::Line(asked)) => {
                self.record.answers.push((asked.clone(), line.to_owned()));
                self.stage(&format!("guest answered {asked}"));
            }
            Some(Ask::PowerOff) | None => {
                self.note(format!("guest: {line}"));
                return Ok(());
            }
        }
        self.at += 1;
        self.ask()
    }

    fn token(&mut self, nonce: [u8; 64], line: &str) -> Done {
        let Some(token) = line.strip_prefix("token ").and_then(hex::decode) else {
            self.record.answers.push(("attest".into(), line.to_owned()));
            self.note(format!("guest: no token: {line}"));
            return Ok(());
        };
        self.stage("token of the Realm for a fresh nonce");
        if let Some(judge) = self.manner.judge {
            let verdict = judge(&nonce, &token)?;
            self.stage(&format!("{VERDICT}{}", verdict.outcome().name()));
            self.record.verdicts.push(verdict);
        }
        self.record.tokens.push((nonce, token));
        Ok(())
    }

    /// Asks what is to be asked next.
    fn ask(&mut self) -> Done {
        let line = match self.manner.asks.get(self.at) {
            Some(Ask::Attest(nonce)) => format!("attest {}\n", hex::encode(nonce)),
            Some(Ask::Line(line)) => format!("{line}\n"),
            Some(Ask::PowerOff) => "poweroff\n".into(),
            None => return Ok(()),
        };
        Ok(self.machine.send(b'A', line.as_bytes())?)
    }

    fn console(&mut self, bytes: &[u8]) {
        let room = MAX_CONSOLE.saturating_sub(self.record.console.len());
        self.record.console.extend_from_slice(&bytes[..bytes.len().min(room)]);
        if self.manner.console {
            let mut out = std::io::stderr();
            let _ = out.write_all(bytes).and_then(|()| out.flush());
        }
    }

    fn note(&mut self, line: String) {
        if self.manner.trace {
            eprintln!("  {line}");
        }
        if self.record.log.len() > 200 {
            self.record.log.remove(0);
        }
        self.record.log.push(line);
    }
}

/// Passes what a person types on to the machine.
fn type_into(machine: &Machine) {
    let to = machine.typed();
    std::thread::spawn(move || {
        let mut buffer = [0; 256];
        while let Ok(length @ 1..) = std::io::Read::read(&mut std::io::stdin(), &mut buffer) {
            if to.send(Input::Typed(buffer[..length].to_vec())).is_err() {
                return;
            }
        }
    });
}
