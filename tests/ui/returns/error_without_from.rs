use std::{error::Error, io};

use circuit_runtime::circuit_breaker;

struct NoFrom;

#[circuit_breaker(timeout = "1s")]
async fn own() -> Result<u8, NoFrom> {
    Ok(1)
}

#[circuit_breaker]
async fn std() -> io::Result<u8> {
    Ok(1)
}

#[circuit_breaker]
async fn string() -> Result<Vec<u8>, String> {
    Ok(Vec::new())
}

#[circuit_breaker]
async fn generic<E: Error>(error: E) -> Result<u8, E> {
    Err(error)
}

#[circuit_breaker]
async fn opaque() -> Result<u8, impl Error> {
    Err(io::Error::other("down"))
}

#[circuit_breaker]
async fn used() -> Result<u8, NoFrom> {
    own().await?;
    let number: u8 = own().await?;
    if number == 0 {
        return Err(NoFrom);
    }
    Ok(number)
}

fn main() {}
