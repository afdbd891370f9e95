//! The breakers in use, their changes, and the annotated functions of the program.
//!
//! # Examples
//!
//! ```
//! use circuit_runtime::{CircuitBreaker, Config, registry};
//!
//! let breaker = CircuitBreaker::new("payments", Config::default());
//!
//! for breaker in registry::all() {
//!     println!("{}: {}", breaker.name(), breaker.state());
//! }
//!
//! registry::find("payments").unwrap().force_open();
//! assert!(breaker.try_acquire().is_err());
//!
//! drop(breaker);
//! assert!(registry::find("payments").is_none());
//! ```

use crate::breaker::CircuitBreaker;
use crate::circuit::registered::{self, Listed};
#[cfg(feature = "discovery")]
use crate::declared::{self, Declared};
use crate::events::{self, Changes, StateChange, Subscription};
#[cfg(feature = "serde")]
use crate::overrides::{Applied, Overrides, OverridesError, in_force};

/// Returns handles to all breakers in use, oldest first.
///
/// The keyed breakers of one function are adjacent. An annotated function's breaker exists from its
/// first call on. With the feature `discovery`, `declared` lists the function before that, too.
///
/// A handle keeps its breaker alive, even a keyed one that would otherwise be evicted.
///
/// # Examples
///
/// ```
/// use circuit_runtime::{State, registry};
///
/// let open = registry::all().into_iter().filter(|breaker| breaker.state() == State::Open);
/// println!("{} circuits are open", open.count());
/// ```
#[must_use]
pub fn all() -> Vec<CircuitBreaker> {
    let listed = registered::all().into_iter();
    // One after the other: only the breakers that the caller gets are kept in use.
    let circuits = listed
        .filter_map(|listed| listed.upgrade())
        .flat_map(Listed::circuits);
    circuits.map(CircuitBreaker::from_circuit).collect()
}

/// Returns the oldest breaker in use with this name.
///
/// The breaker of an annotated function is named `crate::module::function`, unless its option
/// `name` says otherwise; its breaker for a `key` is named `crate::module::function[key]`. A long
/// key can be written in full, or shortened as in the breaker's [`Name`](crate::Name). Breakers
/// with other names are not examined: finding one among a million is fast.
///
/// # Examples
///
/// ```
/// use circuit_runtime::{CircuitBreaker, Config, registry};
///
/// let breaker = CircuitBreaker::new("payments", Config::default());
/// assert!(registry::find("payments").is_some());
/// assert!(registry::find("refunds").is_none());
/// # drop(breaker);
/// ```
#[must_use]
pub fn find(name: &str) -> Option<CircuitBreaker> {
    registered::find(name).map(CircuitBreaker::from_circuit)
}

/// Returns all breakers in use with this name, oldest first.
///
/// # Examples
///
/// ```
/// use circuit_runtime::{CircuitBreaker, Config, registry};
///
/// let shards = [0, 1].map(|_| CircuitBreaker::new("shard", Config::default()));
///
/// for shard in registry::find_all("shard") {
///     shard.force_open();
/// }
/// assert!(shards.iter().all(|shard| shard.try_acquire().is_err()));
/// ```
#[must_use]
pub fn find_all(name: &str) -> Vec<CircuitBreaker> {
    let circuits = registered::find_all(name).into_iter();
    circuits.map(CircuitBreaker::from_circuit).collect()
}

/// Returns all annotated functions that are linked into the program, called or not, in the order of
/// their names.
///
/// Private functions that are never called, generic ones and methods of traits are among them, each
/// once as it is written. A function with the option `breaker` is not: it has no breaker of its
/// own. A library is linked if the program, or another library of it, uses anything in it.
///
/// Creates no breakers; [`Declared::breaker`] creates the one of a function, so that it can be held
/// open, or shown, before the first call.
///
/// The list is collected before `main`, by the crate [`inventory`](https://docs.rs/inventory), on
/// Linux, macOS, Windows, WebAssembly and the other platforms that it supports. Elsewhere it is
/// empty.
///
/// # Lints
///
/// `#![forbid(unsafe_code)]` is respected. `inventory` allows the lint `non_upper_case_globals`,
/// however, which a crate with this feature can deny but not forbid: rustc warns under
/// `#![forbid(warnings)]` and `#![forbid(nonstandard_style)]`, and reports an error if the lint
/// itself is forbidden.
///
/// # Examples
///
/// ```
/// use circuit_runtime::{CircuitError, State, circuit_breaker, registry};
///
/// #[circuit_breaker(name = "payments")]
/// async fn pay() -> Result<(), CircuitError> {
///     // ..
///     # Ok(())
/// }
///
/// for function in registry::declared() {
///     println!("{} in {}:{}", function.name, function.file, function.line);
/// }
///
/// assert!(registry::find("payments").is_none());
/// let payments = registry::declared().into_iter().find(|function| function.name == "payments");
/// let breaker = payments.and_then(|function| function.breaker()).unwrap();
/// assert_eq!(breaker.state(), State::Closed);
/// assert!(registry::find("payments").is_some());
/// # let _ = pay();
/// ```
#[cfg(feature = "discovery")]
#[cfg_attr(docsrs, doc(cfg(feature = "discovery")))]
#[must_use]
pub fn declared() -> Vec<Declared> {
    declared::all()
}

