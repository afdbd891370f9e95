//! A global allocator that counts the allocations of each thread.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

thread_local! {
    static COUNTED: Cell<Counted> = const { Cell::new(Counted { allocations: 0, bytes: 0, freed: 0 }) };
}

/// The allocations of a thread so far.
#[derive(Clone, Copy)]
pub(crate) struct Counted {
    pub(crate) allocations: u64,
    pub(crate) bytes: u64,
    freed: u64,
}

impl Counted {
    pub(crate) fn so_far() -> Self {
        COUNTED.get()
    }

    /// Returns the bytes that are allocated and not freed.
    pub(crate) fn held(self) -> i64 {
        self.bytes.cast_signed() - self.freed.cast_signed()
    }
}

// SAFETY: every request is forwarded unchanged to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNTED.with(|counted| {
            let mut so_far = counted.get();
            so_far.allocations += 1;
            so_far.bytes += layout.size() as u64;
            counted.set(so_far);
        });
        // SAFETY: the caller keeps the contract of `System`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        COUNTED.with(|counted| {
            let mut so_far = counted.get();
            so_far.freed += layout.size() as u64;
            counted.set(so_far);
        });
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}
