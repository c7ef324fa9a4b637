//! Accesses that may fault: to memory that another world may take away at any moment.
//!
//! The routines here are the only ones allowed to fault. The image's exception handler asks [`landing`] with the
//! faulting address (ELR) when it takes a data abort; if it gets an address, it resumes there and the access
//! answers that it faulted.

use core::arch::global_asm;

global_asm!(
    r#"
    .arch_extension mops
    .pushsection .text.guarded, "ax"
    .balign 4
    .global guarded_start
guarded_start:
    // x0 to, x1 from, x2 length; x0 = 0 when done. Each byte is touched once, forwards.
    .global guarded_copy
guarded_copy:
    mrs x3, id_aa64isar2_el1
    ubfx x3, x3, #16, #4
    cbz x3, 2f
    cpyfp [x0]!, [x1]!, x2!
    cpyfm [x0]!, [x1]!, x2!
    cpyfe [x0]!, [x1]!, x2!
    mov x0, #0
    ret
2:  cbz x2, 3f
    ldrb w3, [x1], #1
    strb w3, [x0], #1
    sub x2, x2, #1
    b 2b
3:  mov x0, #0
    ret
    // x0 address; x0 = 0 and x1 = value when done.
    .global guarded_read64
guarded_read64:
    ldr x1, [x0]
    mov x0, #0
    ret
    // x0 address, x1 value; x0 = 0 when done.
    .global guarded_write64
guarded_write64:
    str x1, [x0]
    mov x0, #0
    ret
    .global guarded_end
guarded_end:
    .global guarded_landing
guarded_landing:
    mov x0, #1
    ret
    .popsection
"#
);

/// What `guarded_read64` leaves in x0 and x1.
#[repr(C)]
struct Answer {
    faulted: u64,
    value: u64,
}

unsafe extern "C" {
    static guarded_start: u8;
    static guarded_end: u8;
    static guarded_landing: u8;
    fn guarded_copy(to: usize, from: usize, length: usize) -> u64;
    fn guarded_read64(address: usize) -> Answer;
    fn guarded_write64(address: usize, value: u64) -> u64;
}

/// An access was refused by translation or granule protection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Faulted;

/// Gives the address to resume at if `elr`, where a data abort was taken, lies in a routine that may fault.
#[must_use]
pub fn landing(elr: u64) -> Option<u64> {
    let (start, end) = (&raw const guarded_start as u64, &raw const guarded_end as u64);
    (start..end).contains(&elr).then_some(&raw const guarded_landing as u64)
}

/// Copies `length` bytes from `from` to `to`, either of which may fault half-way.
///
/// # Errors
/// [`Faulted`] when an access was refused; then any part of `to` may have been written.
///
/// # Safety
/// If the accesses to `to` succeed they may: it is nobody's reference. The exception handler resumes at [`landing`].
pub unsafe fn copy(to: usize, from: usize, length: usize) -> Result<(), Faulted> {
    // SAFETY: the caller vouches for `to`; a refused access resumes at the landing with x0 = 1.
    done(unsafe { guarded_copy(to, from, length) })
}

/// Reads the 8 bytes at `address`, a multiple of 8.
///
/// # Errors
/// [`Faulted`] when the access was refused.
///
/// # Safety
/// `address` is memory, not a device. The exception handler resumes at [`landing`].
pub unsafe fn read64(address: usize) -> Result<u64, Faulted> {
    // SAFETY: a load from memory changes nothing; a refused one resumes at the landing with x0 = 1.
    let answer = unsafe { guarded_read64(address) };
    done(answer.faulted).map(|()| answer.value)
}

/// Writes the 8 bytes at `address`, a multiple of 8.
///
/// # Errors
/// [`Faulted`] when the access was refused.
///
/// # Safety
/// As [`copy`].
pub unsafe fn write64(address: usize, value: u64) -> Result<(), Faulted> {
    // SAFETY: the caller vouches for the address; a refused store resumes at the landing with x0 = 1.
    done(unsafe { guarded_write64(address, value) })
}

fn done(faulted: u64) -> Result<(), Faulted> {
    if faulted == 0 { Ok(()) } else { Err(Faulted) }
}
