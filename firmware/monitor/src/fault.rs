//! What must not happen: faults of EL3 itself, of the granule tables, and panics. All end with the power off.

use crate::percpu::Percpu;
use crate::{console, machine};
use core::fmt;
use core::panic::PanicInfo;
use cpu::read;

/// An exception of EL3 itself, by the number of its vector.
pub extern "C" fn own(vector: u64) -> ! {
    registers(format_args!("exception {vector} in EL3"))
}

/// A fault of the granule tables or a routed abort of a world.
pub fn lower(percpu: &Percpu) -> ! {
    registers(format_args!("fault of the {:?} world", percpu.running))
}

/// An interrupt or error that is not routed here.
pub extern "C" fn unexpected(percpu: &mut Percpu) {
    registers(format_args!("unexpected interrupt of the {:?} world", percpu.running))
}

fn registers(what: fmt::Arguments<'_>) -> ! {
    let cpu = cpu::register::cpu_number();
    let (esr, elr, far) = (read!(esr_el3), read!(elr_el3), read!(far_el3));
    let mfar = read!(S3_6_C6_C0_5);
    stop(format_args!("CPU {cpu}: {what}: ESR {esr:#x} ELR {elr:#x} FAR {far:#x} MFAR {mfar:#x}"))
}

/// Prints why and powers the machine off.
pub fn stop(why: fmt::Arguments<'_>) -> ! {
    console::last_line(format_args!("monitor: {why}"));
    machine::power().off()
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    stop(format_args!("{info}"))
}
