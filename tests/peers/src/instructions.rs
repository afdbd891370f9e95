//! Makes a number of calls on one hot path, whose instructions `.ci/instructions` counts.
//!
//!     instructions <path> <calls>
//!
//! Nothing depends on the time of day or on chance: windows last for a day, and everything that
//! happens once is the same for any number of calls.

use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use circuit_runtime::{
    CallError, CircuitBreaker, CircuitError, Config, ConfigBuilder, circuit_breaker, registry,
};

const DAY: Duration = Duration::from_secs(24 * 3_600);

#[derive(Debug)]
struct Down;

impl From<CircuitError> for Down {
    fn from(_: CircuitError) -> Self {
        Self
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next();
    let calls = arguments.next().and_then(|calls| calls.parse().ok());
    let (Some(path), Some(calls)) = (path, calls) else {
        eprintln!("write `instructions <path> <calls>`");
        std::process::exit(2)
    };
    if !run(&path, calls) {
        eprintln!("there is no path `{path}`");
        std::process::exit(2)
    }
}

/// Runs the calls of a path; returns `false` if there is none of this name.
fn run(path: &str, calls: u32) -> bool {
    let failures = || Config::builder().max_failures(5).window(DAY);
    match path {
        "success_permit" => repeat(calls, &breaker(failures()), succeed),
        "success_consecutive" => {
            repeat(calls, &breaker(Config::builder().max_failures(5)), succeed)
        }
        "success_call" => repeat(calls, &breaker(failures()), call),
        "success_attribute" => repeat(calls, &(), |()| annotated()),
        "success_attribute_timeout" => in_a_task(move || repeat(calls, &(), |()| timed())),
        "success_key" => repeat(calls, &"host.example", |host| keyed(host)),
        "success_rate" => {
            let rate = Config::builder().window(DAY).failure_rate(0.5);
            repeat(calls, &breaker(rate), succeed);
        }
        "success_last_calls" => {
            let rate = Config::builder().last_calls(1_000).failure_rate(0.5);
            repeat(calls, &breaker(rate), succeed);
        }
        "success_slow_rate" => {
            let rate = Config::builder().window(DAY).slow_call(DAY / 2);
            repeat(calls, &breaker(rate), succeed);
        }
        "failure" => {
            let unreachable = Config::builder().max_failures(u32::MAX).window(DAY);
            repeat(calls, &breaker(unreachable), fail);
        }
        "failure_consecutive" => {
            let unreachable = Config::builder().max_failures(u32::MAX);
            repeat(calls, &breaker(unreachable), fail);
        }
        "failure_rate" => {
            let rate = Config::builder().window(DAY).failure_rate(1.0);
            failures_beside_a_success(calls, rate);
        }
        "failure_last_calls" => {
            let rate = Config::builder().last_calls(65_536).failure_rate(1.0);
            failures_beside_a_success(calls, rate);
        }
        "failure_slow_rate" => {
            let rate = Config::builder().window(DAY).slow_call(DAY / 2);
            failures_beside_a_success(calls, rate.failure_rate(1.0));
        }
        "rejection" => {
            let breaker = breaker(failures().reset(DAY));
            (0..5).for_each(|_| fail(&breaker));
            repeat(calls, &breaker, |breaker| {
                let rejected = black_box(breaker.try_acquire());
                assert!(rejected.is_err());
            });
        }
        "rejection_call" => {
            let breaker = breaker(failures());
            breaker.force_open();
            repeat(calls, &breaker, rejected_call);
        }
        "rejection_attribute" => {
            assert!(at_once(down()).is_ok());
            registry::find("down").expect("it was called").force_open();
            repeat(calls, &(), |()| rejected());
        }
        _ => return false,
    }
    true
}

fn breaker(config: ConfigBuilder) -> CircuitBreaker {
    CircuitBreaker::new("instructions", config.build().expect("the rules are valid"))
}

/// A function of its own, to which the profile can be restricted.
#[inline(never)]
fn repeat<T>(calls: u32, subject: &T, act: impl Fn(&T)) {
    for _ in 0..calls {
        act(black_box(subject));
    }
}

fn succeed(breaker: &CircuitBreaker) {
    if let Ok(permit) = breaker.try_acquire() {
        permit.success();
    }
}

fn fail(breaker: &CircuitBreaker) {
    if let Ok(permit) = breaker.try_acquire() {
        permit.failure();
    }
}

/// One success keeps a rate of 100 % out of reach.
fn failures_beside_a_success(calls: u32, config: ConfigBuilder) {
    let breaker = breaker(config);
    // Not by a function of another path, which would no longer be inlined there.
    assert!(breaker.call_blocking(|| Ok::<_, Down>(black_box(7))).is_ok());
    repeat(calls, &breaker, |breaker| {
        if let Ok(permit) = breaker.try_acquire() {
            permit.failure();
        }
    });
}

fn call(breaker: &CircuitBreaker) {
    let result = at_once(breaker.call(async { Ok::<_, Down>(black_box(7)) }));
    assert!(!matches!(black_box(result), Err(CallError::Circuit(_))));
}

#[circuit_breaker(max_failures = 5, window = "1d")]
async fn seven() -> Result<u32, Down> {
    Ok(black_box(7))
}

fn annotated() {
    assert!(black_box(at_once(seven())).is_ok());
}

#[circuit_breaker(max_failures = 5, window = "1d", timeout = "1d")]
async fn seven_in_time() -> Result<u32, Down> {
    Ok(black_box(7))
}

fn timed() {
    assert!(black_box(at_once(seven_in_time())).is_ok());
}

#[circuit_breaker(max_failures = 5, window = "1d", key = host)]
async fn seven_of(host: &str) -> Result<u32, Down> {
    Ok(black_box(7))
}

fn keyed(host: &str) {
    assert!(black_box(at_once(seven_of(host))).is_ok());
}

fn rejected_call(breaker: &CircuitBreaker) {
    let result = at_once(breaker.call(async { Ok::<_, Down>(black_box(7)) }));
    assert!(matches!(black_box(result), Err(CallError::Circuit(_))));
}

#[circuit_breaker(name = "down")]
async fn down() -> Result<u32, Down> {
    Ok(black_box(7))
}

fn rejected() {
    assert!(black_box(at_once(down())).is_err());
}

fn in_a_task(act: impl FnOnce() + Send + 'static) {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_time().build().expect("a runtime");
    let task = async { tokio::spawn(async { act() }).await };
    runtime.block_on(task).expect("no call panics");
}

fn at_once<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("the body is ready at once"),
    }
}
