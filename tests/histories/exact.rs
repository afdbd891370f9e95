//! Histories of the rules that are exact: after each step all that can be seen of a breaker is what can
//! be seen of a plain one.

use std::future::poll_fn;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use circuit_runtime::{CallError, CircuitBreaker, CircuitError, ConfigBuilder, Permit};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestCaseError;
use tokio::runtime::Runtime;

use crate::plain::{End, Order, Pass, Plain, Totals};

pub(crate) type Checked<R = ()> = Result<R, TestCaseError>;

#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// So many units of time pass.
    Wait(u32),
    /// A call starts and ends, so many times.
    Call(Way, End, u32),
    /// A call is let in by hand, and goes on.
    Acquire,
    /// One of those that go on ends.
    Settle(Index, End),
    /// One is forgotten.
    Forget(Index),
    /// A call starts through `call`, and goes on.
    Start,
    /// One of those that go on ends, when it is polled next.
    Tell(Index, End),
    /// One is polled.
    Poll(Index),
    /// One is dropped.
    Drop(Index),
    Order(Order),
}

/// How a call is made that ends at once.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    ByHand,
    Future,
    Blocking,
}

/// What a call returns that does not succeed.
#[derive(Debug, PartialEq)]
enum Failed {
    Failure,
    Ignored,
}

#[derive(Clone, Debug)]
pub(crate) struct History(Vec<Step>);

/// Of so many steps, with bursts of so many calls.
pub(crate) fn histories(length: usize, burst: u32) -> impl Strategy<Value = History> {
    prop::collection::vec(steps(burst), 0..length).prop_map(History)
}

pub(crate) fn steps(burst: u32) -> impl Strategy<Value = Step> {
    let which = any::<Index>;
    prop_oneof![
        8 => (ways(), ends(), 1..=burst).prop_map(|(way, end, times)| Step::Call(way, end, times)),
        6 => waits().prop_map(Step::Wait),
        3 => Just(Step::Acquire),
        3 => (which(), ends()).prop_map(|(which, end)| Step::Settle(which, end)),
        1 => which().prop_map(Step::Forget),
        3 => Just(Step::Start),
        3 => (which(), ends()).prop_map(|(which, end)| Step::Tell(which, end)),
        3 => which().prop_map(Step::Poll),
        1 => which().prop_map(Step::Drop),
        1 => prop_oneof![
            3 => Just(Order::Reset),
            1 => Just(Order::ForceOpen),
            1 => Just(Order::ForceClosed),
        ]
        .prop_map(Step::Order),
    ]
}

fn waits() -> impl Strategy<Value = u32> {
    prop_oneof![
        3 => 0..=3_u32,
        3 => 4..=8_u32,
        2 => 1..=20_u32,
        1 => 0..=400_u32,
    ]
}

fn ways() -> impl Strategy<Value = Way> {
    prop_oneof![
        4 => Just(Way::ByHand),
        2 => Just(Way::Future),
        1 => Just(Way::Blocking),
    ]
}

fn ends() -> impl Strategy<Value = End> {
    prop_oneof![
        8 => Just(End::Success),
        8 => Just(End::Failure),
        1 => Just(End::Ignored),
        1 => Just(End::Dropped),
        1 => Just(End::Panic),
    ]
}

impl History {
    /// Lets it happen to a breaker and to a plain one.
    pub(crate) fn replay(&self, unit: Duration, config: ConfigBuilder) -> Checked {
        let stage = Stage::new(unit, config)?;
        let _entered = stage.runtime.enter();
        let mut replay = Replay::new(&stage);
        for step in &self.0 {
            replay.step(step)?;
        }
        replay.end()
    }
}

/// Where histories happen: a breaker in virtual time.
pub(crate) struct Stage {
    pub(crate) runtime: Runtime,
    breaker: CircuitBreaker,
    unit: Duration,
}

