//! Histories of the exact rules: after each step, everything observable of a breaker equals that of
//! the reference breaker.

use std::future::poll_fn;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use circuit_runtime::{
    CallError, CircuitBreaker, CircuitError, Config, ConfigBuilder, Permit, Snapshot, StateChange,
    Subscription, Verdict,
};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestCaseError;
use tokio::runtime::Runtime;

use crate::changes::Change;
use crate::clock::elapse;
use crate::reference::{Admission, End, Order, Reference, Totals};

pub(crate) type Checked<R = ()> = Result<R, TestCaseError>;

#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Units of time elapse.
    Wait(u32),
    /// A call starts and ends, repeated a number of times.
    Call(Way, Ready, u32),
    /// A call is admitted by permit.
    Acquire,
    /// A permit is settled.
    Settle(Index, End),
    /// A permit is leaked.
    Leak(Index),
    /// A call starts through `call`.
    Start,
    /// The body of a call becomes ready.
    Ready(Index, Ready),
    /// A call is polled.
    Poll(Index),
    /// A call is dropped.
    Drop(Index),
    Order(Order),
    /// A listener subscribes, in place of the one before.
    Listen,
    /// Other rules of the history apply, or the same.
    Reconfigure(Index),
}

/// How a call ends that is polled once more, and the units of time that elapse meanwhile.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ready {
    pub(crate) end: End,
    /// While the body runs.
    pub(crate) body: u32,
    /// While a predicate classifies the error that the body has returned.
    pub(crate) predicate: u32,
}

/// How a call is made that ends at once.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    Permit,
    Future,
    Blocking,
}

/// The error of a call.
#[derive(Debug, PartialEq)]
enum Failed {
    Failure,
    Ignored,
    /// The service asks to be left alone for so many units.
    Unavailable(u32),
}

#[derive(Clone, Debug)]
pub(crate) struct History(Vec<Step>);

/// Histories of up to `length` steps, with bursts of up to `burst` calls.
pub(crate) fn histories(length: usize, burst: u32) -> impl Strategy<Value = History> {
    prop::collection::vec(steps(burst), 0..length).prop_map(History)
}

pub(crate) fn steps(burst: u32) -> impl Strategy<Value = Step> {
    let which = any::<Index>;
    prop_oneof![
        8 => (ways(), readies(), 1..=burst)
            .prop_map(|(way, ready, times)| Step::Call(way, ready, times)),
        6 => waits().prop_map(Step::Wait),
        3 => Just(Step::Acquire),
        3 => (which(), ends()).prop_map(|(which, end)| Step::Settle(which, end)),
        1 => which().prop_map(Step::Leak),
        3 => Just(Step::Start),
        3 => (which(), readies()).prop_map(|(which, ready)| Step::Ready(which, ready)),
        3 => which().prop_map(Step::Poll),
        1 => which().prop_map(Step::Drop),
        1 => prop_oneof![
            6 => Just(Order::Reset),
            1 => Just(Order::ForceOpen),
            1 => Just(Order::ForceClosed),
            1 => (1..=20_u32).prop_map(Order::ForceOpenFor),
            1 => (1..=20_u32).prop_map(Order::ForceClosedFor),
            1 => Just(Order::Trip),
            1 => (1..=20_u32).prop_map(Order::OpenFor),
        ]
        .prop_map(Step::Order),
        1 => Just(Step::Listen),
        2 => which().prop_map(Step::Reconfigure),
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

/// In most calls no time elapses.
fn readies() -> impl Strategy<Value = Ready> {
    let elapsed = || prop_oneof![6 => Just(0), 1 => 0..=12_u32];
    (ends(), elapsed(), elapsed()).prop_map(|(end, body, predicate)| Ready {
        end,
        body,
        predicate,
    })
}

fn ways() -> impl Strategy<Value = Way> {
    prop_oneof![
        4 => Just(Way::Permit),
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
        1 => requests().prop_map(End::Unavailable),
    ]
}

/// How long a service asks to be left alone: not at all, for a while, or for longer than it may.
fn requests() -> impl Strategy<Value = u32> {
    prop_oneof![
        1 => Just(0),
        8 => 1..=20_u32,
        1 => Just(u32::MAX),
    ]
}

impl History {
    /// Replays the history on a breaker and on the reference breaker.
    pub(crate) fn replay(&self, unit: Duration, rules: &[ConfigBuilder]) -> Checked {
        let stage = Stage::new(unit, rules)?;
        let _entered = stage.runtime.enter();
        let mut replay = Replay::new(&stage);
        for step in &self.0 {
            replay.step(step)?;
        }
        replay.end()
    }
}

/// A breaker in virtual time, for one history.
pub(crate) struct Stage {
    pub(crate) runtime: Runtime,
    breaker: CircuitBreaker,
    /// Those that the history chooses from; the first apply at the start.
    rules: Vec<Config>,
    unit: Duration,
}

impl Stage {
    pub(crate) fn new(unit: Duration, rules: &[ConfigBuilder]) -> Checked<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()?;
        let rules = rules.iter().map(|rules| rules.build());
        let rules: Result<Vec<_>, _> = rules.collect();
        let rules = rules.map_err(|error| TestCaseError::fail(error.to_string()))?;
        // Within the runtime, whose clock shows the time of the circuit from its creation on.
        let entered = runtime.enter();
        let breaker = CircuitBreaker::new("history", rules[0]);
        drop(entered);
        Ok(Self {
            runtime,
            breaker,
            rules,
            unit,
        })
    }
}

/// A history during its replay. It can be passed from thread to thread.
pub(crate) struct Replay<'b> {
    runtime: &'b Runtime,
    breaker: &'b CircuitBreaker,
    rules: &'b [Config],
    reference: Reference,
    unit: Duration,
    now: Duration,
    permits: Vec<(Permit<'b>, Admission)>,
    calls: Vec<Running<'b>>,
    listener: Option<Listener>,
}

/// The latest listener, and what it has been told.
struct Listener {
    _subscription: Subscription,
    told: Arc<Mutex<Vec<StateChange>>>,
    /// The number of changes before it subscribed.
    after: usize,
}

/// A call through `call`, in flight.
struct Running<'b> {
    future: Pin<Box<dyn Future<Output = Result<(), CallError<Failed>>> + Send + 'b>>,
    ending: Ending,
    admission: Admission,
    start: Duration,
    /// The one that it started with.
    timeout: Option<Duration>,
}

