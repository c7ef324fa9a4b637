//! The trace of calls on the monitor's console: `T <rmi|rsi|el3> <cpu> <fid> <x1..x4> -> <x0..x4>`, all in hexadecimal.

use crate::{Hardware, Registers};

const KINDS: [&str; 3] = ["rmi", "rsi", "el3"];

/// Prints an RMI call: what the Normal world asked, and what the RMM answers in x0 to x4.
#[cold]
pub fn rmi(hw: &impl Hardware, cpu: usize, asked: &Registers, answered: [u64; 5]) {
    line(hw, KINDS[0], cpu, asked, &answered);
}

/// Prints a call that EL3 served itself.
#[cold]
pub fn el3(hw: &impl Hardware, cpu: usize, asked: &Registers, answered: &Registers) {
    let [x0, x1, x2, x3, x4, ..] = answered.0;
    line(hw, KINDS[2], cpu, asked, &[x0, x1, x2, x3, x4]);
}

/// Prints a call that the RMM tells of: x1 kind, x2 function, x3 to x5 arguments, x6 result.
#[cold]
pub fn told(hw: &impl Hardware, cpu: usize, told: &Registers) {
    let [_, kind, fid, a0, a1, a2, result, ..] = told.0;
    let kind = usize::try_from(kind).ok().and_then(|kind| KINDS.get(kind)).copied().unwrap_or("?");
    hw.print(format_args!("T {kind} {cpu} {fid:x} {a0:x} {a1:x} {a2:x} 0 -> {result:x} 0 0 0 0"));
}

fn line(hw: &impl Hardware, kind: &str, cpu: usize, asked: &Registers, answered: &[u64; 5]) {
    let [fid, x1, x2, x3, x4, ..] = asked.0;
    let [r0, r1, r2, r3, r4] = answered;
    let fid = fid as u32;
    hw.print(format_args!("T {kind} {cpu} {fid:x} {x1:x} {x2:x} {x3:x} {x4:x} -> {r0:x} {r1:x} {r2:x} {r3:x} {r4:x}"));
}
