use std::time::Duration;

use circuit_runtime::{CallError, CircuitBreaker, CircuitError, Config};

use crate::adapter::{Answer, Breaker, Failed, Library, Order, Spans, Time, Wish, judge};

/// Ours, by `CircuitBreaker::call`.
pub(crate) struct Runtime;

/// The spans of both ways to ours.
pub(super) const SPANS: Spans = Spans {
    reset: Duration::from_secs(30),
    window: Duration::from_secs(10),
    grain: Duration::from_millis(1),
    timeout: Duration::from_secs(2),
};

/// What our own error means.
pub(super) fn answer_of(error: &CircuitError) -> Answer {
    if error.is_timeout() {
        Answer::TimedOut
    } else {
        Answer::Rejected
    }
}

impl Library for Runtime {
    fn title(&self) -> &'static str {
        "circuit-runtime, `call`"
    }

    fn configuration(&self) -> &'static str {
        "`max_failures` of 3, in a row or in a `window` of 10 s; rates in the same window, and in one of 100 \
         calls; `reset` of 30 s, `timeout` of 2 s. Virtual time."
    }

    fn time(&self) -> Time {
        Time::Virtual
    }

    fn spans(&self) -> Spans {
        SPANS
    }

    fn breaker(&self, wish: Wish) -> Result<Breaker, &'static str> {
        let config = Config::builder().reset(SPANS.reset);
        let config = match wish {
            Wish::Failures | Wish::Predicate => config.max_failures(3),
            Wish::LongestWait => config.max_failures(3).reset(Duration::MAX),
            Wish::Window => config.max_failures(3).window(SPANS.window),
            Wish::Rate(rate) => config.window(SPANS.window).failure_rate(rate),
            Wish::LastCalls => config.last_calls(100).failure_rate(0.5),
            Wish::Timeout => config.max_failures(3).timeout(SPANS.timeout),
        };
        let config = config.build().map_err(|_| "not a legal configuration")?;
        let breaker = CircuitBreaker::new("conformance", config);
        let [reset, close, open] = [breaker.clone(), breaker.clone(), breaker.clone()];
        Ok(Breaker::new(move |work| {
            let breaker = breaker.clone();
            Box::pin(async move {
                let call = breaker.call(work);
                let result = match wish {
                    Wish::Predicate => call.failure_if(|_| judge()).await,
                    _ => call.await,
                };
                match result {
                    Ok(()) => Answer::Done,
                    Err(CallError::Inner(Failed)) => Answer::Failed,
                    Err(CallError::Circuit(error)) => answer_of(&error),
                }
            })
        })
        .with_time(tokio::time::advance)
        .with_order(Order::Reset, move || {
            reset.reset();
            std::future::ready(())
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
