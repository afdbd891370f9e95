//! What an `Err` says of the service: that it failed, that it answered, or nothing.

use crate::support::{
    Failed, advance, breaker, half_open, in_a_row, millis, poll_once, seconds, succeed, timed,
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
    #[error("this was not to be asked")]
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

/// A call that results in `reply`, judged by both predicates.
async fn ask(breaker: &CircuitBreaker, reply: Result<u8, Reply>) -> Result<u8, CallError<Reply>> {
    breaker
        .call(ready(reply))
        .failure_if(Reply::is_down)
        .ignore_if(Reply::is_ours)
        .await
}

/// The totals of successes, failures and results that were ignored.
fn totals(breaker: &CircuitBreaker) -> (u64, u64, u64) {
    let totals = breaker.snapshot();
    (totals.succeeded, totals.failed, totals.ignored)
}

#[tokio::test(start_paused = true)]
async fn every_err_is_a_failure_unless_a_predicate_says_otherwise() {
    let breaker = in_a_row();
    for reply in [Reply::Down, Reply::Missing, Reply::Ours] {
        let failed = breaker.call(ready(Err::<u8, _>(reply.clone()))).await;
        assert_eq!(failed, Err(CallError::Inner(reply)));
    }
    assert_eq!(totals(&breaker), (0, 3, 0));
    assert_eq!(breaker.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn while_closed_an_err_is_what_the_predicates_say() {
    let breaker = in_a_row();
    for _ in 0..2 {
        let down = ask(&breaker, Err(Reply::Down)).await;
        assert_eq!(
            down,
            Err(CallError::Inner(Reply::Down)),
            "what is returned stays"
        );
    }
    assert_eq!(totals(&breaker), (0, 2, 0));
    let missing = ask(&breaker, Err(Reply::Missing)).await;
    assert_eq!(missing, Err(CallError::Inner(Reply::Missing)));
    assert_eq!(totals(&breaker), (1, 2, 0), "a success ends the row");

    for _ in 0..2 {
        ask(&breaker, Err(Reply::Down)).await.unwrap_err();
    }
    let ours = ask(&breaker, Err(Reply::Ours)).await;
    assert_eq!(ours, Err(CallError::Inner(Reply::Ours)));
    assert_eq!(totals(&breaker), (1, 4, 1));
    assert_eq!(breaker.state(), State::Closed);
    ask(&breaker, Err(Reply::Down)).await.unwrap_err();
    assert_eq!(
        breaker.state(),
        State::Open,
        "what is ignored ends no row of failures"
    );
    assert_eq!(breaker.snapshot().cancelled, 0);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_was_answered_closes_the_circuit() {
    for reply in [Ok(7), Err(Reply::Missing)] {
        let breaker = in_a_row();
        half_open(&breaker).await;
        assert_eq!(
            ask(&breaker, reply.clone()).await,
            reply.map_err(CallError::Inner)
        );
        assert_eq!(breaker.state(), State::Closed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_failed_opens_the_circuit() {
    let breaker = in_a_row();
    half_open(&breaker).await;
    ask(&breaker, Err(Reply::Down)).await.unwrap_err();
    assert_eq!(breaker.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_says_nothing_gives_its_place_back() {
    let breaker = in_a_row();
    half_open(&breaker).await;
    for ignored in 1..=3 {
        ask(&breaker, Err(Reply::Ours)).await.unwrap_err();
        assert_eq!(breaker.state(), State::HalfOpen);
        assert_eq!(breaker.snapshot().ignored, ignored);
    }
    succeed(&breaker);
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn what_is_to_be_ignored_is_asked_first_in_either_order() {
    let breaker = in_a_row();
    let asked = Cell::new(String::new());
    let note = |letter: char, answer: bool| {
        let mut letters = asked.take();
        letters.push(letter);
        asked.set(letters);
        answer
    };
    for (ignored, failed, expected, verdict) in [
        (true, true, "i", (0, 0, 1)),
        (true, false, "i", (0, 0, 2)),
        (false, true, "if", (0, 1, 2)),
        (false, false, "if", (1, 1, 2)),
    ] {
        let call = breaker.call(ready(Err::<(), _>(Failed)));
        let judged = call
            .failure_if(|_| note('f', failed))
            .ignore_if(|_| note('i', ignored));
        assert_eq!(judged.await, Err(CallError::Inner(Failed)));
        assert_eq!(asked.take(), expected);
        assert_eq!(totals(&breaker), verdict);
    }

    let call = breaker.call(ready(Err::<(), _>(Failed)));
    let judged = call
        .ignore_if(|_| note('i', false))
        .failure_if(|_| note('f', true));
    judged.await.unwrap_err();
    assert_eq!(asked.take(), "if");
}

#[tokio::test(start_paused = true)]
async fn one_predicate_leaves_the_other_rule_as_it_is() {
    let breaker = in_a_row();
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
async fn a_predicate_is_not_shown_an_ok_a_rejection_or_a_timeout() {
    let unasked = |_: &Reply| -> bool { panic!("asked") };
    let breaker = timed();
    let answer = breaker.call(ready(Ok::<_, Reply>(7)));
    assert_eq!(
        answer.failure_if(unasked).ignore_if(unasked).await,
        Ok::<u8, _>(7)
    );

    let hanging = breaker.call(pending::<Result<u8, Reply>>());
    let error = hanging.failure_if(unasked).ignore_if(unasked).await;
    assert!(matches!(error, Err(CallError::Circuit(error)) if error.is_timeout()));
    assert_eq!(
        (breaker.snapshot().failed, breaker.snapshot().timed_out),
        (1, 1)
    );

    breaker.force_open();
    let rejected = breaker.call(ready(Err::<u8, _>(Reply::Down)));
    let error = rejected.failure_if(unasked).ignore_if(unasked).await;
    assert!(matches!(error, Err(CallError::Circuit(error)) if error.is_open()));
}

/// Panics without a message on the console.
fn give_up(_: &Failed) -> bool {
    resume_unwind(Box::new("gave up"))
}

#[tokio::test(start_paused = true)]
async fn a_predicate_that_panics_is_no_evidence_and_the_panic_goes_on() {
    for (ignoring, probing) in [(false, false), (false, true), (true, false), (true, true)] {
        let breaker = in_a_row();
        if probing {
            half_open(&breaker).await;
        }
        let before = breaker.snapshot();
        for cancelled in 1..=3 {
            let call = breaker.call(ready(Err::<(), _>(Failed)));
            let payload = catch_unwind(AssertUnwindSafe(|| {
                if ignoring {
                    poll_once(call.ignore_if(give_up))
                } else {
                    poll_once(call.failure_if(give_up))
                }
            }))
            .unwrap_err();
            assert_eq!(payload.downcast_ref(), Some(&"gave up"));
            let totals = breaker.snapshot();
            assert_eq!((totals.cancelled, totals.panicked), (cancelled, 0));
            assert_eq!(
                (totals.failed, totals.state),
                (before.failed, before.state),
                "no evidence, and a probe's place is free again"
            );
        }
        succeed(&breaker);
        assert_eq!(breaker.state(), State::Closed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_predicate_panicked_gives_its_permit_back_once() {
    let breaker = in_a_row();
    let call = breaker.call(ready(Err::<(), _>(Failed)));
    let mut call = Box::pin(call.failure_if(give_up));
    catch_unwind(AssertUnwindSafe(|| poll_once(call.as_mut()))).unwrap_err();
    assert!(poll_once(call.as_mut()).is_pending());
    drop(call);
    assert_eq!(breaker.snapshot().cancelled, 1);
}

#[tokio::test(start_paused = true)]
async fn a_predicate_may_use_the_breaker() {
    let breaker = in_a_row();
    let call = breaker.call(ready(Err::<(), _>(Failed)));
    let judged = call.failure_if(|_| {
        assert_eq!(breaker.snapshot().failed, 0);
        breaker.force_open();
        breaker.state() == State::Open
    });
    judged.await.unwrap_err();
    assert_eq!(
        breaker.state(),
        State::Open,
        "the failure is of the time before"
    );
}

#[tokio::test(start_paused = true)]
async fn the_rate_is_that_of_the_calls_that_are_evidence() {
    let rates = Config::builder().failure_rate(0.5).min_calls(4);
    let breaker = breaker(rates.last_calls(10));
    for reply in [Reply::Down, Reply::Missing, Reply::Missing] {
        ask(&breaker, Err(reply)).await.unwrap_err();
        ask(&breaker, Err(Reply::Ours)).await.unwrap_err();
    }
    assert_eq!(breaker.state(), State::Closed, "three calls of four");
    ask(&breaker, Err(Reply::Down)).await.unwrap_err();
    assert_eq!(breaker.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_is_slow_whatever_its_verdict() {
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
fn what_is_not_used_takes_no_room_and_sending_stays_possible() {
    fn is_send<T: Send>(_: &T) {}

    let breaker = in_a_row();
    let call = || breaker.call(ready(Err::<(), _>(Failed)));
    let plain = size_of_val(&call());
    let judged = call().failure_if(|_| true).ignore_if(|_| false);
    assert_eq!(size_of_val(&judged), plain);
    is_send(&judged);
    is_send(&call().ignore_if(|error| *error == Failed));
}

#[tokio::test(start_paused = true)]
async fn a_predicate_may_keep_count() {
    let breaker = in_a_row();
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
    async fn an_err_is_what_the_predicates_say() {
        #[circuit_breaker(
            max_failures = 2,
            failure_if = |error| *error == Reply::Down,
            ignore_if = Reply::is_ours,
            name = "verdicts::both"
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
        let breaker = find("verdicts::both").unwrap();
        assert_eq!(totals(&breaker), (4, 2, 2), "a success ends the row");

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
        assert_eq!(breaker.state(), State::Open, "a probe that failed");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_ignored_is_not_shown_to_the_other() {
        #[circuit_breaker(
            failure_if = |_| panic!("asked"),
            ignore_if = |_| true,
            name = "verdicts::first"
        )]
        async fn service() -> Result<u8, Reply> {
            Err(Reply::Down)
        }

        service().await.unwrap_err();
        assert_eq!(totals(&find("verdicts::first").unwrap()), (0, 0, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn only_the_errors_of_the_body_are_shown() {
        #[circuit_breaker(
            timeout = "2s",
            max_failures = 1,
            failure_if = |_| panic!("asked"),
            ignore_if = |_| panic!("asked"),
            name = "verdicts::unasked"
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
    async fn a_predicate_that_panics_is_no_evidence_and_frees_the_probes_place() {
        #[circuit_breaker(
            max_failures = 1,
            failure_if = |error| match error {
                Reply::Down => true,
                _ => resume_unwind(Box::new("gave up")),
            },
            name = "verdicts::panics"
        )]
        async fn service(reply: Result<u8, Reply>) -> Result<u8, Reply> {
            reply
        }

        service(Err(Reply::Down)).await.unwrap_err();
        advance(seconds(30)).await;
        let breaker = find("verdicts::panics").unwrap();
        for cancelled in 1..=2 {
            let panicked = tokio::spawn(service(Err(Reply::Ours))).await.unwrap_err();
            assert_eq!(panicked.into_panic().downcast_ref(), Some(&"gave up"));
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
    async fn a_predicate_sees_arguments_that_can_be_shared() {
        #[circuit_breaker(
            failure_if = |_| status >= limit.get(),
            name = "verdicts::arguments"
        )]
        async fn service(status: u16, limit: &Cell<u16>) -> Result<u8, Reply> {
            limit.set(limit.get() + u16::from(status == 404));
            Err(Reply::Down)
        }

        let limit = Cell::new(500);
        service(404, &limit).await.unwrap_err();
        service(500, &limit).await.unwrap_err();
        service(501, &limit).await.unwrap_err();
        let breaker = find("verdicts::arguments").unwrap();
        assert_eq!(totals(&breaker), (2, 1, 0));
    }

    #[test]
    fn predicates_add_nothing_to_a_future() {
        #[circuit_breaker(name = "verdicts::plain")]
        async fn plain(reply: Result<u8, Reply>) -> Result<u8, Reply> {
            tokio::task::yield_now().await;
            reply
        }

        #[circuit_breaker(
            failure_if = |error| *error == Reply::Down,
            ignore_if = Reply::is_ours,
            name = "verdicts::judged"
        )]
        async fn judged(reply: Result<u8, Reply>) -> Result<u8, Reply> {
            tokio::task::yield_now().await;
            reply
        }

        let (plain, judged) = (plain(Ok(7)), judged(Ok(7)));
        assert_eq!(size_of_val(&judged), size_of_val(&plain));
    }
}
