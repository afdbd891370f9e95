//! The option `breaker`: a breaker of the user's, in place of one of the function's own.

use crate::support::{ServiceError, advance, seconds};
use circuit_runtime::{CircuitBreaker, Config, State, circuit_breaker, registry};
use std::future::pending;
use std::sync::{Arc, LazyLock};

struct Client {
    breaker: CircuitBreaker,
    calls: u32,
}

impl Client {
    fn new(name: &'static str) -> Self {
        let config = Config::builder().max_failures(2).timeout(seconds(2));
        Self {
            breaker: CircuitBreaker::new(name, config.build().unwrap()),
            calls: 0,
        }
    }

    #[circuit_breaker(breaker = self.breaker, failure_if = |error| *error == ServiceError::Failed)]
    async fn call(&self, answers: bool) -> Result<u32, ServiceError> {
        if answers {
            Ok(7)
        } else {
            Err(ServiceError::Failed)
        }
    }

    #[circuit_breaker(breaker = self.breaker, fallback = Ok(self.calls))]
    async fn count(&mut self) -> Result<u32, ServiceError> {
        self.calls += 1;
        Err(ServiceError::Failed)
    }

    #[circuit_breaker(breaker = self.breaker)]
    async fn never_completes(self: Arc<Self>) -> Result<u32, ServiceError> {
        pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn each_instance_can_have_a_breaker_of_its_own() {
    let (one, other) = (Client::new("one"), Client::new("other"));
    for _ in 0..2 {
        assert_eq!(one.call(false).await, Err(ServiceError::Failed));
    }
    let ServiceError::Circuit(error) = one.call(true).await.unwrap_err() else {
        panic!("the call was not rejected")
    };
    assert_eq!(error.breaker(), "one");
    assert_eq!(other.call(true).await, Ok(7));
    assert_eq!(one.breaker.state(), State::Open);

    advance(seconds(30)).await;
    assert_eq!(one.call(true).await, Ok(7));
    assert_eq!(one.breaker.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn the_body_can_mutate_the_owner_of_the_breaker() {
    let mut client = Client::new("changed");
    for _ in 0..2 {
        assert_eq!(client.count().await, Err(ServiceError::Failed));
    }
    assert_eq!(client.count().await, Ok(2));
    assert_eq!(client.breaker.snapshot().rejected, 1);
}

#[tokio::test(start_paused = true)]
async fn the_timeout_of_the_given_breaker_applies() {
    let client = Arc::new(Client::new("timed"));
    let ServiceError::Circuit(error) = Arc::clone(&client).never_completes().await.unwrap_err()
    else {
        panic!("the call did not time out")
    };
    assert!(error.is_timeout());
    assert_eq!(client.breaker.snapshot().timed_out, 1);
    assert_eq!(Arc::strong_count(&client), 1);
}

static SHARED: LazyLock<CircuitBreaker> = LazyLock::new(|| {
    let config = Config::builder().max_failures(1).build();
    CircuitBreaker::new("own_breaker::shared", config.unwrap())
});

#[tokio::test(start_paused = true)]
async fn functions_can_share_a_breaker() {
    #[circuit_breaker(breaker = SHARED)]
    async fn read() -> Result<(), ServiceError> {
        Err(ServiceError::Failed)
    }

    #[circuit_breaker(breaker = *SHARED)]
    async fn write() -> Result<(), ServiceError> {
        Ok(())
    }

    assert_eq!(write().await, Ok(()));
    assert_eq!(read().await, Err(ServiceError::Failed));
    assert!(matches!(write().await, Err(ServiceError::Circuit(_))));
    let all = registry::all();
    let created = all
        .iter()
        .filter(|breaker| breaker.name().contains("write"));
    assert_eq!(created.count(), 0, "no other breaker is created");
}
