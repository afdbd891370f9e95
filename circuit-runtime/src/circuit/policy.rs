//! The rules of a breaker, which may change while calls run.

use std::sync::PoisonError;

use super::limits::{self, Limits};
use super::owner::Owner;
use super::recovery::{ProbeLimit, Recovery};
use super::ticket::Start;
use super::wait::Wait;
use crate::clock::{Instant, Span};
use crate::config::{Config, ConfigError};
#[cfg(feature = "serde")]
use crate::state::State;
use crate::sync::live::LiveU64;
use crate::sync::lock::Lock;
use crate::sync::sequenced::Sequenced;
use crate::sync::{Mutex, Ordering};

/// The rules of a circuit. Shared by all keyed breakers of a function.
///
/// They change in place. A call reads single words, each of which decides something by itself, and
/// [`Sequenced`] words where several belong together. The limits that judge evidence are kept
/// beside it.
///
/// Aligned to a cache line, away from the reference count of the policy, which every new key
/// writes.
#[repr(align(64))]
pub(crate) struct Policy {
    /// In microseconds, as are all spans here. Indefinite if no call is timed.
    slow_call: LiveU64,
    /// Derived from `window` and `slow_call`, as every call needs it.
    clock_error: LiveU64,
    /// Zero unless every wait is this one.
    fixed_wait: LiveU64,
    /// Indefinite without a timeout.
    timeout: LiveU64,
    /// Indefinite unless a span of time counts.
    window: LiveU64,
    /// Zero without a ramp.
    ramp: LiveU64,
    /// A [`Recovery`].
    recovery: Sequenced<8>,
    /// Differs between processes, so that they do not probe at the same time.
    salt: u64,
    owner: Owner,
    /// Calls have room for a timer.
    has_room_for_timer: bool,
    whole: Lock<Whole>,
    /// Held during a change.
    changing: Mutex<()>,
}

/// The rules as a whole.
struct Whole {
    config: Config,
    /// The configuration that the program has set, without overrides.
    #[cfg(feature = "serde")]
    base: Config,
    /// The state that a file holds the circuits in.
    #[cfg(feature = "serde")]
    hold: Option<State>,
    /// The rules are changing in such a way that compact windows are suspended.
    suspends_windows: bool,
}

impl Policy {
    /// Derives the policy of breakers with this configuration.
    pub(crate) fn new(config: Config, owner: Owner) -> Self {
        let salt = Wait::random_salt();
        let limits = Limits::new(&config);
        let recovery = Recovery::new(&config, salt);
        let words = |span: Span| LiveU64::new(span.as_micros());
        Self {
            slow_call: words(limits.slow_call()),
            clock_error: words(limits.clock_error()),
            fixed_wait: words(fixed_wait(&recovery)),
            timeout: words(recovery.probes.timeout),
            window: words(limits.window()),
            ramp: words(recovery.ramp),
            recovery: Sequenced::new(recovery.to_words()),
            salt,
            owner,
            has_room_for_timer: config.timeout().is_some() || owner.has_room_for_timer(),
            whole: Lock::new(Whole {
                config,
                #[cfg(feature = "serde")]
                base: config,
                #[cfg(feature = "serde")]
                hold: None,
                suspends_windows: false,
            }),
            changing: Mutex::new(()),
        }
    }

    /// Returns whether the circuits of many keys share the policy.
    pub(super) fn is_shared(&self) -> bool {
        matches!(self.owner, Owner::Breakers | Owner::KeyedFunction)
    }

    /// Returns whether a timeout can be set, even if there is none.
    #[cfg(feature = "serde")]
    pub(crate) fn has_room_for_timer(&self) -> bool {
        self.has_room_for_timer
    }

    /// Returns an error if the rules cannot be replaced by these.
    pub(crate) fn check(&self, config: &Config) -> Result<(), ConfigError> {
        match config.timeout() {
            Some(_) if !self.has_room_for_timer => Err(ConfigError::TimeoutAtRunTime),
            _ => Ok(()),
        }
    }

    /// Returns the configuration.
    pub(crate) fn config(&self) -> Config {
        self.whole.with(|whole| whole.config)
    }

    /// Returns the limits on the calls in a window, all from one configuration.
    pub(crate) fn limits(&self) -> Limits {
        Limits::new(&self.config())
    }

    /// Returns the limits for a window that is created, and whether it begins suspended.
    pub(super) fn limits_at_creation(&self) -> (Limits, bool) {
        let (config, is_suspended) = self
            .whole
            .with(|whole| (whole.config, whole.suspends_windows));
        (Limits::new(&config), is_suspended)
    }

    /// Returns how long a call may take without being slow; [`Span::INDEFINITE`] when no call is
    /// timed.
    #[inline]
    pub(super) fn slow_call(&self) -> Span {
        load(&self.slow_call)
    }

