//! Two clients of the same type, each with a circuit of its own: an outage that one of them meets
//! does not stop the other from calling.

use std::time::Duration;

use circuit_runtime::{CircuitBreaker, CircuitError, Config, ConfigError, circuit_breaker};

#[derive(Debug, thiserror::Error)]
enum PaymentError {
    #[error("the bank is down")]
    Down,
    #[error(transparent)]
    Circuit(#[from] CircuitError),
}

struct Bank {
    is_up: bool,
    breaker: CircuitBreaker,
}

impl Bank {
    /// The configuration belongs to the breaker: each bank can have its own.
    fn new(name: &'static str, is_up: bool, max_failures: u32) -> Result<Self, ConfigError> {
        let config = Config::builder()
            .max_failures(max_failures)
            .window(Duration::from_secs(10))
            .build()?;
        Ok(Self {
            is_up,
            breaker: CircuitBreaker::new(name, config),
        })
    }

    #[circuit_breaker(breaker = self.breaker)]
    async fn pay(&self, cents: u64) -> Result<u64, PaymentError> {
        // A real program would call the bank here.
        if self.is_up {
            Ok(cents)
        } else {
            Err(PaymentError::Down)
        }
    }

    /// Shares the circuit of [`pay`](Self::pay): while the bank is down, both are rejected.
    #[circuit_breaker(breaker = self.breaker)]
    async fn balance(&self) -> Result<u64, PaymentError> {
        if self.is_up {
            Ok(1_000)
        } else {
            Err(PaymentError::Down)
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), ConfigError> {
    let banks = [Bank::new("north", true, 5)?, Bank::new("south", false, 2)?];
    for _ in 0..3 {
        for bank in &banks {
            match bank.pay(250).await {
                Ok(cents) => println!("{}: paid {cents} cents", bank.breaker.name()),
                Err(error) => println!("{}: {error}", bank.breaker.name()),
            }
        }
    }
    for bank in &banks {
        match bank.balance().await {
            Ok(cents) => println!("{}: {cents} cents left", bank.breaker.name()),
            Err(error) => println!("{}: {error}", bank.breaker.name()),
        }
    }
    Ok(())
}
