use std::time::Duration;

use circuit_runtime::{CallError, CircuitBreaker, CircuitError, Config};

use crate::adapter::{Answer, Breaker, Failed, Library, Order, Spans, Time, Wish, judge};

/// Ours, by `CircuitBreaker::call`, on tokio's clock or the system's: a feature says which, when it
/// is built.
pub(crate) struct Runtime(pub(crate) Time);

/// The spans in virtual time.
pub(super) const VIRTUAL: Spans = Spans {
    reset: Duration::from_secs(30),
    window: Duration::from_secs(10),
    grain: Duration::from_millis(1),
    timeout: Duration::from_secs(2),
};

const REAL: Spans = Spans {
    reset: Duration::from_millis(100),
    window: Duration::from_millis(400),
    grain: Duration::from_millis(80),
    timeout: Duration::from_millis(100),
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
        match self.0 {
            Time::Virtual => "ours, `call`",
            Time::Real => "ours, `call` in real time",
        }
    }

    fn configuration(&self) -> &'static str {
        match self.0 {
            Time::Virtual => {
                "`max_failures` of 3, in a row or in a `window` of 10 s; rates in the same \
                 window, and in one of 100 calls; `reset` of 30 s, `timeout` of 2 s. Follows \
                 tokio's clock (`test-util`): virtual time."
            }
            Time::Real => {
                "The same, built without `test-util`: `window` of 400 ms, `reset` and \
                 `timeout` of 100 ms. Real time."
            }
        }
    }

    fn time(&self) -> Time {
        self.0
    }

    fn spans(&self) -> Spans {
        match self.0 {
            Time::Virtual => VIRTUAL,
            Time::Real => REAL,
        }
    }

    fn breaker(&self, wish: Wish) -> Result<Breaker, &'static str> {
        let spans = self.spans();
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
        let ours = Breaker::new(move |work| {
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
        });
        Ok(match self.0 {
            Time::Virtual => ours.with_time(tokio::time::advance),
            Time::Real => ours,
        })
    }
}
