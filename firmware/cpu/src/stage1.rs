//! Stage 1 translation tables for EL2 and EL3: 4 KiB granule, 39-bit addresses, three levels (Arm ARM, D8.3).

/// T0SZ for the 39-bit address space that [`Tables`] describes: translation starts at level 1.
pub const T0SZ: u64 = 25;

/// MAIR_ELx that [`Memory`] counts on: attribute 0 is Device-nGnRnE, attribute 1 Normal write-back.
pub const MAIR: u64 = 0xff << 8;

/// TCR_EL2 (with E2H = 0) or TCR_EL3 for [`Tables`]: inner shareable, write-back walks, 40-bit physical addresses.
pub const TCR: u64 = 1 << 31 | 1 << 23 | 2 << 16 | 3 << 12 | 1 << 10 | 1 << 8 | T0SZ;

/// SCTLR_EL2 (with E2H = 0) or SCTLR_EL3 with the MMU, the caches and the stack alignment check on, RES1 bits set.
pub const SCTLR: u64 = 0x30c5_0830 | 1 << 12 | 1 << 3 | 1 << 2 | 1;

const ENTRIES: usize = 512;
const VALID: u64 = 1;
const TABLE_OR_PAGE: u64 = 1 << 1;
const ADDRESS: u64 = 0x0000_ffff_ffff_f000;

/// Whose physical address space a mapping selects. EL3 chooses among all; R-EL2 between Realm ([`Pas::Own`]) and
/// Non-secure; NS-EL2 has only its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pas {
    /// NS 0, NSE 0: Realm at R-EL2, Non-secure at NS-EL2, Secure at EL3.
    Own,
    /// NS 1, NSE 0.
    NonSecure,
    /// NS 0, NSE 1, at EL3 only.
    Root,
    /// NS 1, NSE 1, at EL3 only.
    Realm,
}

/// What may be done with a mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// Normal memory that is fetched from and not written.
    Code,
    /// Normal memory that is only read.
    Constant,
    /// Normal memory, read and written.
    Data,
    /// Device registers.
    Device,
    /// Normal memory, read, written and fetched from.
    All,
}

/// A range of addresses and what it maps to. Addresses and length are multiples of 4 KiB.
#[derive(Clone, Copy, Debug)]
pub struct Region {
    /// Virtual address of the first byte.
    pub va: u64,
    /// Physical address of the first byte.
    pub pa: u64,
    /// Length in bytes.
    pub length: u64,
    /// Kind and permissions.
    pub memory: Memory,
    /// Physical address space.
    pub pas: Pas,
}

impl Region {
    /// Maps `from..to` to itself.
    #[must_use]
    pub const fn identity(from: u64, to: u64, memory: Memory, pas: Pas) -> Region {
        Region { va: from, pa: from, length: to - from, memory, pas }
    }
}

/// Why a region was not mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapError {
    /// Address or length is no multiple of 4 KiB, or lies beyond 39 bits.
    Shape(u64),
    /// Something is mapped at this virtual address already.
    Occupied(u64),
    /// Another table is needed and all are in use.
    Full,
}

#[repr(C, align(4096))]
struct Table([u64; ENTRIES]);

/// A set of translation tables in `N` pages, the first of which is the root. It stays where it is once used.
#[repr(C, align(4096))]
pub struct Tables<const N: usize> {
    pages: [Table; N],
    /// Tables in use below the root; zero at first, so that a static takes no room in an image.
    used: usize,
}

impl<const N: usize> Tables<N> {
    /// Makes tables that map nothing.
    #[must_use]
    pub const fn new() -> Tables<N> {
        Tables { pages: [const { Table([0; ENTRIES]) }; N], used: 0 }
    }

    /// Gives the value of TTBR0_ELx.
    #[must_use]
    pub fn root(&self) -> u64 {
        &raw const self.pages as u64
    }

