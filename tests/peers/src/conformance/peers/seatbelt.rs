//! The library seatbelt.

use std::sync::Arc;
use std::time::Duration;

use layered::{Execute, Service, Stack};
use seatbelt::breaker::{AbandonedPolicy, Breaker as Layer, BreakerId, HalfOpenMode};
use seatbelt::timeout::Timeout;
use seatbelt::{RecoveryInfo, ResilienceContext};
use tick::ClockControl;

use crate::adapter::{Answer, Breaker, Failed, Keyed, Library, Spans, Time, Wish, Work, classify};

const SPANS: Spans = Spans {
    reset: Duration::from_secs(5),
    window: Duration::from_secs(30),
    // Its window has ten buckets.
    grain: Duration::from_millis(3_100),
    timeout: Duration::from_secs(2),
};

pub(crate) struct Seatbelt;

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

struct Request {
    key: String,
    work: Work,
}

/// Creates one breaker for all keys, or one for each.
#[expect(clippy::cast_possible_truncation, reason = "it takes no other rate")]
fn keyed(wish: Wish, told_apart: bool) -> Result<Keyed, &'static str> {
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
    let breaker = Layer::layer("breaker", &context)
        .recovery_with(|result: &Result<(), Error>, _| match result {
            Err(_) if classify() => RecoveryInfo::retry(),
            Ok(()) | Err(_) => RecoveryInfo::never(),
        })
        .rejected_input_error(|_, _| Error::Rejected)
        .failure_threshold(rate)
        .min_throughput(5)
        .sampling_duration(SPANS.window)
        .break_duration(wait)
        .abandoned_policy(AbandonedPolicy::ignore())
        .half_open_mode(HalfOpenMode::quick());
    let breaker = if told_apart {
        breaker.breaker_id(|request: &Request| BreakerId::from(request.key.clone()))
    } else {
        breaker
    };
    let stack = (
        breaker,
        timeout,
        Execute::new(|request: Request| async move { Ok(request.work.await?) }),
    );
    let service = Arc::new(stack.into_service());
    Ok(Keyed::new(move |key| {
        let (service, clock) = (Arc::clone(&service), clock.clone());
        let key = key.to_owned();
        Breaker::new(move |work| {
            let service = Arc::clone(&service);
            let key = key.clone();
            Box::pin(async move {
                match service.execute(Request { key, work }).await {
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
        })
    }))
}

impl Library for Seatbelt {
    fn title(&self) -> &'static str {
        "seatbelt 0.11.0"
    }

    fn configuration(&self) -> &'static str {
        "10 % of at least 5 calls in 30 s; `HalfOpenMode::quick()`, `AbandonedPolicy::ignore()`, \
         `break_duration(5 s)`; its own `timeout` layer inside. Its clock, `ClockControl`: \
         virtual time. `breaker_id` by key, from a string: it has no bound, and asks for \
         \"low-cardinality\" ids."
    }

    fn time(&self) -> Time {
        Time::Virtual
    }

    fn spans(&self) -> Spans {
        SPANS
    }

    fn breaker(&self, wish: Wish) -> Result<Breaker, &'static str> {
        Ok(keyed(wish, false)?.for_key("any"))
    }

    fn keyed(&self) -> Result<Keyed, &'static str> {
        keyed(Wish::Failures, true)
    }
}
