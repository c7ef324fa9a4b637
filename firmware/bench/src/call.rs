//! Timed calls to the firmware (SMCCC 1.2).

use core::arch::asm;

/// Makes a call with x0 to x5, and gives x0 to x4 and what it took: the SMC and everything until its next instruction.
pub fn timed(x: [u64; 6]) -> ([u64; 5], u64) {
    let [mut x0, mut x1, mut x2, mut x3, mut x4, x5] = x;
    let (before, after): (u64, u64);
    // SAFETY: SMCCC 1.2 preserves x18 up and the stack; memory that the call may change is declared by default.
    unsafe {
        asm!(
            "mrs x20, cntpct_el0",
            "smc #0",
            "mrs x21, cntpct_el0",
            inout("x0") x0, inout("x1") x1, inout("x2") x2, inout("x3") x3, inout("x4") x4,
            inout("x5") x5 => _, inout("x6") 0_u64 => _, inout("x7") 0_u64 => _,
            out("x8") _, out("x9") _, out("x10") _, out("x11") _, out("x12") _, out("x13") _, out("x14") _,
            out("x15") _, out("x16") _, out("x17") _, out("x20") before, out("x21") after,
            options(nostack),
        );
    }
    ([x0, x1, x2, x3, x4], after.wrapping_sub(before))
}

/// Makes an RMI call that has to succeed, and gives what it took.
pub fn must(function: u32, [x1, x2, x3, x4, x5]: [u64; 5]) -> u64 {
    let (answer, took) = timed([u64::from(function), x1, x2, x3, x4, x5]);
    assert!(answer[0] == 0, "{function:#x} {x1:#x} {x2:#x} {x3:#x} {x4:#x} {x5:#x} -> {answer:#x?}");
    took
}
