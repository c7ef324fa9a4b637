//! The search for residue: the Normal world and a Realm plant values in every register that they can reach, and after each
//! way out of the Realm each finds its own, and nothing of the other's. At the end no granule keeps anything.

mod lists;

use crate::call::must;
use crate::memory::{fresh, page};
use crate::realm::{UNPROTECTED, WIDTH, delegated};
use abi::rmi::{
    self, ExitReason, REALM_FLAG_PMU, REALM_FLAG_SVE, REC_FLAG_RUNNABLE, RealmParams, RecParams, RecRun, enter, fid,
};
use core::arch::global_asm;
use core::cell::UnsafeCell;
use core::fmt::{Debug, Write};
use core::ptr::{copy_nonoverlapping, read_volatile, write_volatile};
use cpu::gic::Redistributor;
use cpu::{barrier, read, write};

global_asm!(include_str!("residue.s"));

unsafe extern "C" {
    static residue_inside: u8;
    static residue_inside_end: u8;
    fn residue_call(x: *mut [u64; 31]);
    fn residue_vectors_plant(seed: u64);
    fn residue_vectors(z: *mut u64, p: *mut u16);
    fn residue_array_plant(row: *const u8);
    fn residue_array(rows: *mut u8, bytes: u64);
}

/// Granules of the pool, by number.
const PARAMS: u64 = 0x600;
const SOURCE: u64 = 0x601;
const RUN: u64 = 0x608;
pub const RD: u64 = 0x610;
const ROOT: u64 = 0x611;
const LEVEL2: u64 = 0x612;
pub const LEVEL3: u64 = 0x613;
pub const REC: u64 = 0x614;
pub const AUX: u64 = 0x615;
pub const DATA: u64 = 0x620;
/// Code, a structure, and what the Realm notes.
const PAGES: u64 = 4;
const CODE: usize = 2;

/// Vectors of 512 bits.
const QUADWORDS_LESS_ONE: u8 = 3;
const EVENT_COUNTERS: u8 = 4;
/// The upper 16 bits of all that the Normal world plants where it can.
const MARK: u64 = 0xc0de << 48;
/// PPI of the hypervisor's timer.
const TIMER: u32 = 26;
/// What the host answers to the Realm's read of a device.
const EMULATED: u64 = 0x7777;

macro_rules! registers {
    ($list:ident: $($register:ident $mask:expr,)*) => {
        mod $list {
        use super::{ALL, ICH_HCR, ICH_VMCR, LOW, MARK};
        use cpu::{barrier, read, write};

        pub const NAMES: &[&str] = &[$(stringify!($register)),*];

        /// Writes a value of its own to each register, as far as it takes it.
        pub fn plant() {
            let mut value = MARK | 0x0123_4567_0000;
            $(
                value += 0x1111;
                write!($register, value & $mask);
            )*
            let _ = value;
            barrier::isb();
        }

        pub fn all() -> [u64; NAMES.len()] {
            [$(read!($register)),*]
        }
        }
    };
}

const ALL: u64 = u64::MAX;
const LOW: u64 = 0xffff_ffff;
/// EOIcount; not En. Priority mask, and groups enabled.
const ICH_HCR: u64 = 0xf800_0000;
const ICH_VMCR: u64 = 0xff00_0003;

