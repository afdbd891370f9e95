//! One breaker on trial, and the steps common to scenarios.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::task::unconstrained;

use crate::adapter::{Answer, Answering, Breaker, Failed, Library, Order, Spans, Time, Wish, Work};

/// More failures than any breaker on trial needs to open.
const PLENTY: usize = 1_000;

/// More concurrent calls than any half-open circuit on trial is documented to admit.
const CROWD: usize = 10;

/// The payload of a panic of the work.
const PAYLOAD: &str = "work panicked";

/// The reason why a scenario did not hold.
pub(crate) enum Stop {
    /// The library breaks the rule, in this way.
    Broken(String),
    /// It does not apply to this library, for this reason.
    NotApplicable(String),
}

pub(crate) type Verdict = Result<(), Stop>;

pub(crate) fn broken(how: impl Into<String>) -> Stop {
    Stop::Broken(how.into())
}

pub(crate) fn not_applicable(why: impl Into<String>) -> Stop {
    Stop::NotApplicable(why.into())
}

/// Reports the rule as broken, in this way, unless `holds`.
pub(crate) fn ensure(holds: bool, how: impl Into<String>) -> Verdict {
    if holds { Ok(()) } else { Err(broken(how)) }
}

pub(crate) struct Trial {
    pub(crate) breaker: Breaker,
    pub(crate) spans: Spans,
    pub(crate) time: Time,
    probes: usize,
}

impl Trial {
    pub(crate) fn new(library: &dyn Library, wish: Wish) -> Result<Self, Stop> {
        let breaker = library.breaker(wish).map_err(not_applicable)?;
        Ok(Self::from_breaker(library, breaker))
    }

    /// Puts a breaker of this library on trial.
    pub(crate) fn from_breaker(library: &dyn Library, breaker: Breaker) -> Self {
        Self {
            breaker,
            spans: library.spans(),
            time: library.time(),
            probes: library.probes(),
        }
    }

    pub(crate) async fn succeed(&self) -> Answer {
        unconstrained(self.breaker.call(Work::new(async { Ok(()) }))).await
    }

    pub(crate) async fn fail(&self) -> Answer {
        unconstrained(self.breaker.call(Work::new(async { Err(Failed) }))).await
    }

    pub(crate) async fn fail_times(&self, times: usize) {
        for _ in 0..times {
            self.fail().await;
        }
    }

    pub(crate) async fn succeed_times(&self, times: usize) {
        for _ in 0..times {
            self.succeed().await;
        }
    }

    pub(crate) async fn pass(&self, span: Duration) {
        self.breaker.pass(span).await;
    }

    /// Lets a little more than `reset` pass: some libraries admit no call at that very moment.
    pub(crate) async fn pass_reset(&self) {
        self.pass(self.spans.reset + self.spans.reset / 20).await;
    }

    /// Fails until a call is rejected, and returns the number of failures.
    pub(crate) async fn trip(&self) -> Result<usize, Stop> {
        for failures in 0..=PLENTY {
            if self.fail().await == Answer::Rejected {
                return Ok(failures);
            }
        }
        Err(broken(format!("still closed after {PLENTY} failures")))
    }

    pub(crate) async fn half_open(&self) -> Verdict {
        self.trip().await?;
        self.pass_reset().await;
        Ok(())
    }

    /// Makes a call that is not polled.
    pub(crate) fn unpolled(&self) -> Call {
        let script = Arc::new(Mutex::new(Script::default()));
        let work = Scripted(Arc::clone(&script));
        Call {
            answering: self.breaker.call(Work::new(work)),
            answer: None,
            script,
        }
    }

    /// Makes a call and polls it once. It stays in flight if it is admitted.
    pub(crate) fn begin(&self) -> Call {
        let mut call = self.unpolled();
        call.poll_once();
        call
    }

    pub(crate) fn begin_many(&self, count: usize) -> Vec<Call> {
        (0..count).map(|_| self.begin()).collect()
    }

    /// Makes calls that stay in flight, all of which must be admitted.
    pub(crate) fn admit(&self, count: usize) -> Result<Vec<Call>, Stop> {
        let calls = self.begin_many(count);
        ensure(calls.iter().all(Call::started), "rejects while closed")?;
        Ok(calls)
    }

    /// Fills a half-open circuit with probes that stay in flight.
    pub(crate) fn fill(&self) -> Result<Vec<Call>, Stop> {
        let mut probes = self.begin_many(CROWD);
        probes.retain(Call::started);
        ensure(!probes.is_empty(), "admits no probe after the wait")?;
        Ok(probes)
    }

