//! A row of the table: how often, and the least, median and most that it took.

use core::fmt::Write;

/// How often a thing is done.
pub const REPEATS: usize = 32;

/// The measurements of one operation.
pub struct Row {
    name: &'static str,
    values: [u64; REPEATS],
    count: usize,
}

impl Row {
    /// Makes a row without measurements.
    pub const fn new(name: &'static str) -> Row {
        Row { name, values: [0; REPEATS], count: 0 }
    }

    /// Makes a row of one measurement.
    pub const fn once(name: &'static str, value: u64) -> Row {
        let mut values = [0; REPEATS];
        values[0] = value;
        Row { name, values, count: 1 }
    }

    /// Adds a measurement, as long as there is room.
    pub const fn add(&mut self, value: u64) {
        if self.count < REPEATS {
            self.values[self.count] = value;
            self.count += 1;
        }
    }

    /// Prints the row.
    pub fn print(&mut self) {
        let values = &mut self.values[..self.count];
        values.sort_unstable();
        let (least, median, most) = (values[0], values[values.len() / 2], values[values.len() - 1]);
        let _ = writeln!(crate::uart(), "bench {} {} {least} {median} {most}", self.name, self.count);
    }
}
