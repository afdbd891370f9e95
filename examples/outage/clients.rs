//! Two clients of the service that differ only in the attribute, which also sets the timeout.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use circuit_runtime::{CircuitBreaker, CircuitError, circuit_breaker, registry};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::log::Log;
use crate::measure::{Answer, Outcome};
use crate::scenario::{CALLERS, MAX_FAILURES, PAUSE, RESET, TIMEOUT, WINDOW};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Client {
    Unprotected,
    Protected,
}

impl Client {
    pub(crate) const BOTH: [Self; 2] = [Self::Unprotected, Self::Protected];

    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Unprotected => "/unprotected",
            Self::Protected => "/protected",
        }
    }

    async fn quote(self, http: &reqwest::Client, url: &str) -> Result<String, QuoteError> {
        match self {
            Self::Unprotected => unprotected_quote(http, url).await,
            Self::Protected => protected_quote(http, url).await,
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum QuoteError {
    #[error(transparent)]
    Http(#[from] reqwest::Error),
    #[error(transparent)]
    Circuit(#[from] CircuitError),
}

async fn unprotected_quote(http: &reqwest::Client, url: &str) -> Result<String, QuoteError> {
    let response = http.get(url).timeout(TIMEOUT).send().await?;
    Ok(response.error_for_status()?.text().await?)
}

const FIRST_LINE: u32 = line!() + 2;

#[circuit_breaker(
    name = "quotes",
    max_failures = MAX_FAILURES,
    window = WINDOW,
    reset = RESET,
    timeout = TIMEOUT,
)]
async fn protected_quote(http: &reqwest::Client, url: &str) -> Result<String, QuoteError> {
    let response = http.get(url).send().await?;
    Ok(response.error_for_status()?.text().await?)
}

const LAST_LINE: u32 = line!() - 2;

/// Returns where the source of the protected client is, for the reader of the results.
pub(crate) fn protected_source() -> String {
    format!("{}, lines {FIRST_LINE} to {LAST_LINE}", file!())
}

/// Returns the breaker of the protected client, once it has made its first call.
pub(crate) fn breaker() -> Option<CircuitBreaker> {
    registry::find("quotes")
}

/// Starts the callers of both clients. They stop when the returned set is dropped.
pub(crate) fn start(
    service: SocketAddr,
    answers: &Log<Answer>,
) -> Result<JoinSet<()>, reqwest::Error> {
    let mut callers = JoinSet::new();
    for client in Client::BOTH {
        let caller = Caller {
            client,
            // The service is on this machine, where a proxy cannot reach it.
            http: reqwest::Client::builder().no_proxy().build()?,
            url: format!("http://{service}{}", client.path()),
            answers: answers.clone(),
        };
        for number in 0..CALLERS {
            // Spread over one pause, so that they do not all call at the same moment.
            let delay = PAUSE * number / CALLERS;
            callers.spawn(caller.clone().call_again_and_again(delay));
        }
    }
    Ok(callers)
}

#[derive(Clone)]
struct Caller {
    client: Client,
    http: reqwest::Client,
    url: String,
    answers: Log<Answer>,
}

impl Caller {
    async fn call_again_and_again(self, delay: Duration) {
        sleep(delay).await;
        loop {
            self.answers.push(self.call().await);
            sleep(PAUSE).await;
        }
    }

    async fn call(&self) -> Answer {
        let called = Instant::now();
        let result = self.client.quote(&self.http, &self.url).await;
        Answer {
            client: self.client,
            called,
            answered: Instant::now(),
            outcome: outcome(&result),
        }
    }
}

fn outcome(result: &Result<String, QuoteError>) -> Outcome {
    match result {
        Ok(_) => Outcome::Success,
        Err(QuoteError::Circuit(error)) if error.is_open() => Outcome::Rejection,
        Err(QuoteError::Http(error)) if error.is_connect() => Outcome::Refusal,
        Err(_) => Outcome::Failure,
    }
}
