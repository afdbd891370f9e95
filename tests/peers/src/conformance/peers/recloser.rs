//! The library recloser.

use std::time::Duration;

use recloser::{AsyncRecloser, Error};

use crate::adapter::{Answer, Breaker, Failed, Library, Spans, Time, Wish, classify};

const SPANS: Spans = Spans {
    reset: Duration::from_millis(100),
    window: Duration::from_millis(100),
    grain: Duration::ZERO,
    timeout: Duration::MAX,
};

pub(crate) struct Recloser;

impl Library for Recloser {
    fn title(&self) -> &'static str {
        "recloser 1.4.0"
    }

    fn configuration(&self) -> &'static str {
        "`error_rate(0.5)`, the last 10 calls (100 for rates), `half_open_len(1)`, `open_wait(100 \
         ms)`. `AsyncRecloser::call`. Real time."
    }

    fn time(&self) -> Time {
        Time::Real
    }

    fn spans(&self) -> Spans {
        SPANS
    }

    /// It evaluates a rate once it has one call more than configured.
    fn probes(&self) -> usize {
        2
    }

    fn breaker(&self, wish: Wish) -> Result<Breaker, &'static str> {
        let (rate, calls, wait) = match wish {
            Wish::Failures | Wish::Predicate => (0.5, 10, SPANS.reset),
            Wish::LongestWait => (0.5, 10, Duration::MAX),
            Wish::Rate(rate) => (rate, 100, SPANS.reset),
            Wish::LastCalls => (0.5, 100, SPANS.reset),
            Wish::Window => return Err("no window of time"),
            Wish::Timeout => return Err("no timeouts"),
        };
        #[expect(clippy::cast_possible_truncation, reason = "it takes no other")]
        let recloser = recloser::Recloser::custom()
            .error_rate(rate as f32)
            .closed_len(calls)
            .half_open_len(1)
            .open_wait(wait)
            .build();
        let recloser = AsyncRecloser::from(recloser);
        Ok(Breaker::new(move |work| {
            let call = recloser.call_with(|_: &Failed| classify(), work);
            Box::pin(async move {
                match call.await {
                    Ok(()) => Answer::Done,
                    Err(Error::Inner(Failed)) => Answer::Failed,
                    Err(Error::Rejected) => Answer::Rejected,
                }
            })
        }))
    }
}
