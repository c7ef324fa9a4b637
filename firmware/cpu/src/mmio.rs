//! Device registers.

/// Reads the 32-bit device register at `address`.
///
/// # Safety
/// `address` is a device register mapped as Device memory (or the MMU is off), and reading it has no effect on memory.
#[inline(always)]
#[must_use]
pub unsafe fn read32(address: usize) -> u32 {
    let value: u32;
    // SAFETY: the caller vouches for the address; one plain load, so that a trap can be decoded from its syndrome.
    unsafe {
        core::arch::asm!("ldr {0:w}, [{1}]", out(reg) value, in(reg) address, options(nostack, preserves_flags));
    }
    value
}

/// Writes the 32-bit device register at `address`.
///
/// # Safety
/// As [`read32`], and the device does what the caller wants with `value`.
#[inline(always)]
pub unsafe fn write32(address: usize, value: u32) {
    // SAFETY: the caller vouches for address and value.
    unsafe {
        core::arch::asm!("str {0:w}, [{1}]", in(reg) value, in(reg) address, options(nostack, preserves_flags));
    }
}
