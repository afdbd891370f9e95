//! Checks that the scenarios detect mistakes: one mistake at a time, planted around ours.
//!
//! For the scenarios that no peer breaks, as the table shows that the others can fail, and for all
//! scenarios of keys, which few peers have.

mod keyed;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::thread;
use std::time::Duration;

use circuit_runtime::{CircuitBreaker, Config, Permit, State};
use tokio::time::{Instant, Sleep, sleep};

use crate::adapter::{
    Answer, Breaker, Failed, Keyed, Library, Order, Spans, Time, Wish, Work, classify,
};
use crate::paused::SPANS;
use crate::run::{Outcome, watched};
use crate::scenarios::ALL;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mistake {
    KeepsEvidence,
    ForgetsSlowCalls,
    LosesUnpolled,
    LosesPredicatePanics,
    ChangesPanics,
    CountsUnwindingDrops,
    CountsRejections,
    CountsDropsAsFailures,
    CountsDropsAsSuccesses,
    ForgetsTooEarly,
    ForgetsTooLate,
    IsBlindedBySuccesses,
    PollsTimerFirst,
    ForgivesTimeouts,
    WantsMoreThanAll,
    ObeysUntilASuccess,
    HoldsALock,
    SharesACircuit,
    EvictsNothing,
    EvictsNoneThatOpened,
    EvictsOpenOnes,
    EvictsOpenOnesLast,
}

/// Mistakes, each with a part of the title of the scenario that must detect it.
const PLANTED: [(Mistake, &str); 24] = [
    (Mistake::KeepsEvidence, "A recovery forgets"),
    (Mistake::ForgetsSlowCalls, "A slow result counts"),
    (Mistake::LosesUnpolled, "dropped before it is polled"),
    (Mistake::LosesPredicatePanics, "A predicate that panics"),
    (Mistake::ChangesPanics, "A panic keeps unwinding"),
    (Mistake::CountsUnwindingDrops, "while another panic unwinds"),
    (Mistake::CountsRejections, "Rejected calls are not counted"),
    (Mistake::CountsDropsAsFailures, "Dropped calls are neither"),
    (Mistake::CountsDropsAsSuccesses, "Dropped calls are neither"),
    (Mistake::ForgetsTooEarly, "until the end of the window"),
    (Mistake::ForgetsTooLate, "until the end of the window"),
    (Mistake::ForgetsTooLate, "Old evidence has expired"),
    (Mistake::IsBlindedBySuccesses, "as few failures as before"),
    (Mistake::PollsTimerFirst, "ready at the deadline"),
    (Mistake::ForgivesTimeouts, "longer than the timeout"),
    (Mistake::WantsMoreThanAll, "100 % failures open the circuit"),
    (Mistake::ObeysUntilASuccess, "An order to open"),
    (Mistake::HoldsALock, "Concurrent calls"),
    (Mistake::SharesACircuit, "Each key opens"),
    (Mistake::EvictsNothing, "Keys that come and go"),
    (Mistake::EvictsNothing, "Keys that open, recover"),
    (Mistake::EvictsNoneThatOpened, "Keys that open, recover"),
    (Mistake::EvictsOpenOnes, "An open circuit is not evicted"),
    (Mistake::EvictsOpenOnesLast, "As many open circuits"),
];

/// Returns the mistakes that were not detected, or detected where none was planted.
pub(crate) fn undetected() -> Vec<String> {
    let mut undetected = Vec::new();
    for (mistake, part) in PLANTED {
        let scenario = ALL.iter().find(|scenario| scenario.title.contains(part));
        let [without, with] = [None, Some(mistake)].map(|mistake| {
            let library: &'static Mistaken = Box::leak(Box::new(Mistaken(mistake)));
            scenario.map(|scenario| watched(library, scenario))
        });
        if without != Some(Outcome::Holds) || !matches!(with, Some(Outcome::Breaks(_))) {
            undetected.push(format!("{mistake:?}: {without:?} without, {with:?} with"));
        }
    }
    undetected
}

