//! Reset and the way out: the assembly and its meeting with Rust.

use core::arch::global_asm;

use abi::map;
use cpu::write;

use crate::memory::{self, Places, Space};
use crate::{console, stages};

global_asm!(concat!(".macro VERSION_TEXT\n.ascii \"", env!("CARGO_PKG_VERSION"), "\"\n.endm"));
global_asm!(include_str!("entry.s"));

cpu::vectors! { "vectors_page":
    "boot_fault" "boot_fault" "boot_fault" "boot_fault"
    "boot_fault" "boot_fault" "boot_fault" "boot_fault"
    "boot_fault" "boot_fault" "boot_fault" "boot_fault"
    "boot_fault" "boot_fault" "boot_fault" "boot_fault"
}

unsafe extern "C" {
    /// Wipes boot's RAM and enters the monitor; in `entry.s`.
    fn boot_leave(entry: u64, handover: u64) -> !;
}

/// PSTATE.DIT, in its register: instructions take the same time whatever the secrets are.
const DIT: u64 = 1 << 24;

/// The first Rust of the machine: CPU 0, EL3, MMU off, variables and stack zero.
#[unsafe(no_mangle)]
extern "C" fn boot_main() -> ! {
    let mut space = Space::new();
    if let Err(why) = memory::enable(&mut space) {
        console::print(format_args!("refused: address space: {why:?}"));
        console::off();
    }
    write!(S3_3_C4_C2_5, DIT);
    // SAFETY: this function runs once, on CPU 0, the others sleep, and the MMU is on.
    let places = unsafe { Places::take() };
    match stages::run(places) {
        // SAFETY: the monitor has been verified where it lies, and its entry is inside it.
        Ok(entry) => unsafe { boot_leave(entry, map::HANDOVER) },
        Err(refused) => {
            console::print(format_args!("refused: {}: {}", refused.step, refused.why));
            console::off()
        }
    }
}
