//! The overrides in force: applied to the circuits in use, and to those that come.

use std::sync::{Arc, Mutex, PoisonError};

use circuit_options::names::OptionName;

use super::applied::{Applied, ChangedRules, SkippedOption};
use super::{HoldTo, Overrides, OverridesError};
use crate::circuit::registered::{self, Listed};
use crate::config::Config;
use crate::name::Name;
use crate::state::State;

/// The overrides that were applied last.
static IN_FORCE: Mutex<Option<Overrides>> = Mutex::new(None);

/// The rules of one circuit, or of the circuits of many keys, as overrides want them.
struct Plan<'l> {
    listed: &'l dyn Listed,
    config: Config,
    hold: Option<State>,
    /// The option that it cannot have.
    skipped: Option<OptionName>,
}

/// Applies overrides to all circuits in use and to those that are created later, or to none if they
/// are invalid for any.
pub(crate) fn apply(overrides: Overrides) -> Result<Applied, OverridesError> {
    let (applied, followers) = with_in_force(|in_force| {
        let listed: Vec<_> = registered::all()
            .iter()
            .filter_map(std::sync::Weak::upgrade)
            .collect();
        let plans = listed.iter().map(|listed| Plan::new(&overrides, &**listed));
        let plans = plans.collect::<Result<Vec<_>, _>>()?;
        let names = listed.iter().map(|listed| listed.listed_as());
        let unmatched = overrides.unmatched(names).into_iter();
        let mut applied = Applied {
            unmatched: unmatched.map(str::to_owned).collect(),
            ..Applied::default()
        };
        let holds = |plan: &Plan<'_>| plan.hold.or(plan.listed.policy().file_hold()).is_some();
        let followers: Vec<_> = plans.iter().map(holds).collect();
        for plan in plans {
            applied.skipped.extend(plan.skipped());
            applied.changed.extend(plan.carry_out());
        }
        applied.changed.sort_by(|a, b| a.breaker.cmp(&b.breaker));
        applied.skipped.sort_by(|a, b| a.breaker.cmp(&b.breaker));
        applied.skipped.dedup();
        *in_force = Some(overrides);
        let followers = listed.into_iter().zip(followers);
        let followers = followers.filter_map(|(listed, follows)| follows.then_some(listed));
        Ok((applied, followers.collect::<Vec<_>>()))
    })?;
    // Without the lock, as it runs listeners.
    for follower in followers {
        follower.follow_file();
    }
    Ok(applied)
}

/// Applies the overrides in force to circuits that have just been registered. If they are invalid
/// there, the circuits keep their own rules, and a warning is logged.
pub(crate) fn join<L: Listed>(listed: &Arc<L>) {
    let is_held = with_in_force(|in_force| {
        let Some(overrides) = in_force else {
            return false;
        };
        match Plan::new(overrides, &**listed) {
            Ok(plan) => {
                let is_held = plan.hold.is_some();
                plan.carry_out();
                is_held
            }
            Err(error) => {
                warn(&error);
                false
            }
        }
    });
    if is_held {
        listed.follow_file();
    }
}

fn with_in_force<R>(section: impl FnOnce(&mut Option<Overrides>) -> R) -> R {
    // No user code runs under the lock, and no section panics half-way, so poisoning is harmless.
    section(&mut IN_FORCE.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Warns of overrides that are left out.
fn warn(error: &OverridesError) {
    #[cfg(feature = "tracing")]
    crate::events::warn_of_override(error.circuit(), error.option(), error);
    #[cfg(not(feature = "tracing"))]
    let _ = error;
}

impl<'l> Plan<'l> {
    fn new(overrides: &Overrides, listed: &'l dyn Listed) -> Result<Self, OverridesError> {
        let (name, policy) = (listed.listed_as(), listed.policy());
        let base = policy.base();
        let resolved = overrides.resolve(name, &base)?;
        let plan = |resolved: super::Resolved<'_>, skipped| Self {
            listed,
            config: resolved.config,
            hold: resolved.hold.map(HoldTo::state),
            skipped,
        };
        let Err(error) = policy.check(&resolved.config) else {
            return Ok(plan(resolved, None));
        };
        let timeout = OptionName::Timeout;
        match overrides.source(name, timeout) {
            Some((_, false)) => {
                let resolved = overrides.resolve_except(name, &base, Some(timeout))?;
                Ok(plan(resolved, Some(timeout)))
            }
            _ => Err(OverridesError::new(name, timeout, error.message())),
        }
    }

    fn name(&self) -> Name {
        Name::from(self.listed.listed_as().to_owned())
    }

    fn skipped(&self) -> Option<SkippedOption> {
        let option = self.skipped?.as_str();
        let breaker = self.name();
        Some(SkippedOption { breaker, option })
    }

    /// Replaces the rules, and says which hold is to be followed. Returns what has changed.
    fn carry_out(self) -> Option<ChangedRules> {
        let policy = self.listed.policy();
        let (before, hold_before) = (policy.config(), policy.file_hold());
        policy.set_file_hold(self.hold);
        self.listed.replace_rules(self.config);
        let is_changed = before != self.config || hold_before != self.hold;
        is_changed.then(|| ChangedRules {
            breaker: self.name(),
            before,
            after: self.config,
            hold: self.hold,
        })
    }
}
