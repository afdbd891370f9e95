//! A response that is streamed: the call of a language model is over when its last token has come,
//! long after the function that started it has returned.

use std::time::Duration;

use circuit_runtime::{CircuitBreaker, CircuitError, Config, OwnedPermit, State};
use tokio::sync::mpsc;
use tokio::time::sleep;

const TEXT: [&str; 6] = ["Once", "upon", "a", "time", "there", "was"];

/// The connection to the model broke in the middle of its response.
#[derive(Debug, thiserror::Error)]
#[error("the connection broke")]
struct Broken;

/// The tokens of one completion, as they come.
struct Tokens {
    connection: mpsc::Receiver<Result<&'static str, Broken>>,
    // Settled by the end of the stream. If the client leaves before that, this is dropped with the
    // stream, and the call counts as cancelled: the model did nothing wrong.
    permit: Option<OwnedPermit>,
}

impl Tokens {
    /// Returns the next token. The `poll_next` of a `Stream` would do the same.
    async fn next(&mut self) -> Option<Result<&'static str, Broken>> {
        let token = self.connection.recv().await;
        match &token {
            Some(Ok(_)) => {}
            Some(Err(Broken)) => self.settle(OwnedPermit::failure),
            None => self.settle(OwnedPermit::success),
        }
        token
    }

    fn settle(&mut self, settle: fn(OwnedPermit)) {
        if let Some(permit) = self.permit.take() {
            settle(permit);
        }
    }
}

/// Asks the model for a completion, unless its circuit is open.
fn complete(breaker: &CircuitBreaker, model: Model) -> Result<Tokens, CircuitError> {
    let permit = Some(breaker.try_acquire_owned()?);
    let connection = model.connect();
    Ok(Tokens { connection, permit })
}

/// A model on the other side of the network.
#[derive(Clone, Copy)]
enum Model {
    Healthy,
    /// Breaks the connection after this many tokens.
    BreaksAfter(usize),
}

impl Model {
    fn connect(self) -> mpsc::Receiver<Result<&'static str, Broken>> {
        let (sender, receiver) = mpsc::channel(1);
        tokio::spawn(async move {
            for (sent, token) in TEXT.into_iter().enumerate() {
                sleep(Duration::from_millis(30)).await;
                let token = match self {
                    Self::BreaksAfter(tokens) if sent == tokens => Err(Broken),
                    _ => Ok(token),
                };
                let is_last = token.is_err();
                if sender.send(token).await.is_err() || is_last {
                    return; // the client has left, or the connection is broken
                }
            }
        });
        receiver
    }
}

/// Reads a completion to its end, or leaves after this many tokens.
async fn read(breaker: &CircuitBreaker, model: Model, patience: usize) {
    let mut tokens = match complete(breaker, model) {
        Ok(tokens) => tokens,
        Err(error) => return println!("no completion: {error}"),
    };
    for _ in 0..patience {
        match tokens.next().await {
            Some(Ok(token)) => print!("{token} "),
            Some(Err(error)) => return println!(".. {error}: a failure"),
            None => return println!(".. complete: a success"),
        }
    }
    println!(".. the client leaves: neither");
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let config = Config::builder().max_failures(2).build()?;
    let breaker = CircuitBreaker::new("model", config);

    read(&breaker, Model::Healthy, usize::MAX).await;
    for _ in 0..3 {
        read(&breaker, Model::Healthy, 2).await;
    }
    for _ in 0..3 {
        read(&breaker, Model::BreaksAfter(4), usize::MAX).await;
    }

    let totals = breaker.snapshot();
    println!();
    println!("succeeded: {}", totals.succeeded);
    println!("cancelled: {}", totals.cancelled);
    println!("failed:    {}", totals.failed);
    println!("rejected:  {}", totals.rejected);

    assert_eq!((totals.succeeded, totals.cancelled), (1, 3));
    assert_eq!((totals.failed, totals.rejected), (2, 1));
    assert_eq!(totals.state, State::Open);
    Ok(())
}