/// How the body of a call ends, once it is ready.
type Ending = Arc<Mutex<Option<Ready>>>;

async fn body(ending: Ending, unit: Duration) -> Result<(), Failed> {
    let ready = poll_fn(|_| match *ending.lock().unwrap() {
        Some(ready) => Poll::Ready(ready),
        None => Poll::Pending,
    });
    let ready = ready.await;
    elapse(unit * ready.body);
    result(ready.end)
}

impl Ready {
    /// Returns the units of time that elapse until the call is settled.
    fn elapsed(self) -> u32 {
        match self.end {
            End::Failure | End::Ignored | End::Unavailable(_) => self.body + self.predicate,
            _ => self.body,
        }
    }
}

fn result(end: End) -> Result<(), Failed> {
    match end {
        End::Success => Ok(()),
        End::Failure => Err(Failed::Failure),
        End::Ignored => Err(Failed::Ignored),
        End::Unavailable(units) => Err(Failed::Unavailable(units)),
        End::Dropped | End::Timeout => unreachable!("a call without a result"),
        End::Panic => resume_unwind(Box::new("body panicked")),
    }
}

fn settle(permit: Permit<'_>, end: End, unit: Duration) {
    match end {
        End::Success => permit.success(),
        End::Ignored => permit.ignore(),
        End::Failure | End::Timeout => permit.failure(),
        End::Dropped | End::Panic => drop(permit),
        End::Unavailable(units) => permit.settle(Verdict::Unavailable(unit * units)),
    }
}

/// Polls a call, and returns how it ended; `None` if it is still pending.
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
        Ok(Poll::Ready(Err(CallError::Inner(Failed::Unavailable(units))))) => {
            End::Unavailable(units)
        }
        Ok(Poll::Ready(Err(CallError::Circuit(CircuitError::Timeout { .. })))) => End::Timeout,
        Ok(Poll::Ready(Err(error))) => return Err(TestCaseError::fail(format!("{error:?}"))),
        Err(payload) => {
            prop_assert_eq!(payload.downcast_ref(), Some(&"body panicked"));
            End::Panic
        }
    }))
}

