use std::rc::Rc;

use circuit_runtime::{CircuitError, circuit_breaker};

#[circuit_breaker]
async fn local() -> Result<u8, CircuitError> {
    let shared = Rc::new(1);
    std::future::ready(()).await;
    Ok(*shared)
}

fn is_send<T: Send>(_: T) {}

fn main() {
    is_send(local());
}
