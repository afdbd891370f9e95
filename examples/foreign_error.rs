//! Error types of other crates, which cannot implement `From<CircuitError>` here: `error` makes one
//! of a rejection or a timeout.

use circuit_runtime::{CircuitError, circuit_breaker};

/// Stands for the crate of an RPC framework.
mod rpc {
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) enum Code {
        NotFound,
        Unavailable,
        DeadlineExceeded,
    }

    #[derive(Clone, Debug)]
    pub(crate) struct Status {
        pub(crate) code: Code,
        pub(crate) message: String,
        /// Seconds until the caller may try again, as metadata of the response.
        pub(crate) retry_after: Option<u64>,
    }

    impl Status {
        pub(crate) fn new(code: Code, message: &impl ToString) -> Self {
            Self {
                code,
                message: message.to_string(),
                retry_after: None,
            }
        }
    }
}

use rpc::{Code, Status};

/// Tells the caller of this server what became of the call, and when to try again.
fn status(error: &CircuitError) -> Status {
    let code = if error.is_timeout() {
        Code::DeadlineExceeded
    } else {
        Code::Unavailable
    };
    Status {
        retry_after: error.retry_after_secs(),
        ..Status::new(code, error)
    }
}

#[circuit_breaker(
    max_failures = 2,
    error = |error| status(&error),
    failure_if = |status| status.code != Code::NotFound,
)]
async fn price(symbol: &str) -> Result<f64, Status> {
    // A real program would call the exchange here.
    match symbol {
        "ACME" => Ok(42.5),
        "NOPE" => Err(Status::new(Code::NotFound, &"no such symbol")),
        _ => Err(Status::new(Code::Unavailable, &"the exchange is down")),
    }
}

/// An HTTP handler, in frameworks where a pair of a status and a text is a response.
#[circuit_breaker(max_failures = 2, error = |error| (503, error.to_string()))]
async fn page(path: &str) -> Result<String, (u16, String)> {
    match path {
        "/" => Ok("welcome".to_owned()),
        _ => Err((500, format!("cannot render {path}"))),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    for symbol in ["ACME", "NOPE", "NOPE", "DOWN", "DOWN", "ACME"] {
        match price(symbol).await {
            Ok(price) => println!("{symbol}: {price}"),
            Err(status) => println!(
                "{symbol}: {:?}, {}, retry after {:?}",
                status.code, status.message, status.retry_after
            ),
        }
    }
    for path in ["/", "/broken", "/broken", "/"] {
        match page(path).await {
            Ok(page) => println!("{path}: {page}"),
            Err((status, text)) => println!("{path}: {status} {text}"),
        }
    }
}
