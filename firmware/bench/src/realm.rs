//! A Realm, built and run: the price of its commands and of its own calls.

use crate::call::must;
use crate::latency::Latency;
use crate::memory::{fresh, page};
use crate::row::{REPEATS, Row};
use abi::measurement::Hash;
use abi::rmi::{self, DATA_FLAG_MEASURE, REC_FLAG_RUNNABLE, RealmParams, RecParams, RecRun, enter, fid};
use core::arch::global_asm;
use core::ptr::{copy_nonoverlapping, read_volatile, write_volatile};

global_asm!(include_str!("inside.s"));

unsafe extern "C" {
    static bench_inside: u8;
    static bench_inside_end: u8;
}

/// Granules of the pool, by number.
const PARAMS: u64 = 0x100;
const SOURCE: u64 = 0x101;
const RUN: u64 = 0x102;
/// Its descriptor, root table, and tables of levels 2 and 3.
const RD: u64 = 0x110;
const REC: u64 = 0x114;
const AUX: u64 = 0x115;
const IMAGE: u64 = 0x120;
const MEASURED: u64 = 0x240;
const PLAIN: u64 = 0x280;
const UNKNOWN: u64 = 0x300;
const TABLES: u64 = 0x500;
/// As `RD`, of a Realm measured by SHA-512, and its data.
const LONG_RD: u64 = 0x560;
const LONG_MEASURED: u64 = 0x580;
const LONG_PLAIN: u64 = 0x5c0;

/// Every Realm of this image has addresses of 39 bits: one root table of level 1, the upper half unprotected.
pub const WIDTH: u8 = 39;
pub const UNPROTECTED: u64 = 1 << (WIDTH - 1);
const BLOCK: u64 = 2 << 20;
const TOKENS: u64 = 4;
/// Tokens that are interrupted.
const LATE_TOKENS: u64 = 96;

/// Rows that the Realm itself tells, by its numbers.
const INSIDE: [&str; 4] = ["rsi_version", "mmio_read", "measurement_extend", "token"];

/// Builds a Realm, runs it to its end, and prints the rows.
pub fn measure() {
    create(RD, Hash::Sha256);
    create(LONG_RD, Hash::Sha512);
    data();
    tables();
    vcpu();
    run();
}

/// Delegates granule `number` of the pool, and gives its address.
pub fn delegated(number: u64) -> u64 {
    must(fid::GRANULE_DELEGATE, [page(number), 0, 0, 0, 0]);
    page(number)
}

/// Makes a Realm at granule `number` of the pool and those that follow, measured by `hash`, with tables for its first 2 MiB.
fn create(number: u64, hash: Hash) {
    let params: *mut RealmParams = fresh(page(PARAMS));
    let (rd, root) = (delegated(number), delegated(number + 1));
    // SAFETY: a granule of ours, mapped and without references.
    unsafe {
        (*params).s2sz = WIDTH;
        (*params).num_bps = 1;
        (*params).num_wps = 1;
        (*params).hash_algo = hash as u8;
        (*params).vmid = hash as u16 + 1;
        (*params).rtt_base = root;
        (*params).rtt_level_start = 1;
        (*params).rtt_num_start = 1;
    }
    must(fid::REALM_CREATE, [rd, page(PARAMS), 0, 0, 0]);
    must(fid::RTT_CREATE, [rd, delegated(number + 2), 0, 2, 0]);
    must(fid::RTT_CREATE, [rd, delegated(number + 3), 0, 3, 0]);
}

/// Data with and without measurement, and unknown data. IPA 0 has the code, IPA 0x1000 and 0x2000 what it works on.
fn data() {
    let (source, rd) = (page(SOURCE), page(RD));
    let length = &raw const bench_inside_end as usize - &raw const bench_inside as usize;
    let to: *mut u8 = fresh(source);
    assert!(length <= abi::GRANULE);
    // SAFETY: the code lies in this image, the granule is ours and mapped.
    unsafe { copy_nonoverlapping(&raw const bench_inside, to, length) }
    for number in 0..3 {
        must(fid::DATA_CREATE, [rd, delegated(IMAGE + number), number << 12, source, DATA_FLAG_MEASURE]);
    }
    for (name, rd, first, flags) in [
        ("data_create", RD, MEASURED, DATA_FLAG_MEASURE),
        ("data_create_plain", RD, PLAIN, 0),
        ("data_create_512", LONG_RD, LONG_MEASURED, DATA_FLAG_MEASURE),
        ("data_create_plain_512", LONG_RD, LONG_PLAIN, 0),
    ] {
        assign(name, first, |data, ipa| must(fid::DATA_CREATE, [page(rd), data, ipa, source, flags]));
    }
    assign("data_create_unknown", UNKNOWN, |data, ipa| must(fid::DATA_CREATE_UNKNOWN, [rd, data, ipa, 0, 0]));
}

