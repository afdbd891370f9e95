//! Ours, by the attribute.

use std::time::Duration;

use circuit_runtime::{CircuitBreaker, CircuitError, circuit_breaker, registry};

use super::paused::SPANS;
use super::runtime::answer_of;
use crate::adapter::{
    Answer, Answering, Breaker, Failed, Keyed, Library, MAX_KEYS, Order, Spans, Time, Wish, Work,
    classify,
};

/// Ours, by `#[circuit_breaker]`.
pub(crate) struct Attribute;

enum Error {
    Failed,
    Circuit(CircuitError),
}

impl From<Failed> for Error {
    fn from(Failed: Failed) -> Self {
        Self::Failed
    }
}

impl From<CircuitError> for Error {
    fn from(error: CircuitError) -> Self {
        Self::Circuit(error)
    }
}

/// A function with a circuit breaker, which is reset.
macro_rules! annotated {
    ($name:literal, $($option:tt)*) => {{
        #[circuit_breaker(name = $name, $($option)*)]
        async fn annotated(work: Work) -> Result<(), Error> {
            Ok(work.await?)
        }
        breaker($name, annotated)
    }};
}

fn breaker<F>(name: &'static str, call: fn(Work) -> F) -> Breaker
where
    F: Future<Output = Result<(), Error>> + Send + 'static,
{
    // The first call creates the breaker.
    if let Some(used) = registry::find(name) {
        used.reset();
    }
    let order = move |give: fn(&CircuitBreaker)| {
        if let Some(breaker) = registry::find(name) {
            give(&breaker);
        }
        std::future::ready(())
    };
    Breaker::new(move |work| answering(call(work)))
        .with_time(tokio::time::advance)
        .with_order(Order::Reset, move || order(CircuitBreaker::reset))
        .with_order(Order::ForceClosed, move || {
            order(CircuitBreaker::force_closed)
        })
        .with_order(Order::ForceOpen, move || order(CircuitBreaker::force_open))
}

fn answering(call: impl Future<Output = Result<(), Error>> + Send + 'static) -> Answering {
    Box::pin(async move {
        match call.await {
            Ok(()) => Answer::Done,
            Err(Error::Failed) => Answer::Failed,
            Err(Error::Circuit(error)) => answer_of(&error),
        }
    })
}

#[circuit_breaker(name = "keyed", key = key, max_keys = MAX_KEYS, max_failures = 3, reset = "30s")]
async fn keyed(key: String, work: Work) -> Result<(), Error> {
    Ok(work.await?)
}

impl Library for Attribute {
    fn title(&self) -> &'static str {
        "ours, `#[circuit_breaker]`"
    }

    fn configuration(&self) -> &'static str {
        "The same options, on functions; `key`, and `max_keys` of 100. Virtual time."
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
        macro_rules! rate {
            ($name:literal, $rate:literal) => {
                annotated!($name, window = "10s", failure_rate = $rate, reset = "30s")
            };
        }
        Ok(match wish {
            Wish::Failures => annotated!("failures", max_failures = 3, reset = "30s"),
            Wish::LongestWait => {
                annotated!("longest wait", max_failures = 3, reset = Duration::MAX)
            }
            Wish::Window => annotated!("window", max_failures = 3, window = "10s", reset = "30s"),
            Wish::Timeout => annotated!("timeout", max_failures = 3, timeout = "2s", reset = "30s"),
            Wish::LastCalls => annotated!(
                "last calls",
                window = 100,
                failure_rate = 0.5,
                reset = "30s"
            ),
            Wish::Predicate => {
                annotated!(
                    "predicate",
                    max_failures = 3,
                    failure_if = |_| classify(),
                    reset = "30s"
                )
            }
            Wish::Rate(0.0001) => rate!("a tenth of a per mille", 0.0001),
            Wish::Rate(0.01) => rate!("a hundredth", 0.01),
            Wish::Rate(0.3333) => rate!("a third", 0.3333),
            Wish::Rate(0.5) => rate!("half", 0.5),
            Wish::Rate(0.9) => rate!("nine of ten", 0.9),
            Wish::Rate(0.9999) => rate!("nearly all", 0.9999),
            Wish::Rate(1.0) => rate!("all", 1.0),
            Wish::Rate(_) => return Err("no function with this rate is written here"),
        })
    }

    fn keyed(&self) -> Result<Keyed, &'static str> {
        // Open breakers of other trials are still there.
        let used = registry::all().into_iter();
        used.filter(|breaker| breaker.name().starts_with("keyed["))
            .for_each(|breaker| breaker.reset());
        Ok(Keyed::new(|key| {
            let key = key.to_owned();
            Breaker::new(move |work| answering(keyed(key.clone(), work)))
                .with_time(tokio::time::advance)
        }))
    }
}
