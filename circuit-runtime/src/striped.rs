use std::array;

use crate::sync::OnceBox;
use crate::thread::{self, NUMBERS};

/// A place for each thread that has a number, where it is the only writer and counts with plain loads
/// and stores. A reader goes over all places. A `T` is to be aligned to a cache line, so that no two
/// threads write the same one.
///
/// A place is made on first use. A number's next holder goes on where the last one stopped;
/// `thread::Numbers` orders the two.
pub(crate) struct Striped<T: 'static> {
    places: [OnceBox<T>; NUMBERS as usize],
}

impl<T: Default> Striped<T> {
    /// The calling thread's own place, if it is made.
    #[inline]
    pub(crate) fn own(&self) -> Option<&T> {
        self.place_of(thread::number_so_far())?.get()
    }

    /// The calling thread's own place; `None` for a thread without a number.
    #[inline(never)]
    pub(crate) fn make_own(&self) -> Option<&T> {
        let place = self.place_of(thread::number()?)?;
        Some(place.get_or_init(Box::default))
    }

    /// The places of all threads.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.places.iter().filter_map(OnceBox::get)
    }

    #[inline]
    fn place_of(&self, number: u32) -> Option<&OnceBox<T>> {
        self.places.get(number as usize)
    }
}

impl<T> Default for Striped<T> {
    fn default() -> Self {
        Self {
            places: array::from_fn(|_| OnceBox::default()),
        }
    }
}
