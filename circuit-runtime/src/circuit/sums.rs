//! The sums of the totals of all circuits that share a name, those that were dropped included.

use std::collections::BTreeMap;

use super::totals::Totals;

/// The sums of names with a circuit in use, by name. Those of a name end with its last circuit.
pub(super) struct Sums(BTreeMap<String, Sum>);

#[derive(Default)]
struct Sum {
    /// The totals of circuits that were dropped.
    dropped: Totals,
    /// The sum that was exported last.
    exported: Totals,
}

impl Sums {
    pub(super) const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Adds the totals of a circuit that is dropped, while others of this name are in use.
    pub(super) fn add_dropped(&mut self, name: &str, totals: Totals) {
        let sum = self.get_or_insert(name);
        sum.dropped = sum.dropped.plus(totals);
    }

    /// Returns the sum to export, given that of the circuits in use. It never falls: one that is
    /// being dropped, and is neither in use nor added yet, may be missing in it.
    pub(super) fn export(&mut self, name: &str, in_use: Totals) -> Totals {
        let sum = self.get_or_insert(name);
        sum.exported = sum.exported.max(sum.dropped.plus(in_use));
        sum.exported
    }

    /// Forgets a name that no circuit in use has.
    pub(super) fn forget(&mut self, name: &str) {
        self.0.remove(name);
    }

    fn get_or_insert(&mut self, name: &str) -> &mut Sum {
        self.0.entry(name.to_owned()).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::{Sums, Totals};

    #[test]
    fn a_sum_does_not_fall_while_a_circuit_is_neither_in_use_nor_added() {
        let succeeded = |succeeded| Totals {
            succeeded,
            ..Totals::default()
        };
        let mut sums = Sums::new();
        assert_eq!(sums.export("a", succeeded(5)), succeeded(5));
        assert_eq!(sums.export("a", succeeded(2)), succeeded(5));
        sums.add_dropped("a", succeeded(3));
        assert_eq!(sums.export("a", succeeded(4)), succeeded(7));
        assert_eq!(sums.export("b", succeeded(1)), succeeded(1));
        sums.forget("a");
        assert_eq!(sums.export("a", succeeded(1)), succeeded(1));
    }
}
