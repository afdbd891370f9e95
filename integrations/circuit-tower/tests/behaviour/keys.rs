//! A breaker for each key of a request.

use circuit_runtime::{CircuitBreakers, Config, State};
use circuit_tower::{CircuitBreakerLayer, Host, HttpStatus, Path};
use http::{Request, Response};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};

use crate::support::{Dead, Failed, NeverReady, is_open, poll_ready};

fn breakers(name: &'static str) -> CircuitBreakers {
    CircuitBreakers::new(name, Config::builder().max_failures(1).build().unwrap())
}

async fn down_at_a(request: Request<()>) -> Result<Response<()>, Failed> {
    if request.uri().host() == Some("a.example") || request.uri().path() == "/a" {
        return Err(Failed);
    }
    Ok(Response::new(()))
}

fn get(uri: &str) -> Request<()> {
    Request::get(uri).body(()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn each_host_has_a_breaker() {
    let breakers = breakers("hosts");
    let layer = CircuitBreakerLayer::keyed(breakers.clone(), Host);
    let service = layer.layer(service_fn(down_at_a));
    let call = |uri| service.clone().oneshot(get(uri));
    assert!(call("http://a.example/").await.unwrap_err().is::<Failed>());
    assert!(is_open(&call("http://a.example/x").await.unwrap_err()));
    assert!(is_open(&call("http://A.EXAMPLE:80/x").await.unwrap_err()));
    assert!(call("http://b.example/").await.is_ok());
    // Another port is another service.
    assert!(
        call("http://a.example:81/")
            .await
            .unwrap_err()
            .is::<Failed>()
    );
    assert_eq!(breakers.get("a.example").state(), State::Open);
    assert_eq!(breakers.get("a.example").snapshot().rejected, 2);
    assert_eq!(breakers.all().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn each_path_has_a_breaker() {
    let layer = CircuitBreakerLayer::keyed(breakers("paths"), Path).classify(HttpStatus::new());
    let service = layer.layer(service_fn(down_at_a));
    let call = |uri| service.clone().oneshot(get(uri));
    assert!(
        call("http://b.example/a?x")
            .await
            .unwrap_err()
            .is::<Failed>()
    );
    assert!(is_open(&call("http://b.example/a?y").await.unwrap_err()));
    assert!(call("http://b.example/b").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_closure_returns_the_key() {
    let breakers = breakers("tenants");
    let layer = CircuitBreakerLayer::keyed(breakers.clone(), |tenant: &&str| tenant.to_string());
    let service = layer.layer(service_fn(async |tenant: &str| match tenant {
        "down" => Err(Failed),
        _ => Ok(()),
    }));
    assert!(service.clone().oneshot("down").await.is_err());
    assert!(is_open(&service.clone().oneshot("down").await.unwrap_err()));
    assert!(service.oneshot("up").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn readiness_is_that_of_the_inner_service() {
    let breakers = breakers("not ready");
    let layer = CircuitBreakerLayer::keyed(breakers.clone(), Host);
    breakers.get("a.example").trip();
    let mut service = layer.layer(NeverReady::default());
    assert!(poll_ready::<_, Request<()>>(&mut service).is_pending());

    let mut service = layer.layer(Dead);
    let error = ServiceExt::<Request<()>>::ready(&mut service).await.err();
    assert!(error.unwrap().is::<Failed>());
    let failed: u64 = breakers
        .all()
        .iter()
        .map(|breaker| breaker.snapshot().failed)
        .sum();
    assert_eq!(failed, 0); // the key is not known
}

#[tokio::test(start_paused = true)]
async fn with_a_load_shed_between_no_open_circuit_is_hidden() {
    let breakers = breakers("shed");
    breakers.get("a.example").trip();
    let service = ServiceBuilder::new()
        .layer(CircuitBreakerLayer::keyed(breakers.clone(), Host))
        .load_shed()
        .service(NeverReady::default());
    let rejected = service.clone().oneshot(get("http://a.example/")).await;
    assert!(is_open(&rejected.unwrap_err()));
    let shed = service.oneshot(get("http://b.example/")).await;
    assert!(
        shed.unwrap_err()
            .is::<tower::load_shed::error::Overloaded>()
    );
    assert_eq!(breakers.get("b.example").snapshot().ignored, 1);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_panics_takes_nothing() {
    let breakers = breakers("panicking");
    let key = |(): &()| -> String { panic!("no key") };
    let mut service = CircuitBreakerLayer::keyed(breakers.clone(), key)
        .layer(service_fn(async |()| Ok::<_, Failed>(())));
    service.ready().await.unwrap();
    let panicked =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(service.call(()))));
    assert!(panicked.is_err());
    assert!(breakers.all().is_empty());
}
