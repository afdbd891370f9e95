//! A service whose capacity is known: it answers one request after the other, and is slow to start.

use crate::random::Random;
use crate::scenario::{BEGIN, END, Outage, TIMEOUT};

/// The time that an answer takes if nothing waits, in milliseconds.
const LATENCY: f64 = 20.0;
/// Requests are refused if they would wait for longer than this.
const LONGEST_QUEUE: f64 = 2_000.0;
/// The share of its capacity that the service has after an outage, until it is warm again.
const COLD: f64 = 0.4;
/// How long that takes.
const WARM_UP: f64 = 20_000.0;

/// The service.
pub(crate) struct Service {
    outage: Outage,
    /// Requests a millisecond.
    capacity: f64,
    /// When it has answered all requests so far. Those whose callers no longer wait are among them.
    idle_at: f64,
}

/// The end of a request, as its caller sees it.
#[derive(Clone, Copy)]
pub(crate) struct Reply {
    pub(crate) at: u64,
    pub(crate) is_answer: bool,
}

impl Service {
    /// Creates a service that can answer so many requests a second.
    pub(crate) fn new(outage: Outage, capacity: f64) -> Self {
        Self {
            outage,
            capacity: capacity / 1_000.0,
            idle_at: 0.0,
        }
    }

    /// Returns how many requests it could answer in the `span` of milliseconds from `now`.
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a few minutes")]
    pub(crate) fn capacity(&self, now: u64, span: u64) -> f64 {
        let warm = match now.checked_sub(END) {
            Some(since) if self.outage == Outage::Full => {
                (COLD + (1.0 - COLD) * since as f64 / WARM_UP).min(1.0)
            }
            _ => 1.0,
        };
        self.capacity * warm * span as f64
    }

    /// Returns whether a request of a process would be answered, were there no others.
    pub(crate) fn would_answer(&self, now: u64, is_sick: bool, random: &mut Random) -> bool {
        if !(BEGIN..END).contains(&now) {
            return true;
        }
        match self.outage {
            Outage::Full => false,
            Outage::Partial => random.fraction() < 0.5,
            Outage::SickNode => !is_sick,
        }
    }

    /// Accepts a request.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "milliseconds of a few minutes"
    )]
    pub(crate) fn request(&mut self, now: u64, is_sick: bool, random: &mut Random) -> Reply {
        let unanswered = Reply {
            at: now + TIMEOUT,
            is_answer: false,
        };
        if !self.would_answer(now, is_sick, random) {
            return unanswered;
        }
        let begin = self.idle_at.max(now as f64);
        if begin - now as f64 > LONGEST_QUEUE {
            return Reply {
                at: now + 1,
                is_answer: false,
            };
        }
        self.idle_at = begin + 1.0 / self.capacity(now, 1);
        let at = (self.idle_at + LATENCY).ceil() as u64;
        if at > now + TIMEOUT {
            return unanswered;
        }
        Reply {
            at,
            is_answer: true,
        }
    }
}
