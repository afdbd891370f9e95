//! What is allocated, counted on each thread by itself.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

thread_local! {
    static COUNTED: Cell<Counted> = const { Cell::new(Counted { allocations: 0, bytes: 0, freed: 0 }) };
}

/// What a thread has allocated so far.
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

    /// What is allocated and not freed.
    pub(crate) fn held(self) -> i64 {
        self.bytes.cast_signed() - self.freed.cast_signed()
    }
}

// SAFETY: every request goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNTED.with(|counted| {
            let mut so_far = counted.get();
            so_far.allocations += 1;
            so_far.bytes += layout.size() as u64;
            counted.set(so_far);
        });
        // SAFETY: the caller's promises are those that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        COUNTED.with(|counted| {
            let mut so_far = counted.get();
            so_far.freed += layout.size() as u64;
            counted.set(so_far);
        });
        // SAFETY: as above.
        unsafe { System.dealloc(place, layout) }
    }
}
