//! Breakers of one's own for many keys, each used in a wrong way.

use std::sync::{Arc, LazyLock, Mutex};

use circuit_runtime::{CircuitBreaker, CircuitBreakers, CircuitError, Config, circuit_breaker};

static ONE: LazyLock<CircuitBreaker> =
    LazyLock::new(|| CircuitBreaker::new("one", Config::default()));
static EACH: LazyLock<CircuitBreakers> =
    LazyLock::new(|| CircuitBreakers::new("each", Config::default()));

#[derive(Debug)]
struct Host {
    name: String,
}

struct Client {
    breaker: CircuitBreaker,
    shared: Arc<CircuitBreaker>,
    upstreams: CircuitBreakers,
    maybe: Option<CircuitBreakers>,
    result: Result<CircuitBreakers, String>,
    locked: Mutex<CircuitBreakers>,
}

// One breaker beside a key.

#[circuit_breaker(breaker = ONE, key = host)]
async fn one_in_a_static(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

#[circuit_breaker(key = host, breaker = breaker)]
async fn one_as_argument(breaker: &CircuitBreaker, host: &str) -> Result<usize, CircuitError> {
    Ok(host.len() + breaker.name().len())
}

impl Client {
    #[circuit_breaker(breaker = self.breaker, key = host)]
    async fn one(&self, host: &str) -> Result<usize, CircuitError> {
        Ok(host.len())
    }

    #[circuit_breaker(breaker = &self.shared, key = host, fallback = Ok(7))]
    async fn one_that_is_shared(&self, host: &str) -> Result<usize, CircuitError> {
        Ok(host.len())
    }

    #[circuit_breaker(breaker = self.upstreams.get(host), key = host)]
    async fn one_that_is_found(&self, host: &str) -> Result<usize, CircuitError> {
        Ok(host.len())
    }
}

// Breakers of many keys without a key.

#[circuit_breaker(breaker = EACH)]
async fn each_in_a_static(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

#[circuit_breaker(breaker = upstreams)]
async fn each_as_argument(upstreams: CircuitBreakers) -> Result<usize, CircuitError> {
    Ok(upstreams.all().len())
}

impl Client {
    #[circuit_breaker(breaker = self.upstreams)]
    async fn without_key(&self, host: &str) -> Result<usize, CircuitError> {
        Ok(host.len())
    }

    #[circuit_breaker(breaker = self.upstreams.clone(), fallback = Ok(7))]
    async fn handle_without_key(&self, host: &str) -> Result<usize, CircuitError> {
        Ok(host.len())
    }
}

// Rules, a name and a bound, which are those of the breakers.

#[circuit_breaker(breaker = EACH, key = host, max_failures = 5)]
async fn rule(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

#[circuit_breaker(breaker = EACH, key = host, window = 100, timeout = "1s")]
async fn two_rules(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

#[circuit_breaker(breaker = EACH, key = host, name = "pages")]
async fn name(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

#[circuit_breaker(breaker = EACH, key = host, max_keys = 7)]
async fn max_keys(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

#[circuit_breaker(breaker = EACH, max_keys = 7)]
async fn max_keys_without_key(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

// Values of other types.

#[circuit_breaker(breaker = number, key = host)]
async fn of_another_type(number: u32, host: &str) -> Result<u32, CircuitError> {
    let _ = host;
    Ok(number)
}

#[circuit_breaker(breaker = EACH, key = host)]
async fn key_of_another_type(host: &Host) -> Result<usize, CircuitError> {
    Ok(host.name.len())
}

#[circuit_breaker(breaker = "each", key = host)]
async fn literal(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

#[circuit_breaker(breaker = EACH, key = "host")]
async fn literal_key(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

#[circuit_breaker(breaker = EACH, keys = host)]
async fn key_misspelled(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

#[circuit_breaker(breaker = EACH, key = hots)]
async fn key_unknown(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

#[circuit_breaker(breaker = upstreams, key = host)]
async fn type_parameter<B: Sync>(upstreams: &B, host: &str) -> Result<usize, CircuitError> {
    let _ = upstreams;
    Ok(host.len())
}

#[circuit_breaker(breaker = CircuitBreakers::new("new", Config::default()), key = host)]
async fn made_for_each_call(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

#[circuit_breaker(breaker = CircuitBreakers::new("new", Config::default()).max_keys(7), key = host)]
async fn bounded_for_each_call(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

impl Client {
    #[circuit_breaker(breaker = self.maybe, key = host)]
    async fn option(&self, host: &str) -> Result<usize, CircuitError> {
        Ok(host.len())
    }

    #[circuit_breaker(breaker = self.result, key = host)]
    async fn result(&self, host: &str) -> Result<usize, CircuitError> {
        Ok(host.len())
    }

    #[circuit_breaker(breaker = self.locked, key = host)]
    async fn lock(&mut self, host: &str) -> Result<usize, CircuitError> {
        Ok(host.len())
    }

    #[circuit_breaker(breaker = self.upstream, key = host)]
    async fn unknown_field(&self, host: &str) -> Result<usize, CircuitError> {
        Ok(host.len())
    }

    #[circuit_breaker(breaker = self.upstreams, key = host)]
    async fn error_without_from(&self, host: &str) -> Result<usize, String> {
        Ok(host.len())
    }
}

fn main() {}
