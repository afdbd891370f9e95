//! Overrides that are invalid for one breaker change nothing for any.

use crate::support::{
    Turn, apply, breaker, called, causes, counted, fail, read, refused, rules, seconds,
};
use circuit_runtime::{
    CircuitBreaker, CircuitBreakers, CircuitError, Config, circuit_breaker, registry,
};

#[test]
fn all_or_nothing() {
    let _turn = Turn::wait();
    let first = breaker("refused::a");
    let tenants = CircuitBreakers::new("refused::b", Config::default());
    let config = rules().reset(seconds(20)).max_reset(seconds(40));
    let last = CircuitBreaker::new("refused::c", config.build().unwrap());
    apply("[circuits.'refused::*']\nmax_failures = 4\n[circuits.'refused::a']\nhold = 'closed'");
    let mut changes = registry::changes();
    let before = || {
        let configs = [first.config(), tenants.get("key").config(), last.config()];
        let holds = [&first, &last].map(|breaker| breaker.snapshot().hold);
        (configs, holds)
    };
    let expected = before();

    let (circuit, option, message) = refused(
        r#"
        [circuits."refused::*"]
        max_failures = 3
        reset = "1m"
        hold = "open"
        "#,
    );

    assert_eq!((&*circuit, option), ("refused::c", Some("max_reset")));
    assert_eq!(
        message,
        "circuit `refused::c`: `max_reset` must not be shorter than `reset`; the wait grows from \
         `reset` up to it (`reset` from `refused::*`, `max_reset` from the program)",
    );
    assert_eq!(before(), expected);
    assert_eq!(causes(&mut changes, "refused::a"), []);
    // Those that were in force still are, for breakers to come, too.
    assert_eq!(breaker("refused::d").config().max_failures(), Some(4));
    assert_eq!(tenants.get("later").config().max_failures(), Some(4));
}

#[test]
fn options_that_do_not_go_with_those_of_a_breaker_name_it_and_say_what_to_write() {
    let _turn = Turn::wait();
    let calls = rules().last_calls(50).max_failures(40).build().unwrap();
    let tenants = CircuitBreakers::new("calls", calls);
    let consecutive = breaker("consecutive");
    for (file, circuit, option, message) in [
        (
            "[circuits.'c*']\nwindow = 30",
            "calls",
            "max_failures",
            "circuit `calls`: `max_failures` must not be above the calls in `window`, and 40 is \
             above 30; the circuit would never open (`max_failures` from the program, `window` \
             from `c*`)",
        ),
        (
            "[circuits.'consecutive']\nfailure_rate = 0.5",
            "consecutive",
            "failure_rate",
            "circuit `consecutive`: `failure_rate` needs a `window`; add `window = \"10s\"` for \
             the calls of ten seconds, or `window = 100` for the last hundred",
        ),
    ] {
        let expected = (circuit.to_owned(), Some(option), message.to_owned());
        assert_eq!(refused(file), expected);
    }
    assert_eq!(tenants.get("a").config(), calls);
    assert_eq!(consecutive.config(), Config::default());
}

#[circuit_breaker(name = "untimed")]
async fn untimed() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(name = "untimed by key", key = host)]
async fn untimed_by_key(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

#[circuit_breaker(name = "timed", timeout = "5s")]
async fn timed() -> Result<(), CircuitError> {
    Ok(())
}

#[test]
fn a_timeout_that_a_function_has_no_room_for_is_refused_by_its_name() {
    let _turn = Turn::wait();
    called(untimed()).unwrap();
    called(untimed_by_key("a")).unwrap();
    for name in ["untimed", "untimed by key"] {
        let file = format!("[circuits.'{name}']\ntimeout = '1s'\nprobes = 2");
        let (circuit, option, message) = refused(&file);
        assert_eq!((&*circuit, option), (name, Some("timeout")));
        assert_eq!(
            message,
            format!(
                "circuit `{name}`: `timeout` cannot be added at run time, as the function's \
                 future has no room for a timer; write one in the attribute, `timeout = \"1h\"` \
                 if need be"
            ),
        );
    }
    let untimed = registry::find("untimed").unwrap();
    assert_eq!(untimed.config().probes(), 1);
}

#[test]
fn a_timeout_that_a_pattern_sets_is_skipped_where_there_is_no_room() {
    let _turn = Turn::wait();
    called(untimed()).unwrap();
    called(untimed_by_key("a")).unwrap();
    let by_hand = breaker("untimed breaker");
    let applied = apply("[circuits.'untimed*']\ntimeout = '1s'\nprobes = 2");
    let skipped: Vec<_> = applied
        .skipped
        .iter()
        .map(|it| (&*it.breaker, it.option))
        .collect();
    assert_eq!(
        skipped,
        [("untimed", "timeout"), ("untimed by key", "timeout")]
    );
    for (name, timeout) in [
        ("untimed", None),
        ("untimed by key[a]", None),
        ("untimed breaker", Some(seconds(1))),
    ] {
        let config = registry::find(name).unwrap().config();
        assert_eq!((config.probes(), config.timeout()), (2, timeout), "{name}");
    }
    let last = applied.to_string();
    let last = last.lines().last();
    let text = "untimed by key: `timeout` is skipped, as it cannot be added at run time; write one in \
                the attribute, `timeout = \"1h\"` if need be";
    assert_eq!(last, Some(text));
    // By the pattern, but not where the exact name is the one that sets it.
    let exact = "[circuits.'*']\ntimeout = '1s'\n[circuits.untimed]\ntimeout = '2s'";
    assert_eq!(refused(exact).0, "untimed");
    let elsewhere = "[circuits.'*']\ntimeout = '1s'\n[circuits.untimed]\nprobes = 3";
    let applied = apply(elsewhere);
    assert!(applied.skipped.iter().any(|it| it.breaker == "untimed"));
    assert_eq!(registry::find("untimed").unwrap().config().probes(), 3);
    drop(by_hand);
}

#[tokio::test(start_paused = true)]
async fn a_function_with_a_timeout_has_room_for_another_even_after_it_was_removed() {
    let _turn = Turn::come().await;
    let timed = || {
        called(timed()).unwrap();
        registry::find("timed").unwrap()
    };
    let breaker = timed();
    assert!(
        apply("[circuits.'timed']\ntimeout = '1s'")
            .skipped
            .is_empty()
    );
    assert_eq!(breaker.config().timeout(), Some(seconds(1)));
    let attribute = rules().timeout(seconds(5)).build().unwrap();

    breaker.reconfigure(Config::default()).unwrap();
    assert_eq!(breaker.config().timeout(), None);
    for file in [
        "[circuits.'timed']\ntimeout = '2s'",
        "[circuits.'tim*d']\ntimeout = '2s'",
    ] {
        let applied = apply(file);
        assert!(applied.skipped.iter().all(|it| it.breaker != "timed"));
        assert_eq!(breaker.config().timeout(), Some(seconds(2)));
        assert_eq!(timed().config().timeout(), Some(seconds(2)));
        apply("");
        assert_eq!(breaker.config().timeout(), None);
    }
    breaker.reconfigure(attribute).unwrap();
}

#[test]
fn refused_overrides_leave_the_evidence() {
    let _turn = Turn::wait();
    let breaker = breaker("evidence");
    fail(&breaker);
    refused("[circuits.evidence]\nmax_failures = 2\nfailure_rate = 0.5");
    assert_eq!(counted(&breaker), 1);
    assert_eq!(breaker.config(), Config::default());
    let valid = read("[circuits.evidence]\nmax_failures = 2");
    assert!(registry::apply(valid).is_ok());
    assert_eq!(counted(&breaker), 1);
}
