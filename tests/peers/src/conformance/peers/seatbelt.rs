use std::sync::Arc;
use std::time::Duration;

use layered::{Execute, Service, Stack};
use seatbelt::breaker::{AbandonedPolicy, Breaker as Layer, HalfOpenMode};
use seatbelt::timeout::Timeout;
use seatbelt::{RecoveryInfo, ResilienceContext};
use tick::ClockControl;

use crate::adapter::{Answer, Breaker, Failed, Library, Spans, Time, Wish, Work, judge};

pub(crate) struct Seatbelt;

const SPANS: Spans = Spans {
    reset: Duration::from_secs(5),
    window: Duration::from_secs(30),
    // It keeps ten sums.
    grain: Duration::from_millis(3_100),
    timeout: Duration::from_secs(2),
};

/// Its layers share one error type.
enum Error {
    Failed,
    Rejected,
    TimedOut,
}

impl From<Failed> for Error {
    fn from(Failed: Failed) -> Self {
        Self::Failed
    }
}

impl Library for Seatbelt {
    fn title(&self) -> &'static str {
        "seatbelt 0.11.0"
    }

    fn configuration(&self) -> &'static str {
        "10 % of at least 5 calls in 30 s; `HalfOpenMode::quick()`, `AbandonedPolicy::ignore()`, \
         `break_duration(5 s)`; its own `timeout` layer inside. Its clock, `ClockControl`: \
         virtual time."
    }

    fn time(&self) -> Time {
        Time::Virtual
    }

    fn spans(&self) -> Spans {
        SPANS
    }

    #[expect(clippy::cast_possible_truncation, reason = "it takes no other rate")]
    fn breaker(&self, wish: Wish) -> Result<Breaker, &'static str> {
        let (rate, wait) = match wish {
            Wish::Failures | Wish::Predicate | Wish::Window | Wish::Timeout => (0.1, SPANS.reset),
            Wish::LongestWait => (0.1, Duration::MAX),
            Wish::LastCalls => return Err("no window of calls"),
            Wish::Rate(rate) => (rate as f32, SPANS.reset),
        };
        let clock = ClockControl::new();
        let context = ResilienceContext::new(clock.to_clock());
        let timeout = Timeout::layer("timeout", &context)
            .timeout_error(|_| Error::TimedOut)
            .timeout(SPANS.timeout);
        let timeout = match wish {
            Wish::Timeout => timeout.enable_always(),
            _ => timeout.disable(),
        };
        let stack = (
            Layer::layer("breaker", &context)
                .recovery_with(|result: &Result<(), Error>, _| match result {
                    Err(_) if judge() => RecoveryInfo::retry(),
                    Ok(()) | Err(_) => RecoveryInfo::never(),
                })
                .rejected_input_error(|_, _| Error::Rejected)
                .failure_threshold(rate)
                .min_throughput(5)
                .sampling_duration(SPANS.window)
                .break_duration(wait)
                .abandoned_policy(AbandonedPolicy::ignore())
                .half_open_mode(HalfOpenMode::quick()),
            timeout,
            Execute::new(|work: Work| async move { Ok(work.await?) }),
        );
        let service = Arc::new(stack.into_service());
        Ok(Breaker::new(move |work| {
            let service = Arc::clone(&service);
            Box::pin(async move {
                match service.execute(work).await {
                    Ok(()) => Answer::Done,
                    Err(Error::Failed) => Answer::Failed,
                    Err(Error::Rejected) => Answer::Rejected,
                    Err(Error::TimedOut) => Answer::TimedOut,
                }
            })
        })
        .with_time(move |span| {
            clock.advance(span);
            std::future::ready(())
        }))
    }
}
