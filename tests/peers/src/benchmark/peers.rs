//! The other libraries, each under the rule closest to ours.
//!
//! ninelives 0.2.0 is left out: it needs tokio below 1.49, ours a newer one, and cargo selects one.

use std::hint::black_box;
use std::sync::LazyLock;
use std::time::Duration;

use tokio::runtime::Runtime;

use crate::answer::{Answer, Down, Failure, at_once, body, observed, observed_at_once};
use crate::memory::Size;
use crate::row::{Caller, Row, Rule, Scenario, repeated};

pub(crate) const WINDOW: Duration = Duration::from_secs(10);
const HOUR: Duration = Duration::from_secs(3_600);

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = ferryman();
    rows.extend(arcly());
    rows.extend(recloser());
    rows.extend(failsafe());
    rows.extend(allframe());
    rows.extend(circuitbreaker_rs());
    rows.extend(seatbelt());
    rows.extend(tower_resilience());
    rows
}

pub(crate) fn sizes() -> Vec<Size> {
    let failsafe_breaker = failsafe_consecutive(3);
    let recloser_breaker = ::recloser::AsyncRecloser::from(recloser_with(0.5));
    let circuitbreaker_rs_breaker = circuitbreaker_rs_with(0.5, 5);
    let allframe_breaker = allframe_with(5, WINDOW);
    let seatbelt_service = seatbelt_with(10, WINDOW);
    let mut tower_service = tower_consecutive(5);
    vec![
        Size::new("ferryman-core", || ferryman_with(3), None),
        Size::new("failsafe", || failsafe_consecutive(3), {
            use ::failsafe::futures::CircuitBreaker;
            Some(size_of_val(&failsafe_breaker.call(body(Ok(7)))))
        }),
        Size::new(
            "recloser",
            || ::recloser::AsyncRecloser::from(recloser_with(0.5)),
            Some(size_of_val(&recloser_breaker.call(body(Ok(7))))),
        ),
        Size::new(
            "allframe-core",
            || allframe_with(5, WINDOW),
            Some(size_of_val(&allframe_breaker.call(|| body(Ok(7))))),
        ),
        Size::new(
            "circuitbreaker-rs",
            || circuitbreaker_rs_with(0.5, 5),
            Some(size_of_val(
                &circuitbreaker_rs_breaker.call_async(|| body(Ok(7))),
            )),
        ),
        Size::new("seatbelt", || seatbelt_with(10, WINDOW), {
            use layered::Service;
            Some(size_of_val(&seatbelt_service.execute(Ok(7))))
        }),
        Size::new(
            "tower-resilience-circuitbreaker",
            || tower_consecutive(5),
            {
                use tower::Service;
                Some(size_of_val(&tower_service.call(Ok(7))))
            },
        ),
        Size::new(
            "arcly-http",
            || arcly_with(5),
            Some(size_of_val(&arcly_annotated(7))),
        ),
    ]
}

fn ferryman_with(limit: u32) -> ferryman_core::Breaker {
    let config = ferryman_core::BreakerConfig::default()
        .with_failure_threshold(limit)
        .with_cooldown(HOUR);
    ferryman_core::Breaker::new(config).expect("the rules are valid")
}

fn ferryman() -> Vec<Row> {
    let caller = Caller {
        library: "ferryman-core",
        setting: "by hand",
        rule: Rule::Consecutive,
        session: |breaker: &'static ferryman_core::Breaker| {
            #[inline(always)]
            move |answer: Answer| {
                let Some(ticket) = black_box(breaker).try_acquire() else {
                    return true;
                };
                match answer {
                    Ok(_) => breaker.record_success(ticket),
                    Err(Down) => breaker.record_failure(ticket),
                }
                false
            }
        },
    };
    vec![
        caller.success(ferryman_with(3)),
        caller.failure(ferryman_with(u32::MAX)),
        caller.rejection(ferryman_with(3)),
    ]
}

pub(crate) fn arcly_with(limit: u32) -> arcly_http::__macro_support::CircuitBreaker {
    arcly_http::__macro_support::CircuitBreaker::const_named("benchmark", limit, 3_600_000)
}

#[arcly_http::prelude::circuit_breaker(threshold = 5, cooldown = "10s")]
async fn arcly_annotated(answer: u32) -> Result<u32, Failure> {
    Ok(answer)
}

