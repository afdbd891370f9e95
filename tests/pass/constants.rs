//! Constant expressions as values.

use std::{error::Error, time::Duration};

use circuit_runtime::circuit_breaker;

type Failure = Box<dyn Error + Send + Sync>;

const LIMIT: u32 = 5;
const RESET: Duration = Duration::from_secs(30);

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

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<(), Failure> {
    assert_eq!(paths().await?, 1);
    assert_eq!(expressions().await?, 1);
    assert_eq!(calls("x").await?, "x");
    assert_eq!(parentheses().await?, 1);
    assert_eq!(literals().await?, 1);
    assert_eq!(greatest().await?, 1);
    Ok(())
}
