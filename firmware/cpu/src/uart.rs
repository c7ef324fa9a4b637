//! The PL011 serial port (Arm DDI0183).

use crate::mmio::{read32, write32};
use core::fmt;

const DATA: usize = 0x00;
const FLAGS: usize = 0x18;
const CONTROL: usize = 0x30;
const RECEIVE_EMPTY: u32 = 1 << 4;
const TRANSMIT_FULL: u32 = 1 << 5;
const ENABLE_BOTH_WAYS: u32 = 1 | 1 << 8 | 1 << 9;

/// A PL011 serial port, used by polling.
pub struct Uart {
    base: usize,
}

impl Uart {
    /// Names the port whose registers start at `base`.
    ///
    /// # Safety
    /// The page at `base` is a PL011, reachable from this exception level and world for as long as the value lives.
    #[must_use]
    pub const unsafe fn new(base: usize) -> Uart {
        Uart { base }
    }

    /// Switches the port on, both ways.
    pub fn enable(&self) {
        // SAFETY: `new` was promised a PL011.
        unsafe { write32(self.base + CONTROL, ENABLE_BOTH_WAYS) }
    }

    fn flags(&self) -> u32 {
        // SAFETY: `new` was promised a PL011.
        unsafe { read32(self.base + FLAGS) }
    }

    /// Sends one byte as it is, waiting while the port is full.
    pub fn send(&self, byte: u8) {
        while self.flags() & TRANSMIT_FULL != 0 {}
        // SAFETY: `new` was promised a PL011.
        unsafe { write32(self.base + DATA, u32::from(byte)) }
    }

    /// Sends bytes as they are.
    pub fn send_all(&self, bytes: &[u8]) {
        for &byte in bytes {
            self.send(byte);
        }
    }

    /// Takes one received byte, if there is one.
    pub fn receive(&self) -> Option<u8> {
        if self.flags() & RECEIVE_EMPTY != 0 {
            return None;
        }
        // SAFETY: `new` was promised a PL011.
        Some(unsafe { read32(self.base + DATA) } as u8)
    }
}

impl fmt::Write for Uart {
    /// Sends text, each line feed preceded by a carriage return.
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            if byte == b'\n' {
                self.send(b'\r');
            }
            self.send(byte);
        }
        Ok(())
    }
}
