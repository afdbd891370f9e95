//! `impl Trait` in the return type, at any depth.

use std::{error::Error, fmt::Display, future::Future};

use circuit_runtime::circuit_breaker;

type Failure = Box<dyn Error + Send + Sync>;

#[circuit_breaker]
async fn value() -> Result<impl Display, Failure> {
    Ok(1)
}

#[circuit_breaker]
async fn list() -> Result<Vec<impl Display>, Failure> {
    Ok(vec![1, 2])
}

#[circuit_breaker]
async fn tuple(first: impl Display) -> Result<(impl Display, [impl Copy; 2]), Failure> {
    Ok((first, [1_u8, 2]))
}

#[circuit_breaker]
async fn object() -> Result<Box<dyn Iterator<Item = impl Display>>, Failure> {
    Ok(Box::new([1, 2].into_iter()))
}

#[circuit_breaker]
async fn borrowed<'a>(text: &'a str) -> Result<impl Iterator<Item = &'a str> + 'a, Failure> {
    Ok(text.split(','))
}

#[circuit_breaker]
async fn reference(text: &str) -> std::result::Result<&(impl Display + ?Sized), Failure> {
    Ok(text)
}

#[circuit_breaker]
async fn future() -> Result<impl Future<Output = u8>, Failure> {
    Ok(async { 1 })
}

#[circuit_breaker]
async fn error() -> Result<u8, impl Error + From<circuit_runtime::CircuitError>> {
    Ok::<_, circuit_runtime::CircuitError>(1)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    assert_eq!(value().await?.to_string(), "1");
    assert_eq!(list().await?.len(), 2);
    assert_eq!(tuple("x").await?.0.to_string(), "x");
    assert_eq!(object().await?.count(), 2);
    assert_eq!(borrowed("a,b").await?.count(), 2);
    assert_eq!(reference("a").await?.to_string(), "a");
    assert_eq!(future().await?.await, 1);
    assert!(error().await.is_ok());
    Ok(())
}
