//! Each option, as a literal or as a constant, does what the builder method of the same name does.

use std::{error::Error, time::Duration};

use circuit_runtime::{Config, ConfigBuilder, ConfigError, circuit_breaker, registry};

type Failure = Box<dyn Error + Send + Sync>;

const FIVE: u32 = 5;
const HALF: f64 = 0.5;
const SECOND: Duration = Duration::from_secs(1);

#[circuit_breaker(
    name = "literals",
    max_failures = 5,
    window = "1m30s",
    failure_rate = "57%",
    slow_call = "250ms",
    slow_rate = 0.5,
    min_calls = 7,
    reset = "1s",
    max_reset = "1h",
    jitter = "10%",
    probes = 3,
    timeout = "2s",
    ramp = "20s"
)]
async fn literals() -> Result<u8, Failure> {
    Ok(1)
}

#[circuit_breaker(
    ramp = SECOND,
    timeout = SECOND,
    probes = FIVE,
    jitter = HALF,
    max_reset = SECOND.saturating_mul(4),
    reset = SECOND,
    min_calls = FIVE - 1,
    slow_rate = HALF,
    slow_call = SECOND,
    failure_rate = HALF / 2.0,
    window = SECOND,
    max_failures = FIVE,
    name = "constants",
)]
async fn constants() -> Result<u8, Failure> {
    Ok(1)
}

#[circuit_breaker(name = "last calls", window = 100, failure_rate = 1)]
async fn last_calls() -> Result<u8, Failure> {
    Ok(1)
}

#[circuit_breaker(name = "constant last calls", failure_rate = 0.1, window = FIVE * 2, slow_call = "1s")]
async fn constant_last_calls() -> Result<u8, Failure> {
    Ok(1)
}

#[circuit_breaker(name = "nothing")]
async fn nothing() -> Result<u8, Failure> {
    Ok(1)
}

fn assert_config(name: &str, expected: ConfigBuilder) -> Result<(), ConfigError> {
    let breaker = registry::find(name);
    assert_eq!(
        breaker.as_ref().map(|breaker| breaker.config()),
        Some(expected.build()?),
        "{name}"
    );
    Ok(())
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<(), Failure> {
    literals().await?;
    let literals = Config::builder()
        .max_failures(5)
        .window(Duration::from_secs(90))
        .failure_rate(0.57)
        .slow_call(Duration::from_millis(250))
        .slow_rate(0.5)
        .min_calls(7)
        .reset(SECOND)
        .max_reset(Duration::from_secs(3_600))
        .jitter(0.1)
        .probes(3)
        .timeout(Duration::from_secs(2))
        .ramp(Duration::from_secs(20));
    assert_config("literals", literals)?;

    constants().await?;
    let constants = Config::builder()
        .max_failures(5)
        .window(SECOND)
        .failure_rate(0.25)
        .slow_call(SECOND)
        .slow_rate(0.5)
        .min_calls(4)
        .reset(SECOND)
        .max_reset(Duration::from_secs(4))
        .jitter(0.5)
        .probes(5)
        .timeout(SECOND)
        .ramp(SECOND);
    assert_config("constants", constants)?;

    last_calls().await?;
    let last_calls = Config::builder().last_calls(100).failure_rate(1.0);
    assert_config("last calls", last_calls)?;

    constant_last_calls().await?;
    let constant_last_calls = Config::builder()
        .last_calls(10)
        .failure_rate(0.1)
        .slow_call(SECOND);
    assert_config("constant last calls", constant_last_calls)?;

    nothing().await?;
    assert_config("nothing", Config::builder())?;
    Ok(())
}
