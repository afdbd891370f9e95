//! The cost of a call in each state, on one thread and on two, beside that of one atomic addition
//! and of one clock reading.

#![allow(missing_docs, reason = "a benchmark has no users")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot continue stops")]
#![allow(clippy::disallowed_methods, reason = "the clock is measured, too")]

use std::cell::Cell;
use std::hint::black_box;
use std::pin::pin;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use circuit_runtime::{CircuitBreaker, CircuitError, Config, ConfigBuilder, circuit_breaker};
use divan::Bencher;
use tokio::runtime::{EnterGuard, Runtime};

const THREADS: [usize; 2] = [1, 2];

fn main() {
    divan::main();
}

fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// F: one uncontended atomic addition.
#[divan::bench(threads = THREADS, sample_count = 101, sample_size = 20_000)]
fn f_fetch_add() -> u64 {
    thread_local! {
        static COUNT: AtomicU64 = const { AtomicU64::new(0) };
    }
    COUNT.with(|count| black_box(count).fetch_add(1, Ordering::Relaxed))
}

/// I: one clock reading.
#[divan::bench(threads = THREADS, sample_count = 101, sample_size = 20_000)]
fn i_instant_now() -> Instant {
    Instant::now()
}

/// Failures in a time window, with a limit that is never reached.
static CLOSED: LazyLock<CircuitBreaker> = LazyLock::new(|| {
    let config = Config::builder()
        .max_failures(1_000)
        .window(Duration::from_micros(1));
    CircuitBreaker::new("closed", config.build().unwrap())
});

#[divan::bench(threads = THREADS, sample_count = 101, sample_size = 20_000)]
fn closed_success() {
    succeed(&CLOSED);
}

#[divan::bench(threads = THREADS, sample_count = 101, sample_size = 20_000)]
fn closed_success_of_a_future() -> bool {
    poll_once(black_box(&*CLOSED).call(async { Ok::<_, CircuitError>(()) })).is_ready()
}

#[divan::bench(threads = THREADS, sample_count = 101, sample_size = 20_000)]
fn closed_failure() {
    if let Ok(permit) = black_box(&*CLOSED).try_acquire() {
        permit.failure();
    }
}

/// Creates a breaker with a rate that the calls below do not reach, and one failure in its window.
fn rated(config: ConfigBuilder) -> CircuitBreaker {
    let config = config.failure_rate(0.5).min_calls(1_000);
    let breaker = CircuitBreaker::new("rated", config.build().unwrap());
    breaker.try_acquire().unwrap().failure();
    breaker
}

fn rate_over(window: Duration) -> CircuitBreaker {
    rated(Config::builder().window(window))
}

static RATE_OVER_TIME: LazyLock<CircuitBreaker> =
    LazyLock::new(|| rate_over(Duration::from_secs(10)));

static RATE_OF_LAST_CALLS: LazyLock<CircuitBreaker> =
    LazyLock::new(|| rated(Config::builder().last_calls(1_000)));

static SLOW_RATE: LazyLock<CircuitBreaker> = LazyLock::new(|| {
    let config = Config::builder().window(Duration::from_secs(10));
    rated(config.slow_call(Duration::from_secs(1)))
});

#[expect(
    clippy::inline_always,
    reason = "each call is measured where it is made"
)]
#[inline(always)]
fn succeed(breaker: &CircuitBreaker) {
    if let Ok(permit) = black_box(breaker).try_acquire() {
        permit.success();
    }
}

#[divan::bench(threads = THREADS, sample_count = 101, sample_size = 20_000)]
fn rate_over_time_success() {
    succeed(&RATE_OVER_TIME);
}

#[divan::bench(threads = THREADS, sample_count = 101, sample_size = 20_000)]
fn rate_of_last_calls_success() {
    succeed(&RATE_OF_LAST_CALLS);
}

#[divan::bench(threads = THREADS, sample_count = 101, sample_size = 20_000)]
fn slow_rate_success() {
    succeed(&SLOW_RATE);
}

/// With `calls` calls in the window.
#[divan::bench(args = [1_000, 100_000, 10_000_000], sample_count = 101, sample_size = 20_000)]
fn rate_over_time_success_after(bencher: Bencher<'_, '_>, calls: u32) {
    let breaker = rate_over(Duration::from_secs(10));
    (0..calls).for_each(|_| succeed(&breaker));
    bencher.bench_local(|| succeed(&breaker));
}

