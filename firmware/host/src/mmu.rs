//! Translation of addresses to themselves: devices, and all DRAM as memory that may even be executed.

use core::cell::UnsafeCell;

use abi::map;
use cpu::stage1::{MAIR, Memory, Pas, Region, SCTLR, TCR, Tables};
use cpu::{barrier, write};

const DEVICES: u64 = 0x0800_0000;
const DEVICES_END: u64 = 0x0C00_0000;
/// DRAM is mapped this far whatever its size: nothing is accessed that fw_cfg has not named.
const DRAM_END: u64 = 0x20_0000_0000;

/// HCR_EL2: interrupts come to EL2 (AMO, IMO, FMO), AArch64 below (RW). VM, PTW and FWB as the RMM has them, and one
/// VMID for both: QEMU forgets every translation where a world switch changes them. Nothing runs below this EL2.
const HCR: u64 = 1 << 46 | 1 << 31 | 1 << 5 | 1 << 4 | 1 << 3 | 1 << 2 | 1;
const VMID: u64 = 1 << 48;

struct Map(UnsafeCell<Tables<8>>);

// SAFETY: CPU 0 writes it before any other CPU runs; afterwards only translation reads it.
unsafe impl Sync for Map {}

static MAP: Map = Map(UnsafeCell::new(Tables::new()));

/// Turns translation on for this CPU; CPU 0, which is first, makes the tables.
pub fn enable(cpu: usize) {
    // SAFETY: while CPU 0 is here it is the only one that runs; the others only read the root's address.
    let tables = unsafe { &mut *MAP.0.get() };
    if cpu == 0 {
        for region in [
            Region::identity(DEVICES, DEVICES_END, Memory::Device, Pas::Own),
            Region::identity(map::DRAM, DRAM_END, Memory::All, Pas::Own),
            Region::identity(map::SECURE_RAM, map::SECURE_RAM + map::SECURE_RAM_SIZE, Memory::Data, Pas::Own),
        ] {
            // A region that does not fit shows as a fault at its first use.
            let _ = tables.map(region);
        }
    }
    write!(hcr_el2, HCR);
    write!(vttbr_el2, VMID);
    write!(mair_el2, MAIR);
    write!(tcr_el2, TCR);
    write!(ttbr0_el2, tables.root());
    barrier::dsb();
    // SAFETY: forgetting translations is always allowed; the MMU is still off.
    unsafe { core::arch::asm!("tlbi alle2", options(nostack, preserves_flags)) };
    barrier::dsb();
    barrier::isb();
    write!(sctlr_el2, SCTLR);
    barrier::isb();
}
