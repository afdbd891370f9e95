//! The predicates `failure_if` and `ignore_if`: whether an `Err` is a failure, a success or
//! neither.

use crate::support::{
    Failed, advance, breaker, consecutive, half_open, millis, poll_once, seconds, succeed, timed,
};
use circuit_runtime::{CallError, CircuitBreaker, CircuitError, Config, State};
use std::cell::Cell;
use std::future::{pending, ready};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum Reply {
    #[error("the service is down")]
    Down,
    #[error("there is no such thing")]
    Missing,
    #[error("the request was invalid")]
    Ours,
    #[error(transparent)]
    Circuit(#[from] CircuitError),
}

impl Reply {
    fn is_down(&self) -> bool {
        *self == Self::Down
    }

    fn is_ours(&self) -> bool {
        *self == Self::Ours
    }
}

/// Makes a call that returns `reply`, classified by both predicates.
async fn call(breaker: &CircuitBreaker, reply: Result<u8, Reply>) -> Result<u8, CallError<Reply>> {
    breaker
        .call(ready(reply))
        .failure_if(Reply::is_down)
        .ignore_if(Reply::is_ours)
        .await
}

/// Returns the totals of successes, failures and ignored results.
fn totals(breaker: &CircuitBreaker) -> (u64, u64, u64) {
    let totals = breaker.snapshot();
    (totals.succeeded, totals.failed, totals.ignored)
}

#[tokio::test(start_paused = true)]
async fn every_err_is_a_failure_without_predicates() {
    let breaker = consecutive();
    for reply in [Reply::Down, Reply::Missing, Reply::Ours] {
        let failed = breaker.call(ready(Err::<u8, _>(reply.clone()))).await;
        assert_eq!(failed, Err(CallError::Inner(reply)));
    }
    assert_eq!(totals(&breaker), (0, 3, 0));
    assert_eq!(breaker.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn predicates_classify_errors_while_closed() {
    let breaker = consecutive();
    for _ in 0..2 {
        let down = call(&breaker, Err(Reply::Down)).await;
        assert_eq!(
            down,
            Err(CallError::Inner(Reply::Down)),
            "the result is returned unchanged"
        );
    }
    assert_eq!(totals(&breaker), (0, 2, 0));
    let missing = call(&breaker, Err(Reply::Missing)).await;
    assert_eq!(missing, Err(CallError::Inner(Reply::Missing)));
    assert_eq!(totals(&breaker), (1, 2, 0), "a success resets the streak");

    for _ in 0..2 {
        call(&breaker, Err(Reply::Down)).await.unwrap_err();
    }
    let ours = call(&breaker, Err(Reply::Ours)).await;
    assert_eq!(ours, Err(CallError::Inner(Reply::Ours)));
    assert_eq!(totals(&breaker), (1, 4, 1));
    assert_eq!(breaker.state(), State::Closed);
    call(&breaker, Err(Reply::Down)).await.unwrap_err();
    assert_eq!(
        breaker.state(),
        State::Open,
        "an ignored result does not reset the streak"
    );
    assert_eq!(breaker.snapshot().cancelled, 0);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_classified_as_a_success_closes_the_circuit() {
    for reply in [Ok(7), Err(Reply::Missing)] {
        let breaker = consecutive();
        half_open(&breaker).await;
        assert_eq!(
            call(&breaker, reply.clone()).await,
            reply.map_err(CallError::Inner)
        );
        assert_eq!(breaker.state(), State::Closed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_classified_as_a_failure_reopens_the_circuit() {
    let breaker = consecutive();
    half_open(&breaker).await;
    call(&breaker, Err(Reply::Down)).await.unwrap_err();
    assert_eq!(breaker.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_ignored_releases_its_slot() {
    let breaker = consecutive();
    half_open(&breaker).await;
    for ignored in 1..=3 {
        call(&breaker, Err(Reply::Ours)).await.unwrap_err();
        assert_eq!(breaker.state(), State::HalfOpen);
        assert_eq!(breaker.snapshot().ignored, ignored);
    }
    succeed(&breaker);
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn ignore_if_is_called_first_in_either_order() {
    let breaker = consecutive();
    let called = Cell::new(String::new());
    let note = |letter: char, answer: bool| {
        let mut letters = called.take();
        letters.push(letter);
        called.set(letters);
        answer
    };
    for (ignored, failed, expected, counted) in [
        (true, true, "i", (0, 0, 1)),
        (true, false, "i", (0, 0, 2)),
        (false, true, "if", (0, 1, 2)),
        (false, false, "if", (1, 1, 2)),
    ] {
        let call = breaker.call(ready(Err::<(), _>(Failed)));
        let classified = call
            .failure_if(|_| note('f', failed))
            .ignore_if(|_| note('i', ignored));
        assert_eq!(classified.await, Err(CallError::Inner(Failed)));
        assert_eq!(called.take(), expected);
        assert_eq!(totals(&breaker), counted);
    }

    let call = breaker.call(ready(Err::<(), _>(Failed)));
    let classified = call
        .ignore_if(|_| note('i', false))
        .failure_if(|_| note('f', true));
    classified.await.unwrap_err();
    assert_eq!(called.take(), "if");
}

#[tokio::test(start_paused = true)]
async fn each_predicate_works_without_the_other() {
    let breaker = consecutive();
    let reply = |reply| breaker.call(ready(Err::<(), _>(reply)));
    reply(Reply::Ours)
        .failure_if(Reply::is_down)
        .await
        .unwrap_err();
    assert_eq!(totals(&breaker), (1, 0, 0));
    reply(Reply::Missing)
        .ignore_if(Reply::is_ours)
        .await
        .unwrap_err();
    assert_eq!(totals(&breaker), (1, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn predicates_do_not_see_an_ok_a_rejection_or_a_timeout() {
    let uncalled = |_: &Reply| -> bool { panic!("called") };
    let breaker = timed();
    let answer = breaker.call(ready(Ok::<_, Reply>(7)));
    assert_eq!(
        answer.failure_if(uncalled).ignore_if(uncalled).await,
        Ok::<u8, _>(7)
    );

    let pending = breaker.call(pending::<Result<u8, Reply>>());
    let error = pending.failure_if(uncalled).ignore_if(uncalled).await;
    assert!(matches!(error, Err(CallError::Circuit(error)) if error.is_timeout()));
    assert_eq!(
        (breaker.snapshot().failed, breaker.snapshot().timed_out),
        (1, 1)
    );

    breaker.force_open();
    let rejected = breaker.call(ready(Err::<u8, _>(Reply::Down)));
    let error = rejected.failure_if(uncalled).ignore_if(uncalled).await;
    assert!(matches!(error, Err(CallError::Circuit(error)) if error.is_open()));
}

/// Panics without a message on the console.
fn panics(_: &Failed) -> bool {
    resume_unwind(Box::new("predicate panicked"))
}

#[tokio::test(start_paused = true)]
async fn a_predicate_that_panics_cancels_its_call_and_keeps_unwinding() {
    for (ignoring, probing) in [(false, false), (false, true), (true, false), (true, true)] {
        let breaker = consecutive();
        if probing {
            half_open(&breaker).await;
        }
        let before = breaker.snapshot();
        for cancelled in 1..=3 {
            let call = breaker.call(ready(Err::<(), _>(Failed)));
            let payload = catch_unwind(AssertUnwindSafe(|| {
                if ignoring {
                    poll_once(call.ignore_if(panics))
                } else {
                    poll_once(call.failure_if(panics))
                }
            }))
            .unwrap_err();
            assert_eq!(payload.downcast_ref(), Some(&"predicate panicked"));
            let totals = breaker.snapshot();
            assert_eq!((totals.cancelled, totals.panicked), (cancelled, 0));
            assert_eq!(
                (totals.failed, totals.state),
                (before.failed, before.state),
                "neither success nor failure, and the probe's slot is free"
            );
        }
        succeed(&breaker);
        assert_eq!(breaker.state(), State::Closed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_predicate_panicked_is_settled_once() {
    let breaker = consecutive();
    let call = breaker.call(ready(Err::<(), _>(Failed)));
    let mut call = Box::pin(call.failure_if(panics));
    catch_unwind(AssertUnwindSafe(|| poll_once(call.as_mut()))).unwrap_err();
    assert!(poll_once(call.as_mut()).is_pending());
    drop(call);
    assert_eq!(breaker.snapshot().cancelled, 1);
}

#[tokio::test(start_paused = true)]
async fn a_predicate_can_use_the_breaker() {
    let breaker = consecutive();
    let call = breaker.call(ready(Err::<(), _>(Failed)));
    let classified = call.failure_if(|_| {
        assert_eq!(breaker.snapshot().failed, 0);
        breaker.force_open();
        breaker.state() == State::Open
    });
    classified.await.unwrap_err();
    assert_eq!(breaker.state(), State::Open, "the failure is stale");
}

#[tokio::test(start_paused = true)]
async fn ignored_calls_are_not_counted_towards_a_rate() {
    let rates = Config::builder().failure_rate(0.5).min_calls(4);
    let breaker = breaker(rates.last_calls(10));
    for reply in [Reply::Down, Reply::Missing, Reply::Missing] {
        call(&breaker, Err(reply)).await.unwrap_err();
        call(&breaker, Err(Reply::Ours)).await.unwrap_err();
    }
    assert_eq!(breaker.state(), State::Closed, "three calls of four");
    call(&breaker, Err(Reply::Down)).await.unwrap_err();
    assert_eq!(breaker.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn a_slow_call_is_slow_however_it_is_classified() {
    let slow = Config::builder().slow_call(millis(500)).min_calls(2);
    let breaker = breaker(slow.last_calls(10));
    for _ in 0..2 {
        let late = async {
            advance(seconds(1)).await;
            Err::<u8, _>(Reply::Missing)
        };
        let call = breaker.call(late).failure_if(Reply::is_down);
        call.await.unwrap_err();
    }
    assert_eq!(totals(&breaker), (2, 0, 0));
    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn predicates_without_captures_take_no_room_and_keep_the_call_send() {
    fn is_send<T: Send>(_: &T) {}

    let breaker = consecutive();
    let call = || breaker.call(ready(Err::<(), _>(Failed)));
    let plain = size_of_val(&call());
    let classified = call().failure_if(|_| true).ignore_if(|_| false);
    assert_eq!(size_of_val(&classified), plain);
    is_send(&classified);
    is_send(&call().ignore_if(|error| *error == Failed));
}

#[tokio::test(start_paused = true)]
async fn a_predicate_can_mutate_its_captures() {
    let breaker = consecutive();
    let mut seen = 0;
    let call = breaker.call(ready(Err::<(), _>(Failed)));
    let counted = call.failure_if(|_| {
        seen += 1;
        true
    });
    counted.await.unwrap_err();
    assert_eq!(seen, 1);
}

mod attribute {
    use super::{Reply, totals};
    use crate::support::{advance, seconds};
    use circuit_runtime::registry::find;
    use circuit_runtime::{State, circuit_breaker};
    use std::cell::Cell;
    use std::future::pending;
    use std::panic::resume_unwind;

    #[tokio::test(start_paused = true)]
    async fn predicates_classify_errors_of_an_annotated_function() {
        #[circuit_breaker(
            max_failures = 2,
            failure_if = |error| *error == Reply::Down,
            ignore_if = Reply::is_ours,
            name = "predicates::both"
        )]
        async fn service(reply: Result<u8, Reply>) -> Result<u8, Reply> {
            reply
        }

        for _ in 0..2 {
            for reply in [
                Ok(7),
                Err(Reply::Down),
                Err(Reply::Missing),
                Err(Reply::Ours),
            ] {
                assert_eq!(service(reply.clone()).await, reply);
            }
        }
        let breaker = find("predicates::both").unwrap();
        assert_eq!(totals(&breaker), (4, 2, 2), "a success resets the streak");

        service(Err(Reply::Down)).await.unwrap_err();
        service(Err(Reply::Ours)).await.unwrap_err();
        service(Err(Reply::Down)).await.unwrap_err();
        assert_eq!(breaker.state(), State::Open);
        let rejected = service(Ok(7)).await.unwrap_err();
        assert!(matches!(rejected, Reply::Circuit(error) if error.is_open()));

        advance(seconds(30)).await;
        for _ in 0..3 {
            service(Err(Reply::Ours)).await.unwrap_err();
            assert_eq!(breaker.state(), State::HalfOpen);
        }
        service(Err(Reply::Missing)).await.unwrap_err();
        assert_eq!(breaker.state(), State::Closed);

        service(Err(Reply::Down)).await.unwrap_err();
        service(Err(Reply::Down)).await.unwrap_err();
        advance(seconds(30)).await;
        service(Err(Reply::Down)).await.unwrap_err();
        assert_eq!(breaker.state(), State::Open, "the probe failed");
    }

    #[tokio::test(start_paused = true)]
    async fn failure_if_does_not_see_ignored_errors() {
        #[circuit_breaker(
            failure_if = |_| panic!("called"),
            ignore_if = |_| true,
            name = "predicates::first"
        )]
        async fn service() -> Result<u8, Reply> {
            Err(Reply::Down)
        }

        service().await.unwrap_err();
        assert_eq!(totals(&find("predicates::first").unwrap()), (0, 0, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn predicates_see_only_errors_of_the_body() {
        #[circuit_breaker(
            timeout = "2s",
            max_failures = 1,
            failure_if = |_| panic!("called"),
            ignore_if = |_| panic!("called"),
            name = "predicates::uncalled"
        )]
        async fn service(answers: bool) -> Result<u8, Reply> {
            if answers { Ok(7) } else { pending().await }
        }

        assert_eq!(service(true).await, Ok(7));
        let timed_out = service(false).await.unwrap_err();
        assert!(matches!(timed_out, Reply::Circuit(error) if error.is_timeout()));
        let rejected = service(true).await.unwrap_err();
        assert!(matches!(rejected, Reply::Circuit(error) if error.is_open()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_predicate_that_panics_cancels_its_probe_and_releases_the_slot() {
        #[circuit_breaker(
            max_failures = 1,
            failure_if = |error| match error {
                Reply::Down => true,
                _ => resume_unwind(Box::new("predicate panicked")),
            },
            name = "predicates::panics"
        )]
        async fn service(reply: Result<u8, Reply>) -> Result<u8, Reply> {
            reply
        }

        service(Err(Reply::Down)).await.unwrap_err();
        advance(seconds(30)).await;
        let breaker = find("predicates::panics").unwrap();
        for cancelled in 1..=2 {
            let panicked = tokio::spawn(service(Err(Reply::Ours))).await.unwrap_err();
            assert_eq!(
                panicked.into_panic().downcast_ref(),
                Some(&"predicate panicked")
            );
            let totals = breaker.snapshot();
            assert_eq!(
                (totals.cancelled, totals.panicked, totals.failed),
                (cancelled, 0, 1)
            );
            assert_eq!(breaker.state(), State::HalfOpen);
        }
        assert_eq!(service(Ok(7)).await, Ok(7));
        assert_eq!(breaker.state(), State::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn a_predicate_can_use_shared_arguments() {
        #[circuit_breaker(
            failure_if = |_| status >= limit.get(),
            name = "predicates::arguments"
        )]
        async fn service(status: u16, limit: &Cell<u16>) -> Result<u8, Reply> {
            limit.set(limit.get() + u16::from(status == 404));
            Err(Reply::Down)
        }

        let limit = Cell::new(500);
        service(404, &limit).await.unwrap_err();
        service(500, &limit).await.unwrap_err();
        service(501, &limit).await.unwrap_err();
        let breaker = find("predicates::arguments").unwrap();
        assert_eq!(totals(&breaker), (2, 1, 0));
    }

    #[test]
    fn predicates_add_nothing_to_a_future() {
        #[circuit_breaker(name = "predicates::plain")]
        async fn plain(reply: Result<u8, Reply>) -> Result<u8, Reply> {
            tokio::task::yield_now().await;
            reply
        }

        #[circuit_breaker(
            failure_if = |error| *error == Reply::Down,
            ignore_if = Reply::is_ours,
            name = "predicates::classified"
        )]
        async fn classified(reply: Result<u8, Reply>) -> Result<u8, Reply> {
            tokio::task::yield_now().await;
            reply
        }

        let (plain, classified) = (plain(Ok(7)), classified(Ok(7)));
        assert_eq!(size_of_val(&classified), size_of_val(&plain));
    }
}
