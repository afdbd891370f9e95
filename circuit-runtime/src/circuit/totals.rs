//! The totals of one circuit or of several, by what became of each call.

use super::Circuit;
use super::counters::Total;

/// Everything that is counted since the start. Every call that was admitted and has ended is in
/// exactly one of the first six.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) succeeded: u64,
    /// Returned an error, or was settled by `Permit::failure`.
    pub(crate) failed: u64,
    pub(crate) timed_out: u64,
    pub(crate) panicked: u64,
    pub(crate) ignored: u64,
    pub(crate) cancelled: u64,
    pub(crate) rejected: u64,
    /// Counted by the rules; also in `succeeded`, `failed`, `timed_out` or `panicked`.
    pub(crate) slow: u64,
    pub(crate) opened: u64,
    pub(crate) withheld: u64,
}

impl Totals {
    /// Adds each total.
    pub(crate) fn plus(self, other: Self) -> Self {
        self.zip(other, u64::wrapping_add)
    }

    /// Subtracts each total, down to zero.
    pub(crate) fn minus(self, other: Self) -> Self {
        self.zip(other, u64::saturating_sub)
    }

    /// Returns the greater of each total.
    pub(crate) fn max(self, other: Self) -> Self {
        self.zip(other, u64::max)
    }

    /// Returns the smaller of each total.
    pub(crate) fn min(self, other: Self) -> Self {
        self.zip(other, u64::min)
    }

    /// Returns how many calls failed, timed out, panicked or were rejected.
    pub(crate) fn failed_or_rejected(&self) -> u64 {
        let failed = self.failed.saturating_add(self.timed_out);
        let failed = failed.saturating_add(self.panicked);
        failed.saturating_add(self.rejected)
    }

    fn zip(self, other: Self, combine: impl Fn(u64, u64) -> u64) -> Self {
        Self {
            succeeded: combine(self.succeeded, other.succeeded),
            failed: combine(self.failed, other.failed),
            timed_out: combine(self.timed_out, other.timed_out),
            panicked: combine(self.panicked, other.panicked),
            ignored: combine(self.ignored, other.ignored),
            cancelled: combine(self.cancelled, other.cancelled),
            rejected: combine(self.rejected, other.rejected),
            slow: combine(self.slow, other.slow),
            opened: combine(self.opened, other.opened),
            withheld: combine(self.withheld, other.withheld),
        }
    }
}

impl Circuit {
    /// Reads the totals, each of which never falls.
    pub(crate) fn totals(&self) -> Totals {
        let total = |total| self.counters.total(total);
        let transitions = self.phases.get().map(|phases| {
            phases.with_lock(|transitions| (transitions.opened, transitions.withheld))
        });
        let (opened, withheld) = transitions.unwrap_or_default();
        Totals {
            succeeded: total(Total::Succeeded),
            failed: total(Total::Failed),
            timed_out: total(Total::TimedOut),
            panicked: total(Total::Panicked),
            ignored: total(Total::Ignored),
            cancelled: total(Total::Cancelled),
            rejected: total(Total::Rejected),
            slow: self.window.slow_calls(),
            opened,
            withheld,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Totals;

    #[test]
    fn each_total_is_combined_with_itself() {
        let totals = |first| Totals {
            succeeded: first,
            failed: first + 1,
            timed_out: first + 2,
            panicked: first + 3,
            ignored: first + 4,
            cancelled: first + 5,
            rejected: first + 6,
            slow: first + 7,
            opened: first + 8,
            withheld: first + 9,
        };
        let sum = totals(100).plus(totals(100));
        assert_eq!(sum, sum.max(totals(100)));
        assert_eq!(sum.min(totals(100)), totals(100));
        assert_eq!(sum.minus(totals(100)), totals(100));
        assert_eq!(totals(1).minus(totals(2)), Totals::default());
    }
}
