//! Breakpoints and watchpoints (Arm ARM, D2.8, D2.9).
//!
//! A vCPU's accesses trap (MDCR_EL2.TDA) and end in its context; the processor gets them only while they can have an effect,
//! which is while MDSCR_EL1.MDE is set (or SS: software step has the same lock). Until then the Normal world's stay where they are: they have none, as MDSCR is the
//! vCPU's.

use crate::el1::{bank, put};
use rmm::rec::context::{Debug, RecContext};

/// How many of each this processor has, at most 16.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    breakpoints: usize,
    watchpoints: usize,
}

/// MDSCR_EL1.MDE and SS: breakpoints and watchpoints, and software step.
const ACTIVE: u64 = 1 << 15 | 1;
/// OSLSR_EL1.OSLK: neither has an effect.
const LOCKED: u64 = 1 << 1;
/// DBGBCR and DBGWCR: the number of the breakpoint that this one is linked to.
const LINKED: u64 = 0xf << LINKED_SHIFT;
const LINKED_SHIFT: u32 = 16;

impl Shape {
    /// Reads the shape out of ID_AA64DFR0_EL1.
    pub const fn of(dfr0: u64) -> Self {
        Self { breakpoints: (dfr0 >> 12 & 0xf) as usize + 1, watchpoints: (dfr0 >> 20 & 0xf) as usize + 1 }
    }
}

bank! { read_bvr, write_bvr:
    0 dbgbvr0_el1, 1 dbgbvr1_el1, 2 dbgbvr2_el1, 3 dbgbvr3_el1, 4 dbgbvr4_el1, 5 dbgbvr5_el1, 6 dbgbvr6_el1, 7 dbgbvr7_el1,
    8 dbgbvr8_el1, 9 dbgbvr9_el1, 10 dbgbvr10_el1, 11 dbgbvr11_el1, 12 dbgbvr12_el1, 13 dbgbvr13_el1, 14 dbgbvr14_el1,
    15 dbgbvr15_el1,
}
bank! { read_bcr, write_bcr:
    0 dbgbcr0_el1, 1 dbgbcr1_el1, 2 dbgbcr2_el1, 3 dbgbcr3_el1, 4 dbgbcr4_el1, 5 dbgbcr5_el1, 6 dbgbcr6_el1, 7 dbgbcr7_el1,
    8 dbgbcr8_el1, 9 dbgbcr9_el1, 10 dbgbcr10_el1, 11 dbgbcr11_el1, 12 dbgbcr12_el1, 13 dbgbcr13_el1, 14 dbgbcr14_el1,
    15 dbgbcr15_el1,
}
bank! { read_wvr, write_wvr:
    0 dbgwvr0_el1, 1 dbgwvr1_el1, 2 dbgwvr2_el1, 3 dbgwvr3_el1, 4 dbgwvr4_el1, 5 dbgwvr5_el1, 6 dbgwvr6_el1, 7 dbgwvr7_el1,
    8 dbgwvr8_el1, 9 dbgwvr9_el1, 10 dbgwvr10_el1, 11 dbgwvr11_el1, 12 dbgwvr12_el1, 13 dbgwvr13_el1, 14 dbgwvr14_el1,
    15 dbgwvr15_el1,
}
bank! { read_wcr, write_wcr:
    0 dbgwcr0_el1, 1 dbgwcr1_el1, 2 dbgwcr2_el1, 3 dbgwcr3_el1, 4 dbgwcr4_el1, 5 dbgwcr5_el1, 6 dbgwcr6_el1, 7 dbgwcr7_el1,
    8 dbgwcr8_el1, 9 dbgwcr9_el1, 10 dbgwcr10_el1, 11 dbgwcr11_el1, 12 dbgwcr12_el1, 13 dbgwcr13_el1, 14 dbgwcr14_el1,
    15 dbgwcr15_el1,
}

/// Where one CPU keeps the Normal world's, and its lock (OSLSR_EL1), which a vCPU has always open.
pub struct Aside {
    normal: Debug,
    locked: u64,
    given: bool,
}

impl Aside {
    /// Makes an empty place.
    pub const fn new() -> Self {
        let normal = Debug { breakpoints: 0, watchpoints: 0, bvr: [0; 16], bcr: [0; 16], wvr: [0; 16], wcr: [0; 16] };
        Self { normal, locked: 0, given: false }
    }

    /// Gives the processor a vCPU's, if they can have an effect.
    #[inline(always)]
    pub fn give(&mut self, rec: &RecContext, shape: Shape) {
        if rec.el1.mdscr & ACTIVE != 0 {
            if !self.given {
                save(&mut self.normal, shape);
                self.locked = cpu::read!(oslsr_el1) & LOCKED;
                self.given = true;
            }
            load(&placed(&rec.debug, shape), shape);
            cpu::write!(oslar_el1, 0);
        }
    }

    /// Gives the Normal world its own back.
    #[inline(always)]
    pub fn take_back(&mut self, shape: Shape) {
        if self.given {
            load(&self.normal, shape);
            cpu::write!(oslar_el1, self.locked >> 1);
            self.given = false;
        }
    }
}

#[cold]
fn save(debug: &mut Debug, shape: Shape) {
    let Debug { bvr, bcr, wvr, wcr, .. } = debug;
    bvr.iter_mut().take(shape.breakpoints).enumerate().for_each(|(n, to)| *to = read_bvr(n));
    bcr.iter_mut().take(shape.breakpoints).enumerate().for_each(|(n, to)| *to = read_bcr(n));
    wvr.iter_mut().take(shape.watchpoints).enumerate().for_each(|(n, to)| *to = read_wvr(n));
    wcr.iter_mut().take(shape.watchpoints).enumerate().for_each(|(n, to)| *to = read_wcr(n));
}

#[cold]
fn load(debug: &Debug, shape: Shape) {
    let Debug { bvr, bcr, wvr, wcr, .. } = debug;
    bvr.iter().take(shape.breakpoints).enumerate().for_each(|(n, value)| write_bvr(n, *value));
    bcr.iter().take(shape.breakpoints).enumerate().for_each(|(n, value)| write_bcr(n, *value));
    wvr.iter().take(shape.watchpoints).enumerate().for_each(|(n, value)| write_wvr(n, *value));
    wcr.iter().take(shape.watchpoints).enumerate().for_each(|(n, value)| write_wcr(n, *value));
}

/// A vCPU's breakpoints are the processor's last ones, as only those know of contexts; links follow them.
#[cold]
fn placed(debug: &Debug, shape: Shape) -> Debug {
    let shift = shape.breakpoints.saturating_sub(debug.breakpoints as usize);
    let link = |control: u64| control & !LINKED | control.wrapping_add((shift as u64) << LINKED_SHIFT) & LINKED;
    let mut placed = Debug::default();
    let has = debug.breakpoints as usize;
    placed.bvr.iter_mut().skip(shift).zip(&debug.bvr).take(has).for_each(|(to, value)| *to = *value);
    placed.bcr.iter_mut().skip(shift).zip(&debug.bcr).take(has).for_each(|(to, value)| *to = link(*value));
    placed.wvr = debug.wvr;
    placed.wcr.iter_mut().zip(&debug.wcr).for_each(|(to, value)| *to = link(*value));
    placed
}
