//! Exceptions that the RMM raises at a Realm's EL1 (RMM 1.0, A5.2; Arm ARM, AArch64.TakeException).

use crate::platform::Features;
use crate::rec::context::RecContext;

const EC_SHIFT: u32 = 26;
const EC_INSTRUCTION_ABORT: u64 = 0x20 << EC_SHIFT;
const EC_DATA_ABORT: u64 = 0x24 << EC_SHIFT;
const EC_SAME_LEVEL: u64 = 1 << EC_SHIFT;
const EC_DATA_BIT: u64 = 0b100 << EC_SHIFT;
const IL: u64 = 1 << 25;
const CM: u64 = 1 << 8;
const WNR: u64 = 1 << 6;
const EA: u64 = 1 << 9;
const FSC_EXTERNAL: u64 = 0x10;

const PSTATE_MODE: u64 = 0x1F;
const PSTATE_AARCH32: u64 = 1 << 4;
const PSTATE_EL: u64 = 0b1100;
const PSTATE_SP: u64 = 1;
const PSTATE_EL1H: u64 = 0b0101;
const PSTATE_DAIF: u64 = 0x3C0;
const PSTATE_SSBS: u64 = 1 << 12;
const PSTATE_ALLINT: u64 = 1 << 13;
const PSTATE_PAN: u64 = 1 << 22;
/// N, Z, C, V, DIT, PAN.
const PSTATE_KEPT: u64 = 0xF << 28 | 1 << 24 | PSTATE_PAN;

const SCTLR_SPAN: u64 = 1 << 23;
const SCTLR_DSSBS: u64 = 1 << 44;
const SCTLR_SPINTMASK: u64 = 1 << 62;
const SCTLR2_EASE: u64 = 1 << 5;

/// Raises an Undefined Instruction exception for the instruction at the program counter.
pub fn undefined(machine: &Features, context: &mut RecContext) {
    take(machine, context, IL, 0);
}

/// Raises a synchronous external abort in place of the abort to R-EL2 that `esr` and `far` describe.
pub fn external_abort(machine: &Features, context: &mut RecContext, esr: u64, far: u64) {
    let vector = if context.el1.sctlr2 & SCTLR2_EASE != 0 { 0x180 } else { 0 };
    let syndrome = syndrome(context, esr, EA | FSC_EXTERNAL);
    context.el1.far = far;
    take(machine, context, syndrome, vector);
}

/// Raises an Address size fault of a status in place of an abort at an address outside the Realm's space.
pub fn address_size(machine: &Features, context: &mut RecContext, esr: u64, far: u64, status: u64) {
    let syndrome = syndrome(context, esr, status);
    context.el1.far = far;
    take(machine, context, syndrome, 0);
}

/// Makes ESR_EL1 of an abort: which kind, from where, reading or writing; nothing of the instruction, which only EL2 is
/// told.
fn syndrome(context: &RecContext, esr: u64, fault: u64) -> u64 {
    let data = esr & EC_DATA_BIT != 0;
    let kind = if data { EC_DATA_ABORT } else { EC_INSTRUCTION_ABORT };
    let from = if context.pstate & PSTATE_AARCH32 == 0 && context.pstate & PSTATE_EL != 0 { EC_SAME_LEVEL } else { 0 };
    let access = if data { esr & (CM | WNR) } else { 0 };
    kind | from | esr & IL | access | fault
}

fn take(machine: &Features, context: &mut RecContext, esr: u64, vector: u64) {
    context.el1.esr = esr;
    context.el1.elr = context.pc;
    context.el1.spsr = context.pstate;
    context.pc = context.el1.vbar.wrapping_add(origin(context.pstate)).wrapping_add(vector);
    context.pstate = pstate(machine, context);
}

/// Gives the group of vectors for where the exception comes from.
const fn origin(pstate: u64) -> u64 {
    match (pstate & PSTATE_AARCH32 != 0, pstate & PSTATE_MODE & PSTATE_EL != 0, pstate & PSTATE_SP != 0) {
        (true, ..) => 0x600,
        (false, false, _) => 0x400,
        (false, true, true) => 0x200,
        (false, true, false) => 0,
    }
}

fn pstate(machine: &Features, context: &RecContext) -> u64 {
    let sctlr = context.el1.sctlr;
    let mut pstate = context.pstate & PSTATE_KEPT | PSTATE_DAIF | PSTATE_EL1H;
    if sctlr & SCTLR_SPAN == 0 {
        pstate |= PSTATE_PAN;
    }
    if sctlr & SCTLR_DSSBS != 0 {
        pstate |= PSTATE_SSBS;
    }
    if crate::idreg::has_nmi(machine) && sctlr & SCTLR_SPINTMASK == 0 {
        pstate |= PSTATE_ALLINT;
    }
    pstate
}
