//! The way into a Realm and back (RMM 1.0, A4; registers of R-EL2 as docs/world-switch.md lists them).

use crate::debug;
use crate::el1::{self, put};
use crate::gic::{self, Shape};
use crate::pmu;
use crate::simd::{self, Aside};
use crate::timers;
use abi::rmi::fid_of;
use abi::rsi;
use core::arch::{asm, global_asm};
use rmm::platform::{Access, Exit, Scope};
use rmm::rec::context::{El1Registers, RealmContext, RecContext, SimdContext, Timers};

global_asm!(include_str!("vectors.s"));

unsafe extern "C" {
    fn realm_enter(x: *mut [u64; 31]) -> u64;
    fn realm_translate(address: u64, how: u64) -> u64;
}

/// HCR_EL2 while a vCPU runs, and in between: what QEMU would flush its TLB for stays as it is. Bits: VM 0, SWIO 1, PTW 2,
/// FMO 3, IMO 4, AMO 5, FB 9, BSU inner 10, TID3 18, TSC 19, TIDCP 20, RW 31, TLOR 35, TERR 36, TEA 37, APK 40, API 41, FWB 46.
const HCR: u64 = 0b11_1111 | 1 << 9 | 1 << 10 | 0b111 << 18 | 1 << 31 | 0b111 << 35 | 0b11 << 40 | 1 << 46;
/// What a vCPU's entry may add to it: VSE 8, TWI 13, TWE 14.
const HCR_VARYING: u64 = HCR_VSE | 1 << 13 | 1 << 14;
const HCR_VSE: u64 = 1 << 8;
/// MDCR_EL2: no performance monitors (TPM 6, TPMCR 5) but for Realms that have them, no debug registers (TDA 9, TDOSA 10, TDRA 11), no statistical profiling
/// (TPMS 14), no counting at EL2 (HPMD 17, HCCD 23), no trace filter (TTRF 19).
const MDCR: u64 = MDCR_NO_PMU | 0b111 << 9 | 1 << 14 | 1 << 17 | 1 << 19 | 1 << 23;
const MDCR_NO_PMU: u64 = 1 << 5 | 1 << 6;
/// HCRX_EL2: memory copy instructions at EL1 and EL0 (MSCEn 11).
const HCRX_MSCEN: u64 = 1 << 11;

/// VTTBR_EL2 until a vCPU runs: our host's, as QEMU forgets translations where a world switch changes the VMID.
const FIRST_VMID: u64 = 1 << 48;

/// What of the processor a switch has to care for.
#[derive(Clone, Copy, Debug)]
pub struct Processor {
    /// The virtual CPU interface.
    pub gic: Shape,
    /// Breakpoints and watchpoints.
    pub debug: debug::Shape,
    /// Event counters of the performance monitors.
    pub counters: usize,
    /// FEAT_MOPS.
    pub mops: bool,
    /// FEAT_SHA256.
    pub sha256: bool,
    /// FEAT_SHA512.
    pub sha512: bool,
    /// FEAT_SVE.
    pub sve: bool,
    /// FEAT_SME.
    pub sme: bool,
    /// FEAT_HCX.
    pub hcrx: bool,
    /// FEAT_FGT.
    pub fine_grained_traps: bool,
}

/// PMCR_EL0.E: the performance monitors count.
const COUNTING: u64 = 1;

/// What one CPU keeps of the Normal world while it runs vCPUs.
pub struct Normal {
    kept: Option<Kept>,
    simd: Aside,
    debug: debug::Aside,
    pmu: pmu::Aside,
    /// The processor still has what `leave_rest` saves of the vCPU that runs.
    live: bool,
    /// VTTBR_EL2 and VMPIDR_EL2 of the vCPU that ran here last.
    last: [u64; 2],
}

struct Kept {
    el1: El1Registers,
    timers: Timers,
    pmcr: u64,
}

impl Normal {
    /// Makes an empty place.
    pub const fn new() -> Self {
        Self {
            kept: None,
            simd: Aside::new(),
            debug: debug::Aside::new(),
            pmu: pmu::Aside::new(),
            live: false,
            last: [0; 2],
        }
    }
}

