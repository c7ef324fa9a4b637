//! The monitor's console: UART1, which only Root and Secure reach.

use abi::map;
use core::fmt::{self, Write};
use cpu::lock::Lock;
use cpu::uart::Uart;

// SAFETY: UART1 is mapped as Device memory before the first line is printed.
static UART: Lock<Uart> = Lock::new(unsafe { Uart::new(map::UART1 as usize) });

/// Switches the port on.
pub fn enable() {
    UART.take().enable();
}

/// Prints a line, whole.
pub fn line(text: fmt::Arguments<'_>) {
    print(&mut UART.take(), text);
}

/// Prints a line even if another CPU is printing and will never end: for the last words.
pub fn last_line(text: fmt::Arguments<'_>) {
    match UART.try_take() {
        Some(mut uart) => print(&mut uart, text),
        // SAFETY: as above; mixed-up letters are better than none.
        None => print(&mut unsafe { Uart::new(map::UART1 as usize) }, text),
    }
}

fn print(uart: &mut Uart, text: fmt::Arguments<'_>) {
    // A serial port takes everything.
    let _ = uart.write_fmt(format_args!("{text}\n"));
}
