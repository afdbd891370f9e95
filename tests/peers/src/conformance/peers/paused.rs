//! Ours, by calls, in virtual time.

use std::time::Duration;

use super::runtime;
use crate::adapter::{Breaker, Keyed, Library, Spans, Time, Wish};

/// The time spans of virtual time.
pub(crate) const SPANS: Spans = Spans {
    reset: Duration::from_secs(30),
    window: Duration::from_secs(10),
    grain: Duration::from_millis(1),
    timeout: Duration::from_secs(2),
};

/// Ours, by `CircuitBreaker::call`, on tokio's clock.
pub(crate) struct Paused;

impl Library for Paused {
    fn title(&self) -> &'static str {
        "ours, `call`"
    }

    fn configuration(&self) -> &'static str {
        "`max_failures` of 3, consecutive or in a `window` of 10 s; rates in the same window, and in one \
         of 100 calls; `reset` of 30 s, `timeout` of 2 s. Follows tokio's clock (`test-util`): \
         virtual time."
    }

    fn time(&self) -> Time {
        Time::Virtual
    }

    fn prepare(&self) {
        tokio::time::pause();
    }

    fn spans(&self) -> Spans {
        SPANS
    }

    fn breaker(&self, wish: Wish) -> Result<Breaker, &'static str> {
        Ok(runtime::breaker(SPANS, wish)?.with_time(tokio::time::advance))
    }

    fn keyed(&self) -> Result<Keyed, &'static str> {
        Err(runtime::NO_KEYS)
    }
}