registers! {
    own:
    sp_el1 ALL, elr_el1 ALL, esr_el1 LOW, far_el1 ALL, vbar_el1 !0x7ff, ttbr0_el1 ALL, ttbr1_el1 ALL, mair_el1 ALL,
    contextidr_el1 LOW, tpidr_el1 ALL, tpidr_el0 ALL, tpidrro_el0 ALL, par_el1 ALL, cntkctl_el1 0x3ff, csselr_el1 0,
    cpacr_el1 0x30_0000, spsr_el1 0xf000_03c0, mdscr_el1 0, afsr0_el1 ALL, afsr1_el1 ALL, amair_el1 ALL,
    cntv_cval_el0 ALL, cntp_cval_el0 ALL, cntv_ctl_el0 0, cntp_ctl_el0 0,
    S3_0_C2_C1_0 ALL, S3_0_C2_C1_1 ALL, S3_0_C2_C1_2 ALL, S3_0_C2_C1_3 ALL, S3_0_C2_C2_0 ALL, S3_0_C2_C2_1 ALL,
    S3_0_C2_C2_2 ALL, S3_0_C2_C2_3 ALL, S3_0_C2_C3_0 ALL, S3_0_C2_C3_1 ALL,
    // ZCR_EL1, TPIDR2_EL0, SCXTNUM_EL0 to EL2.
    S3_0_C1_C2_0 0x5, S3_3_C13_C0_5 ALL, S3_3_C13_C0_7 ALL, S3_0_C13_C0_7 ALL, S3_4_C13_C0_7 ALL,
    dbgbvr0_el1 ALL, dbgbvr1_el1 ALL, dbgbvr2_el1 ALL, dbgbvr3_el1 ALL, dbgbvr4_el1 ALL, dbgbvr5_el1 ALL,
    dbgbcr0_el1 0x1e6, dbgbcr5_el1 0x1e4, dbgwvr0_el1 ALL, dbgwvr1_el1 ALL, dbgwvr2_el1 ALL, dbgwvr3_el1 ALL,
    dbgwcr0_el1 0x1ffe, dbgwcr3_el1 0xffe,
    pmccntr_el0 ALL, pmevcntr0_el0 ALL, pmevcntr5_el0 ALL, pmevtyper0_el0 0x3ff, pmevtyper5_el0 0x3ff, pmccfiltr_el0 0xf800_0000,
    pmselr_el0 0x3, pmuserenr_el0 0xf, pmcntenset_el0 0x8000_0021, pmintenset_el1 0x21,
    // EL2: VHE's and others that EL3 keeps.
    tpidr_el2 ALL, S3_4_C13_C0_1 LOW, S3_4_C2_C0_1 ALL, far_el2 ALL, elr_el2 ALL, esr_el2 LOW, spsr_el2 0xf000_03c0,
    cntvoff_el2 0xffff, vpidr_el2 LOW, S3_4_C1_C2_0 0xf, S3_4_C1_C2_6 0x8000_000f,
    ich_hcr_el2 ICH_HCR, ich_vmcr_el2 ICH_VMCR,
}

// What a hypervisor with HCR_EL2.E2H has: SCTLR_EL12 and its like, timers of EL02, its own of EL2.
registers! {
    hosts:
    S3_5_C1_C0_2 0x30_0000, S3_5_C1_C2_0 0x7, S3_5_C2_C0_0 ALL, S3_5_C2_C0_1 ALL, S3_5_C2_C0_2 0x5_b510_3510, S3_5_C4_C0_0 0xf000_03c0,
    S3_5_C4_C0_1 ALL, S3_5_C5_C2_0 LOW, S3_5_C6_C0_0 ALL, S3_5_C10_C2_0 ALL, S3_5_C12_C0_0 !0x7ff, S3_5_C13_C0_1 LOW,
    S3_5_C14_C1_0 0x3ff, S3_5_C14_C2_2 ALL, S3_5_C14_C3_2 ALL, tpidr_el1 ALL, tpidr_el0 ALL, tpidrro_el0 ALL, sp_el1 ALL,
    ttbr0_el2 ALL, S3_4_C2_C0_1 ALL, mair_el2 ALL, S3_4_C13_C0_1 LOW, tpidr_el2 ALL, far_el2 ALL, elr_el2 ALL,
    S3_4_C14_C3_2 ALL, cntvoff_el2 0xffff, cnthctl_el2 0xc00, S3_4_C1_C1_4 0xffff, S3_4_C1_C1_5 0xffff,
    ich_hcr_el2 ICH_HCR, ich_vmcr_el2 ICH_VMCR,
}

/// All vector registers at the longest length.
#[derive(Clone, PartialEq, Eq)]
#[repr(C, align(16))]
struct Vectors {
    z: [u64; 1024],
    p: [u16; 17 * 16],
}

