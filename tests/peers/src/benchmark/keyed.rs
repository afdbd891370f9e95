//! Keys for the look-up of a breaker by `key`. The option is not there yet: until it is, what is
//! measured is the least that a look-up could be, a map of the standard library behind a lock.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::RwLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::row::{Row, Rule, Scenario};

/// Keys as hosts are called.
fn key(number: usize) -> String {
    format!("host-{number}.example")
}

/// The order in which callers ask for keys.
#[derive(Clone, Copy)]
enum Order {
    /// 64 of them, again and again.
    Hot,
    /// Any, each as likely as the others.
    Uniform,
}

impl Order {
    /// Random numbers below `keys`, the same in every run.
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

pub(crate) fn rows() -> Vec<Row> {
    vec![
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

fn map(setting: &'static str, keys: usize, order: Order) -> Row {
    let map: HashMap<String, u64> = (0..keys).map(key).zip(0..).collect();
    let map = RwLock::new(map);
    let asked: Vec<String> = order.picks(keys).into_iter().map(key).collect();
    let turn = AtomicUsize::new(0);
    Row::new(
        Scenario::Keys,
        "",
        setting,
        Rule::None,
        Box::new(move |times| {
            // Where the last batch ended; two threads go two ways.
            let from = turn.fetch_add(997, Ordering::Relaxed) % asked.len();
            let asked = asked.iter().cycle().skip(from);
            for (key, _) in asked.zip(0..times) {
                let found = map.read().map(|map| map.get(black_box(key)).copied());
                let _ = black_box(found);
            }
        }),
    )
}
