//! The future is `Send` and `Sync` when the plain one is.

use std::{cell::Cell, error::Error, rc::Rc};

use circuit_runtime::circuit_breaker;

type Failure = Box<dyn Error + Send + Sync>;

async fn io() {}

#[circuit_breaker(timeout = "1s")]
async fn borrows(text: &str) -> Result<&str, Failure> {
    io().await;
    Ok(text)
}

/// A `Cell` is `Send` but not `Sync`: it is moved into the body, never borrowed by it.
#[circuit_breaker]
async fn takes_cell(cell: Cell<u8>) -> Result<u8, Failure> {
    io().await;
    Ok(cell.get())
}

#[circuit_breaker]
async fn takes_mutable_cell(mut cell: Cell<u8>) -> Result<u8, Failure> {
    io().await;
    *cell.get_mut() += 1;
    Ok(cell.get())
}

#[circuit_breaker]
async fn generic<T: Send>(value: T) -> Result<T, Failure> {
    io().await;
    Ok(value)
}

#[circuit_breaker]
async fn local(shared: Rc<u8>) -> Result<u8, Failure> {
    io().await;
    Ok(*shared)
}

fn is_send<T: Send>(_: &T) {}

fn is_sync<T: Sync>(_: &T) {}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let text = "text".to_owned();
    is_send(&borrows(&text));
    is_sync(&borrows(&text));
    is_send(&takes_cell(Cell::new(1)));
    is_send(&takes_mutable_cell(Cell::new(1)));
    is_send(&generic(Cell::new(1)));
    is_sync(&generic(1));
    assert!(local(Rc::new(1)).await.is_ok_and(|number| number == 1));
}
