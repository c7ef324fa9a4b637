//! What a command may answer (RMM 1.0, B1.2, B1.6, B4.4).

use super::{SVE_HINT, fid};
use std::fmt;

/// RMI_SUCCESS.
pub const SUCCESS: u64 = 0;
/// RMI_ERROR_INPUT.
pub const INPUT: u64 = 1;
/// RMI_ERROR_REC.
pub const REC: u64 = 3;
/// SMCCC's NOT_SUPPORTED.
pub const NOT_SUPPORTED: u64 = u64::MAX;

/// RMI_ERROR_REALM.
pub const fn realm(index: u64) -> u64 {
    2 | index << 8
}

/// RMI_ERROR_RTT at a level.
pub const fn rtt(level: i64) -> u64 {
    4 | level.cast_unsigned() << 8
}

/// How the RMM and the model differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Divergence(pub String);

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Refuses an answer, saying why.
macro_rules! diverge {
    ($($words:tt)*) => { return Err($crate::model::Divergence(format!($($words)*))) };
}
pub(super) use diverge;

/// Statuses of which a refusal must be one, and what x1 and up then hold.
#[derive(Clone, Debug, Default)]
pub struct Refusal {
    statuses: Vec<u64>,
    /// Outputs on any status.
    outputs: Vec<u64>,
    /// Register and value of an output that RMI_ERROR_RTT has.
    top: Option<(usize, u64)>,
}

/// Outputs from x1 on, or a refusal.
pub type Outcome = Result<Vec<u64>, Refusal>;

impl Refusal {
    pub fn of(status: u64) -> Refusal {
        Refusal { statuses: vec![status], ..Refusal::default() }
    }

    pub fn with_outputs(mut self, outputs: Vec<u64>) -> Refusal {
        self.outputs = outputs;
        self
    }

    pub fn with_top(mut self, register: usize, top: u64) -> Refusal {
        self.top = Some((register, top));
        self
    }

    fn registers(&self, status: u64) -> Vec<u64> {
        let mut registers = self.outputs.clone();
        if let Some((register, top)) = self.top.filter(|_| status & 0xFF == 4) {
            registers.resize(registers.len().max(register), 0);
            registers[register - 1] = top;
        }
        registers
    }
}

/// Failure conditions that were met, in no order.
#[derive(Default)]
pub struct Conditions {
    met: Vec<u64>,
    /// Those that the specification lets an implementation have or not.
    open: Vec<u64>,
}

impl Conditions {
    /// A condition and its status.
    pub fn when(&mut self, met: bool, status: u64) -> &mut Self {
        self.met.extend(met.then_some(status));
        self
    }

    /// A condition that an implementation may have.
    pub fn may(&mut self, met: bool, status: u64) -> &mut Self {
        self.open.extend(met.then_some(status));
        self
    }

    /// Whether a status is among the conditions met.
    pub fn has(&self, status: u64) -> bool {
        self.met.contains(&status)
    }

    /// Ends the check: any condition met is a refusal with any of their statuses.
    pub fn settle(&mut self, accepted: bool) -> Result<(), Refusal> {
        if self.met.is_empty() && (accepted || self.open.is_empty()) {
            return Ok(());
        }
        let statuses = [std::mem::take(&mut self.met), std::mem::take(&mut self.open)].concat();
        Err(Refusal { statuses, ..Refusal::default() })
    }

    /// Ends the check of a command without open conditions.
    pub fn refuse(&mut self) -> Result<(), Refusal> {
        self.settle(false)
    }
}

/// An identifier that names no command.
pub fn unknown() -> Outcome {
    Err(Refusal::of(NOT_SUPPORTED))
}

/// Compares an answer with what it must be.
pub fn judge(outcome: Outcome, x: &[u64; 8], answer: &[u64; 5]) -> Result<(), Divergence> {
    let statuses = match &outcome {
        Ok(_) => vec![SUCCESS],
        Err(refusal) => refusal.statuses.clone(),
    };
    if !statuses.contains(&answer[0]) {
        diverge!("x0 is {:#x}, and must be one of {statuses:#x?}", answer[0]);
    }
    let outputs = match outcome {
        Ok(outputs) => outputs,
        Err(refusal) => refusal.registers(answer[0]),
    };
    registers(&outputs, x, answer)
}

/// Registers that are no output are zero up to x3, and x4 is what it was (SMC Calling Convention). RMI_RTT_READ_ENTRY alone
/// has an output there, which is zero when it is refused.
fn registers(outputs: &[u64], x: &[u64; 8], answer: &[u64; 5]) -> Result<(), Divergence> {
    for (number, given) in answer.iter().copied().enumerate().skip(1) {
        let kept = number == 4 && x[0] & !SVE_HINT != fid::RTT_READ_ENTRY;
        let wanted = outputs.get(number - 1).copied().unwrap_or(if kept { x[4] } else { 0 });
        if given != wanted {
            diverge!("x{number} is {given:#x}, and must be {wanted:#x}");
        }
    }
    Ok(())
}