    /// Returns how long a call counts; [`Span::INDEFINITE`] when no span of time is set.
    #[inline]
    pub(super) fn window(&self) -> Span {
        load(&self.window)
    }

    /// Returns the error that the clock may have for calls and rates; indefinite when time changes
    /// nothing.
    #[inline]
    pub(super) fn clock_error(&self) -> Span {
        load(&self.clock_error)
    }

    /// Reads the clock as exactly as the limits require, if time changes anything.
    #[inline]
    pub(super) fn now(&self, clock: impl FnOnce(Span) -> Instant) -> Instant {
        match self.clock_error() {
            Span::INDEFINITE => Instant::from_micros(0),
            error => clock(error),
        }
    }

    /// Returns whether a call that ends `now` took longer than `slow_call`.
    #[inline]
    pub(super) fn is_slow(&self, start: Start, now: Instant) -> bool {
        limits::is_slow(self.slow_call(), start, now)
    }

    /// Returns after how long a call is dropped; [`Span::INDEFINITE`] if it is not.
    #[inline]
    pub(crate) fn timeout(&self) -> Span {
        load(&self.timeout)
    }

    /// Returns how long calls are admitted gradually after a recovery; zero for not at all.
    #[inline]
    pub(super) fn ramp(&self) -> Span {
        load(&self.ramp)
    }

    /// Returns the wait if every one is the same; otherwise zero.
    #[inline]
    pub(super) fn fixed_wait(&self) -> Span {
        // Acquire: a reader of a new wait also sees which circuits had admitted a probe before.
        Span::from_micros(self.fixed_wait.load(Ordering::Acquire))
    }

    /// Returns how circuits recover.
    pub(super) fn recovery(&self) -> Recovery {
        match self.recovery.read() {
            Some(words) => Recovery::from_words(words, self.salt),
            None => Recovery::new(&self.config(), self.salt),
        }
    }

    /// Returns how long circuits stay open.
    pub(super) fn wait(&self) -> Wait {
        self.recovery().wait
    }

    /// Returns the limit on probes.
    pub(super) fn probes(&self) -> ProbeLimit {
        self.recovery().probes
    }

    /// Returns the configuration that the program has set, without overrides.
    #[cfg(feature = "serde")]
    pub(crate) fn base(&self) -> Config {
        self.whole.with(|whole| whole.base)
    }

    /// Sets the configuration that overrides change.
    #[cfg(feature = "serde")]
    pub(super) fn set_base(&self, config: Config) {
        self.whole.with(|whole| whole.base = config);
    }

    /// Returns the state that a file holds the circuits in.
    #[cfg(feature = "serde")]
    pub(crate) fn file_hold(&self) -> Option<State> {
        self.whole.with(|whole| whole.hold)
    }

    /// Sets the state that a file holds the circuits in, for each of them to follow.
    #[cfg(feature = "serde")]
    pub(crate) fn set_file_hold(&self, hold: Option<State>) {
        self.whole.with(|whole| whole.hold = hold);
    }

    /// Waits until the rules have changed, if they are changing.
    #[cold]
    #[inline(never)]
    pub(super) fn wait_for_change(&self) {
        self.with_changes(|| ());
    }

    /// Runs `change` while no other thread changes these rules.
    pub(super) fn with_changes<R>(&self, change: impl FnOnce() -> R) -> R {
        // No user code runs under the lock, and no change panics half-way, so poisoning is
        // harmless.
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        change()
    }

    /// Sets whether windows that are created from now on begin suspended.
    pub(super) fn set_suspends_windows(&self, suspends_windows: bool) {
        self.whole
            .with(|whole| whole.suspends_windows = suspends_windows);
    }

    /// Publishes new rules to calls. Only during a change.
    pub(super) fn publish(&self, config: Config) {
        let limits = Limits::new(&config);
        let recovery = Recovery::new(&config, self.salt);
        self.whole.with(|whole| whole.config = config);
        let store = |word: &LiveU64, span: Span| word.store(span.as_micros(), Ordering::Relaxed);
        store(&self.slow_call, limits.slow_call());
        store(&self.clock_error, limits.clock_error());
        store(&self.timeout, recovery.probes.timeout);
        store(&self.window, limits.window());
        store(&self.ramp, recovery.ramp);
        self.recovery.write(recovery.to_words());
        // Release: pairs with the acquire in `fixed_wait`.
        self.fixed_wait
            .store(fixed_wait(&recovery).as_micros(), Ordering::Release);
    }
}

#[inline]
fn load(word: &LiveU64) -> Span {
    // Relaxed: the word has its meaning by itself, and nothing is published through it.
    Span::from_micros(word.load(Ordering::Relaxed))
}

fn fixed_wait(recovery: &Recovery) -> Span {
    recovery.wait.fixed().unwrap_or(Span::ZERO)
}