const NO_VECTORS: Vectors = Vectors { z: [0; 1024], p: [0; 17 * 16] };
/// Bytes of a row of ZA at most, and rows.
const ROW: usize = 256;

/// Where registers go to be compared.
#[repr(C, align(16))]
struct Places {
    before: Vectors,
    after: Vectors,
    array_before: [[u8; ROW]; ROW],
    array_after: [[u8; ROW]; ROW],
}

struct Place(UnsafeCell<Places>);

// SAFETY: one CPU runs.
unsafe impl Sync for Place {}

static PLACES: Place = Place(UnsafeCell::new(Places {
    before: NO_VECTORS,
    after: NO_VECTORS,
    array_before: [[0; ROW]; ROW],
    array_after: [[0; ROW]; ROW],
}));

fn places() -> &'static mut Places {
    // SAFETY: one CPU runs, and each function here is done with its reference before another asks for one.
    unsafe { &mut *PLACES.0.get() }
}

impl Vectors {
    fn read(&mut self) {
        // SAFETY: the place has room for the longest vectors.
        unsafe { residue_vectors(self.z.as_mut_ptr(), self.p.as_mut_ptr()) }
    }
}

/// Plants vectors of the longest length there is, and notes them. Compiled code here uses none.
pub fn plant_vectors() {
    open_vectors();
    plant_seeded(MARK | 0x55);
}

fn plant_seeded(seed: u64) {
    // SAFETY: the routine touches vector registers alone.
    unsafe { residue_vectors_plant(seed) }
    places().before.read();
}

/// Sees that the vectors are those planted; `since` says what may have changed them.
pub fn vectors_kept(since: impl Debug) {
    let places = places();
    places.after.read();
    let (before, after) = (&places.before, &places.after);
    let z = before.z.iter().zip(&after.z).position(|(before, after)| before != after);
    let p = before.p.iter().zip(&after.p).position(|(before, after)| before != after);
    assert!((z, p) == (None, None), "vectors changed: {since:?}: 64-bit word {z:?} of Z, half-word {p:?} of P");
}

/// SVCR.SM and SVCR.ZA.
const STREAMING: u64 = 1;
const ARRAY: u64 = 2;

/// SMCR_EL2: the longest vectors, and FFR, in streaming mode too.
const STREAMING_WHOLE: u64 = 0x8000_000f;

/// How the Normal world left its vectors before a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Plain,
    Short,
    Streaming,
    /// As Linux's KVM is: HCR_EL2.E2H and TGE.
    Host,
}

/// Commands that have an argument or a result in x4; to all others it is the caller's.
const USE_X4: [u32; 5] =
    [fid::DATA_CREATE, fid::RTT_CREATE, fid::RTT_MAP_UNPROTECTED, fid::RTT_SET_RIPAS, fid::RTT_READ_ENTRY];

/// Calls with everything planted, and finds everything again. Gives x0 to x4.
fn call(mode: Mode, function: u32, arguments: [u64; 3]) -> [u64; 5] {
    set_mode(mode);
    if mode == Mode::Host {
        return as_host(|| planted(mode, function, arguments, hosts::plant, hosts::all, hosts::NAMES));
    }
    let plant = || {
        own::plant();
        write!(S3_4_C1_C2_0, if mode == Mode::Short { 1 } else { 0xf });
        write!(S3_4_C1_C2_6, STREAMING_WHOLE);
        barrier::isb();
    };
    planted(mode, function, arguments, plant, own::all, own::NAMES)
}

