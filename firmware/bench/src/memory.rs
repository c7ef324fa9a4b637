//! The image's address space, as the host's is, and the DRAM that it hands out.

use abi::{GRANULE_U64, map};
use core::cell::UnsafeCell;
use cpu::stage1::{MAIR, Memory, Pas, Region, SCTLR, TCR, Tables};
use cpu::{barrier, write};

/// HCR_EL2 and VTTBR_EL2 as our host has them: AArch64 below, interrupts to EL2, stage 2 controls as the RMM has them, so
/// that QEMU keeps its translations over a world switch. Nothing runs below this EL2.
const HCR: u64 = 1 << 46 | 1 << 31 | 1 << 5 | 1 << 4 | 1 << 3 | 1 << 2 | 1;
const VMID: u64 = 1 << 48;

/// DRAM beyond every image.
const POOL: u64 = 0x6800_0000;

struct Place(UnsafeCell<Tables<4>>);

// SAFETY: the first CPU alone makes the tables, before another runs.
unsafe impl Sync for Place {}

static TABLES: Place = Place(UnsafeCell::new(Tables::new()));

/// Turns translation on: devices, and the DRAM that is used, at their own addresses.
pub fn enable() {
    // SAFETY: called once; no other reference exists.
    let tables = unsafe { &mut *TABLES.0.get() };
    for region in [
        Region::identity(map::GICD, map::GICD + 0x400_0000, Memory::Device, Pas::Own),
        Region::identity(map::DRAM, map::DRAM + 0x4000_0000, Memory::All, Pas::Own),
    ] {
        assert!(tables.map(region).is_ok());
    }
    enable_again();
}

/// Turns translation on with the tables that there are: on another CPU.
pub fn enable_again() {
    write!(hcr_el2, HCR);
    write!(vttbr_el2, VMID);
    write!(mair_el2, MAIR);
    write!(tcr_el2, TCR);
    write!(ttbr0_el2, TABLES.0.get() as u64);
    cpu::tlb::all_el2();
    write!(sctlr_el2, SCTLR);
    barrier::isb();
}

/// Gives the addresses of the first granules of the pool.
pub fn pages(count: usize) -> impl Iterator<Item = u64> {
    (0..count as u64).map(page)
}

/// Gives the address of granule `number` of the pool.
pub const fn page(number: u64) -> u64 {
    POOL + number * GRANULE_U64
}

/// Writes zero to a granule of the pool, and gives it as a pointer to what is to be put there.
pub fn fresh<T>(address: u64) -> *mut T {
    // SAFETY: pages of the pool are mapped, belong to this image until they are delegated, and have no references.
    unsafe { core::ptr::write_bytes(address as *mut u8, 0, abi::GRANULE) }
    address as *mut T
}
