//! A call that is dropped, at any of its awaits, leaves no trace but in `Snapshot::cancelled`.
//!
//! Each breaker has a twin that goes through the same, without the dropped call. Everything
//! observable of the breaker must equal that of the twin.

use std::fmt::Debug;
use std::future::{pending, poll_fn, ready};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use circuit_runtime::{
    CallError, CircuitBreaker, CircuitError, Config, Permit, State, circuit_breaker, registry,
};

use crate::support::{
    Failed, ServiceError, advance, half_open, millis, poll_once, retry_after, seconds, timed,
};

/// The number of awaits in a call.
const AWAITS: usize = 4;

/// The index of the cancelled calls in [`totals`].
const CANCELLED: usize = 5;

/// The progress of the service. A call passes an await once the service has, however often it is
/// polled.
#[derive(Clone, Default)]
struct Progress(Arc<AtomicUsize>);

impl Progress {
    fn increment(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    async fn has_passed(&self, point: usize) {
        poll_fn(|_| match self.0.load(Ordering::SeqCst) {
            reached if reached > point => Poll::Ready(()),
            _ => Poll::Pending,
        })
        .await;
    }
}

/// How a call ends that is not dropped.
#[derive(Clone, Copy, Debug)]
enum End {
    Success,
    Failure,
    Panic,
}

const ENDS: [End; 3] = [End::Success, End::Failure, End::Panic];

impl End {
    fn result(self) -> Result<(), ServiceError> {
        match self {
            Self::Success => Ok(()),
            Self::Failure => Err(ServiceError::Failed),
            Self::Panic => resume_unwind(Box::new("body panicked")),
        }
    }
}

async fn awaits(progress: Progress, end: End) -> Result<(), ServiceError> {
    for point in 0..AWAITS {
        progress.has_passed(point).await;
    }
    end.result()
}

type Running<'b> = Pin<Box<dyn Future<Output = Result<(), ServiceError>> + Send + 'b>>;

/// How a call is made.
type Way = for<'b> fn(&'b CircuitBreaker, Progress, End) -> Running<'b>;

fn through_call(breaker: &CircuitBreaker, progress: Progress, end: End) -> Running<'_> {
    let call = breaker.call(awaits(progress, end));
    Box::pin(async { call.await.map_err(CallError::into_inner) })
}

/// A breaker, its twin, and how to make calls through the breaker.
struct Pair {
    breaker: CircuitBreaker,
    twin: CircuitBreaker,
    way: Way,
    /// The number of dropped calls.
    dropped: u64,
    /// The totals of the breaker at the start.
    before: [u64; 8],
}

/// The phase of the circuit in which a call is dropped.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    Closed,
    HalfOpen,
    ForcedClosed,
}

const PHASES: [Phase; 3] = [Phase::Closed, Phase::HalfOpen, Phase::ForcedClosed];

/// An annotated function and its twin. One for each test, as a function has only one breaker.
macro_rules! annotated {
    ($name:literal, $($timeout:tt)*) => {{
        #[circuit_breaker(max_failures = 3, window = "10s", name = $name, $($timeout)*)]
        async fn service(progress: Progress, end: End) -> Result<(), ServiceError> {
            for point in 0..AWAITS {
                progress.has_passed(point).await;
            }
            end.result()
        }
        // The first call creates the breaker.
        drop(poll_once(service(Progress::default(), End::Success)));
        let breaker = registry::find($name).unwrap();
        Pair::new(breaker, |_, progress, end| Box::pin(service(progress, end)))
    }};
}

/// Returns a pair for each rule, with and without a timeout.
fn pairs() -> Vec<Pair> {
    let consecutive = Config::builder().max_failures(3);
    let rate = Config::builder().failure_rate(0.5).min_calls(4);
    let slow = rate.slow_call(seconds(7)).slow_rate(0.2);
    [
        consecutive,
        consecutive.window(seconds(10)),
        consecutive.last_calls(5).probes(2),
        rate.window(seconds(10)),
        slow.last_calls(10),
        slow.window(seconds(60)).probes(3),
    ]
    .into_iter()
    .flat_map(|config| [config, config.timeout(seconds(3_600))])
    .map(|config| {
        let breaker = CircuitBreaker::new("dropped", config.build().unwrap());
        Pair::new(breaker, through_call)
    })
    .collect()
}

impl Pair {
    fn new(breaker: CircuitBreaker, way: Way) -> Self {
        let twin = CircuitBreaker::new("twin", breaker.config());
        let before = totals(&breaker);
        Self {
            breaker,
            twin,
            way,
            dropped: 0,
            before,
        }
    }