/// Runs `f` with E2H and TGE, and with the MMU off: the tables are not of that form.
fn as_host<R>(f: impl FnOnce() -> R) -> R {
    const E2H_TGE: u64 = 1 << 34 | 1 << 27;
    const MMU: u64 = 1;
    /// CPTR_EL2 in its other form: nothing traps.
    const CPTR: u64 = 3 << 24 | 3 << 20 | 3 << 16;
    let (hcr, sctlr, cptr) = (read!(hcr_el2), read!(sctlr_el2), read!(cptr_el2));
    let (ttbr, mair, offset, timers) = (read!(ttbr0_el2), read!(mair_el2), read!(cntvoff_el2), read!(cnthctl_el2));
    write!(sctlr_el2, sctlr & !MMU);
    barrier::isb();
    write!(hcr_el2, hcr | E2H_TGE);
    barrier::isb();
    write!(cptr_el2, CPTR);
    barrier::isb();
    let result = f();
    assert!(read!(hcr_el2) == hcr | E2H_TGE && read!(cptr_el2) == CPTR, "HCR_EL2 or CPTR_EL2");
    write!(hcr_el2, hcr);
    barrier::isb();
    write!(cptr_el2, cptr);
    write!(ttbr0_el2, ttbr);
    write!(mair_el2, mair);
    write!(cntvoff_el2, offset);
    write!(cnthctl_el2, timers);
    cpu::tlb::all_el2();
    write!(sctlr_el2, sctlr);
    barrier::isb();
    result
}

fn planted<const N: usize>(
    mode: Mode,
    function: u32,
    arguments: [u64; 3],
    plant: impl FnOnce(),
    all: impl Fn() -> [u64; N],
    names: &[&str],
) -> [u64; 5] {
    plant();
    lists::plant();
    let (before, given) = (all(), lists::all());
    let mut x = [0; 31];
    for (number, register) in (0..).zip(x.iter_mut()) {
        *register = MARK | 0xab00 | number;
    }
    x[0] = u64::from(function);
    x[1..4].copy_from_slice(&arguments);
    let command = rmi::fid_of(u64::from(function));
    let uses_x4 = USE_X4.contains(&command);
    if uses_x4 {
        x[4] = 0;
    }
    x[5] = 0;
    let sent = x;
    plant_seeded(MARK | 0x77);
    // SAFETY: the routine keeps what the procedure call standard says; memory that the call may change is not Rust's.
    unsafe { residue_call(&raw mut x) }
    vectors_kept((mode, function));
    for (name, (before, after)) in names.iter().zip(before.iter().zip(all())) {
        assert!(*before == after, "{name}: {before:#x} became {after:#x}: {mode:?} {function:#x}");
    }
    lists::check(given, command == fid::REC_ENTER);
    for (number, (sent, got)) in sent.iter().zip(x).enumerate().skip(if uses_x4 { 5 } else { 4 }) {
        assert!(*sent == got, "x{number}: {sent:#x} became {got:#x}: {mode:?} {function:#x}");
    }
    check_array(mode);
    let [x0, x1, x2, x3, x4, ..] = x;
    [x0, x1, x2, x3, x4]
}

/// SVCR, and ZA where it is on. Compiled code has no vectors that the change of mode could lose.
fn set_mode(mode: Mode) {
    write!(S3_3_C4_C2_2, if mode == Mode::Streaming { STREAMING | ARRAY } else { 0 });
    barrier::isb();
    if mode == Mode::Streaming {
        // SAFETY: the array is on; the row is as long as the longest.
        unsafe { residue_array_plant([0x5a_u8; ROW].as_ptr()) }
        read_array(&mut places().array_before);
    }
}

fn read_array(to: &mut [[u8; ROW]; ROW]) {
    // SAFETY: the array is on, and the place is as large as the largest.
    unsafe { residue_array(to.as_mut_ptr().cast(), ROW as u64) }
}

fn check_array(mode: Mode) {
    if mode != Mode::Streaming {
        return;
    }
    assert!(read!(S3_3_C4_C2_2) == STREAMING | ARRAY, "the streaming mode is gone");
    let places = places();
    read_array(&mut places.array_after);
    assert!(places.array_before == places.array_after, "ZA changed");
}

fn done(mode: Mode, function: u32, arguments: [u64; 3]) {
    let answer = call(mode, function, arguments);
    assert!(answer[0] == 0, "{function:#x} {arguments:x?} -> {answer:x?}");
}

/// Looks for residue, and prints what was done without any.
pub fn search() {
    open();
    for mode in [Mode::Plain, Mode::Short, Mode::Streaming, Mode::Host] {
        build(mode);
        run(mode);
        take_down(mode);
        let _ = writeln!(crate::uart(), "bench residue none {mode:?}");
    }
    write!(S3_3_C4_C2_2, 0);
}

