//! How a CPU starts: EL3's own registers, then the RMM, which hands over to the Normal world when it has booted.
//! A parked CPU starts in the same way.

use crate::percpu::Percpu;
use crate::{fault, interrupts, machine, mmu, protection, worlds};
use abi::map;
use core::mem::MaybeUninit;
use cpu::{barrier, read, write};
use monitor::psci::Start;

/// The way in of every CPU but the first, with the MMU off, when its mailbox word was set.
pub extern "C" fn warm(record: &mut MaybeUninit<Percpu>) {
    set_up_el3();
    mmu::enable();
    protection::enable();
    set_up_world_controls();
    run_when_told(record);
}

/// CPU_OFF: sleeps until CPU_ON, then starts as if new. Nothing of the world that ran is kept.
pub fn park(percpu: &mut Percpu) {
    interrupts::sleep();
    set_up_world_controls();
    open_vectors();
    // SAFETY: the old record is overwritten by the new one; it owns nothing.
    run_when_told(unsafe { &mut *core::ptr::from_mut(percpu).cast::<MaybeUninit<Percpu>>() });
}

/// EL3's controls that must hold before any world runs and do not differ between them.
pub fn set_up_el3() {
    /// No self-hosted Secure debug, no cycle counting at EL3 or in Secure.
    const MDCR: u64 = 1 << 16 | 1 << 23 | 1 << 34;
    write!(scr_el3, worlds::SECURE);
    write!(mdcr_el3, MDCR);
    open_vectors();
}

/// Lets lower levels use FP, SIMD, SVE and SME at every length there is. The RMM switches what Realms use (docs/world-switch.md).
fn open_vectors() {
    const EZ: u64 = 1 << 8;
    const ESM: u64 = 1 << 12;
    /// The longest vectors; of SMCR also all instructions of A64 in streaming mode (FA64), and ZT0.
    const ZCR: u64 = 0xf;
    const SMCR: u64 = 0xf | 1 << 31 | 1 << 30;
    let sve = read!(id_aa64pfr0_el1) >> 32 & 0xf != 0;
    let sme = read!(id_aa64pfr1_el1) >> 24 & 0xf != 0;
    write!(cptr_el3, if sve { EZ } else { 0 } | if sme { ESM } else { 0 });
    barrier::isb();
    if sve {
        write!(S3_6_C1_C2_0, ZCR);
    }
    if sme {
        write!(S3_6_C1_C2_6, SMCR);
        // Neither streaming mode nor ZA, as after reset.
        write!(S3_3_C4_C2_2, 0);
    }
    barrier::isb();
}

/// Opens this CPU's interrupt interface.
pub fn set_up_world_controls() {
    interrupts::open();
}

/// Waits for CPU_ON and makes the RMM's warm boot the next thing that runs.
fn run_when_told(record: &mut MaybeUninit<Percpu>) {
    let number = cpu::register::cpu_number();
    loop {
        if let Some(start) = machine::get().monitor.psci.pending(number) {
            return enter_rmm(record, number, &[number as u64, 0, 0, 0], start);
        }
        interrupts::sleep();
        interrupts::open();
    }
}

/// Makes a new record for CPU `number` whose RMM boots with x0 to x3 = `arguments` and whose Normal world then
/// begins at `normal`.
pub fn enter_rmm(record: &mut MaybeUninit<Percpu>, number: usize, arguments: &[u64], normal: Start) {
    if number >= map::MAX_CPUS {
        fault::stop(format_args!("CPU {number} does not exist"));
    }
    let percpu = record.write(Percpu::new(number));
    percpu.realm.elr = machine::get().rmm_entry;
    percpu.core.realm.set(arguments);
    percpu.normal.elr = normal.entry;
    percpu.core.normal.set(&[normal.context]);
    worlds::enter_realm(percpu);
}