    fn call(&self, progress: &Progress, end: End) -> Running<'_> {
        (self.way)(&self.breaker, progress.clone(), end)
    }

    fn config(&self) -> Config {
        self.breaker.config()
    }

    /// Applies `act` to both, and expects the same result.
    fn both<R: PartialEq + Debug>(&self, act: impl Fn(&CircuitBreaker) -> R) -> R {
        let result = act(&self.breaker);
        assert_eq!(result, act(&self.twin), "{:?}", self.config());
        self.assert_equal();
        result
    }

    fn assert_equal(&self) {
        let (actual, expected) = (self.breaker.snapshot(), self.twin.snapshot());
        assert_eq!(actual.state, expected.state, "{:?}", self.config());
        assert_eq!(actual.retry_after, expected.retry_after);
        let (mut actual, mut expected) = (totals(&self.breaker), totals(&self.twin));
        for (total, before) in actual.iter_mut().zip(self.before) {
            *total -= before;
        }
        expected[CANCELLED] += self.dropped;
        assert_eq!(actual, expected, "{:?}", self.config());
    }

    /// Brings both into a phase, and close to its end.
    async fn enter(&self, phase: Phase) {
        self.both(CircuitBreaker::reset);
        match phase {
            Phase::Closed => (0..2).for_each(|_| self.both(fail)),
            Phase::HalfOpen => {
                while self.both(CircuitBreaker::state) == State::Closed {
                    self.both(fail);
                }
                advance(self.config().reset()).await;
                assert_eq!(self.both(CircuitBreaker::state), State::HalfOpen);
            }
            Phase::ForcedClosed => self.both(CircuitBreaker::force_closed),
        }
    }

    /// Takes both to the end of the phase and through the next ones.
    async fn run_on(&self) {
        // Long enough to be slow, short enough to be in the window.
        advance(seconds(8)).await;
        for round in 0..3 {
            for _ in 0..4 {
                self.both(fail);
            }
            advance(seconds(1)).await;
            if self.both(CircuitBreaker::state) == State::Open {
                advance(self.config().reset()).await;
            }
            let probes = self.config().probes() + 1;
            let request_slots = |breaker: &CircuitBreaker| {
                let requests: Vec<_> = (0..probes).map(|_| breaker.try_acquire()).collect();
                let answers: Vec<_> = requests.iter().map(answer).collect();
                let probes = requests.into_iter().flatten();
                if round % 2 == 0 {
                    probes.for_each(Permit::success);
                } else {
                    probes.for_each(Permit::ignore);
                }
                answers
            };
            self.both(request_slots);
        }
        self.both(CircuitBreaker::reset);
    }
}

fn totals(breaker: &CircuitBreaker) -> [u64; 8] {
    let totals = breaker.snapshot();
    [
        totals.succeeded,
        totals.failed,
        totals.timed_out,
        totals.panicked,
        totals.ignored,
        totals.cancelled,
        totals.rejected,
        totals.opened,
    ]
}

/// Fails a call, if it is admitted.
fn fail(breaker: &CircuitBreaker) {
    if let Ok(permit) = breaker.try_acquire() {
        permit.failure();
    }
}

/// Returns `Ok` for an admitted call, and the `retry_after` of a rejected one.
fn answer(request: &Result<Permit<'_>, CircuitError>) -> Result<(), Option<Duration>> {
    request
        .as_ref()
        .map(drop)
        .map_err(CircuitError::retry_after)
}

/// Polls a call `times` times at each of the first `points` awaits.
async fn poll_up_to(call: &mut Running<'_>, progress: &Progress, points: usize, times: usize) {
    for point in 1..=points {
        for _ in 0..times {
            assert!(poll_once(call.as_mut()).is_pending());
        }
        advance(millis(10)).await;
        if point < points {
            progress.increment();
        }
    }
}

