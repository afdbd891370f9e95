//! Unsafe functions stay unsafe, and so do their bodies.

use circuit_runtime::{CircuitBreaker, CircuitError, Config, circuit_breaker};

struct Buffer(*const u8);

impl Buffer {
    /// # Safety
    ///
    /// The pointer points to a byte.
    #[circuit_breaker(timeout = "1s")]
    async unsafe fn first(&self) -> Result<u8, CircuitError> {
        Ok(unsafe { *self.0 })
    }

    /// # Safety
    ///
    /// The pointer points to a byte.
    #[circuit_breaker(key = unsafe { *self.0 }, fallback = Ok(unsafe { self.0.read() }))]
    async unsafe fn keyed(&self) -> Result<u8, CircuitError> {
        Ok(unsafe { *self.0 })
    }
}

/// # Safety
///
/// The pointer points to a breaker.
#[circuit_breaker(breaker = *unsafe { &*breaker }, fallback = |error| {
    let name = unsafe { (*breaker).name() };
    if error.is_open() { Ok(name.len()) } else { Err(error) }
})]
async unsafe fn own(breaker: *const CircuitBreaker) -> Result<usize, CircuitError> {
    Ok(unsafe { &*breaker }.name().len())
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let byte = 7;
    let buffer = Buffer(&byte);
    let config = Config::builder().build().expect("a config");
    let breaker = CircuitBreaker::new("own", config);
    assert_eq!(unsafe { buffer.first().await }, Ok(7));
    assert_eq!(unsafe { buffer.keyed().await }, Ok(7));
    assert_eq!(unsafe { own(&breaker).await }, Ok(3));
}
