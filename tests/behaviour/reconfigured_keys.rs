//! New rules for the breakers of keys and of functions, and for calls in flight.

use std::future::pending;
use std::pin::Pin;
use std::time::Duration;

use crate::support::{
    Failed, ServiceError, advance, breaker, fail, pending_call, poll_once, reconfigure, seconds,
    succeed,
};
use circuit_runtime::{
    CallError, CircuitBreaker, CircuitBreakers, CircuitError, Config, ConfigBuilder, ConfigError,
    State, circuit_breaker, registry,
};

const FIRST: ConfigBuilder = Config::builder().max_failures(1);

fn replace(breakers: &CircuitBreakers, config: ConfigBuilder) {
    breakers.reconfigure(config.build().unwrap()).unwrap();
}

#[tokio::test(start_paused = true)]
async fn keys_that_are_there_and_keys_that_are_created_later_follow_their_breakers() {
    let hosts = CircuitBreakers::new("reconfigured", FIRST.build().unwrap());
    let [open, closed] = ["open", "closed"].map(|host| hosts.get(host));
    fail(&open);
    succeed(&closed);
    replace(&hosts, FIRST.max_failures(2).reset(seconds(100)));
    assert_eq!(open.snapshot().retry_after, Some(seconds(100)));
    assert_eq!(closed.snapshot().succeeded, 1);
    for breaker in [closed, hosts.get("later")] {
        assert_eq!(breaker.config().max_failures(), Some(2));
        fail(&breaker);
        assert_eq!(breaker.state(), State::Closed);
        fail(&breaker);
        assert_eq!(breaker.snapshot().retry_after, Some(seconds(100)));
    }
    replace(&hosts, FIRST.failure_rate(0.5).last_calls(10).min_calls(2));
    let later = hosts.get("later still");
    succeed(&later);
    fail(&later);
    assert_eq!(later.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_was_evicted_with_a_call_in_flight_follows_its_breakers() {
    let hosts = CircuitBreakers::new("reconfigured::evicted", FIRST.build().unwrap()).max_keys(1);
    let evicted = hosts.get("evicted");
    for host in 0..10 {
        succeed(&hosts.get(&host.to_string()));
    }
    replace(&hosts, FIRST.max_failures(2).window(seconds(10)));
    fail(&evicted);
    assert_eq!(evicted.state(), State::Closed);
    assert_eq!(hosts.get("evicted").snapshot().failed, 1);
    fail(&evicted);
    assert_eq!(hosts.get("evicted").state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn idle_keys_keep_their_successes_if_the_window_stays() {
    let rate = |rate| FIRST.failure_rate(rate).max_failures(100).last_calls(100);
    let hosts = CircuitBreakers::new("reconfigured::idle", rate(0.5).build().unwrap());
    let idle = hosts.get("idle");
    (0..30).for_each(|_| succeed(&idle));
    replace(&hosts, rate(0.7));
    let window = idle.snapshot().window.unwrap();
    assert_eq!((window.calls, window.failed), (Some(30), 0));
    replace(&hosts, rate(0.7).last_calls(101));
    assert_eq!(idle.snapshot().window.unwrap().calls, Some(0));
}

#[tokio::test(start_paused = true)]
async fn one_key_has_no_rules_of_its_own() {
    let hosts = CircuitBreakers::new("reconfigured::one", FIRST.build().unwrap());
    let host = hosts.get("a");
    let other = FIRST.max_failures(9).build().unwrap();
    let error = host.reconfigure(other).unwrap_err();
    assert_eq!(error, ConfigError::RulesOfOneKey);
    assert!(error.to_string().contains("`CircuitBreakers`"), "{error}");
    assert_eq!(host.config(), FIRST.build().unwrap());
}

/// Returns the breaker of this function.
fn find(function: &str) -> CircuitBreaker {
    let all = registry::all().into_iter();
    let mut found = all.filter(|breaker| breaker.name().function().ends_with(function));
    found.next().unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_breaker_of_a_function_is_reconfigured_by_its_name() {
    #[circuit_breaker(max_failures = 5)]
    async fn reconfigured_by_name() -> Result<(), ServiceError> {
        Err(ServiceError::Failed)
    }

    assert_eq!(reconfigured_by_name().await, Err(ServiceError::Failed));
    reconfigure(&find("reconfigured_by_name"), FIRST.max_failures(2));
    assert_eq!(reconfigured_by_name().await, Err(ServiceError::Failed));
    assert!(matches!(
        reconfigured_by_name().await,
        Err(ServiceError::Circuit(CircuitError::Open { .. }))
    ));
}

#[tokio::test(start_paused = true)]
async fn the_key_of_a_function_has_no_rules_of_its_own() {
    #[circuit_breaker(max_failures = 5, key = host)]
    async fn reconfigured_key(host: &str) -> Result<usize, ServiceError> {
        Ok(host.len())
    }

    assert_eq!(reconfigured_key("a").await, Ok(1));
    let error = find("reconfigured_key").reconfigure(Config::default());
    assert_eq!(error, Err(ConfigError::RulesOfOneKey));
}

#[tokio::test(start_paused = true)]
async fn a_function_without_a_timeout_is_given_none_at_run_time() {
    #[circuit_breaker(max_failures = 5)]
    async fn reconfigured_untimed() -> Result<(), ServiceError> {
        Ok(())
    }

    assert_eq!(reconfigured_untimed().await, Ok(()));
    let breaker = find("reconfigured_untimed");
    let before = breaker.config();
    let timed = FIRST.timeout(seconds(1)).build().unwrap();
    let error = breaker.reconfigure(timed).unwrap_err();
    assert_eq!(error, ConfigError::TimeoutAtRunTime);
    assert!(
        error.to_string().contains("write one in the attribute"),
        "{error}"
    );
    assert_eq!(breaker.config(), before, "nothing has changed");
    assert_eq!(breaker.reconfigure(FIRST.build().unwrap()), Ok(()));
    assert_eq!(
        breaker.reconfigure(timed),
        Err(ConfigError::TimeoutAtRunTime)
    );
}

#[tokio::test(start_paused = true)]
async fn a_timeout_of_the_attribute_may_change_leave_and_come_back() {
    #[circuit_breaker(max_failures = 50, timeout = "5s")]
    async fn reconfigured_timed() -> Result<(), ServiceError> {
        pending().await
    }

    async fn timed_out_after() -> Duration {
        let before = tokio::time::Instant::now();
        match reconfigured_timed().await {
            Err(ServiceError::Circuit(CircuitError::Timeout { after, .. })) => {
                assert_eq!(before.elapsed(), after);
                after
            }
            other => panic!("{other:?}"),
        }
    }

    assert_eq!(timed_out_after().await, seconds(5));
    let breaker = find("reconfigured_timed");
    reconfigure(&breaker, FIRST.max_failures(50).timeout(seconds(2)));
    assert_eq!(timed_out_after().await, seconds(2));
    reconfigure(&breaker, FIRST.max_failures(50));
    {
        let mut call = Box::pin(reconfigured_timed());
        assert!(poll_once(call.as_mut()).is_pending());
        advance(seconds(1_000)).await;
        assert!(poll_once(call.as_mut()).is_pending(), "it has no timeout");
        reconfigure(&breaker, FIRST.max_failures(50).timeout(seconds(3)));
        assert_eq!(timed_out_after().await, seconds(3));
        assert!(poll_once(call.as_mut()).is_pending(), "nor is it given one");
    }
    assert_eq!(breaker.snapshot().timed_out, 3);
}

type Running<'b> = Pin<Box<dyn Future<Output = Result<(), CallError<Failed>>> + Send + 'b>>;

/// Returns how long a call has waited if it has timed out.
fn timed_out(call: &mut Running<'_>) -> Option<Duration> {
    match poll_once(call.as_mut()) {
        std::task::Poll::Ready(Err(CallError::Circuit(CircuitError::Timeout {
            after, ..
        }))) => Some(after),
        _ => None,
    }
}

#[tokio::test(start_paused = true)]
async fn calls_in_flight_keep_the_timeout_that_they_started_with() {
    let timeout = |wait| FIRST.max_failures(50).timeout(seconds(wait));
    let breaker = breaker(timeout(10));
    let mut first = pending_call(&breaker);
    reconfigure(&breaker, timeout(5));
    let mut second = pending_call(&breaker);
    reconfigure(&breaker, FIRST.max_failures(50));
    let mut third = pending_call(&breaker);
    reconfigure(&breaker, timeout(20));
    let mut fourth = pending_call(&breaker);

    for (now, outcomes) in [
        (4, [None; 4]),
        (5, [None, Some(5), None, None]),
        (9, [None; 4]),
        (10, [Some(10), None, None, None]),
        (19, [None; 4]),
        (20, [None, None, None, Some(20)]),
    ] {
        let elapsed = breaker.snapshot().since;
        advance(seconds(now).saturating_sub(elapsed)).await;
        let calls = [&mut first, &mut second, &mut third, &mut fourth];
        for (call, outcome) in calls.into_iter().zip(outcomes) {
            if let Some(wait) = outcome {
                assert_eq!(timed_out(call), Some(seconds(wait)), "at {now} s");
            }
        }
    }
    assert!(poll_once(third.as_mut()).is_pending());
    drop(third);
    assert_eq!(breaker.snapshot().timed_out, 3);
}

/// Before its first poll, a call has not started.
#[tokio::test(start_paused = true)]
async fn a_call_that_was_made_and_not_polled_has_the_new_timeout() {
    let breaker = breaker(FIRST.timeout(seconds(10)));
    let call = breaker.call(pending::<Result<(), Failed>>());
    reconfigure(&breaker, FIRST.timeout(seconds(3)));
    match call.await {
        Err(CallError::Circuit(CircuitError::Timeout { after, .. })) => {
            assert_eq!(after, seconds(3));
        }
        other => panic!("{other:?}"),
    }
}
