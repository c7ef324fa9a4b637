//! Scripted Realms: a program is asked, operation by operation, what its vCPU does next.

mod script;

use rmm::rec::context::RecContext;

pub use script::{Cpu, Stopped, script};

/// What a vCPU does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// SMC with x0 and up; further registers keep their values.
    Smc(Vec<u64>),
    /// Loads the eight bytes at an IPA (stage 1 is off).
    Load {
        /// Where, aligned to eight bytes.
        ipa: u64,
    },
    /// Stores eight bytes.
    Store {
        /// Where, aligned to eight bytes.
        ipa: u64,
        /// What.
        value: u64,
    },
    /// Waits for an interrupt.
    Wfi,
}

/// What came of the last operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// None was done yet: the vCPU starts with this x0.
    Start {
        /// x0.
        x0: u64,
    },
    /// An SMC returned with these x0 to x10.
    Returned([u64; 11]),
    /// A load gave this value.
    Loaded(u64),
    /// A store was done.
    Stored,
    /// The wait is over.
    Woken,
    /// The operation was not done: the vCPU took an exception with this syndrome (ESR_EL1).
    Exception {
        /// ESR_EL1.
        esr: u64,
    },
    /// The operation was not done: granule protection forbade it, which EL1 sees as its own fault.
    Protected,
}

/// What runs on a vCPU.
pub trait Program: Send {
    /// Says what the vCPU does after `event`.
    fn next(&mut self, event: Event) -> Op;
}

impl<F: FnMut(Event) -> Op + Send> Program for F {
    fn next(&mut self, event: Event) -> Op {
        self(event)
    }
}

/// Makes a program anew for each vCPU that starts at its address.
pub type Maker = Box<dyn Fn() -> Box<dyn Program> + Send + Sync>;

/// A vCPU in the middle of its program.
pub(crate) struct Vcpu {
    program: Box<dyn Program>,
    /// The operation that is under way, and the program counter at which it is.
    under_way: Option<(Op, u64)>,
    begun: bool,
}

/// x1 carries the data of loads and stores.
pub(crate) const DATA: usize = 1;

impl Vcpu {
    pub fn new(program: Box<dyn Program>) -> Vcpu {
        Vcpu { program, under_way: None, begun: false }
    }

    /// Says whether a vCPU with this program counter can be this one, still in its program.
    pub fn continues(&self, rec: &RecContext) -> bool {
        let vectors = rec.el1.vbar..rec.el1.vbar.saturating_add(0x800);
        match &self.under_way {
            Some((_, pc)) => rec.pc == *pc || rec.pc == pc.wrapping_add(4) || vectors.contains(&rec.pc),
            None => !self.begun,
        }
    }

    /// Tells what came of the operation under way, as the program counter shows it, and gives the one to do now.
    pub fn advance(&mut self, rec: &mut RecContext) -> Op {
        let event = match &self.under_way {
            None => Event::Start { x0: rec.x[0] },
            Some((op, pc)) if rec.pc == *pc => return op.clone(),
            Some((op, pc)) if rec.pc == pc.wrapping_add(4) => outcome(op, rec),
            Some(_) => Event::Exception { esr: rec.el1.esr },
        };
        self.begin(event, rec)
    }

    /// Ends the operation under way without an exit, and gives the next.
    pub fn complete(&mut self, event: Event, rec: &mut RecContext) -> Op {
        rec.pc = rec.pc.wrapping_add(4);
        self.begin(event, rec)
    }

    fn begin(&mut self, event: Event, rec: &mut RecContext) -> Op {
        self.begun = true;
        let op = self.program.next(event);
        match &op {
            Op::Smc(registers) => rec.x.iter_mut().zip(registers).for_each(|(to, from)| *to = *from),
            Op::Store { value, .. } => rec.x[DATA] = *value,
            Op::Load { .. } | Op::Wfi => {}
        }
        self.under_way = Some((op.clone(), rec.pc));
        op
    }
}

/// What an operation came to that the RMM or the host completed.
fn outcome(op: &Op, rec: &RecContext) -> Event {
    match op {
        Op::Smc(_) => Event::Returned(std::array::from_fn(|n| rec.x[n])),
        Op::Load { .. } => Event::Loaded(rec.x[DATA]),
        Op::Store { .. } => Event::Stored,
        Op::Wfi => Event::Woken,
    }
}
