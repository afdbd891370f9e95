//! The log of an outage, as `tracing-subscriber` formats it by default, and the same changes as
//! events of the program.

use circuit_runtime::{CircuitError, State, circuit_breaker, registry};
use tokio::time::sleep;

#[derive(Debug, thiserror::Error)]
enum QuoteError {
    #[error("the exchange is down")]
    Down,
    #[error(transparent)]
    Circuit(#[from] CircuitError),
}

#[circuit_breaker(
    name = "shop::quote",
    key = exchange,
    max_failures = 3,
    window = "10s",
    reset = "200ms"
)]
async fn quote(exchange: &str, is_down: bool) -> Result<f64, QuoteError> {
    // A real program would call the exchange here.
    if is_down {
        return Err(QuoteError::Down);
    }
    Ok(42.5)
}

/// Calls an exchange that is down until the circuit opens, and again when it has recovered.
async fn outage() -> Result<(), QuoteError> {
    quote("NYSE", false).await?;
    let rejection = loop {
        if let Err(QuoteError::Circuit(rejection)) = quote("NYSE", true).await {
            break rejection;
        }
    };
    sleep(rejection.retry_after().unwrap_or_default()).await;
    quote("NYSE", false).await?;
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), QuoteError> {
    // The log needs events at the levels INFO and WARN, with the target `circuit_breaker`.
    tracing_subscriber::fmt::init();

    // A listener runs on the thread of the call that caused the change. It should be quick.
    let alarm = registry::on_change(|change| {
        if change.to == State::Open {
            println!("alarm: `{}` is open ({})", change.breaker, change.cause);
        }
    });
    outage().await?;
    drop(alarm);

    println!("\nThe latest changes, oldest first:");
    for change in registry::history() {
        println!(
            "`{}` was {} for {:.1?} and then {} ({})",
            change.breaker, change.from, change.since, change.to, change.cause
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex, PoisonError};

    use tracing_subscriber::util::SubscriberInitExt;

    use super::{QuoteError, outage};

    const GUIDE: &str = include_str!("../circuit-runtime/src/docs/guide/telemetry.rs");

    #[derive(Clone, Default)]
    struct Output(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Output {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut output = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            output.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn the_guide_shows_this_log() -> Result<(), QuoteError> {
        let output = Output::default();
        let writer = output.clone();
        let format = tracing_subscriber::fmt().with_writer(move || writer.clone());
        let log = format.without_time().finish().set_default();
        outage().await?;
        drop(log);

        let output = output.0.lock().unwrap_or_else(PoisonError::into_inner);
        let written = String::from_utf8_lossy(&output);
        assert_eq!(written.lines().count(), 3, "{written}");
        for line in written.lines() {
            // In the guide, the time stands before it.
            let line = format!("Z {line}\n");
            assert!(GUIDE.contains(&line), "{line}");
        }
        Ok(())
    }
}
