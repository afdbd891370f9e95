//! Real threads at once. What they race for is decided by barriers, never by time.

use crate::support::{Failed, breaker, fail, half_open, in_a_row, poll_once, succeed};
use circuit_runtime::{
    CallError, CircuitBreaker, CircuitError, Config, State, circuit_breaker, registry,
};
use std::cell::RefCell;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

const THREADS: usize = 8;

/// Runs `race` on eight threads that begin together; how often it said yes.
fn count(race: impl Fn() -> bool + Sync) -> usize {
    let begin = Barrier::new(THREADS);
    let yes = AtomicUsize::new(0);
    let runtime = tokio::runtime::Handle::current();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                // The clock that the test has paused.
                let _entered = runtime.enter();
                begin.wait();
                if race() {
                    yes.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    yes.into_inner()
}

#[tokio::test(start_paused = true)]
async fn at_the_deadline_exactly_one_probe_is_let_in() {
    let breaker = in_a_row();
    for _ in 0..200 {
        half_open(&breaker).await;
        let admitted = count(|| breaker.try_acquire().map(std::mem::forget).is_ok());
        assert_eq!(admitted, 1);
        breaker.reset();
    }
}

#[tokio::test(start_paused = true)]
async fn at_the_deadline_exactly_as_many_probes_are_let_in_as_there_may_be() {
    for probes in 1..=7 {
        let breaker = breaker(Config::builder().max_failures(1).probes(probes));
        for _ in 0..50 {
            half_open(&breaker).await;
            let admitted = count(|| breaker.try_acquire().map(std::mem::forget).is_ok());
            assert_eq!(admitted, probes as usize);
            breaker.reset();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn probes_that_succeed_together_close_the_circuit() {
    let breaker = breaker(Config::builder().max_failures(1).probes(8));
    for _ in 0..200 {
        half_open(&breaker).await;
        assert_eq!(
            count(|| breaker.call_blocking(|| Ok::<_, Failed>(())).is_ok()),
            8
        );
        assert_eq!(breaker.state(), State::Closed);
    }
}

#[tokio::test(start_paused = true)]
async fn calls_that_race_are_all_counted_towards_a_rate() {
    for config in [
        Config::builder().window(crate::support::seconds(10)),
        Config::builder().last_calls(1_000),
    ] {
        for _ in 0..100 {
            let breaker = breaker(config.failure_rate(0.5).min_calls(801));
            let turn = AtomicUsize::new(0);
            count(|| {
                let fails = turn.fetch_add(1, Ordering::Relaxed).is_multiple_of(2);
                for _ in 0..100 {
                    if fails {
                        fail(&breaker);
                    } else {
                        succeed(&breaker);
                    }
                }
                true
            });
            assert_eq!(breaker.state(), State::Closed, "800 calls are too few");
            succeed(&breaker);
            assert_eq!(breaker.state(), State::Closed, "400 of 801");
            fail(&breaker);
            assert_eq!(breaker.state(), State::Open, "401 of 802");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn calls_that_end_on_other_threads_leave_none_that_hangs() {
    let config = Config::builder()
        .slow_call(crate::support::seconds(1))
        .min_calls(1);
    let breaker = breaker(config.slow_rate(0.01).window(crate::support::seconds(10)));
    for _ in 0..100 {
        let permits: Vec<_> = (0..THREADS)
            .map(|_| breaker.try_acquire().unwrap())
            .collect();
        let permits = std::sync::Mutex::new(permits);
        count(|| {
            let permit = permits.lock().unwrap().pop();
            permit.unwrap().success();
            true
        });
        crate::support::advance(crate::support::millis(400)).await;
        succeed(&breaker);
        assert_eq!(breaker.state(), State::Closed);
    }
}

#[tokio::test(start_paused = true)]
async fn exactly_one_takes_the_place_of_a_probe_that_was_dropped() {
    let breaker = in_a_row();
    for _ in 0..200 {
        half_open(&breaker).await;
        // Each that gets in leaves at once: the place goes round, one at a time.
        let inside = AtomicUsize::new(0);
        let admitted = count(|| match breaker.try_acquire() {
            Ok(permit) => {
                assert_eq!(
                    inside.fetch_add(1, Ordering::SeqCst),
                    0,
                    "two probes at once"
                );
                inside.fetch_sub(1, Ordering::SeqCst);
                drop(permit);
                true
            }
            Err(_) => false,
        });
        assert!(admitted >= 1);
        assert_eq!(breaker.state(), State::HalfOpen);
        succeed(&breaker);
    }
}

#[tokio::test(start_paused = true)]
async fn failures_that_race_open_the_circuit_once() {
    for _ in 0..200 {
        let config = Config::builder().max_failures(8).build().unwrap();
        let breaker = CircuitBreaker::new("race", config);
        count(|| breaker.call_blocking(|| Err::<(), _>(Failed)) == Err(CallError::Inner(Failed)));
        assert_eq!(breaker.state(), State::Open);
        assert_eq!(breaker.snapshot().failed, 8);
        assert_eq!(breaker.snapshot().opened, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn one_failure_less_than_the_limit_does_not_open_it() {
    for _ in 0..200 {
        let config = Config::builder()
            .max_failures(9)
            .window(crate::support::seconds(10))
            .build()
            .unwrap();
        let breaker = CircuitBreaker::new("race", config);
        count(|| {
            fail(&breaker);
            true
        });
        assert_eq!(breaker.state(), State::Closed);
        fail(&breaker);
        assert_eq!(breaker.state(), State::Open);
    }
}

#[tokio::test(start_paused = true)]
async fn concurrent_calls_run_concurrently() {
    let breaker = in_a_row();
    // Nobody gets past the barrier unless all eight calls run at the same time.
    let all_inside = Barrier::new(THREADS);
    let succeeded = count(|| {
        breaker
            .call_blocking(|| {
                all_inside.wait();
                Ok::<_, Failed>(())
            })
            .is_ok()
    });
    assert_eq!(succeeded, THREADS);
}

#[tokio::test(start_paused = true)]
async fn an_order_wins_every_race() {
    let breaker = in_a_row();
    for round in 0..200 {
        half_open(&breaker).await;
        let probe = std::sync::Mutex::new(breaker.try_acquire().ok());
        let turn = AtomicUsize::new(0);
        count(|| {
            match turn.fetch_add(1, Ordering::Relaxed) {
                0 => breaker.force_open(),
                1 => {
                    if let Some(probe) = probe.lock().unwrap().take() {
                        if round % 2 == 0 {
                            probe.success();
                        } else {
                            probe.failure();
                        }
                    }
                }
                _ => drop(breaker.try_acquire()),
            }
            true
        });
        assert_eq!(breaker.state(), State::Open);
        breaker.try_acquire().unwrap_err();
        assert_eq!(breaker.snapshot().retry_after, None, "forced, not tripped");
        breaker.reset();
    }
}

/// A thread that is ending has given its number back, and tokio's clock is gone.
#[test]
fn a_destructor_of_a_thread_may_make_calls() {
    struct CallsAtTheEnd(CircuitBreaker);
    impl Drop for CallsAtTheEnd {
        fn drop(&mut self) {
            fail(&self.0);
            assert_eq!(self.0.state(), State::Closed);
        }
    }
    thread_local! {
        static AT_THE_END: RefCell<Option<CallsAtTheEnd>> = const { RefCell::new(None) };
    }

    let breaker = in_a_row();
    for _ in 0..2 {
        let calls = CallsAtTheEnd(breaker.clone());
        thread::spawn(move || {
            AT_THE_END.set(Some(calls));
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .start_paused(true)
                .build()
                .unwrap();
            runtime.block_on(async { succeed(&in_a_row()) });
        })
        .join()
        .unwrap();
    }
    assert_eq!(breaker.snapshot().failed, 2);
}

#[test]
fn a_thread_that_ends_may_still_call_by_a_key() {
    static ANSWERED: AtomicUsize = AtomicUsize::new(0);

    #[circuit_breaker(key = host, name = "threads::ending")]
    async fn page(host: &str) -> Result<usize, CircuitError> {
        ANSWERED.fetch_add(1, Ordering::Relaxed);
        Ok(host.len())
    }

    /// Makes calls when its thread ends.
    struct Late;

    impl Drop for Late {
        fn drop(&mut self) {
            for host in ["known", "new", "new"] {
                assert!(poll_once(page(host)).is_ready());
            }
        }
    }

    thread_local!(static LATE: Late = const { Late });

    thread::spawn(|| {
        // Made first, so that it goes last.
        LATE.with(|_| ());
        assert!(poll_once(page("known")).is_ready());
    })
    .join()
    .unwrap();
    assert_eq!(ANSWERED.load(Ordering::Relaxed), 4);
    let known = registry::find("threads::ending[known]").unwrap();
    assert_eq!(known.snapshot().succeeded, 2);
    assert!(poll_once(page("new")).is_ready());
    let new = registry::find("threads::ending[new]").unwrap();
    assert_eq!(new.snapshot().succeeded, 3, "the breaker of the late calls");
}
