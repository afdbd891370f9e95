//! The supervisor of the connection: when to connect, to give it up, and to try again.

use std::time::Duration;

use tokio::time::Instant;

/// The shortest and the longest pause before another attempt to connect.
const MIN_PAUSE: Duration = Duration::from_millis(50);
const MAX_PAUSE: Duration = Duration::from_millis(500);
/// A connection is lost with this many answers missing in succession.
const MAX_MISSED: u32 = 2;

/// Watches over one connection after another.
#[derive(Debug)]
pub(crate) struct Supervisor {
    link: Link,
    /// Distinguishes the answers of one connection from those of the one before.
    number: u64,
    pause: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    Down { dial_at: Instant },
    Dialing,
    Up { missed: u32 },
}

impl Supervisor {
    /// Begins by connecting at once.
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            link: Link::Down { dial_at: now },
            number: 0,
            pause: MIN_PAUSE,
        }
    }

    pub(crate) fn is_up(&self) -> bool {
        matches!(self.link, Link::Up { .. })
    }

    /// Returns the number of the connection of now, or of the latest.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Returns `true` for the connection of now, or the one that is being made.
    pub(crate) fn is_current(&self, number: u64) -> bool {
        self.number == number && !matches!(self.link, Link::Down { .. })
    }

    /// Returns the moment of the next attempt; `None` while there is a connection or an attempt.
    pub(crate) fn dial_at(&self) -> Option<Instant> {
        match self.link {
            Link::Down { dial_at } => Some(dial_at),
            Link::Dialing | Link::Up { .. } => None,
        }
    }

    /// Begins an attempt, and returns its number.
    pub(crate) fn dial(&mut self) -> u64 {
        self.link = Link::Dialing;
        self.number = self.number.wrapping_add(1);
        self.number
    }

    pub(crate) fn connected(&mut self) {
        self.link = Link::Up { missed: 0 };
    }

    pub(crate) fn answered(&mut self) {
        self.link = Link::Up { missed: 0 };
        self.pause = MIN_PAUSE;
    }

    /// Counts an answer that did not arrive in time. Returns `true` if the connection is lost.
    pub(crate) fn missed(&mut self) -> bool {
        match &mut self.link {
            Link::Up { missed } => {
                *missed = missed.saturating_add(1);
                *missed >= MAX_MISSED
            }
            Link::Down { .. } | Link::Dialing => false,
        }
    }

    /// Gives the connection up, and tries again after a pause. `random` is in `[0, 1)`: a fleet
    /// does not connect in step.
    pub(crate) fn lost(&mut self, now: Instant, random: f64) {
        let spread = self.pause.mul_f64(0.5 + random / 2.0).max(MIN_PAUSE);
        self.link = Link::Down {
            dial_at: now + spread,
        };
        self.pause = self.pause.saturating_mul(2).min(MAX_PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_PAUSE, MIN_PAUSE, Supervisor};
    use tokio::time::Instant;

    #[test]
    fn two_missing_answers_in_succession_lose_the_connection() {
        let mut supervisor = Supervisor::new(Instant::now());
        supervisor.dial();
        supervisor.connected();
        assert!(!supervisor.missed());
        supervisor.answered();
        assert!(!supervisor.missed());
        assert!(supervisor.missed());
    }

    #[test]
    fn attempts_follow_after_50_to_500_milliseconds() {
        let now = Instant::now();
        for random in [0.0, 0.5, 0.999] {
            let mut supervisor = Supervisor::new(now);
            assert_eq!(supervisor.dial_at(), Some(now));
            for _ in 0..10 {
                supervisor.dial();
                supervisor.lost(now, random);
                let pause = supervisor.dial_at().unwrap() - now;
                assert!((MIN_PAUSE..=MAX_PAUSE).contains(&pause), "{pause:?}");
            }
            assert!(supervisor.dial_at().unwrap() - now >= MAX_PAUSE / 2);
        }
    }

    #[test]
    fn an_answer_of_an_earlier_connection_is_not_current() {
        let now = Instant::now();
        let mut supervisor = Supervisor::new(now);
        let first = supervisor.dial();
        supervisor.connected();
        supervisor.lost(now, 0.0);
        assert!(!supervisor.is_current(first));
        let second = supervisor.dial();
        assert!(!supervisor.is_current(first) && supervisor.is_current(second));
    }
}
