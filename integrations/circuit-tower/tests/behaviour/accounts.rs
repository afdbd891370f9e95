//! Each call is counted once, however it ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Body;
use circuit_runtime::{CircuitBreaker, Config, State};
use circuit_tower::{BoxError, CircuitBody, CircuitBreakerLayer, HttpStatus};
use http::Response;
use http_body_util::BodyExt;
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::support::{Failed, breaker, half_open, has_slot};

const TASKS: u64 = 4;
const CALLS: u64 = 2_000;

/// Numbers that look random, and are the same in each run (Steele, Lea and Flood, "Fast splittable
/// pseudorandom number generators", 2014).
#[derive(Clone, Default)]
struct Dice(Arc<AtomicU64>);

impl Dice {
    /// Returns a number below `sides`.
    fn roll(&self, sides: u64) -> u64 {
        let seed = self.0.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
        let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % sides
    }
}

/// Fails, panics, takes longer than the timeout, or responds with a body that may break.
async fn respond(dice: Dice) -> Result<Response<Body>, Failed> {
    let status = match dice.roll(12) {
        0 => return Err(Failed),
        1 => std::panic::resume_unwind(Box::new("in the service")), // prints nothing
        2 => 503,
        _ => 200,
    };
    tokio::time::sleep(Duration::from_millis(dice.roll(12))).await;
    let broken = (dice.roll(3) == 0).then_some(Err(Failed));
    let parts = (0..dice.roll(3)).map(|_| Ok("part")).chain(broken);
    let parts: Vec<_> = parts.collect();
    let body = Body::from_stream(tokio_stream::iter(parts));
    Ok(Response::builder().status(status).body(body).unwrap())
}

/// Makes calls, and drops some of them: unpolled, in flight, or within their bodies.
async fn make_calls<S>(mut service: S, breaker: CircuitBreaker, dice: Dice) -> u64
where
    S: Service<(), Response = Response<CircuitBody<Body>>, Error = BoxError>,
    S::Future: Send + 'static,
{
    let mut made = 0;
    for _ in 0..CALLS {
        assert!(service.ready().await.is_ok());
        if dice.roll(20) == 0 {
            continue; // ready, and not called
        }
        made += 1;
        let call = service.call(());
        match dice.roll(5) {
            0 => drop(call),
            1 => {
                let limit = Duration::from_millis(dice.roll(12));
                drop(tokio::spawn(tokio::time::timeout(limit, call)).await);
            }
            choice => {
                if let Ok(Ok(response)) = tokio::spawn(call).await {
                    let mut body = response.into_body();
                    drop(body.frame().await);
                    if choice == 2 {
                        drop(body.collect().await);
                    }
                }
            }
        }
        match dice.roll(500) {
            0 => breaker.trip(),
            1 => breaker.reset(),
            _ => {}
        }
    }
    made
}

#[tokio::test(start_paused = true)]
async fn each_call_is_counted_once() {
    let breaker = breaker(
        Config::builder()
            .max_failures(9)
            .reset(Duration::from_millis(20))
            .ramp(Duration::from_millis(40))
            .timeout(Duration::from_millis(10)),
    );
    let dice = Dice::default();
    let service = CircuitBreakerLayer::new(breaker.clone())
        .classify(HttpStatus::new())
        .until_body_ends()
        .layer(service_fn({
            let dice = dice.clone();
            move |()| respond(dice.clone())
        }));
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| tokio::spawn(make_calls(service.clone(), breaker.clone(), dice.clone())))
        .collect();
    let mut made = 0;
    for task in tasks {
        made += task.await.unwrap();
    }
    let counts = breaker.snapshot();
    let ways = [
        counts.succeeded,
        counts.failed,
        counts.cancelled,
        counts.rejected,
        counts.timed_out,
        counts.panicked,
    ];
    assert!(ways.iter().all(|count| *count > 50), "{counts:?}");
    // Timeouts and panics are failures, too.
    assert_eq!(ways.iter().take(4).sum::<u64>(), made, "{counts:?}");

    // No slot is lost.
    breaker.reset();
    half_open(&breaker).await;
    assert!(has_slot(&breaker));
    assert_eq!(breaker.state(), State::HalfOpen);
}