struct Mistaken(Option<Mistake>);

impl Library for Mistaken {
    fn title(&self) -> &'static str {
        "mistaken"
    }

    fn configuration(&self) -> &'static str {
        "ours, with a mistake"
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
        let window = match self.0 {
            Some(Mistake::ForgetsTooEarly) => SPANS.window / 2,
            Some(Mistake::ForgetsTooLate) => SPANS.window * 1_000_000,
            _ => SPANS.window,
        };
        let config = match wish {
            Wish::Window => Config::builder().max_failures(3).window(window),
            Wish::Rate(rate) => Config::builder().window(window).failure_rate(rate),
            _ => Config::builder().max_failures(3),
        };
        let config = config.build().map_err(|_| "not a legal configuration")?;
        let shared = Arc::new(Shared {
            mistake: self.0,
            timeout: (wish == Wish::Timeout).then_some(SPANS.timeout),
            breaker: CircuitBreaker::new("mistaken", config),
            stuck: AtomicBool::new(false),
            rejected: AtomicUsize::new(0),
            succeeded: AtomicUsize::new(0),
            forgiven: AtomicUsize::new(0),
            lock: tokio::sync::Mutex::new(()),
        });
        if self.0 == Some(Mistake::WantsMoreThanAll) && wish == Wish::Rate(1.0) {
            shared.breaker.force_closed();
        }
        let ordered = Arc::clone(&shared);
        Ok(Breaker::new(move |work| {
            let call = Unpolled(Some(Arc::clone(&shared)));
            Box::pin(async move { call.run(work).await })
        })
        .with_time(tokio::time::advance)
        .with_order(Order::ForceOpen, move || {
            ordered.breaker.force_open();
            std::future::ready(())
        }))
    }

    fn keyed(&self) -> Result<Keyed, &'static str> {
        let config = Config::builder().max_failures(3).build();
        let config = config.map_err(|_| "not a legal configuration")?;
        Ok(keyed::keyed(config, self.0))
    }
}

struct Shared {
    mistake: Option<Mistake>,
    timeout: Option<Duration>,
    breaker: CircuitBreaker,
    stuck: AtomicBool,
    rejected: AtomicUsize,
    succeeded: AtomicUsize,
    forgiven: AtomicUsize,
    lock: tokio::sync::Mutex<()>,
}

/// A call that has not been polled.
struct Unpolled(Option<Arc<Shared>>);

impl Drop for Unpolled {
    fn drop(&mut self) {
        if let Some(shared) = &self.0
            && shared.mistake == Some(Mistake::LosesUnpolled)
        {
            shared.stuck.store(true, Ordering::SeqCst);
        }
    }
}

impl Unpolled {
    async fn run(mut self, work: Work) -> Answer {
        match self.0.take() {
            Some(shared) => shared.call(work).await,
            None => Answer::Rejected,
        }
    }
}

impl Shared {
    async fn call(&self, work: Work) -> Answer {
        let locked = match self.mistake {
            Some(Mistake::HoldsALock) => Some(self.lock.lock().await),
            _ => None,
        };
        let Some(permit) = self.admit() else {
            return Answer::Rejected;
        };
        let state = self.breaker.state();
        let started = Instant::now();
        let mut held = Held {
            mistake: self.mistake,
            permit: Some(permit),
        };
        let ended = Bounded {
            work,
            timer: self.timeout.map(|timeout| Box::pin(sleep(timeout))),
            timer_first: self.mistake == Some(Mistake::PollsTimerFirst),
            other_panics: self.mistake == Some(Mistake::ChangesPanics),
        }
        .await;
        drop(locked);
        let Some(permit) = held.permit.take() else {
            return Answer::Rejected;
        };
        self.settle(permit, &ended, started, state)
    }

