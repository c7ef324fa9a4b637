//! The heap, between the stacks and the end of the image's window.

use core::alloc::{GlobalAlloc, Layout};
use core::ptr::NonNull;

use cpu::lock::Lock;
use linked_list_allocator::Heap;

unsafe extern "C" {
    static __heap: u8;
    static __heap_end: u8;
}

struct Locked(Lock<Heap>);

#[global_allocator]
static HEAP: Locked = Locked(Lock::new(Heap::empty()));

/// Gives the heap its memory. Once, by CPU 0, before anything is allocated.
pub fn open() {
    let (start, end) = (&raw const __heap as usize, &raw const __heap_end as usize);
    // SAFETY: the linker script reserves this range for the heap alone; called once.
    unsafe { HEAP.0.take().init(start as *mut u8, end - start) }
}

// SAFETY: the heap gives out disjoint ranges of its own memory, one caller at a time.
unsafe impl GlobalAlloc for Locked {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.0.take().allocate_first_fit(layout).map_or(core::ptr::null_mut(), NonNull::as_ptr)
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        if let Some(pointer) = NonNull::new(pointer) {
            // SAFETY: the caller got it from `alloc` with this layout.
            unsafe { self.0.take().deallocate(pointer, layout) }
        }
    }
}