fn arcly() -> Vec<Row> {
    let caller = Caller {
        library: "arcly-http",
        setting: "execute (what its attribute calls)",
        rule: Rule::Total,
        session: |breaker: &'static arcly_http::__macro_support::CircuitBreaker| {
            #[inline(always)]
            move |answer| {
                let call = black_box(breaker).execute(|| body(answer));
                observed_at_once(call, Result::is_err)
            }
        },
    };
    vec![
        caller.success(arcly_with(5)),
        caller.failure(arcly_with(u32::MAX)),
        caller.rejection(arcly_with(5)),
        Row::new(
            Scenario::Attribute,
            "arcly-http",
            "attribute; 5 failures in total",
            Rule::Total,
            repeated(|| observed_at_once(arcly_annotated(black_box(7)), Result::is_err)),
        ),
    ]
}

/// Opens at this share of the last hundred calls.
pub(crate) fn recloser_with(rate: f32) -> ::recloser::Recloser {
    ::recloser::Recloser::custom()
        .error_rate(rate)
        .closed_len(100)
        .open_wait(HOUR)
        .build()
}

fn recloser() -> Vec<Row> {
    let blocking = Caller {
        library: "recloser",
        setting: "blocking; 50 % of the last 100 calls",
        rule: Rule::LastCalls,
        session: |breaker: &'static ::recloser::Recloser| {
            #[inline(always)]
            move |answer| {
                let result = black_box(breaker).call(|| answer);
                observed(result, |result| {
                    matches!(result, Err(::recloser::Error::Rejected))
                })
            }
        },
    };
    let future = Caller {
        library: "recloser",
        setting: "future; 50 % of the last 100 calls",
        rule: Rule::LastCalls,
        session: |breaker: &'static ::recloser::AsyncRecloser| {
            #[inline(always)]
            move |answer| {
                let call = black_box(breaker).call(body(answer));
                observed_at_once(call, |result| {
                    matches!(result, Err(::recloser::Error::Rejected))
                })
            }
        },
    };
    // Above 100 %, a rate that failures alone do not reach.
    vec![
        blocking.success(recloser_with(0.5)),
        blocking.failure(recloser_with(1.1)),
        blocking.rejection(recloser_with(0.5)),
        future.success(recloser_with(0.5).into()),
        future.failure(recloser_with(1.1).into()),
        future.rejection(recloser_with(0.5).into()),
    ]
}

pub(crate) type FailsafePolicy<P> = ::failsafe::StateMachine<P, ()>;

pub(crate) fn failsafe_consecutive(
    limit: u32,
) -> FailsafePolicy<::failsafe::failure_policy::ConsecutiveFailures<::failsafe::backoff::Constant>>
{
    let backoff = ::failsafe::backoff::constant(HOUR);
    let policy = ::failsafe::failure_policy::consecutive_failures(limit, backoff);
    ::failsafe::Config::new().failure_policy(policy).build()
}

fn failsafe_rate(
    rate: f64,
) -> FailsafePolicy<
    ::failsafe::failure_policy::SuccessRateOverTimeWindow<::failsafe::backoff::Constant>,
> {
    let backoff = ::failsafe::backoff::constant(HOUR);
    let policy =
        ::failsafe::failure_policy::success_rate_over_time_window(rate, 1_000, WINDOW, backoff);
    ::failsafe::Config::new().failure_policy(policy).build()
}

#[inline(always)]
fn failsafe_call(breaker: &impl ::failsafe::futures::CircuitBreaker, answer: Answer) -> bool {
    let call = black_box(breaker).call(body(answer));
    observed_at_once(call, |result| {
        matches!(result, Err(::failsafe::Error::Rejected))
    })
}

fn failsafe() -> Vec<Row> {
    let blocking = Caller {
        library: "failsafe",
        setting: "blocking; 5 consecutive failures",
        rule: Rule::Consecutive,
        session: |breaker| {
            #[inline(always)]
            move |answer| {
                let result = ::failsafe::CircuitBreaker::call(black_box(breaker), || answer);
                observed(result, |result| {
                    matches!(result, Err(::failsafe::Error::Rejected))
                })
            }
        },
    };
    let future = Caller {
        library: "failsafe",
        setting: "future; 5 consecutive failures",
        rule: Rule::Consecutive,
        session: |breaker| {
            #[inline(always)]
            move |answer| failsafe_call(breaker, answer)
        },
    };
    let rate = Caller {
        library: "failsafe",
        setting: "future; moving average of 50 % in 10 s",
        rule: Rule::RateInTime,
        session: |breaker| {
            #[inline(always)]
            move |answer| failsafe_call(breaker, answer)
        },
    };
    vec![
        blocking.success(failsafe_consecutive(5)),
        blocking.failure(failsafe_consecutive(u32::MAX)),
        blocking.rejection(failsafe_consecutive(5)),
        future.success(failsafe_consecutive(5)),
        future.failure(failsafe_consecutive(u32::MAX)),
        future.rejection(failsafe_consecutive(5)),
        rate.success(failsafe_rate(0.5)),
        rate.failure(failsafe_rate(0.0)),
    ]
}

