//! How long each stage takes.

use core::fmt::Display;
use cpu::read;

use crate::console::print;

/// Times stages by the system counter, and prints them if it may.
pub struct Clock {
    last: u64,
    printing: bool,
}

impl Clock {
    /// Starts the clock; it prints nothing until [`Clock::print`].
    pub fn start() -> Self {
        Self { last: read!(cntpct_el0), printing: false }
    }

    /// Lets the clock print from now on, if `printing`.
    pub fn print(&mut self, printing: bool) {
        self.printing = printing;
    }

    /// Ends a stage: prints what it did, with what, and ticks of the counter. Hashing and operations with keys have stages of
    /// their own, which `cargo xtask bench rmm` knows by their names.
    pub fn end(&mut self, what: impl Display, stage: &str) {
        let now = read!(cntpct_el0);
        if self.printing {
            print(format_args!("{stage} {what}: {} ticks", now.saturating_sub(self.last)));
        }
        self.last = read!(cntpct_el0);
    }
}
