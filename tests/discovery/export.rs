//! Functions that were never called have their metrics from the start. A program of its own, as an
//! export creates the breakers of all annotated functions.

#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    dead_code,
    reason = "a test that cannot go on fails, and the functions are never called"
)]

use circuit_runtime::{CircuitError, circuit_breaker, export};

#[circuit_breaker(name = "never called")]
async fn never_called() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(name = "never called with a key", key = host)]
async fn never_called_with_a_key(host: &str) -> Result<(), CircuitError> {
    let _ = host;
    Ok(())
}

#[test]
fn functions_are_exported_before_their_first_call() {
    let mut text = String::new();
    export::prometheus(&mut text).unwrap();
    for line in [
        r#"circuit_breaker_state{breaker="never called",state="closed"} 1"#,
        r#"circuit_breaker_calls_total{breaker="never called",outcome="success"} 0"#,
        r#"circuit_breaker_open_keys{breaker="never called with a key"} 0"#,
    ] {
        assert!(
            text.lines().any(|exported| exported == line),
            "{line}\n{text}"
        );
    }
}
