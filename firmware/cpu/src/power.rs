//! Power off and reset by the PL061 that only Root and Secure can reach.

use crate::{barrier, mmio::write32};

const DIRECTION: usize = 0x400;

/// The secure GPIO: line 0 powers the machine off, line 1 resets it.
pub struct Power {
    base: usize,
}

impl Power {
    /// Names the controller whose registers start at `base`.
    ///
    /// # Safety
    /// The page at `base` is the secure PL061, reachable from here for as long as the value lives.
    #[must_use]
    pub const unsafe fn new(base: usize) -> Power {
        Power { base }
    }

    /// Powers the machine off.
    pub fn off(&self) -> ! {
        self.raise(0)
    }

    /// Resets the machine; RAM keeps its content.
    pub fn reset(&self) -> ! {
        self.raise(1)
    }

    fn raise(&self, line: usize) -> ! {
        let bit = 1 << line;
        // SAFETY: `new` was promised a PL061. The data register's address carries the mask of lines, shifted by 2.
        unsafe {
            write32(self.base + DIRECTION, 0xff);
            write32(self.base + (bit << 2), 0);
            write32(self.base + (bit << 2), bit as u32);
        }
        barrier::halt()
    }
}
