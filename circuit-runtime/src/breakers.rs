//! The public handle to the circuits of many keys.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use circuit_options::defaults;

use crate::breaker::CircuitBreaker;
use crate::circuit::Owner;
use crate::circuit::registered::Listed;
use crate::config::{Config, ConfigError};
use crate::keyed::{KeyedCircuits, KeyedHandle};
use crate::name::Name;
#[cfg(feature = "serde")]
use crate::overrides::in_force;
use crate::registration::Registration;

/// One circuit breaker for each key, such as a host or a tenant, all with the same rules.
///
/// A breaker is created when its key is first used. Each opens and recovers on its own. Idle ones
/// are evicted when there are more than [`max_keys`](Self::max_keys).
///
/// A clone is a handle to the same breakers, and costs as much as a clone of an `Arc`.
///
/// # When to use it
///
/// The attribute's option `key` alone does the same, with rules that are written in the attribute
/// and shared by all instances. Create a `CircuitBreakers`
///
/// - if the rules are known only when the program runs, for example from a configuration file;
/// - if instances must not share breakers, for example two clients that call the same hosts through
///   different proxies;
/// - if several functions must share them, for example all that call the same hosts.
///
/// Name it in the attribute with `breaker`, beside the `key`. Without the attribute, make calls
/// through the breaker that [`get`](Self::get) returns.
#[cfg_attr(
    feature = "macros",
    doc = r#"
# Examples

```
use circuit_runtime::{CircuitBreakers, CircuitError, Config, State, circuit_breaker};

#[derive(Debug, thiserror::Error)]
enum PageError {
    #[error("no answer")]
    NoAnswer,
    #[error(transparent)]
    Circuit(#[from] CircuitError),
}

struct Client {
    upstreams: CircuitBreakers,
}

impl Client {
    #[circuit_breaker(breaker = self.upstreams, key = host)]
    async fn page(&self, host: &str, path: &str) -> Result<String, PageError> {
        // Call the host, which may be down.
        # match host { "down" => Err(PageError::NoAnswer), _ => Ok(path.to_owned()) }
    }
}

# #[tokio::main(flavor = "current_thread")]
# async fn main() -> Result<(), Box<dyn std::error::Error>> {
let config = Config::builder().max_failures(1).build()?;
let client = Client {
    upstreams: CircuitBreakers::new("pages", config),
};
assert!(client.page("down", "/").await.is_err());
assert_eq!(client.upstreams.get("down").state(), State::Open);
assert!(client.page("up", "/").await.is_ok());
# Ok(())
# }
```
"#
)]
#[derive(Clone)]
pub struct CircuitBreakers {
    circuits: Arc<KeyedCircuits>,
}

impl CircuitBreakers {
    /// Creates a set of breakers with this name and configuration, empty until a key is used.
    ///
    /// The [`registry`](crate::registry) lists the breakers in use, each as `name[key]`, until the
    /// last handle to this `CircuitBreakers` is dropped. The handle of a single breaker still works
    /// after that, but its breaker is no longer listed.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreakers, Config, registry};
    ///
    /// let tenants = CircuitBreakers::new("tenants", Config::default());
    /// let acme = tenants.get("acme");
    /// assert!(registry::find("tenants[acme]").is_some());
    ///
    /// drop(tenants);
    /// assert!(registry::find("tenants[acme]").is_none());
    /// assert!(acme.try_acquire().is_ok());
    /// ```
    #[must_use]
    pub fn new(name: impl Into<Cow<'static, str>>, config: Config) -> Self {
        let (breakers, registration) = Self::for_owner(name.into(), config, Owner::Breakers);
        registration.deliver();
        breakers
    }

    /// Creates a set of breakers that are listed until its last handle is dropped.
    pub(crate) fn for_owner(
        name: Cow<'static, str>,
        config: Config,
        owner: Owner,
    ) -> (Self, Registration) {
        let name = Name::from(name);
        let circuits = KeyedCircuits::new(name, config, owner, defaults::MAX_KEYS);
        let registration = Registration::new(&circuits);
        (Self { circuits }, registration)
    }

