//! The builder of a fleet, and the ways to begin one.

use std::sync::Arc;
use std::time::Duration;

use super::handle::Fleet;
use crate::connection::endpoint::Endpoint;
use crate::error::FleetError;
use crate::keys::{self, Keys};
use crate::pattern::Pattern;
use crate::quorum::Quorum;
use crate::random;
use crate::shared::Settings;

/// How much longer than the store says a circuit stays open before it becomes half-open by itself.
const GRACE: Duration = Duration::from_millis(250);
/// How long to wait for an answer of the store.
const ANSWER_LIMIT: Duration = Duration::from_millis(250);

/// Builds a [`Fleet`]. See [`Fleet::builder`].
///
/// # Examples
///
/// ```
/// use circuit_redis::{Fleet, Quorum};
///
/// let fleet = Fleet::builder("redis://127.0.0.1", "shop")
///     .share("shop::*")
///     .quorum(Quorum::AtLeast(3))
///     .member("pod-7")
///     .build()?;
/// assert_eq!(&*fleet.status().member, "pod-7");
/// # Ok::<(), circuit_redis::FleetError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct FleetBuilder {
    endpoint: Result<Endpoint, FleetError>,
    namespace: String,
    member: Option<String>,
    patterns: Vec<Pattern>,
    quorum: Quorum,
    grace: Duration,
    answer_limit: Duration,
}

impl FleetBuilder {
    pub(super) fn new(endpoint: Result<Endpoint, FleetError>, namespace: &str) -> Self {
        Self {
            endpoint,
            namespace: namespace.to_owned(),
            member: None,
            patterns: Vec::new(),
            quorum: Quorum::default(),
            grace: GRACE,
            answer_limit: ANSWER_LIMIT,
        }
    }

    /// Shares the breakers with this name, or whose name matches this pattern: `*` stands for any
    /// run of characters. May be called for several; without it, nothing is shared.
    ///
    /// A breaker of a key is shared by its own name, `function[key]`, or by that of its function.
    /// Keys of more than 256 bytes cannot be shared, as their names differ from process to process.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_redis::Fleet;
    ///
    /// let fleet = Fleet::builder("redis://127.0.0.1", "shop")
    ///     .share("shop::quote")
    ///     .share("billing::*")
    ///     .build()?;
    /// # let _ = fleet;
    /// # Ok::<(), circuit_redis::FleetError>(())
    /// ```
    pub fn share(mut self, pattern: impl Into<String>) -> Self {
        self.patterns.push(Pattern::new(pattern));
        self
    }

    /// Sets how many members must agree before a circuit is open for all: two by default.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_redis::{Fleet, FleetError, Quorum};
    ///
    /// let half = Fleet::builder("redis://127.0.0.1", "shop").quorum(Quorum::Fraction(0.5));
    /// assert!(half.build().is_ok());
    ///
    /// let none = Fleet::builder("redis://127.0.0.1", "shop").quorum(Quorum::AtLeast(0));
    /// assert_eq!(none.build().unwrap_err(), FleetError::Quorum);
    /// ```
    pub fn quorum(mut self, quorum: Quorum) -> Self {
        self.quorum = quorum;
        self
    }

    /// Names this process: the process's number and a random one by default. The names of the
    /// members must differ.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_redis::Fleet;
    ///
    /// let host = std::env::var("HOSTNAME").unwrap_or_else(|_| "pod-7".to_owned());
    /// let fleet = Fleet::builder("redis://127.0.0.1", "shop").member(&host).build()?;
    /// assert_eq!(*fleet.status().member, *host);
    /// # Ok::<(), circuit_redis::FleetError>(())
    /// ```
    pub fn member(mut self, name: impl Into<String>) -> Self {
        self.member = Some(name.into());
        self
    }

    /// Sets how much longer than the store says a circuit stays open before it becomes half-open by
    /// itself: 250 ms by default, and up to half of that more, at random. It should be longer than
    /// it takes to ask the store, and to hear the answer.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_redis::Fleet;
    /// use std::time::Duration;
    ///
    /// // The store is in another region.
    /// let fleet = Fleet::builder("redis://127.0.0.1", "shop")
    ///     .grace(Duration::from_millis(600))
    ///     .answer_limit(Duration::from_millis(500))
    ///     .build()?;
    /// # let _ = fleet;
    /// # Ok::<(), circuit_redis::FleetError>(())
    /// ```
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Sets how long to wait for an answer of the store: 250 ms by default. With two answers
    /// missing in succession, the fleet is degraded. A connection must be made within twice this
    /// time.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_redis::Fleet;
    /// use std::time::Duration;
    ///
    /// // The store is on this machine.
    /// let fleet = Fleet::builder("unix:///run/redis.sock", "shop")
    ///     .answer_limit(Duration::from_millis(50))
    ///     .build()?;
    /// # let _ = fleet;
    /// # Ok::<(), circuit_redis::FleetError>(())
    /// ```
    pub fn answer_limit(mut self, limit: Duration) -> Self {
        self.answer_limit = limit;
        self
    }

