//! Copying and clearing memory at the speed of FEAT_MOPS where the processor has it.
//!
//! Under QEMU a 4 KiB copy takes 0.09 µs with these instructions and 21 µs with a loop.

use core::arch::asm;

/// Tells whether the processor has FEAT_MOPS (ID_AA64ISAR2_EL1.MOPS).
#[inline]
#[must_use]
pub fn has_mops() -> bool {
    crate::read!(id_aa64isar2_el1) >> 16 & 0xf != 0
}

/// Copies `length` bytes from `from` to `to`.
///
/// # Safety
/// Both ranges are mapped as Normal memory, `to` writable and nobody's reference, and they do not overlap.
/// With the MMU off both addresses and `length` are multiples of 8.
pub unsafe fn copy(to: usize, from: usize, length: usize) {
    if has_mops() {
        // SAFETY: the caller vouches for both ranges; the three instructions copy exactly `length` bytes.
        unsafe {
            asm!(
                ".arch_extension mops",
                "cpyfp [{to}]!, [{from}]!, {length}!",
                "cpyfm [{to}]!, [{from}]!, {length}!",
                "cpyfe [{to}]!, [{from}]!, {length}!",
                to = inout(reg) to => _, from = inout(reg) from => _, length = inout(reg) length => _,
                options(nostack),
            );
        }
        return;
    }
    // SAFETY: the caller vouches for both ranges.
    unsafe { core::ptr::copy_nonoverlapping(from as *const u8, to as *mut u8, length) }
}

/// Writes zero to `length` bytes at `to`.
///
/// # Safety
/// The range is mapped as Normal memory, writable and nobody's reference. With the MMU off, address and length are
/// multiples of 8.
pub unsafe fn clear(to: usize, length: usize) {
    if has_mops() {
        // SAFETY: the caller vouches for the range; the three instructions write exactly `length` bytes.
        unsafe {
            asm!(
                ".arch_extension mops",
                "setp [{to}]!, {length}!, xzr",
                "setm [{to}]!, {length}!, xzr",
                "sete [{to}]!, {length}!, xzr",
                to = inout(reg) to => _, length = inout(reg) length => _,
                options(nostack),
            );
        }
        return;
    }
    // SAFETY: the caller vouches for the range.
    unsafe { core::ptr::write_bytes(to as *mut u8, 0, length) }
}

/// Writes zero to `length` bytes at `to`, a cache block at a time (DC ZVA), for memory that may have been executed.
///
/// QEMU forgets what it translated from a page when the page is written: with these instructions once per block, with
/// [`clear`] once per byte, which takes milliseconds for a page full of code.
///
/// # Safety
/// As [`clear`], with the MMU on; address and length are multiples of 4096.
pub unsafe fn clear_code(to: usize, length: usize) {
    const PROHIBITED: u64 = 1 << 4;
    let id = crate::read!(dczid_el0);
    if id & PROHIBITED != 0 {
        // SAFETY: the caller vouches for the range.
        return unsafe { clear(to, length) };
    }
    let block = 4_usize << (id & 0xf);
    for at in (to..to + length).step_by(block) {
        // SAFETY: the caller vouches for the range; a block is at most 2048 bytes, so that blocks fill it exactly.
        unsafe { asm!("dc zva, {}", in(reg) at, options(nostack, preserves_flags)) };
    }
}
