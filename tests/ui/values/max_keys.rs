use circuit_runtime::{CircuitError, circuit_breaker};

const MANY: usize = 1_000;

#[circuit_breaker(key = host, max_keys = 0)]
async fn zero(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

#[circuit_breaker(key = host, max_keys = -1)]
async fn negative(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

#[circuit_breaker(key = host, max_keys = "1000")]
async fn string(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

#[circuit_breaker(key = host, max_keys = 1e3)]
async fn float(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

#[circuit_breaker(key = host, max_keys = 1_000usize)]
async fn suffix(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

#[circuit_breaker(key = host, max_keys = 5_000_000_000)]
async fn too_many(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

#[circuit_breaker(key = host, max_keys)]
async fn name_alone(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

#[circuit_breaker(max_keys = 1_000)]
async fn without_key(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

#[circuit_breaker(max_keys = MANY)]
async fn constant_without_key(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

// One mistake, as it has a key.
#[circuit_breaker(key = "host", max_keys = 7)]
async fn beside_a_wrong_key(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

#[circuit_breaker(keys = host, max_keys = 7)]
async fn beside_a_key_of_another_name(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

#[circuit_breaker(key = host, max_keys = MANY)]
async fn constant_of_wrong_type(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

#[circuit_breaker(key = host, max_keys = Some(7))]
async fn option(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

#[circuit_breaker(key = host, max_keys = host.len())]
async fn not_a_constant(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

fn main() {}
