//! Permits that own their breaker, and calls that run under a permit.

use crate::support::{
    Failed, advance, breaker, consecutive, fail, half_open, millis, poll_once, seconds, succeed,
    timed, trip, windowed,
};
use circuit_runtime::{
    CallError, CircuitBreaker, Config, OwnedPermit, Snapshot, State, Verdict, registry,
};
use std::future::{pending, ready};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;

/// Every way to settle a permit.
const WAYS: [fn(OwnedPermit); 7] = [
    OwnedPermit::success,
    OwnedPermit::failure,
    OwnedPermit::ignore,
    drop,
    |permit| permit.settle(Verdict::Unavailable(seconds(7))),
    |permit| drop(poll_once(permit.call(ready(Err::<(), _>(Failed))))),
    |permit| drop(permit.call(ready(Ok::<_, Failed>(())))),
];

fn acquire(breaker: &CircuitBreaker) -> OwnedPermit {
    breaker.try_acquire_owned().unwrap()
}

/// Returns the totals of successes, failures, ignored and cancelled calls.
fn totals(breaker: &CircuitBreaker) -> [u64; 4] {
    let Snapshot {
        succeeded,
        failed,
        ignored,
        cancelled,
        ..
    } = breaker.snapshot();
    [succeeded, failed, ignored, cancelled]
}

