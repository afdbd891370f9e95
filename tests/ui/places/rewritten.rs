//! Attributes above this one that leave no `async fn`.

use std::pin::Pin;

use circuit_runtime::{CircuitError, circuit_breaker};

struct Client;

impl Client {
    // What `#[async_trait]` makes of a method.
    #[circuit_breaker]
    fn quote<'a>(
        &'a self,
    ) -> Pin<Box<dyn Future<Output = Result<u8, CircuitError>> + Send + 'a>> {
        Box::pin(async move { Ok(1) })
    }
}

#[tokio::main(flavor = "current_thread")]
#[circuit_breaker]
async fn main() -> Result<(), CircuitError> {
    let _ = Client.quote();
    Ok(())
}