/// Times the assignment of granules from number `first` on, at the IPAs that their numbers say.
fn assign(name: &'static str, first: u64, call: impl Fn(u64, u64) -> u64) {
    let mut row = Row::new(name);
    for number in (first..).take(REPEATS) {
        row.add(call(delegated(number), (number << 12) & (BLOCK - 1)));
    }
    row.print();
}

fn tables() {
    let mut row = Row::new("rtt_create");
    for number in (1..).take(REPEATS) {
        let table = delegated(TABLES + number);
        row.add(must(fid::RTT_CREATE, [page(RD), table, number * BLOCK, 3, 0]));
    }
    row.print();
}

fn vcpu() {
    let params: *mut RecParams = fresh(page(PARAMS));
    let (rec, aux) = (delegated(REC), [delegated(AUX), delegated(AUX + 1)]);
    // SAFETY: a granule of ours, mapped and without references.
    unsafe {
        (*params).flags = REC_FLAG_RUNNABLE;
        (*params).gprs[0] = REPEATS as u64;
        (*params).gprs[1] = UNPROTECTED;
        (*params).gprs[2] = TOKENS;
        (*params).gprs[3] = LATE_TOKENS;
        (*params).num_aux = 2;
        (*params).aux[0] = aux[0];
        (*params).aux[1] = aux[1];
    }
    must(fid::REC_CREATE, [page(RD), rec, page(PARAMS), 0, 0]);
    must(fid::REALM_ACTIVATE, [page(RD), 0, 0, 0, 0]);
}

/// Runs the vCPU until it tells that it is done.
fn run() {
    let run: *mut RecRun = fresh(page(RUN));
    let mut entries = Row::new("rec_enter");
    let mut inside = INSIDE.map(Row::new);
    let mut warm = 0;
    let mut latency = Latency::new();
    loop {
        let took = must(fid::REC_ENTER, [page(REC), page(RUN), 0, 0, 0]);
        // SAFETY: the RMM has filled the page and is done with it.
        let (reason, imm, value, row) = unsafe {
            let exit = &raw const (*run).exit;
            let gprs = &raw const (*exit).gprs;
            let reason = read_volatile(&raw const (*exit).exit_reason);
            (reason, read_volatile(&raw const (*exit).imm), (*gprs)[0], (*gprs)[1])
        };
        let mut flags = 0;
        match (rmi::ExitReason::from_number(reason), imm) {
            (Some(rmi::ExitReason::HostCall), 0) if warm == 0 => warm = 1,
            (Some(rmi::ExitReason::HostCall), 0) => entries.add(took),
            (Some(rmi::ExitReason::HostCall), 1) => add(&mut inside, row as usize, value),
            (Some(rmi::ExitReason::HostCall), 3) => latency.begin(),
            (Some(rmi::ExitReason::Irq), _) => latency.take(),
            (Some(rmi::ExitReason::HostCall), _) if value == 0 => break,
            (Some(rmi::ExitReason::Sync), _) => flags = enter::EMUL_MMIO,
            other => panic!("the Realm left by {other:?}, {value:#x}"),
        }
        // SAFETY: as above.
        unsafe { write_volatile(&raw mut (*run).enter.flags, flags) };
    }
    entries.print();
    inside.iter_mut().for_each(Row::print);
    latency.print();
}

/// Adds what the Realm told. Its first token is left out.
fn add(inside: &mut [Row; 4], row: usize, value: u64) {
    static FIRST: core::sync::atomic::AtomicBool = core::sync::atomic::AtomicBool::new(true);
    if row == 3 && FIRST.swap(false, core::sync::atomic::Ordering::Relaxed) {
        return;
    }
    if let Some(row) = inside.get_mut(row) {
        row.add(value);
    }
}