    /// Maps a region with the largest pages that fit: 1 GiB, 2 MiB, 4 KiB. The regime must not be using the addresses
    /// yet, or a TLB invalidation must follow.
    ///
    /// # Errors
    /// A [`MapError`]; what was mapped before the error stays mapped.
    pub fn map(&mut self, region: Region) -> Result<(), MapError> {
        let end = region.va.checked_add(region.length).ok_or(MapError::Shape(region.length))?;
        if (region.va | region.pa | region.length) & 0xfff != 0 || end > 1 << 39 {
            return Err(MapError::Shape(region.va));
        }
        let mut done = 0;
        while done < region.length {
            let level = largest(region.va + done, region.pa + done, region.length - done);
            self.set(region.va + done, level, leaf(&region, region.pa + done, level))?;
            done += size(level);
        }
        Ok(())
    }

    /// Removes the mapping that holds `va`, a page or a whole block; a TLB invalidation must follow.
    pub fn unmap(&mut self, va: u64) {
        let mut page = 0;
        for level in 1..=3 {
            let entry = self.pages[page].0[index(va, level)];
            if level == 3 || entry & TABLE_OR_PAGE == 0 || entry & VALID == 0 {
                self.pages[page].0[index(va, level)] = 0;
                return;
            }
            page = self.page_of(entry & ADDRESS);
        }
    }

    fn set(&mut self, va: u64, level: u32, leaf: u64) -> Result<(), MapError> {
        let mut page = 0;
        for above in 1..level {
            page = self.descend(page, va, above)?;
        }
        let entry = &mut self.pages[page].0[index(va, level)];
        if *entry & VALID != 0 {
            return Err(MapError::Occupied(va));
        }
        *entry = leaf;
        Ok(())
    }

    fn descend(&mut self, page: usize, va: u64, level: u32) -> Result<usize, MapError> {
        let entry = self.pages[page].0[index(va, level)];
        if entry & VALID == 0 {
            return self.grow(page, index(va, level));
        }
        if entry & TABLE_OR_PAGE == 0 {
            return Err(MapError::Occupied(va));
        }
        Ok(self.page_of(entry & ADDRESS))
    }

    fn grow(&mut self, page: usize, index: usize) -> Result<usize, MapError> {
        if self.used + 1 >= N {
            return Err(MapError::Full);
        }
        self.used += 1;
        let new = self.used;
        self.pages[page].0[index] = &raw const self.pages[new] as u64 | TABLE_OR_PAGE | VALID;
        Ok(new)
    }

    fn page_of(&self, address: u64) -> usize {
        ((address - self.root()) / 4096) as usize
    }
}

impl<const N: usize> Default for Tables<N> {
    fn default() -> Self {
        Self::new()
    }
}

/// Bytes that an entry of `level` maps.
const fn size(level: u32) -> u64 {
    1 << (12 + 9 * (3 - level))
}

const fn index(va: u64, level: u32) -> usize {
    (va / size(level)) as usize % ENTRIES
}

fn largest(va: u64, pa: u64, left: u64) -> u32 {
    let fits = |level: &u32| (va | pa).is_multiple_of(size(*level)) && left >= size(*level);
    (1..=3).find(fits).unwrap_or(3)
}

fn leaf(region: &Region, pa: u64, level: u32) -> u64 {
    const INNER_SHAREABLE: u64 = 3 << 8;
    const ACCESSED: u64 = 1 << 10;
    const RES1: u64 = 1 << 6;
    const READ_ONLY: u64 = 1 << 7;
    const NEVER_EXECUTE: u64 = 1 << 54;
    let kind = if region.memory == Memory::Device { 0 } else { 1 << 2 };
    let access = match region.memory {
        Memory::Code => READ_ONLY,
        Memory::Constant => READ_ONLY | NEVER_EXECUTE,
        Memory::Data | Memory::Device => NEVER_EXECUTE,
        Memory::All => 0,
    };
    let pas = match region.pas {
        Pas::Own => 0,
        Pas::NonSecure => 1 << 5,
        Pas::Root => 1 << 11,
        Pas::Realm => 1 << 11 | 1 << 5,
    };
    let page = if level == 3 { TABLE_OR_PAGE } else { 0 };
    pa | kind | access | pas | page | INNER_SHAREABLE | ACCESSED | RES1 | VALID
}
