//! A call allocates nothing, in any state.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue fails")]

use circuit_runtime::{
    CircuitBreaker, CircuitBreakers, CircuitError, Config, ConfigBuilder, OwnedPermit, State,
    Verdict, circuit_breaker, registry,
};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::future::ready;
use std::pin::pin;
use std::sync::LazyLock;
use std::sync::{Barrier, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

const SIXTEEN_KIBIBYTES: isize = 16 * 1_024;

/// Tests that count bytes take turns: their threads would compete for thread slots.
static TURN: Mutex<()> = Mutex::new(());

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
    /// Allocated and not freed.
    static BYTES: Cell<isize> = const { Cell::new(0) };
}

// SAFETY: every call is forwarded unchanged to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        BYTES.set(BYTES.get() + layout.size().cast_signed());
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        BYTES.set(BYTES.get() - layout.size().cast_signed());
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Returns the allocations of this thread in a hundred runs of `call`, after one to warm up.
fn allocations<R>(call: impl Fn() -> R) -> usize {
    drop(call());
    let before = ALLOCATIONS.get();
    for _ in 0..100 {
        drop(call());
    }
    ALLOCATIONS.get() - before
}

fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    // One waker for all: a call that waits for the task's budget has tokio store each different
    // one.
    static WAKER: LazyLock<Waker> = LazyLock::new(|| Waker::noop().clone());
    pin!(future).poll(&mut Context::from_waker(&WAKER))
}

fn breakers(config: Config) -> [CircuitBreaker; 2] {
    [
        CircuitBreaker::new("static", config),
        CircuitBreaker::new(String::from("owned"), config),
    ]
}

/// Returns every rule, with limits that the calls below do not reach.
fn configs() -> [Config; 7] {
    let many = Config::builder().max_failures(100_000);
    let rates = Config::builder().failure_rate(1.0).min_calls(60_000);
    let slow = rates.slow_call(Duration::from_millis(500));
    [
        many,
        many.window(Duration::from_secs(10)),
        many.timeout(Duration::from_secs(2)),
        rates.window(Duration::from_secs(10)),
        rates.last_calls(60_000),
        slow.window(Duration::from_secs(10)),
        slow.last_calls(60_000),
    ]
    .map(|builder| builder.build().unwrap())
}

#[test]
fn the_allocator_counts_allocations() {
    assert_eq!(allocations(|| Box::new(7)), 100);
}

#[test]
fn a_call_allocates_nothing_while_closed() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let _entered = runtime.enter();
    for breaker in configs().into_iter().flat_map(breakers) {
        // Allocates the evidence, which is created on first use.
        breaker.try_acquire().unwrap().failure();
        assert_eq!(
            allocations(|| breaker.try_acquire().map(circuit_runtime::Permit::success)),
            0
        );
        assert_eq!(
            allocations(|| breaker.try_acquire().map(circuit_runtime::Permit::failure)),
            0
        );
        assert_eq!(
            allocations(|| breaker.try_acquire().map(circuit_runtime::Permit::ignore)),
            0
        );
        assert_eq!(allocations(|| breaker.try_acquire().map(drop)), 0);
        assert_eq!(
            allocations(|| poll_once(breaker.call(ready(Ok::<_, ()>(()))))),
            0
        );
        assert_eq!(
            allocations(|| poll_once(breaker.call(std::future::pending::<Result<(), ()>>()))),
            0
        );
        let failing = || breaker.call(ready(Err::<(), _>(7)));
        assert_eq!(
            allocations(|| poll_once(failing().failure_if(|error| *error > 7))),
            0
        );
        assert_eq!(
            allocations(|| poll_once(failing().ignore_if(|error| *error == 7))),
            0
        );
        assert_eq!(
            allocations(|| poll_once(failing().classify(|_| Verdict::Ignored))),
            0
        );
        assert_eq!(
            allocations(|| poll_once(breaker.call_with(|| ready(Ok::<_, ()>(()))))),
            0
        );
        let owned = || breaker.try_acquire_owned();
        assert_eq!(allocations(|| owned().map(OwnedPermit::failure)), 0);
        assert_eq!(
            allocations(|| owned().map(|permit| poll_once(permit.call(ready(Ok::<_, ()>(())))))),
            0
        );
        assert_eq!(
            allocations(|| poll_once(breaker.clone().call_owned(ready(Ok::<_, ()>(()))))),
            0
        );
        assert_eq!(
            allocations(|| breaker.call_blocking(|| Err::<(), _>(()))),
            0
        );
    }
}

