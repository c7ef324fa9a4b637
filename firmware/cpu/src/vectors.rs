//! Exception vectors: the table, and a routine that carries an exception into Rust and back.

/// The registers of the interrupted program, as [`exception!`](crate::exception) leaves them on the stack.
#[repr(C)]
#[derive(Clone, Debug)]
pub struct Frame {
    /// x0 to x30.
    pub x: [u64; 31],
    /// Where the program resumes (ELR_ELx).
    pub elr: u64,
    /// Its PSTATE (SPSR_ELx).
    pub spsr: u64,
    /// Padding: the stack pointer stays a multiple of 16.
    pub reserved: u64,
}

/// Emits an exception vector table, 2 KiB aligned, under a global symbol.
///
/// Sixteen labels in the architecture's order: synchronous, IRQ, FIQ, SError, each from this level with SP_EL0, from
/// this level with SP_ELx, from a lower level in AArch64, from a lower level in AArch32. Each slot branches to its label.
#[macro_export]
macro_rules! vectors {
    ($table:literal: $($label:literal)*) => {
        core::arch::global_asm!(
            concat!(".pushsection .text.vectors, \"ax\"\n.balign 0x800\n.global ", $table, "\n", $table, ":"),
            $(concat!(".balign 0x80\nb ", $label),)*
            ".balign 0x80",
            ".popsection",
        );
    };
}

/// Emits the routine `label`: it saves all registers of the interrupted program in a [`Frame`](crate::vectors::Frame)
/// on the current stack, calls `function`, an `extern "C" fn(&mut Frame)`, restores from the frame and returns from
/// the exception. `el` is the level it runs at, `el2` or `el3`.
#[macro_export]
macro_rules! exception {
    ($label:literal, $el:literal, $function:path) => {
        core::arch::global_asm!(
            concat!(".pushsection .text.exceptions, \"ax\"\n", $label, ":"),
            "sub sp, sp, #272",
            "stp x0, x1, [sp]",
            "stp x2, x3, [sp, #16]",
            "stp x4, x5, [sp, #32]",
            "stp x6, x7, [sp, #48]",
            "stp x8, x9, [sp, #64]",
            "stp x10, x11, [sp, #80]",
            "stp x12, x13, [sp, #96]",
            "stp x14, x15, [sp, #112]",
            "stp x16, x17, [sp, #128]",
            "stp x18, x19, [sp, #144]",
            "stp x20, x21, [sp, #160]",
            "stp x22, x23, [sp, #176]",
            "stp x24, x25, [sp, #192]",
            "stp x26, x27, [sp, #208]",
            "stp x28, x29, [sp, #224]",
            concat!("mrs x0, elr_", $el),
            concat!("mrs x1, spsr_", $el),
            "stp x30, x0, [sp, #240]",
            "str x1, [sp, #256]",
            "mov x0, sp",
            "bl {function}",
            "ldp x30, x0, [sp, #240]",
            "ldr x1, [sp, #256]",
            concat!("msr elr_", $el, ", x0"),
            concat!("msr spsr_", $el, ", x1"),
            "ldp x28, x29, [sp, #224]",
            "ldp x26, x27, [sp, #208]",
            "ldp x24, x25, [sp, #192]",
            "ldp x22, x23, [sp, #176]",
            "ldp x20, x21, [sp, #160]",
            "ldp x18, x19, [sp, #144]",
            "ldp x16, x17, [sp, #128]",
            "ldp x14, x15, [sp, #112]",
            "ldp x12, x13, [sp, #96]",
            "ldp x10, x11, [sp, #80]",
            "ldp x8, x9, [sp, #64]",
            "ldp x6, x7, [sp, #48]",
            "ldp x4, x5, [sp, #32]",
            "ldp x2, x3, [sp, #16]",
            "ldp x0, x1, [sp]",
            "add sp, sp, #272",
            "eret",
            ".popsection",
            function = sym $function,
        );
    };
}
