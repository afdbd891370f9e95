//! The `hold` of a file, beside the orders that are given by hand.

use crate::support::{Turn, apply, breaker, called, causes, fail, rules, seconds};
use circuit_runtime::remote::{Effect, Epoch, Remote};
use circuit_runtime::{
    Cause, CircuitBreaker, CircuitBreakers, CircuitError, Config, HoldSource, State,
    circuit_breaker, registry,
};
use tokio::time::advance;

const FILE: Option<HoldSource> = Some(HoldSource::File);
const FLEET: Option<HoldSource> = Some(HoldSource::Fleet);
const ORDER: Option<HoldSource> = Some(HoldSource::Order);

/// Returns the state, and the origin of the hold.
fn held(breaker: &CircuitBreaker) -> (State, Option<HoldSource>) {
    let snapshot = breaker.snapshot();
    (snapshot.state, snapshot.hold.map(|hold| hold.source))
}

fn hold(name: &str, to: &str) {
    apply(&format!("[circuits.'{name}']\nhold = '{to}'"));
}

#[test]
fn a_breaker_is_held_until_its_hold_is_gone_and_each_change_is_reported_once() {
    let _turn = Turn::wait();
    let breaker = breaker("hold");
    let mut changes = registry::changes();

    hold("hold", "open");
    assert_eq!(held(&breaker), (State::Open, FILE));
    assert_eq!(breaker.snapshot().hold.unwrap().ends_in, None);
    hold("hold", "open");
    hold("h*", "open");
    assert_eq!(causes(&mut changes, "hold"), [Cause::ForcedOpen]);

    hold("hold", "closed");
    assert_eq!(held(&breaker), (State::Closed, FILE));
    assert_eq!(causes(&mut changes, "hold"), [Cause::ForcedClosed]);
    for _ in 0..5 {
        fail(&breaker);
    }
    assert_eq!(
        (breaker.state(), breaker.snapshot().withheld),
        (State::Closed, 1)
    );
    assert_eq!(causes(&mut changes, "hold"), [Cause::Withheld]);

    apply("[circuits.hold]\nprobes = 2");
    assert_eq!(held(&breaker), (State::Closed, None));
    apply("");
    assert_eq!(causes(&mut changes, "hold"), [Cause::Reset]);
    for _ in 0..5 {
        fail(&breaker);
    }
    assert_eq!(breaker.state(), State::Open);
}

#[circuit_breaker(name = "first call")]
async fn first_call() -> Result<(), CircuitError> {
    panic!("the call ran")
}

#[circuit_breaker(name = "first call of a key", key = host)]
async fn first_call_of_a_key(host: &str) -> Result<(), CircuitError> {
    panic!("the call of {host} ran")
}

#[test]
fn a_function_is_held_open_before_its_first_call() {
    let _turn = Turn::wait();
    let mut changes = registry::changes();
    hold("first call*", "open");
    assert!(called(first_call()).unwrap_err().is_open());
    assert!(called(first_call()).unwrap_err().is_open());
    let breaker = registry::find("first call").unwrap();
    assert_eq!(held(&breaker), (State::Open, FILE));
    assert_eq!(breaker.snapshot().rejected, 2);
    assert_eq!(causes(&mut changes, "first call"), [Cause::ForcedOpen]);

    for key in ["a", "b", "a"] {
        assert!(called(first_call_of_a_key(key)).unwrap_err().is_open());
    }
    let mut changes = registry::changes();
    apply("");
    for name in [
        "first call",
        "first call of a key[a]",
        "first call of a key[b]",
    ] {
        assert_eq!(held(&registry::find(name).unwrap()), (State::Closed, None));
    }
    assert_eq!(
        causes(&mut changes, "first call of a key[a]"),
        [Cause::Reset]
    );
}

#[test]
fn all_keys_are_held_in_use_or_not() {
    let _turn = Turn::wait();
    let tenants = CircuitBreakers::new("keys", Config::default());
    let (resident, by_hand) = (tenants.get("a"), tenants.get("by hand"));
    by_hand.force_open();
    let mut changes = registry::changes();
    hold("keys", "closed");
    assert_eq!(held(&resident), (State::Closed, FILE));
    assert_eq!(held(&by_hand), (State::Open, ORDER));
    assert_eq!(held(&tenants.get("later")), (State::Closed, FILE));
    assert_eq!(held(&tenants.get("later")), (State::Closed, FILE));
    assert_eq!(causes(&mut changes, "keys[a]"), [Cause::ForcedClosed]);
    hold("keys", "open");
    apply("");
    for breaker in [resident, tenants.get("later"), tenants.get("even later")] {
        assert_eq!(held(&breaker), (State::Closed, None));
    }
    assert_eq!(held(&by_hand), (State::Open, ORDER));
}