impl<'b> Replay<'b> {
    pub(crate) fn new(stage: &'b Stage) -> Self {
        Self {
            runtime: &stage.runtime,
            breaker: &stage.breaker,
            rules: &stage.rules,
            reference: Reference::new(stage.breaker.config(), stage.unit).with_turns(),
            unit: stage.unit,
            now: Duration::ZERO,
            permits: Vec::new(),
            calls: Vec::new(),
            listener: None,
        }
    }

    /// Takes a step with both, and compares them.
    pub(crate) fn step(&mut self, step: &Step) -> Checked {
        match *step {
            Step::Wait(units) => self.wait(units),
            Step::Call(way, ready, times) => {
                for _ in 0..times {
                    self.call(way, ready)?;
                }
            }
            Step::Acquire => {
                if let Some(permit) = self.acquire()? {
                    self.permits.push(permit);
                }
            }
            Step::Settle(which, end) => {
                if let Some((permit, admission)) = take(&mut self.permits, which) {
                    settle(permit, end, self.unit);
                    self.settle(admission, end_of_permit(end));
                }
            }
            Step::Leak(which) => {
                if let Some((permit, _)) = take(&mut self.permits, which) {
                    mem::forget(permit);
                }
            }
            Step::Start => self.start(None)?,
            Step::Ready(which, ready) => {
                if !self.calls.is_empty() {
                    let running = &self.calls[which.index(self.calls.len())];
                    let ready = Some(ready).filter(|ready| ready.end != End::Dropped);
                    *running.ending.lock().unwrap() = ready;
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
                    self.settle(running.admission, End::Dropped);
                }
            }
            Step::Order(order) => {
                let unit = self.unit;
                match order {
                    Order::Reset => self.breaker.reset(),
                    Order::ForceOpen => self.breaker.force_open(),
                    Order::ForceClosed => self.breaker.force_closed(),
                    Order::ForceOpenFor(units) => self.breaker.force_open_for(unit * units),
                    Order::ForceClosedFor(units) => self.breaker.force_closed_for(unit * units),
                    Order::Trip => self.breaker.trip(),
                    Order::OpenFor(units) => self.breaker.open_for(unit * units),
                }
                self.reference.order(order, self.now);
            }
            Step::Listen => self.listen(),
            Step::Reconfigure(which) => {
                let config = self.rules[which.index(self.rules.len())];
                let replaced = self.breaker.reconfigure(config);
                prop_assert_eq!(replaced, Ok(()));
                prop_assert_eq!(self.breaker.config(), config);
                self.reference.reconfigure(config);
            }
        }
        self.compare()
    }

    fn listen(&mut self) {
        let told = Arc::<Mutex<Vec<_>>>::default();
        let tell = told.clone();
        let subscription = self.breaker.on_change(move |change| {
            tell.lock().unwrap().push(change.clone());
        });
        self.listener = Some(Listener {
            _subscription: subscription,
            told,
            after: self.reference.changes.list.len(),
        });
    }

    fn wait(&mut self, units: u32) {
        let time = self.unit * units;
        self.runtime.block_on(tokio::time::advance(time));
        self.now += time;
    }

    /// Catches up with the time that has elapsed within a call, and so do the timers.
    fn catch_up(&mut self, units: u32) {
        if units > 0 {
            self.now += self.unit * units;
            self.wait(0);
        }
    }

    /// Requests a permit of both, which must give the same answer.
    fn acquire(&mut self) -> Checked<Option<(Permit<'b>, Admission)>> {
        match (self.breaker.try_acquire(), self.reference.acquire(self.now)) {
            (Ok(permit), Ok(admission)) => Ok(Some((permit, admission))),
            (Err(error), Err(retry_after)) => {
                prop_assert!(error.is_open());
                prop_assert_eq!(error.retry_after(), retry_after);
                Ok(None)
            }
            (actual, expected) => Err(TestCaseError::fail(format!(
                "{actual:?}, and not {:?}",
                expected.map(drop)
            ))),
        }
    }

    fn settle(&mut self, admission: Admission, end: End) {
        self.reference.settle(admission, end, self.now, self.now);
    }

