//! The address space that boot works in, and the places it fills.

use core::arch::asm;
use core::slice;

use abi::map;
use cpu::stage1::{MAIR, MapError, Memory, Pas, Region, SCTLR, TCR, Tables};
use cpu::{barrier, read, tlb, write};
use rot::handover;
use rot::image::Kind;

/// Pages of translation tables: one root, two gigabytes, and the first 2 MiB of flash, the devices and the RMM by pages.
pub type Space = Tables<6>;

/// All that boot touches: its code, the rest of flash, two devices, secure RAM, and the RMM's place in DRAM.
const REGIONS: [Region; 6] = [
    Region::identity(map::FLASH0, map::BOOT_MAX, Memory::Code, Pas::Root),
    Region::identity(map::BOOT_MAX, map::FLASH0 + map::FLASH0_SIZE, Memory::Constant, Pas::Root),
    Region::identity(map::UART1, map::UART1 + 0x1000, Memory::Device, Pas::Root),
    Region::identity(map::SECURE_GPIO, map::SECURE_GPIO + 0x1000, Memory::Device, Pas::Root),
    Region::identity(map::SECURE_RAM, map::SECURE_RAM + map::SECURE_RAM_SIZE, Memory::Data, Pas::Root),
    Region::identity(map::RMM, map::RMM_END, Memory::Data, Pas::Realm),
];

/// Maps all that boot touches and turns the MMU on: cryptography on Device memory would be slow.
pub fn enable(space: &mut Space) -> Result<(), MapError> {
    REGIONS.into_iter().try_for_each(|region| space.map(region))?;
    write!(mair_el3, MAIR);
    write!(tcr_el3, TCR);
    write!(ttbr0_el3, space.root());
    tlb::all_el3();
    write!(sctlr_el3, SCTLR);
    barrier::isb();
    Ok(())
}

/// The places that boot fills: nobody else's until the monitor is entered.
pub struct Places {
    /// Where the monitor's body goes.
    pub monitor: &'static mut [u8],
    /// Where the RMM's body goes.
    pub rmm: &'static mut [u8],
    /// The hand-over page.
    pub handover: &'static mut [u8],
}

impl Places {
    /// Takes the places.
    ///
    /// # Safety
    /// Called once, on the one CPU that runs, with the MMU on.
    pub unsafe fn take() -> Self {
        let place = |base: u64, length: u64| {
            // SAFETY: `REGIONS` maps these places; they overlap neither each other nor boot's image, variables and stack.
            unsafe { slice::from_raw_parts_mut(base as *mut u8, length as usize) }
        };
        Self {
            monitor: place(Kind::Monitor.base(), Kind::Monitor.room()),
            rmm: place(Kind::Rmm.base(), Kind::Rmm.room()),
            handover: place(map::HANDOVER, handover::LENGTH as u64),
        }
    }
}

/// Writes what was stored in `bytes` back to memory, where it is found with the caches off.
pub fn clean(bytes: &[u8]) {
    let line = 4usize << (read!(ctr_el0) >> 16 & 0xf);
    let start = bytes.as_ptr().addr();
    for address in (start & !(line - 1)..start.saturating_add(bytes.len())).step_by(line) {
        // SAFETY: cleaning and forgetting a line changes no memory.
        unsafe { asm!("dc civac, {0}", in(reg) address, options(nostack, preserves_flags)) }
    }
    barrier::dsb();
}