    /// Bounds the number of breakers, 10 000 by default. A bound of 0 counts as 1.
    ///
    /// When a new key exceeds the bound, breakers without a call in flight or a handle are evicted
    /// in this order: closed ones, those not used recently first; those that have been half-open
    /// for as long as another `reset` without a probe; and closed ones with a failure or slow call
    /// that counts. One that overrides hold counts as closed, as the next breaker of its key is
    /// held, too. All others are kept, even if there are then more than `max_keys`.
    ///
    /// All clones share the bound. A lower one evicts nothing until the next new key.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreakers, Config};
    ///
    /// let tenants = CircuitBreakers::new("tenants", Config::default()).max_keys(100);
    /// for tenant in 0..1_000 {
    ///     tenants.get(&tenant.to_string()).try_acquire()?.success();
    /// }
    /// assert_eq!(tenants.all().len(), 100);
    /// # Ok::<(), circuit_runtime::CircuitError>(())
    /// ```
    #[must_use]
    pub fn max_keys(self, max_keys: u32) -> Self {
        self.circuits.set_max_keys(max_keys.max(1));
        self
    }

    /// Replaces the configuration of the breakers of all keys, those that are created later
    /// included, while calls run.
    ///
    /// See [`CircuitBreaker::reconfigure`] for what stays and what changes. With the feature
    /// `serde`, options from a file are gone until the next `registry::apply`, which sets its
    /// options over the new configuration.
    ///
    /// # Errors
    ///
    /// Returns [`ConfigError::TimeoutAtRunTime`] if it adds a `timeout` to an annotated function
    /// that has none. Nothing changes then.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreakers, Config};
    ///
    /// let tenants = CircuitBreakers::new("tenants", Config::default());
    /// let acme = tenants.get("acme");
    ///
    /// tenants.reconfigure(Config::builder().max_failures(1).build()?)?;
    /// assert_eq!(acme.config().max_failures(), Some(1));
    /// # Ok::<(), circuit_runtime::ConfigError>(())
    /// ```
    pub fn reconfigure(&self, config: Config) -> Result<(), ConfigError> {
        #[cfg(feature = "serde")]
        return in_force::with_apply_blocked(|| self.circuits.reconfigure(config));
        #[cfg(not(feature = "serde"))]
        self.circuits.reconfigure(config)
    }

    /// Returns the breaker of `key`, created if there is none.
    ///
    /// Finding one takes no lock and allocates nothing. A handle keeps its breaker from being
    /// evicted, so look the key up for each call instead of storing the handle. A key of more than
    /// 256 bytes is shortened in the [`Name`](crate::Name).
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreakers, Config};
    ///
    /// let tenants = CircuitBreakers::new("tenants", Config::default());
    /// tenants.get("acme").force_open();
    /// assert!(tenants.get("acme").try_acquire().is_err());
    /// assert!(tenants.get("other").try_acquire().is_ok());
    /// assert_eq!(tenants.get("acme").name(), "tenants[acme]");
    /// ```
    #[inline]
    #[must_use]
    pub fn get(&self, key: &str) -> CircuitBreaker {
        CircuitBreaker::from_circuit(self.circuits.for_key(key))
    }

    /// Returns handles to all breakers in use, in no particular order.
    ///
    /// Each handle keeps its breaker from being evicted.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreakers, Config, State};
    ///
    /// let tenants = CircuitBreakers::new("tenants", Config::default());
    /// tenants.get("acme").force_open();
    /// let _ = tenants.get("other");
    ///
    /// let all = tenants.all();
    /// assert_eq!(all.len(), 2);
    /// assert_eq!(all.iter().filter(|tenant| tenant.state() == State::Open).count(), 1);
    /// ```
    #[must_use]
    pub fn all(&self) -> Vec<CircuitBreaker> {
        let circuits = Arc::clone(&self.circuits).circuits().into_iter();
        circuits.map(CircuitBreaker::from_circuit).collect()
    }
}

impl CircuitBreakers {
    /// Returns a handle to the circuit of `key`, for one call.
    #[inline]
    pub(crate) fn handle(&self, key: &str) -> KeyedHandle {
        self.circuits.handle_for_key(key)
    }
}

