//! The library circuitbreaker-rs.

use std::time::Duration;

use circuitbreaker_rs::{BreakerError, CircuitBreaker, DefaultPolicy};

use crate::adapter::{Answer, Breaker, Failed, Library, Order, Spans, Time, Wish};

const SPANS: Spans = Spans {
    reset: Duration::from_millis(100),
    window: Duration::from_millis(100),
    grain: Duration::ZERO,
    timeout: Duration::MAX,
};

pub(crate) struct CircuitBreakerRs;

impl Library for CircuitBreakerRs {
    fn title(&self) -> &'static str {
        "circuitbreaker-rs 0.1.1"
    }

    fn configuration(&self) -> &'static str {
        "`consecutive_failures(3)`, `consecutive_successes(1)`, `probe_interval(1)` (\"the number \
         of probes\"; it admits one more), `cooldown(100 ms)`, else as by default; for rates \
         `failure_threshold` alone. `call_async`. Real time."
    }

    fn time(&self) -> Time {
        Time::Real
    }

    fn spans(&self) -> Spans {
        SPANS
    }

    fn breaker(&self, wish: Wish) -> Result<Breaker, &'static str> {
        let builder = CircuitBreaker::<DefaultPolicy, Failed>::builder()
            .probe_interval(1)
            .consecutive_successes(1)
            .cooldown(SPANS.reset);
        let builder = match wish {
            Wish::Failures => builder.consecutive_failures(3),
            Wish::LongestWait => builder.consecutive_failures(3).cooldown(Duration::MAX),
            Wish::Rate(rate) => builder
                .failure_threshold(rate)
                .consecutive_failures(u64::MAX),
            Wish::Window => return Err("nothing feeds its windows"),
            Wish::LastCalls => return Err("no window of calls"),
            Wish::Predicate => return Err("no predicates"),
            Wish::Timeout => return Err("no timeouts"),
        };
        let breaker = builder.build();
        let [close, open] = [breaker.clone(), breaker.clone()];
        Ok(Breaker::new(move |work| {
            let breaker = breaker.clone();
            Box::pin(async move {
                match breaker.call_async(|| work).await {
                    Ok(()) => Answer::Done,
                    Err(BreakerError::Operation(Failed)) => Answer::Failed,
                    Err(_) => Answer::Rejected,
                }
            })
        })
        .with_order(Order::ForceClosed, move || {
            close.force_closed();
            std::future::ready(())
        })
        .with_order(Order::ForceOpen, move || {
            open.force_open();
            std::future::ready(())
        }))
    }
}
