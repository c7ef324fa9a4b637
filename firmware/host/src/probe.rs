//! Accesses that may fault, and what they fault with.

use core::sync::atomic::{AtomicU64, Ordering};

use abi::map::MAX_CPUS;
use cpu::barrier;
use cpu::register::cpu_number;
use host::vmm::Access;

/// What a probe writes.
const MARK: u64 = u64::from_le_bytes(*b"ALLODWAS");

/// No probe is under way on the CPU.
const IDLE: u64 = u64::MAX;
/// A probe is under way and has not faulted.
const TRYING: u64 = u64::MAX - 1;

static SYNDROMES: [AtomicU64; MAX_CPUS] = [const { AtomicU64::new(IDLE) }; MAX_CPUS];

unsafe extern "C" {
    fn probe_read(address: u64) -> u64;
    fn probe_write(address: u64, value: u64) -> u64;
    fn probe_execute(address: u64) -> u64;
    static probe_landing: u8;
}

/// Tries an access; the syndrome if it faulted.
pub fn probe(access: Access, address: u64) -> Option<u64> {
    let syndrome = SYNDROMES.get(cpu_number())?;
    syndrome.store(TRYING, Ordering::SeqCst);
    // SAFETY: a fault resumes at the landing. What is written or executed there is what the attack is about; it is not
    // this image's memory.
    unsafe {
        match access {
            Access::Read => probe_read(address),
            Access::Write => probe_write(address, MARK),
            Access::Execute => probe_execute(address),
        };
    }
    barrier::dsb();
    Some(syndrome.swap(IDLE, Ordering::SeqCst)).filter(|esr| *esr != TRYING)
}

/// Reads a doubleword; `None` if that faulted.
pub fn read(address: u64) -> Option<u64> {
    let syndrome = SYNDROMES.get(cpu_number())?;
    syndrome.store(TRYING, Ordering::SeqCst);
    // SAFETY: a load changes nothing, and a fault resumes at the landing.
    let value = unsafe { probe_read(address) };
    (syndrome.swap(IDLE, Ordering::SeqCst) == TRYING).then_some(value)
}

/// Where an exception resumes, if a probe made it.
pub fn landing(esr: u64) -> Option<u64> {
    let syndrome = SYNDROMES.get(cpu_number())?;
    syndrome.compare_exchange(TRYING, esr, Ordering::SeqCst, Ordering::SeqCst).ok()?;
    Some(&raw const probe_landing as u64)
}