    /// Makes a call that ends at once.
    fn call(&mut self, way: Way, ready: Ready) -> Checked {
        let end = ready.end;
        match way {
            Way::Future if end != End::Dropped => self.start(Some(ready)),
            Way::Blocking if matches!(end, End::Success | End::Failure | End::Panic) => {
                let call = || {
                    self.breaker.call_blocking(|| {
                        elapse(self.unit * ready.body);
                        result(end)
                    })
                };
                let called = catch_unwind(AssertUnwindSafe(call));
                match self.reference.acquire(self.now) {
                    Ok(admission) => {
                        self.catch_up(ready.body);
                        let ended = match called {
                            Ok(Ok(())) => End::Success,
                            Ok(Err(CallError::Inner(Failed::Failure))) => End::Failure,
                            Err(_) => End::Panic,
                            other => return Err(TestCaseError::fail(format!("{other:?}"))),
                        };
                        prop_assert_eq!(ended, end);
                        self.settle(admission, end);
                    }
                    Err(retry_after) => {
                        let rejected = called.ok().and_then(Result::err);
                        prop_assert_eq!(retry_after_of(rejected), Some(retry_after));
                    }
                }
                Ok(())
            }
            _ => {
                if let Some((permit, admission)) = self.acquire()? {
                    settle(permit, end, self.unit);
                    self.settle(admission, end_of_permit(end));
                }
                Ok(())
            }
        }
    }

    /// Starts a call through `call`, and polls it once.
    fn start(&mut self, ready: Option<Ready>) -> Checked {
        let (ending, unit) = (Arc::new(Mutex::new(ready)), self.unit);
        let call = self.breaker.call(body(ending.clone(), unit));
        let classified = ending.clone();
        let call = call.ignore_if(move |error| {
            let ready = *classified.lock().unwrap();
            elapse(unit * ready.map_or(0, |ready| ready.predicate));
            *error == Failed::Ignored
        });
        let call = call.retry_after(move |error| match error {
            Failed::Unavailable(units) => Some(unit * *units),
            Failed::Failure | Failed::Ignored => None,
        });
        let mut future: Pin<Box<dyn Future<Output = _> + Send>> = Box::pin(call);
        match self.reference.acquire(self.now) {
            Ok(admission) => self.poll(Running {
                future,
                ending,
                admission,
                start: self.now,
                timeout: self.breaker.config().timeout(),
            }),
            Err(retry_after) => {
                let mut cx = Context::from_waker(Waker::noop());
                let Poll::Ready(Err(error)) = future.as_mut().poll(&mut cx) else {
                    return Err(TestCaseError::fail("not rejected"));
                };
                prop_assert_eq!(retry_after_of(Some(error)), Some(retry_after));
                Ok(())
            }
        }
    }

    /// Polls a call, which ends if its body is ready or it times out.
    fn poll(&mut self, mut running: Running<'b>) -> Checked {
        let spent = self.now.saturating_sub(running.start);
        let timed_out = running.timeout.filter(|timeout| spent >= *timeout);
        let ready = *running.ending.lock().unwrap();
        let expected = ready.map(|ready| ready.end);
        let ended = poll(&mut running)?;
        prop_assert_eq!(ended, expected.or(timed_out.map(|_| End::Timeout)));
        self.catch_up(ready.map_or(0, Ready::elapsed));
        match ended {
            Some(end) => self.settle(running.admission, end),
            None => self.calls.push(running),
        }
        Ok(())
    }

    fn compare(&self) -> Checked {
        let seen = self.breaker.snapshot();
        prop_assert_eq!(seen.state, self.reference.state(self.now));
        prop_assert_eq!(self.breaker.state(), seen.state);
        prop_assert_eq!(seen.retry_after, self.reference.retry_after(self.now));
        prop_assert_eq!(Totals::from(&seen), self.reference.totals);
        self.compare_phase(&seen)?;
        self.compare_changes(&seen)?;
        self.compare_evidence(&seen)
    }

    fn compare_phase(&self, seen: &Snapshot) -> Checked {
        let (reference, now) = (&self.reference, self.now);
        let rejection = self.breaker.would_reject();
        prop_assert_eq!(
            rejection.map(|error| error.retry_after()),
            reference.rejection(now)
        );
        prop_assert_eq!(seen.since, reference.since(now));
        let hold = seen.hold.map(|hold| (hold.to, hold.ends_in));
        prop_assert_eq!(hold, reference.held(now));
        prop_assert_eq!(seen.reopenings, reference.reopenings(now));
        let (ramp, expected) = (seen.ramp, reference.admitted_share(now));
        prop_assert_eq!(ramp.is_some(), expected.is_some());
        let difference = ramp.unwrap_or_default() - expected.unwrap_or_default();
        prop_assert!(difference.abs() < 1e-9, "{ramp:?}, and not {expected:?}");
        Ok(())
    }

