//! A vCPU's first state (RMM 1.0, A4.3.1, B4.3.12; PSCI 1.1, CPU_ON).

use super::context::RecContext;
use zerocopy::FromZeros;

/// EL1 with its own stack pointer, DAIF masked.
const PSTATE: u64 = 0x3C5;
/// SPAN, EIS, nTWE, nTWI, EOS, nAA, CP15BEN, SA0, SA: little endian, MMU off.
const SCTLR: u64 = 0x00C5_0878;
/// SCTLR_EL1.EE: data are big endian.
const SCTLR_EE: u64 = 1 << 25;
/// MDSCR_EL1.TDCC.
const MDSCR: u64 = 1 << 12;
/// PMCR_EL0.LC and DP.
const PMCR: u64 = 1 << 6 | 1 << 5;

/// Makes the state with which a REC is created; everything that is not named is zero. The identity stays to be set.
pub fn reset(context: &mut RecContext, pc: u64, gprs: [u64; 8]) {
    context.zero();
    context.pc = pc;
    context.pstate = PSTATE;
    context.el1.sctlr = SCTLR;
    context.el1.mdscr = MDSCR;
    context.pmu.pmcr = PMCR;
    for (register, value) in context.x.iter_mut().zip(gprs) {
        *register = value;
    }
}

/// Makes the state in which CPU_ON starts a REC: as new, in the byte order of the caller, whose SCTLR_EL1 is given.
/// Identity, timers' and the virtual interrupt controller's state are new too.
pub fn reset_by_psci(context: &mut RecContext, entry: u64, context_id: u64, callers_sctlr: u64) {
    let vmpidr = context.vmpidr;
    let (breakpoints, watchpoints) = (context.debug.breakpoints, context.debug.watchpoints);
    reset(context, entry, [context_id, 0, 0, 0, 0, 0, 0, 0]);
    context.vmpidr = vmpidr;
    (context.debug.breakpoints, context.debug.watchpoints) = (breakpoints, watchpoints);
    context.el1.sctlr |= callers_sctlr & SCTLR_EE;
}