#[test]
fn a_rejection_and_its_error_allocate_nothing() {
    for breaker in configs().into_iter().flat_map(breakers) {
        breaker.force_open();
        assert_eq!(allocations(|| breaker.try_acquire().unwrap_err()), 0);
    }
    for breaker in breakers(Config::builder().max_failures(1).build().unwrap()) {
        breaker.try_acquire().unwrap().failure();
        assert_eq!(breaker.state(), State::Open);
        assert_eq!(
            allocations(|| breaker.try_acquire().unwrap_err().clone()),
            0
        );
    }
}

/// Returns the same rules, with limits that one call reaches, and the shortest `reset`.
fn hasty_configs() -> Vec<Config> {
    let one = Config::builder().max_failures(1);
    let rates = Config::builder().failure_rate(1.0).min_calls(1);
    let slow = rates.slow_call(Duration::from_millis(500));
    [
        one,
        one.window(Duration::from_secs(10)),
        one.window(Duration::from_secs(10))
            .timeout(Duration::from_secs(2)),
        one.last_calls(100),
        rates.window(Duration::from_secs(10)),
        rates.last_calls(100),
        slow.window(Duration::from_secs(10)),
        slow.last_calls(100),
        one.jitter(1.0).max_reset(Duration::from_nanos(2)),
    ]
    .into_iter()
    .flat_map(|builder| [builder.probes(1), builder.probes(3), builder.probes(100)])
    .map(|builder| builder.reset(Duration::from_nanos(1)).build().unwrap())
    .collect()
}

#[test]
fn a_probe_allocates_nothing() {
    for breaker in hasty_configs().into_iter().flat_map(breakers) {
        // Allocates the slots, which are created by the first probe.
        while breaker.snapshot().opened < 2 {
            let _ = breaker.try_acquire().map(circuit_runtime::Permit::failure);
        }
        assert_eq!(
            allocations(|| breaker.try_acquire().map(circuit_runtime::Permit::failure)),
            0
        );
        assert_eq!(allocations(|| breaker.try_acquire().map(drop)), 0);
        // When it has closed, one failure opens it again.
        let close_and_open = || {
            let _ = breaker.try_acquire().map(circuit_runtime::Permit::success);
            if breaker.state() == State::Closed {
                let _ = breaker.try_acquire().map(circuit_runtime::Permit::failure);
            }
        };
        assert_eq!(allocations(close_and_open), 0);
    }
}

#[test]
fn a_call_allocates_nothing_while_forced_closed() {
    for breaker in configs().into_iter().flat_map(breakers) {
        breaker.try_acquire().unwrap().failure();
        breaker.force_closed();
        assert_eq!(
            allocations(|| breaker.try_acquire().map(circuit_runtime::Permit::success)),
            0
        );
        assert_eq!(
            allocations(|| breaker.try_acquire().map(circuit_runtime::Permit::failure)),
            0
        );
        assert_eq!(allocations(|| breaker.try_acquire().map(drop)), 0);
    }
}

#[test]
fn snapshots_and_orders_allocate_nothing() {
    for breaker in configs().into_iter().flat_map(breakers) {
        assert_eq!(allocations(|| breaker.state()), 0);
        assert_eq!(allocations(|| breaker.snapshot()), 0);
        assert_eq!(allocations(|| breaker.clone()), 0);
        assert_eq!(allocations(|| breaker.reset()), 0);
        assert_eq!(allocations(|| breaker.force_open()), 0);
        assert_eq!(allocations(|| breaker.force_closed()), 0);
    }
}