impl Stage {
    pub(crate) fn new(unit: Duration, config: ConfigBuilder) -> Checked<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()?;
        let config = config
            .build()
            .map_err(|error| TestCaseError::fail(error.to_string()))?;
        Ok(Self {
            runtime,
            breaker: CircuitBreaker::new("history", config),
            unit,
        })
    }
}

/// A history under way. It goes on wherever it is, on whichever thread.
pub(crate) struct Replay<'b> {
    runtime: &'b Runtime,
    breaker: &'b CircuitBreaker,
    plain: Plain,
    unit: Duration,
    now: Duration,
    /// Steps since time passed last.
    at_once: u32,
    permits: Vec<(Permit<'b>, Pass)>,
    calls: Vec<Running<'b>>,
}

/// A call through `call`.
struct Running<'b> {
    future: Pin<Box<dyn Future<Output = Result<(), CallError<Failed>>> + Send + 'b>>,
    told: Told,
    pass: Pass,
}

/// How a call is to end.
type Told = Arc<Mutex<Option<End>>>;

async fn runs(told: Told) -> Result<(), Failed> {
    poll_fn(|_| match *told.lock().unwrap() {
        Some(end) => Poll::Ready(result(end)),
        None => Poll::Pending,
    })
    .await
}

fn result(end: End) -> Result<(), Failed> {
    match end {
        End::Success => Ok(()),
        End::Failure => Err(Failed::Failure),
        End::Ignored => Err(Failed::Ignored),
        End::Dropped | End::Timeout => unreachable!("it has no result"),
        End::Panic => resume_unwind(Box::new("gave up")),
    }
}

fn settle(permit: Permit<'_>, end: End) {
    match end {
        End::Success => permit.success(),
        End::Ignored => permit.ignore(),
        End::Failure | End::Timeout => permit.failure(),
        End::Dropped | End::Panic => drop(permit),
    }
}

/// That a call is under way, or how it ended.
fn poll(running: &mut Running<'_>) -> Checked<Option<End>> {
    let polled = catch_unwind(AssertUnwindSafe(|| {
        let mut cx = Context::from_waker(Waker::noop());
        running.future.as_mut().poll(&mut cx)
    }));
    Ok(Some(match polled {
        Ok(Poll::Pending) => return Ok(None),
        Ok(Poll::Ready(Ok(()))) => End::Success,
        Ok(Poll::Ready(Err(CallError::Inner(Failed::Failure)))) => End::Failure,
        Ok(Poll::Ready(Err(CallError::Inner(Failed::Ignored)))) => End::Ignored,
        Ok(Poll::Ready(Err(CallError::Circuit(CircuitError::Timeout { .. })))) => End::Timeout,
        Ok(Poll::Ready(Err(error))) => return Err(TestCaseError::fail(format!("{error:?}"))),
        Err(payload) => {
            prop_assert_eq!(payload.downcast_ref(), Some(&"gave up"));
            End::Panic
        }
    }))
}

impl<'b> Replay<'b> {
    pub(crate) fn new(stage: &'b Stage) -> Self {
        Self {
            runtime: &stage.runtime,
            breaker: &stage.breaker,
            plain: Plain::new(stage.breaker.config()),
            unit: stage.unit,
            now: Duration::ZERO,
            at_once: 0,
            permits: Vec::new(),
            calls: Vec::new(),
        }
    }

