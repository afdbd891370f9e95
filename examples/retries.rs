//! Retries and a circuit breaker: outside of the annotated function, each attempt is a call, and
//! none is made before the circuit admits one; inside, all attempts together are one call.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use backon::{ConstantBuilder, Retryable};
use circuit_runtime::{CircuitError, circuit_breaker, registry};

#[derive(Debug, thiserror::Error)]
enum QuoteError {
    #[error("the exchange is down")]
    Down,
    #[error(transparent)]
    Circuit(#[from] CircuitError),
}

/// How often the exchange was asked. It is down for the first four requests.
static REQUESTS: AtomicU32 = AtomicU32::new(0);

async fn request() -> Result<f64, QuoteError> {
    // A real program would call the exchange here.
    let request = REQUESTS.fetch_add(1, Ordering::Relaxed);
    if request < 4 {
        Err(QuoteError::Down)
    } else {
        Ok(42.5)
    }
}

#[circuit_breaker(name = "outside", max_failures = 3, reset = "300ms")]
async fn quote() -> Result<f64, QuoteError> {
    request().await
}

#[circuit_breaker(name = "inside", max_failures = 3, reset = "300ms")]
async fn quote_with_retries() -> Result<f64, QuoteError> {
    request.retry(attempts(3)).await
}

fn attempts(most: usize) -> ConstantBuilder {
    ConstantBuilder::default()
        .with_delay(Duration::from_millis(20))
        .with_max_times(most.saturating_sub(1))
}

/// Returns the delay before the next attempt: not before the circuit may admit it, and `None` once
/// there is none left, or while an operator holds the circuit open.
fn delay(error: &QuoteError, backoff: Option<Duration>) -> Option<Duration> {
    match error {
        QuoteError::Circuit(error) if error.is_open() => Some(backoff?.max(error.retry_after()?)),
        _ => backoff,
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("Outside of the function:");
    let price = quote
        .retry(attempts(10))
        .notify(|error, delay| println!("  {error}; next attempt in {} ms", delay.as_millis()))
        .adjust(delay)
        .await?;
    println!(
        "  answered: {price}, after {} requests",
        REQUESTS.load(Ordering::Relaxed)
    );
    print_totals("outside")?;

    println!("Inside of the function:");
    REQUESTS.store(0, Ordering::Relaxed);
    for _ in 0..2 {
        match quote_with_retries().await {
            Ok(price) => println!("  answered: {price}"),
            Err(error) => println!("  {error}"),
        }
    }
    println!("  after {} requests", REQUESTS.load(Ordering::Relaxed));
    print_totals("inside")
}

fn print_totals(name: &str) -> Result<(), Box<dyn std::error::Error>> {
    let breaker = registry::find(name).ok_or("the function was never called")?;
    let totals = breaker.snapshot();
    println!(
        "  calls: {} failed, {} succeeded, {} rejected",
        totals.failed, totals.succeeded, totals.rejected
    );
    Ok(())
}
