//! One breaker for each key.

use crate::support::{ServiceError, advance, seconds};
use circuit_runtime::{State, circuit_breaker, registry};
use std::fmt;
use std::future::pending;

#[tokio::test(start_paused = true)]
async fn each_key_opens_and_recovers_on_its_own() {
    #[circuit_breaker(max_failures = 2, key = host, name = "keyed::each")]
    async fn page(host: &str, answers: bool) -> Result<usize, ServiceError> {
        if answers {
            Ok(host.len())
        } else {
            Err(ServiceError::Failed)
        }
    }

    for _ in 0..2 {
        assert_eq!(page("down", false).await, Err(ServiceError::Failed));
        assert_eq!(page("up", true).await, Ok(2));
    }
    let rejected = page("down", true).await.unwrap_err();
    assert_eq!(
        rejected.to_string(),
        "circuit `keyed::each[down]` is open; retry in 30s"
    );
    assert_eq!(page("up", true).await, Ok(2));
    let state = |host| registry::find(&format!("keyed::each[{host}]")).map(|found| found.state());
    assert_eq!(state("down"), Some(State::Open));
    assert_eq!(state("up"), Some(State::Closed));
    assert_eq!(state("never called"), None);
    advance(seconds(30)).await;
    assert_eq!(page("down", true).await, Ok(4));
    assert_eq!(state("down"), Some(State::Closed));
}

/// A key that is `Display`, but no string.
struct Shard {
    region: &'static str,
    number: u8,
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A call made while the key is formatted must not disturb it.
        write!(f, "{}", self.region)?;
        let mut nested = Box::pin(by_number(self.number));
        assert!(crate::support::poll_once(&mut nested).is_ready());
        write!(f, "-{}", self.number)
    }
}

#[circuit_breaker(key = number, name = "keyed::by number")]
async fn by_number(number: u8) -> Result<u8, ServiceError> {
    Ok(number)
}

#[circuit_breaker(key = shard, name = "keyed::by shard")]
async fn by_shard(shard: &Shard) -> Result<u8, ServiceError> {
    Ok(shard.number)
}

#[tokio::test(start_paused = true)]
async fn any_display_type_can_be_a_key() {
    let (region, number) = ("eu", 7);
    assert_eq!(by_shard(&Shard { region, number }).await, Ok(7));
    assert_eq!(by_shard(&Shard { region, number }).await, Ok(7));
    let succeeded = |name| registry::find(name).map(|found| found.snapshot().succeeded);
    assert_eq!(succeeded("keyed::by shard[eu-7]"), Some(2));
    assert_eq!(succeeded("keyed::by number[7]"), Some(2));
}

struct Client {
    region: String,
}

impl Client {
    #[circuit_breaker(max_failures = 1, key = self.region, name = "keyed::field")]
    async fn call(&self) -> Result<(), ServiceError> {
        Err(ServiceError::Failed)
    }

    #[circuit_breaker(key = format!("{}/{}", self.region, first.0), name = "keyed::computed")]
    async fn computed(mut self, first: (u8, u8)) -> Result<String, ServiceError> {
        self.region.push('!');
        Ok(self.region)
    }
}

#[tokio::test(start_paused = true)]
async fn instances_that_share_a_key_share_a_breaker() {
    let client = |region: &str| Client {
        region: region.to_owned(),
    };
    assert!(client("eu").call().await == Err(ServiceError::Failed));
    assert!(matches!(
        client("eu").call().await,
        Err(ServiceError::Circuit(_))
    ));
    assert!(client("us").call().await == Err(ServiceError::Failed));
    assert_eq!(client("eu").computed((1, 2)).await.unwrap(), "eu!");
    assert!(registry::find("keyed::computed[eu/1]").is_some());
}

#[tokio::test(start_paused = true)]
async fn the_breaker_of_a_call_in_flight_is_not_evicted() {
    #[circuit_breaker(max_failures = 1, key = host, max_keys = 2, name = "keyed::in flight")]
    async fn page(host: &str) -> Result<(), ServiceError> {
        match host {
            "slow" => pending().await,
            _ => Ok(()),
        }
    }

    let mut call = Box::pin(page("slow"));
    assert!(crate::support::poll_once(&mut call).is_pending());
    for host in 0..100 {
        assert_eq!(page(&host.to_string()).await, Ok(()));
    }
    drop(call);
    let slow = registry::find("keyed::in flight[slow]").unwrap();
    assert_eq!(slow.snapshot().cancelled, 1);
}

#[tokio::test(start_paused = true)]
async fn a_key_is_evaluated_once_per_call_and_before_the_body() {
    use std::cell::RefCell;
    thread_local!(static LOG: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) });

    fn key(name: &str) -> &str {
        LOG.with_borrow_mut(|log| log.push("key"));
        name
    }

    #[circuit_breaker(key = key(&name))]
    async fn service(name: String) -> Result<String, ServiceError> {
        LOG.with_borrow_mut(|log| log.push("body"));
        Ok(name)
    }

    let call = service("a".to_owned());
    assert_eq!(LOG.take(), [""; 0], "nothing before the first poll");
    assert_eq!(call.await.unwrap(), "a");
    assert_eq!(LOG.take(), ["key", "body"]);
}
