//! Exceptions that EL3 raises at the level below whose instruction it trapped (Arm ARM, AArch64.TakeException).

const AARCH32: u64 = 1 << 4;
const OWN_STACK: u64 = 1;
const DAIF: u64 = 0xf << 6;
const SSBS: u64 = 1 << 12;
const ALLINT: u64 = 1 << 13;
const PAN: u64 = 1 << 22;
/// Condition flags, DIT and PAN stay as they are.
const KEPT: u64 = 0xf << 28 | 1 << 24 | PAN;

const SPAN: u64 = 1 << 23;
const DSSBS: u64 = 1 << 44;
const SPINTMASK: u64 = 1 << 62;

/// The level that takes an exception, and what of its registers decides how.
#[derive(Clone, Copy, Debug)]
pub struct Taker {
    /// 1 or 2.
    pub level: u64,
    /// SCTLR_EL1 or SCTLR_EL2.
    pub sctlr: u64,
    /// EL0 has its translation regime: always so of EL1, of EL2 with HCR_EL2.E2H and TGE.
    pub has_el0: bool,
    /// The processor has FEAT_NMI.
    pub nmi: bool,
}

/// Gives the exception level of a PSTATE.
#[must_use]
pub const fn level(pstate: u64) -> u64 {
    if pstate & AARCH32 != 0 { 0 } else { pstate >> 2 & 3 }
}

impl Taker {
    /// Gives the offset of the vector for a synchronous exception taken from `pstate`.
    #[must_use]
    pub const fn vector(&self, pstate: u64) -> u64 {
        match (pstate & AARCH32 != 0, level(pstate) == self.level, pstate & OWN_STACK) {
            (true, ..) => 0x600,
            (false, false, _) => 0x400,
            (false, true, 0) => 0,
            (false, true, _) => 0x200,
        }
    }

    /// Gives PSTATE of the first instruction of an exception taken from `pstate`: all interrupts masked, and EL0's memory out
    /// of reach where the level wants it so.
    #[must_use]
    pub const fn pstate(&self, pstate: u64) -> u64 {
        let mut taken = pstate & KEPT | DAIF | self.level << 2 | OWN_STACK;
        if self.has_el0 && self.sctlr & SPAN == 0 {
            taken |= PAN;
        }
        if self.sctlr & DSSBS != 0 {
            taken |= SSBS;
        }
        if self.nmi && self.sctlr & SPINTMASK == 0 {
            taken |= ALLINT;
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::{DSSBS, SPAN, SPINTMASK, Taker, level};

    const EL1: Taker = Taker { level: 1, sctlr: 0, has_el0: true, nmi: false };
    const EL2: Taker = Taker { level: 2, sctlr: 0, has_el0: false, nmi: false };

    #[test]
    fn kernel_that_keeps_away_from_user_memory_does_so_in_the_exception_too() {
        const PAN: u64 = 1 << 22;
        assert_eq!(EL1.pstate(0), PAN | 0x3c5);
        assert_eq!(Taker { sctlr: SPAN, ..EL1 }.pstate(0), 0x3c5);
        assert_eq!(Taker { sctlr: SPAN, ..EL1 }.pstate(PAN | 4), PAN | 0x3c5);
        assert_eq!(EL2.pstate(5), 0x3c9);
        assert_eq!(Taker { has_el0: true, ..EL2 }.pstate(0), PAN | 0x3c9);
    }

    #[test]
    fn flags_and_constant_time_stay_and_the_rest_is_the_levels_own() {
        const FLAGS_AND_DIT: u64 = 0xf << 28 | 1 << 24;
        let taker = Taker { sctlr: SPAN | SPINTMASK, nmi: true, ..EL1 };
        assert_eq!(taker.pstate(!(1 << 22)), FLAGS_AND_DIT | 0x3c5);
        assert_eq!(Taker { sctlr: SPAN | DSSBS, nmi: true, ..EL1 }.pstate(0), 1 << 13 | 1 << 12 | 0x3c5);
    }

    #[test]
    fn vector_tells_where_the_exception_comes_from() {
        assert_eq!([0x3c5, 0x3c4, 0, 0x1d0].map(|pstate| EL1.vector(pstate)), [0x200, 0, 0x400, 0x600]);
        assert_eq!([0x3c9, 0x3c8, 0x3c5, 0x1d0].map(|pstate| EL2.vector(pstate)), [0x200, 0, 0x400, 0x600]);
        assert_eq!([0x3c9, 5, 0, 0x1df].map(level), [2, 1, 0, 0]);
    }
}
