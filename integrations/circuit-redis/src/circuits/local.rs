//! The breakers of this process.

use std::time::Duration;

use circuit_runtime::remote::Remote;
use circuit_runtime::{Cause, CircuitBreaker, Name, State, registry};

use crate::keys::{is_shortened, stored_name};
use crate::pattern::Pattern;

/// Finds the breakers that are shared.
#[derive(Clone, Debug)]
pub(crate) struct Local {
    patterns: Vec<Pattern>,
    grace: Duration,
}

impl Local {
    pub(crate) fn new(patterns: Vec<Pattern>, grace: Duration) -> Self {
        Self { patterns, grace }
    }

    /// Returns `true` for a name that is shared, itself or by that of its function.
    pub(crate) fn shares(&self, name: &Name) -> bool {
        let matches = |pattern: &Pattern| pattern.matches(name) || pattern.matches(name.function());
        self.patterns.iter().any(matches)
    }

    pub(crate) fn attach(&self, breaker: &CircuitBreaker) -> Remote {
        Remote::attach(breaker).with_grace(self.grace)
    }

    /// Returns the shared breakers that the store knows by this name. Several may have it, and none
    /// may be in use.
    pub(crate) fn find(&self, stored: &str) -> Vec<CircuitBreaker> {
        let mut found = registry::find_all(stored);
        if found.is_empty() && is_shortened(stored) {
            found = registry::all();
            found.retain(|breaker| *stored_name(breaker.name()) == *stored);
        }
        found.retain(|breaker| self.shares(breaker.name()));
        found
    }

    pub(crate) fn remotes(&self, stored: &str) -> Vec<Remote> {
        let found = self.find(stored);
        found.iter().map(|breaker| self.attach(breaker)).collect()
    }

    /// Returns the names of shared breakers that have opened by themselves.
    pub(crate) fn opened(&self) -> Vec<Name> {
        let all = registry::all().into_iter();
        all.filter(|breaker| self.shares(breaker.name()))
            .filter(|breaker| self.attach(breaker).own_wait().is_some())
            .map(|breaker| breaker.name().clone())
            .collect()
    }
}

/// Returns `true` if a probe of this process alone has closed the circuit.
pub(crate) fn has_recovered(breaker: &CircuitBreaker) -> bool {
    let snapshot = breaker.snapshot();
    let cause = snapshot.last_change.map(|change| change.cause);
    snapshot.state == State::Closed
        && matches!(cause, Some(Cause::ProbesSucceeded | Cause::RampOver))
}

/// Returns `true` if a probe of this process was admitted, and has no result yet.
pub(crate) fn is_probing(breaker: &CircuitBreaker) -> bool {
    let snapshot = breaker.snapshot();
    let to = snapshot.last_change.map(|change| change.to);
    snapshot.state == State::HalfOpen && to == Some(State::HalfOpen)
}