    fn admit(&self) -> Option<Permit<'_>> {
        if self.stuck.load(Ordering::SeqCst) {
            return None;
        }
        let permit = self.breaker.try_acquire().ok();
        if permit.is_none() {
            self.rejected.fetch_add(1, Ordering::SeqCst);
        }
        permit
    }

    fn settle(&self, permit: Permit<'_>, ended: &Ended, started: Instant, state: State) -> Answer {
        match ended {
            Ended::TimedOut => {
                if self.mistake == Some(Mistake::ForgivesTimeouts) {
                    permit.ignore();
                } else {
                    permit.failure();
                }
                Answer::TimedOut
            }
            Ended::Result(Ok(())) => {
                permit.success();
                self.after_success(state);
                Answer::Done
            }
            Ended::Result(Err(Failed)) => {
                if let Err(payload) = catch_unwind(classify) {
                    let loses = self.mistake == Some(Mistake::LosesPredicatePanics);
                    self.stuck.store(loses, Ordering::SeqCst);
                    resume_unwind(payload);
                }
                if self.forgives(started) {
                    permit.ignore();
                } else {
                    permit.failure();
                }
                Answer::Failed
            }
        }
    }

    fn after_success(&self, state: State) {
        self.succeeded.fetch_add(1, Ordering::SeqCst);
        let keeps = match self.mistake {
            Some(Mistake::KeepsEvidence) => state == State::HalfOpen,
            Some(Mistake::CountsRejections) => self.rejected.swap(0, Ordering::SeqCst) > 1,
            Some(Mistake::ObeysUntilASuccess) => {
                self.breaker.reset();
                false
            }
            _ => false,
        };
        if keeps {
            for _ in 0..2 {
                if let Ok(permit) = self.breaker.try_acquire() {
                    permit.failure();
                }
            }
        }
    }

    fn forgives(&self, started: Instant) -> bool {
        match self.mistake {
            Some(Mistake::ForgetsSlowCalls) => started.elapsed() > SPANS.window,
            Some(Mistake::IsBlindedBySuccesses) => {
                self.succeeded.load(Ordering::SeqCst) > 10_000
                    && self.forgiven.fetch_add(1, Ordering::SeqCst) < 3
            }
            _ => false,
        }
    }
}

/// The permit of a call in flight, which may be dropped.
struct Held<'b> {
    mistake: Option<Mistake>,
    permit: Option<Permit<'b>>,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let Some(permit) = self.permit.take() else {
            return;
        };
        match self.mistake {
            Some(Mistake::CountsUnwindingDrops) if thread::panicking() => permit.failure(),
            Some(Mistake::CountsDropsAsFailures) => permit.failure(),
            Some(Mistake::CountsDropsAsSuccesses) => permit.success(),
            _ => drop(permit),
        }
    }
}

enum Ended {
    Result(Result<(), Failed>),
    TimedOut,
}

/// Work with an optional deadline.
struct Bounded {
    work: Work,
    timer: Option<Pin<Box<Sleep>>>,
    timer_first: bool,
    other_panics: bool,
}

impl Bounded {
    fn poll_work(&mut self, cx: &mut Context<'_>) -> Poll<Ended> {
        let work = Pin::new(&mut self.work);
        match catch_unwind(AssertUnwindSafe(|| work.poll(cx))) {
            Ok(polled) => polled.map(Ended::Result),
            Err(_) if self.other_panics => resume_unwind(Box::new("something went wrong")),
            Err(payload) => resume_unwind(payload),
        }
    }

    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<Ended> {
        match &mut self.timer {
            Some(timer) => {
                ready!(timer.as_mut().poll(cx));
                Poll::Ready(Ended::TimedOut)
            }
            None => Poll::Pending,
        }
    }
}

impl Future for Bounded {
    type Output = Ended;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Ended> {
        if self.timer_first
            && let Poll::Ready(ended) = self.poll_timer(cx)
        {
            return Poll::Ready(ended);
        }
        if let Poll::Ready(ended) = self.poll_work(cx) {
            return Poll::Ready(ended);
        }
        self.poll_timer(cx)
    }
}
