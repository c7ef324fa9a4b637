//! EL3's own address space: everything at its physical address, and the page shared with the RMM in the Realm
//! physical address space above. Secure RAM is Normal memory, which under QEMU is also the fast kind.

use crate::place::Place;
use abi::map;
use cpu::stage1::{self, MapError, Memory, Pas, Region, Tables};
use cpu::{barrier, tlb, write};

/// Where EL3 sees the page shared with the RMM.
pub const SHARED: u64 = map::RMM_SHARED + REALM_ALIAS;
const REALM_ALIAS: u64 = 128 << 30;
const GIB: u64 = 1 << 30;
const NEVER_WRITE_AND_EXECUTE: u64 = 1 << 19;

static TABLES: Place<Tables<12>> = Place::new(Tables::new());

unsafe extern "C" {
    static __text: u8;
    static __rodata: u8;
    static __data: u8;
    static __bss_end: u8;
}

/// Builds the tables. The MMU is still off.
///
/// # Errors
/// A [`MapError`] when the memory map and the tables do not fit each other.
///
/// # Safety
/// Called once, by CPU 0, before any other CPU runs.
pub unsafe fn build() -> Result<(), MapError> {
    // SAFETY: the caller is alone, and the tables are not in use.
    let tables = unsafe { TABLES.fill() };
    let root = |from, to, memory| Region::identity(from, to, memory, Pas::Root);
    let text = &raw const __text as u64;
    let (rodata, data, end) = (&raw const __rodata as u64, &raw const __data as u64, &raw const __bss_end as u64);
    for region in [
        root(map::GICD, map::UART0, Memory::Device),
        root(map::UART1, map::UART1 + 0x1000, Memory::Device),
        root(map::SECURE_GPIO, map::SECURE_GPIO + 0x1000, Memory::Device),
        root(map::MAILBOX, map::MAILBOX + 0x1000, Memory::Device),
        root(text, rodata, Memory::Code),
        root(rodata, data, Memory::Constant),
        root(data, end, Memory::Data),
        root(map::GPT, map::GPT_END, Memory::Data),
        root(map::HANDOVER, map::HANDOVER + 0x2000, Memory::Data),
        Region { va: SHARED, pa: map::RMM_SHARED, length: 0x1000, memory: Memory::Data, pas: Pas::Realm },
    ] {
        tables.map(region)?;
    }
    crate::percpu::guards().for_each(|page| tables.unmap(page));
    Ok(())
}

/// Turns this CPU's MMU on.
pub fn enable() {
    write!(mair_el3, stage1::MAIR);
    write!(tcr_el3, stage1::TCR);
    // SAFETY: nobody is changing the tables; only the address is used.
    write!(ttbr0_el3, unsafe { TABLES.get().root() });
    tlb::all_el3();
    write!(sctlr_el3, stage1::SCTLR | NEVER_WRITE_AND_EXECUTE);
    barrier::isb();
}

/// Maps all of DRAM, for wiping, until [`forget_dram`].
///
/// # Errors
/// As [`build`].
///
/// # Safety
/// As [`build`], and granule protection is off.
pub unsafe fn map_dram(dram_end: u64) -> Result<(), MapError> {
    // SAFETY: the caller is alone; entries become valid, which needs no invalidation.
    let tables = unsafe { TABLES.fill() };
    let mapped = tables.map(Region::identity(map::DRAM, dram_end, Memory::Data, Pas::Root));
    barrier::dsb();
    barrier::isb();
    mapped
}

/// Removes DRAM from EL3's address space; it has no business there once other worlds run.
///
/// # Safety
/// As [`build`].
pub unsafe fn forget_dram(dram_end: u64) {
    // SAFETY: the caller is alone; the translations are invalidated below.
    let tables = unsafe { TABLES.fill() };
    let mut va = map::DRAM;
    while va < dram_end {
        // The last gigabyte may be mapped in 2 MiB blocks, a whole one is one block.
        tables.unmap(va);
        va += if dram_end - va >= GIB { GIB } else { 2 << 20 };
    }
    tlb::all_el3();
}