    /// Builds the fleet, without connecting: this never waits. Spawn the future of [`Fleet::run`].
    ///
    /// # Errors
    ///
    /// Returns an error if the address, the namespace, the name of the member or the quorum is
    /// invalid.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_redis::{Fleet, FleetError, Sharing};
    ///
    /// // Nothing is connected before the future of `run` is polled.
    /// let fleet = Fleet::builder("redis://127.0.0.1", "shop").build()?;
    /// assert_eq!(fleet.status().sharing, Sharing::NotRunning);
    ///
    /// let spaced = Fleet::builder("redis://127.0.0.1", "my shop").build();
    /// assert_eq!(spaced.unwrap_err(), FleetError::Namespace("my shop".to_owned()));
    /// # Ok::<(), circuit_redis::FleetError>(())
    /// ```
    pub fn build(self) -> Result<Fleet, FleetError> {
        let endpoint = self.endpoint?;
        let keys = Keys::new(&self.namespace)?;
        self.quorum.check()?;
        let member = self
            .member
            .unwrap_or_else(|| format!("{}-{:08x}", std::process::id(), random::number() >> 32));
        if !keys::is_word(&member) || member == "-" {
            return Err(FleetError::Member(member));
        }
        let settings = Settings {
            endpoint,
            keys,
            member: Arc::from(member),
            patterns: self.patterns,
            quorum: self.quorum,
            grace: spread(self.grace, random::share()),
            answer_limit: self.answer_limit,
        };
        Ok(Fleet::new(settings, self.namespace.into()))
    }
}

/// Returns a grace that is up to a half longer. `random` is in `[0, 1)`.
fn spread(grace: Duration, random: f64) -> Duration {
    let longer = Duration::try_from_secs_f64(grace.as_secs_f64() * random / 2.0);
    grace.saturating_add(longer.unwrap_or(Duration::MAX))
}

/// The ways to begin.
impl Fleet {
    /// Begins to build a fleet whose store is at this URL: `redis://host:port`,
    /// `redis://user:password@host/database`, `unix:///path`, or `rediss://host` with the feature
    /// `tls`. Fleets of different namespaces do not know of each other.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_redis::Fleet;
    ///
    /// let fleet = Fleet::builder("redis://127.0.0.1:6379", "shop").share("shop::*").build()?;
    /// assert_eq!(&*fleet.status().namespace, "shop");
    /// # Ok::<(), circuit_redis::FleetError>(())
    /// ```
    pub fn builder(url: &str, namespace: &str) -> FleetBuilder {
        FleetBuilder::new(Endpoint::single(url), namespace)
    }

    /// Begins to build a fleet whose store is a Redis Cluster, with some of its nodes. All keys of
    /// a namespace are in one hash slot.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_redis::Fleet;
    ///
    /// let nodes = ["redis://10.0.0.1:6379", "redis://10.0.0.2:6379"];
    /// let fleet = Fleet::cluster(nodes, "shop").share("shop::*").build()?;
    /// assert_eq!(&*fleet.status().namespace, "shop");
    /// # Ok::<(), circuit_redis::FleetError>(())
    /// ```
    #[cfg(feature = "cluster")]
    #[cfg_attr(docsrs, doc(cfg(feature = "cluster")))]
    pub fn cluster<I>(urls: I, namespace: &str) -> FleetBuilder
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        let urls: Vec<_> = urls.into_iter().map(Into::into).collect();
        FleetBuilder::new(Endpoint::cluster(&urls), namespace)
    }

    /// Begins to build a fleet whose store is the primary of this service, as its sentinels say.
    /// User and password of the first address are also those of the store.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_redis::Fleet;
    ///
    /// let sentinels = ["redis://10.0.0.1:26379", "redis://10.0.0.2:26379"];
    /// let fleet = Fleet::sentinel(sentinels, "primary", "shop").share("shop::*").build()?;
    /// assert_eq!(&*fleet.status().namespace, "shop");
    /// # Ok::<(), circuit_redis::FleetError>(())
    /// ```
    #[cfg(feature = "sentinel")]
    #[cfg_attr(docsrs, doc(cfg(feature = "sentinel")))]
    pub fn sentinel<I>(urls: I, service: &str, namespace: &str) -> FleetBuilder
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        let urls: Vec<_> = urls.into_iter().map(Into::into).collect();
        FleetBuilder::new(Endpoint::sentinel(&urls, service), namespace)
    }
}

#[cfg(test)]
mod tests {
    use super::spread;
    use std::time::Duration;

    #[test]
    fn a_grace_is_up_to_a_half_longer_and_may_be_endless() {
        let grace = Duration::from_millis(200);
        assert_eq!(spread(grace, 0.0), grace);
        assert_eq!(spread(grace, 0.5), Duration::from_millis(250));
        assert_eq!(spread(Duration::MAX, 0.999), Duration::MAX);
    }
}
