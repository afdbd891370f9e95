use crate::sync::OnceBox;
use crate::thread;

/// A place for each thread that has a number, where it is the only writer and counts with plain loads
/// and stores. A reader goes over all places. A `T` is to be aligned to a cache line, so that no two
/// threads write the same one.
///
/// Places are made on first use, in rows of 1, 2, 4 .. 32 of them: what one thread uses holds one.
/// A number's next holder goes on where the last one stopped; `thread::Numbers` orders the two.
pub(crate) struct Striped<T: 'static> {
    rows: [OnceBox<Box<[T]>>; ROWS],
}

const ROWS: usize = 6;

impl<T: Default> Striped<T> {
    /// The calling thread's own place, if it is made.
    #[inline]
    pub(crate) fn own(&self) -> Option<&T> {
        let (row, place) = seat(thread::number_so_far());
        self.rows.get(row)?.get()?.get(place)
    }

    /// The calling thread's own place; `None` for a thread without a number.
    #[inline(never)]
    pub(crate) fn make_own(&self) -> Option<&T> {
        let (row, place) = seat(thread::number()?);
        let places = || Box::new((0..1_usize << row).map(|_| T::default()).collect());
        self.rows.get(row)?.get_or_init(places).get(place)
    }

    /// The places of all threads.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.rows
            .iter()
            .filter_map(OnceBox::get)
            .flat_map(|places| places.iter())
    }
}

impl<T> Default for Striped<T> {
    fn default() -> Self {
        Self {
            rows: Default::default(),
        }
    }
}

/// The row and the place in it of a thread's number: 0 | 1 2 | 3 4 5 6 | ..
#[inline]
fn seat(number: u32) -> (usize, usize) {
    let row = (number + 1).checked_ilog2().unwrap_or(0);
    let place = number + 1 - (1 << row);
    (row as usize, place as usize)
}

#[cfg(test)]
mod tests {
    use super::{ROWS, seat};
    use crate::thread::NUMBERS;
    use std::collections::HashSet;

    #[test]
    fn every_number_has_a_seat_of_its_own() {
        let seats: HashSet<_> = (0..NUMBERS).map(seat).collect();
        assert_eq!(seats.len(), NUMBERS as usize);
        assert!(
            seats
                .iter()
                .all(|&(row, place)| row < ROWS && place < 1 << row)
        );
    }
}
