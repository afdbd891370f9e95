//! The rules in force: those of the most specific match.

use crate::support::{Turn, apply, breaker, called, counted, fail, rules, seconds};
use circuit_runtime::{
    CircuitBreaker, CircuitBreakers, CircuitError, Config, Overrides, State, circuit_breaker,
    registry,
};

#[test]
fn the_most_specific_match_wins_for_breakers_in_use_and_later_ones() {
    let _turn = Turn::wait();
    let quote = breaker("rules::quote");
    let order = breaker("rules::order");
    let other = breaker("other rules");

    apply(
        r#"
        [circuits."rules::*"]
        max_failures = 3
        reset = "10s"
        [circuits."rules::quote"]
        reset = "20s"
        "#,
    );

    let later = [
        breaker("rules::quote"),
        breaker("rules::order"),
        breaker("other rules"),
    ];
    for (breaker, expected) in [quote, order, other]
        .iter()
        .chain(&later)
        .zip([(3, 20), (3, 10), (5, 30)].into_iter().cycle())
    {
        let config = breaker.config();
        let actual = (config.max_failures(), config.reset());
        assert_eq!(
            actual,
            (Some(expected.0), seconds(expected.1)),
            "{breaker:?}"
        );
    }
    for _ in 0..3 {
        fail(&later[0]);
    }
    assert_eq!(later[0].state(), State::Open);
    let wait = later[0].snapshot().retry_after.unwrap();
    assert!(wait > seconds(10) && wait <= seconds(20), "{wait:?}");
}

