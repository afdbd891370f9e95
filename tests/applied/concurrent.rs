//! Overrides that several threads apply, and code of the program that runs meanwhile.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Barrier, mpsc};
use std::thread;

use crate::support::{Turn, apply, breaker, read, returns, rules};
use circuit_runtime::{
    Applied, CircuitBreaker, CircuitBreakers, Config, HoldSource, Overrides, State, registry,
};

/// Returns one of two sets of overrides, in which every rule differs.
fn overrides(number: u32) -> Overrides {
    match number % 2 {
        0 => read("[circuits.'race*']\nmax_failures = 6\nprobes = 6\nhold = 'open'"),
        _ => read("[circuits.'race*']\nmax_failures = 7\nprobes = 7"),
    }
}

/// Returns the number of the overrides that a breaker follows.
fn followed(breaker: &CircuitBreaker) -> u32 {
    let config = breaker.config();
    let max_failures = config.max_failures().unwrap();
    assert_eq!(max_failures, config.probes(), "{breaker:?}");
    let snapshot = breaker.snapshot();
    let hold = snapshot.hold.map(|hold| (hold.to, hold.source));
    let expected = match max_failures {
        6 => Some((State::Open, HoldSource::File)),
        _ => None,
    };
    assert_eq!(hold, expected, "{breaker:?}");
    max_failures
}

#[test]
fn concurrent_applications_end_in_one_of_them_everywhere() {
    let _turn = Turn::wait();
    let breakers: Vec<_> = (0..8).map(|_| breaker("race")).collect();
    let tenants = CircuitBreakers::new("race of keys", Config::default());
    for round in 0..200_u32 {
        let barrier = Barrier::new(3);
        let resident = tenants.get(&round.to_string());
        let created = thread::scope(|scope| {
            for number in 0..2 {
                let barrier = &barrier;
                scope.spawn(move || {
                    barrier.wait();
                    for turn in 0..4 {
                        registry::apply(overrides(number + turn)).unwrap();
                    }
                });
            }
            barrier.wait();
            [breaker("race"), tenants.get("created"), breaker("race")]
        });
        let all = breakers.iter().chain([&resident]).chain(&created);
        let followed: Vec<_> = all.map(followed).collect();
        assert!(followed.iter().all(|it| *it == followed[0]), "{followed:?}");
        // They follow the overrides in force.
        assert_eq!(self::followed(&breaker("race")), followed[0]);
        assert_eq!(registry::apply(overrides(followed[0])).unwrap().changed, []);
    }
}

/// Either the program's rules are the latest, or the overrides over them; never those that were
/// replaced.
#[test]
fn rules_that_are_reconfigured_while_overrides_are_applied_are_not_lost() {
    let _turn = Turn::wait();
    let breaker = breaker("race of rules");
    let tenants = CircuitBreakers::new("race of rules", Config::default());
    let tenant = tenants.get("a");
    // They take time between the reading of all rules and their replacement.
    let _others: Vec<_> = (0..1_000).map(|_| self::breaker("others")).collect();
    for round in 0..300_u32 {
        let barrier = Barrier::new(2);
        let by_hand = rules().max_failures(10 + round).build().unwrap();
        let probes = 2 + round % 2;
        let overrides = read(&format!("[circuits.'race of *']\nprobes = {probes}"));
        thread::scope(|scope| {
            scope.spawn(|| {
                barrier.wait();
                registry::apply(overrides).unwrap();
            });
            barrier.wait();
            breaker.reconfigure(by_hand).unwrap();
            tenants.reconfigure(by_hand).unwrap();
        });
        for breaker in [&breaker, &tenant] {
            let config = breaker.config();
            assert_eq!(config.max_failures(), Some(10 + round), "{config:?}");
        }
    }
}

#[test]
fn a_listener_may_apply_overrides() {
    let _turn = Turn::wait();
    let (first, second) = (breaker("listened"), breaker("listened"));
    let applied = returns(move || {
        let (sender, receiver) = mpsc::channel();
        let listening = registry::on_change(move |change| {
            if change.breaker == "listened" && change.to == State::Open {
                let applied = apply("[circuits.listened]\nmax_failures = 2");
                sender.send(applied).unwrap();
            }
        });
        apply("[circuits.listened]\nhold = 'open'");
        drop(listening);
        receiver.iter().collect::<Vec<Applied>>()
    });
    assert_eq!(
        applied[0].to_string(),
        "listened: max_failures 5 -> 2, hold in the file open -> none\n".repeat(2)
    );
    for breaker in [first, second] {
        assert_eq!(breaker.config().max_failures(), Some(2));
        assert_eq!(
            (breaker.state(), breaker.snapshot().hold),
            (State::Closed, None)
        );
    }
}

/// The captures of a listener are dropped with its breaker, on any thread.
#[test]
fn dropping_a_listener_may_create_breakers_and_apply_overrides() {
    struct Creates;

    impl Drop for Creates {
        fn drop(&mut self) {
            drop(breaker("created by a drop"));
        }
    }

    let _turn = Turn::wait();
    returns(|| {
        let is_over = AtomicBool::new(false);
        let _others: Vec<_> = (0..200).map(|_| breaker("others")).collect();
        thread::scope(|scope| {
            scope.spawn(|| {
                for number in 0..1_000 {
                    let probes = 2 + number % 2;
                    apply(&format!("[circuits.raced]\nprobes = {probes}"));
                }
                is_over.store(true, Ordering::Relaxed);
            });
            while !is_over.load(Ordering::Relaxed) {
                let all = [0; 50].map(|_| breaker("raced"));
                for breaker in &all {
                    let creates = Creates;
                    breaker.on_change(move |_| _ = &creates).forget();
                }
            }
        });
    });
}

/// However the two interleave, a call that is made after `apply` has returned is rejected.
#[test]
fn a_breaker_that_is_created_while_it_is_held_is_held() {
    let _turn = Turn::wait();
    for _ in 0..500 {
        let barrier = Barrier::new(2);
        let created = thread::scope(|scope| {
            scope.spawn(|| {
                barrier.wait();
                apply("[circuits.race]\nhold = 'open'");
            });
            barrier.wait();
            breaker("race")
        });
        assert!(created.try_acquire().is_err());
        drop(created);
        apply("");
    }
}
