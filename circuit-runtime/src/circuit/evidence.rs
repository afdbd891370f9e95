use std::cmp::Ordering;

use super::state::Generation;

/// Evidence of one generation: a newer generation begins with none, an older one adds nothing.
#[derive(Debug)]
pub(crate) struct Evidence<T> {
    generation: Generation,
    counted: T,
}

impl<T> Evidence<T> {
    pub(crate) fn new(counted: T) -> Self {
        Self {
            generation: Generation::FIRST,
            counted,
        }
    }

    /// The evidence of `generation`, emptied by `clear` when it is a new one; `None` when it is
    /// over.
    pub(crate) fn of(
        &mut self,
        generation: Generation,
        clear: impl FnOnce(&mut T),
    ) -> Option<&mut T> {
        match generation.cmp(&self.generation) {
            Ordering::Less => return None,
            Ordering::Equal => {}
            Ordering::Greater => {
                clear(&mut self.counted);
                self.generation = generation;
            }
        }
        Some(&mut self.counted)
    }
}