/// SVE and SME at every length, counters that do not count, and the interrupt controller for this CPU.
pub fn open() {
    open_vectors();
    write!(pmcr_el0, 0);
    cpu::gic::open_el2();
    // SAFETY: this CPU's redistributor is mapped and nobody else's business.
    unsafe { Redistributor::new(abi::map::GICR as usize, 0) }.enable(TIMER, 0x80);
}

/// Nothing traps, and all is as long as can be.
fn open_vectors() {
    write!(cptr_el2, 0x22ff);
    barrier::isb();
    write!(S3_4_C1_C2_0, 0xf);
    write!(S3_4_C1_C2_6, STREAMING_WHOLE);
    barrier::isb();
}

pub fn build(mode: Mode) {
    let params: *mut RealmParams = fresh(page(PARAMS));
    let (rd, root) = (delegated(RD), delegated(ROOT));
    // SAFETY: a granule of ours, mapped and without references.
    unsafe {
        (*params).flags = REALM_FLAG_SVE | REALM_FLAG_PMU;
        (*params).sve_vl = QUADWORDS_LESS_ONE;
        (*params).pmu_num_ctrs = EVENT_COUNTERS;
        (*params).s2sz = WIDTH;
        (*params).num_bps = 1;
        (*params).num_wps = 1;
        (*params).vmid = 0x80;
        (*params).rtt_base = root;
        (*params).rtt_level_start = 1;
        (*params).rtt_num_start = 1;
    }
    done(mode, fid::REALM_CREATE, [rd, page(PARAMS), 0]);
    must(fid::RTT_CREATE, [rd, delegated(LEVEL2), 0, 2, 0]);
    must(fid::RTT_CREATE, [rd, delegated(LEVEL3), 0, 3, 0]);
    let length = &raw const residue_inside_end as usize - &raw const residue_inside as usize;
    assert!(length <= CODE * abi::GRANULE, "{length}");
    for number in 0..PAGES {
        fresh::<u8>(page(SOURCE + number));
    }
    // SAFETY: the code lies in this image, the granules are ours, mapped, and follow each other.
    unsafe { copy_nonoverlapping(&raw const residue_inside, page(SOURCE) as *mut u8, length) }
    for number in 0..PAGES {
        let data = delegated(DATA + number);
        create_data(mode, rd, data, number << 12, page(SOURCE + number));
    }
    let params: *mut RecParams = fresh(page(PARAMS));
    let count = call(mode, fid::REC_AUX_COUNT, [rd, 0, 0])[1];
    // SAFETY: as above.
    unsafe {
        (*params).flags = REC_FLAG_RUNNABLE;
        (*params).gprs[0] = UNPROTECTED;
        (*params).num_aux = count;
        for (number, aux) in (0..count).zip((*params).aux.iter_mut()) {
            *aux = delegated(AUX + number);
        }
    }
    done(mode, fid::REC_CREATE, [rd, delegated(REC), page(PARAMS)]);
    done(mode, fid::REALM_ACTIVATE, [rd, 0, 0]);
}

/// RMI_DATA_CREATE, measured: x5 has the flag, which is hashing by vectors.
fn create_data(mode: Mode, rd: u64, data: u64, ipa: u64, source: u64) {
    set_mode(mode);
    plant_seeded(MARK | 0x99);
    must(fid::DATA_CREATE, [rd, data, ipa, source, rmi::DATA_FLAG_MEASURE]);
    vectors_kept((mode, fid::DATA_CREATE));
    check_array(mode);
}

