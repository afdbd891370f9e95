//! Races of real threads, which start at barriers and depend on no timing.

use crate::support::{Failed, breaker, consecutive, fail, half_open, poll_once, succeed};
use circuit_runtime::{
    CallError, CircuitBreaker, CircuitError, Config, State, circuit_breaker, registry,
};
use std::cell::RefCell;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

const THREADS: usize = 8;

/// Runs `race` on eight threads that start together, and returns how many returned `true`.
fn count(race: impl Fn() -> bool + Sync) -> usize {
    let begin = Barrier::new(THREADS);
    let count = AtomicUsize::new(0);
    let runtime = tokio::runtime::Handle::current();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                // For the paused clock of the test.
                let _entered = runtime.enter();
                begin.wait();
                if race() {
                    count.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    count.into_inner()
}

#[tokio::test(start_paused = true)]
async fn at_the_deadline_exactly_one_probe_is_admitted() {
    let breaker = consecutive();
    for _ in 0..200 {
        half_open(&breaker).await;
        let admitted = count(|| breaker.try_acquire().map(std::mem::forget).is_ok());
        assert_eq!(admitted, 1);
        breaker.reset();
    }
}

#[tokio::test(start_paused = true)]
async fn at_the_deadline_exactly_as_many_probes_are_admitted_as_there_are_slots() {
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
async fn concurrent_probes_that_succeed_close_the_circuit() {
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
async fn concurrent_calls_are_all_counted_towards_a_rate() {
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
async fn calls_that_end_on_other_threads_are_not_overdue() {
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
async fn the_slot_of_a_dropped_probe_goes_to_exactly_one_call() {
    let breaker = consecutive();
    for _ in 0..200 {
        half_open(&breaker).await;
        // Each admitted call is dropped at once, so the slot passes on, one call at a time.
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
async fn concurrent_failures_open_the_circuit_once() {
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
async fn concurrent_failures_below_the_limit_do_not_open_the_circuit() {
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
    let breaker = consecutive();
    // No call passes the barrier unless all eight run at the same time.
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
    let breaker = consecutive();
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

/// By then the thread has released its slot, and tokio's clock is gone.
#[test]
fn a_destructor_can_make_calls_while_its_thread_exits() {
    struct CallsOnExit(CircuitBreaker);
    impl Drop for CallsOnExit {
        fn drop(&mut self) {
            fail(&self.0);
            assert_eq!(self.0.state(), State::Closed);
        }
    }
    thread_local! {
        static ON_EXIT: RefCell<Option<CallsOnExit>> = const { RefCell::new(None) };
    }

    let breaker = consecutive();
    for _ in 0..2 {
        let calls = CallsOnExit(breaker.clone());
        thread::spawn(move || {
            ON_EXIT.set(Some(calls));
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .start_paused(true)
                .build()
                .unwrap();
            runtime.block_on(async { succeed(&consecutive()) });
        })
        .join()
        .unwrap();
    }
    assert_eq!(breaker.snapshot().failed, 2);
}

#[test]
fn a_destructor_can_make_keyed_calls_while_its_thread_exits() {
    static COMPLETED: AtomicUsize = AtomicUsize::new(0);

    #[circuit_breaker(key = host, name = "threads::exiting")]
    async fn page(host: &str) -> Result<usize, CircuitError> {
        COMPLETED.fetch_add(1, Ordering::Relaxed);
        Ok(host.len())
    }

    /// Makes calls when its thread exits.
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
        // Initialized first, so that it is dropped last.
        LATE.with(|_| ());
        assert!(poll_once(page("known")).is_ready());
    })
    .join()
    .unwrap();
    assert_eq!(COMPLETED.load(Ordering::Relaxed), 4);
    let known = registry::find("threads::exiting[known]").unwrap();
    assert_eq!(known.snapshot().succeeded, 2);
    assert!(poll_once(page("new")).is_ready());
    let new = registry::find("threads::exiting[new]").unwrap();
    assert_eq!(new.snapshot().succeeded, 3, "the breaker of the late calls");
}
