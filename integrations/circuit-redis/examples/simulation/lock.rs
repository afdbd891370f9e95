//! The scheme of gobreaker v2, for comparison: one state for all processes, and a lock in the store
//! that each of them holds while it makes its call.
//!
//! The lock is that of redsync with its defaults: up to 32 attempts, 50 to 250 ms apart, and an end
//! after five seconds.

use circuit_runtime::{CircuitBreaker, OwnedPermit};

use crate::random::Random;

/// How long a command takes, in milliseconds.
pub(crate) const COMMAND: u64 = 2;
const ATTEMPTS: u32 = 32;
const DELAY: (f64, f64) = (50.0, 250.0);
const EXPIRY: u64 = 5_000;

/// The lock, and the breaker that it protects.
pub(crate) struct OneLock {
    pub(crate) breaker: CircuitBreaker,
    /// The holder, and when it loses the lock.
    holder: Option<(u64, u64)>,
    holders: u64,
}

/// The result of an attempt to lock.
pub(crate) enum Attempt {
    /// The lock is held: the call may run, or is rejected.
    Locked(u64, Option<OwnedPermit>),
    /// Try again after so many milliseconds.
    Again(u64),
    GivenUp,
}

impl OneLock {
    pub(crate) fn new(breaker: CircuitBreaker) -> Self {
        Self {
            breaker,
            holder: None,
            holders: 0,
        }
    }

    /// Tries to lock, after so many attempts.
    pub(crate) fn attempt(&mut self, now: u64, attempts: u32, random: &mut Random) -> Attempt {
        if self.holder.is_some_and(|(_, until)| now < until) {
            return if attempts + 1 < ATTEMPTS {
                Attempt::Again(random.millis(DELAY.0, DELAY.1))
            } else {
                Attempt::GivenUp
            };
        }
        self.holders = self.holders.wrapping_add(1);
        self.holder = Some((self.holders, now + EXPIRY));
        Attempt::Locked(self.holders, self.breaker.try_acquire_owned().ok())
    }

    /// Unlocks, unless the lock was lost.
    pub(crate) fn unlock(&mut self, holder: u64) {
        if self.holder.is_some_and(|(current, _)| current == holder) {
            self.holder = None;
        }
    }
}
