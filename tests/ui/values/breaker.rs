use std::sync::{LazyLock, Mutex};

use circuit_runtime::{CircuitBreaker, CircuitError, Config, circuit_breaker};

static BREAKER: LazyLock<CircuitBreaker> = LazyLock::new(|| match Config::builder().build() {
    Ok(config) => CircuitBreaker::new("own", config),
    Err(error) => panic!("{error}"),
});

struct Client {
    breaker: CircuitBreaker,
    spare: Option<CircuitBreaker>,
    shared: Mutex<CircuitBreaker>,
}

#[circuit_breaker(breaker = "own")]
async fn name() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(breaker = 7)]
async fn number() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(breaker = || BREAKER.clone())]
async fn closure() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(breaker)]
async fn name_alone(breaker: &CircuitBreaker) -> Result<u8, CircuitError> {
    let _ = breaker;
    Ok(1)
}

#[circuit_breaker(BREAKER)]
async fn value_alone() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(breaker = BREAKER, breaker = BREAKER)]
async fn twice() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(breaker = number)]
async fn argument_of_wrong_type(number: u32) -> Result<u32, CircuitError> {
    Ok(number)
}

#[circuit_breaker(breaker = name)]
async fn string(name: &str) -> Result<usize, CircuitError> {
    Ok(name.len())
}

#[circuit_breaker(breaker = Config::builder())]
async fn builder() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(breaker = ())]
async fn nothing() -> Result<u8, CircuitError> {
    Ok(1)
}

impl Client {
    #[circuit_breaker(breaker = self.spare)]
    async fn option(&self) -> Result<u8, CircuitError> {
        Ok(1)
    }

    #[circuit_breaker(breaker = self.spare, fallback = Ok(7))]
    async fn option_of_the_body(self) -> Result<u8, CircuitError> {
        drop(self);
        Ok(1)
    }

    #[circuit_breaker(breaker = self.shared)]
    async fn lock(&mut self) -> Result<u8, CircuitError> {
        let _ = &self.shared;
        Ok(1)
    }

    #[circuit_breaker(breaker = self.breakers)]
    async fn unknown_field(&self) -> Result<u8, CircuitError> {
        let _ = &self.breaker;
        Ok(1)
    }

    #[circuit_breaker(breaker = self.breaker)]
    async fn error_without_from(&self) -> Result<u8, String> {
        Ok(1)
    }

    #[circuit_breaker(breaker = self.breaker)]
    async fn not_a_result(&self) -> u8 {
        1
    }
}

#[circuit_breaker(breaker = async { BREAKER.clone() })]
async fn future() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(breaker = circuit_runtime::CircuitBreaker::new("made", circuit_runtime::Config::default()))]
async fn made_for_each_call() -> Result<u8, CircuitError> {
    Ok(1)
}

fn main() {
    let _futures = (name(), number(), closure(), name_alone(&BREAKER));
}
