use std::array;

use super::OnceBox;
use super::thread::{self, NUMBERS};

/// A place for each thread that has a number, where it is the only writer and counts with plain loads
/// and stores. A reader goes over all places. A `T` is to be aligned to a cache line, so that no two
/// threads write the same one.
///
/// The places of the first threads are here, those of later ones made on first use. A number's next
/// holder goes on where the last one stopped; `thread::Numbers` orders the two.
pub(crate) struct Striped<T: 'static> {
    near: [T; NEAR],
    far: [OnceBox<T>; NUMBERS as usize - NEAR],
}

const NEAR: usize = if cfg!(any(circuit_loom, circuit_shuttle)) {
    2
} else {
    8
};

impl<T: Default> Striped<T> {
    /// Acts on the calling thread's own place, if it is made.
    #[inline]
    pub(crate) fn with_own<R>(&self, act: impl FnOnce(&T) -> R) -> Option<R> {
        let number = thread::number_so_far() as usize;
        match self.near(number) {
            Some(near) => Some(act(near)),
            None => self.far(number)?.get().map(act),
        }
    }

    /// The calling thread's own place; `None` for a thread without a number.
    #[inline(never)]
    pub(crate) fn make_own(&self) -> Option<&T> {
        let number = thread::number()? as usize;
        let make_far = || Some(self.far(number)?.get_or_init(Box::default));
        self.near(number).or_else(make_far)
    }

    /// The places of all threads.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        let far = self.far.iter().filter_map(OnceBox::get);
        self.near.iter().chain(far)
    }

    #[inline]
    fn near(&self, number: usize) -> Option<&T> {
        self.near.get(number)
    }

    #[inline]
    fn far(&self, number: usize) -> Option<&OnceBox<T>> {
        self.far.get(number.checked_sub(NEAR)?)
    }
}

impl<T: Default> Default for Striped<T> {
    fn default() -> Self {
        Self {
            near: array::from_fn(|_| T::default()),
            far: array::from_fn(|_| OnceBox::default()),
        }
    }
}
