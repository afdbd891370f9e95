//! What the README shows is what the examples and tests run.

use circuit_runtime::{CircuitBreaker, Config, State};
use std::time::Duration;

const README: &str = include_str!("../../README.md");

// What the README shows begins below this line,
#[tokio::test(start_paused = true)]
async fn the_circuit_opens_and_recovers() {
    let breaker = CircuitBreaker::new("payments", Config::default());
    for _ in 0..5 {
        breaker.try_acquire().unwrap().failure();
    }
    assert_eq!(breaker.state(), State::Open);

    tokio::time::advance(Duration::from_secs(30)).await;
    breaker.try_acquire().unwrap().success();
    assert_eq!(breaker.state(), State::Closed);
}
// and ends above this line.

#[test]
fn its_test_is_this_test() {
    let this = include_str!("readme.rs");
    let (_, from) = this.split_once("begins below this line,\n").unwrap();
    let (shown, _) = from.split_once("// and ends above this line.").unwrap();
    assert!(README.contains(shown));
}

#[test]
fn its_example_is_the_quickstart() {
    let quickstart = include_str!("../../examples/quickstart.rs");
    let (_, shown) = quickstart.split_once("\n\n").unwrap();
    assert!(README.contains(shown));
}
