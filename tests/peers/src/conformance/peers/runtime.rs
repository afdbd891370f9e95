//! Ours, by calls, in real time.

use std::time::Duration;

use circuit_runtime::{CallError, CircuitBreaker, CircuitError, Config};

use crate::adapter::{Answer, Breaker, Failed, Keyed, Library, Order, Spans, Time, Wish, classify};

/// The reason why there are no breakers by key here.
pub(crate) const NO_KEYS: &str = "keys are the attribute's";

const SPANS: Spans = Spans {
    reset: Duration::from_millis(100),
    window: Duration::from_millis(400),
    grain: Duration::from_millis(80),
    timeout: Duration::from_millis(100),
};

/// Ours, by `CircuitBreaker::call`, on the system's clock.
pub(crate) struct Runtime;

impl Library for Runtime {
    fn title(&self) -> &'static str {
        "ours, `call` in real time"
    }

    fn configuration(&self) -> &'static str {
        "The same, built without `test-util`: `window` of 400 ms, `reset` and `timeout` of 100 ms. \
         Real time."
    }

    fn time(&self) -> Time {
        Time::Real
    }

    fn spans(&self) -> Spans {
        SPANS
    }

    fn breaker(&self, wish: Wish) -> Result<Breaker, &'static str> {
        breaker(SPANS, wish)
    }

    fn keyed(&self) -> Result<Keyed, &'static str> {
        Err(NO_KEYS)
    }
}

/// Converts our error.
pub(crate) fn answer_of(error: &CircuitError) -> Answer {
    if error.is_timeout() {
        Answer::TimedOut
    } else {
        Answer::Rejected
    }
}

pub(crate) fn answer_of_call(result: Result<(), CallError<Failed>>) -> Answer {
    match result {
        Ok(()) => Answer::Done,
        Err(CallError::Inner(Failed)) => Answer::Failed,
        Err(CallError::Circuit(error)) => answer_of(&error),
    }
}

pub(crate) fn breaker(spans: Spans, wish: Wish) -> Result<Breaker, &'static str> {
    let config = Config::builder().reset(spans.reset);
    let config = match wish {
        Wish::Failures | Wish::Predicate => config.max_failures(3),
        Wish::LongestWait => config.max_failures(3).reset(Duration::MAX),
        Wish::Window => config.max_failures(3).window(spans.window),
        Wish::Rate(rate) => config.window(spans.window).failure_rate(rate),
        Wish::LastCalls => config.last_calls(100).failure_rate(0.5),
        Wish::Timeout => config.max_failures(3).timeout(spans.timeout),
    };
    let config = config.build().map_err(|_| "not a legal configuration")?;
    let breaker = CircuitBreaker::new("conformance", config);
    let [reset, close, open] = [breaker.clone(), breaker.clone(), breaker.clone()];
    Ok(Breaker::new(move |work| {
        let breaker = breaker.clone();
        Box::pin(async move {
            let call = breaker.call(work);
            let result = match wish {
                Wish::Predicate => call.failure_if(|_| classify()).await,
                _ => call.await,
            };
            answer_of_call(result)
        })
    })
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
