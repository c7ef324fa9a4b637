//! How long each stage takes.

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

    /// Ends a stage: prints its name and microseconds.
    pub fn end(&mut self, stage: &str) {
        let now = read!(cntpct_el0);
        let per_microsecond = (read!(cntfrq_el0) / 1_000_000).max(1);
        if self.printing {
            print(format_args!("{stage}: {} us", now.saturating_sub(self.last) / per_microsecond));
        }
        self.last = read!(cntpct_el0);
    }
}
