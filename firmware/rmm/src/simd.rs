//! Floating-point and SIMD registers, switched when a vCPU first uses them.
//!
//! There are no more vector registers to care for: EL3 traps SVE and SME from every world (CPTR_EL3), so nobody has
//! live Z, P or ZA registers, nor a streaming mode.

use core::arch::global_asm;
use rmm::rec::context::SimdContext;

global_asm!(include_str!("simd.s"));

unsafe extern "C" {
    fn vectors_save(to: *mut SimdContext);
    fn vectors_load(from: *const SimdContext);
}

/// CPTR_EL2 with E2H = 0: RES1 bits, and traps for SVE (8), SME (12), trace (20), activity monitors (30).
const ALWAYS: u64 = 0x22ff | 1 << 8 | 1 << 12 | 1 << 20 | 1 << 30;
/// Trap for FP and SIMD, at EL2 too.
const NO_SIMD: u64 = 1 << 10;

/// Where one CPU keeps the Normal world's registers.
pub struct Aside {
    normal: SimdContext,
    given: bool,
}

impl Aside {
    /// Makes an empty place.
    pub const fn new() -> Self {
        Self { normal: SimdContext { v: [[0; 2]; 32], fpcr: 0, fpsr: 0 }, given: false }
    }

    /// Says whether the vCPU has the registers.
    pub const fn given(&self) -> bool {
        self.given
    }

    /// Gives the registers to the vCPU, which has just trapped on using them.
    pub fn give(&mut self, simd: &SimdContext) {
        trap(0);
        // SAFETY: one argument is writable, the other readable, for as long as the call takes; nothing traps.
        unsafe {
            vectors_save(&raw mut self.normal);
            vectors_load(simd);
        }
        self.given = true;
    }

    /// Takes the registers back: the vCPU's into `simd`, the Normal world's into the processor.
    pub fn unload(&mut self, simd: &mut SimdContext) {
        if self.given {
            // SAFETY: as in `give`, which left nothing that traps.
            unsafe {
                vectors_save(simd);
                vectors_load(&raw const self.normal);
            }
            self.given = false;
            trap(NO_SIMD);
        }
    }
}

fn trap(what: u64) {
    cpu::write!(cptr_el2, ALWAYS | what);
    cpu::barrier::isb();
}

/// Runs `f` with FP and SIMD registers usable at R-EL2; `f` leaves all of them as they were, as they are somebody's.
pub fn untrapped<R>(f: impl FnOnce() -> R) -> R {
    let before = cpu::read!(cptr_el2);
    cpu::write!(cptr_el2, before & !NO_SIMD);
    cpu::barrier::isb();
    let result = f();
    cpu::write!(cptr_el2, before);
    cpu::barrier::isb();
    result
}

/// Traps every vector register, so that the first use by a vCPU is seen.
pub fn prepare() {
    trap(NO_SIMD);
}