/// With a window of `millis` milliseconds.
#[divan::bench(args = [2_000, 60_000, 86_400_000], sample_count = 101, sample_size = 20_000)]
fn rate_over_time_success_in(bencher: Bencher<'_, '_>, millis: u64) {
    let breaker = rate_over(Duration::from_millis(millis));
    bencher.bench_local(|| succeed(&breaker));
}

/// After a thousand times as many successes, so that the rate is not reached.
#[divan::bench(sample_count = 101, sample_size = 1_000)]
fn rate_over_time_failure(bencher: Bencher<'_, '_>) {
    let breaker = rate_over(Duration::from_secs(60));
    (0..10_000_000).for_each(|_| succeed(&breaker));
    bencher.bench_local(|| {
        if let Ok(permit) = black_box(&breaker).try_acquire() {
            permit.failure();
        }
    });
}

#[circuit_breaker(max_failures = 5, window = "10s", key = host, max_keys = 2_000_000)]
async fn keyed(host: &str) -> Result<u32, CircuitError> {
    Ok(black_box(7))
}

/// A million keys, each called once.
static HOSTS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let hosts: Vec<_> = (0..1_000_000).map(|host| format!("host-{host}")).collect();
    for host in &hosts {
        assert!(poll_once(keyed(host)).is_ready());
    }
    hosts
});

/// A call with one of `keys` keys. If there are few, all are in the cache.
#[divan::bench(args = [1, 64, 1_000, 1_000_000], threads = THREADS, sample_count = 101, sample_size = 20_000)]
fn function_of_a_key_among_a_million(keys: usize) -> bool {
    thread_local! {
        static STEP: Cell<usize> = const { Cell::new(0) };
    }
    // In turn, and far apart.
    let step = STEP.get().wrapping_add(1);
    STEP.set(step);
    let host = (step % keys).wrapping_mul(700_001) % HOSTS.len();
    HOSTS
        .get(host)
        .is_some_and(|host| poll_once(keyed(black_box(host))).is_ready())
}

static OPEN: LazyLock<CircuitBreaker> = LazyLock::new(|| {
    let config = Config::builder()
        .max_failures(1)
        .reset(Duration::from_secs(3_600));
    let breaker = CircuitBreaker::new("open", config.build().unwrap());
    breaker.try_acquire().unwrap().failure();
    breaker
});

#[divan::bench(threads = THREADS, sample_count = 101, sample_size = 20_000)]
fn open_rejection() -> bool {
    let rejected = black_box(&*OPEN).try_acquire().map(drop);
    black_box(rejected).is_err()
}

#[expect(
    clippy::unused_async,
    reason = "the baseline of the annotated functions"
)]
async fn plain(answer: u32) -> Result<u32, CircuitError> {
    Ok(answer)
}

#[circuit_breaker(max_failures = 5, window = "10s", reset = "30s")]
async fn annotated(answer: u32) -> Result<u32, CircuitError> {
    Ok(answer)
}

#[circuit_breaker(max_failures = 5, window = "10s", reset = "30s", timeout = "2s")]
async fn annotated_with_timeout(answer: u32) -> Result<u32, CircuitError> {
    Ok(answer)
}

#[divan::bench(threads = THREADS, sample_count = 101, sample_size = 20_000)]
fn function_plain() -> bool {
    black_box(poll_once(plain(black_box(7)))).is_ready()
}

#[divan::bench(threads = THREADS, sample_count = 101, sample_size = 20_000)]
fn function_annotated() -> bool {
    black_box(poll_once(annotated(black_box(7)))).is_ready()
}

#[divan::bench(threads = THREADS, sample_count = 101, sample_size = 20_000)]
fn function_annotated_with_timeout() -> bool {
    inside_a_runtime();
    black_box(poll_once(annotated_with_timeout(black_box(7)))).is_ready()
}

#[divan::bench(threads = THREADS, sample_count = 101, sample_size = 20_000)]
fn function_in_a_timeout_of_tokio() -> bool {
    inside_a_runtime();
    let timeout = tokio::time::timeout(Duration::from_secs(2), plain(black_box(7)));
    black_box(poll_once(timeout)).is_ready()
}

/// Enters a runtime on this thread, once.
fn inside_a_runtime() {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_time().build().unwrap()
    });
    thread_local! {
        static ENTERED: Cell<Option<EnterGuard<'static>>> = const { Cell::new(None) };
        static INSIDE: Cell<bool> = const { Cell::new(false) };
    }
    if !INSIDE.replace(true) {
        ENTERED.set(Some(RUNTIME.enter()));
    }
}