pub(crate) type Allframe = allframe_core::resilience::CircuitBreaker;

pub(crate) fn allframe_with(limit: u32, window: Duration) -> Allframe {
    let config = allframe_core::resilience::CircuitBreakerConfig {
        failure_threshold: limit,
        failure_window: window,
        timeout: HOUR,
        ..Default::default()
    };
    Allframe::new("benchmark", config)
}

fn allframe() -> Vec<Row> {
    use allframe_core::resilience::CircuitBreakerError;
    let caller = Caller {
        library: "allframe-core",
        setting: "future; 5 failures in 10 s",
        rule: Rule::FailuresInTime,
        session: |breaker: &'static Allframe| {
            #[inline(always)]
            move |answer| {
                let call = black_box(breaker).call(|| body(answer));
                observed_at_once(call, |result| {
                    matches!(result, Err(CircuitBreakerError::CircuitOpen(_)))
                })
            }
        },
    };
    let failing = Caller {
        setting: "future; 4 billion failures in 1 us",
        ..caller
    };
    vec![
        caller.success(allframe_with(5, WINDOW)),
        failing.failure(allframe_with(u32::MAX, Duration::from_micros(1))),
        caller.rejection(allframe_with(5, WINDOW)),
    ]
}

pub(crate) type CircuitbreakerRs =
    circuitbreaker_rs::CircuitBreaker<circuitbreaker_rs::DefaultPolicy, Down>;

pub(crate) fn circuitbreaker_rs_with(rate: f64, failures: u64) -> CircuitbreakerRs {
    CircuitbreakerRs::builder()
        .failure_threshold(rate)
        .min_throughput(if rate < 1.0 { 10 } else { u64::MAX })
        .consecutive_failures(failures)
        .cooldown(HOUR)
        .build()
}

fn circuitbreaker_rs() -> Vec<Row> {
    use circuitbreaker_rs::BreakerError;
    let blocking = Caller {
        library: "circuitbreaker-rs",
        setting: "blocking; 5 consecutive or 50 % of all",
        rule: Rule::LifetimeRate,
        session: |breaker: &'static CircuitbreakerRs| {
            #[inline(always)]
            move |answer| {
                let result = black_box(breaker).call(|| answer);
                observed(result, |result| matches!(result, Err(BreakerError::Open)))
            }
        },
    };
    let future = Caller {
        library: "circuitbreaker-rs",
        setting: "future; 5 consecutive or 50 % of all",
        rule: Rule::LifetimeRate,
        session: |breaker: &'static CircuitbreakerRs| {
            #[inline(always)]
            move |answer| {
                let call = black_box(breaker).call_async(|| body(answer));
                observed_at_once(call, |result| matches!(result, Err(BreakerError::Open)))
            }
        },
    };
    vec![
        blocking.success(circuitbreaker_rs_with(0.5, 5)),
        blocking.failure(circuitbreaker_rs_with(1.0, u64::MAX)),
        blocking.rejection(circuitbreaker_rs_with(0.5, 5)),
        future.success(circuitbreaker_rs_with(0.5, 5)),
        future.failure(circuitbreaker_rs_with(1.0, u64::MAX)),
        future.rejection(circuitbreaker_rs_with(0.5, 5)),
    ]
}

/// Opens at half of the calls in the window, if there are enough.
pub(crate) fn seatbelt_with(
    least: u32,
    window: Duration,
) -> impl layered::Service<Answer, Out = Answer> + 'static {
    use layered::Stack;
    // Its clock belongs to a runtime.
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_time().build().expect("a runtime of its own")
    });
    let _entered = RUNTIME.enter();
    let clock = tick::Clock::new_tokio();
    let context = seatbelt::ResilienceContext::new(&clock).name("benchmark");
    let breaker = seatbelt::breaker::Breaker::layer("benchmark", &context)
        .recovery_with(|answer: &Answer, _| match answer {
            Ok(_) => seatbelt::RecoveryInfo::never(),
            Err(Down) => seatbelt::RecoveryInfo::retry(),
        })
        .rejected_input_error(|_, _| Down)
        .failure_threshold(0.5)
        .min_throughput(least)
        .sampling_duration(window)
        .break_duration(HOUR)
        .half_open_mode(seatbelt::breaker::HalfOpenMode::quick());
    (breaker, layered::Execute::new(body)).into_service()
}

