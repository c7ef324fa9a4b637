//! The Normal world's host on the bare machine: it builds and runs Realms as its configuration says.
//!
//! UNSAFETY: this image owns the Normal world's CPUs, its devices and its DRAM, and nothing else; whatever goes wrong
//! here harms no Realm. Unsafe blocks name what they rely on.
#![no_std]
#![no_main]

extern crate alloc;

mod cpus;
mod exception;
mod firmware;
mod fwcfg;
mod heap;
mod interrupts;
mod machine;
mod mmu;
mod note;
mod probe;
mod serial;
mod session;

use core::arch::global_asm;
use core::fmt::Write;

use abi::psci;

global_asm!(include_str!("entry.s"));

/// Every CPU's first Rust, on its own stack with the MMU off; `cpu` is 0 after a reset, else PSCI's context id.
#[unsafe(no_mangle)]
extern "C" fn host_start(cpu: usize) -> ! {
    mmu::enable(cpu);
    interrupts::open(cpu);
    if cpu == 0 {
        heap::open();
        interrupts::open_shared();
        session::run();
        firmware::power(psci::SYSTEM_OFF)
    } else {
        cpus::serve(cpu)
    }
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    // Nothing else can be done with a failing console.
    let _ = writeln!(serial::Raw, "host: {info}");
    firmware::power(psci::SYSTEM_OFF)
}
