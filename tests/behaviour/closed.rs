//! Failures in a closed circuit, and when they open it.

use crate::support::{advance, consecutive, fail, millis, seconds, succeed, trip, windowed};
use circuit_runtime::{CircuitBreaker, Config, State};

#[tokio::test(start_paused = true)]
async fn consecutive_failures_open_the_circuit_however_far_apart() {
    let breaker = consecutive();
    for _ in 0..2 {
        fail(&breaker);
        advance(seconds(86_400)).await;
    }
    assert_eq!(breaker.state(), State::Closed);

    fail(&breaker);
    assert_eq!(breaker.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn a_success_resets_the_streak() {
    let breaker = consecutive();
    for _ in 0..100 {
        fail(&breaker);
        fail(&breaker);
        succeed(&breaker);
    }
    assert_eq!(breaker.state(), State::Closed);
    fail(&breaker);
    fail(&breaker);
    assert_eq!(breaker.state(), State::Closed);
    fail(&breaker);
    assert_eq!(breaker.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn a_limit_of_one_opens_the_circuit_at_the_first_failure() {
    let config = Config::builder().max_failures(1).build().unwrap();
    let breaker = CircuitBreaker::new("one", config);
    succeed(&breaker);
    assert_eq!(breaker.state(), State::Closed);
    fail(&breaker);
    assert_eq!(breaker.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn successes_do_not_outweigh_failures_in_a_window() {
    let breaker = windowed();
    for _ in 0..10_000 {
        succeed(&breaker);
    }
    fail(&breaker);
    succeed(&breaker);
    fail(&breaker);
    succeed(&breaker);
    assert_eq!(breaker.state(), State::Closed);
    fail(&breaker);
    assert_eq!(breaker.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn the_window_slides_exactly() {
    let breaker = windowed();
    fail(&breaker); // at 0 s
    advance(millis(9_998)).await;
    fail(&breaker); // at 9.998 s
    advance(millis(2)).await;
    fail(&breaker); // at 10 s, when the first is as old as the window
    assert_eq!(breaker.state(), State::Closed);

    advance(millis(9_997)).await;
    fail(&breaker); // at 19.997 s, with those at 9.998 s and 10 s
    assert_eq!(breaker.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn failures_too_far_apart_for_the_window_never_open_the_circuit() {
    let breaker = windowed();
    for _ in 0..1_000 {
        fail(&breaker);
        advance(seconds(5)).await;
    }
    assert_eq!(breaker.state(), State::Closed);
}

/// Checks every failure against the list of all failures.
#[tokio::test(start_paused = true)]
async fn the_window_is_exact_up_to_a_thousand_failures_and_to_a_hundredth_above() {
    for limit in [2_u32, 7, 1_000, 1_001, 5_000] {
        let config = Config::builder()
            .max_failures(limit)
            .window(seconds(10))
            .build()
            .unwrap();
        let breaker = CircuitBreaker::new("limits", config);
        let mut times = Vec::new();
        let mut now = 0_u64;
        let mut step = 1_u64;

        while breaker.state() == State::Closed {
            // Gaps that shrink from above the window to almost nothing, unevenly.
            step = step * 48_271 % 2_147_483_647;
            let gap = step % (20_000 / (1 + times.len() as u64 / 4)).max(2);
            advance(millis(gap)).await;
            now += gap;
            times.push(now);
            fail(&breaker);

            let within = |window: u64| times.iter().filter(|&&time| now - time < window).count();
            let limit_reached = |window: u64| within(window) >= limit as usize;
            let open = breaker.state() == State::Open;
            if limit <= 1_000 {
                assert_eq!(open, limit_reached(10_000), "limit {limit}, at {now} ms");
            } else {
                assert!(!open || limit_reached(10_100), "limit {limit}, at {now} ms");
                assert!(open || !limit_reached(9_900), "limit {limit}, at {now} ms");
            }
            assert!(times.len() < 100_000, "limit {limit} was never reached");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_recovery_clears_the_evidence_from_before_the_trip() {
    for breaker in [consecutive(), windowed()] {
        trip(&breaker);
        breaker.reset();
        fail(&breaker);
        fail(&breaker);
        assert_eq!(breaker.state(), State::Closed);

        breaker.reset();
        fail(&breaker);
        fail(&breaker);
        assert_eq!(
            breaker.state(),
            State::Closed,
            "a reset clears the evidence of a closed circuit, too"
        );
        fail(&breaker);
        assert_eq!(breaker.state(), State::Open);
    }
}

#[tokio::test(start_paused = true)]
async fn limits_at_their_extremes_do_not_overflow() {
    for window in [
        None,
        Some(std::time::Duration::MAX),
        Some(std::time::Duration::from_nanos(1)),
    ] {
        let mut builder = Config::builder().max_failures(u32::MAX);
        if let Some(window) = window {
            builder = builder.window(window);
        }
        let breaker = CircuitBreaker::new("extremes", builder.build().unwrap());
        for _ in 0..10_000 {
            fail(&breaker);
        }
        assert_eq!(breaker.state(), State::Closed);
        assert_eq!(breaker.snapshot().failed, 10_000);
    }
}

#[tokio::test(start_paused = true)]
async fn a_window_of_a_nanosecond_holds_failures_of_the_same_moment() {
    let config = Config::builder()
        .max_failures(2)
        .window(std::time::Duration::from_nanos(1))
        .build()
        .unwrap();
    let breaker = CircuitBreaker::new("nanosecond", config);
    fail(&breaker);
    advance(millis(1)).await;
    fail(&breaker);
    assert_eq!(breaker.state(), State::Closed);
    fail(&breaker);
    assert_eq!(breaker.state(), State::Open);
}