#[test]
fn a_call_that_times_out_allocates_nothing() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    for config in [
        Config::builder().max_failures(1_000),
        Config::builder()
            .failure_rate(1.0)
            .min_calls(1_000)
            .last_calls(1_000),
    ] {
        let config = config.timeout(Duration::from_nanos(1)).build().unwrap();
        for breaker in breakers(config) {
            breaker.try_acquire().unwrap().failure();
            runtime.block_on(async {
                let timed_out = || breaker.call(std::future::pending::<Result<(), ()>>());
                assert!(timed_out().await.is_err());
                let before = ALLOCATIONS.get();
                for _ in 0..100 {
                    assert!(timed_out().await.is_err());
                }
                assert_eq!(ALLOCATIONS.get() - before, 0);
            });
            assert_eq!(breaker.snapshot().timed_out, 101);
        }
    }
}

/// By permit, through `call` and annotated, with and without a timeout, in each state.
#[test]
fn a_million_dropped_calls_leave_no_memory_behind() {
    const OF_EACH_KIND: usize = 1_000_000 / (4 * 6);

    #[circuit_breaker(max_failures = 1, name = "dropped")]
    async fn untimed() -> Result<u32, CircuitError> {
        std::future::pending().await
    }

    #[circuit_breaker(max_failures = 1, timeout = "1h", name = "dropped, timed")]
    async fn timed() -> Result<u32, CircuitError> {
        std::future::pending().await
    }

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let slow = Config::builder()
        .slow_call(Duration::from_secs(1))
        .max_failures(1);
    let slow = slow.last_calls(100).timeout(Duration::from_secs(3_601));
    let [consecutive, slow] = [Config::builder().max_failures(1), slow]
        .map(|config| CircuitBreaker::new("dropped, by permit", config.build().unwrap()));
    runtime.block_on(async {
        drop((poll_once(untimed()), poll_once(timed())));
        let annotated = ["dropped", "dropped, timed"].map(|name| registry::find(name).unwrap());
        let all = [&consecutive, &slow, &annotated[0], &annotated[1]];
        let drop_all = |times: usize| {
            for _ in 0..times {
                drop(consecutive.try_acquire());
                drop(slow.try_acquire());
                for breaker in [&consecutive, &slow] {
                    drop(poll_once(
                        breaker.call(std::future::pending::<Result<(), ()>>()),
                    ));
                }
                drop(poll_once(untimed()));
                drop(poll_once(timed()));
            }
        };
        for state in 0..4 {
            for breaker in all {
                breaker.reset();
                match state {
                    0 => {}
                    1 => breaker.force_closed(),
                    2 => breaker.force_open(),
                    _ => breaker.try_acquire().unwrap().failure(),
                }
            }
            if state == 3 {
                tokio::time::advance(Duration::from_secs(30)).await;
                assert!(all.iter().all(|breaker| breaker.state() == State::HalfOpen));
            }
            // Enough calls to give the thread its own stripe of totals.
            drop_all(2_000);
            let base = BYTES.get();
            drop_all(OF_EACH_KIND);
            assert_eq!(BYTES.get(), base, "in state {state}");
        }
        let dropped: u64 = all.map(|breaker| breaker.snapshot().cancelled).iter().sum();
        assert!(dropped >= 3 * 6 * OF_EACH_KIND as u64);
    });
}

