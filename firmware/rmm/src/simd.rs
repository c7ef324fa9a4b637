//! Vector registers, switched when a vCPU first uses them: FP and SIMD, and SVE for a Realm that has it.
//!
//! The Normal world's come aside whole: at the longest vectors there are, with predicates and FFR, whatever length it has
//! set, and out of streaming mode if it was in it. SME is the Normal world's alone: ZA and ZT0 stay where they are.
//! The SVE hint of a call is not asked: it is no more than a hint.

use crate::realm::Processor;
use core::arch::global_asm;
use cpu::{read, write};
use rmm::rec::context::SimdContext;

global_asm!(include_str!("simd.s"));

unsafe extern "C" {
    fn vectors_save(z: *mut u64);
    fn vectors_load(z: *const u64);
    fn sve_save(z: *mut u64, p: *mut u16, ffr: u64);
    fn sve_load(z: *const u64, p: *const u16, ffr: u64);
    /// Gives the length of vectors in bytes.
    safe fn sve_length() -> u64;
}

/// CPTR_EL2 with E2H = 0: RES1 bits, and traps for trace (20) and activity monitors (30).
const ALWAYS: u64 = 0x22ff | 1 << 20 | 1 << 30;
/// Traps for SVE, for FP and SIMD, and for SME; at EL2 too.
const NO_SVE: u64 = 1 << 8;
const NO_SIMD: u64 = 1 << 10;
const NO_SME: u64 = 1 << 12;

/// ZCR_EL2.LEN: as long as EL3 lets them be, which is as long as they can be.
const LONGEST: u64 = 0xf;
/// Of those, in quadwords.
const QUADWORDS: usize = 16;
/// SVCR.SM: streaming mode.
const STREAMING: u64 = 1;
/// SMCR_EL2.FA64: streaming mode has FFR.
const FA64: u64 = 1 << 31;

/// Where one CPU keeps the Normal world's registers.
#[repr(C, align(16))]
pub struct Aside {
    z: [u64; 32 * 2 * QUADWORDS],
    p: [u16; 17 * QUADWORDS],
    fpcr: u64,
    fpsr: u64,
    zcr_el1: u64,
    zcr_el2: u64,
    svcr: u64,
    kept: bool,
    given: bool,
}

impl Aside {
    /// Makes an empty place.
    pub const fn new() -> Self {
        Self {
            z: [0; 32 * 2 * QUADWORDS],
            p: [0; 17 * QUADWORDS],
            fpcr: 0,
            fpsr: 0,
            zcr_el1: 0,
            zcr_el2: 0,
            svcr: 0,
            kept: false,
            given: false,
        }
    }

    /// Leaves the Normal world's streaming mode before a vCPU runs: in it, SVE instructions trap by the vCPU's own controls
    /// of SME before they come here.
    pub fn load(&mut self, processor: &Processor) {
        if processor.sme {
            trap(NO_SIMD | NO_SVE);
            if read!(S3_3_C4_C2_2) & STREAMING != 0 {
                trap(0);
                self.keep(processor);
            }
            write!(cptr_el2, ALWAYS | NO_SIMD | NO_SVE | NO_SME);
        }
    }

    /// Says whether the vCPU has the registers.
    pub const fn given(&self) -> bool {
        self.given
    }

    /// Gives the registers to the vCPU, which has just trapped on using them: `quadwords` is its vectors' length, 0 without
    /// SVE.
    pub fn give(&mut self, processor: &Processor, quadwords: u64, simd: &SimdContext) {
        trap(0);
        if !self.kept {
            self.keep(processor);
        }
        if quadwords > 0 {
            self.zcr_el1 = read!(S3_0_C1_C2_0);
            set_length(quadwords.wrapping_sub(1));
            write!(S3_0_C1_C2_0, simd.zcr);
        }
        load(&simd.z, &simd.p, (quadwords > 0).then_some(1));
        set_status(simd.fpcr, simd.fpsr);
        trap(if quadwords > 0 { NO_SME } else { NO_SVE | NO_SME });
        self.given = true;
    }

    /// Takes the registers back: the vCPU's into `simd`, the Normal world's into the processor.
    pub fn unload(&mut self, processor: &Processor, quadwords: u64, simd: &mut SimdContext) {
        if !self.kept {
            return;
        }
        trap(0);
        if core::mem::take(&mut self.given) {
            self.take(quadwords, simd);
        }
        self.put_back(processor);
        self.kept = false;
        trap(NO_SIMD | NO_SVE | NO_SME);
    }

    /// Saves the vCPU's registers.
    fn take(&self, quadwords: u64, simd: &mut SimdContext) {
        (simd.fpcr, simd.fpsr) = status();
        save(&mut simd.z, &mut simd.p, (quadwords > 0).then_some(1));
        if quadwords > 0 {
            simd.zcr = read!(S3_0_C1_C2_0);
            write!(S3_0_C1_C2_0, self.zcr_el1);
        }
    }

