//! What the RMM has to say when something is wrong, as raw text on the serial port that every world reaches.

use abi::map;
use core::fmt::{self, Write};
use cpu::uart::Uart;

/// Prints a line.
pub fn say(what: fmt::Arguments<'_>) {
    // SAFETY: UART0 is a PL011 that the RMM maps at its own address.
    let mut uart = unsafe { Uart::new(map::UART0 as usize) };
    uart.enable();
    // The port does not fail; if it did there would be nobody to tell.
    let _ = writeln!(uart, "rmm: cpu {}: {what}", cpu::register::cpu_number());
}

/// Prints why the RMM cannot go on and stops this CPU for good. To power the machine off is not the RMM's right.
pub fn stop(why: fmt::Arguments<'_>) -> ! {
    say(why);
    cpu::barrier::halt()
}
