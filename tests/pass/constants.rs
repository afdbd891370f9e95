//! Constant expressions as values.

use std::{error::Error, time::Duration};

use circuit_runtime::circuit_breaker;

type Failure = Box<dyn Error + Send + Sync>;

const LIMIT: u32 = 5;
const RESET: Duration = Duration::from_secs(30);

const RATE: f64 = 0.25;

const POINTER: &u32 = &3;
static SHARED: &u32 = &4;

struct Limits {
    most: u32,
}

const LIMITS: Limits = Limits { most: 2 };

const fn limit<const N: u32, const M: u32>() -> u32 {
    N + M
}

mod settings {
    pub(crate) const TIMEOUT: core::time::Duration = core::time::Duration::MAX;

    pub(crate) struct Defaults;

    impl Defaults {
        pub(crate) const WINDOW: core::time::Duration = core::time::Duration::from_secs(10);
    }
}

#[circuit_breaker(max_failures = LIMIT, window = settings::Defaults::WINDOW, reset = RESET, timeout = settings::TIMEOUT)]
async fn paths() -> Result<u8, Failure> {
    Ok(1)
}

#[circuit_breaker(max_failures = LIMIT * 2 - 1, window = Duration::from_millis(500), reset = if LIMIT > 3 { RESET } else { Duration::from_secs(1) })]
async fn expressions() -> Result<u8, Failure> {
    Ok(1)
}

#[circuit_breaker(reset = RESET, max_reset = Duration::MAX, jitter = 1.0 / 3.0)]
async fn growing() -> Result<u8, Failure> {
    Ok(1)
}

#[circuit_breaker(max_reset = "30s", jitter = "12.5%")]
async fn shares_in_percent() -> Result<u8, Failure> {
    Ok(1)
}

#[circuit_breaker(max_reset = settings::TIMEOUT, jitter = 0)]
async fn shares_as_integers() -> Result<u8, Failure> {
    Ok(1)
}

#[circuit_breaker(window = RESET, failure_rate = RATE, slow_call = Duration::from_millis(1), slow_rate = RATE * 2.0, min_calls = LIMIT, probes = LIMIT - 3)]
async fn rates() -> Result<u8, Failure> {
    Ok(1)
}

#[circuit_breaker(window = LIMIT)]
async fn last_calls() -> Result<u8, Failure> {
    Ok(1)
}

#[circuit_breaker(window = 2 * 5, failure_rate = "57%", min_calls = 10)]
async fn last_calls_computed() -> Result<u8, Failure> {
    Ok(1)
}

#[circuit_breaker(max_failures = 3, window = const { 10 }, slow_call = RESET)]
async fn last_calls_in_a_block() -> Result<u8, Failure> {
    Ok(1)
}

#[circuit_breaker(window = limit::<2, 3>(), slow_call = "2s", slow_rate = 1)]
async fn last_calls_called() -> Result<u8, Failure> {
    Ok(1)
}

#[circuit_breaker(window = if LIMIT > 3 { Duration::from_secs(1) } else { RESET }, failure_rate = 1)]
async fn spans_computed() -> Result<u8, Failure> {
    Ok(1)
}

#[circuit_breaker(window = 65_536_u32, failure_rate = 1e-3_f64, min_calls = 65536)]
async fn extremes() -> Result<u8, Failure> {
    Ok(1)
}

macro_rules! with_window {
    ($name:ident, $window:expr) => {
        #[circuit_breaker(failure_rate = RATE, window = $window)]
        async fn $name() -> Result<u8, Failure> {
            Ok(1)
        }
    };
}

with_window!(span_from_a_macro, "10s");
with_window!(last_calls_from_a_macro, (100));
with_window!(constant_from_a_macro, LIMIT + 1);

#[circuit_breaker(max_failures = limit::<2, 3>(), reset = const { RESET }, timeout = const { Duration::from_secs(1) })]
async fn calls<T: Send>(value: T) -> Result<T, Failure> {
    Ok(value)
}

#[circuit_breaker(max_failures = (5), reset = ("30s"))]
async fn parentheses() -> Result<u8, Failure> {
    Ok(1)
}

#[circuit_breaker(
    max_failures = 0x_ff,
    window = "1d2h3m4s5ms",
    reset = r"1m",
    timeout = r#"90s"#
)]
async fn literals() -> Result<u8, Failure> {
    Ok(1)
}

#[circuit_breaker(max_failures = 4_294_967_295_u32)]
async fn greatest() -> Result<u8, Failure> {
    Ok(1)
}

#[circuit_breaker(max_failures = *POINTER, probes = *SHARED * 2, min_calls = LIMITS.most, failure_rate = 0.5, window = LIMIT * 2)]
async fn dereferenced() -> Result<u8, Failure> {
    Ok(1)
}

#[circuit_breaker(key = host, max_keys = *POINTER)]
async fn keys_dereferenced(host: &str) -> Result<&str, Failure> {
    Ok(host)
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<(), Failure> {
    assert_eq!(paths().await?, 1);
    assert_eq!(expressions().await?, 1);
    assert_eq!(rates().await?, 1);
    assert_eq!(last_calls().await?, 1);
    assert_eq!(last_calls_computed().await?, 1);
    assert_eq!(last_calls_in_a_block().await?, 1);
    assert_eq!(last_calls_called().await?, 1);
    assert_eq!(spans_computed().await?, 1);
    assert_eq!(extremes().await?, 1);
    assert_eq!(span_from_a_macro().await?, 1);
    assert_eq!(last_calls_from_a_macro().await?, 1);
    assert_eq!(constant_from_a_macro().await?, 1);
    assert_eq!(calls("x").await?, "x");
    assert_eq!(parentheses().await?, 1);
    assert_eq!(literals().await?, 1);
    assert_eq!(greatest().await?, 1);
    assert_eq!(dereferenced().await?, 1);
    assert_eq!(keys_dereferenced("x").await?, "x");
    Ok(())
}