#[tokio::test(start_paused = true)]
async fn an_owned_permit_counts_like_a_borrowed_one() {
    for breaker in [consecutive(), windowed(), timed()] {
        acquire(&breaker).success();
        acquire(&breaker).ignore();
        drop(acquire(&breaker));
        acquire(&breaker).failure();
        acquire(&breaker).failure();
        assert_eq!(totals(&breaker), [1, 2, 1, 1]);
        assert_eq!(breaker.state(), State::Closed);
        acquire(&breaker).failure();
        assert_eq!(breaker.state(), State::Open);
        let rejection = breaker.try_acquire_owned().unwrap_err();
        assert!(rejection.is_open());
        assert_eq!(rejection.retry_after(), Some(seconds(30)));
        assert_eq!(breaker.snapshot().rejected, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn every_way_out_of_a_probe_frees_its_slot() {
    let ways = WAYS.into_iter().zip([
        State::Closed,
        State::Open,
        State::HalfOpen,
        State::HalfOpen,
        State::Open,
        State::Open,
        State::HalfOpen,
    ]);
    for (way, state) in ways {
        let breaker = consecutive();
        half_open(&breaker).await;
        let probe = acquire(&breaker);
        breaker.try_acquire_owned().expect_err("the slot is taken");
        way(probe);
        assert_eq!(breaker.state(), state);
        if state == State::HalfOpen {
            succeed(&breaker);
            assert_eq!(breaker.state(), State::Closed);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_frees_the_slot_of_its_permit() {
    let breaker = consecutive();
    half_open(&breaker).await;
    let probe = acquire(&breaker);
    let holder = thread::spawn(move || {
        let _probe = probe;
        resume_unwind(Box::new("holder panicked"))
    });
    holder.join().unwrap_err();
    assert_eq!(breaker.snapshot().cancelled, 1);
    succeed(&breaker);
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn the_slot_of_a_leaked_permit_is_free_when_its_lease_ends() {
    let breaker = consecutive();
    half_open(&breaker).await;
    std::mem::forget(acquire(&breaker));
    advance(millis(29_999)).await;
    breaker.try_acquire_owned().expect_err("the slot is taken");
    advance(millis(1)).await;
    acquire(&breaker).success();
    assert_eq!(breaker.state(), State::Closed);

    half_open(&breaker).await;
    std::mem::forget(acquire(&breaker).call(pending::<Result<(), Failed>>()));
    advance(seconds(30)).await;
    acquire(&breaker).success();
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_permit_of_an_earlier_generation_has_no_effect() {
    for way in WAYS {
        let breaker = consecutive();
        let mut stale: Vec<_> = (0..4).map(|_| acquire(&breaker)).collect();
        let mut settle = || way(stale.pop().unwrap());
        trip(&breaker);
        advance(seconds(10)).await;
        settle();
        let rejection = breaker.try_acquire_owned().unwrap_err();
        assert_eq!(rejection.retry_after(), Some(seconds(20)));

        advance(seconds(20)).await;
        let probe = acquire(&breaker);
        settle();
        assert_eq!(breaker.state(), State::HalfOpen);
        breaker.try_acquire_owned().expect_err("the slot is taken");
        probe.success();

        fail(&breaker);
        fail(&breaker);
        settle();
        assert_eq!(breaker.state(), State::Closed, "no failure more");
        breaker.force_open();
        settle();
        assert_eq!(breaker.state(), State::Open);
        breaker.reset();
    }
}

#[tokio::test(start_paused = true)]
async fn an_owned_permit_goes_anywhere_and_keeps_its_breaker() {
    fn goes_anywhere<T: Send + Sync + 'static>(value: T) -> T {
        value
    }

    let breaker = CircuitBreaker::new("owned::kept", Config::default());
    let permit = goes_anywhere(acquire(&breaker));
    let call = goes_anywhere(acquire(&breaker).call(ready(Ok::<_, Failed>(7))));
    drop(breaker);
    let listed = registry::find("owned::kept").unwrap();
    thread::spawn(move || permit.failure()).join().unwrap();
    assert_eq!(tokio::spawn(call).await.unwrap(), Ok(7));
    assert_eq!(totals(&listed), [1, 1, 0, 0]);
    drop(listed);
    assert!(registry::find("owned::kept").is_none(), "nothing is left");
}

#[tokio::test(start_paused = true)]
async fn a_permit_shows_its_breaker() {
    let breaker = consecutive();
    let shown = format!("{:?}", acquire(&breaker));
    assert!(shown.starts_with("OwnedPermit { breaker: "), "{shown}");
    assert!(shown.contains("consecutive"), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn a_future_under_a_permit_is_its_call() {
    let breaker = timed();
    let ok = || ready(Ok::<_, Failed>(7));
    let failed = || ready(Err::<u8, _>(Failed));
    assert_eq!(breaker.try_acquire().unwrap().call(ok()).await, Ok(7));
    assert_eq!(acquire(&breaker).call(ok()).await, Ok(7));
    assert_eq!(totals(&breaker), [2, 0, 0, 0]);
    let inner = Err(CallError::Inner(Failed));
    assert_eq!(breaker.try_acquire().unwrap().call(failed()).await, inner);
    assert_eq!(acquire(&breaker).call(failed()).await, inner);
    assert_eq!(totals(&breaker), [2, 2, 0, 0]);

    let started = tokio::time::Instant::now();
    let late = acquire(&breaker).call(pending::<Result<u8, Failed>>());
    let error = late.await.unwrap_err();
    assert!(matches!(error, CallError::Circuit(error) if error.is_timeout()));
    assert_eq!(started.elapsed(), seconds(2));
    assert_eq!(breaker.snapshot().timed_out, 1);
    assert_eq!(breaker.state(), State::Open, "the third failure");
}

#[tokio::test(start_paused = true)]
async fn a_future_under_a_permit_is_classified_like_any_call() {
    let breaker = consecutive();
    let failing = || acquire(&breaker).call(ready(Err::<(), _>(Failed)));
    failing().ignore_if(|_| true).await.unwrap_err();
    failing().failure_if(|_| false).await.unwrap_err();
    failing().classify(|_| Verdict::Failure).await.unwrap_err();
    assert_eq!(totals(&breaker), [1, 1, 1, 0]);
    let borrowed = breaker.try_acquire().unwrap();
    let call = borrowed.call(ready(Err::<(), _>(Failed)));
    call.retry_after(|_| Some(seconds(7))).await.unwrap_err();
    assert_eq!(breaker.snapshot().retry_after, Some(seconds(7)));
}

#[tokio::test(start_paused = true)]
async fn a_panic_under_a_permit_is_one_failure() {
    let breaker = consecutive();
    for turn in 1..=2 {
        let call = acquire(&breaker).call(async {
            resume_unwind(Box::new("body panicked"));
            #[expect(unreachable_code, reason = "it gives the type")]
            Ok::<(), Failed>(())
        });
        let mut call = Box::pin(call);
        catch_unwind(AssertUnwindSafe(|| poll_once(call.as_mut()))).unwrap_err();
        assert!(poll_once(call.as_mut()).is_pending(), "it is over");
        drop(call);
        let totals = breaker.snapshot();
        assert_eq!((totals.failed, totals.panicked), (turn, turn));
        assert_eq!(totals.cancelled, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_under_a_permit_that_is_dropped_is_cancelled_even_unpolled() {
    for breaker in [consecutive(), windowed(), timed()] {
        half_open(&breaker).await;
        for turn in 1..=5 {
            drop(acquire(&breaker).call(ready(Ok::<_, Failed>(()))));
            let borrowed = breaker.try_acquire().unwrap();
            drop(borrowed.call(ready(Ok::<_, Failed>(()))));
            let mut polled = Box::pin(acquire(&breaker).call(pending::<Result<(), Failed>>()));
            assert!(poll_once(polled.as_mut()).is_pending());
            drop(polled);
            assert_eq!(breaker.snapshot().cancelled, 3 * turn);
        }
        succeed(&breaker);
        assert_eq!(breaker.state(), State::Closed, "the slot was free at once");
    }
}

#[tokio::test(start_paused = true)]
async fn the_time_before_a_future_under_a_permit_is_polled_makes_it_slow_but_not_late() {
    let rules = Config::builder().slow_call(millis(500)).min_calls(2);
    let breaker = breaker(rules.last_calls(10).timeout(seconds(2)));
    for _ in 0..2 {
        assert_eq!(breaker.state(), State::Closed);
        let call = acquire(&breaker).call(async {
            tokio::time::sleep(millis(100)).await;
            Ok::<_, Failed>(7)
        });
        advance(seconds(60)).await;
        assert_eq!(call.await, Ok(7));
    }
    assert_eq!(breaker.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn a_call_under_a_permit_is_never_rejected() {
    let breaker = consecutive();
    let owned = acquire(&breaker).call(ready(Ok::<_, Failed>(7)));
    let borrowed = breaker.try_acquire().unwrap();
    breaker.force_open();
    assert_eq!(owned.await, Ok(7));
    assert_eq!(borrowed.call(ready(Ok::<_, Failed>(7))).await, Ok(7));
    assert_eq!(breaker.state(), State::Open, "nor does it count");
    assert_eq!(breaker.snapshot().rejected, 0);
}

#[tokio::test(start_paused = true)]
async fn a_call_under_a_permit_without_a_runtime_is_an_error() {
    let breaker = timed();
    half_open(&breaker).await;
    let probe = acquire(&breaker).call(ready(Ok::<_, Failed>(())));
    let polled = thread::spawn(move || {
        let polled = poll_once(probe);
        assert!(matches!(polled, std::task::Poll::Ready(Err(_))));
    });
    polled.join().unwrap();
    assert_eq!(breaker.snapshot().cancelled, 1);
    succeed(&breaker);
    assert_eq!(breaker.state(), State::Closed);
}

/// A response that is streamed; its call is over when the stream is.
struct Tokens {
    source: std::vec::IntoIter<Result<&'static str, Failed>>,
    permit: Option<OwnedPermit>,
}

impl Tokens {
    fn new(breaker: &CircuitBreaker, source: Vec<Result<&'static str, Failed>>) -> Self {
        Self {
            source: source.into_iter(),
            permit: breaker.try_acquire_owned().ok(),
        }
    }

    async fn next(&mut self) -> Option<Result<&'static str, Failed>> {
        tokio::time::sleep(seconds(1)).await;
        let next = self.source.next();
        match &next {
            Some(Ok(_)) => {}
            Some(Err(_)) => drop(self.permit.take().map(OwnedPermit::failure)),
            None => drop(self.permit.take().map(OwnedPermit::success)),
        }
        next
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_breaks_is_a_failure_and_one_that_is_left_is_none() {
    let broken = vec![Ok("Once"), Ok("upon"), Err(Failed)];
    let breaker = consecutive();
    let mut stream = Tokens::new(&breaker, vec![Ok("Hello")]);
    while stream.next().await.is_some() {
        assert_eq!(totals(&breaker), [0, 0, 0, 0], "in flight");
    }
    drop(stream);
    assert_eq!(totals(&breaker), [1, 0, 0, 0]);

    for left in 1..=10 {
        let mut stream = Tokens::new(&breaker, broken.clone());
        let client = tokio::spawn(async move { while stream.next().await.is_some() {} });
        advance(millis(1_500)).await;
        client.abort();
        client.await.unwrap_err();
        assert_eq!(totals(&breaker), [1, 0, 0, left]);
    }
    assert_eq!(breaker.state(), State::Closed);

    for failed in 1..=3 {
        assert_eq!(breaker.state(), State::Closed);
        let mut stream = Tokens::new(&breaker, broken.clone());
        while stream.next().await.is_some() {}
        assert_eq!(totals(&breaker), [1, failed, 0, 10]);
    }
    assert_eq!(breaker.state(), State::Open);
    assert!(breaker.try_acquire_owned().is_err());

    advance(seconds(30)).await;
    let probe = Tokens::new(&breaker, vec![Ok("Hello")]);
    drop(probe);
    let mut probe = Tokens::new(&breaker, vec![Ok("Hello")]);
    while probe.next().await.is_some() {}
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_permit_comes_back_with_the_result_of_its_call() {
    let breaker = timed();
    let call = acquire(&breaker).call_unsettled_with(|| ready(7));
    let (answer, permit) = call.await.unwrap();
    assert_eq!(answer, 7);
    assert_eq!(totals(&breaker), [0; 4]);
    permit.failure();
    assert_eq!(totals(&breaker), [0, 1, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn an_unsettled_call_times_out_and_frees_its_future() {
    let breaker = timed();
    let held = std::sync::Arc::new(());
    let in_call = held.clone();
    let mut call = Box::pin(acquire(&breaker).call_unsettled_with(|| async move {
        pending::<()>().await;
        drop(in_call);
    }));
    let error = call.as_mut().await.unwrap_err();
    assert!(error.is_timeout());
    assert_eq!(std::sync::Arc::strong_count(&held), 1);
    assert_eq!(breaker.snapshot().timed_out, 1);
    assert!(poll_once(call).is_pending());
}

#[tokio::test(start_paused = true)]
async fn an_unsettled_call_that_panics_is_a_failure_and_one_that_is_dropped_is_none() {
    let breaker = consecutive();
    half_open(&breaker).await;
    drop(acquire(&breaker).call_unsettled_with(|| ready(())));
    let mut call = Box::pin(acquire(&breaker).call_unsettled_with(pending::<()>));
    assert!(poll_once(call.as_mut()).is_pending());
    drop(call);
    assert_eq!(totals(&breaker)[3], 2);
    assert_eq!(breaker.state(), State::HalfOpen);

    let permit = acquire(&breaker);
    let create = || -> std::future::Ready<()> { resume_unwind(Box::new("when created")) };
    let created = catch_unwind(AssertUnwindSafe(|| {
        drop(permit.call_unsettled_with(create));
    }));
    assert!(created.is_err());
    assert_eq!(breaker.snapshot().panicked, 1);
    assert_eq!(breaker.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn a_rejection_that_was_seen_ahead_is_counted_by_hand() {
    let breaker = consecutive();
    trip(&breaker);
    assert!(breaker.would_reject().is_some());
    assert_eq!(breaker.snapshot().rejected, 0);
    breaker.record_rejection();
    assert_eq!(breaker.snapshot().rejected, 1);
}
