//! Breakers that are created under overrides which are invalid for them.

use std::fmt::{self, Write};
use std::sync::{Arc, Mutex};

use crate::support::{Turn, apply, breaker, called, returns, rules, seconds};
use circuit_runtime::{
    CircuitBreaker, CircuitBreakers, CircuitError, Overrides, State, circuit_breaker, registry,
};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::with_default;
use tracing::{Event, Metadata, Subscriber};

const FILE: &str = r#"
    [circuits."left out*"]
    max_failures = 3
    reset = "1m"
    hold = "open"
"#;

const MESSAGE: &str = "`max_reset` must not be shorter than `reset`; the wait grows from `reset` up \
    to it (`reset` from `left out*`, `max_reset` from the program)";

const LEFT_OUT: &str = "all options for this circuit are left out";

/// Collects events, as lines of the level, the message and the fields, and does something with
/// each.
struct Log<F> {
    lines: Arc<Mutex<Vec<String>>>,
    act: F,
}

impl<F: Fn() + Send + Sync + 'static> Subscriber for Log<F> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "circuit_breaker"
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        self.lines.lock().unwrap().push(line.0);
        (self.act)();
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
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}

/// Creates something with a log that does `act` for each event, and returns the lines about
/// overrides.
pub(crate) fn logged<R>(
    act: impl Fn() + Send + Sync + 'static,
    create: impl FnOnce() -> R,
) -> (R, Vec<String>) {
    let lines = Arc::default();
    let log = Log {
        lines: Arc::clone(&lines),
        act,
    };
    let created = with_default(log, create);
    let mut lines = std::mem::take(&mut *lines.lock().unwrap());
    lines.retain(|line| line.contains("overrides"));
    (created, lines)
}

#[test]
fn a_later_breaker_for_which_they_are_invalid_keeps_its_rules_is_held_and_logs_a_warning() {
    let _turn = Turn::wait();
    apply(FILE);
    let config = rules().max_reset(seconds(40)).build().unwrap();

    let (later, lines) = logged(|| {}, || CircuitBreaker::new("left out", config));
    assert_eq!(
        lines,
        [format!(
            "WARN message=circuit overrides left out breaker=\"left out\" option=\"max_reset\" error=circuit `left out`: {MESSAGE}; {LEFT_OUT}"
        )]
    );
    assert_eq!((later.config(), later.state()), (config, State::Open));

    let (tenants, lines) = logged(|| {}, || CircuitBreakers::new("left out too", config));
    assert_eq!(lines.len(), 1, "{lines:?}");
    let (tenant, lines) = logged(|| {}, || tenants.get("a"));
    assert_eq!(lines, [""; 0], "once for all keys");
    assert_eq!((tenant.config(), tenant.state()), (config, State::Open));

    // Valid ones apply, to it as well.
    apply("[circuits.'left out*']\nmax_failures = 3");
    assert_eq!(later.config().max_failures(), Some(3));
    assert_eq!(tenant.config().max_failures(), Some(3));
    for breaker in [later, tenant, tenants.get("b")] {
        assert_eq!(breaker.state(), State::Closed, "released");
    }
}

#[circuit_breaker(name = "left out: untimed")]
async fn untimed() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(name = "left out: quote")]
async fn quote() -> Result<(), CircuitError> {
    Ok(())
}

#[test]
fn a_timeout_is_left_out_on_the_first_call_of_a_function_that_has_no_room_for_it() {
    let _turn = Turn::wait();
    apply(
        "[circuits.'left out: *']\ntimeout = '1s'\n[circuits.'left out: quote']\ntimeout = '2s'\nprobes = 2",
    );
    let (result, lines) = logged(|| {}, || called(untimed()));
    assert_eq!((result, &*lines), (Ok(()), &[][..]), "as a pattern set it");
    let (result, lines) = logged(|| {}, || called(quote()));
    assert_eq!(result, Ok(()));
    assert_eq!(
        lines,
        [
            "WARN message=circuit overrides left out breaker=\"left out: quote\" option=\"timeout\" error=circuit `left out: quote`: \
          `timeout` cannot be added at run time, as the function's future has no room for a \
          timer; write one in the attribute, `timeout = \"1h\"` if need be; all options for this circuit are left out"
        ]
    );
    assert_eq!(
        registry::find("left out: quote").unwrap().config().probes(),
        1
    );
}

/// A log may do anything, as one that sends its lines through a breaker of its own does.
#[test]
fn a_log_may_create_breakers_and_apply_overrides() {
    let _turn = Turn::wait();
    apply(FILE);
    let config = rules().max_reset(seconds(40)).build().unwrap();
    let act = || {
        drop(breaker("created by the log"));
        registry::apply(Overrides::new()).unwrap();
    };
    let create = move || CircuitBreaker::new("left out", config);
    let (later, lines) = returns(move || logged(act, create));
    assert_eq!(lines.len(), 1);
    assert_eq!(later.config(), config);
    drop(later);
    assert_eq!(
        breaker("left out").state(),
        State::Closed,
        "the log applied others"
    );
}
