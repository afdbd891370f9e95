//! The cost of an export, by the number of keyed breakers.

#![allow(missing_docs, reason = "a benchmark has no users")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot continue stops")]

use std::fmt::Write;
use std::time::Duration;

use circuit_runtime::export::{self, Prometheus};
use circuit_runtime::{CircuitBreaker, CircuitBreakers, Config};
use divan::Bencher;

fn main() {
    divan::main();
}

/// Creates breakers with a rate, of which each has had calls and each tenth is open.
fn keyed(keys: u32) -> CircuitBreakers {
    let config = Config::builder()
        .failure_rate(0.5)
        .window(Duration::from_secs(60))
        .min_calls(1_000);
    let breakers = CircuitBreakers::new("export", config.build().unwrap()).max_keys(keys);
    let mut key = String::new();
    for number in 0..keys {
        key.clear();
        write!(key, "host-{number}.example").unwrap();
        let breaker = breakers.get(&key);
        breaker.try_acquire().unwrap().success();
        breaker.try_acquire().unwrap().failure();
        if number % 10 == 0 {
            breaker.trip();
        }
    }
    breakers
}

#[divan::bench(args = [100, 10_000], sample_count = 51, sample_size = 1)]
fn keys_added_up(bencher: Bencher<'_, '_>, keys: u32) {
    let _breakers = keyed(keys);
    let mut text = String::new();
    bencher.bench_local(|| {
        text.clear();
        export::prometheus(&mut text)
    });
}

#[divan::bench(args = [100, 10_000], sample_count = 51, sample_size = 1)]
fn the_top_20_keys(bencher: Bencher<'_, '_>, keys: u32) {
    let _breakers = keyed(keys);
    let prometheus = Prometheus::new().keys(20);
    let mut text = String::new();
    bencher.bench_local(|| {
        text.clear();
        prometheus.write(&mut text)
    });
}

#[divan::bench(args = [100, 10_000], sample_count = 51, sample_size = 1)]
fn breakers_of_their_own(bencher: Bencher<'_, '_>, breakers: u32) {
    let breaker = |number| CircuitBreaker::new(format!("export {number}"), Config::default());
    let _breakers: Vec<_> = (0..breakers).map(breaker).collect();
    let mut text = String::new();
    bencher.bench_local(|| {
        text.clear();
        export::prometheus(&mut text)
    });
}
