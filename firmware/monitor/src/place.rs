//! Statics that CPU 0 fills while it is alone.

use core::cell::UnsafeCell;

/// A value with a fixed place in memory. It is written only before a second CPU or another world runs.
pub struct Place<T>(UnsafeCell<T>);

// SAFETY: `fill` is called while one CPU runs; all others only read.
unsafe impl<T> Sync for Place<T> {}

impl<T> Place<T> {
    /// Puts a first value in its place.
    pub const fn new(value: T) -> Place<T> {
        Place(UnsafeCell::new(value))
    }

    /// Gives the value to write.
    ///
    /// # Safety
    /// CPU 0 alone runs, and holds no reference to the value.
    #[expect(clippy::mut_from_ref, reason = "the caller vouches that it is the only reference")]
    pub unsafe fn fill(&self) -> &mut T {
        // SAFETY: the caller vouches that this is the only reference.
        unsafe { &mut *self.0.get() }
    }

    /// Gives the value to read.
    ///
    /// # Safety
    /// Nobody holds what `fill` gave.
    #[inline(always)]
    pub unsafe fn get(&self) -> &T {
        // SAFETY: the caller vouches that nobody writes.
        unsafe { &*self.0.get() }
    }
}
