//! The option `breaker` beside `key`: breakers of the user's, one for each key.

use crate::support::{ServiceError, advance, poll_once, seconds};
use circuit_runtime::{CircuitBreakers, Config, State, circuit_breaker, registry};
use std::future::pending;
use std::sync::LazyLock;

struct Client {
    upstreams: CircuitBreakers,
}

impl Client {
    fn new(name: &'static str, max_failures: u32) -> Self {
        let config = Config::builder()
            .max_failures(max_failures)
            .timeout(seconds(2))
            .build();
        Self {
            upstreams: CircuitBreakers::new(name, config.unwrap()),
        }
    }

    #[circuit_breaker(breaker = self.upstreams, key = host)]
    async fn page(&self, host: &str, answers: bool) -> Result<usize, ServiceError> {
        if answers {
            Ok(host.len())
        } else {
            Err(ServiceError::Failed)
        }
    }

    #[circuit_breaker(breaker = self.upstreams, key = number, fallback = Ok(0))]
    async fn by_number(&mut self, number: u32) -> Result<u32, ServiceError> {
        Err(ServiceError::Failed)
    }

    #[circuit_breaker(breaker = self.upstreams, key = host)]
    async fn never_completes(&self, host: &str) -> Result<u32, ServiceError> {
        pending().await
    }

    fn state(&self, host: &str) -> State {
        self.upstreams.get(host).state()
    }
}