/// Returns the annotated functions that share their name with another one, in the order of their
/// names.
///
/// Errors, logs and metrics do not tell such functions apart, as with two methods of one name in a
/// module; give one of them another `name`. Only [`declared`] functions are compared: a breaker
/// created with [`CircuitBreaker::new`] may have any name.
///
/// # Examples
///
/// A test for a program:
///
/// ```
/// use circuit_runtime::registry;
///
/// # /*
/// #[test]
/// fn names_are_unique() {
/// # */
///     let duplicates = registry::duplicates();
///     assert!(duplicates.is_empty(), "{duplicates:#?}");
/// # /*
/// }
/// # */
/// ```
#[cfg(feature = "discovery")]
#[cfg_attr(docsrs, doc(cfg(feature = "discovery")))]
#[must_use]
pub fn duplicates() -> Vec<Declared> {
    declared::duplicates()
}

/// Applies overrides to the rules of all breakers, while calls run: those in use, those of keys,
/// and those that are created later.
///
/// Each breaker is matched by its name, or by that of its function if it is one of many keys.
/// Options that earlier overrides have set, and these do not, fall back to those of the attribute
/// or of the program, and so an empty file sets all rules back.
/// [`reconfigure`](CircuitBreaker::reconfigure) says what stays and what changes when rules do.
///
/// A `hold` keeps breakers open or closed until overrides without it are applied; then they are
/// released as by [`reset`](CircuitBreaker::reset). It neither replaces nor releases an order that
/// is given by hand. A function that was not called yet is held from its first call on; with the
/// feature `discovery`, it is listed as held before that.
///
/// An annotated function without a `timeout` cannot be given one, as its future has no room for a
/// timer. Where a pattern sets it, the option is left out and listed as skipped; where the exact
/// name does, that is an error.
///
/// A circuit that was released by hand, or whose order by hand has ended, is held again by a `hold`
/// when it is applied again, even if nothing else has changed; [`Applied::changed`] does not list
/// that.
///
/// Reading a file again, and when, is up to the program.
///
/// # Errors
///
/// Returns an error if the overrides are invalid for a breaker in use or, with the feature
/// `discovery`, for an annotated function. No rules change then, for any breaker; but with that
/// feature, the breakers of all annotated functions have been created.
///
/// For a breaker that is created later, and for which they are invalid, all options are left out,
/// with a warning in the log; a `hold` applies nevertheless. Without the feature `tracing` there is
/// no log, and no sign of it but its [`config`](CircuitBreaker::config).
///
/// # Examples
///
/// ```standalone_crate
/// use circuit_runtime::{CircuitBreaker, Config, Overrides, registry};
///
/// let breaker = CircuitBreaker::new("shop::quote", Config::default());
/// let file = r#"
///     [circuits."shop::*"]
///     max_failures = 3
///     reset = "10s"
/// "#;
/// let applied = registry::apply(toml::from_str(file)?)?;
/// assert_eq!(applied.to_string(), "shop::quote: max_failures 5 -> 3, reset 30s -> 10s\n");
/// assert_eq!(breaker.config().max_failures(), Some(3));
///
/// registry::apply(Overrides::new())?;
/// assert_eq!(breaker.config(), Config::default());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[cfg(feature = "serde")]
#[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
pub fn apply(overrides: Overrides) -> Result<Applied, OverridesError> {
    #[cfg(feature = "discovery")]
    declared::create_all();
    in_force::apply(overrides)
}

