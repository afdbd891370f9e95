//! A service that says when to come back is obeyed.

use crate::support::{
    Failed, advance, breaker, consecutive, fail, half_open, millis, retry_after, seconds, succeed,
    timed, trip, windowed,
};
use circuit_runtime::{CallError, CircuitBreaker, Config, ConfigBuilder, State, Verdict};
use std::future::ready;
use std::time::Duration;

const HOUR: Duration = seconds(3_600);

/// Opens after a hundred failures.
const PATIENT: ConfigBuilder = Config::builder().max_failures(100);

fn unavailable(breaker: &CircuitBreaker, wait: Duration) {
    let permit = breaker.try_acquire().unwrap();
    permit.settle(Verdict::Unavailable(wait));
}

#[tokio::test(start_paused = true)]
async fn a_closed_circuit_opens_at_once_whatever_its_rules() {
    let calls = Config::builder().last_calls(100);
    let rules = [
        PATIENT,
        PATIENT.window(seconds(10)),
        PATIENT.last_calls(100),
        calls.failure_rate(1.0),
        Config::builder().window(seconds(10)).failure_rate(1.0),
        calls.slow_call(seconds(1)),
    ];
    for rules in rules {
        let breaker = breaker(rules);
        succeed(&breaker);
        unavailable(&breaker, seconds(7));
        assert_eq!(breaker.state(), State::Open);
        let totals = breaker.snapshot();
        assert_eq!((totals.opened, totals.failed), (1, 1));
        assert_eq!(totals.reopenings, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn rejections_say_what_is_left_of_the_wait() {
    // Both shorter and longer than `reset`.
    for wait in [7, 70] {
        let breaker = breaker(PATIENT);
        unavailable(&breaker, seconds(wait));
        for left in (1..=wait).rev() {
            assert_eq!(retry_after(&breaker), Some(seconds(left)));
            advance(seconds(1)).await;
        }
        assert_eq!(breaker.state(), State::HalfOpen);
        succeed(&breaker);
        assert_eq!(breaker.state(), State::Closed);
    }
    let breaker = breaker(PATIENT);
    unavailable(&breaker, seconds(7));
    advance(millis(6_999)).await;
    assert_eq!(retry_after(&breaker), Some(millis(1)));
}

#[tokio::test(start_paused = true)]
async fn the_closure_of_a_call_says_how_long() {
    let breaker = consecutive();
    let call = |wait: Option<Duration>| {
        let call = breaker.call(ready(Err::<(), _>(Failed)));
        call.retry_after(move |_| wait)
    };
    assert_eq!(call(None).await, Err(CallError::Inner(Failed)));
    assert_eq!(breaker.state(), State::Closed, "an ordinary failure");
    let wait = seconds(7);
    assert_eq!(call(Some(wait)).await, Err(CallError::Inner(Failed)));
    assert_eq!(retry_after(&breaker), Some(wait));
    let rejection = call(None).await.unwrap_err();
    let CallError::Circuit(rejection) = rejection else {
        panic!("{rejection:?}")
    };
    assert_eq!(rejection.retry_after(), Some(wait));
    assert_eq!(rejection.retry_after_secs(), Some(7));
}

#[tokio::test(start_paused = true)]
async fn an_ok_and_a_timeout_ask_for_nothing() {
    let breaker = timed();
    let unseen = |_: &Failed| -> Option<Duration> { unreachable!() };
    let answer = breaker.call(ready(Ok(7))).retry_after(unseen).await;
    assert_eq!(answer, Ok(7));
    let late = breaker.call(std::future::pending::<Result<(), _>>());
    late.retry_after(unseen).await.unwrap_err();
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_probe_reopens_the_circuit_for_the_wait() {
    let breaker = breaker(PATIENT.max_reset(seconds(600)));
    unavailable(&breaker, seconds(5));
    advance(seconds(5)).await;
    unavailable(&breaker, seconds(100));
    assert_eq!(breaker.snapshot().reopenings, 1);
    assert_eq!(retry_after(&breaker), Some(seconds(100)));

    advance(seconds(100)).await;
    fail(&breaker);
    assert_eq!(breaker.snapshot().reopenings, 2);
    assert_eq!(retry_after(&breaker), Some(seconds(120)), "doubled twice");

    advance(seconds(120)).await;
    unavailable(&breaker, seconds(1));
    assert_eq!(retry_after(&breaker), Some(seconds(1)), "less than before");
    advance(seconds(1)).await;
    fail(&breaker);
    assert_eq!(retry_after(&breaker), Some(seconds(480)));

    advance(seconds(480)).await;
    succeed(&breaker);
    assert_eq!(breaker.state(), State::Closed);
    unavailable(&breaker, seconds(1));
    advance(seconds(1)).await;
    fail(&breaker);
    assert_eq!(retry_after(&breaker), Some(seconds(60)), "begins again");
}

#[tokio::test(start_paused = true)]
async fn the_other_probes_of_the_circuit_are_stale_then() {
    let breaker = breaker(PATIENT.probes(3));
    unavailable(&breaker, seconds(5));
    advance(seconds(5)).await;
    let others = [
        breaker.try_acquire().unwrap(),
        breaker.try_acquire().unwrap(),
    ];
    unavailable(&breaker, seconds(7));
    let [success, failure] = others;
    success.success();
    failure.failure();
    assert_eq!(retry_after(&breaker), Some(seconds(7)));
    assert_eq!(breaker.snapshot().reopenings, 1);
    advance(seconds(7)).await;
    for _ in 0..3 {
        assert_eq!(breaker.state(), State::HalfOpen);
        succeed(&breaker);
    }
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn jitter_only_lengthens_the_wait() {
    let asked = seconds(100);
    let mut longest = asked;
    for _ in 0..200 {
        let breaker = breaker(PATIENT.jitter(0.5));
        unavailable(&breaker, asked);
        let wait = retry_after(&breaker).unwrap();
        assert!((asked..=seconds(150)).contains(&wait), "{wait:?}");
        assert_eq!(retry_after(&breaker), Some(wait), "the same for all");
        longest = longest.max(wait);
    }
    assert!(longest > seconds(125), "{longest:?}");
}

#[tokio::test(start_paused = true)]
async fn the_wait_is_bounded_by_max_reset_or_one_hour() {
    let bounded = [
        (PATIENT, HOUR),
        (PATIENT.jitter(1.0), HOUR),
        (PATIENT.reset(HOUR * 2), HOUR),
        (PATIENT.max_reset(seconds(60)), seconds(60)),
        (PATIENT.max_reset(seconds(60)).jitter(1.0), seconds(60)),
        (PATIENT.max_reset(HOUR * 24), HOUR * 24),
    ];
    for (rules, bound) in bounded {
        for wait in [bound, bound + millis(1), HOUR * 1_000_000, Duration::MAX] {
            let breaker = breaker(rules);
            unavailable(&breaker, wait);
            assert_eq!(retry_after(&breaker), Some(bound));
        }
    }
    let breaker = breaker(PATIENT.max_reset(Duration::MAX));
    unavailable(&breaker, Duration::MAX);
    assert!(retry_after(&breaker).unwrap() > HOUR * 1_000_000);
    breaker.reset();
    succeed(&breaker);
}

#[tokio::test(start_paused = true)]
async fn a_wait_of_zero_is_an_ordinary_failure() {
    let breaker = consecutive();
    for _ in 0..3 {
        assert_eq!(breaker.state(), State::Closed);
        unavailable(&breaker, Duration::ZERO);
    }
    assert_eq!(retry_after(&breaker), Some(seconds(30)));
    assert_eq!(breaker.snapshot().failed, 3);
    advance(seconds(30)).await;
    unavailable(&breaker, Duration::ZERO);
    assert_eq!(retry_after(&breaker), Some(seconds(30)));
    assert_eq!(breaker.snapshot().reopenings, 1);
}

#[tokio::test(start_paused = true)]
async fn the_shortest_wait_opens_the_circuit() {
    let breaker = breaker(PATIENT);
    unavailable(&breaker, Duration::from_nanos(1));
    assert_eq!(breaker.snapshot().opened, 1);
    advance(millis(1)).await;
    assert_eq!(breaker.state(), State::HalfOpen);
    succeed(&breaker);
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_stale_one_has_no_effect() {
    for breaker in [consecutive(), windowed()] {
        let stale: Vec<_> = (0..5).map(|_| breaker.try_acquire().unwrap()).collect();
        let mut stale = stale.into_iter();
        let mut settle = || {
            let permit = stale.next().unwrap();
            permit.settle(Verdict::Unavailable(HOUR));
        };
        trip(&breaker);
        settle();
        assert_eq!(retry_after(&breaker), Some(seconds(30)), "not longer");
        advance(seconds(30)).await;
        settle();
        assert_eq!(breaker.state(), State::HalfOpen);
        let probe = breaker.try_acquire().unwrap();
        settle();
        breaker.try_acquire().expect_err("the slot is taken");
        probe.success();
        settle();
        assert_eq!(breaker.state(), State::Closed);
        fail(&breaker);
        fail(&breaker);
        settle();
        assert_eq!(breaker.state(), State::Closed, "nor is it counted");
        let totals = breaker.snapshot();
        assert_eq!(
            (totals.failed, totals.opened),
            (10, 1),
            "but for the totals"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_of_two_at_once_decides() {
    let breaker = breaker(PATIENT);
    let [first, second] = [
        breaker.try_acquire().unwrap(),
        breaker.try_acquire().unwrap(),
    ];
    first.settle(Verdict::Unavailable(seconds(7)));
    second.settle(Verdict::Unavailable(seconds(70)));
    assert_eq!(retry_after(&breaker), Some(seconds(7)));
    assert_eq!(breaker.snapshot().opened, 1);
}

#[tokio::test(start_paused = true)]
async fn orders_are_final() {
    let breaker = breaker(PATIENT);
    let late = [(); 3].map(|()| breaker.try_acquire().unwrap());
    let orders = [
        CircuitBreaker::force_open,
        CircuitBreaker::force_closed,
        CircuitBreaker::reset,
    ];
    for (order, late) in orders.into_iter().zip(late) {
        order(&breaker);
        let before = breaker.snapshot();
        late.settle(Verdict::Unavailable(seconds(7)));
        let after = breaker.snapshot();
        assert_eq!((after.state, after.hold), (before.state, before.hold));
        assert_eq!(after.retry_after, before.retry_after);
        assert_eq!(after.withheld, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_circuit_that_is_held_closed_stays_closed_and_counts_it() {
    let for_an_hour = |breaker: &CircuitBreaker| breaker.force_closed_for(HOUR);
    for order in [CircuitBreaker::force_closed, for_an_hour] {
        let breaker = consecutive();
        order(&breaker);
        fail(&breaker);
        fail(&breaker);
        let stale = breaker.try_acquire().unwrap();
        unavailable(&breaker, seconds(7));
        assert_eq!(breaker.snapshot().withheld, 1);
        assert_eq!(breaker.state(), State::Closed);
        assert!(breaker.snapshot().hold.is_some());

        stale.settle(Verdict::Unavailable(seconds(7)));
        fail(&breaker);
        fail(&breaker);
        assert_eq!(breaker.snapshot().withheld, 1, "the evidence was cleared");
        fail(&breaker);
        assert_eq!(breaker.snapshot().withheld, 2);
        assert_eq!(breaker.snapshot().opened, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn one_after_the_end_of_a_hold_is_stale() {
    let breaker = consecutive();
    breaker.force_closed_for(seconds(60));
    let stale = breaker.try_acquire().unwrap();
    advance(seconds(60)).await;
    stale.settle(Verdict::Unavailable(seconds(7)));
    assert_eq!(breaker.state(), State::Closed);
    assert_eq!(breaker.snapshot().withheld, 0);
    unavailable(&breaker, seconds(7));
    assert_eq!(retry_after(&breaker), Some(seconds(7)));
}

#[tokio::test(start_paused = true)]
async fn on_the_ramp_it_reopens_the_circuit() {
    let breaker = breaker(PATIENT.ramp(seconds(100)).max_reset(seconds(600)));
    unavailable(&breaker, seconds(5));
    advance(seconds(5)).await;
    succeed(&breaker);
    assert!(breaker.snapshot().ramp.is_some());
    unavailable(&breaker, seconds(7));
    assert_eq!(retry_after(&breaker), Some(seconds(7)));
    assert_eq!(breaker.snapshot().reopenings, 1);
    advance(seconds(7)).await;
    fail(&breaker);
    assert_eq!(retry_after(&breaker), Some(seconds(120)), "doubled twice");

    advance(seconds(120)).await;
    succeed(&breaker);
    let stale = breaker.try_acquire().unwrap();
    advance(seconds(100)).await;
    stale.settle(Verdict::Unavailable(seconds(7)));
    assert_eq!(breaker.state(), State::Closed, "the ramp was over");
}

#[tokio::test(start_paused = true)]
async fn it_replaces_the_wait_of_no_other_opening() {
    let breaker = consecutive();
    unavailable(&breaker, seconds(7));
    advance(seconds(7)).await;
    succeed(&breaker);
    trip(&breaker);
    assert_eq!(retry_after(&breaker), Some(seconds(30)));
    half_open_again(&breaker).await;
}

async fn half_open_again(breaker: &CircuitBreaker) {
    breaker.reset();
    half_open(breaker).await;
    fail(breaker);
    assert_eq!(retry_after(breaker), Some(seconds(30)));
}

#[tokio::test(start_paused = true)]
async fn a_slow_call_after_which_the_service_is_unavailable_is_one_of_the_slow_ones() {
    let config = Config::builder().slow_call(seconds(1)).last_calls(100);
    let breaker = breaker(config);
    for (spent, slow) in [(1, 0), (2, 1)] {
        breaker.reset();
        let permit = breaker.try_acquire().unwrap();
        advance(seconds(spent)).await;
        permit.settle(Verdict::Unavailable(seconds(5)));
        assert_eq!(breaker.snapshot().slow, slow);
    }
    assert_eq!(breaker.snapshot().failed, 2);
}
