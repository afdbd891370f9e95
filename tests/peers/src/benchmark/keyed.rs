//! A function with a breaker for each `key`, beside the simplest lookup: a map of the standard
//! library behind a lock.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::RwLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use circuit_runtime::circuit_breaker;

use crate::answer::{Failure, at_once, observed_at_once};
use crate::row::{Mark, OURS, Row, Rule, Scenario, Work};

/// Returns a key that looks like a host.
pub(crate) fn key(number: usize) -> String {
    format!("host-{number}.example")
}

/// The order in which keys are used.
#[derive(Clone, Copy)]
enum Order {
    /// 64 of the keys.
    Hot,
    /// All keys, equally likely.
    Uniform,
}

impl Order {
    /// Returns random numbers below `keys`, the same in every run.
    fn picks(self, keys: usize) -> Vec<usize> {
        const PICKS: usize = 1 << 16;
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        let mut random = move |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state >> 11).unwrap_or_default() % below
        };
        match self {
            Self::Hot => {
                let hot: Vec<_> = (0..64).map(|_| random(keys)).collect();
                (0..PICKS).map(|_| hot[random(hot.len())]).collect()
            }
            Self::Uniform => (0..PICKS).map(|_| random(keys)).collect(),
        }
    }
}

#[circuit_breaker(max_failures = 5, window = "10s", key = host, max_keys = 1_000)]
async fn few(host: &str) -> Result<u32, Failure> {
    Ok(black_box(7))
}

#[circuit_breaker(max_failures = 5, window = "10s", key = host, max_keys = 1_000_000)]
async fn many(host: &str) -> Result<u32, Failure> {
    Ok(black_box(7))
}

#[circuit_breaker(max_failures = 5, window = "10s", key = host, max_keys = 1_000_000)]
async fn idle(host: &str) -> Result<u32, Failure> {
    Ok(black_box(7))
}

/// Makes a call, to measure the memory that it leaves behind.
pub(crate) fn call_once(host: &str) {
    let _ = black_box(at_once(idle(host)));
}

pub(crate) fn rows() -> Vec<Row> {
    for number in 0..1_000 {
        let _ = at_once(few(&key(number)));
    }
    for number in 0..1_000_000 {
        let _ = at_once(many(&key(number)));
    }
    let call_few = |host: &str| observed_at_once(few(black_box(host)), Result::is_err);
    let call_many = |host: &str| observed_at_once(many(black_box(host)), Result::is_err);
    vec![
        calls(
            "attribute; 1 000 keys, any",
            1_000,
            Order::Uniform,
            call_few,
        ),
        calls(
            "attribute; 1 000 000 keys, 64 of them",
            1_000_000,
            Order::Hot,
            call_many,
        )
        .marked(Mark::Key),
        calls(
            "attribute; 1 000 000 keys, any",
            1_000_000,
            Order::Uniform,
            call_many,
        ),
        map(
            "std HashMap in an RwLock; 1 000 keys, any",
            1_000,
            Order::Uniform,
        ),
        map(
            "std HashMap in an RwLock; 1 000 000 keys, 64 of them",
            1_000_000,
            Order::Hot,
        ),
        map(
            "std HashMap in an RwLock; 1 000 000 keys, any",
            1_000_000,
            Order::Uniform,
        ),
    ]
}

fn calls(
    setting: &'static str,
    keys: usize,
    order: Order,
    call: impl Fn(&str) -> bool + Send + Sync + 'static,
) -> Row {
    let work = in_order(keys, order, move |key| {
        black_box(call(key));
    });
    Row::new(Scenario::Keys, OURS, setting, Rule::FailuresInTime, work)
}

fn map(setting: &'static str, keys: usize, order: Order) -> Row {
    let map: HashMap<String, u64> = (0..keys).map(key).zip(0..).collect();
    let map = RwLock::new(map);
    let work = in_order(keys, order, move |key| {
        let found = map.read().map(|map| map.get(black_box(key)).copied());
        let _ = black_box(found);
    });
    Row::new(Scenario::Keys, "", setting, Rule::None, work)
}

fn in_order(keys: usize, order: Order, call: impl Fn(&str) + Send + Sync + 'static) -> Work {
    let picked: Vec<String> = order.picks(keys).into_iter().map(key).collect();
    let turn = AtomicUsize::new(0);
    Box::new(move |times| {
        // Continues where the last batch ended; two threads use different keys.
        let from = turn.fetch_add(997, Ordering::Relaxed) % picked.len();
        let picked = picked.iter().cycle().skip(from);
        for (key, _) in picked.zip(0..times) {
            call(key);
        }
    })
}
