//! The verdict on a result, which settles its call.

use std::time::Duration;

use crate::circuit::{Circuit, Outcome, Ticket};
use crate::clock::Span;

/// The verdict on a call: the meaning of its result for the service.
///
/// Returned by the closure of [`Call::classify`](crate::Call::classify) and by the option
/// `classify` of the attribute; accepted by [`Permit::settle`](crate::Permit::settle).
///
/// # Examples
///
/// A result that is `Ok` whatever the service answers:
///
/// ```
/// use circuit_runtime::{CircuitBreaker, Config, State, Verdict};
/// use std::time::Duration;
///
/// struct Response {
///     status: u16,
///     /// In seconds.
///     retry_after: Option<u64>,
/// }
///
/// fn verdict(result: &Result<Response, std::io::Error>) -> Verdict {
///     let Ok(response) = result else {
///         return Verdict::Failure;
///     };
///     match (response.status, response.retry_after) {
///         (429 | 503, Some(seconds)) => Verdict::Unavailable(Duration::from_secs(seconds)),
///         (500.., _) => Verdict::Failure,
///         (499, _) => Verdict::Ignored, // our own client has gone
///         _ => Verdict::Success, // a 404, too: the service works
///     }
/// }
///
/// # async fn get(path: &str) -> Result<Response, std::io::Error> {
/// #     let _ = path;
/// #     Ok(Response { status: 429, retry_after: Some(20) })
/// # }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let breaker = CircuitBreaker::new("pages", Config::default());
/// let response = breaker.call(get("/")).classify(verdict).await;
/// assert_eq!(response.unwrap().status, 429);
/// assert_eq!(breaker.state(), State::Open);
/// # }
/// ```
#[must_use = "a verdict does nothing until a call is settled with it"]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verdict {
    /// The service works.
    Success,
    /// The service did not answer, or answered that it failed.
    Failure,
    /// The result says nothing about the service. A probe gives its slot to the next call.
    Ignored,
    /// A failure by which the service asks not to be called for this long: the circuit opens at
    /// once, whatever its limits.
    ///
    /// It stays open for that time and the `jitter`, never less, but at most for `max_reset`, or
    /// for one hour if that is not set. A half-open circuit reopens as after a failed probe. A wait
    /// of zero is an ordinary failure.
    Unavailable(Duration),
}

impl Verdict {
    /// Settles the ticket of a call with this verdict.
    #[inline]
    pub(super) fn settle(self, circuit: &Circuit, ticket: Ticket) {
        let outcome = match self {
            Self::Success => Outcome::Succeeded,
            Self::Failure => Outcome::Failed,
            Self::Ignored => Outcome::Ignored,
            Self::Unavailable(wait) => return settle_unavailable(circuit, ticket, wait),
        };
        circuit.settle(ticket, outcome);
    }
}

#[cold]
fn settle_unavailable(circuit: &Circuit, ticket: Ticket, wait: Duration) {
    circuit.settle_unavailable(ticket, Span::from_duration(wait));
}
