//! A Normal-world image that measures the firmware under it: the price of each call to EL3 and to the RMM, and of what a
//! Realm does, as the difference of two readings of the counter. Under QEMU's `-icount shift=0` that is instructions,
//! otherwise nanoseconds. On the way it sees that vector registers come back from every call as they were. It prints
//! `bench <row> <count> <least> <median> <most>` on UART0 and powers off. Instead, with the feature `residue` it looks for what
//! one world leaves in a register for the other, with `walk` it has a test build of the RMM look over everything it holds, and
//! with `stress` all CPUs issue commands at random before that.
//!
//! UNSAFETY: it makes firmware calls that give pages of the Normal world away, and reads pages that the RMM writes. It
//! runs alone on its machine; whatever goes wrong here harms no Realm.
#![no_std]
#![no_main]

mod call;
mod dismantle;
mod hashes;
mod latency;
mod memory;
mod realm;
mod residue;
mod row;
mod stress;
mod walk;

use call::{must, timed};
use core::arch::global_asm;
use core::fmt::Write;
use cpu::uart::Uart;
use cpu::vectors::Frame;
use row::Row;

global_asm!(include_str!("entry.s"));

cpu::vectors!("bench_vectors":
    "bench_exception" "bench_exception" "bench_exception" "bench_exception"
    "bench_exception" "bench_exception" "bench_exception" "bench_exception"
    "bench_exception" "bench_exception" "bench_exception" "bench_exception"
    "bench_exception" "bench_exception" "bench_exception" "bench_exception");

cpu::exception!("bench_exception", "el2", unexpected);

extern "C" fn unexpected(frame: &mut Frame) {
    if let Some(landing) = cpu::guarded::landing(frame.elr) {
        frame.elr = landing;
        return;
    }
    panic!("exception {:#x} at {:#x}", cpu::read!(esr_el2), frame.elr);
}

/// Gives the serial port for raw text.
pub fn uart() -> Uart {
    // SAFETY: UART0 is a PL011, and this image alone uses it.
    unsafe { Uart::new(abi::map::UART0 as usize) }
}

/// The first Rust: `first` is the count at the image's first instruction.
#[unsafe(no_mangle)]
extern "C" fn bench_start(first: u64) -> ! {
    memory::enable();
    uart().enable();
    Row::once("reset", first).print();
    hashes::agree();
    if cfg!(feature = "residue") {
        residue::search();
    } else if cfg!(feature = "walk") {
        walk::check();
    } else if cfg!(feature = "stress") {
        stress::all_cpus();
    } else {
        residue::plant_vectors();
        hashes::measure();
        calls();
        realm::measure();
        residue::vectors_kept("the firmware has changed them");
    }
    let _ = writeln!(uart(), "bench done");
    off()
}

/// Calls that need no Realm.
fn calls() {
    let mut null = Row::new("psci_version");
    let mut version = Row::new("rmi_version");
    for _ in 0..row::REPEATS {
        null.add(timed([u64::from(abi::psci::VERSION), 0, 0, 0, 0, 0]).1);
        version.add(must(abi::rmi::fid::VERSION, [abi::rmi::VERSION_1_0, 0, 0, 0, 0]));
    }
    null.print();
    version.print();
    let mut delegate = Row::new("delegate");
    let mut undelegate = Row::new("undelegate");
    for page in memory::pages(row::REPEATS) {
        delegate.add(must(abi::rmi::fid::GRANULE_DELEGATE, [page, 0, 0, 0, 0]));
    }
    for page in memory::pages(row::REPEATS) {
        undelegate.add(must(abi::rmi::fid::GRANULE_UNDELEGATE, [page, 0, 0, 0, 0]));
    }
    delegate.print();
    undelegate.print();
}

fn off() -> ! {
    timed([u64::from(abi::psci::SYSTEM_OFF), 0, 0, 0, 0, 0]);
    cpu::barrier::halt()
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    let _ = writeln!(uart(), "bench: {info}");
    off()
}
