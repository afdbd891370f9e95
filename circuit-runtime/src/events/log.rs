//! One log event for each change, with `tracing`.

#[cfg(feature = "serde")]
use std::fmt::Display;

use tracing::level_filters::LevelFilter;
use tracing::{Level, event};

use super::change::{Cause, StateChange};
#[cfg(feature = "serde")]
use super::panics::contain;
use crate::state::State;

/// The target of every event.
const TARGET: &str = "circuit_breaker";

/// Returns whether any subscriber may want the event of a change.
pub(super) fn is_enabled() -> bool {
    LevelFilter::current() >= LevelFilter::WARN
}

/// Logs a change. The message is constant, so that logs can be counted by it; what varies is in the
/// fields.
pub(super) fn log(change: &StateChange) {
    macro_rules! log {
        ($level:expr, $message:literal) => {
            event!(
                target: TARGET,
                $level,
                breaker = change.breaker.function(),
                key = change.breaker.key(),
                from = %change.from,
                to = %change.to,
                cause = change.cause.as_str(),
                failures = change.window.map(|window| window.failed),
                calls = change.window.and_then(|window| window.calls),
                slow = change.window.and_then(|window| window.slow),
                retry_after_ms = change.retry_after.map(|wait| {
                    u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)
                }),
                rejected = change.rejected,
                $message
            )
        };
    }

    match (change.cause, change.to) {
        (Cause::Withheld, _) => log!(Level::INFO, "circuit opening withheld"),
        (Cause::ForcedOpen, _) => log!(Level::WARN, "circuit forced open"),
        (Cause::ForcedClosed, _) => log!(Level::WARN, "circuit forced closed"),
        (Cause::Reset, _) if change.is_order => log!(Level::WARN, "circuit reset"),
        (Cause::Reset, _) => log!(Level::INFO, "circuit reset"),
        (_, State::Open) => log!(Level::WARN, "circuit opened"),
        (_, State::HalfOpen) => log!(Level::INFO, "circuit half-open"),
        (_, State::Closed) => log!(Level::INFO, "circuit closed"),
    }
}

/// Warns of overrides whose options are invalid for a circuit that has just been created: all of
/// them are left out, a hold is not.
#[cfg(feature = "serde")]
pub(crate) fn warn_of_override(breaker: &str, option: Option<&str>, error: &dyn Display) {
    contain(|| {
        event!(
            target: TARGET,
            Level::WARN,
            breaker,
            option,
            error = %format_args!("{error}; all options for this circuit are left out"),
            "circuit overrides left out"
        );
    });
}