/// Calls `listener` with each change of any breaker, from now on until the subscription is dropped.
///
/// A listener runs after the change, without any lock, on the thread that caused it, or on one that
/// is delivering an earlier change of the same breaker: that thread delivers for as long as others
/// cause changes of the breaker meanwhile. So each listener sees the changes of a breaker one by
/// one and in order, from the first that is recorded after its subscription.
///
/// A listener may call anything on any breaker. But with the feature `serde`, a breaker that a file
/// holds is reported as it is created: if the program creates it in a `LazyLock`, that is locked
/// until the listener returns. Use [`find`] there. A change that a listener causes is delivered
/// after the current one, by the same thread, so it must not wait for that. While it blocks, the
/// caller that caused the change waits, and so do the later changes of that breaker and of those
/// that it has changed; no other call does. The changes that wait are all kept, about 200 bytes
/// each, without a bound: for slow consumers, there is [`changes`]. If it panics, the panic is
/// reported by the panic hook, no other code is affected, and the listener stays subscribed.
///
/// A change that time alone causes is reported with the next call. The breaker of a key may be
/// evicted before that: then it is reported as closed, before a new one of that key begins closed.
///
/// # Examples
///
/// ```
/// use circuit_runtime::{CircuitBreaker, Config, State, registry};
///
/// let subscription = registry::on_change(|change| {
///     if change.to == State::Open {
///         eprintln!("{} is open: {}", change.breaker, change.cause);
///     }
/// });
///
/// let breaker = CircuitBreaker::new("payments", Config::default());
/// breaker.trip(); // prints: payments is open: tripped
/// # drop(subscription);
/// ```
pub fn on_change(listener: impl Fn(&StateChange) + Send + Sync + 'static) -> Subscription {
    Subscription::to_all(listener)
}

/// Returns a receiver of the changes of all breakers, from now on.
///
/// # Examples
///
/// ```
/// use circuit_runtime::{Cause, CircuitBreaker, Config, registry};
///
/// let mut changes = registry::changes();
/// let breaker = CircuitBreaker::new("payments", Config::default());
/// breaker.force_open();
/// let change = changes.try_recv().unwrap().unwrap();
/// assert_eq!(change.cause, Cause::ForcedOpen);
/// ```
pub fn changes() -> Changes {
    Changes::new()
}

/// Returns a receiver of the changes of all breakers, from one of the past on, which
/// [`Changes::next_number`] has told: so one receiver resumes where another one has ended.
///
/// If that change is no longer kept, the receiver reports first how many it has missed.
///
/// # Examples
///
/// ```
/// use circuit_runtime::{CircuitBreaker, Config, registry};
///
/// let seen = registry::changes().next_number();
/// let breaker = CircuitBreaker::new("payments", Config::default());
/// breaker.trip();
///
/// let mut changes = registry::changes_from(seen);
/// let change = changes.try_recv().unwrap().unwrap();
/// assert_eq!(change.breaker, "payments");
/// assert_eq!(changes.next_number(), seen + 1);
/// ```
pub fn changes_from(number: u64) -> Changes {
    Changes::from_number(number)
}

/// Returns the latest changes of all breakers, oldest first: at most 256.
///
/// # Examples
///
/// ```
/// use circuit_runtime::{CircuitBreaker, Config, registry};
///
/// let breaker = CircuitBreaker::new("payments", Config::default());
/// breaker.trip();
/// breaker.reset();
/// for change in registry::history() {
///     println!("{}: {} -> {} ({})", change.breaker, change.from, change.to, change.cause);
/// }
/// ```
#[must_use]
pub fn history() -> Vec<StateChange> {
    events::history()
}

#[cfg(all(test, not(any(circuit_loom, circuit_shuttle))))]
mod tests {
    use super::{all, find};
    use crate::{CircuitBreaker, Config};

    #[test]
    fn a_breaker_is_listed_until_its_last_handle_is_dropped() {
        let breaker = CircuitBreaker::new("fleeting", Config::default());
        let handle = breaker.clone();
        drop(breaker);
        assert!(find("fleeting").is_some());
        assert!(all().iter().any(|breaker| breaker.name() == "fleeting"));
        drop(handle);
        assert!(find("fleeting").is_none());
        assert!(all().iter().all(|breaker| breaker.name() != "fleeting"));
    }
}