/// Runs the vCPU until it tells that it is done: each way out once.
pub fn run(mode: Mode) {
    let run: *mut RecRun = fresh(page(RUN));
    // SAFETY: a granule of ours, mapped and without references.
    unsafe { (*run).enter.gicv3_lrs[0] = lists::GIVEN };
    let mut ways = [0; 5];
    loop {
        // The timer is to fire while the Realm waits for it.
        write!(cnthp_cval_el2, read!(cntpct_el0) + 4_000_000);
        write!(cnthp_ctl_el2, u64::from(ways[3] == 0 && ways[2] != 0));
        // The hint of SMCCC 1.3 that no vectors are in use is none to be trusted.
        done(mode, fid::REC_ENTER | abi::smccc::SVE_HINT, [page(REC), page(RUN), 0]);
        // SAFETY: the RMM has filled the page and is done with it.
        let (reason, imm, esr, gprs, overflow) = unsafe {
            let exit = &raw const (*run).exit;
            let reason = read_volatile(&raw const (*exit).exit_reason);
            (
                reason,
                read_volatile(&raw const (*exit).imm),
                read_volatile(&raw const (*exit).esr),
                (*exit).gprs,
                (*exit).pmu_ovf_status,
            )
        };
        // SAFETY: as above.
        unsafe { lists::hand_on(run, ways[3] == 0) };
        assert!(overflow == u8::from(imm == 1), "an overflow is told as {overflow}, {imm}");
        let mut flags = enter::TRAP_WFI;
        let hidden = |gprs: &[u64]| assert!(gprs.iter().all(|x| *x == 0), "registers shown: {gprs:x?}");
        match (ExitReason::from_number(reason), imm) {
            (Some(ExitReason::HostCall), 0) => ways[0] += 1,
            (Some(ExitReason::HostCall), 1) => ways[4] += 1,
            (Some(ExitReason::HostCall), 2) => break,
            (Some(ExitReason::HostCall), imm) => panic!("the Realm found {:#x} ({imm}), after {ways:?}", gprs[0]),
            (Some(ExitReason::Sync), _) if esr >> 26 == 0x24 => {
                hidden(&gprs);
                ways[1] += 1;
                flags |= enter::EMUL_MMIO;
            }
            (Some(ExitReason::Sync), _) if esr >> 26 == 1 => {
                hidden(&gprs);
                ways[2] += 1;
            }
            (Some(ExitReason::Irq), _) => {
                hidden(&gprs);
                ways[3] += 1;
                take_interrupt();
            }
            other => panic!("the Realm left by {other:?}, {esr:#x}, after {ways:?}"),
        }
        // SAFETY: as above.
        unsafe {
            write_volatile(&raw mut (*run).enter.flags, flags);
            write_volatile(&raw mut (*run).enter.gprs[0], EMULATED);
        }
    }
    assert!(ways == [3, 1, 1, 1, 1], "ways out {ways:?}");
}

/// The interrupt that ended the run is still pending: it is this world's to acknowledge.
pub fn take_interrupt() {
    assert!(read!(isr_el1) & 1 << 7 != 0, "no interrupt is pending");
    let interrupt = cpu::gic::acknowledge();
    write!(cnthp_ctl_el2, 0);
    barrier::isb();
    cpu::gic::end(interrupt);
    assert!(interrupt == TIMER, "interrupt {interrupt}");
}

/// Destroys all, and finds zeroes in every granule that comes back.
pub fn take_down(mode: Mode) {
    let rd = page(RD);
    let count = call(mode, fid::REC_AUX_COUNT, [rd, 0, 0])[1];
    done(mode, fid::REC_DESTROY, [page(REC), 0, 0]);
    for number in 0..PAGES {
        done(mode, fid::DATA_DESTROY, [rd, number << 12, 0]);
    }
    done(mode, fid::RTT_DESTROY, [rd, 0, 3]);
    done(mode, fid::RTT_DESTROY, [rd, 0, 2]);
    done(mode, fid::REALM_DESTROY, [rd, 0, 0]);
    let others = [RD, ROOT, LEVEL2, LEVEL3, REC].into_iter();
    for number in others.chain(AUX..AUX + count).chain(DATA..DATA + PAGES) {
        done(mode, fid::GRANULE_UNDELEGATE, [page(number), 0, 0]);
        // SAFETY: the page is ours again, mapped, and has no references.
        let words = unsafe { &*(page(number) as *const [u64; 512]) };
        assert!(words.iter().all(|word| *word == 0), "granule {number:#x} keeps something");
    }
}
