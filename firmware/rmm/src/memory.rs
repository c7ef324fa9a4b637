//! The RMM's own view of memory: its stage 1 tables, and the accesses to granules.

use abi::GRANULE;
use abi::el3::Bank;
use abi::map;
use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicU64, Ordering};
use cpu::stage1::{self, MapError, Memory, Pas, Region, Tables};
use rmm::platform::{Fault, Word};

/// Distance from a physical address to the virtual one that reaches it in the Non-secure physical address space. The exception
/// vectors know it as bit 38 of FAR_EL2.
pub const NORMAL_ALIAS: u64 = 1 << 38;

unsafe extern "C" {
    static __text: u8;
    static __rodata: u8;
    static __data: u8;
    static __bss_end: u8;
    static __stacks: u8;
    static __stacks_end: u8;
    static __words: u8;
}

struct Shared(UnsafeCell<Tables<24>>);

// SAFETY: `with_tables` is the only access, and its callers are the first CPU at boot, alone.
unsafe impl Sync for Shared {}

static TABLES: Shared = Shared(UnsafeCell::new(Tables::new()));

/// Runs `f` on the translation tables.
///
/// # Safety
/// Only the first CPU calls this, at boot, and not within `f`.
unsafe fn with_tables<R>(f: impl FnOnce(&mut Tables<24>) -> R) -> R {
    // SAFETY: no other reference exists, says the caller.
    f(unsafe { &mut *TABLES.0.get() })
}

/// Maps the RMM itself: code, constants, data, stacks with a hole below each, granule words, shared page and console.
///
/// # Safety
/// As [`with_tables`].
pub unsafe fn map_own() -> Result<(), MapError> {
    // SAFETY: passed on to the caller.
    unsafe { with_tables(|tables| own_regions().into_iter().chain(stack_regions()).try_for_each(|r| tables.map(r))) }
}

fn own_regions() -> [Region; 5] {
    let own = |from: *const u8, to: *const u8, memory| Region::identity(from as u64, to as u64, memory, Pas::Own);
    [
        own(&raw const __text, &raw const __rodata, Memory::Code),
        own(&raw const __rodata, &raw const __data, Memory::Constant),
        own(&raw const __data, &raw const __bss_end, Memory::Data),
        Region::identity(&raw const __words as u64, map::RMM_END, Memory::Data, Pas::Own),
        Region::identity(map::UART0, map::UART0 + abi::GRANULE_U64, Memory::Device, Pas::NonSecure),
    ]
}

fn stack_regions() -> impl Iterator<Item = Region> {
    const SLOT: u64 = 0x2_0000;
    let (start, end) = (&raw const __stacks as u64, &raw const __stacks_end as u64);
    (start..end).step_by(SLOT as usize).map(|s| Region::identity(s + SLOT / 2, s + SLOT, Memory::Data, Pas::Own))
}

/// Maps a bank of DRAM twice: as Realm memory at its own address, as Non-secure memory at [`NORMAL_ALIAS`] above it.
///
/// # Safety
/// As [`with_tables`].
pub unsafe fn map_bank(bank: &Bank) -> Result<(), MapError> {
    let realm = Region::identity(bank.base, bank.base + bank.size, Memory::Data, Pas::Own);
    let normal = Region { va: bank.base + NORMAL_ALIAS, pas: Pas::NonSecure, ..realm };
    // SAFETY: passed on to the caller.
    unsafe { with_tables(|tables| tables.map(realm).and_then(|()| tables.map(normal))) }?;
    cpu::barrier::dsb();
    cpu::barrier::isb();
    Ok(())
}

/// Turns this CPU's MMU on, with the tables made by [`map_own`].
pub fn enable_mmu() {
    cpu::write!(mair_el2, stage1::MAIR);
    cpu::write!(tcr_el2, stage1::TCR);
    cpu::write!(ttbr0_el2, TABLES.0.get() as u64);
    cpu::tlb::all_el2();
    cpu::write!(sctlr_el2, stage1::SCTLR);
    cpu::barrier::isb();
}

/// The word of one granule.
#[repr(transparent)]
pub struct GranuleWord(AtomicU64);

impl Word for GranuleWord {
    fn load(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    #[cfg(feature = "torn-words")]
    fn compare_exchange(&self, current: u64, new: u64) -> Result<u64, u64> {
        let seen = self.load();
        if seen != current {
            return Err(seen);
        }
        // Time for another CPU.
        (0..100).for_each(|_| core::hint::spin_loop());
        self.0.store(new, Ordering::Release);
        Ok(seen)
    }

    #[cfg(not(feature = "torn-words"))]
    fn compare_exchange(&self, current: u64, new: u64) -> Result<u64, u64> {
        self.0.compare_exchange(current, new, Ordering::AcqRel, Ordering::Acquire)
    }
}

/// Makes the words of `count` granules, all zero, if there is room for them.
///
/// # Safety
/// Called once, by the first CPU, with the MMU on.
pub unsafe fn granule_words(count: usize) -> Option<&'static [GranuleWord]> {
    let start = &raw const __words as usize;
    let length = count.checked_mul(size_of::<GranuleWord>())?;
    if length > map::RMM_SHARED as usize - start {
        return None;
    }
    // SAFETY: the linker script keeps this memory for the words, and it is mapped as data.
    unsafe { cpu::page::clear(start, length) };
    // SAFETY: aligned, zeroed, mapped, and nobody else's; words change only as atomics from here on.
    Some(unsafe { core::slice::from_raw_parts(start as *const GranuleWord, count) })
}

/// Copies from shared memory, which others may be writing, into `into`, each byte once.
///
/// # Errors
/// [`Fault`] if `from` lies in the Non-secure alias and faults; a fault anywhere else stops the RMM.
pub fn copy_out(from: u64, into: &mut [u8]) -> Result<(), Fault> {
    // SAFETY: `into` is ours to write; no reference is formed to the source.
    unsafe { cpu::guarded::copy(into.as_mut_ptr() as usize, from as usize, into.len()) }.map_err(|_| Fault)
}

/// Copies to shared memory, which others may be reading or writing.
///
/// # Errors
/// As [`copy_out`].
///
/// # Safety
/// No Rust reference exists to the bytes at `to`.
pub unsafe fn copy_in(to: u64, from: &[u8]) -> Result<(), Fault> {
    // SAFETY: the caller vouches for `to`.
    unsafe { cpu::guarded::copy(to as usize, from.as_ptr() as usize, from.len()) }.map_err(|_| Fault)
}

/// Says whether `offset..offset + length` lies within a granule.
pub const fn within_granule(offset: usize, length: usize) -> bool {
    offset <= GRANULE && length <= GRANULE - offset
}
