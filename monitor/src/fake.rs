//! Hardware for tests: remembers what was asked of it.

extern crate std;

use crate::Hardware;
use core::cell::{Cell, RefCell};
use core::fmt;
use std::string::{String, ToString};
use std::vec::Vec;

#[derive(Default)]
pub struct Fake {
    pub invalidated: RefCell<Vec<u64>>,
    pub woken: RefCell<Vec<usize>>,
    pub shared: RefCell<Vec<u8>>,
    pub lines: RefCell<Vec<String>>,
    pub constant_time: Cell<bool>,
    pub was_constant_time: Cell<bool>,
}

impl Fake {
    pub fn new() -> Fake {
        Fake { shared: RefCell::new(std::vec![0; 4096]), ..Fake::default() }
    }
}

impl Hardware for Fake {
    fn invalidate(&self, pa: u64) {
        self.invalidated.borrow_mut().push(pa);
    }

    fn wake(&self, cpu: usize) {
        self.woken.borrow_mut().push(cpu);
    }

    fn read_shared(&self, offset: usize, to: &mut [u8]) {
        to.copy_from_slice(&self.shared.borrow()[offset..offset + to.len()]);
    }

    fn write_shared(&self, offset: usize, from: &[u8]) {
        self.shared.borrow_mut()[offset..offset + from.len()].copy_from_slice(from);
    }

    fn constant_time(&self, on: bool) {
        self.was_constant_time.set(self.was_constant_time.get() | on);
        self.constant_time.set(on);
    }

    fn print(&self, line: fmt::Arguments<'_>) {
        self.lines.borrow_mut().push(line.to_string());
    }
}
