//! A value that the first CPU makes and every CPU then reads.

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicBool, Ordering};

/// A place for a value that is set once, before any other CPU looks.
pub struct Once<T> {
    set: AtomicBool,
    value: UnsafeCell<MaybeUninit<T>>,
}

// SAFETY: the value is written before `set` is, and only shared references are given out afterwards.
unsafe impl<T: Sync> Sync for Once<T> {}

impl<T> Once<T> {
    /// Makes an empty place.
    pub const fn new() -> Self {
        Self { set: AtomicBool::new(false), value: UnsafeCell::new(MaybeUninit::uninit()) }
    }

    /// Puts the value in its place and gives it.
    ///
    /// # Safety
    /// Called once, by the CPU that boots first, while no other CPU runs here.
    pub unsafe fn set(&self, value: T) -> &T {
        // SAFETY: nobody else looks at the place yet, says the caller.
        unsafe { (*self.value.get()).write(value) };
        self.set.store(true, Ordering::Release);
        // SAFETY: written above, and never again.
        unsafe { (*self.value.get()).assume_init_ref() }
    }

    /// Gives the value, if it was set.
    pub fn get(&self) -> Option<&T> {
        // SAFETY: `set` says that the value was written, and nobody writes it again.
        self.set.load(Ordering::Acquire).then(|| unsafe { (*self.value.get()).assume_init_ref() })
    }
}
