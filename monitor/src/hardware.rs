//! What the monitor asks of the machine.

use core::fmt;

/// The verbs that differ between the processor and a machine in software.
pub trait Hardware {
    /// Makes every CPU forget the cached protection of the granule at `pa`; returns when all have.
    fn invalidate(&self, pa: u64);

    /// Wakes a parked CPU, which then looks into [`crate::psci::Psci::pending`].
    fn wake(&self, cpu: usize);

    /// Copies from the page shared with the RMM, `offset + to.len()` being at most a page.
    fn read_shared(&self, offset: usize, to: &mut [u8]);

    /// Copies to the page shared with the RMM, `offset + from.len()` being at most a page.
    fn write_shared(&self, offset: usize, from: &[u8]);

    /// Makes the time of instructions independent of data (PSTATE.DIT), or not.
    fn constant_time(&self, on: bool);

    /// Prints on the monitor's console, one line at a time.
    fn print(&self, line: fmt::Arguments<'_>);
}