/// Keys that anyone can make up must not take any memory that they like.
#[test]
fn keys_that_a_file_holds_are_bounded_and_those_held_by_hand_stay() {
    let _turn = Turn::wait();
    let tenants = CircuitBreakers::new("bounded", Config::default()).max_keys(10);
    tenants.get("by hand").force_open();
    for to in ["open", "closed"] {
        hold("bounded", to);
        for key in 0..1_000 {
            let tenant = tenants.get(&key.to_string());
            assert_eq!(held(&tenant).1, FILE);
        }
        assert!(tenants.all().len() <= 12, "{}", tenants.all().len());
        assert_eq!(held(&tenants.get("by hand")), (State::Open, ORDER));
    }
    apply("");
    for key in 0..1_000 {
        assert_eq!(held(&tenants.get(&key.to_string())), (State::Closed, None));
    }
}

/// With a bound of one key, the other one is evicted, and kept for threads that may still reach it.
#[test]
fn an_evicted_key_that_is_used_again_follows_the_file() {
    let _turn = Turn::wait();
    let tenants = CircuitBreakers::new("evicted", Config::default()).max_keys(1);
    for (to, expected) in [
        ("open", (State::Open, FILE)),
        ("closed", (State::Closed, FILE)),
        ("open", (State::Open, FILE)),
    ] {
        fail_all(&tenants);
        hold("evicted", to);
        for key in ["a", "b", "a"] {
            assert_eq!(held(&tenants.get(key)), expected, "{key}");
        }
        apply("");
        for key in ["a", "b", "a"] {
            assert_eq!(held(&tenants.get(key)), (State::Closed, None), "{key}");
        }
    }
}

fn fail_all(tenants: &CircuitBreakers) {
    for key in ["a", "b", "a", "b"] {
        fail(&tenants.get(key));
    }
}

#[test]
fn a_file_neither_replaces_nor_releases_an_order_by_hand() {
    let _turn = Turn::wait();
    let mut changes = registry::changes();
    let breaker = breaker("order");
    for (order, state) in [
        (
            CircuitBreaker::force_open as fn(&CircuitBreaker),
            State::Open,
        ),
        (CircuitBreaker::force_closed, State::Closed),
    ] {
        order(&breaker);
        causes(&mut changes, "order");
        for to in ["open", "closed"] {
            hold("order", to);
            assert_eq!(held(&breaker), (state, ORDER));
        }
        apply("");
        assert_eq!(held(&breaker), (state, ORDER));
        assert_eq!(causes(&mut changes, "order"), []);
    }
}

#[test]
fn a_hold_stays_when_the_rules_are_replaced() {
    let _turn = Turn::wait();
    let (breaker, tenants) = (
        breaker("replaced"),
        CircuitBreakers::new("replaced", rules().build().unwrap()),
    );
    hold("replaced", "closed");
    let config = rules().max_failures(9).build().unwrap();
    breaker.reconfigure(config).unwrap();
    tenants.reconfigure(config).unwrap();
    for breaker in [&breaker, &tenants.get("a")] {
        assert_eq!(held(breaker), (State::Closed, FILE));
        assert_eq!(breaker.config(), config);
    }
}

/// Shows the wish of the file; the circuit may be held otherwise.
#[test]
fn applied_shows_the_hold_of_the_file_and_not_that_of_the_circuit() {
    let _turn = Turn::wait();
    let breaker = breaker("shown");
    breaker.force_open();
    let applied = apply("[circuits.shown]\nhold = 'closed'");
    assert_eq!(
        applied.to_string(),
        "shown: hold in the file none -> closed\n"
    );
    assert_eq!(held(&breaker), (State::Open, ORDER));
    // It holds again what was released by hand, which is no change of the file.
    breaker.reset();
    let again = apply("[circuits.shown]\nhold = 'closed'");
    assert_eq!(
        (again.changed, held(&breaker)),
        (vec![], (State::Closed, FILE))
    );
    let applied = apply("");
    assert_eq!(
        applied.to_string(),
        "shown: hold in the file closed -> none\n"
    );
}

#[test]
fn an_order_by_hand_takes_over_from_the_file_even_if_it_is_the_same() {
    let _turn = Turn::wait();
    let mut changes = registry::changes();
    for (order, state) in [
        (
            CircuitBreaker::force_open as fn(&CircuitBreaker),
            State::Open,
        ),
        (CircuitBreaker::force_closed, State::Closed),
    ] {
        for to in ["open", "closed"] {
            let breaker = breaker("taken over");
            hold("taken over", to);
            assert_eq!(held(&breaker).1, FILE);
            causes(&mut changes, "taken over");
            order(&breaker);
            assert_eq!(held(&breaker), (state, ORDER));
            let reported = causes(&mut changes, "taken over").len();
            assert_eq!(reported, usize::from(to != state.to_string()));
            hold("taken over", to);
            apply("");
            assert_eq!(held(&breaker), (state, ORDER), "{to}");
            assert_eq!(causes(&mut changes, "taken over"), []);
        }
    }
}

