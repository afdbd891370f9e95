//! Changes of the rules while calls run.

use super::Circuit;
use super::limits::Limits;
use super::policy::Policy;
use crate::clock::{self, Span};
use crate::config::{Config, ConfigError};

/// The circuits that share one policy.
pub(crate) trait PolicyUsers {
    /// Calls `visit` with each of them. A circuit that is created during the call may be left out.
    fn for_each(&self, visit: &mut dyn FnMut(&Circuit));
}

/// A circuit with a policy of its own.
impl PolicyUsers for Circuit {
    fn for_each(&self, visit: &mut dyn FnMut(&Circuit)) {
        visit(self);
    }
}

impl Policy {
    /// Replaces the rules of all circuits that share them, as the program has set them.
    pub(crate) fn reconfigure(
        &self,
        config: Config,
        circuits: &impl PolicyUsers,
    ) -> Result<(), ConfigError> {
        self.check(&config)?;
        #[cfg(feature = "serde")]
        self.set_base(config);
        self.replace(config, circuits);
        Ok(())
    }

    /// Replaces the rules of all circuits that share them.
    ///
    /// First, compact windows stop counting that calls would read wrongly under the new rules. Then
    /// the rules are published. Finally, each circuit adopts the new limits under the lock of the
    /// evidence that they judge. A call judged meanwhile decides everything by the old rules or
    /// everything by the new.
    pub(crate) fn replace(&self, config: Config, circuits: &impl PolicyUsers) {
        self.with_changes(|| {
            let before = self.limits();
            let limits = Limits::new(&config);
            let keeps_successes = limits.counts_same_calls(&before);
            let suspends = !keeps_successes || limits.slow_call() != before.slow_call();
            if suspends {
                self.set_suspends_windows(true);
            }
            circuits.for_each(&mut |circuit| {
                circuit.prepare(suspends.then_some(keeps_successes));
            });
            self.publish(config);
            circuits.for_each(&mut |circuit| circuit.adopt(&limits));
            if suspends {
                self.set_suspends_windows(false);
            }
        });
    }
}

impl Circuit {
    /// Replaces the rules.
    pub(crate) fn reconfigure(&self, config: Config) -> Result<(), ConfigError> {
        if self.policy.is_shared() {
            return Err(ConfigError::RulesOfOneKey);
        }
        self.policy.reconfigure(config, self)
    }

    /// Prepares for new rules. If compact windows are to be suspended, `keeps_successes` is whether
    /// their successes count after.
    fn prepare(&self, keeps_successes: Option<bool>) {
        let _entered = self.time.enter();
        if let Some(keeps_successes) = keeps_successes {
            let generation = self.word().generation();
            self.window
                .suspend(&self.policy, generation, keeps_successes);
        }
        if let Some(phases) = self.phases.get() {
            // Acquires what `fix_end` has stored; `publish` releases it with the new rules.
            phases.with_lock(|_| {});
            phases.probes.forget_taken_until(Span::ZERO);
        }
    }

    /// Adopts rules that have been published.
    fn adopt(&self, limits: &Limits) {
        let _entered = self.time.enter();
        self.window.adopt(limits, clock::now());
        if let Some(phases) = self.phases.get() {
            let longest = self.policy.probes().lease;
            phases.probes.forget_taken_until(longest);
        }
    }
}
