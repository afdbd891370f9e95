//! The library arcly-http.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use arcly_http::prelude::circuit_breaker;
use arcly_http::resilience::BreakerOpen;

use crate::adapter::{Answer, Answering, Breaker, Failed, Library, Spans, Time, Wish, Work};

const SPANS: Spans = Spans {
    reset: Duration::from_millis(100),
    window: Duration::from_millis(100),
    grain: Duration::ZERO,
    timeout: Duration::MAX,
};

pub(crate) struct Arcly;

enum Error {
    Failed,
    Rejected,
}

impl From<Failed> for Error {
    fn from(Failed: Failed) -> Self {
        Self::Failed
    }
}

impl From<BreakerOpen> for Error {
    fn from(_: BreakerOpen) -> Self {
        Self::Rejected
    }
}

/// Its functions cannot move their arguments.
type Slot = Mutex<Option<Work>>;

fn take(slot: &Slot) -> Work {
    let work = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
    work.unwrap_or_else(|| Work::new(async { Err(Failed) }))
}

/// A function has its breaker forever, and a stuck one is never reset: each trial gets a function
/// of its own.
macro_rules! annotated {
    ($cooldown:literal) => {
        |work| {
            #[circuit_breaker(threshold = 3, cooldown = $cooldown)]
            async fn protected(slot: &Slot) -> Result<(), Error> {
                Ok(take(slot).await?)
            }
            Box::pin(async move {
                match protected(&Mutex::new(Some(work))).await {
                    Ok(()) => Answer::Done,
                    Err(Error::Failed) => Answer::Failed,
                    Err(Error::Rejected) => Answer::Rejected,
                }
            })
        }
    };
}

macro_rules! sixteen {
    ($what:ident!($($cooldown:tt)*)) => {
        [
            $what!($($cooldown)*), $what!($($cooldown)*),
            $what!($($cooldown)*), $what!($($cooldown)*),
            $what!($($cooldown)*), $what!($($cooldown)*),
            $what!($($cooldown)*), $what!($($cooldown)*),
            $what!($($cooldown)*), $what!($($cooldown)*),
            $what!($($cooldown)*), $what!($($cooldown)*),
            $what!($($cooldown)*), $what!($($cooldown)*),
            $what!($($cooldown)*), $what!($($cooldown)*),
        ]
    };
}

type Function = fn(Work) -> Answering;

const FUNCTIONS: [[Function; 16]; 16] = sixteen!(sixteen!(annotated!("100ms")));

/// With the longest wait that the attribute accepts.
const LONGEST_WAIT: [Function; 16] = sixteen!(annotated!("18446744073709551615ms"));

/// Returns the next unused function.
fn next(functions: &[Function], given: &AtomicUsize) -> Result<Function, &'static str> {
    let next = functions.get(given.fetch_add(1, Ordering::Relaxed));
    next.copied().ok_or("all functions are used up")
}

impl Library for Arcly {
    fn title(&self) -> &'static str {
        "arcly-http 0.9.0, `#[circuit_breaker]`"
    }

    fn configuration(&self) -> &'static str {
        "`threshold = 3, cooldown = \"100ms\"`, a function for each trial. Its functions cannot move \
         their arguments, so they borrow the work. Real time."
    }

    fn time(&self) -> Time {
        Time::Real
    }

    fn spans(&self) -> Spans {
        SPANS
    }

    fn breaker(&self, wish: Wish) -> Result<Breaker, &'static str> {
        static GIVEN: [AtomicUsize; 2] = [AtomicUsize::new(0), AtomicUsize::new(0)];
        match wish {
            Wish::Failures => next(FUNCTIONS.as_flattened(), &GIVEN[0]).map(Breaker::new),
            Wish::LongestWait => next(&LONGEST_WAIT, &GIVEN[1]).map(Breaker::new),
            Wish::Rate(_) => Err("no rates"),
            Wish::Window | Wish::LastCalls => Err("no window"),
            Wish::Predicate => Err("no predicates"),
            Wish::Timeout => Err("no timeouts"),
        }
    }
}
