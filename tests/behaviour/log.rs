//! The log event of each change.

use std::fmt::{self, Write};
use std::sync::{Arc, Mutex};

use crate::support::{advance, fail, seconds, succeed};
use circuit_runtime::{CircuitBreaker, CircuitBreakers, Config};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::with_default;
use tracing::{Event, Level, Metadata, Subscriber};

/// Collects events, as lines of the level, the message and the fields.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "circuit_breaker"
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        panic!("a span")
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

struct Line(String);

impl Visit for Line {
    fn record_u64(&mut self, field: &Field, value: u64) {
        write!(self.0, " {field}=u64:{value}").unwrap();
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        write!(self.0, " {field}={value:?}").unwrap();
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            write!(self.0, " {value:?}:").unwrap();
        } else {
            write!(self.0, " {field}={value:?}").unwrap();
        }
    }
}

impl Log {
    /// Returns the lines since the last time.
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// Makes `act` with a log, and returns its lines.
fn logged(act: impl FnOnce()) -> Vec<String> {
    let log = Log::default();
    with_default(log.clone(), act);
    log.take()
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_logged_with_its_numbers() {
    let config = Config::builder()
        .failure_rate(0.5)
        .min_calls(4)
        .last_calls(10);
    let config = config.reset(seconds(30)).build().unwrap();
    let breakers = CircuitBreakers::new("logged", config);
    let breaker = breakers.get("a.example");
    let lines = logged(|| {
        succeed(&breaker);
        for _ in 0..3 {
            fail(&breaker);
        }
    });
    assert_eq!(
        lines,
        [
            r#"WARN circuit opened: breaker="logged" key="a.example" from=closed to=open cause="failure_rate" failures=u64:3 calls=u64:4 retry_after_ms=u64:30000"#
        ]
    );
    for _ in 0..5 {
        breaker.try_acquire().unwrap_err();
    }
    advance(seconds(30)).await;
    let lines = logged(|| succeed(&breaker));
    assert_eq!(
        lines,
        [
            r#"INFO circuit half-open: breaker="logged" key="a.example" from=open to=half-open cause="wait_over" rejected=u64:5"#,
            r#"INFO circuit closed: breaker="logged" key="a.example" from=half-open to=closed cause="probes_succeeded""#,
        ]
    );
}

#[test]
fn orders_and_withheld_openings_are_logged_at_their_levels() {
    let config = Config::builder().max_failures(1).build().unwrap();
    let breaker = CircuitBreaker::new("orders", config);
    let lines = logged(|| {
        breaker.force_closed();
        fail(&breaker);
        breaker.force_open();
        breaker.reset();
    });
    assert_eq!(
        lines,
        [
            r#"WARN circuit forced closed: breaker="orders" from=closed to=closed cause="forced_closed""#,
            r#"INFO circuit opening withheld: breaker="orders" from=closed to=closed cause="withheld" failures=u64:1"#,
            r#"WARN circuit forced open: breaker="orders" from=closed to=open cause="forced_open""#,
            r#"WARN circuit reset: breaker="orders" from=open to=closed cause="reset" rejected=u64:0"#,
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn an_order_that_ends_by_itself_and_an_eviction_are_no_warnings() {
    let config = Config::builder().max_failures(1).build().unwrap();
    let breakers = CircuitBreakers::new("ended", config).max_keys(1);
    let breaker = breakers.get("held");
    breaker.force_open_for(seconds(60));
    advance(seconds(60)).await;
    let lines = logged(|| succeed(&breaker));
    assert_eq!(
        lines,
        [
            r#"INFO circuit reset: breaker="ended" key="held" from=open to=closed cause="reset" rejected=u64:0"#
        ]
    );
    fail(&breaker);
    drop(breaker);
    advance(seconds(60)).await;
    let lines = logged(|| {
        for number in 0..1_000 {
            succeed(&breakers.get(&number.to_string()));
        }
    });
    assert_eq!(
        lines,
        [
            r#"INFO circuit reset: breaker="ended" key="held" from=open to=closed cause="reset" rejected=u64:0"#
        ]
    );
}

/// A subscriber with a fault.
struct Panicking;

impl Subscriber for Panicking {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::INFO
    }

    fn event(&self, _: &Event<'_>) {
        panic!("the log is full");
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[test]
fn a_subscriber_that_panics_disturbs_no_call() {
    let config = Config::builder().max_failures(1).build().unwrap();
    let breaker = CircuitBreaker::new("panicking log", config);
    with_default(Panicking, || {
        fail(&breaker);
        breaker.reset();
    });
    assert_eq!(breaker.snapshot().opened, 1);
}