#[test]
fn a_circuit_that_was_released_by_hand_is_held_when_the_file_is_applied_again() {
    let _turn = Turn::wait();
    let breaker = breaker("released");
    let mut changes = registry::changes();
    hold("released", "open");
    breaker.reset();
    assert_eq!(held(&breaker), (State::Closed, None));
    hold("released", "open");
    assert_eq!(held(&breaker), (State::Open, FILE));
    // It trips no circuit that is held.
    breaker.trip();
    assert_eq!(held(&breaker), (State::Open, FILE));
    hold("released", "closed");
    breaker.trip();
    assert_eq!(held(&breaker), (State::Closed, FILE));
    let [opened, reset, closed] = [Cause::ForcedOpen, Cause::Reset, Cause::ForcedClosed];
    let expected = [opened, reset, opened, closed];
    assert_eq!(causes(&mut changes, "released"), expected);

    // Released by hand, it is not released once more.
    breaker.reset();
    breaker.trip();
    apply("");
    assert_eq!(held(&breaker), (State::Open, None));
    let expected = [Cause::Reset, Cause::Tripped];
    assert_eq!(causes(&mut changes, "released"), expected);
}

#[tokio::test(start_paused = true)]
async fn an_order_with_an_end_goes_before_the_file_until_the_file_is_applied_again() {
    let _turn = Turn::come().await;
    let breaker = breaker("with an end");
    for (to, other) in [("open", State::Closed), ("closed", State::Open)] {
        hold("with an end", to);
        match other {
            State::Open => breaker.force_open_for(seconds(10)),
            _ => breaker.force_closed_for(seconds(10)),
        }
        hold("with an end", to);
        assert_eq!(held(&breaker), (other, ORDER));
        advance(seconds(10)).await;
        assert_eq!(held(&breaker), (State::Closed, None));
        hold("with an end", to);
        assert_eq!(held(&breaker).1, FILE);
        assert_eq!(breaker.state().to_string(), to);
    }
}

/// As its state is the same, but its end is not.
#[tokio::test(start_paused = true)]
async fn an_order_with_an_end_takes_over_from_the_file() {
    let _turn = Turn::come().await;
    let breaker = breaker("to an end");
    hold("to an end", "open");
    breaker.force_open_for(seconds(10));
    assert_eq!(held(&breaker), (State::Open, ORDER));
    apply("");
    assert_eq!(held(&breaker), (State::Open, ORDER));
    advance(seconds(10)).await;
    assert_eq!(held(&breaker), (State::Closed, None));
}

#[tokio::test(start_paused = true)]
async fn a_circuit_that_is_open_or_half_open_is_held_and_released_closed() {
    let _turn = Turn::come().await;
    let config = rules().max_failures(1).ramp(seconds(60)).build().unwrap();
    for to in ["open", "closed"] {
        for passed in [0, 30, 60] {
            let breaker = CircuitBreaker::new("any state", config);
            fail(&breaker);
            advance(seconds(passed)).await;
            if passed == 60 {
                breaker.try_acquire().unwrap().success();
            }
            let stale = breaker.try_acquire();
            hold("any state", to);
            assert_eq!(held(&breaker).1, FILE);
            assert_eq!(breaker.state().to_string(), to);
            if let Ok(permit) = stale {
                permit.failure();
            }
            apply("");
            assert_eq!(held(&breaker), (State::Closed, None));
        }
    }
}

#[test]
fn a_hold_that_is_refused_changes_nothing() {
    let _turn = Turn::wait();
    let breaker = breaker("refused");
    let tenants = CircuitBreakers::new("refused", Config::default());
    let _ = tenants.get("a");
    let file = "[circuits.refused]\nhold = 'open'\nmax_reset = '1s'";
    registry::apply(toml::from_str(file).unwrap()).unwrap_err();
    for breaker in [&breaker, &tenants.get("a"), &tenants.get("b")] {
        assert_eq!(held(breaker), (State::Closed, None));
    }
}

#[test]
fn an_order_of_a_fleet_goes_before_the_hold_of_a_file_and_returns_to_it() {
    let _turn = Turn::wait();
    let breaker = breaker("fleet");
    let remote = Remote::attach(&breaker);
    hold("fleet", "closed");
    assert_eq!(remote.hold_closed(Epoch(1), None), Effect::Applied);
    assert_eq!(held(&breaker), (State::Closed, FLEET), "repeated");
    assert_eq!(remote.hold_open(Epoch(2), None), Effect::Applied);
    hold("fleet", "closed");
    assert_eq!(held(&breaker), (State::Open, FLEET));
    assert_eq!(remote.release(Epoch(3)), Effect::Applied);
    assert_eq!(held(&breaker), (State::Closed, FILE));
    assert_eq!(remote.release(Epoch(4)), Effect::Unchanged);
    assert_eq!(held(&breaker), (State::Closed, FILE));

    assert_eq!(remote.hold_open(Epoch(5), None), Effect::Applied);
    apply("");
    assert_eq!(held(&breaker), (State::Open, FLEET), "not the file's");
    breaker.force_open();
    assert_eq!(held(&breaker), (State::Open, ORDER));
}