    /// Saves the Normal world's registers, and leaves its streaming mode.
    fn keep(&mut self, processor: &Processor) {
        self.svcr = if processor.sme { read!(S3_3_C4_C2_2) } else { 0 };
        if processor.sve {
            self.zcr_el2 = read!(S3_4_C1_C2_0);
            set_length(LONGEST);
        }
        (self.fpcr, self.fpsr) = status();
        let ffr = self.ffr(processor);
        save(&mut self.z, &mut self.p, ffr);
        if self.svcr & STREAMING != 0 {
            write!(S3_3_C4_C2_2, self.svcr & !STREAMING);
            cpu::barrier::isb();
        }
        self.kept = true;
    }

    /// Loads the Normal world's registers.
    fn put_back(&self, processor: &Processor) {
        if self.svcr & STREAMING != 0 {
            write!(S3_3_C4_C2_2, self.svcr);
        }
        if processor.sve {
            set_length(LONGEST);
        }
        let ffr = self.ffr(processor);
        load(&self.z, &self.p, ffr);
        set_status(self.fpcr, self.fpsr);
        if processor.sve {
            set_length(self.zcr_el2);
        }
    }

    /// Says whether FFR is among the Normal world's registers, and Z and P at all.
    fn ffr(&self, processor: &Processor) -> Option<u64> {
        if self.svcr & STREAMING != 0 {
            return Some(u64::from(read!(S3_4_C1_C2_6) & FA64 != 0));
        }
        processor.sve.then_some(1)
    }
}

/// Saves Z, P and, if it is not 0, FFR; V alone without `ffr`. The places have room for the length that is set: the Normal
/// world's for the longest there are, a Realm's for its own.
fn save(z: &mut [u64], p: &mut [u16], ffr: Option<u64>) {
    // SAFETY: the places are writable and large enough; nothing traps.
    unsafe {
        match ffr {
            Some(ffr) => sve_save(z.as_mut_ptr(), p.as_mut_ptr(), ffr),
            None => vectors_save(z.as_mut_ptr()),
        }
    }
}

/// Loads what [`save`] saved at the same length.
fn load(z: &[u64], p: &[u16], ffr: Option<u64>) {
    // SAFETY: the places are readable and large enough; nothing traps.
    unsafe {
        match ffr {
            Some(ffr) => sve_load(z.as_ptr(), p.as_ptr(), ffr),
            None => vectors_load(z.as_ptr()),
        }
    }
}

fn set_length(zcr: u64) {
    write!(S3_4_C1_C2_0, zcr);
    cpu::barrier::isb();
}

/// FPCR and FPSR.
fn status() -> (u64, u64) {
    (read!(S3_3_C4_C4_0), read!(S3_3_C4_C4_1))
}

fn set_status(fpcr: u64, fpsr: u64) {
    write!(S3_3_C4_C4_0, fpcr);
    write!(S3_3_C4_C4_1, fpsr);
}

fn trap(what: u64) {
    write!(cptr_el2, ALWAYS | what);
    cpu::barrier::isb();
}

/// Runs `f` with the registers usable at R-EL2, and not in streaming mode; without a result where somebody is in it. `f`
/// leaves all of them as they were, as they are somebody's.
pub fn untrapped<R>(processor: &Processor, f: impl FnOnce() -> R) -> Option<R> {
    let before = read!(cptr_el2);
    trap(0);
    let streaming = processor.sme && read!(S3_3_C4_C2_2) & STREAMING != 0;
    let result = if streaming { None } else { Some(f()) };
    write!(cptr_el2, before);
    cpu::barrier::isb();
    result
}

/// Gives the longest vectors, in quadwords, that are not longer than `most`; on a CPU where nothing else runs yet.
pub fn longest(most: usize) -> u8 {
    (at_length(most as u64 - 1, || sve_length()) / 16) as u8
}

/// Runs `f` with the longest vectors that there are, as many a Normal world has them; on a CPU where nothing else runs yet.
pub fn at_longest<R>(processor: &Processor, f: impl FnOnce() -> R) -> R {
    if processor.sve { at_length(LONGEST, f) } else { f() }
}

fn at_length<R>(length: u64, f: impl FnOnce() -> R) -> R {
    let (cptr, zcr) = (read!(cptr_el2), read!(S3_4_C1_C2_0));
    trap(0);
    set_length(length);
    let result = f();
    set_length(zcr);
    write!(cptr_el2, cptr);
    cpu::barrier::isb();
    result
}

/// Traps every vector register, so that the first use by a vCPU is seen.
pub fn prepare() {
    trap(NO_SIMD | NO_SVE | NO_SME);
}