impl fmt::Debug for CircuitBreakers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircuitBreakers")
            .field("name", self.circuits.name())
            .field("max_keys", &self.circuits.max_keys())
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, not(any(circuit_loom, circuit_shuttle))))]
mod tests {
    use super::CircuitBreakers;
    use crate::{Config, Permit, State, registry};
    use std::collections::BTreeSet;
    use std::thread;

    fn breakers(name: &'static str) -> CircuitBreakers {
        let config = Config::builder().max_failures(1).build();
        CircuitBreakers::new(name, config.unwrap_or_default())
    }

    /// Returns the keys in use.
    fn keys(breakers: &CircuitBreakers) -> BTreeSet<String> {
        let all = breakers.all().into_iter();
        all.filter_map(|breaker| breaker.name().key().map(str::to_owned))
            .collect()
    }

    #[test]
    fn a_key_has_one_breaker_whichever_handle_is_asked() {
        let breakers = breakers("one of each key");
        let others = breakers.clone();
        let failed = breakers.get("a").try_acquire().map(Permit::failure);
        assert!(failed.is_ok());
        assert_eq!(others.get("a").state(), State::Open);
        assert_eq!(others.get("b").state(), State::Closed);
        assert_eq!(breakers.get("a").config().max_failures(), Some(1));
        assert_eq!(keys(&others), ["a", "b"].map(str::to_owned).into());
    }

    #[test]
    fn one_of_them_is_listed_until_the_last_handle_is_dropped() {
        let breakers = CircuitBreakers::new(format!("listed {}", 1), Config::default());
        let handle = breakers.clone();
        let breaker = breakers.get("a");
        drop(breakers);
        assert!(registry::find("listed 1[a]").is_some());
        assert!(registry::find("listed 1[b]").is_none());
        let is_listed = || {
            let all = registry::all();
            all.iter().any(|breaker| breaker.name() == "listed 1[a]")
        };
        assert!(is_listed());
        drop(handle);
        assert!(registry::find("listed 1[a]").is_none());
        assert!(!is_listed());
        assert_eq!(breaker.name(), "listed 1[a]");
    }

    #[test]
    fn the_bound_is_one_for_all_handles_and_at_least_one() {
        let breakers = breakers("bounded");
        let bounded = |breakers: CircuitBreakers, max_keys, expected: usize| {
            let breakers = breakers.max_keys(max_keys);
            for key in 0..100 {
                let _ = breakers.get(&key.to_string());
            }
            assert_eq!(breakers.all().len(), expected, "{breakers:?}");
        };
        bounded(breakers.clone(), 50, 50);
        bounded(breakers.clone(), 7, 7);
        bounded(breakers.clone(), 0, 1);
        let shown = "CircuitBreakers { name: \"bounded\", max_keys: 1, .. }";
        assert_eq!(format!("{breakers:?}"), shown);
    }

    #[test]
    fn ten_thousand_keys_are_kept_by_default() {
        let breakers = breakers("by default");
        for key in 0..10_100 {
            let _ = breakers.get(&key.to_string());
        }
        assert_eq!(breakers.all().len(), 10_000);
    }

    #[test]
    fn an_open_breaker_and_one_with_a_handle_are_never_evicted() {
        let breakers = breakers("kept").max_keys(2);
        breakers.get("open").force_open();
        let held = breakers.get("held");
        for key in 0..100 {
            let _ = breakers.get(&key.to_string());
        }
        let keys = keys(&breakers);
        assert!(keys.contains("open") && keys.contains("held"), "{keys:?}");
        assert_eq!(breakers.get("open").state(), State::Open);
        held.force_open();
        assert_eq!(breakers.get("held").state(), State::Open);
    }

    #[test]
    fn a_bound_that_changes_while_threads_create_keys_holds_in_the_end() {
        let breakers = breakers("changing").max_keys(1_000);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    for key in 0..1_000 {
                        let _ = breakers.get(&key.to_string());
                    }
                });
            }
            scope.spawn(|| {
                for max_keys in (5..500).rev() {
                    let _ = breakers.clone().max_keys(max_keys);
                }
            });
        });
        for key in 1_000..1_100 {
            let _ = breakers.get(&key.to_string());
        }
        assert_eq!(breakers.all().len(), 5);
    }
}