#[circuit_breaker(name = "rules::annotated", max_failures = 4)]
async fn annotated() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(name = "rules::keyed", key = host)]
async fn keyed(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

#[test]
fn annotated_functions_follow_from_their_first_call_on() {
    let _turn = Turn::wait();
    apply("[circuits.'rules::*']\nprobes = 2");
    assert_eq!(called(annotated()), Ok(()));
    assert_eq!(called(keyed("a")), Ok(1));
    for (name, max_failures) in [("rules::annotated", 4), ("rules::keyed[a]", 5)] {
        let config = registry::find(name).unwrap().config();
        assert_eq!(
            (config.max_failures(), config.probes()),
            (Some(max_failures), 2)
        );
    }
    apply("[circuits.'rules::annotated']\nprobes = 3\n[circuits.'rules::keyed']\nprobes = 4");
    assert_eq!(
        registry::find("rules::annotated")
            .unwrap()
            .config()
            .probes(),
        3
    );
    assert_eq!(
        registry::find("rules::keyed[a]").unwrap().config().probes(),
        4
    );
    assert_eq!(called(keyed("bc")), Ok(2));
    assert_eq!(
        registry::find("rules::keyed[bc]")
            .unwrap()
            .config()
            .probes(),
        4
    );
}

#[test]
fn the_breakers_of_all_keys_follow_the_name_of_their_function() {
    let _turn = Turn::wait();
    let before = CircuitBreakers::new("tenants", Config::default());
    let resident = before.get("acme");
    fail(&resident);

    let applied =
        apply("[circuits.'tenants']\nmax_failures = 2\n[circuits.'tenants[acme]']\nprobes = 7");

    assert_eq!(
        applied.unmatched,
        ["tenants[acme]"],
        "keys have no rules of their own"
    );
    let [changed] = &*applied.changed else {
        panic!("{applied:?}")
    };
    assert_eq!(changed.breaker, "tenants");
    let after = CircuitBreakers::new("tenants", Config::default());
    for breaker in [&resident, &before.get("later"), &after.get("any")] {
        let config = breaker.config();
        assert_eq!(
            (config.max_failures(), config.probes()),
            (Some(2), 1),
            "{breaker:?}"
        );
    }
    fail(&resident);
    assert_eq!(
        resident.state(),
        State::Open,
        "the earlier failure still counts"
    );
}

/// With a bound of one key, the other one is evicted, and kept for threads that may still reach it.
#[test]
fn an_evicted_key_that_is_used_again_follows() {
    let _turn = Turn::wait();
    let config = rules().last_calls(10).max_failures(5).build().unwrap();
    let tenants = CircuitBreakers::new("evicted", config).max_keys(1);
    fail(&tenants.get("a"));
    fail(&tenants.get("b"));
    apply("[circuits.evicted]\nmax_failures = 2");
    for key in ["a", "b", "a", "c"] {
        let tenant = tenants.get(key);
        assert_eq!(tenant.config().max_failures(), Some(2));
        // Those that were freed in between begin anew.
        for _ in counted(&tenant)..2 {
            assert_eq!(tenant.state(), State::Closed);
            fail(&tenant);
        }
        assert_eq!(tenant.state(), State::Open);
        tenant.reset();
    }
}

#[test]
fn options_that_are_gone_fall_back_to_those_of_the_program() {
    let _turn = Turn::wait();
    let config = rules().max_failures(7).reset(seconds(70)).build().unwrap();
    let breaker = CircuitBreaker::new("falls back", config);
    apply(
        r#"
        [circuits."falls *"]
        max_failures = 2
        timeout = "1s"
        [circuits."falls back"]
        reset = "5s"
        "#,
    );
    let full = rules()
        .max_failures(2)
        .timeout(seconds(1))
        .reset(seconds(5));
    assert_eq!(breaker.config(), full.build().unwrap());

    apply("[circuits.'falls *']\ntimeout = '1s'\n[circuits.'falls back']\nmax_failures = 3");
    let some = rules()
        .max_failures(3)
        .timeout(seconds(1))
        .reset(seconds(70));
    assert_eq!(breaker.config(), some.build().unwrap());

    apply("[circuits.'falls *']\njitter = 0.1");
    let others = rules().max_failures(7).reset(seconds(70)).jitter(0.1);
    assert_eq!(breaker.config(), others.build().unwrap());

    registry::apply(Overrides::new()).unwrap();
    assert_eq!(breaker.config(), config);
}

/// The rules from which the overrides start are the latest of the program's own.
#[test]
fn overrides_go_over_what_reconfigure_has_set() {
    let _turn = Turn::wait();
    let breaker = breaker("reconfigured");
    let tenants = CircuitBreakers::new("reconfigured", Config::default());
    let file = "[circuits.reconfigured]\nmax_failures = 2";
    apply(file);

    let by_hand = rules().max_failures(9).reset(seconds(9)).build().unwrap();
    breaker.reconfigure(by_hand).unwrap();
    tenants.reconfigure(by_hand).unwrap();
    assert_eq!([breaker.config(), tenants.get("a").config()], [by_hand; 2]);

    let applied = apply(file);
    assert_eq!(applied.changed.len(), 2);
    let both = rules().max_failures(2).reset(seconds(9)).build().unwrap();
    assert_eq!([breaker.config(), tenants.get("a").config()], [both; 2]);

    registry::apply(Overrides::new()).unwrap();
    assert_eq!([breaker.config(), tenants.get("a").config()], [by_hand; 2]);
}

#[test]
fn overrides_that_are_applied_again_change_nothing() {
    let _turn = Turn::wait();
    let breaker = breaker("again");
    let file = "[circuits.again]\nmax_failures = 3\nhold = 'closed'";
    assert_eq!(apply(file).changed.len(), 1);
    fail(&breaker);
    let again = apply(file);
    assert_eq!((again.changed, again.skipped), (Vec::new(), Vec::new()));
    assert_eq!(counted(&breaker), 1);
}

#[test]
fn applied_says_what_has_changed() {
    let _turn = Turn::wait();
    let both = [breaker("changed::b"), breaker("changed::a")];
    let before = Config::default();
    let applied = apply(
        r#"
        [circuits."changed::*"]
        max_failures = 3
        reset = "10s"
        [circuits."changed::b"]
        hold = "closed"
        [circuits."chnaged::b"]
        [circuits."*::chnaged"]
        probes = 3
        "#,
    );
    let changed: Vec<_> = applied
        .changed
        .iter()
        .map(|it| (it.breaker.as_str(), it.before, it.after, it.hold))
        .collect();
    let after = rules().max_failures(3).reset(seconds(10)).build().unwrap();
    assert_eq!(
        changed,
        [
            ("changed::a", before, after, None),
            ("changed::b", before, after, Some(State::Closed)),
        ]
    );
    assert_eq!(applied.unmatched, ["*::chnaged", "chnaged::b"]);
    assert_eq!(
        applied.to_string(),
        "changed::a: max_failures 5 -> 3, reset 30s -> 10s\n\
         changed::b: max_failures 5 -> 3, reset 30s -> 10s, hold in the file none -> closed\n\
         `*::chnaged` matches no circuit so far\n\
         `chnaged::b` matches no circuit so far; did you mean `changed::b`?\n",
    );

    let held =
        apply("[circuits.'changed::a']\nhold = 'open'\n[circuits.'changed::b']\nwindow = 10");
    assert_eq!(
        held.to_string(),
        "changed::a: max_failures 3 -> 5, reset 10s -> 30s, hold in the file none -> open\n\
         changed::b: max_failures 3 -> 5, window none -> 10, reset 10s -> 30s, hold in \
         the file closed -> none\n",
    );
    let released = apply("");
    assert_eq!(
        released.to_string(),
        "changed::a: hold in the file open -> none\n\
         changed::b: window 10 -> none\n",
    );
    drop(both);
    assert_eq!(apply("").to_string(), "");
}

#[test]
fn a_name_that_matches_no_circuit_may_mean_another() {
    let _turn = Turn::wait();
    let _quote = breaker("meant::quote");
    let _page = CircuitBreakers::new("meant::page", Config::default());
    for (name, hint) in [
        ("meant::qoute", "; did you mean `meant::quote`?"),
        ("quote", "; did you mean `meant::quote`?"),
        (
            "meant::page[eu]",
            "; write `meant::page`, for all of its keys",
        ),
        ("page[eu]", "; write `meant::page`, for all of its keys"),
        ("ote", ""),
        ("meant::other", ""),
        ("*::qoute", ""),
    ] {
        let applied = apply(&format!("[circuits.'{name}']\nhold = 'open'"));
        let expected = format!("`{name}` matches no circuit so far{hint}\n");
        assert_eq!(applied.to_string(), expected);
    }
}

/// Each hint is looked for among all circuits, and there may be thousands of names.
#[test]
fn the_first_of_many_names_that_match_no_circuit_have_a_hint() {
    let _turn = Turn::wait();
    let _hinted = breaker("hinted::quote");
    let names = (10..40).map(|number| format!("hinted::quote{number}"));
    let overrides = names.clone().fold(Overrides::new(), |overrides, name| {
        overrides.hold_open(name).unwrap()
    });
    let shown = registry::apply(overrides).unwrap().to_string();
    assert_eq!(shown.lines().count(), 30);
    for (line, (name, index)) in shown.lines().zip(names.zip(0..)) {
        let hint = if index < 20 {
            "; did you mean `hinted::quote`?"
        } else {
            ""
        };
        assert_eq!(line, format!("`{name}` matches no circuit so far{hint}"));
    }
}

/// A default that follows another option has no effect without a rate.
#[test]
fn only_options_with_an_effect_are_shown_as_changed() {
    let _turn = Turn::wait();
    let consecutive = breaker("effect");
    let applied = apply("[circuits.effect]\nwindow = 10");
    assert_eq!(applied.to_string(), "effect: window none -> 10\n");
    let applied = apply("[circuits.effect]\nwindow = 10\nfailure_rate = 0.5");
    let with_rate =
        "effect: max_failures 5 -> none, failure_rate none -> 0.5, min_calls none -> 10\n";
    assert_eq!(applied.to_string(), with_rate);
    drop(consecutive);
}

#[test]
fn breakers_of_one_name_follow_alike() {
    let _turn = Turn::wait();
    let config = rules().max_failures(9).build().unwrap();
    let [first, second] = [Config::default(), config].map(|it| CircuitBreaker::new("twin", it));
    let applied = apply("[circuits.twin]\nmax_failures = 9\nhold = 'open'");
    let changed = applied
        .changed
        .iter()
        .map(|it| (&*it.breaker, it.before.max_failures()));
    assert_eq!(
        changed.collect::<Vec<_>>(),
        [("twin", Some(5)), ("twin", Some(9))],
        "the second is held"
    );
    for twin in [&first, &second] {
        assert_eq!(twin.config().max_failures(), Some(9));
        assert_eq!(twin.state(), State::Open);
    }
}

#[test]
fn state_totals_and_evidence_stay() {
    let _turn = Turn::wait();
    let stays = breaker("stays");
    let open = breaker("stays open");
    for _ in 0..4 {
        fail(&stays);
    }
    for _ in 0..5 {
        fail(&open);
    }
    let before = open.snapshot();
    apply("[circuits.'stays*']\nmax_failures = 4");
    assert_eq!(stays.state(), State::Closed);
    assert_eq!((stays.snapshot().failed, counted(&stays)), (4, 4));
    fail(&stays);
    assert_eq!(stays.state(), State::Open, "with the next failure");
    let after = open.snapshot();
    assert_eq!(
        (after.state, after.failed, after.opened),
        (State::Open, 5, 1)
    );
    assert_eq!(after.last_change, before.last_change);
}
