//! Testing code that has a circuit breaker: with the feature `test-util`, breakers follow tokio's
//! clock, which a test can pause, and hours take milliseconds.
//!
//! `main` passes through an outage of two hours; the tests at the end show how to write your own.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use circuit_runtime::{CircuitError, circuit_breaker};
use tokio::time::{Instant, sleep};

#[derive(Debug, thiserror::Error)]
enum MailError {
    #[error("the mail server is down")]
    Down,
    #[error(transparent)]
    Circuit(#[from] CircuitError),
}

/// A mail server that tests can take down.
#[derive(Default)]
struct Server {
    is_down: AtomicBool,
    requests: AtomicU32,
}

#[circuit_breaker(
    name = "mail",
    max_failures = 3,
    reset = "30s",
    max_reset = "10m",
    timeout = "5s"
)]
async fn send(server: &Server) -> Result<(), MailError> {
    server.requests.fetch_add(1, Ordering::Relaxed);
    sleep(Duration::from_millis(200)).await;
    if server.is_down.load(Ordering::Relaxed) {
        return Err(MailError::Down);
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let (began, server) = (Instant::now(), Server::default());
    server.is_down.store(true, Ordering::Relaxed);
    let mut last = String::new();
    let mut calls = 0;
    while began.elapsed() < Duration::from_secs(2 * 3_600) {
        calls += 1;
        let now = match send(&server).await {
            Ok(()) => "sent".to_owned(),
            Err(MailError::Circuit(error)) if error.is_open() => "rejected".to_owned(),
            Err(error) => error.to_string(),
        };
        if now != last {
            println!("after {:>5} s: {now}", began.elapsed().as_secs());
            last = now;
        }
        sleep(Duration::from_secs(1)).await;
    }
    println!();
    println!(
        "{calls} calls in two hours of virtual time, {} of them reached the server",
        server.requests.load(Ordering::Relaxed)
    );
}

#[cfg(test)]
mod tests {
    use super::{MailError, Server, send};
    use circuit_runtime::{State, registry};
    use std::sync::atomic::Ordering;
    use std::time::Duration;
    use tokio::time::advance;

    /// Tests that call the same function share its breaker, so they take turns.
    static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

    /// Returns a server that is down, with the circuit closed.
    fn outage() -> Server {
        if let Some(breaker) = registry::find("mail") {
            breaker.reset();
        }
        let server = Server::default();
        server.is_down.store(true, Ordering::Relaxed);
        server
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_is_down_is_left_alone() {
        let _turn = TURN.lock().await;
        let server = outage();
        for _ in 0..10 {
            assert!(send(&server).await.is_err());
        }
        assert_eq!(server.requests.load(Ordering::Relaxed), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn mail_goes_out_again_when_the_server_is_back() {
        let _turn = TURN.lock().await;
        let server = outage();
        for _ in 0..3 {
            assert!(matches!(send(&server).await, Err(MailError::Down)));
        }
        server.is_down.store(false, Ordering::Relaxed);
        assert!(matches!(send(&server).await, Err(MailError::Circuit(_))));

        advance(Duration::from_secs(30)).await;
        assert!(send(&server).await.is_ok());
        let state = registry::find("mail").map(|breaker| breaker.state());
        assert_eq!(state, Some(State::Closed));
    }
}