/// Sets the registers of R-EL2 that no vCPU changes. EL3 keeps them for this world from here on.
pub fn prepare(processor: &Processor) {
    cpu::write!(hcr_el2, HCR);
    cpu::write!(mdcr_el2, MDCR | pmu::counters());
    cpu::write!(vttbr_el2, FIRST_VMID);
    cpu::write!(hstr_el2, 0);
    cpu::write!(vpidr_el2, cpu::read!(midr_el1));
    cpu::write!(cnthctl_el2, 3);
    cpu::write!(cntvoff_el2, 0);
    if processor.hcrx {
        cpu::write!(S3_4_C1_C2_2, if processor.mops { HCRX_MSCEN } else { 0 });
    }
    if processor.fine_grained_traps {
        trap_all_newer();
    }
    simd::prepare();
    gic::enable();
}

/// Sets the fine-grained traps (HFGRTR, HFGWTR, HFGITR, HDFGRTR, HDFGWTR) so that what was there before them does not trap and
/// what came with them or later does.
fn trap_all_newer() {
    cpu::write!(S3_4_C1_C1_4, 0);
    cpu::write!(S3_4_C1_C1_5, 0);
    cpu::write!(S3_4_C1_C1_6, 0);
    cpu::write!(S3_4_C3_C1_4, 0);
    cpu::write!(S3_4_C3_C1_5, 0);
}

/// Keeps the Normal world's registers aside, stops its performance monitors, which would count what a Realm does, and sets the
/// realm's stage 2.
pub fn load(processor: &Processor, normal: &mut Normal, realm: &RealmContext, rec: &RecContext) {
    let pmcr = cpu::read!(pmcr_el0);
    let mut kept = Kept { el1: Default::default(), timers: Default::default(), pmcr };
    put!(pmcr_el0, pmcr & !COUNTING);
    if let Some(event_counters) = realm.pmu.checked_sub(1) {
        normal.pmu.give(processor.counters, &rec.pmu);
        cpu::write!(mdcr_el2, MDCR & !MDCR_NO_PMU | event_counters);
    }
    el1::save(&mut kept.el1);
    timers::save(&mut kept.timers);
    normal.kept = Some(kept);
    normal.simd.load(processor);
    set_stage2(realm);
    // A vCPU counts on its TLB being its own, but what two of one realm leave in this one has the same VMID.
    let vcpu = [realm.vttbr, rec.vmpidr];
    if normal.last != vcpu {
        cpu::tlb::current_vmid();
        normal.last = vcpu;
    }
}

/// Gives the Normal world its registers back.
pub fn unload(
    processor: &Processor,
    normal: &mut Normal,
    realm: &RealmContext,
    rec: &mut RecContext,
    simd: &mut SimdContext,
) {
    if core::mem::take(&mut normal.live) {
        leave_rest(processor, rec);
    }
    normal.simd.unload(processor, realm.vector_quadwords, simd);
    normal.debug.take_back(processor.debug);
    gic::clear(processor.gic);
    timers::show();
    if let Some(kept) = normal.kept.take() {
        timers::load(&kept.timers);
        el1::load(&kept.el1);
        if normal.pmu.given() {
            // All counters are in sight of the Normal world again before its are loaded.
            cpu::write!(mdcr_el2, MDCR | processor.counters as u64);
            cpu::barrier::isb();
            normal.pmu.take_back(processor.counters, &mut rec.pmu);
        }
        put!(pmcr_el0, kept.pmcr);
    }
    cpu::barrier::isb();
}

/// Makes a realm's stage 2 the current one. It stays so until another realm's is needed.
fn set_stage2(realm: &RealmContext) {
    if cpu::read!(vtcr_el2) != realm.vtcr || cpu::read!(vttbr_el2) != realm.vttbr {
        cpu::write!(vtcr_el2, realm.vtcr);
        cpu::write!(vttbr_el2, realm.vttbr);
        cpu::barrier::isb();
    }
}

