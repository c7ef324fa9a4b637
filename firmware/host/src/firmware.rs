//! Calls to the firmware (SMCCC 1.2).

use core::arch::asm;

use cpu::barrier;

/// Calls the firmware with x0 = `function` and x1–x5; gives x0–x4.
pub fn call(function: u32, arguments: [u64; 5]) -> [u64; 5] {
    let [mut x1, mut x2, mut x3, mut x4, x5] = arguments;
    let mut x0 = u64::from(function);
    // SAFETY: SMCCC 1.2 preserves x18 up and the stack; memory that the call may change is declared by default.
    unsafe {
        asm!(
            "smc #0",
            inout("x0") x0, inout("x1") x1, inout("x2") x2, inout("x3") x3, inout("x4") x4,
            inout("x5") x5 => _, inout("x6") 0u64 => _, inout("x7") 0u64 => _,
            out("x8") _, out("x9") _, out("x10") _, out("x11") _, out("x12") _, out("x13") _, out("x14") _,
            out("x15") _, out("x16") _, out("x17") _,
            options(nostack),
        );
    }
    [x0, x1, x2, x3, x4]
}

/// SYSTEM_OFF or SYSTEM_RESET (Arm DEN0022, 5.1).
pub fn power(function: u32) -> ! {
    call(function, [0; 5]);
    barrier::halt()
}