/// Returns the bytes that a breaker allocates when more threads use it than there are thread slots,
/// and each records as many failures as are remembered one by one.
fn bytes(config: ConfigBuilder) -> isize {
    let breaker = CircuitBreaker::new("memory", config.build().unwrap());
    let together = Barrier::new(100);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..100)
            .map(|_| {
                scope.spawn(|| {
                    together.wait();
                    let before = BYTES.get();
                    for _ in 0..100 {
                        let permit = breaker.try_acquire();
                        let _ = permit.map(circuit_runtime::Permit::failure);
                    }
                    let taken = BYTES.get() - before;
                    together.wait(); // every thread keeps its slot until the end
                    taken
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    })
}

#[test]
fn the_evidence_and_the_totals_take_at_most_sixteen_kibibytes() {
    let _turn = TURN.lock();
    for limit in [1, 1_000, 1_001, u32::MAX] {
        let config = Config::builder().max_failures(limit);
        for config in [
            config,
            config.window(Duration::from_millis(1)),
            config.window(Duration::MAX),
        ] {
            let taken = bytes(config);
            assert!(
                (1..=SIXTEEN_KIBIBYTES).contains(&taken),
                "{taken} bytes for {config:?}"
            );
        }
    }
}

#[test]
fn the_evidence_of_rates_takes_at_most_sixteen_kibibytes() {
    let _turn = TURN.lock();
    let totals = bytes(Config::builder().max_failures(u32::MAX));
    let rates = Config::builder().failure_rate(1.0).min_calls(40_000);
    let slow = rates.slow_call(Duration::from_nanos(1));
    for config in [
        rates.window(Duration::from_nanos(1)),
        rates.window(Duration::MAX),
        rates.last_calls(65_536),
        rates.max_failures(40_000).last_calls(65_536),
        slow.window(Duration::from_millis(1)).max_failures(1_000),
        slow.window(Duration::MAX).max_failures(1_000),
        slow.last_calls(40_000),
        Config::builder().max_failures(1).probes(u32::MAX),
    ] {
        let taken = bytes(config) - totals;
        assert!(taken <= SIXTEEN_KIBIBYTES, "{taken} bytes for {config:?}");
    }
    // The two bits of each call are sixteen kibibytes on their own.
    let most = bytes(slow.last_calls(65_536)) - totals;
    assert!(most <= SIXTEEN_KIBIBYTES + 6 * 1_024, "{most} bytes");
}

#[test]
fn an_annotated_call_allocates_nothing() {
    #[circuit_breaker(max_failures = 1_000, window = "10s", name = "untimed")]
    async fn untimed(answer: Result<u32, CircuitError>) -> Result<u32, CircuitError> {
        answer
    }

    #[circuit_breaker(max_failures = 1_000, timeout = "2s", name = "timed")]
    async fn timed(answer: Result<u32, CircuitError>) -> Result<u32, CircuitError> {
        answer
    }

    #[circuit_breaker(
        max_failures = 1_000,
        failure_if = CircuitError::is_timeout,
        ignore_if = |error| error.breaker() == "classified",
        name = "classified"
    )]
    async fn classified(answer: Result<u32, CircuitError>) -> Result<u32, CircuitError> {
        answer
    }

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let _entered = runtime.enter();
    assert!(poll_once(classified(Ok(7))).is_ready());
    let breaker = registry::find("classified").unwrap();
    breaker.force_open();
    let open = breaker.try_acquire().unwrap_err();
    breaker.reset();
    assert_eq!(allocations(|| poll_once(classified(Err(open.clone())))), 0);
    assert!(breaker.snapshot().ignored > 100);
    assert_eq!(allocations(|| poll_once(untimed(Ok(7)))), 0);
    assert_eq!(allocations(|| poll_once(timed(Ok(7)))), 0);
    for name in ["untimed", "timed"] {
        registry::find(name).unwrap().force_open();
    }
    assert_eq!(allocations(|| poll_once(untimed(Ok(7)))), 0);
    assert_eq!(allocations(|| poll_once(timed(Ok(7)))), 0);
    assert!(registry::find("timed").unwrap().snapshot().rejected > 100);
}

/// Returns the bytes that this thread allocates for each key, with one call for each.
fn bytes_for_each_key(keys: std::ops::Range<usize>, call: impl Fn(&str) -> bool) -> isize {
    use std::fmt::Write;

    let mut key = String::with_capacity(32);
    let count = keys.len().cast_signed();
    let before = BYTES.get();
    for number in keys {
        key.clear();
        write!(key, "host-{number}").unwrap();
        assert!(call(&key));
    }
    (BYTES.get() - before) / count
}

