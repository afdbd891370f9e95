//! First calls under a hold: of the program's listeners and log, and of several threads at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Barrier, LazyLock, mpsc};
use std::thread;

use crate::left_out::logged;
use crate::support::{Turn, apply, breaker, called, returns};
use circuit_runtime::{
    CircuitBreaker, CircuitBreakers, CircuitError, Config, circuit_breaker, registry,
};

#[circuit_breaker(name = "heard")]
async fn heard() -> Result<(), CircuitError> {
    panic!("the call ran")
}

#[test]
fn a_listener_may_call_the_function_whose_first_call_it_hears_of() {
    let _turn = Turn::wait();
    apply("[circuits.heard]\nhold = 'open'");
    let results = returns(|| {
        let (sender, receiver) = mpsc::channel();
        let listening = registry::on_change(move |change| {
            if change.breaker == "heard" {
                sender.send(called(heard())).unwrap();
            }
        });
        let first = called(heard());
        drop(listening);
        receiver.into_iter().chain([first]).collect::<Vec<_>>()
    });
    assert_eq!(results.len(), 2);
    for result in results {
        assert!(result.unwrap_err().is_open());
    }
}

#[test]
fn a_listener_may_find_a_breaker_that_a_lock_of_the_program_is_creating() {
    static LAZY: LazyLock<CircuitBreaker> = LazyLock::new(|| breaker("lazy"));
    let _turn = Turn::wait();
    apply("[circuits.lazy]\nhold = 'open'");
    let results = returns(|| {
        let (sender, receiver) = mpsc::channel();
        let listening = registry::on_change(move |change| {
            if change.breaker == "lazy" {
                let found = registry::find("lazy").unwrap();
                sender.send(found.try_acquire().is_err()).unwrap();
            }
        });
        let first = LAZY.try_acquire().is_err();
        drop(listening);
        receiver.into_iter().chain([first]).collect::<Vec<_>>()
    });
    assert_eq!(results, [true, true]);
}

#[circuit_breaker(name = "logged: one")]
async fn one_logged() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(name = "logged: keyed", key = host)]
async fn keyed_logged(host: &str) -> Result<(), CircuitError> {
    let _ = host;
    Ok(())
}

#[test]
fn a_log_may_call_the_function_whose_first_call_it_is_warned_of() {
    let _turn = Turn::wait();
    // The functions have no room for a timer, which is a warning.
    apply("[circuits.'logged: one']\ntimeout = '1s'");
    let act = || assert_eq!(called(one_logged()), Ok(()));
    let (result, lines) = returns(move || logged(act, || called(one_logged())));
    assert_eq!((result, lines.len()), (Ok(()), 1));

    apply("[circuits.'logged: keyed']\ntimeout = '1s'");
    let act = || assert_eq!(called(keyed_logged("a")), Ok(()));
    let (result, lines) = returns(move || logged(act, || called(keyed_logged("a"))));
    assert_eq!((result, lines.len()), (Ok(()), 1));
}

#[test]
fn no_call_of_a_key_gets_through_before_it_is_held() {
    let _turn = Turn::wait();
    apply("[circuits.'racing keys']\nhold = 'open'");
    for _ in 0..200 {
        let tenants = CircuitBreakers::new("racing keys", Config::default());
        let barrier = Barrier::new(2);
        let call_all = || {
            barrier.wait();
            for key in ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"] {
                assert!(tenants.get(key).try_acquire().is_err(), "{key}");
            }
        };
        thread::scope(|scope| {
            scope.spawn(call_all);
            call_all();
        });
    }
}

#[test]
fn no_call_gets_through_to_a_breaker_that_is_found_as_it_is_created() {
    let _turn = Turn::wait();
    apply("[circuits.found]\nhold = 'open'");
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                if let Some(found) = registry::find("found") {
                    assert!(found.try_acquire().is_err());
                }
            }
        });
        for _ in 0..5_000 {
            drop(breaker("found"));
        }
        is_over.store(true, Ordering::Relaxed);
    });
}
