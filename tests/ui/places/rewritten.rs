//! Attributes above this one that leave no `async fn`.

use std::pin::Pin;

use circuit_runtime::{CircuitError, circuit_breaker};

struct Client;

impl Client {
    // The output of `#[async_trait]`, except for the first statement.
    #[circuit_breaker]
    fn quote<'life0, 'async_trait>(
        &'life0 self,
    ) -> Pin<Box<dyn Future<Output = Result<u8, CircuitError>> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
    {
        let one = 1;
        Box::pin(async move { Ok(one) })
    }
}

// Neither of them.
#[circuit_breaker]
fn blocks(runtime: &tokio::runtime::Runtime) -> Result<u8, CircuitError> {
    runtime.block_on(async { Ok(1) })
}

#[circuit_breaker]
fn boxed() -> Pin<Box<dyn Future<Output = Result<u8, CircuitError>>>> {
    Box::pin(async { Ok(1) })
}

#[tokio::main(flavor = "current_thread")]
#[circuit_breaker]
async fn main() -> Result<(), CircuitError> {
    let _ = Client.quote();
    Ok(())
}