#[test]
fn a_long_key_takes_no_more_than_256_bytes() {
    #[circuit_breaker(key = host, name = "long")]
    async fn long(host: &str) -> Result<usize, CircuitError> {
        Ok(host.len())
    }

    #[circuit_breaker(key = host, name = "none")]
    async fn none(host: &str) -> Result<usize, CircuitError> {
        Ok(host.len())
    }

    let length: usize = if cfg!(debug_assertions) {
        100_000
    } else {
        1_000_000
    };
    let keys = || (0..500).map(|number| format!("{number:05}"));
    let mut key = "x".repeat(length);
    // The median: the map grows with a few of the keys, which ones depends on random hashes.
    let bytes_for_each = |call: &mut dyn FnMut(&str) -> bool| {
        let mut bytes: Vec<_> = keys()
            .map(|key| {
                let before = BYTES.get();
                assert!(call(&key));
                BYTES.get() - before
            })
            .collect();
        bytes.sort_unstable();
        bytes.get(bytes.len() / 2).copied().unwrap_or_default()
    };
    // The key itself takes five of these bytes.
    let besides = bytes_for_each(&mut |number| poll_once(none(number)).is_ready()) - 5;
    let taken = bytes_for_each(&mut |number| {
        key.replace_range(length - 5.., number);
        poll_once(long(&key)).is_ready()
    });
    assert!((1..=256).contains(&(taken - besides)), "{taken}, {besides}");
    let all = registry::all().into_iter();
    let breakers = all.filter(|breaker| breaker.name().function() == "long");
    assert_eq!(breakers.count(), keys().count(), "each key has a breaker");
    assert_eq!(allocations(|| poll_once(long(&key))), 0);
}

#[test]
fn evicted_keys_leave_no_memory_behind() {
    #[circuit_breaker(key = host, max_keys = 1_000, name = "evicted")]
    async fn evicted(host: &str) -> Result<usize, CircuitError> {
        Ok(host.len())
    }

    let call = |host: &str| poll_once(evicted(host)).is_ready();
    let listed = || {
        let all = registry::all().into_iter();
        all.filter(|breaker| breaker.name().starts_with("evicted"))
            .count()
    };
    bytes_for_each_key(0..10_000, call);
    let before = BYTES.get();
    let most = listed();
    // A million takes a second in release builds, and ten in debug builds.
    let keys = if cfg!(debug_assertions) {
        100_000
    } else {
        1_000_000
    };
    bytes_for_each_key(10_000..keys, call);
    let left = BYTES.get() - before;
    assert!(left < 100_000, "{left} bytes after {keys} keys");
    assert_eq!((most, listed()), (1_000, 1_000));
}

#[test]
fn a_call_with_a_known_key_allocates_nothing() {
    #[circuit_breaker(key = host, name = "known text")]
    async fn text(host: &str) -> Result<usize, CircuitError> {
        Ok(host.len())
    }

    #[circuit_breaker(key = number, name = "known number")]
    async fn number(number: u64) -> Result<u64, CircuitError> {
        Ok(number)
    }

    #[circuit_breaker(key = host, name = "known fallback", fallback = Ok(0))]
    async fn fallback(host: &str) -> Result<usize, CircuitError> {
        Ok(host.len())
    }

    #[circuit_breaker(breaker = breakers, key = host)]
    async fn own_text(breakers: &CircuitBreakers, host: &str) -> Result<usize, CircuitError> {
        Ok(host.len() + breakers.all().capacity())
    }

    #[circuit_breaker(breaker = breakers, key = number)]
    async fn own_number(breakers: &CircuitBreakers, number: u64) -> Result<u64, CircuitError> {
        let _ = breakers;
        Ok(number)
    }

    let own = CircuitBreakers::new("known by hand", Config::default());
    let _ = own.get("a host");
    assert_eq!(allocations(|| own.get("a host")), 0);
    own.get("a host").force_open();
    assert_eq!(allocations(|| poll_once(own_text(&own, "a host"))), 0);
    assert_eq!(allocations(|| poll_once(own_number(&own, u64::MAX))), 0);
    assert_eq!(allocations(|| own.clone()), 0);

    assert_eq!(allocations(|| poll_once(text("a host"))), 0);
    assert_eq!(allocations(|| poll_once(number(u64::MAX))), 0);
    assert_eq!(allocations(|| poll_once(fallback("a host"))), 0);
    for name in ["known text[a host]", "known fallback[a host]"] {
        registry::find(name).unwrap().force_open();
    }
    assert_eq!(allocations(|| poll_once(text("a host"))), 0);
    assert_eq!(allocations(|| poll_once(fallback("a host"))), 0);
}
