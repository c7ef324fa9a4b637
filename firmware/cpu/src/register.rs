//! System registers by name: [`read!`](crate::read) and [`write!`](crate::write).
//!
//! A register that the assembler knows only with an extension flag is given by its `S<op0>_<op1>_C<n>_C<m>_<op2>` name.

/// Reads the system register named, as a `u64`.
///
/// ```ignore
/// let id = cpu::read!(mpidr_el1);
/// ```
#[macro_export]
macro_rules! read {
    ($register:ident) => {{
        let value: u64;
        // SAFETY: reading a system register changes no memory; the image runs at a level where the register exists.
        unsafe {
            core::arch::asm!(
                concat!("mrs {value}, ", stringify!($register)),
                value = out(reg) value, options(nomem, nostack, preserves_flags),
            );
        }
        value
    }};
}

/// Writes a `u64` to the system register named; no barrier follows.
///
/// The writer answers for the value as for any unsafe operation: a wrong translation base or vector base is as bad
/// as a wrong pointer. Memory accesses are not moved across the write.
///
/// ```ignore
/// cpu::write!(vbar_el2, vectors);
/// cpu::barrier::isb();
/// ```
#[macro_export]
macro_rules! write {
    ($register:ident, $value:expr) => {{
        let value: u64 = $value;
        // SAFETY: the firmware image that names the register owns it at this level and vouches for the value.
        unsafe {
            core::arch::asm!(
                concat!("msr ", stringify!($register), ", {value}"),
                value = in(reg) value, options(nostack, preserves_flags),
            );
        }
    }};
}

/// Gives the number of the CPU this runs on: affinity level 0 of MPIDR_EL1, as all CPUs stand in one cluster.
#[inline(always)]
#[must_use]
pub fn cpu_number() -> usize {
    (crate::read!(mpidr_el1) & 0xff) as usize
}
