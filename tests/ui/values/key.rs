use circuit_runtime::{CircuitError, circuit_breaker};

#[derive(Debug)]
struct Host {
    name: String,
    tags: Vec<String>,
}

#[circuit_breaker(key = "host")]
async fn string(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

#[circuit_breaker(key = 7, max_keys = 7)]
async fn number() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(key = |host| host.name)]
async fn closure(host: &Host) -> Result<usize, CircuitError> {
    Ok(host.name.len())
}

#[circuit_breaker(key)]
async fn name_alone(key: &str) -> Result<usize, CircuitError> {
    Ok(key.len())
}

#[circuit_breaker(key(host))]
async fn in_parentheses(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

#[circuit_breaker(key: host)]
async fn colon(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

#[circuit_breaker(key = host, key = port)]
async fn twice(host: &str, port: u16) -> Result<usize, CircuitError> {
    Ok(host.len() + usize::from(port))
}

#[circuit_breaker(key = host, port)]
async fn two_at_once(host: &str, port: u16) -> Result<usize, CircuitError> {
    Ok(host.len() + usize::from(port))
}

#[circuit_breaker(key = host)]
async fn structure(host: Host) -> Result<usize, CircuitError> {
    Ok(host.name.len() + host.tags.len())
}

#[circuit_breaker(key = &host.tags, max_keys = 7)]
async fn list(host: &Host) -> Result<usize, CircuitError> {
    Ok(host.tags.len())
}

#[circuit_breaker(key = host.tags.first())]
async fn option(host: &Host) -> Result<usize, CircuitError> {
    Ok(host.tags.len())
}

#[circuit_breaker(key = (host, port))]
async fn pair(host: &str, port: u16) -> Result<usize, CircuitError> {
    Ok(host.len() + usize::from(port))
}

#[circuit_breaker(key = host.as_bytes(), fallback = Ok(7))]
async fn bytes(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

#[circuit_breaker(key = ())]
async fn nothing() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(key = host)]
async fn type_parameter<T: Sync>(host: &T) -> Result<usize, CircuitError> {
    Ok(size_of_val(host))
}

#[circuit_breaker(key = host.title)]
async fn unknown_field(host: &Host) -> Result<usize, CircuitError> {
    Ok(host.name.len())
}

#[circuit_breaker(key = host.nmae())]
async fn unknown_method(host: &Host) -> Result<usize, CircuitError> {
    Ok(host.name.len())
}

#[circuit_breaker(key = async { host })]
async fn future(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

#[circuit_breaker(key = host)]
async fn error_without_from(host: &str) -> Result<usize, String> {
    Ok(host.len())
}

#[circuit_breaker(key = host)]
async fn not_a_result(host: &str) -> usize {
    host.len()
}

fn main() {
    let _futures = (string("a"), number(), name_alone("a"));
}
