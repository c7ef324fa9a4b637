//! Programs written as straight-line code: a thread of their own that stands still while the vCPU is not running.

use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{JoinHandle, spawn};

use super::{Event, Op, Program};

/// The vCPU that a script runs on.
pub struct Cpu {
    events: Receiver<Event>,
    ops: Sender<Op>,
    /// x0 at the start.
    pub x0: u64,
}

/// What stopped an operation: an exception that the vCPU took, or a granule protection fault of its own.
pub type Stopped = Event;

/// The vCPU is gone: the script ends where it stands.
struct Gone;

struct Script {
    events: Option<Sender<Event>>,
    ops: Receiver<Op>,
    thread: Option<JoinHandle<()>>,
}

/// Makes a program of straight-line code. A panic in it is one in who runs it, and so is an end: a vCPU has none.
pub fn script(body: impl FnOnce(&mut Cpu) + Send + 'static) -> Box<dyn Program> {
    let (events, to) = channel();
    let (from, ops) = channel();
    let thread = spawn(move || {
        let mut cpu = Cpu { events: to, ops: from, x0: 0 };
        if let Event::Start { x0 } = cpu.event() {
            cpu.x0 = x0;
        }
        body(&mut cpu);
    });
    Box::new(Script { events: Some(events), ops, thread: Some(thread) })
}

impl Program for Script {
    fn next(&mut self, event: Event) -> Op {
        if let Some(events) = &self.events
            && events.send(event).is_ok()
            && let Ok(op) = self.ops.recv()
        {
            return op;
        }
        self.events = None;
        match self.thread.take().map(JoinHandle::join) {
            Some(Err(panic)) => resume_unwind(panic),
            _ => panic!("a script ended, and its vCPU did not"),
        }
    }
}

impl Cpu {
    /// Makes an SMC with these x0 and up; x0 to x10 after it.
    ///
    /// # Errors
    /// The exception that was taken instead.
    pub fn smc(&mut self, registers: &[u64]) -> Result<[u64; 11], Stopped> {
        match self.act(Op::Smc(registers.to_vec())) {
            Event::Returned(registers) => Ok(registers),
            stopped => Err(stopped),
        }
    }

    /// Loads eight bytes.
    ///
    /// # Errors
    /// The fault that was taken instead.
    pub fn load(&mut self, ipa: u64) -> Result<u64, Stopped> {
        match self.act(Op::Load { ipa }) {
            Event::Loaded(value) => Ok(value),
            stopped => Err(stopped),
        }
    }

    /// Stores eight bytes.
    ///
    /// # Errors
    /// The fault that was taken instead.
    pub fn store(&mut self, ipa: u64, value: u64) -> Result<(), Stopped> {
        match self.act(Op::Store { ipa, value }) {
            Event::Stored => Ok(()),
            stopped => Err(stopped),
        }
    }

    /// Waits for an interrupt.
    pub fn wfi(&mut self) {
        self.act(Op::Wfi);
    }

    fn act(&mut self, op: Op) -> Event {
        match self.ops.send(op) {
            Ok(()) => self.event(),
            Err(_) => resume_unwind(Box::new(Gone)),
        }
    }

    fn event(&mut self) -> Event {
        self.events.recv().unwrap_or_else(|_| resume_unwind(Box::new(Gone)))
    }
}
