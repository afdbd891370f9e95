//! The library failsafe.

use std::time::Duration;

use failsafe::failure_policy::{consecutive_failures, success_rate_over_time_window};
use failsafe::futures::CircuitBreaker;
use failsafe::{Config, Error, FailurePolicy, Instrument, StateMachine, backoff};

use crate::adapter::{Answer, Breaker, Failed, Library, Order, Spans, Time, Wish, classify};

const SPANS: Spans = Spans {
    reset: Duration::from_millis(100),
    // It counts whole seconds.
    window: Duration::from_secs(1),
    grain: Duration::from_millis(100),
    timeout: Duration::MAX,
};

pub(crate) struct Failsafe;

fn breaker<P, I>(machine: StateMachine<P, I>) -> Breaker
where
    P: FailurePolicy + Send + Sync + 'static,
    I: Instrument + Send + Sync + 'static,
{
    let reset = machine.clone();
    Breaker::new(move |work| {
        let call = machine.call_with(|_: &Failed| classify(), work);
        Box::pin(async move {
            match call.await {
                Ok(()) => Answer::Done,
                Err(Error::Inner(Failed)) => Answer::Failed,
                Err(Error::Rejected) => Answer::Rejected,
            }
        })
    })
    .with_order(Order::Reset, move || {
        reset.reset();
        std::future::ready(())
    })
}

impl Library for Failsafe {
    fn title(&self) -> &'static str {
        "failsafe 1.3.0"
    }

    fn configuration(&self) -> &'static str {
        "`consecutive_failures(3, constant(100 ms))`; for rates `success_rate_over_time_window` \
         with 5 requests in 1 s. `futures::CircuitBreaker::call`. Real time."
    }

    fn time(&self) -> Time {
        Time::Real
    }

    fn spans(&self) -> Spans {
        SPANS
    }

    fn breaker(&self, wish: Wish) -> Result<Breaker, &'static str> {
        let failures = |wait| {
            breaker(
                Config::new()
                    .failure_policy(consecutive_failures(3, backoff::constant(wait)))
                    .build(),
            )
        };
        match wish {
            Wish::Failures | Wish::Predicate => Ok(failures(SPANS.reset)),
            Wish::LongestWait => Ok(failures(Duration::MAX)),
            Wish::Window => Err("its average has no window that ends"),
            Wish::Rate(rate) => {
                // It takes the rate of successes below which it opens; no rate is below zero.
                let required = (1.0 - rate).max(f64::EPSILON);
                let wait = backoff::constant(SPANS.reset);
                let policy = success_rate_over_time_window(required, 5, SPANS.window, wait);
                Ok(breaker(Config::new().failure_policy(policy).build()))
            }
            Wish::LastCalls => Err("no window of calls"),
            Wish::Timeout => Err("no timeouts"),
        }
    }
}