fn assert_rejected(result: Result<usize, ServiceError>, name: &str) {
    match result {
        Err(ServiceError::Circuit(error)) => assert_eq!(error.breaker(), name),
        other => panic!("{other:?}, and not rejected by `{name}`"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_open_leaves_the_others_as_they_are() {
    let client = Client::new("own_breakers::one", 2);
    for _ in 0..2 {
        assert_eq!(client.page("down", false).await, Err(ServiceError::Failed));
        assert_eq!(client.page("up", true).await, Ok(2));
    }
    assert_rejected(client.page("down", true).await, "own_breakers::one[down]");
    assert_eq!(client.page("up", true).await, Ok(2));
    assert_eq!(client.page("new", true).await, Ok(3));
    assert_eq!(client.state("down"), State::Open);
    assert_eq!(client.state("up"), State::Closed);

    advance(seconds(30)).await;
    assert_eq!(client.page("down", true).await, Ok(4));
    assert_eq!(client.state("down"), State::Closed);
    assert_eq!(client.upstreams.get("up").snapshot().succeeded, 3);
}

#[tokio::test(start_paused = true)]
async fn instances_share_neither_breakers_nor_rules() {
    let (strict, patient) = (
        Client::new("own_breakers::strict", 1),
        Client::new("own_breakers::patient", 3),
    );
    for _ in 0..2 {
        let _ = strict.page("a", false).await;
        let _ = patient.page("a", false).await;
    }
    assert_rejected(strict.page("a", true).await, "own_breakers::strict[a]");
    assert_eq!(patient.page("a", false).await, Err(ServiceError::Failed));
    assert_rejected(patient.page("a", true).await, "own_breakers::patient[a]");
    assert_eq!(strict.upstreams.get("a").snapshot().failed, 1);
    assert_eq!(patient.upstreams.get("a").snapshot().failed, 3);
}

#[tokio::test(start_paused = true)]
async fn clones_and_functions_share_the_breaker_of_a_key() {
    static UPSTREAMS: LazyLock<CircuitBreakers> = LazyLock::new(|| {
        let config = Config::builder().max_failures(2).build();
        CircuitBreakers::new("own_breakers::shared", config.unwrap())
    });

    #[circuit_breaker(breaker = UPSTREAMS, key = host)]
    async fn read(host: String) -> Result<usize, ServiceError> {
        Err(ServiceError::Failed)
    }

    let client = Client {
        upstreams: UPSTREAMS.clone(),
    };
    assert_eq!(read("a".to_owned()).await, Err(ServiceError::Failed));
    assert_eq!(client.page("a", false).await, Err(ServiceError::Failed));
    assert_rejected(read("a".to_owned()).await, "own_breakers::shared[a]");
    assert_rejected(client.page("a", true).await, "own_breakers::shared[a]");
    assert_eq!(client.page("b", true).await, Ok(1));

    let all = registry::all();
    let created = all.iter().filter(|breaker| breaker.name().contains("read"));
    assert_eq!(created.count(), 0, "no other breaker is created");
}

#[tokio::test(start_paused = true)]
async fn a_key_of_any_display_type_is_found_by_its_text() {
    let mut client = Client::new("own_breakers::shown", 1);
    assert_eq!(client.by_number(7).await, Err(ServiceError::Failed));
    assert_eq!(client.by_number(7).await, Ok(0));
    assert_eq!(client.by_number(8).await, Err(ServiceError::Failed));
    assert_rejected(client.page("7", true).await, "own_breakers::shown[7]");
}

#[tokio::test(start_paused = true)]
async fn the_timeout_of_the_given_breakers_applies() {
    let client = Client::new("own_breakers::timed", 5);
    let ServiceError::Circuit(error) = client.never_completes("a").await.unwrap_err() else {
        panic!("the call did not time out")
    };
    assert!(error.is_timeout());
    assert_eq!(error.breaker(), "own_breakers::timed[a]");
    assert_eq!(client.upstreams.get("a").snapshot().timed_out, 1);
}

#[tokio::test(start_paused = true)]
async fn idle_keys_are_evicted_beyond_the_bound_and_others_never() {
    let mut client = Client::new("own_breakers::bounded", 1);
    client.upstreams = client.upstreams.max_keys(10);
    assert_eq!(client.page("down", false).await, Err(ServiceError::Failed));
    let mut call = Box::pin(client.never_completes("slow"));
    assert!(poll_once(&mut call).is_pending());

    for host in 0..1_000 {
        assert!(client.page(&host.to_string(), true).await.is_ok());
    }
    assert_eq!(client.upstreams.all().len(), 10);
    assert_rejected(
        client.page("down", true).await,
        "own_breakers::bounded[down]",
    );
    drop(call);
    assert_eq!(client.upstreams.get("slow").snapshot().cancelled, 1);
}

#[tokio::test(start_paused = true)]
async fn the_registry_lists_each_key_until_the_last_handle_is_dropped() {
    let client = Client::new("own_breakers::listed", 1);
    let other = client.upstreams.clone();
    let listed = || {
        let all = registry::all().into_iter();
        all.filter(|breaker| breaker.name().function() == "own_breakers::listed")
            .count()
    };
    assert_eq!(client.page("a", false).await, Err(ServiceError::Failed));
    assert_eq!(client.page("b", true).await, Ok(1));
    let found = registry::find("own_breakers::listed[a]").unwrap();
    assert_eq!(found.state(), State::Open);
    assert_eq!(found.name().key(), Some("a"));
    assert!(registry::find("own_breakers::listed").is_none());
    assert!(registry::find("own_breakers::listed[c]").is_none());
    assert_eq!(listed(), 2);

    found.reset();
    assert_eq!(client.page("a", true).await, Ok(1));
    drop(client);
    assert_eq!(listed(), 2);
    drop(other);
    assert_eq!(listed(), 0);
    assert!(registry::find("own_breakers::listed[a]").is_none());
    assert_eq!(found.snapshot().succeeded, 1);
}

#[tokio::test(start_paused = true)]
async fn the_key_is_evaluated_once_before_the_breakers_and_the_body() {
    use std::cell::RefCell;
    thread_local!(static LOG: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) });

    fn log<T>(text: &'static str, value: T) -> T {
        LOG.with_borrow_mut(|log| log.push(text));
        value
    }

    #[circuit_breaker(breaker = log("breakers", upstreams), key = log("key", host))]
    async fn page(upstreams: &CircuitBreakers, host: &str) -> Result<usize, ServiceError> {
        Ok(log("body", upstreams.all().len() + host.len()))
    }

    let upstreams = CircuitBreakers::new("own_breakers::evaluated", Config::default());
    let call = page(&upstreams, "a");
    assert_eq!(LOG.take(), [""; 0], "nothing before the first poll");
    assert_eq!(call.await, Ok(2));
    assert_eq!(LOG.take(), ["key", "breakers", "body"]);
}
