//! The RMM on the bare machine: entry, memory and the core's verbs at R-EL2.
//!
//! UNSAFETY: this image owns Realm memory and R-EL2's registers; what is unsafe is to reach them. Each block says who
//! guarantees what it relies on.
#![cfg_attr(target_os = "none", no_std, no_main)]
#![cfg(target_os = "none")]

mod console;
mod debug;
mod el1;
mod el3;
mod gic;
mod hashing;
mod identity;
mod manifest;
mod memory;
mod once;
mod platform;
mod pmu;
mod realm;
mod simd;
mod timers;

use abi::map;
use core::arch::global_asm;
use core::sync::atomic::{AtomicU32, Ordering};
use manifest::BootError;
use once::Once;
use platform::Machine;
use rmm::Rmm;

global_asm!(include_str!("entry.s"));

/// Not zero once the first CPU has made everything that the others use. In the image's data, so that a new copy starts cold.
#[unsafe(no_mangle)]
#[unsafe(link_section = ".data")]
static WARM: AtomicU32 = AtomicU32::new(0);

static RMM: Once<Rmm<Machine>> = Once::new();

/// Boots the first CPU, and serves its calls (RMM-EL3 interface, cold boot).
#[unsafe(no_mangle)]
extern "C" fn rmm_cold(cpu: u64, version: u64, cpus: u64, shared: u64) -> ! {
    if let Err(error) = check_entry(cpu, version, cpus, shared) {
        refuse(error);
    }
    // SAFETY: the first CPU, alone.
    if unsafe { memory::map_own() }.is_err() {
        refuse(BootError::Unknown);
    }
    memory::enable_mmu();
    match make() {
        Ok(rmm) => {
            WARM.store(1, Ordering::Release);
            serve(rmm)
        }
        Err(error) => refuse(error),
    }
}

/// Makes another CPU ready, and serves its calls (RMM-EL3 interface, warm boot).
#[unsafe(no_mangle)]
extern "C" fn rmm_warm() -> ! {
    memory::enable_mmu();
    match RMM.get() {
        Some(rmm) => serve(rmm),
        None => refuse(BootError::Unknown),
    }
}

fn check_entry(cpu: u64, version: u64, cpus: u64, shared: u64) -> Result<(), BootError> {
    if version >> 16 != abi::el3::INTERFACE_VERSION >> 16 || version < abi::el3::INTERFACE_VERSION {
        return Err(BootError::Version);
    }
    if cpus > map::MAX_CPUS as u64 {
        return Err(BootError::CpuCount);
    }
    if cpu >= cpus {
        return Err(BootError::CpuNumber);
    }
    if shared == map::RMM_SHARED { Ok(()) } else { Err(BootError::SharedPage) }
}

/// Reads the manifest, and puts the RMM together.
fn make() -> Result<&'static Rmm<Machine>, BootError> {
    let mut page = [0; abi::GRANULE];
    el3::shared_page(&mut page).map_err(|_| BootError::SharedPage)?;
    let banks = manifest::banks(&page)?;
    for bank in banks.iter().filter(|bank| bank.size > 0) {
        // SAFETY: the first CPU, alone.
        unsafe { memory::map_bank(bank) }.map_err(|_| BootError::Manifest)?;
    }
    let granules = usize::try_from(banks.iter().map(|bank| bank.size >> 12).sum::<u64>());
    // SAFETY: the first CPU, once, with its MMU on.
    let words = granules.ok().and_then(|n| unsafe { memory::granule_words(n) }).ok_or(BootError::Manifest)?;
    // SAFETY: the first CPU, once, alone.
    let rmm = unsafe { RMM.set(Rmm::new(Machine::new(banks, words))) };
    if let Err(why) = rmm.boot() {
        console::say(format_args!("no tokens for Realms: {why}"));
    }
    Ok(rmm)
}

/// Tells EL3 that this CPU is ready, then answers one RMI after the other.
fn serve(rmm: &'static Rmm<Machine>) -> ! {
    rmm.platform().prepare_cpu();
    let mut x: el3::Registers = [0; 12];
    x[0] = u64::from(abi::el3::BOOT_COMPLETE);
    loop {
        el3::call(&mut x);
        let [x0, x1, x2, x3, x4, x5, x6, x7, ..] = x;
        let result = handle(rmm, [x0, x1, x2, x3, x4, x5, x6, x7]);
        x = [0; 12];
        x[0] = u64::from(abi::el3::REQ_COMPLETE);
        x[1..6].copy_from_slice(&result);
    }
}

#[cfg(not(feature = "walk"))]
fn handle(rmm: &Rmm<Machine>, registers: [u64; 8]) -> [u64; 5] {
    rmm.handle(registers)
}

#[cfg(feature = "walk")]
use platform::walk::handle;

/// Tells EL3 that this CPU cannot be used; it does not come back.
fn refuse(error: BootError) -> ! {
    let mut x: el3::Registers = [0; 12];
    x[0] = u64::from(abi::el3::BOOT_COMPLETE);
    x[1] = (error as i64).cast_unsigned();
    el3::call(&mut x);
    cpu::barrier::halt()
}

/// Says what exception the RMM itself met, and stops.
#[unsafe(no_mangle)]
extern "C" fn rmm_exception(vector: u64, esr: u64, elr: u64, far: u64) -> ! {
    console::stop(format_args!("exception {vector} esr {esr:#x} elr {elr:#x} far {far:#x}"))
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    console::stop(format_args!("{info}"))
}