    fn compare_changes(&self, seen: &Snapshot) -> Checked {
        let changes = &self.reference.changes.list;
        let last = seen.last_change.as_ref().map(Change::from);
        prop_assert_eq!(last.as_ref(), changes.last());
        if let Some(listener) = &self.listener {
            let told = listener.told.lock().unwrap();
            let told: Vec<_> = told.iter().map(Change::from).collect();
            prop_assert_eq!(&told[..], &changes[listener.after..]);
        }
        Ok(())
    }

    fn compare_evidence(&self, seen: &Snapshot) -> Checked {
        let config = self.breaker.config();
        let [calls, failed, slow] = self.reference.counts(self.now);
        let Some(window) = seen.window else {
            prop_assert!(config.window().is_none() && config.last_calls().is_none());
            prop_assert_eq!(
                seen.consecutive_failures.map(|count| count as usize),
                Some(failed)
            );
            return Ok(());
        };
        prop_assert_eq!(seen.consecutive_failures, None);
        prop_assert_eq!(window.failed, failed as u64);
        // In a span of time, failures alone are counted.
        let calls = config.last_calls().map(|_| calls as u64);
        prop_assert_eq!(window.calls, calls);
        if !self.reference.has_calls_in_flight() {
            prop_assert_eq!(window.slow, config.slow_call().map(|_| slow as u64));
        }
        Ok(())
    }

    /// Drops all calls in flight.
    pub(crate) fn end(mut self) -> Checked {
        for (permit, admission) in mem::take(&mut self.permits) {
            drop(permit);
            self.settle(admission, End::Dropped);
            self.compare()?;
        }
        for Running {
            future, admission, ..
        } in mem::take(&mut self.calls)
        {
            drop(future);
            self.settle(admission, End::Dropped);
            self.compare()?;
        }
        Ok(())
    }
}

/// Returns how a call by permit ends: a panic drops the permit.
fn end_of_permit(end: End) -> End {
    if end == End::Panic { End::Dropped } else { end }
}

fn take<T>(items: &mut Vec<T>, which: Index) -> Option<T> {
    (!items.is_empty()).then(|| items.swap_remove(which.index(items.len())))
}

/// Returns the `retry_after` of a rejection; `None` for any other result.
#[expect(
    clippy::option_option,
    reason = "a forced open circuit has no `retry_after`"
)]
fn retry_after_of(error: Option<CallError<Failed>>) -> Option<Option<Duration>> {
    match error {
        Some(CallError::Circuit(error)) if error.is_open() => Some(error.retry_after()),
        _ => None,
    }
}

/// Random waits, probes and timeouts, in units of time.
pub(crate) fn recoveries() -> impl Strategy<Value = Recovery> {
    let growth = prop::option::of(1..=10_u32);
    let timeout = prop::option::weighted(0.3, 1..=12_u32);
    let ramp = prop::option::of(prop_oneof![1..=40_u32, 1..=400_u32]);
    (1..=15_u32, growth, 1..=4_u32, timeout, ramp).prop_map(
        |(reset, growth, probes, timeout, ramp)| Recovery {
            reset,
            growth,
            probes,
            timeout,
            ramp,
        },
    )
}

/// The options of a breaker that do not open it, in units of time.
#[derive(Clone, Debug)]
pub(crate) struct Recovery {
    reset: u32,
    growth: Option<u32>,
    probes: u32,
    timeout: Option<u32>,
    ramp: Option<u32>,
}

impl Recovery {
    /// Returns the unit: a millisecond, the precision of tokio's timers, or without a timeout a
    /// microsecond.
    pub(crate) fn unit(&self) -> Duration {
        match self.timeout {
            Some(_) => Duration::from_millis(1),
            None => Duration::from_micros(1),
        }
    }

    /// Sets these options, in this unit of time.
    pub(crate) fn apply(&self, mut config: ConfigBuilder, unit: Duration) -> ConfigBuilder {
        if let Some(growth) = self.growth {
            config = config.max_reset(unit * self.reset * growth);
        }
        if let Some(timeout) = self.timeout {
            config = config.timeout(unit * timeout);
        }
        if let Some(ramp) = self.ramp {
            config = config.ramp(unit * ramp);
        }
        config.reset(unit * self.reset).probes(self.probes)
    }
}
