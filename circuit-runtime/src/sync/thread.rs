//! Small numbers for threads, so that each can have a place of its own in every breaker.

use std::cell::Cell;

use super::{AtomicU64, Ordering};

/// How many threads can have a number of their own at the same time: in a model as many as there are, and in
/// a long one so few that some have none.
pub(crate) const NUMBERS: u32 = if cfg!(circuit_loom) {
    4
} else if cfg!(circuit_shuttle) {
    3
} else {
    63
};

/// The numbers that running threads hold, one bit each.
#[derive(Debug)]
pub(crate) struct Numbers(AtomicU64);

impl Numbers {
    const NONE_FREE: u64 = (1 << NUMBERS) - 1;

    /// The smallest free number, or `None` when there are more threads than numbers.
    pub(crate) fn take(&self) -> Option<u32> {
        // Acquire: what the number's last holder wrote under it is there for the next.
        let mut held = self.0.load(Ordering::Acquire);
        while held != Self::NONE_FREE {
            let number = held.trailing_ones();
            match self.0.compare_exchange_weak(
                held,
                held | 1 << number,
                Ordering::Acquire,
                Ordering::Acquire,
            ) {
                Ok(_) => return Some(number),
                Err(actual) => held = actual,
            }
        }
        None
    }

    pub(crate) fn give_back(&self, number: u32) {
        // Release: hands everything written under this number to its next holder.
        self.0.fetch_and(!(1 << number), Ordering::Release);
    }
}

impl Numbers {
    #[cfg(not(circuit_loom))]
    const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    #[cfg(circuit_loom)]
    fn new() -> Self {
        Self(AtomicU64::new(0))
    }
}

/// The calling thread's number, below [`NUMBERS`]: no other running thread has it. `None` for a
/// thread that came when all were taken, or that is ending.
pub(crate) fn number() -> Option<u32> {
    match NUMBER.with(Cell::get) {
        UNKNOWN => assign(),
        number => (number < NUMBERS).then_some(number),
    }
}

/// The calling thread's number if it has one already; otherwise a value above [`NUMBERS`].
#[inline]
pub(crate) fn number_so_far() -> u32 {
    NUMBER.with(Cell::get)
}

const UNKNOWN: u32 = u32::MAX;
const WITHOUT: u32 = u32::MAX - 1;

#[cfg(not(any(circuit_loom, circuit_shuttle)))]
static TAKEN: Numbers = Numbers::new();

#[cfg(circuit_loom)]
use loom as checker;
#[cfg(circuit_shuttle)]
use shuttle as checker;

#[cfg(any(circuit_loom, circuit_shuttle))]
checker::lazy_static! {
    static ref TAKEN: Numbers = Numbers::new();
}

#[cfg(not(any(circuit_loom, circuit_shuttle)))]
thread_local! {
    /// Has no destructor, hence costs one load to read.
    static NUMBER: Cell<u32> = const { Cell::new(UNKNOWN) };

    static HELD: Held = const { Held };
}

#[cfg(any(circuit_loom, circuit_shuttle))]
checker::thread_local! {
    static NUMBER: Cell<u32> = Cell::new(UNKNOWN);
    static HELD: Held = Held;
}

#[cold]
fn assign() -> Option<u32> {
    // A thread whose destructors are running could not give a number back.
    let number = HELD.try_with(|_| TAKEN.take()).ok().flatten();
    NUMBER.with(|known| known.set(number.unwrap_or(WITHOUT)));
    number
}

/// Gives the thread's number back. Destructors that run later may still make calls.
pub(crate) fn leave() {
    let number = NUMBER.with(|known| known.replace(WITHOUT));
    if number < NUMBERS {
        TAKEN.give_back(number);
    }
}

/// Leaves when the thread ends.
struct Held;

// A model ends after its first thread, so there threads leave by themselves.
#[cfg(not(any(circuit_loom, circuit_shuttle)))]
impl Drop for Held {
    fn drop(&mut self) {
        leave();
    }
}

#[cfg(all(test, not(circuit_loom)))]
mod tests {
    use super::{NUMBERS, Numbers, number};
    use std::thread;

    #[test]
    fn numbers_are_handed_out_once_and_the_smallest_first() {
        let numbers = Numbers::new();
        assert!((0..NUMBERS).all(|expected| numbers.take() == Some(expected)));
        assert_eq!(numbers.take(), None);

        numbers.give_back(40);
        numbers.give_back(7);
        assert_eq!(
            [numbers.take(), numbers.take(), numbers.take()],
            [Some(7), Some(40), None]
        );
    }

    #[test]
    fn a_thread_that_ends_gives_its_number_back() {
        for _ in 0..3 * NUMBERS {
            let held = thread::spawn(|| (number(), number())).join();
            assert!(matches!(held, Ok((Some(first), Some(again))) if first == again));
        }
    }
}
