//! Evidence that is tagged with the generation it belongs to.

use super::state::Generation;

/// Evidence tagged with a generation: a newer generation starts empty, results of an older one are
/// discarded.
#[derive(Debug)]
pub(crate) struct Evidence<T> {
    generation: Generation,
    value: T,
}

impl<T> Evidence<T> {
    /// Wraps empty evidence, which belongs to the first generation.
    pub(crate) fn new(value: T) -> Self {
        Self {
            generation: Generation::FIRST,
            value,
        }
    }

    /// Returns the evidence, if it belongs to `generation`.
    pub(crate) fn get(&self, generation: Generation) -> Option<&T> {
        (generation == self.generation).then_some(&self.value)
    }

    /// Returns the evidence for `generation`, cleared first if that is newer; `None` if it has
    /// ended.
    pub(crate) fn for_generation(
        &mut self,
        generation: Generation,
        clear: impl FnOnce(&mut T),
    ) -> Option<&mut T> {
        if generation != self.generation {
            if generation < self.generation {
                return None;
            }
            clear(&mut self.value);
            self.generation = generation;
        }
        Some(&mut self.value)
    }

    /// Returns the generation that the evidence belongs to.
    pub(crate) fn generation(&self) -> Generation {
        self.generation
    }

    /// Returns the evidence, whatever generation it belongs to.
    pub(crate) fn latest(&mut self) -> &mut T {
        &mut self.value
    }
}