    /// A step of both, after which they must look the same.
    pub(crate) fn step(&mut self, step: &Step) -> Checked {
        // More than 32 changes of state in a microsecond count as of the next.
        self.at_once += 1;
        if self.at_once == 30 {
            self.wait(1);
        }
        match *step {
            Step::Wait(units) => self.wait(units),
            Step::Call(way, end, times) => {
                for _ in 0..times {
                    self.call(way, end)?;
                }
            }
            Step::Acquire => {
                if let Some(permit) = self.acquire()? {
                    self.permits.push(permit);
                }
            }
            Step::Settle(which, end) => {
                if let Some((permit, pass)) = take(&mut self.permits, which) {
                    settle(permit, end);
                    self.settle(pass, by_hand(end));
                }
            }
            Step::Forget(which) => {
                if let Some((permit, _)) = take(&mut self.permits, which) {
                    mem::forget(permit);
                }
            }
            Step::Start => self.start(None)?,
            Step::Tell(which, end) => {
                if !self.calls.is_empty() {
                    let running = &self.calls[which.index(self.calls.len())];
                    *running.told.lock().unwrap() = Some(end).filter(|end| *end != End::Dropped);
                }
            }
            Step::Poll(which) => {
                if let Some(running) = take(&mut self.calls, which) {
                    self.poll(running)?;
                }
            }
            Step::Drop(which) => {
                if let Some(running) = take(&mut self.calls, which) {
                    drop(running.future);
                    self.settle(running.pass, End::Dropped);
                }
            }
            Step::Order(order) => {
                match order {
                    Order::Reset => self.breaker.reset(),
                    Order::ForceOpen => self.breaker.force_open(),
                    Order::ForceClosed => self.breaker.force_closed(),
                }
                self.plain.order(order);
            }
        }
        self.compare()
    }

    fn wait(&mut self, units: u32) {
        let time = self.unit * units;
        self.runtime.block_on(tokio::time::advance(time));
        self.now += time;
        if units > 0 {
            self.at_once = 0;
        }
    }

    /// Asks both, which must give the same answer.
    fn acquire(&mut self) -> Checked<Option<(Permit<'b>, Pass)>> {
        match (self.breaker.try_acquire(), self.plain.acquire(self.now)) {
            (Ok(permit), Ok(pass)) => Ok(Some((permit, pass))),
            (Err(error), Err(retry_after)) => {
                prop_assert!(error.is_open());
                prop_assert_eq!(error.retry_after(), retry_after);
                Ok(None)
            }
            (asked, plain) => Err(TestCaseError::fail(format!(
                "{asked:?}, and not {:?}",
                plain.map(drop)
            ))),
        }
    }

    fn settle(&mut self, pass: Pass, end: End) {
        self.plain.settle(pass, end, self.now);
    }

    /// A call that ends at once.
    fn call(&mut self, way: Way, end: End) -> Checked {
        match way {
            Way::Future if end != End::Dropped => self.start(Some(end)),
            Way::Blocking if matches!(end, End::Success | End::Failure | End::Panic) => {
                let call = || self.breaker.call_blocking(|| result(end));
                let called = catch_unwind(AssertUnwindSafe(call));
                match self.plain.acquire(self.now) {
                    Ok(pass) => {
                        let ended = match called {
                            Ok(Ok(())) => End::Success,
                            Ok(Err(CallError::Inner(Failed::Failure))) => End::Failure,
                            Err(_) => End::Panic,
                            other => return Err(TestCaseError::fail(format!("{other:?}"))),
                        };
                        prop_assert_eq!(ended, end);
                        self.settle(pass, end);
                    }
                    Err(retry_after) => {
                        let rejected = called.ok().and_then(Result::err);
                        prop_assert_eq!(retry_after_of(rejected), Some(retry_after));
                    }
                }
                Ok(())
            }
            _ => {
                if let Some((permit, pass)) = self.acquire()? {
                    settle(permit, end);
                    self.settle(pass, by_hand(end));
                }
                Ok(())
            }
        }
    }

    /// A call through `call`, and its first poll, which asks.
    fn start(&mut self, end: Option<End>) -> Checked {
        let told = Arc::new(Mutex::new(end));
        let call = self.breaker.call(runs(told.clone()));
        let mut future: Pin<Box<dyn Future<Output = _> + Send>> =
            Box::pin(call.ignore_if(|error| *error == Failed::Ignored));
        match self.plain.acquire(self.now) {
            Ok(pass) => self.poll(Running { future, told, pass }),
            Err(retry_after) => {
                let mut cx = Context::from_waker(Waker::noop());
                let Poll::Ready(Err(error)) = future.as_mut().poll(&mut cx) else {
                    return Err(TestCaseError::fail("it should have been rejected"));
                };
                prop_assert_eq!(retry_after_of(Some(error)), Some(retry_after));
                Ok(())
            }
        }
    }

