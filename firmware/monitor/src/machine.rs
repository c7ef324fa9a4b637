//! The machine as the `monitor` crate asks for it, and the one value that all CPUs share.

use crate::place::Place;
use crate::{console, interrupts};
use abi::map;
use core::arch::asm;
use core::fmt;
use core::mem::MaybeUninit;
use core::ptr;
use cpu::power::Power;
use cpu::tlb;
use monitor::{Hardware, Monitor};

/// The monitor and the processor under it.
pub struct Machine {
    /// Decides.
    pub monitor: Monitor<'static>,
    /// Does.
    pub hardware: Processor,
    /// Address of the RMM's first instruction.
    pub rmm_entry: u64,
}

/// The processor's answers to the monitor's verbs.
pub struct Processor;

static MACHINE: Place<MaybeUninit<Machine>> = Place::new(MaybeUninit::uninit());

/// Puts the machine in its place.
///
/// # Safety
/// Called once, by CPU 0, before any other CPU or world runs.
pub unsafe fn put(machine: Machine) {
    // SAFETY: the caller is alone.
    unsafe {
        MACHINE.fill().write(machine);
    }
}

/// Gives the machine.
#[inline(always)]
pub fn get() -> &'static Machine {
    // SAFETY: CPU 0 has called `put` before any world, and any other CPU, could run this; nobody writes it again.
    unsafe { MACHINE.get().assume_init_ref() }
}

/// Gives the controller of power and reset.
pub fn power() -> Power {
    // SAFETY: the secure GPIO is mapped as Device memory and its lines go nowhere else.
    unsafe { Power::new(map::SECURE_GPIO as usize) }
}

impl Hardware for Processor {
    #[inline(always)]
    fn invalidate(&self, pa: u64) {
        tlb::protection(pa);
    }

    fn wake(&self, cpu: usize) {
        unsafe extern "C" {
            fn monitor_warm_entry();
        }
        let word = (map::MAILBOX as usize + 8 * (cpu % map::MAX_CPUS)) as *mut u64;
        // SAFETY: the mailbox page is mapped as Device memory and written by the monitor alone.
        unsafe { ptr::write_volatile(word, monitor_warm_entry as *const () as u64) }
        interrupts::wake(cpu);
    }

    fn read_shared(&self, offset: usize, to: &mut [u8]) {
        let from = crate::mmu::SHARED as usize + offset % abi::GRANULE;
        let length = to.len().min(abi::GRANULE - offset % abi::GRANULE);
        // SAFETY: the range lies in the mapped shared page; the RMM may write it meanwhile, but not through Rust
        // references of ours. `to` is ours alone.
        unsafe { ptr::copy_nonoverlapping(from as *const u8, to.as_mut_ptr(), length) }
    }

    fn write_shared(&self, offset: usize, from: &[u8]) {
        let to = crate::mmu::SHARED as usize + offset % abi::GRANULE;
        let length = from.len().min(abi::GRANULE - offset % abi::GRANULE);
        // SAFETY: the range lies in the mapped shared page, to which we hold no reference.
        unsafe { ptr::copy_nonoverlapping(from.as_ptr(), to as *mut u8, length) }
    }

    fn constant_time(&self, on: bool) {
        // SAFETY: PSTATE.DIT changes the time of instructions only.
        unsafe {
            if on {
                asm!(".arch_extension dit", "msr dit, #1", options(nostack, preserves_flags));
            } else {
                asm!(".arch_extension dit", "msr dit, #0", options(nostack, preserves_flags));
            }
        }
    }

    fn print(&self, line: fmt::Arguments<'_>) {
        console::line(line);
    }
}