fn seatbelt() -> Vec<Row> {
    vec![
        seatbelt_caller().success(seatbelt_with(1_000, WINDOW)),
        seatbelt_caller().failure(seatbelt_with(u32::MAX, WINDOW)),
        // Its rejections look like failures.
        seatbelt_opened(),
    ]
}

fn seatbelt_caller<S: layered::Service<Answer, Out = Answer> + 'static>()
-> Caller<S, impl FnMut(Answer) -> bool> {
    Caller {
        library: "seatbelt",
        setting: "future; 50 % of 10 s",
        rule: Rule::RateInTime,
        session: |service: &'static S| {
            #[inline(always)]
            move |answer| {
                observed_at_once(black_box(service).execute(answer), Result::is_err)
                    && answer.is_ok()
            }
        },
    }
}

fn seatbelt_opened() -> Row {
    let service = seatbelt_with(10, WINDOW);
    for _ in 0..100 {
        let _ = at_once(service.execute(Err(Down)));
    }
    assert!(
        at_once(service.execute(Ok(7))).is_err(),
        "seatbelt stays closed"
    );
    let service: &'static _ = Box::leak(Box::new(service));
    Row::new(
        Scenario::Rejection,
        "seatbelt",
        "future; 50 % of 10 s",
        Rule::RateInTime,
        repeated(move || observed_at_once(black_box(service).execute(Ok(7)), Result::is_err)),
    )
}

use layered::Service as _;
use tower_resilience_circuitbreaker as tower_breaker;

pub(crate) type TowerService = tower_breaker::CircuitBreaker<
    tower::util::ServiceFn<fn(Answer) -> std::future::Ready<Answer>>,
    tower_breaker::DefaultClassifier,
>;

type TowerConfig = tower_breaker::CircuitBreakerConfigBuilder<tower_breaker::DefaultClassifier>;

fn tower_with(config: TowerConfig) -> TowerService {
    use tower::Layer;
    let body: fn(Answer) -> std::future::Ready<Answer> = std::future::ready;
    config
        .wait_duration_in_open(HOUR)
        .build()
        .expect("the rules are valid")
        .layer(tower::service_fn(body))
}

pub(crate) fn tower_consecutive(failures: usize) -> TowerService {
    tower_with(tower_breaker::CircuitBreakerLayer::builder().consecutive_failures(failures))
}

pub(crate) fn tower_rate(rate: f64, window: Duration) -> TowerService {
    tower_with(
        tower_breaker::CircuitBreakerLayer::builder()
            .failure_rate_threshold(rate)
            .sliding_window_type(tower_breaker::SlidingWindowType::TimeBased)
            .sliding_window_duration(window)
            .minimum_number_of_calls(1_000),
    )
}

fn tower_caller(
    setting: &'static str,
    rule: Rule,
) -> Caller<TowerService, impl FnMut(Answer) -> bool> {
    Caller {
        library: "tower-resilience-circuitbreaker",
        setting,
        rule,
        session: |service| {
            use tower::Service;
            // A tower service takes one call at a time, hence the clone.
            let mut service = service.clone();
            #[inline(always)]
            move |answer| {
                let call = black_box(&mut service).call(answer);
                observed_at_once(call, |result| {
                    matches!(result, Err(tower_breaker::CircuitBreakerError::OpenCircuit))
                })
            }
        },
    }
}

fn tower_resilience() -> Vec<Row> {
    let consecutive = tower_caller("tower service; 5 consecutive failures", Rule::Consecutive);
    // Each call goes through all calls in its window, so the cost grows with the window.
    let rate = tower_caller("tower service; 50 % of 1 ms", Rule::RateInTime);
    // In no task: after some acquisitions of a tokio lock, a task has to yield.
    vec![
        consecutive.success(tower_consecutive(5)).entered(),
        consecutive.failure(tower_consecutive(usize::MAX)).entered(),
        consecutive.rejection(tower_consecutive(5)).entered(),
        rate.success(tower_rate(0.5, Duration::from_millis(1)))
            .entered(),
    ]
}