/// Drops a call at every await and before its first poll, in every phase, with and without spurious
/// polls, early and once the call is slow.
async fn drop_everywhere(mut pair: Pair) {
    for phase in PHASES {
        for points in 0..=AWAITS {
            for (times, late) in [(1, false), (1, true), (3, false)] {
                pair.enter(phase).await;
                let progress = Progress::default();
                let mut call = pair.call(&progress, End::Failure);
                poll_up_to(&mut call, &progress, points, times).await;
                if late {
                    advance(seconds(8)).await;
                }
                drop(call);
                pair.dropped += u64::from(points > 0);
                pair.assert_equal();
                pair.run_on().await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_at_any_await_leaves_no_trace() {
    for pair in pairs() {
        drop_everywhere(pair).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_annotated_call_dropped_at_any_await_leaves_no_trace() {
    drop_everywhere(annotated!("drops::dropped",)).await;
    drop_everywhere(annotated!("drops::dropped timed", timeout = "1h")).await;
}

/// A deadline that no poll has noticed makes no difference: the call is cancelled.
#[tokio::test(start_paused = true)]
async fn a_call_dropped_after_its_deadline_leaves_no_trace() {
    for phase in PHASES {
        let config = Config::builder().max_failures(3).timeout(seconds(2));
        let breaker = CircuitBreaker::new("dropped", config.build().unwrap());
        let mut pair = Pair::new(breaker, through_call);
        pair.enter(phase).await;
        let progress = Progress::default();
        let mut call = pair.call(&progress, End::Failure);
        poll_up_to(&mut call, &progress, AWAITS, 1).await;
        advance(seconds(3)).await;
        drop(call);
        pair.dropped += 1;
        pair.assert_equal();
        pair.run_on().await;
    }
}

/// A call that was not admitted holds no slot.
#[tokio::test(start_paused = true)]
async fn a_rejected_call_that_is_dropped_releases_no_slot() {
    for pair in pairs() {
        pair.enter(Phase::HalfOpen).await;
        let request_slots = |breaker| {
            (0..pair.config().probes())
                .map(|_| admit(breaker))
                .collect()
        };
        let probes: [Vec<_>; 2] = [&pair.breaker, &pair.twin].map(request_slots);
        for _ in 0..10 {
            let mut call = pair.call(&Progress::default(), End::Failure);
            assert!(poll_once(call.as_mut()).is_ready());
            drop(call);
            pair.twin.try_acquire().unwrap_err();
            pair.assert_equal();
        }
        drop(probes);
        pair.run_on().await;
    }
}

fn admit(breaker: &CircuitBreaker) -> Permit<'_> {
    breaker.try_acquire().unwrap()
}

/// The result of a poll, or its panic.
type Polled = Result<Poll<Result<(), ServiceError>>, &'static str>;

fn poll(call: &mut Running<'_>) -> Polled {
    catch_unwind(AssertUnwindSafe(|| poll_once(call.as_mut())))
        .map_err(|payload| *payload.downcast().unwrap())
}

/// Polls a call on a different thread each time, and ends or drops it on yet another. The twin's
/// call stays on one thread.
async fn move_between_threads(mut pair: Pair) {
    let runtime = tokio::runtime::Handle::current();
    let elsewhere = |call: &mut Running<'_>| {
        thread::scope(|scope| {
            let polling = scope.spawn(|| {
                let _entered = runtime.enter();
                poll(call)
            });
            polling.join().unwrap()
        })
    };
    for phase in PHASES {
        for end in ENDS.map(Some).into_iter().chain([None]) {
            pair.enter(phase).await;
            let progress = Progress::default();
            let mut call = pair.call(&progress, end.unwrap_or(End::Failure));
            let mut other = end.map(|end| through_call(&pair.twin, progress.clone(), end));
            for _ in 0..AWAITS {
                assert_eq!(elsewhere(&mut call), Ok(Poll::Pending));
                if let Some(other) = &mut other {
                    assert_eq!(poll(other), Ok(Poll::Pending));
                }
                advance(millis(10)).await;
                progress.increment();
            }
            if let Some(other) = &mut other {
                let result = elsewhere(&mut call);
                assert_ne!(result, Ok(Poll::Pending));
                assert_eq!(result, poll(other));
            }
            thread::scope(|scope| {
                scope.spawn(|| drop(call));
            });
            drop(other);
            pair.dropped += u64::from(end.is_none());
            pair.assert_equal();
            pair.run_on().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_can_be_polled_on_a_different_thread_each_time() {
    for pair in pairs() {
        move_between_threads(pair).await;
    }
    move_between_threads(annotated!("drops::moved",)).await;
    move_between_threads(annotated!("drops::moved timed", timeout = "1h")).await;
}

/// Leaks a call at every await. It stays in flight forever, and blocks nothing but, if it is a
/// probe, its slot, until the lease expires.
async fn leak_everywhere(pair: Pair) {
    for points in 1..=AWAITS {
        for phase in [Phase::Closed, Phase::ForcedClosed] {
            // There a leaked call becomes overdue, and counts as slow.
            if phase == Phase::Closed && pair.config().slow_call().is_some() {
                continue;
            }
            pair.enter(phase).await;
            let progress = Progress::default();
            let mut call = pair.call(&progress, End::Failure);
            poll_up_to(&mut call, &progress, points, 2).await;
            mem::forget(call);
            pair.assert_equal();
            pair.run_on().await;
        }
    }

    let breaker = &pair.breaker;
    for points in 1..=AWAITS {
        breaker.reset();
        half_open(breaker).await;
        for _ in 0..pair.config().probes() {
            let progress = Progress::default();
            let mut call = pair.call(&progress, End::Failure);
            poll_up_to(&mut call, &progress, points, 2).await;
            mem::forget(call);
        }
        let left = retry_after(breaker).unwrap();
        let lease = pair.config().timeout().unwrap_or_default().max(seconds(30));
        assert!(left + seconds(1) > lease && left < lease);
        advance(left.saturating_sub(millis(1))).await;
        assert_eq!(retry_after(breaker), Some(millis(1)));
        advance(millis(1)).await;
        let probe = admit(breaker);
        breaker.try_acquire().unwrap_err();
        drop(probe);

        advance(lease).await;
        let probes: Vec<_> = (0..pair.config().probes())
            .map(|_| admit(breaker))
            .collect();
        breaker.try_acquire().unwrap_err();
        probes.into_iter().for_each(Permit::success);
        assert_eq!(breaker.state(), State::Closed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_leaked_call_blocks_only_its_probe_slot_until_the_lease_expires() {
    for pair in pairs() {
        leak_everywhere(pair).await;
    }
    leak_everywhere(annotated!("drops::leaked",)).await;
    leak_everywhere(annotated!("drops::leaked timed", timeout = "1h")).await;
}

/// However it completed: with a result, a panic, a timeout or a rejection.
#[tokio::test(start_paused = true)]
async fn a_completed_call_stays_pending_and_counts_once() {
    for config in pairs().iter().map(Pair::config) {
        for end in ENDS {
            let breaker = CircuitBreaker::new("completed", config);
            let mut call = Box::pin(breaker.call(async { end.result() }));
            let polled = catch_unwind(AssertUnwindSafe(|| poll_once(call.as_mut())));
            assert!(polled.is_err() || polled.is_ok_and(|polled| polled.is_ready()));
            stays_pending(&breaker, call).await;
        }
        let breaker = CircuitBreaker::new("rejected", config);
        breaker.force_open();
        let mut call = Box::pin(breaker.call(ready(Ok::<_, Failed>(()))));
        assert!(poll_once(call.as_mut()).is_ready());
        breaker.reset();
        stays_pending(&breaker, call).await;
    }
    let breaker = timed();
    let mut call = Box::pin(breaker.call(pending::<Result<(), Failed>>()));
    assert!(poll_once(call.as_mut()).is_pending());
    advance(seconds(3)).await;
    assert!(poll_once(call.as_mut()).is_ready());
    stays_pending(&breaker, call).await;
}

async fn stays_pending<F: Future>(breaker: &CircuitBreaker, mut call: Pin<Box<F>>) {
    let snapshot = || {
        let mut snapshot = breaker.snapshot();
        snapshot.since = Duration::ZERO;
        snapshot
    };
    let ended = snapshot();
    for _ in 0..3 {
        assert!(poll_once(call.as_mut()).is_pending());
        advance(seconds(3)).await;
    }
    drop(call);
    assert_eq!(snapshot(), ended);
}

/// As any `async fn` does.
#[tokio::test(start_paused = true)]
async fn an_annotated_call_polled_after_completion_panics_and_counts_once() {
    for pair in [
        annotated!("drops::completed",),
        annotated!("drops::completed timed", timeout = "1h"),
    ] {
        let progress = Progress::default();
        (0..AWAITS).for_each(|_| progress.increment());
        for end in ENDS {
            pair.breaker.reset();
            let mut call = pair.call(&progress, end);
            assert_ne!(poll(&mut call), Ok(Poll::Pending));
            let ended = pair.breaker.snapshot();
            let again = catch_unwind(AssertUnwindSafe(|| poll_once(call.as_mut())));
            assert!(again.is_err());
            drop(call);
            assert_eq!(pair.breaker.snapshot(), ended);
        }
    }
}

/// Counts its wake-ups.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Polled every millisecond without need, each time by another task, a call times out neither
/// earlier nor later, and the last task is woken at the deadline.
#[tokio::test(start_paused = true)]
async fn spurious_polls_do_not_change_the_timeout_of_a_call() {
    let breaker = timed();
    let mut call = Box::pin(breaker.call(pending::<Result<(), Failed>>()));
    let mut tasks = Vec::new();
    for _ in 0..2_000 {
        let task = Arc::new(Woken::default());
        let waker = Waker::from(task.clone());
        let polled = call.as_mut().poll(&mut Context::from_waker(&waker));
        assert!(polled.is_pending());
        tasks.push(task);
        advance(millis(1)).await;
    }
    // Tokio's timer is exact to a millisecond.
    advance(millis(1)).await;
    let woken = |task: &Arc<Woken>| task.0.load(Ordering::SeqCst);
    assert_eq!(tasks.last().map(woken), Some(1));
    assert_eq!(tasks.iter().map(woken).sum::<usize>(), 1);
    assert!(poll_once(call.as_mut()).is_ready());
    assert_eq!(breaker.snapshot().timed_out, 1);
}
