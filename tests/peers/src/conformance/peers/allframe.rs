//! The library allframe-core.

use std::sync::Arc;
use std::time::Duration;

use allframe_core::resilience::{
    CircuitBreaker, CircuitBreakerConfig, CircuitBreakerError, KeyedCircuitBreaker,
};

use crate::adapter::{Answer, Breaker, Failed, Keyed, Library, Order, Spans, Time, Wish};

const SPANS: Spans = Spans {
    reset: Duration::from_millis(100),
    window: Duration::from_millis(400),
    grain: Duration::from_millis(80),
    timeout: Duration::MAX,
};

pub(crate) struct Allframe;

fn config(wish: Wish) -> Result<CircuitBreakerConfig, &'static str> {
    // Above one percent of a thousand calls.
    let config = CircuitBreakerConfig::new(11)
        .with_success_threshold(1)
        .with_half_open_requests(1)
        .with_timeout(SPANS.reset);
    match wish {
        Wish::Failures => Ok(config),
        Wish::LongestWait => Ok(config.with_timeout(Duration::MAX)),
        Wish::Window => Ok(config.with_failure_window(SPANS.window)),
        Wish::Rate(_) => Err("no rates"),
        Wish::LastCalls => Err("no window of calls"),
        Wish::Predicate => Err("no predicates"),
        Wish::Timeout => Err("no timeouts"),
    }
}

fn answer_of(result: &Result<(), CircuitBreakerError<Failed>>) -> Answer {
    match result {
        Ok(()) => Answer::Done,
        Err(CircuitBreakerError::Inner(Failed)) => Answer::Failed,
        Err(CircuitBreakerError::CircuitOpen(_)) => Answer::Rejected,
    }
}

impl Library for Allframe {
    fn title(&self) -> &'static str {
        "allframe-core 0.1.28"
    }

    fn configuration(&self) -> &'static str {
        "`CircuitBreakerConfig::new(11)`, failures in 60 s as by default, or in 400 ms; \
         `with_success_threshold(1)`, `with_half_open_requests(1)`, `with_timeout(100 ms)`. `call`; \
         by key `KeyedCircuitBreaker::call`, which has no bound (its caller may `remove` one). Real time."
    }

    fn time(&self) -> Time {
        Time::Real
    }

    fn spans(&self) -> Spans {
        SPANS
    }

    fn breaker(&self, wish: Wish) -> Result<Breaker, &'static str> {
        let breaker = Arc::new(CircuitBreaker::new("conformance", config(wish)?));
        let reset = Arc::clone(&breaker);
        Ok(Breaker::new(move |work| {
            let breaker = Arc::clone(&breaker);
            Box::pin(async move { answer_of(&breaker.call(|| work).await) })
        })
        .with_order(Order::Reset, move || {
            reset.reset();
            std::future::ready(())
        }))
    }

    fn keyed(&self) -> Result<Keyed, &'static str> {
        let breakers = Arc::new(KeyedCircuitBreaker::new(config(Wish::Failures)?));
        Ok(Keyed::new(move |key| {
            let (breakers, key) = (Arc::clone(&breakers), key.to_owned());
            Breaker::new(move |work| {
                let (breakers, key) = (Arc::clone(&breakers), key.clone());
                Box::pin(async move { answer_of(&breakers.call(&key, || work).await) })
            })
        }))
    }
}
