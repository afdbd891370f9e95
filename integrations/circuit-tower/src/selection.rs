//! The breaker of a request: always the same, or that of a key.

use circuit_runtime::{CircuitBreaker, CircuitBreakers, CircuitError, OwnedPermit};

use crate::key::Key;

/// Finds the breaker of a request.
pub trait Select<R> {
    /// Returns the breaker of all requests, if there is one.
    fn common(&self) -> Option<&CircuitBreaker>;

    /// Requests a permit for this request.
    fn try_acquire(&self, request: &R) -> Result<OwnedPermit, CircuitError>;
}

/// One breaker for all requests.
///
/// # Examples
///
/// ```
/// use circuit_runtime::{CircuitBreaker, Config};
/// use circuit_tower::{CircuitBreakerLayer, Single};
///
/// let breaker = CircuitBreaker::new("quotes", Config::default());
/// let layer: CircuitBreakerLayer<Single> = CircuitBreakerLayer::new(breaker);
/// # let _ = layer;
/// ```
#[derive(Clone, Debug)]
pub struct Single(pub(crate) CircuitBreaker);

impl<R> Select<R> for Single {
    #[inline]
    fn common(&self) -> Option<&CircuitBreaker> {
        Some(&self.0)
    }

    #[inline]
    fn try_acquire(&self, _: &R) -> Result<OwnedPermit, CircuitError> {
        self.0.try_acquire_owned()
    }
}

/// A breaker for each key `K` of a request.
///
/// # Examples
///
/// ```
/// use circuit_runtime::{CircuitBreakers, Config};
/// use circuit_tower::{CircuitBreakerLayer, Host, Keyed};
///
/// let upstreams = CircuitBreakers::new("upstreams", Config::default());
/// let layer: CircuitBreakerLayer<Keyed<Host>> = CircuitBreakerLayer::keyed(upstreams, Host);
/// # let _ = layer;
/// ```
#[derive(Clone, Debug)]
pub struct Keyed<K> {
    pub(crate) breakers: CircuitBreakers,
    pub(crate) key: K,
}

impl<R, K: Key<R>> Select<R> for Keyed<K> {
    fn common(&self) -> Option<&CircuitBreaker> {
        None
    }

    fn try_acquire(&self, request: &R) -> Result<OwnedPermit, CircuitError> {
        let key = self.key.key(request);
        self.breakers.get(&key).try_acquire_owned()
    }
}
