//! Who owns what when the machine starts (docs/architecture.md §1).

use super::{Gpi, L1_WORDS};
use abi::map;

const GIB: u64 = 1 << 30;

/// A range of physical memory and its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// First byte.
    pub from: u64,
    /// First byte after it.
    pub to: u64,
    /// Who may access it.
    pub gpi: Gpi,
}

/// The machine's physical memory at start.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// First byte after DRAM.
    pub dram_end: u64,
}

impl Layout {
    /// Describes a machine with `dram_size` bytes of DRAM; `None` if its tables have no room or DRAM would not hold
    /// the RMM.
    #[must_use]
    pub fn new(dram_size: u64) -> Option<Layout> {
        let dram_end = map::DRAM.checked_add(dram_size)?;
        let layout = Layout { dram_end };
        let room = map::GPT_END - map::GPT - super::L1_OFFSET;
        (dram_end > map::RMM_END && dram_end <= 1 << 40 && layout.l1_words() as u64 * 8 <= room).then_some(layout)
    }

    /// How many words the level 1 tables have: whole tables from address 0 to the end of DRAM.
    #[must_use]
    pub const fn l1_words(&self) -> usize {
        self.dram_end.div_ceil(GIB) as usize * L1_WORDS
    }

    /// The owners in the order in which they are applied: a later region overrides an earlier one.
    #[must_use]
    pub fn regions(&self) -> [Region; 8] {
        let region = |from, to, gpi| Region { from, to, gpi };
        [
            region(0, map::DRAM, Gpi::Any),
            region(map::FLASH0, map::FLASH0 + map::FLASH0_SIZE, Gpi::Root),
            region(map::UART1, map::UART1 + 0x1000, Gpi::Root),
            region(map::SECURE_GPIO, map::SECURE_GPIO + 0x1000, Gpi::Root),
            region(map::SECURE_RAM, map::SECURE_RAM + map::SECURE_RAM_SIZE, Gpi::Root),
            region(map::DRAM, self.dram_end, Gpi::NonSecure),
            region(map::RMM, map::RMM_END, Gpi::Realm),
            region(self.dram_end, self.dram_end.next_multiple_of(GIB), Gpi::None),
        ]
    }
}
