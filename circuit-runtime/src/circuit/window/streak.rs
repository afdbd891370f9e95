//! Consecutive failures.

/// Sentinel length: the limit has been reached in this generation.
///
/// The thread that reached it may not have opened the circuit yet. A success in between must not
/// reset the streak but open the circuit itself; otherwise its caller would find the circuit
/// closed, and then open without another failure.
const REACHED: u32 = u32::MAX;

/// Consecutive failures, however far apart; a success resets them.
#[derive(Debug)]
pub(super) struct Streak {
    length: u32,
    /// The longest streak that does not reach the limit.
    most: u32,
}

impl Streak {
    /// Creates an empty streak, which reaches its limit with so many failures.
    pub(super) fn new(limit: u32) -> Self {
        Self {
            length: 0,
            most: limit.saturating_sub(1),
        }
    }

    /// Takes over the failures of another one.
    pub(super) fn take(&mut self, other: &Self) {
        self.length = other.length;
    }

    /// Returns the number of failures, the limit if that was reached.
    pub(super) fn length(&self) -> u32 {
        match self.length {
            REACHED => self.most.saturating_add(1),
            length => length,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.length == 0
    }

    pub(super) fn clear(&mut self) {
        self.length = 0;
    }

    /// Resets the streak, unless it has reached its limit; returns whether it has.
    pub(super) fn reset(&mut self) -> bool {
        if self.length != REACHED {
            self.length = 0;
        }
        self.length == REACHED
    }

    /// Adds a failure; returns whether the limit is reached.
    #[inline]
    pub(super) fn grow(&mut self) -> bool {
        if self.length >= self.most {
            return self.reach();
        }
        self.length = self.length.wrapping_add(1);
        false
    }

    /// Ends the streak at its limit. Out of line, as most failures do not come this far.
    #[cold]
    #[inline(never)]
    fn reach(&mut self) -> bool {
        self.length = REACHED;
        true
    }
}
