//! How long an interrupt of the Normal world waits while a Realm makes tokens, which EL3 signs with interrupts masked.

use crate::residue;
use crate::row::Row;
use cpu::{read, write};

/// The moments of interrupts are multiples of this apart: a prime, so that they spread over all that making a token does.
const STEP: u64 = 100_003;
/// Up to so many, which is longer than a token takes.
const STEPS: u64 = 23;

/// The hypervisor's timer, and the longest that its interrupt has waited.
pub struct Latency {
    due: u64,
    count: u64,
    longest: u64,
}

impl Latency {
    /// Makes one whose timer does not run.
    pub const fn new() -> Self {
        Self { due: 0, count: 0, longest: 0 }
    }

    /// Sets the timer for the first time.
    pub fn begin(&mut self) {
        residue::open();
        self.set();
    }

    /// Takes the interrupt that ended the run, and sets the timer again.
    pub fn take(&mut self) {
        self.longest = self.longest.max(read!(cntpct_el0).saturating_sub(self.due));
        residue::take_interrupt();
        self.count += 1;
        self.set();
    }

    /// Stops the timer and prints the longest wait.
    pub fn print(&self) {
        write!(cnthp_ctl_el2, 0);
        assert!(self.count > 0, "no interrupt came");
        Row::once("interrupt", self.longest).print();
    }

    fn set(&mut self) {
        self.due = read!(cntpct_el0) + STEP * (1 + self.count * 7 % STEPS);
        write!(cnthp_cval_el2, self.due);
        write!(cnthp_ctl_el2, 1);
    }
}
