//! The breaker of this repository.

use std::hint::black_box;
use std::time::Duration;

use circuit_runtime::{CallError, CircuitBreaker, Config, ConfigBuilder, circuit_breaker};

use crate::answer::{Answer, Down, Failure, at_once, body, observed, observed_at_once};
use crate::row::{Caller, Mark, OURS, Row, Rule, Scenario, repeated};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3_600);

pub(crate) fn breaker(config: ConfigBuilder) -> CircuitBreaker {
    let config = config.build().expect("the rules are valid");
    CircuitBreaker::new("benchmark", config)
}

/// Failures in ten seconds.
pub(crate) fn failures_in_time() -> ConfigBuilder {
    Config::builder().max_failures(5).window(10 * SECOND)
}

/// Half of the calls in a window of this length.
pub(crate) fn rate_in(window: Duration) -> ConfigBuilder {
    Config::builder()
        .window(window)
        .failure_rate(0.5)
        .min_calls(1_000)
}

fn tripped(config: ConfigBuilder) -> CircuitBreaker {
    breaker(config.reset(HOUR))
}

#[inline(always)]
fn permit(breaker: &CircuitBreaker, answer: Answer) -> bool {
    match black_box(breaker).try_acquire() {
        Ok(permit) => {
            match answer {
                Ok(_) => permit.success(),
                Err(Down) => permit.failure(),
            }
            false
        }
        rejected => observed(rejected, Result::is_err),
    }
}

#[inline(always)]
fn call(breaker: &CircuitBreaker, answer: Answer) -> bool {
    let call = black_box(breaker).call(body(answer));
    observed_at_once(call, |result| matches!(result, Err(CallError::Circuit(_))))
}

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = permits();
    rows.extend(calls());
    rows.extend(functions());
    rows
}

fn by_permit(
    setting: &'static str,
    rule: Rule,
) -> Caller<CircuitBreaker, impl FnMut(Answer) -> bool> {
    Caller {
        library: OURS,
        setting,
        rule,
        session: |breaker| {
            #[inline(always)]
            move |answer| permit(breaker, answer)
        },
    }
}

fn permits() -> Vec<Row> {
    let minute = 60 * SECOND;
    vec![
        by_permit("permit; 5 failures in 10 s", Rule::FailuresInTime)
            .success(breaker(failures_in_time()))
            .marked(Mark::FailuresInTime),
        by_permit("permit; 5 consecutive failures", Rule::Consecutive)
            .success(breaker(Config::builder().max_failures(5))),
        by_permit("permit; 50 % of 10 s", Rule::RateInTime)
            .success(breaker(rate_in(10 * SECOND)))
            .marked(Mark::RateInTime),
        by_permit("permit; 50 % of the last 1000 calls", Rule::LastCalls).success(breaker(
            Config::builder().last_calls(1_000).failure_rate(0.5),
        )),
        by_permit("permit; 50 % slower than 1 s, of 10 s", Rule::RateInTime).success(breaker(
            Config::builder()
                .window(10 * SECOND)
                .slow_call(SECOND)
                .slow_rate(0.5),
        )),
        by_permit("permit; 1000 failures in 1 us", Rule::FailuresInTime)
            .failure(breaker(
                Config::builder()
                    .max_failures(1_000)
                    .window(Duration::from_micros(1)),
            ))
            .marked(Mark::Failure),
        by_permit("permit; 4 billion failures in 60 s", Rule::FailuresInTime).failure(breaker(
            Config::builder().max_failures(u32::MAX).window(minute),
        )),
        by_permit("permit; 4 billion consecutive failures", Rule::Consecutive)
            .failure(breaker(Config::builder().max_failures(u32::MAX))),
        rate_failure().marked(Mark::FailureUnderRate),
        by_permit("permit; 5 failures in 10 s", Rule::FailuresInTime)
            .rejection(tripped(failures_in_time()))
            .marked(Mark::Rejection),
        by_permit("permit; 50 % of 10 s", Rule::RateInTime)
            .rejection(tripped(rate_in(10 * SECOND))),
    ]
}

