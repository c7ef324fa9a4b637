//! What a vCPU's program must see.

use super::answer::{Divergence, diverge};
use crate::guest::{Event, Op};

/// What a register may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reg {
    Is(u64),
    OneOf(u64, u64),
    /// The lower half of a result of PSCI: its upper half is that of a negative number, or zero.
    Low(u64),
    Any,
}

impl Reg {
    pub fn admits(self, value: u64) -> bool {
        match self {
            Reg::Is(only) => value == only,
            Reg::OneOf(one, other) => value == one || value == other,
            Reg::Low(low) => value as u32 == low as u32,
            Reg::Any => true,
        }
    }
}

/// Registers that a program sees when a call returns.
pub const SEEN: usize = 11;

/// What came of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    Start(u64),
    Returned(Box<[Reg; SEEN]>),
    /// RSI_ATTESTATION_TOKEN_CONTINUE, into at most so many bytes.
    Token(u64),
    Loaded(Reg),
    Stored,
    Woken,
    /// An abort of the Realm's own, with this fault status.
    Exception(u64),
    Protected,
}

/// How the REC goes on when it is next entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// The program sees this.
    Event(Expected),
    /// The operation under way is done again.
    Replay,
    /// A change of RIPAS is answered.
    Ripas,
    /// The host has answered a call.
    HostCall,
    /// It does not.
    Never,
}

/// A vCPU.
#[derive(Clone, Debug)]
pub struct Vcpu {
    pub x: [u64; 31],
    pub next: Next,
    /// The operation under way.
    pub op: Option<Op>,
}

/// Exception class of a data abort taken from the same level.
const DATA_ABORT: u64 = 0x25;

impl Vcpu {
    pub fn new(x: [u64; 31]) -> Vcpu {
        Vcpu { x, next: Next::Event(Expected::Start(x[0])), op: None }
    }

    /// Registers after a call: outputs from x0 on, zero up to x3, and then what they were, or zero.
    pub fn returned(&self, outputs: &[Reg]) -> Expected {
        Expected::Returned(Box::new(std::array::from_fn(|number| match outputs.get(number) {
            Some(output) => *output,
            None if number < 4 => Reg::Is(0),
            None => Reg::OneOf(0, self.x[number]),
        })))
    }

    pub fn returned_from_psci(&self, result: u64) -> Expected {
        self.returned(&[Reg::Low(result)])
    }

    /// Begins an operation: its registers are set.
    pub fn begin(&mut self, op: &Op) {
        match op {
            Op::Smc(registers) => self.x.iter_mut().zip(registers).for_each(|(to, from)| *to = *from),
            Op::Store { value, .. } => self.x[1] = *value,
            Op::Load { .. } | Op::Wfi => {}
        }
        self.op = Some(op.clone());
    }

    /// Compares what the program saw with what it must see.
    pub fn accept(&mut self, expected: &Expected, event: &Event) -> Result<(), Divergence> {
        let good = match (expected, event) {
            (Expected::Start(wanted), Event::Start { x0 }) => x0 == wanted,
            (Expected::Returned(wanted), Event::Returned(x)) => wanted.iter().zip(x).all(|(reg, x)| reg.admits(*x)),
            (Expected::Token(size), Event::Returned(x)) => token(*size, x),
            (Expected::Loaded(wanted), Event::Loaded(value)) => wanted.admits(*value),
            (Expected::Stored, Event::Stored) | (Expected::Woken, Event::Woken) => true,
            (Expected::Exception(status), Event::Exception { esr }) => esr >> 26 == DATA_ABORT && esr & 0x3F == *status,
            (Expected::Protected, Event::Protected) => true,
            _ => false,
        };
        if !good {
            diverge!("the Realm saw {event:x?} of {:x?}, and must see {expected:x?}", self.op);
        }
        if let Event::Returned(x) = event {
            self.x[..SEEN].copy_from_slice(x);
        }
        Ok(())
    }
}

/// More to come: as much as there was room for. All given: at most that.
fn token(size: u64, x: &[u64; SEEN]) -> bool {
    const INCOMPLETE: u64 = 3;
    let status = x[0] == INCOMPLETE && x[1] == size || x[0] == 0 && x[1] <= size;
    status && x[2] == 0 && x[3] == 0
}