    /// Like [`fill`](Self::fill), for circuits that do not admit every call.
    pub(crate) fn fill_up(&self) -> Result<Vec<Call>, Stop> {
        let probes = self.fill()?;
        if probes.len() == CROWD {
            return Err(not_applicable("half-open admits every call"));
        }
        Ok(probes)
    }

    /// Closes a half-open circuit with as many successes as it needs: another would be evidence.
    pub(crate) async fn close(&self) -> Verdict {
        for _ in 0..self.probes {
            let answer = self.succeed().await;
            ensure(answer == Answer::Done, "rejects after the wait")?;
        }
        Ok(())
    }

    /// Returns whether a call is rejected. The call is dropped.
    pub(crate) fn rejects(&self) -> bool {
        !self.begin().started()
    }

    /// Returns whether the circuit closes once the service has recovered.
    pub(crate) async fn recovers(&self) -> bool {
        for _ in 0..6 {
            if self.succeed().await == Answer::Done {
                let calls = self.begin_many(3);
                let closed = calls.iter().all(Call::started);
                for call in calls {
                    call.end(Ending::Success).await;
                }
                if closed {
                    return true;
                }
            }
            self.pass_reset().await;
        }
        false
    }

    pub(crate) async fn must_recover(&self) -> Verdict {
        ensure(self.recovers().await, "stuck: rejects forever")
    }

    /// Gives an order, and returns whether the library has it.
    pub(crate) async fn order(&self, order: Order) -> bool {
        self.breaker.give(order).await;
        self.breaker.takes(order)
    }
}

/// Returns the number of consecutive failures that open a new breaker.
pub(crate) async fn limit(library: &dyn Library, wish: Wish) -> Result<usize, Stop> {
    Trial::new(library, wish)?.trip().await
}

/// How the work of a call ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ending {
    Success,
    Failure,
    Panic,
}

#[derive(Default)]
struct Script {
    started: bool,
    ending: Option<Ending>,
    waker: Option<Waker>,
}

/// Work that is pending until the scenario sets its ending.
struct Scripted(Arc<Mutex<Script>>);

impl Future for Scripted {
    type Output = Result<(), Failed>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut script = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        script.started = true;
        script.waker = Some(cx.waker().clone());
        match script.ending {
            None => Poll::Pending,
            Some(Ending::Success) => Poll::Ready(Ok(())),
            Some(Ending::Failure) => Poll::Ready(Err(Failed)),
            Some(Ending::Panic) => {
                drop(script);
                // Without a message on the console.
                resume_unwind(Box::new(PAYLOAD))
            }
        }
    }
}

/// A call whose work the scenario ends.
pub(crate) struct Call {
    answering: Answering,
    answer: Option<Answer>,
    script: Arc<Mutex<Script>>,
}

impl Call {
    /// Returns whether its work has started: the call was admitted.
    pub(crate) fn started(&self) -> bool {
        let script = self.script.lock().unwrap_or_else(PoisonError::into_inner);
        script.started
    }

    fn poll_once(&mut self) {
        // Unconstrained: without cooperative budget, tokio's locks appear to be taken.
        let mut answering = unconstrained(self.answering.as_mut());
        if let Poll::Ready(answer) =
            Pin::new(&mut answering).poll(&mut Context::from_waker(Waker::noop()))
        {
            self.answer = Some(answer);
        }
    }

    /// Makes the work ready, without polling it.
    pub(crate) fn prepare(&self, ending: Ending) {
        let mut script = self.script.lock().unwrap_or_else(PoisonError::into_inner);
        script.ending = Some(ending);
        if let Some(waker) = script.waker.take() {
            waker.wake();
        }
    }

    pub(crate) async fn answer(self) -> Answer {
        match self.answer {
            Some(answer) => answer,
            None => unconstrained(self.answering).await,
        }
    }

    pub(crate) async fn end(self, ending: Ending) -> Answer {
        self.prepare(ending);
        self.answer().await
    }

    /// Lets the work panic, and returns whether the call panics with the same payload.
    pub(crate) fn panic(self) -> bool {
        let payload = self.caught(Ending::Panic);
        payload.is_some_and(|payload| payload.downcast_ref() == Some(&PAYLOAD))
    }

    /// Ends the work, and returns whether the call panics.
    pub(crate) fn unwinds(self, ending: Ending) -> bool {
        self.caught(ending).is_some()
    }

    fn caught(mut self, ending: Ending) -> Option<Box<dyn Any + Send>> {
        self.prepare(ending);
        catch_unwind(AssertUnwindSafe(|| self.poll_once())).err()
    }
}
