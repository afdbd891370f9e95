//! The memory of idle breakers, under every rule.
//!
//! On the system's clock alone: with `test-util`, each breaker that reads a clock has a time line
//! of its own, which takes memory, too.
#![cfg(all(feature = "macros", not(feature = "test-util")))]
#![allow(clippy::unwrap_used, reason = "a test that cannot continue fails")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use circuit_runtime::{
    CircuitBreaker, CircuitBreakers, CircuitError, Config, ConfigBuilder, Permit, circuit_breaker,
};

struct Counting;

thread_local! {
    /// Allocated on this thread and not freed.
    static BYTES: Cell<isize> = const { Cell::new(0) };
    /// The number of allocations on this thread.
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call is forwarded unchanged to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        BYTES.set(BYTES.get() + signed(layout.size()));
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        BYTES.set(BYTES.get() - signed(layout.size()));
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// Converts a size, none of which is larger than an `isize` can hold.
fn signed(size: usize) -> isize {
    isize::try_from(size).unwrap_or(isize::MAX)
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Returns the bytes that `act` allocates and does not free.
fn bytes_of(act: impl FnOnce()) -> isize {
    let before = BYTES.get();
    act();
    BYTES.get() - before
}

/// Returns every kind of rule, with and without a timeout.
fn rules() -> Vec<ConfigBuilder> {
    let second = Duration::from_secs(1);
    let number = Config::builder().max_failures(5);
    let rate = Config::builder().failure_rate(0.5);
    let slow = Config::builder().slow_call(20 * second);
    let rules = [
        number,
        number.window(10 * second),
        number.window(Duration::from_millis(1)),
        number.last_calls(100),
        number.max_failures(2_000).window(10 * second),
        rate.window(10 * second),
        rate.window(Duration::from_millis(1)),
        rate.window(Duration::MAX),
        rate.last_calls(100),
        rate.last_calls(65_536),
        rate.max_failures(5).window(10 * second),
        rate.max_failures(5).last_calls(100),
        slow.window(10 * second),
        slow.slow_rate(0.5).window(Duration::from_millis(1)),
        slow.last_calls(100),
        slow.slow_rate(0.5).failure_rate(0.5).window(10 * second),
        slow.slow_rate(0.5).failure_rate(0.5).last_calls(100),
        slow.max_failures(5).window(10 * second),
        slow.max_failures(5).failure_rate(0.5).last_calls(65_536),
    ];
    let timed = rules.map(|rule| rule.timeout(40 * second));
    rules.into_iter().chain(timed).collect()
}

/// Two calls are in flight at once, and others are dropped or ignored.
#[test]
fn the_first_thousand_successes_allocate_nothing_under_any_rule() {
    for rule in rules() {
        let config = rule.build().unwrap();
        let breaker = CircuitBreaker::new("idle", config);
        let acquire = || breaker.try_acquire().unwrap();
        let call = || {
            let permits = [acquire(), acquire()];
            drop(acquire());
            acquire().ignore();
            permits.into_iter().for_each(Permit::success);
        };
        let taken = bytes_of(|| (0..500).for_each(|_| call()));
        assert_eq!(breaker.snapshot().succeeded, 1_000);
        assert_eq!(taken, 0, "under {config:?}");

        let taken = bytes_of(|| acquire().success());
        assert!(taken > 0, "it has become a busy one under {config:?}");
    }
}

/// Returns the bytes that each key takes, with one call for each.
fn bytes_for_each_key(keys: usize, call: impl Fn(&str) -> bool) -> isize {
    use std::fmt::Write;

    let mut key = String::with_capacity(32);
    let bytes = bytes_of(|| {
        for number in 0..keys {
            key.clear();
            write!(key, "host-{number}.example").unwrap();
            assert!(call(&key));
        }
    });
    bytes / signed(keys)
}

fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// With its name and its share of the map: what is measured is everything that a key takes.
#[test]
fn an_idle_keyed_breaker_takes_at_most_256_bytes_under_every_rule() {
    macro_rules! check {
        ($($name:ident: $($option:ident = $value:literal),*;)*) => {$({
            #[circuit_breaker($($option = $value,)* key = host, max_keys = 1_000_000)]
            async fn $name(host: &str) -> Result<usize, CircuitError> {
                Ok(host.len())
            }

            let call = |host: &str| poll_once($name(host)).is_ready();
            let taken = bytes_for_each_key(50_000, call);
            println!("{taken} bytes with {}", stringify!($($option = $value),*));
            assert!((1..=256).contains(&taken), "{taken} bytes with {}", stringify!($name));
            let more = bytes_for_each_key(300, |host| (0..300).all(|_| call(host)));
            assert_eq!(more, 0, "some hundred calls later, with {}", stringify!($name));
        })*};
    }

    check! {
        consecutive: max_failures = 5;
        consecutive_timed: max_failures = 5, timeout = "2s";
        failures: max_failures = 5, window = "10s";
        failures_last: max_failures = 5, window = 100;
        rate: failure_rate = "50%", window = "10s";
        rate_last: failure_rate = "50%", window = 100;
        rate_failures: failure_rate = "50%", max_failures = 5, window = "10s";
        slow: slow_call = "60s", window = "10s";
        slow_last: slow_call = "60s", window = 100;
        slow_rate: slow_call = "60s", slow_rate = "50%", failure_rate = "50%", window = "10s";
        all: slow_call = "60s", slow_rate = "50%", failure_rate = "50%",
            max_failures = 5, window = "10s", timeout = "120s", probes = 3, jitter = "10%";
        all_last: slow_call = "60s", slow_rate = "50%", failure_rate = "50%",
            max_failures = 5, window = 100, timeout = "120s", probes = 3, jitter = "10%";
    }
}

/// Whatever the rules were, and how often they change: with calls before and after each change.
#[test]
fn new_rules_allocate_nothing_for_idle_keyed_breakers() {
    const KEYS: usize = 2_000;
    let rules: Vec<_> = rules()
        .into_iter()
        .map(|rule| rule.build().unwrap())
        .collect();
    let hosts = CircuitBreakers::new("idle", rules[0]).max_keys(1_000_000);
    let call = |host: &str| hosts.get(host).try_acquire().map(Permit::success).is_ok();
    let created = bytes_for_each_key(KEYS, call);
    assert!((1..=256).contains(&created), "{created} bytes");
    for config in rules.iter().chain(rules.iter().rev()) {
        let taken = bytes_of(|| hosts.reconfigure(*config).unwrap());
        assert_eq!(taken, 0, "under {config:?}");
        let more = bytes_for_each_key(KEYS, |host| (0..3).all(|_| call(host)));
        assert_eq!(more, 0, "under {config:?}");
    }
    // One that is created later takes no more.
    let later = bytes_of(|| {
        for number in 0..KEYS {
            assert!(call(&format!("later-{number}.example")));
        }
    });
    let later = later / signed(KEYS);
    assert!((1..=256).contains(&later), "{later} bytes");
}

/// The same of one whose calls are in flight when the rules change: what it takes stays bounded.
#[test]
fn new_rules_leave_no_memory_behind() {
    let rules: Vec<_> = rules()
        .into_iter()
        .map(|rule| rule.build().unwrap())
        .collect();
    let breaker = CircuitBreaker::new("busy", rules[0]);
    let change_all = || {
        for config in &rules {
            let permits = [(); 3].map(|()| breaker.try_acquire().unwrap());
            breaker.reconfigure(*config).unwrap();
            let [first, second, third] = permits;
            first.success();
            second.failure();
            drop(third);
            (0..20).for_each(|_| breaker.try_acquire().unwrap().success());
        }
        breaker.reset();
    };
    let first = bytes_of(|| (0..2).for_each(|_| change_all()));
    assert!((1..=16 * 1024).contains(&first), "{first} bytes");
    let more = bytes_of(|| (0..20).for_each(|_| change_all()));
    assert!(more <= 0, "{more} bytes");
}

/// Without a listener, a change is recorded where there is room for it already.
#[test]
fn the_first_transition_allocates_one_box_and_no_other_allocates_anything() {
    let config = Config::builder()
        .max_failures(1)
        .reset(Duration::from_micros(1));
    let breaker = CircuitBreaker::new("flapping", config.build().unwrap());
    let allocations = |act: &dyn Fn()| {
        let before = ALLOCATIONS.get();
        act();
        ALLOCATIONS.get() - before
    };
    assert_eq!(allocations(&|| breaker.force_open()), 1);
    breaker.reset();
    // The first failure allocates the streak, and the first lease of a probe its slots.
    let outage = || {
        breaker.try_acquire().unwrap().failure();
        // The wait of a microsecond is over at once.
        while let Err(rejected) = breaker.try_acquire().map(Permit::success) {
            assert!(rejected.is_open());
        }
    };
    outage();
    assert_eq!(allocations(&|| (0..100).for_each(|_| outage())), 0);
    assert_eq!(allocations(&|| breaker.trip()), 0);
    assert_eq!(allocations(&|| breaker.reset()), 0);
    assert_eq!(breaker.snapshot().opened, 103);
}
