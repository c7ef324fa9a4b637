//! The trace of calls on the monitor's console: `T <rmi|rsi|el3> <cpu> <fid> <x1..x4> -> <x0..x4>`, all in hexadecimal.

use crate::{Hardware, Registers};
use abi::map;

/// Prints a call that EL3 served itself.
#[cold]
pub fn el3(hw: &impl Hardware, cpu: usize, asked: &Registers, answered: &Registers) {
    let [fid, x1, x2, x3, x4, ..] = asked.0;
    let [r0, r1, r2, r3, r4, ..] = answered.0;
    line(hw, "el3", cpu, [fid, x1, x2, x3, x4], [r0, r1, r2, r3, r4]);
}

/// Prints a call that the RMM tells of: x1 kind, x2 function, x3 to x6 arguments, x7 to x11 results.
#[cold]
pub fn told(hw: &impl Hardware, cpu: usize, told: &Registers) {
    let [_, kind, fid, a1, a2, a3, a4, r0, r1, r2, r3, r4, ..] = told.0;
    let kind = if kind == map::TRACE_RMI { "rmi" } else { "rsi" };
    line(hw, kind, cpu, [fid, a1, a2, a3, a4], [r0, r1, r2, r3, r4]);
}

fn line(hw: &impl Hardware, kind: &str, cpu: usize, [fid, x1, x2, x3, x4]: [u64; 5], answered: [u64; 5]) {
    let fid = fid as u32;
    let [r0, r1, r2, r3, r4] = answered;
    hw.print(format_args!("T {kind} {cpu} {fid:x} {x1:x} {x2:x} {x3:x} {x4:x} -> {r0:x} {r1:x} {r2:x} {r3:x} {r4:x}"));
}
