//! Alerts, health checks, orders, and half-open circuits that nobody calls.
//!
//! [`telemetry`](super::telemetry) says where the numbers and the changes are found.
//!
//! # What to alert on
//!
//! | alert on a circuit that | because |
//! |---|---|
//! | has not been closed for minutes, while it is called | the outage lasts; one of seconds ends by itself |
//! | opens and closes several times within half an hour | it [flaps](#flapping) |
//! | is held by an order for hours | the order may be forgotten |
//! | rejects a tenth of the calls or more, for minutes | callers notice, whatever the state |
//!
//! Alert on no state alone: an open circuit that is called is half-open for a moment after each
//! wait, and one that is [not called](#a-half-open-circuit-that-nobody-calls) is half-open for
//! good. The repository's `examples/metrics/alerts.yml` has these four as rules of Prometheus, with
//! tests.
//!
//! # What a change means
//!
//! | change | what it means |
//! |---|---|
//! | closed to open | An alarm, once it lasts. The `cause` is the rule that was met, `window` the evidence. The circuit has already reacted, and an outage of seconds ends by itself: alert on a circuit that stays open for minutes; count its short half-open phases as open. |
//! | half-open to open | The service is still down. It repeats with every failed probe, and needs no new alarm. |
//! | open to half-open | A probe is admitted. `rejected` says how many calls the last wait spared the service; for the whole outage, see the rise of [`Snapshot::rejected`](crate::Snapshot::rejected) or of `circuit_breaker_rejected_total`. |
//! | half-open to closed | The end of the outage. With a `ramp`, this is the end of the ramp, [`RampOver`](crate::Cause::RampOver): the success of the probes changes nothing yet, as the circuit stays half-open. |
//! | [`Unavailable`](crate::Cause::Unavailable) | The service asked to be left alone. If it does so often, it receives too many calls. |
//! | [`ForcedOpen`](crate::Cause::ForcedOpen), [`ForcedClosed`](crate::Cause::ForcedClosed) | An operator's order. An alarm if it is forgotten: alert on a hold that lasts for hours. |
//! | [`Withheld`](crate::Cause::Withheld) | The circuit is held closed, and would have opened. See [a dry run](#a-dry-run). |
//! | [`Fleet`](crate::Cause::Fleet) | The verdict of a fleet, applied through [`remote`](crate::remote). The process where the evidence was found has reported it, too. |
//!
//! # Flapping
//!
//! A circuit that opens and closes several times within minutes is worse than one that stays open,
//! because each time callers wait for failures again. There are three usual reasons:
//!
//! - The service fails under load and recovers without it. Add a
//!   [`ramp`](super::rules#a-service-that-is-overrun-when-it-recovers), more `probes`, or a longer
//!   `reset`.
//! - The limits are so low that an everyday failure meets them. Use a rate, and a larger
//!   `min_calls`.
//! - The probes reach an operation that works while others fail. Give each operation a breaker of
//!   its own.
//!
//! To detect flapping, count the changes to closed: [`Snapshot::opened`](crate::Snapshot::opened)
//! counts each failed probe, too.
//!
//! # A half-open circuit that nobody calls
//!
//! Time alone makes an open circuit half-open, and only a call can close it. If none comes,
//! [`state`](crate::CircuitBreaker::state) says half-open for hours, and no change is reported,
//! because no call has tested the service: it may be up or down. This is normal for a rarely called
//! service, and for a key that is used no more. Where it is not, the calls have gone elsewhere: to
//! a fallback further up, or to another instance. The next call is the probe. To learn sooner, let
//! a task call the function now and then while the circuit is not closed.
//!
//! # Rejected calls
//!
//! A half-open circuit and a ramp reject calls, too, so that rejections need no open circuit.
//! Rejections of a circuit that is held open continue until the order ends.
//!
//! # Health checks
//!
//! Let a health check show each circuit's state, how long it has lasted, the hold and
//! [`Snapshot::last_change`](crate::Snapshot::last_change), and let the check stay healthy. An open
//! circuit says that *another* service is down, for all instances alike. If the check failed
//! because of it, all of them would be restarted, or receive no more traffic, and what works
//! without the other service would fail, too. An instance without traffic makes no call that could
//! close its circuit.
//!
//! The repository's `examples/health.rs` has such a check.
//!
//! # Orders
//!
//! [`registry::all`](crate::registry::all) returns a handle to every breaker in use, with its name,
//! its state and a [`snapshot`](crate::CircuitBreaker::snapshot): how long it has been in its
//! state, the evidence, and the totals. For a keyed breaker, the name is split into
//! `name().function()` and `name().key()`.
//!
//! | order | effect | ends |
//! |---|---|---|
//! | [`force_open`](crate::CircuitBreaker::force_open), [`force_closed`](crate::CircuitBreaker::force_closed) | held open or closed | by `reset` or the opposite order; neither time nor failures end it |
//! | [`force_open_for`](crate::CircuitBreaker::force_open_for), [`force_closed_for`](crate::CircuitBreaker::force_closed_for) | held for a time | by itself, as by `reset` |
//! | [`trip`](crate::CircuitBreaker::trip), [`open_for`](crate::CircuitBreaker::open_for) | opens, as a limit that is reached does | by itself: the circuit recovers |
//! | [`reset`](crate::CircuitBreaker::reset) | closed, without evidence | at once |
//!
//! ```
//! use circuit_runtime::{CircuitBreaker, Config, State, registry};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let payments = CircuitBreaker::new("payments", Config::default());
//!
//! // In the handler of an operator's request:
//! let breaker = registry::find("payments").ok_or("no such circuit")?;
//! breaker.force_open();
//! assert!(payments.try_acquire().is_err());
//!
//! breaker.reset();
//! assert_eq!(payments.state(), State::Closed);
//! # Ok(())
//! # }
//! ```
//!
//! The crate `circuit-dashboard` is a page with all breakers, on which orders can be given.
//!
//! An annotated function's breaker exists from its first call on, the breaker of a key from the
//! first call with that key on, and a breaker in a `static` from its first use on. Several breakers
//! may have the same name: [`registry::find`](crate::registry::find) returns the oldest breaker of
//! that name, and [`registry::find_all`](crate::registry::find_all) all of them. To tell methods
//! with the same name in one module apart, give them a `name`.
//!
//! # Functions that were never called
//!
//! With the feature `discovery`, `registry::declared()` lists every annotated function of the
//! program, called or not, with its name, file and line. `Declared::breaker()` returns its breaker,
//! which can be held open before the first call. For a function with a `key`,
//! `Declared::breakers()` returns those of its keys: `breakers.get(key).force_open()`. Metrics show
//! all of these functions from the start. `registry::duplicates()` lists the functions that share a
//! name. The feature costs a call nothing; without it, nothing is added to the program.
//!
//! # A dry run
//!
//! A circuit that is held closed rejects no call, but still evaluates its rules. Hold it with
//! [`force_closed`](crate::CircuitBreaker::force_closed), and watch
//! [`Snapshot::withheld`](crate::Snapshot::withheld): how often it would have opened. When the
//! number is as you expect, release it with [`reset`](crate::CircuitBreaker::reset).
