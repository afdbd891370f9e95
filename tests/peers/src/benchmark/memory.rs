//! The allocations of calls and breakers.

use std::hint::black_box;
use std::time::Duration;

use circuit_runtime::{CircuitBreaker, Config, ConfigBuilder, circuit_breaker};

use crate::answer::{Failure, at_once, body};
use crate::heap::Counted;
use crate::keyed;
use crate::measure::{on_threads, whole};
use crate::ours;
use crate::row::{OURS, Work};

/// Returns the allocations and bytes of a call.
pub(crate) fn per_call(work: &Work) -> (f64, f64) {
    const CALLS: u64 = 2_000;
    let counted = |calls| {
        let before = Counted::so_far();
        work(calls);
        let after = Counted::so_far();
        (
            after.allocations - before.allocations,
            after.bytes - before.bytes,
        )
    };
    counted(CALLS);
    // The difference, which leaves out what a batch allocates once.
    let (once, twice) = (counted(CALLS), counted(2 * CALLS));
    let share = |once, twice: u64| whole(twice.saturating_sub(once)) / whole(CALLS);
    (share(once.0, twice.0), share(once.1, twice.1))
}

/// The size of a breaker.
pub(crate) struct Size {
    pub(crate) library: &'static str,
    pub(crate) handle: usize,
    /// Bytes on the heap when it is new.
    pub(crate) heap: i64,
    /// Bytes that wrapping a future adds to it.
    pub(crate) future: Option<usize>,
}

impl Size {
    pub(crate) fn new<B>(
        library: &'static str,
        make: impl Fn() -> B,
        future: Option<usize>,
    ) -> Self {
        let inner = size_of_val(&body(Ok(7)));
        // The first one may allocate what all share.
        let first = make();
        let before = Counted::so_far();
        let second = make();
        let heap = Counted::so_far().held() - before.held();
        drop((first, second));
        Self {
            library,
            handle: size_of::<B>(),
            heap,
            future: future.map(|future| future.saturating_sub(inner)),
        }
    }

    pub(crate) fn ours() -> Self {
        let make = || ours::breaker(ours::failures_in_time());
        let breaker = make();
        let future = size_of_val(&breaker.call(body(Ok(7))));
        Self::new(OURS, make, Some(future))
    }
}

/// Returns the bytes that the attribute adds to a future, without and with a timeout.
pub(crate) fn futures() -> (usize, usize) {
    let plain = size_of_val(&ours::plain(7));
    (
        size_of_val(&ours::annotated(7)) - plain,
        size_of_val(&ours::timed(7)) - plain,
    )
}

/// Returns the heap of a keyed breaker that was called once.
pub(crate) fn per_key() -> i64 {
    per_key_of(keyed::call_once)
}

fn per_key_of(call: impl Fn(&str)) -> i64 {
    const KEYS: usize = 100_000;
    let keys: Vec<String> = (0..KEYS).map(keyed::key).collect();
    let before = Counted::so_far();
    for key in &keys {
        call(key);
    }
    (Counted::so_far().held() - before.held()) / i64::try_from(KEYS).unwrap_or(i64::MAX)
}

/// The heap of one of our breakers.
pub(crate) struct Held {
    pub(crate) rule: &'static str,
    /// The one of a key, after one call, including its name and its share of the map.
    pub(crate) key: i64,
    pub(crate) new: i64,
    /// After a success and a failure on one thread.
    pub(crate) used: i64,
    /// After the same on sixteen threads at once.
    pub(crate) on_sixteen: i64,
}

pub(crate) fn held() -> Vec<Held> {
    macro_rules! held {
        ($rule:literal, $config:expr, $($option:ident = $value:literal),*) => {{
            #[circuit_breaker($($option = $value,)* key = host, max_keys = 1_000_000, name = "idle")]
            async fn idle(host: &str) -> Result<u32, Failure> {
                Ok(u32::from(host.is_empty()))
            }

            let key = per_key_of(|host| drop(black_box(at_once(idle(host)))));
            held_by($rule, key, $config)
        }};
    }

    let second = Duration::from_secs(1);
    let span = || Config::builder().window(10 * second);
    let last = || Config::builder().last_calls(1_000);
    vec![
        held!(
            "5 consecutive failures",
            Config::builder().max_failures(5),
            max_failures = 5
        ),
        held!(
            "5 failures in 10 s",
            span().max_failures(5),
            max_failures = 5,
            window = "10s"
        ),
        held!(
            "1000 failures in 10 s",
            span().max_failures(1_000),
            max_failures = 1_000,
            window = "10s"
        ),
        held!(
            "5 of the last 1000 calls",
            last().max_failures(5),
            max_failures = 5,
            window = 1_000
        ),
        held!(
            "50 % of 10 s",
            span().failure_rate(0.5),
            failure_rate = 0.5,
            window = "10s"
        ),
        held!(
            "50 % of the last 1000 calls",
            last().failure_rate(0.5),
            failure_rate = 0.5,
            window = 1_000
        ),
        held!(
            "50 % slow of 10 s",
            span().slow_call(second).slow_rate(0.5),
            slow_call = "1s",
            slow_rate = 0.5,
            window = "10s"
        ),
        held!(
            "50 % slow of the last 1000 calls",
            last().slow_call(second).slow_rate(0.5),
            slow_call = "1s",
            slow_rate = 0.5,
            window = 1_000
        ),
    ]
}

fn held_by(rule: &'static str, key: i64, config: ConfigBuilder) -> Held {
    fn use_it(breaker: &CircuitBreaker) -> i64 {
        let before = Counted::so_far();
        for succeeds in [true, false, true] {
            if let Ok(permit) = breaker.try_acquire() {
                if succeeds {
                    permit.success();
                } else {
                    permit.failure();
                }
            }
        }
        Counted::so_far().held() - before.held()
    }
    let before = Counted::so_far();
    let breaker = ours::breaker(config);
    let new = Counted::so_far().held() - before.held();
    let used = new + use_it(&breaker);
    let others = on_threads(16, move |barrier| {
        barrier.wait();
        let held = use_it(&breaker);
        // All have a slot at the same time.
        barrier.wait_again();
        held
    });
    Held {
        rule,
        key,
        new,
        used,
        on_sixteen: used + others.iter().sum::<i64>(),
    }
}