/// Runs a vCPU until it exits for a reason other than its first use of vector registers that it has. After a call of a service, which needs little of
/// the vCPU and mostly returns to it, the processor keeps the rest.
pub fn run(
    processor: &Processor,
    normal: &mut Normal,
    realm: &RealmContext,
    rec: &mut RecContext,
    simd: &SimdContext,
) -> Exit {
    let quadwords = realm.vector_quadwords;
    if !normal.live {
        enter_context(processor, rec);
        normal.debug.give(rec, processor.debug);
    }
    cpu::write!(elr_el2, rec.pc);
    cpu::write!(spsr_el2, rec.pstate);
    let exit = loop {
        // SAFETY: the vectors save the Realm's registers in `x`, and come back here with the RMM's.
        let exit = cause(unsafe { realm_enter(&raw mut rec.x) });
        match exit {
            Exit::Sync { esr, .. } if !normal.simd.given() && is_vector_trap(esr, quadwords) => {
                normal.simd.give(processor, quadwords, simd);
            }
            _ => break exit,
        }
    };
    rec.pc = cpu::read!(elr_el2);
    rec.pstate = cpu::read!(spsr_el2);
    timers::save(&mut rec.timers);
    normal.live = calls_service(exit, rec);
    if !normal.live {
        leave_rest(processor, rec);
    }
    exit
}

/// Says whether an exception is the use of vector registers that the vCPU has.
const fn is_vector_trap(esr: u64, quadwords: u64) -> bool {
    const SIMD: u64 = 0x07;
    const SVE: u64 = 0x19;
    let class = esr >> 26 & 0x3f;
    class == SIMD || class == SVE && quadwords > 0
}

/// Says whether a vCPU left by an SMC of the RSI.
fn calls_service(exit: Exit, rec: &RecContext) -> bool {
    const SMC: u64 = 0x17;
    let [function, ..] = rec.x;
    matches!(exit, Exit::Sync { esr, .. } if esr >> 26 & 0x3f == SMC)
        && (rsi::FIRST..=rsi::LAST).contains(&fid_of(function))
}

fn cause(vector: u64) -> Exit {
    match vector {
        1 => Exit::Irq,
        2 => Exit::Fiq,
        3 => Exit::SError { esr: cpu::read!(esr_el2) },
        _ => Exit::Sync { esr: cpu::read!(esr_el2), far: cpu::read!(far_el2), hpfar: cpu::read!(hpfar_el2) },
    }
}

fn enter_context(processor: &Processor, rec: &RecContext) {
    let hcr = HCR | rec.hcr & HCR_VARYING;
    put!(hcr_el2, hcr);
    put!(S3_4_C5_C2_3, rec.vsesr);
    put!(vmpidr_el2, rec.vmpidr);
    el1::load(&rec.el1);
    el1::load_keys(&rec.keys);
    timers::load(&rec.timers);
    timers::hide(&rec.timers);
    gic::load(&rec.gic, processor.gic);
}

fn leave_rest(processor: &Processor, rec: &mut RecContext) {
    rec.hcr = rec.hcr & !HCR_VSE | cpu::read!(hcr_el2) & HCR_VSE;
    gic::save(&mut rec.gic, processor.gic);
    el1::save(&mut rec.el1);
    el1::save_keys(&mut rec.keys);
}

/// Removes translations of a realm from all TLBs (Arm ARM, D8.17). A few pages go one by one; with more, the whole VMID
/// is quicker.
pub fn invalidate(realm: &RealmContext, scope: Scope) {
    const FEW: u64 = 8 * abi::GRANULE_U64;
    set_stage2(realm);
    match scope {
        Scope::Range { base, size } if size <= FEW => invalidate_pages(base, size),
        _ => cpu::tlb::current_vmid_everywhere(),
    }
}

fn invalidate_pages(base: u64, size: u64) {
    cpu::barrier::dsb();
    for page in 0..size >> 12 {
        // SAFETY: forgetting cached translations is always allowed.
        unsafe {
            asm!("tlbi ipas2e1is, {}", in(reg) (base >> 12).wrapping_add(page), options(nostack, preserves_flags))
        };
    }
    // SAFETY: as above; what stage 1 was combined with goes too.
    unsafe { asm!("dsb ish", "tlbi vmalle1is", "dsb ish", "isb", options(nostack, preserves_flags)) };
}

/// Translates by the stage 1 of the vCPU that just ran, whose registers are still loaded. Its tables may be the host's, or
/// nowhere: an abort on the way is no translation.
pub fn translate(address: u64, access: Access, el0: bool) -> Option<u64> {
    const FAILED: u64 = 1;
    let how = u64::from(access == Access::Write) | u64::from(el0) << 1;
    // SAFETY: a translation changes PAR_EL1 alone, which is saved and loaded with the vCPU; the vectors take its abort.
    let par = unsafe { realm_translate(address, how) };
    (par & FAILED == 0).then_some(par & 0x000f_ffff_ffff_f000)
}
