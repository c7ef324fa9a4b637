//! CPU 0 from boot's hand-over to the RMM's first instruction.

use crate::machine::{self, Machine, Processor};
use crate::percpu::Percpu;
use crate::place::Place;
use crate::{console, fault, interrupts, mmu, protection, start, wipe};
use abi::{el3, map};
use core::fmt::Display;
use core::mem::MaybeUninit;
use monitor::attest::Attest;
use monitor::gpt::Layout;
use monitor::manifest::Page;
use monitor::psci::{Psci, Start};
use monitor::{Hardware, Monitor, gpt};
use rot::handover::{Handover, LENGTH, TOKEN_ROOM};

/// What CPU 0 enters the Normal world with: x0 is QEMU's device tree.
const FIRST: Start = Start { entry: map::NORMAL_WORLD, context: map::DRAM };

/// Where the platform token stays.
static TOKEN: Place<[u8; TOKEN_ROOM]> = Place::new([0; TOKEN_ROOM]);

/// CPU 0's way in, with the MMU off: `handover` is boot's x0, `record` this CPU's record.
pub extern "C" fn cold(handover: u64, record: &mut MaybeUninit<Percpu>) {
    start::set_up_el3();
    // SAFETY: CPU 0 alone runs, this once; boot has left the hand-over at this address.
    let handover = unsafe {
        if mmu::build().is_err() {
            machine::power().off();
        }
        mmu::enable();
        console::enable();
        read_and_wipe(handover)
    };
    let hardware = handover.hardware();
    let layout = Layout::new(hardware.dram_size).unwrap_or_else(|| refuse("DRAM", "too large for the tables"));
    // SAFETY: CPU 0 alone runs, this once.
    unsafe {
        protect(&layout, &handover);
        machine::put(assemble(&layout, &handover));
    }
    drop(handover);
    if !interrupts::set_up(hardware.cpus as usize) {
        refuse("CPUs", "fewer than the hardware configuration says");
    }
    start::set_up_world_controls();
    #[cfg(feature = "measure-signing")]
    crate::signing::measure();
    enter(&layout, record);
}

/// Copies the hand-over and wipes the original.
///
/// # Safety
/// Nothing else uses the hand-over's pages.
unsafe fn read_and_wipe(address: u64) -> Handover {
    if address != map::HANDOVER {
        refuse("hand-over", "not at its place");
    }
    let room = LENGTH.next_multiple_of(abi::GRANULE);
    // SAFETY: the pages are mapped, and the caller vouches that they are ours alone.
    let bytes = unsafe { core::slice::from_raw_parts(address as *const u8, LENGTH) };
    let handover = Handover::read(bytes);
    // SAFETY: `bytes` is used no more.
    unsafe { cpu::page::clear(address as usize, room) }
    handover.unwrap_or_else(|why| refuse("hand-over", why))
}

/// Wipes what the last boot left, and puts granule protection to work.
///
/// # Safety
/// CPU 0 alone runs; protection is off.
unsafe fn protect(layout: &Layout, handover: &Handover) {
    let rmm = handover.rmm();
    // SAFETY: the caller is alone; DRAM is mapped exactly while it is wiped.
    unsafe {
        if mmu::map_dram(layout.dram_end).is_err() {
            refuse("DRAM", "not mappable");
        }
        wipe::start_clean(&protection::tables(layout), layout, rmm.base..rmm.base.saturating_add(rmm.size));
        mmu::forget_dram(layout.dram_end);
    }
    protection::enable();
}

/// Puts the machine's parts together from the hand-over.
///
/// # Safety
/// Called once, by CPU 0, alone.
unsafe fn assemble(layout: &Layout, handover: &Handover) -> Machine {
    let from = handover.token();
    // SAFETY: nobody else has a reference to the token's place, and nobody writes it later.
    let token = unsafe {
        let place = TOKEN.fill();
        place.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
        place.get(..from.len()).unwrap_or(&[])
    };
    let (x, y) = handover.rak_public();
    let begun = cpu::read!(cntpct_el0);
    let attest = Attest::new(token, handover.rak_private(), x, y).unwrap_or_else(|why| refuse("hand-over", why));
    let took = cpu::read!(cntpct_el0).saturating_sub(begun);
    if handover.firmware().trace != 0 {
        console::line(format_args!("monitor: checked keys: {took} ticks"));
    }
    let psci = Psci::new(handover.hardware().cpus as usize, FIRST);
    // SAFETY: the tables' region is mapped, and only these references and the hardware use it from now on.
    let tables: gpt::Tables<'static> = unsafe { protection::tables(layout) };
    let monitor = Monitor::new(tables, psci, attest, handover.firmware().trace);
    Machine { monitor, hardware: Processor, rmm_entry: handover.rmm().entry }
}

/// Makes the RMM's cold boot the next thing that runs (rmm-el3 interface 0.4).
fn enter(layout: &Layout, record: &mut MaybeUninit<Percpu>) {
    use zerocopy::IntoBytes;
    let machine = machine::get();
    machine.hardware.write_shared(0, Page::new(layout.dram_end).as_bytes());
    let cpus = machine.monitor.psci.number() as u64;
    start::enter_rmm(record, 0, &[0, el3::INTERFACE_VERSION, cpus, map::RMM_SHARED], FIRST);
}

fn refuse(what: &str, why: impl Display) -> ! {
    fault::stop(format_args!("refused: {what}: {why}"))
}
