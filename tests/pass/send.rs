//! The future is `Send` and `Sync` when the plain one is.

use std::{
    cell::Cell,
    error::Error,
    fmt,
    rc::Rc,
    sync::{Mutex, MutexGuard, PoisonError},
};

use circuit_runtime::{CircuitBreaker, Config, circuit_breaker};

type Failure = Box<dyn Error + Send + Sync>;

async fn io() {}

#[circuit_breaker(timeout = "1s")]
async fn borrows(text: &str) -> Result<&str, Failure> {
    io().await;
    Ok(text)
}

/// A `Cell` is `Send` but not `Sync`, so the body must own it and not borrow it.
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

#[circuit_breaker(fallback = |error| { io().await; Err(error.into()) })]
async fn falls_back(cell: Cell<u8>) -> Result<u8, Failure> {
    io().await;
    Ok(cell.get())
}

#[circuit_breaker(fallback = Ok(*Rc::new(cell.get())), timeout = "1s")]
async fn falls_back_on_what_is_local(cell: Cell<u8>) -> Result<u8, Failure> {
    io().await;
    Ok(cell.get())
}

#[circuit_breaker(key = host)]
async fn keyed(host: &str, cell: Cell<u8>) -> Result<usize, Failure> {
    io().await;
    Ok(host.len() + usize::from(cell.get()))
}

/// A key that is not `Send`, and is dropped before the call.
#[circuit_breaker(key = Rc::<str>::from(host), timeout = "1s", fallback = Ok(7))]
async fn keyed_by_what_is_local(host: &str) -> Result<usize, Failure> {
    io().await;
    Ok(host.len())
}

/// A lock that is released before the call.
#[circuit_breaker(key = lock(hosts)[0])]
async fn keyed_under_a_lock(hosts: &Mutex<Vec<String>>) -> Result<usize, Failure> {
    io().await;
    Ok(lock(hosts).len())
}

#[circuit_breaker(key = value)]
async fn keyed_by_a_parameter<T: fmt::Display + Send>(value: T) -> Result<T, Failure> {
    io().await;
    Ok(value)
}

#[circuit_breaker(breaker = breaker)]
async fn guarded(breaker: &CircuitBreaker, cell: Cell<u8>) -> Result<u8, Failure> {
    io().await;
    Ok(cell.get())
}

#[circuit_breaker(breaker = breakers.last().ok_or("none")?, fallback = Ok(breakers.len()))]
async fn guarded_by_what_it_takes(breakers: Vec<CircuitBreaker>) -> Result<usize, Failure> {
    io().await;
    Ok(breakers.len())
}

#[circuit_breaker(breaker = lock(breakers)[0], fallback = Ok(lock(breakers).len()))]
async fn guarded_under_a_lock(breakers: &Mutex<Vec<CircuitBreaker>>) -> Result<usize, Failure> {
    io().await;
    Ok(lock(breakers).len())
}

#[circuit_breaker(breaker = *Rc::new(breaker.clone()))]
async fn guarded_by_what_is_local(breaker: &CircuitBreaker) -> Result<u8, Failure> {
    io().await;
    Ok(1)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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

    is_send(&falls_back(Cell::new(1)));
    is_send(&falls_back_on_what_is_local(Cell::new(1)));
    is_send(&keyed("a", Cell::new(1)));
    is_send(&keyed_by_what_is_local("a"));
    is_sync(&keyed_by_what_is_local("a"));
    is_send(&keyed_by_a_parameter(7));
    let hosts = Mutex::new(vec!["a".to_owned()]);
    is_send(&keyed_under_a_lock(&hosts));
    assert!(keyed_under_a_lock(&hosts).await.is_ok_and(|hosts| hosts == 1));

    let config = Config::builder().build().expect("a config");
    let breaker = CircuitBreaker::new("own", config);
    is_send(&guarded(&breaker, Cell::new(1)));
    is_send(&guarded_by_what_it_takes(Vec::new()));
    is_send(&guarded_by_what_is_local(&breaker));
    let breakers = Mutex::new(vec![breaker.clone()]);
    is_send(&guarded_under_a_lock(&breakers));
    assert!(guarded_under_a_lock(&breakers).await.is_ok_and(|breakers| breakers == 1));
}
