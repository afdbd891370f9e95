//! A client whose rules come from a file, with the environment over it, and are read again on a
//! signal while calls run.
//!
//! ```sh
//! cargo run --example configured                # reads examples/configured.toml
//! SHOP_CIRCUITS__QUOTE__RESET=1m cargo run --example configured -- my.toml
//! kill -HUP ..                                  # reads both again
//! ```
//!
//! A variable is named by the prefix of the program, then `CIRCUITS`, the name of the circuit and
//! the option, with two underscores between them. So the `name` of a circuit that is set in the
//! environment has no `::`, which a shell does not allow there, and no capital letters, as figment
//! reads variables in lower case.
//!
//! Other tables of the file, and other variables of the prefix, are left to the program.

mod circuits;
mod requests;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;

use circuit_runtime::{
    Applied, CircuitBreaker, CircuitError, Config, ConfigError, Overrides, circuit_breaker,
    registry,
};
use figment::Figment;
use figment::providers::{Env, Format, Toml};

use circuits::Circuits;
use requests::Requests;

/// The file that is read if no other is named.
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/configured.toml");

#[derive(Debug, thiserror::Error)]
enum QuoteError {
    #[error("no quote for `{0}`")]
    Unknown(String),
    #[error("the exchange is down")]
    Down,
    #[error(transparent)]
    Circuit(#[from] CircuitError),
}

struct Exchange {
    breaker: CircuitBreaker,
}

impl Exchange {
    /// The rules of the program, over which a file may set others.
    fn new() -> Result<Self, ConfigError> {
        let rules = Config::builder().max_failures(5);
        let rules = rules.timeout(Duration::from_secs(2)).build()?;
        Ok(Self {
            breaker: CircuitBreaker::new("quote", rules),
        })
    }

    /// The code knows which errors are failures, as it has their types: a file does not.
    #[circuit_breaker(
        breaker = self.breaker,
        failure_if = |error| matches!(error, QuoteError::Down),
    )]
    async fn quote(&self, symbol: &str) -> Result<f64, QuoteError> {
        // A real program would call the exchange here.
        match symbol {
            "ACME" => Ok(42.5),
            "" => Err(QuoteError::Down),
            other => Err(QuoteError::Unknown(other.to_owned())),
        }
    }
}

/// Reads the file, and the environment over it, and applies both to all breakers. If anything is
/// wrong in them, nothing changes.
fn reload(file: &Path) -> Result<Applied, Box<dyn Error>> {
    // A missing file is refused, too. `Toml::file` would take it for an empty one, which sets all
    // rules back.
    let settings = Figment::from(Circuits(Toml::file_exact(file)));
    let settings = settings.merge(Circuits(Env::prefixed("SHOP_").split("__")));
    // figment names the key and the source of a mistake.
    let overrides: Overrides = settings.extract()?;
    // A mistake beside the rules of a breaker may be in either.
    let applied = registry::apply(overrides);
    Ok(applied.map_err(|error| format!("{error} in {} or the environment", file.display()))?)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let argument = std::env::args_os().nth(1);
    let file = argument.map_or_else(|| PathBuf::from(FILE), PathBuf::from);
    // Created before the file is read, so that a name in it that matches no circuit is a mistake.
    // The breaker of an annotated function exists from its first call on or, with the feature
    // `discovery`, as soon as overrides are applied.
    let exchange = Exchange::new()?;
    let mut requests = Requests::new()?;
    loop {
        match reload(&file) {
            Ok(applied) => print!("{applied}"),
            Err(error) => println!("refused, the rules stay as they are: {error}"),
        }
        match exchange.quote("ACME").await {
            Ok(price) => println!("called: {price}"),
            Err(error) => println!("not called: {error}"),
        }
        requests.next().await;
    }
}