    /// It goes on, until it is told how to end, or its time is up.
    fn poll(&mut self, mut running: Running<'b>) -> Checked {
        let timeout = self.breaker.config().timeout();
        let spent = self.now.saturating_sub(running.pass.start);
        let timed_out = timeout.filter(|timeout| spent >= *timeout);
        let expected = running
            .told
            .lock()
            .unwrap()
            .or(timed_out.map(|_| End::Timeout));
        let ended = poll(&mut running)?;
        prop_assert_eq!(ended, expected);
        match ended {
            Some(end) => self.settle(running.pass, end),
            None => self.calls.push(running),
        }
        Ok(())
    }

    fn compare(&self) -> Checked {
        let seen = self.breaker.snapshot();
        prop_assert_eq!(seen.state, self.plain.state(self.now));
        prop_assert_eq!(self.breaker.state(), seen.state);
        prop_assert_eq!(seen.retry_after, self.plain.retry_after(self.now));
        prop_assert_eq!(Totals::from(&seen), self.plain.totals);
        Ok(())
    }

    /// Drops all that goes on.
    pub(crate) fn end(mut self) -> Checked {
        for (permit, pass) in mem::take(&mut self.permits) {
            drop(permit);
            self.settle(pass, End::Dropped);
            self.compare()?;
        }
        for Running { future, pass, .. } in mem::take(&mut self.calls) {
            drop(future);
            self.settle(pass, End::Dropped);
            self.compare()?;
        }
        Ok(())
    }
}

/// A panic drops a permit that was asked for by hand.
fn by_hand(end: End) -> End {
    if end == End::Panic { End::Dropped } else { end }
}

fn take<T>(items: &mut Vec<T>, which: Index) -> Option<T> {
    (!items.is_empty()).then(|| items.swap_remove(which.index(items.len())))
}

/// How long not to ask, if that is what the error says.
#[expect(clippy::option_option, reason = "an order says nothing about time")]
fn retry_after_of(error: Option<CallError<Failed>>) -> Option<Option<Duration>> {
    match error {
        Some(CallError::Circuit(error)) if error.is_open() => Some(error.retry_after()),
        _ => None,
    }
}

/// A breaker's waits and probes, of whatever rules: in units of time.
pub(crate) fn recoveries() -> impl Strategy<Value = Recovery> {
    let growth = prop::option::of(1..=10_u32);
    let timeout = prop::option::weighted(0.3, 1..=12_u32);
    (1..=15_u32, growth, 1..=4_u32, timeout).prop_map(|(reset, growth, probes, timeout)| Recovery {
        reset,
        growth,
        probes,
        timeout,
    })
}

#[derive(Clone, Debug)]
pub(crate) struct Recovery {
    reset: u32,
    growth: Option<u32>,
    probes: u32,
    timeout: Option<u32>,
}

impl Recovery {
    /// Tokio's timers are exact to a millisecond; without them all is exact to a microsecond.
    pub(crate) fn unit(&self) -> Duration {
        match self.timeout {
            Some(_) => Duration::from_millis(1),
            None => Duration::from_micros(1),
        }
    }

    pub(crate) fn of(&self, mut config: ConfigBuilder) -> ConfigBuilder {
        let unit = self.unit();
        if let Some(growth) = self.growth {
            config = config.max_reset(unit * self.reset * growth);
        }
        if let Some(timeout) = self.timeout {
            config = config.timeout(unit * timeout);
        }
        config.reset(unit * self.reset).probes(self.probes)
    }
}