/// A failure under a rate of 100 %, which one success in the window keeps out of reach.
fn rate_failure() -> Row {
    let config = Config::builder().window(60 * SECOND).failure_rate(1.0);
    Caller {
        library: OURS,
        setting: "permit; 100 % of 60 s",
        rule: Rule::RateInTime,
        session: |breaker| {
            permit(breaker, Ok(7));
            #[inline(always)]
            move |answer| permit(breaker, answer)
        },
    }
    .failure(breaker(config))
}

fn calls() -> Vec<Row> {
    let by_call = Caller {
        library: OURS,
        setting: "call(future); 5 failures in 10 s",
        rule: Rule::FailuresInTime,
        session: |breaker| {
            #[inline(always)]
            move |answer| call(breaker, answer)
        },
    };
    let blocking = Caller {
        library: OURS,
        setting: "call_blocking; 5 failures in 10 s",
        rule: Rule::FailuresInTime,
        session: |breaker: &'static CircuitBreaker| {
            #[inline(always)]
            move |answer| {
                let result = black_box(breaker).call_blocking(|| answer);
                observed(result, |result| {
                    matches!(result, Err(CallError::Circuit(_)))
                })
            }
        },
    };
    let failing = Caller {
        setting: "call(future); 1000 failures in 1 us",
        ..by_call
    };
    vec![
        by_call.success(breaker(failures_in_time())),
        blocking.success(breaker(failures_in_time())),
        failing.failure(breaker(
            Config::builder()
                .max_failures(1_000)
                .window(Duration::from_micros(1)),
        )),
        by_call.rejection(tripped(failures_in_time())),
        blocking.rejection(tripped(failures_in_time())),
    ]
}

#[expect(
    clippy::unused_async,
    reason = "the baseline of the annotated functions"
)]
pub(crate) async fn plain(answer: u32) -> Result<u32, Failure> {
    Ok(answer)
}

#[circuit_breaker(max_failures = 5, window = "10s")]
pub(crate) async fn annotated(answer: u32) -> Result<u32, Failure> {
    Ok(answer)
}

#[circuit_breaker(window = "10s", failure_rate = 0.5)]
async fn rated(answer: u32) -> Result<u32, Failure> {
    Ok(answer)
}

#[circuit_breaker(max_failures = 5, window = "10s", timeout = "2s")]
pub(crate) async fn timed(answer: u32) -> Result<u32, Failure> {
    Ok(answer)
}

#[circuit_breaker(max_failures = 5, window = "10s", reset = "1h")]
async fn failing(_answer: u32) -> Result<u32, Failure> {
    Err(Down.into())
}

/// Annotated functions.
fn functions() -> Vec<Row> {
    let row = |setting, rule, work| Row::new(Scenario::Attribute, OURS, setting, rule, work);
    // Opened here, by failures.
    for _ in 0..5 {
        let _ = at_once(failing(7));
    }
    vec![
        Row::new(
            Scenario::Attribute,
            "",
            "plain async fn",
            Rule::None,
            repeated(|| observed_at_once(plain(black_box(7)), Result::is_err)),
        )
        .marked(Mark::Plain),
        row(
            "attribute; 5 failures in 10 s",
            Rule::FailuresInTime,
            repeated(|| observed_at_once(annotated(black_box(7)), Result::is_err)),
        )
        .marked(Mark::Attribute),
        row(
            "attribute; 50 % of 10 s",
            Rule::RateInTime,
            repeated(|| observed_at_once(rated(black_box(7)), Result::is_err)),
        ),
        row(
            "attribute; 5 failures in 10 s, timeout",
            Rule::FailuresInTime,
            repeated(|| observed_at_once(timed(black_box(7)), Result::is_err)),
        )
        .marked(Mark::AttributeTimed),
        row(
            "the same, in no task",
            Rule::FailuresInTime,
            repeated(|| observed_at_once(timed(black_box(7)), Result::is_err)),
        )
        .entered(),
        row(
            "attribute; rejected",
            Rule::FailuresInTime,
            repeated(|| observed_at_once(failing(black_box(7)), Result::is_err)),
        ),
    ]
}
