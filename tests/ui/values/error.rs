use circuit_runtime::{CircuitError, circuit_breaker};

struct Status(String);

impl Status {
    const UNAVAILABLE: Status = Status(String::new());

    fn of(error: &CircuitError) -> Self {
        Self(error.to_string())
    }

    fn text(error: CircuitError) -> String {
        error.to_string()
    }
}

#[circuit_breaker(error = 503, timeout = "1s")]
async fn number() -> Result<u8, u16> {
    Ok(1)
}

#[circuit_breaker(error = "unavailable")]
async fn text() -> Result<u8, String> {
    Ok(1)
}

#[circuit_breaker(error = Status(String::new()))]
async fn call() -> Result<u8, Status> {
    Ok(1)
}

#[circuit_breaker(error = || Status::UNAVAILABLE)]
async fn closure_of_no_argument() -> Result<u8, Status> {
    Ok(1)
}

#[circuit_breaker(error = |error, path| Status(path))]
async fn closure_of_two_arguments() -> Result<u8, Status> {
    Ok(1)
}

#[circuit_breaker(error = async |error| Status(error.to_string()))]
async fn asynchronous_closure() -> Result<u8, Status> {
    Ok(1)
}

#[circuit_breaker(error)]
async fn name_alone() -> Result<u8, Status> {
    Ok(1)
}

#[circuit_breaker(error = Status::text, error = Status::text)]
async fn twice() -> Result<u8, String> {
    Ok(1)
}

#[circuit_breaker(map_err = Status::text)]
async fn name_elsewhere() -> Result<u8, String> {
    Ok(1)
}

#[circuit_breaker(fallback = Ok(1), error = Status::text)]
async fn beside_a_fallback() -> Result<u8, String> {
    Ok(1)
}

#[circuit_breaker(error = Status::UNAVAILABLE)]
async fn value() -> Result<u8, Status> {
    Ok(1)
}

#[circuit_breaker(error = Status::text)]
async fn path_of_wrong_result() -> Result<u8, Status> {
    Ok(1)
}

#[circuit_breaker(error = Status::of)]
async fn path_that_borrows() -> Result<u8, Status> {
    Ok(1)
}

#[circuit_breaker(error = |error| error.to_string())]
async fn closure_of_wrong_result() -> Result<u8, Status> {
    Ok(1)
}

#[circuit_breaker(error = |error| Err(Status(error.to_string())), timeout = "1s")]
async fn closure_of_a_result() -> Result<u8, Status> {
    Ok(1)
}

#[circuit_breaker(error = |error| Status(error.to_text()))]
async fn closure_with_a_mistake() -> Result<u8, Status> {
    Ok(1)
}

#[circuit_breaker(error = |error| Status(error.to_string()))]
async fn not_a_result() -> u8 {
    1
}

#[circuit_breaker(error = |error| Status(error.to_string()), failure_if = |error| error.0.is_empty())]
async fn option() -> Option<u8> {
    None
}

fn main() {}
