//! Floating-point and vector registers, switched when a vCPU first uses them.
//!
//! A Realm has no SVE and no SME, but the Normal world may have live Z, P and FFR registers, of which V are only the low
//! parts, and may even call in streaming mode. What it has is kept whole.

use core::arch::global_asm;
use rmm::rec::context::SimdContext;

global_asm!(include_str!("vector_state.s"));

unsafe extern "C" {
    fn vectors_save(to: *mut SimdContext);
    fn vectors_load(from: *const SimdContext);
    fn scalable_save(z: *mut Scalable, p: *mut [u8; 17 * 32], ffr: u64);
    fn scalable_load(z: *const Scalable, p: *const [u8; 17 * 32], ffr: u64);
}

/// CPTR_EL2 with E2H = 0: RES1 bits, and traps for trace (20), activity monitors (30), SVE (8), SME (12), FP and SIMD (10).
const RES1: u64 = 0x22ff;
const ALWAYS: u64 = RES1 | 1 << 20 | 1 << 30;
const NO_SVE: u64 = 1 << 8;
const NO_SME: u64 = 1 << 12;
const NO_SIMD: u64 = 1 << 10;
/// Streaming mode in SVCR.
const STREAMING: u64 = 1;
/// The greatest vector length, as ZCR_EL2.LEN.
const LONGEST: u64 = 0xf;

/// Room for Z0 to Z31 at 2048 bits.
type Scalable = [[u8; 256]; 32];

/// Which vector extensions the processor has.
#[derive(Clone, Copy, Debug, Default)]
pub struct Extensions {
    /// SVE.
    pub sve: bool,
    /// SME.
    pub sme: bool,
}

/// Where one CPU keeps the Normal world's registers.
#[repr(C, align(16))]
pub struct Aside {
    z: Scalable,
    p: [u8; 17 * 32],
    simd: SimdContext,
    zcr: u64,
    svcr: u64,
    realm_has_them: bool,
}

impl Aside {
    /// Makes an empty place.
    pub const fn new() -> Self {
        Self {
            z: [[0; 256]; 32],
            p: [0; 17 * 32],
            simd: SimdContext { v: [[0; 2]; 32], fpcr: 0, fpsr: 0 },
            zcr: 0,
            svcr: 0,
            realm_has_them: false,
        }
    }

    /// Prepares for a vCPU: its first use of the registers will trap. A caller in streaming mode is brought out of it at once,
    /// as that mode changes what the vCPU's instructions do.
    pub fn load(&mut self, has: Extensions, simd: &SimdContext) {
        self.svcr = 0;
        if has.sme {
            open();
            self.svcr = cpu::read!(S3_3_C4_C2_2);
        }
        if self.svcr & STREAMING != 0 {
            self.give(has, simd);
        } else {
            trap(NO_SVE | NO_SME | NO_SIMD);
        }
    }

    /// Says whether the vCPU has the registers.
    pub const fn given(&self) -> bool {
        self.realm_has_them
    }

    /// Gives the registers to the vCPU, which has just trapped on using them.
    pub fn give(&mut self, has: Extensions, simd: &SimdContext) {
        if self.realm_has_them {
            return;
        }
        open();
        self.save_normal(has);
        // SAFETY: the argument is readable, and traps are open.
        unsafe { vectors_load(simd) };
        self.realm_has_them = true;
        trap(NO_SVE | NO_SME);
    }

    /// Takes the registers back: the vCPU's into `simd`, the Normal world's into the processor.
    pub fn unload(&mut self, has: Extensions, simd: &mut SimdContext) {
        if !self.realm_has_them {
            return;
        }
        open();
        // SAFETY: the argument is writable, and traps are open.
        unsafe { vectors_save(simd) };
        self.restore_normal(has);
        self.realm_has_them = false;
        trap(NO_SVE | NO_SME | NO_SIMD);
    }

    fn save_normal(&mut self, has: Extensions) {
        // SAFETY: room for the registers is behind the pointers, at the greatest length; traps are open.
        unsafe { vectors_save(&raw mut self.simd) };
        if has.sve {
            self.zcr = cpu::read!(S3_4_C1_C2_0);
            cpu::write!(S3_4_C1_C2_0, LONGEST);
            cpu::barrier::isb();
            let ffr = u64::from(self.svcr & STREAMING == 0);
            // SAFETY: as above.
            unsafe { scalable_save(&raw mut self.z, &raw mut self.p, ffr) };
        }
        if self.svcr & STREAMING != 0 {
            set_svcr(self.svcr & !STREAMING);
        }
    }

    fn restore_normal(&mut self, has: Extensions) {
        if self.svcr & STREAMING != 0 {
            set_svcr(self.svcr);
        }
        if has.sve {
            let ffr = u64::from(self.svcr & STREAMING == 0);
            // SAFETY: the pointers are readable, the vector length is that of the save; traps are open.
            unsafe { scalable_load(&raw const self.z, &raw const self.p, ffr) };
            cpu::write!(S3_4_C1_C2_0, self.zcr);
            // The V registers are parts of what was just loaded; loading them again would clear the rest.
            cpu::write!(S3_3_C4_C4_0, self.simd.fpcr);
            cpu::write!(S3_3_C4_C4_1, self.simd.fpsr);
        } else {
            // SAFETY: the argument is readable; traps are open.
            unsafe { vectors_load(&raw const self.simd) };
        }
    }
}

/// Puts the processor in or out of streaming mode.
fn set_svcr(value: u64) {
    cpu::write!(S3_3_C4_C2_2, value);
    cpu::barrier::isb();
}

/// Lets R-EL2 use all vector registers.
fn open() {
    cpu::write!(cptr_el2, ALWAYS);
    cpu::barrier::isb();
}

/// Traps what is named, from R-EL1 and R-EL0 and from the RMM itself.
pub fn trap(what: u64) {
    cpu::write!(cptr_el2, ALWAYS | what);
    cpu::barrier::isb();
}

/// Traps every vector register.
pub fn trap_all() {
    trap(NO_SVE | NO_SME | NO_SIMD);
}
