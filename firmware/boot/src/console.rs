//! Boot's one line when it refuses: UART1, and power off.

use core::fmt::{Arguments, Write};

use abi::map;
use cpu::power::Power;
use cpu::uart::Uart;

/// Prints one line on UART1.
pub fn print(line: Arguments<'_>) {
    // SAFETY: UART1 is a PL011 that Root reaches, mapped as Device by `memory` and so treated before the MMU is on.
    let mut uart = unsafe { Uart::new(map::UART1 as usize) };
    uart.enable();
    let _ = uart.write_fmt(format_args!("boot: {line}\n"));
}

/// Powers the machine off.
pub fn off() -> ! {
    // SAFETY: the secure GPIO is a PL061 that Root reaches, mapped as Device by `memory`.
    unsafe { Power::new(map::SECURE_GPIO as usize) }.off()
}

/// Says which exception was taken and powers off: boot expects none.
#[unsafe(no_mangle)]
extern "C" fn boot_report(esr: u64, elr: u64, far: u64) -> ! {
    print(format_args!("refused: exception: ESR {esr:#x} ELR {elr:#x} FAR {far:#x}"));
    off()
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    print(format_args!("refused: {info}"));
    off()
}
