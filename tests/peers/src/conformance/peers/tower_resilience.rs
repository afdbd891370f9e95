//! The library tower-resilience-circuitbreaker.

use std::time::Duration;

use tower::{ServiceExt, service_fn};
use tower_resilience_circuitbreaker::{
    CircuitBreakerError, CircuitBreakerLayer, SlidingWindowType,
};

use crate::adapter::{Answer, Breaker, Failed, Library, Order, Spans, Time, Wish, Work, classify};

const SPANS: Spans = Spans {
    reset: Duration::from_millis(100),
    window: Duration::from_millis(400),
    grain: Duration::from_millis(80),
    timeout: Duration::MAX,
};

pub(crate) struct TowerResilience;

/// The service, which does the work of its requests.
async fn work(work: Work) -> Result<(), Failed> {
    work.await
}

impl Library for TowerResilience {
    fn title(&self) -> &'static str {
        "tower-resilience-circuitbreaker 0.14.0"
    }

    fn configuration(&self) -> &'static str {
        "`consecutive_failures(3)`; in a time window all of at least 3 calls, `TimeBased`, 400 \
         ms; rates the same, of at least 20 calls; 100 calls `CountBased`, as by default; \
         `wait_duration_in_open(100 ms)`, `permitted_calls_in_half_open(1)`. A clone of the \
         service for each call, made ready. Real time."
    }

    fn time(&self) -> Time {
        Time::Real
    }

    fn spans(&self) -> Spans {
        SPANS
    }

    fn breaker(&self, wish: Wish) -> Result<Breaker, &'static str> {
        let builder = CircuitBreakerLayer::builder()
            .wait_duration_in_open(SPANS.reset)
            .permitted_calls_in_half_open(1)
            .failure_classifier(|result: &Result<(), Failed>| result.is_err() && classify());
        let builder = match wish {
            Wish::Failures | Wish::Predicate => builder.consecutive_failures(3),
            Wish::LongestWait => builder
                .consecutive_failures(3)
                .wait_duration_in_open(Duration::MAX),
            Wish::Window => builder
                .failure_rate_threshold(1.0)
                .sliding_window_type(SlidingWindowType::TimeBased)
                .sliding_window_duration(SPANS.window)
                .minimum_number_of_calls(3),
            Wish::Rate(rate) => builder
                .failure_rate_threshold(rate)
                .sliding_window_type(SlidingWindowType::TimeBased)
                .sliding_window_duration(SPANS.window)
                .minimum_number_of_calls(20),
            Wish::LastCalls => builder.failure_rate_threshold(0.5).sliding_window_size(100),
            Wish::Timeout => return Err("no timeouts in this crate"),
        };
        let (layer, handle) = builder
            .build_with_handle()
            .map_err(|_| "not a legal configuration")?;
        let service = layer.layer_fn(service_fn(work));
        let [reset, close, open] = [handle.clone(), handle.clone(), handle];
        Ok(Breaker::new(move |work| {
            let call = service.clone().oneshot(work);
            Box::pin(async move {
                match call.await {
                    Ok(()) => Answer::Done,
                    Err(CircuitBreakerError::Inner(Failed)) => Answer::Failed,
                    Err(CircuitBreakerError::OpenCircuit) => Answer::Rejected,
                }
            })
        })
        .with_order(Order::Reset, move || {
            let handle = reset.clone();
            async move { handle.reset().await }
        })
        .with_order(Order::ForceClosed, move || {
            let handle = close.clone();
            async move { handle.force_closed().await }
        })
        .with_order(Order::ForceOpen, move || {
            let handle = open.clone();
            async move { handle.force_open().await }
        }))
    }
}
