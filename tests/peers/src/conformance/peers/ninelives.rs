//! The library ninelives.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ninelives::{CircuitBreakerConfig, CircuitBreakerLayer, Clock, ResilienceError, TimeoutLayer};
use tower::{Layer, ServiceExt, service_fn};

use crate::adapter::{Answer, Answering, Breaker, Failed, Library, Spans, Time, Wish, Work};

const SPANS: Spans = Spans {
    reset: Duration::from_secs(30),
    window: Duration::from_secs(30),
    grain: Duration::ZERO,
    timeout: Duration::from_secs(2),
};

pub(crate) struct NineLives;

/// Its own clock, as it documents for tests.
#[derive(Clone, Debug, Default)]
struct Hand(Arc<AtomicU64>);

impl Hand {
    fn advance(&self, span: Duration) {
        let millis = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for Hand {
    fn now_millis(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// Its requests are clones.
type Request = Arc<Mutex<Option<Work>>>;

async fn work(request: Request) -> Result<(), Failed> {
    let work = request
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    match work {
        Some(work) => work.await,
        None => Err(Failed),
    }
}

fn answer_of(error: &ResilienceError<Failed>) -> Answer {
    match error {
        ResilienceError::Inner(Failed) => Answer::Failed,
        ResilienceError::Timeout { .. } => Answer::TimedOut,
        _ => Answer::Rejected,
    }
}

impl Library for NineLives {
    fn title(&self) -> &'static str {
        "ninelives 0.2.0"
    }

    fn configuration(&self) -> &'static str {
        "`CircuitBreakerConfig::new(3, 30 s, 1)`; its own `TimeoutLayer` inside. A clone of the \
         service for each call, made ready. A `Clock` of ours: virtual time."
    }

    fn time(&self) -> Time {
        Time::Virtual
    }

    /// Its timeouts are tokio's.
    fn prepare(&self) {
        tokio::time::pause();
    }

    fn spans(&self) -> Spans {
        SPANS
    }

    fn breaker(&self, wish: Wish) -> Result<Breaker, &'static str> {
        let wait = match wish {
            Wish::Failures | Wish::Timeout => SPANS.reset,
            Wish::LongestWait => Duration::MAX,
            Wish::Predicate => return Err("no predicates"),
            Wish::Window | Wish::LastCalls => return Err("no window"),
            Wish::Rate(_) => return Err("no rates"),
        };
        let config =
            CircuitBreakerConfig::new(3, wait, 1).map_err(|_| "not a legal configuration")?;
        let hand = Hand::default();
        let layer = CircuitBreakerLayer::with_clock(config, hand.clone())
            .map_err(|_| "not a legal configuration")?;
        let breaker = if wish == Wish::Timeout {
            let timeout = TimeoutLayer::new(SPANS.timeout).map_err(|_| "not a legal timeout")?;
            let service = layer.layer(timeout.layer(service_fn(work)));
            Breaker::new(move |work| -> Answering {
                let call = service.clone().oneshot(Arc::new(Mutex::new(Some(work))));
                Box::pin(async move {
                    match call.await {
                        Ok(()) => Answer::Done,
                        Err(ResilienceError::Inner(error)) => answer_of(&error),
                        Err(_) => Answer::Rejected,
                    }
                })
            })
        } else {
            let service = layer.layer(service_fn(work));
            Breaker::new(move |work| -> Answering {
                let call = service.clone().oneshot(Arc::new(Mutex::new(Some(work))));
                Box::pin(async move {
                    match call.await {
                        Ok(()) => Answer::Done,
                        Err(error) => answer_of(&error),
                    }
                })
            })
        };
        Ok(breaker.with_time(move |span| {
            hand.advance(span);
            tokio::time::advance(span)
        }))
    }
}
