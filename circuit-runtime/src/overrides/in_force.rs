//! The overrides in force: applied to the circuits in use, and to those that come.

use std::sync::{Arc, Mutex, PoisonError};

use circuit_options::names::OptionName;

use super::applied::{Applied, ChangedRules, SkippedOption};
use super::{HoldTo, Overrides, OverridesError};
use crate::circuit::registered::{self, Listed};
use crate::config::Config;
use crate::events::Record;
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

/// The results of applying overrides to new circuits that the program has yet to be told of.
#[must_use = "delivered without any lock, once the circuits can be used"]
pub(crate) struct Pending {
    change: Option<Record>,
    warning: Option<OverridesError>,
}

/// Applies overrides to all circuits in use and to those that are created later, or to none if they
/// are invalid for any.
pub(crate) fn apply(overrides: Overrides) -> Result<Applied, OverridesError> {
    // Dropped without the lock: the last reference to a circuit drops its listeners.
    let mut listed = Vec::new();
    let applied = with_in_force(|in_force| {
        let all = registered::all().into_iter();
        listed.extend(all.filter_map(|listed| listed.upgrade()));
        let applied = apply_to(&listed, &overrides)?;
        *in_force = Some(overrides);
        Ok(applied)
    });
    let (mut applied, followers) = applied?;
    // Without the lock, as it runs listeners.
    for (listed, _) in listed.iter().zip(followers).filter(|(_, follows)| *follows) {
        listed.follow_file();
    }
    let functions: Vec<_> = listed.iter().map(|listed| listed.listed_as()).collect();
    applied.add_hints(&functions);
    Ok(applied)
}

/// Applies overrides to these circuits. Returns which of them have a hold to follow, too.
fn apply_to(
    all: &[Arc<dyn Listed>],
    overrides: &Overrides,
) -> Result<(Applied, Vec<bool>), OverridesError> {
    let plans = all.iter().map(|listed| Plan::new(overrides, &**listed));
    let plans = plans.collect::<Result<Vec<_>, _>>()?;
    let unmatched = overrides.unmatched(all.iter().map(|listed| listed.listed_as()));
    let mut applied = Applied::from_unmatched(unmatched);
    let follows = |plan: &Plan<'_>| plan.hold.or(plan.listed.policy().file_hold()).is_some();
    let followers = plans.iter().map(follows).collect();
    for plan in plans {
        applied.skipped.extend(plan.skipped());
        applied.changed.extend(plan.carry_out());
    }
    applied.changed.sort_by(|a, b| a.breaker.cmp(&b.breaker));
    applied.skipped.sort_by(|a, b| a.breaker.cmp(&b.breaker));
    applied.skipped.dedup();
    Ok((applied, followers))
}

/// Applies the overrides in force to circuits that are new, and registers them. If their options
/// are invalid there, the circuits keep their own rules, and a warning is logged. A hold applies
/// anyway: it is the off switch, and depends on no other option.
pub(crate) fn add<L: Listed + 'static>(listed: &Arc<L>) -> Pending {
    with_in_force(|in_force| {
        let pending = in_force.as_ref().map_or(Pending::NONE, |overrides| {
            let (plan, warning) = match Plan::new(overrides, &**listed) {
                Ok(plan) => (plan, None),
                Err(error) => (Plan::hold_alone(overrides, &**listed), Some(error)),
            };
            plan.carry_out();
            let change = listed.hold_new();
            Pending { change, warning }
        });
        // Only now, so that no thread finds circuits which are not held yet.
        registered::add(listed);
        pending
    })
}

impl Pending {
    const NONE: Self = Self {
        change: None,
        warning: None,
    };

    /// Delivers both, without any lock: either runs code of the program.
    pub(crate) fn deliver(self) {
        if let Some(change) = self.change {
            change.deliver();
        }
        if let Some(warning) = self.warning {
            warn(&warning);
        }
    }
}

/// Runs `change` while no overrides are applied: it replaces rules from which they start.
pub(crate) fn with_apply_blocked<R>(change: impl FnOnce() -> R) -> R {
    with_in_force(|_| change())
}

fn with_in_force<R>(section: impl FnOnce(&mut Option<Overrides>) -> R) -> R {
    // No user code runs under the lock, and no section panics half-way, so poisoning is harmless.
    section(&mut IN_FORCE.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Warns of options that are left out.
fn warn(error: &OverridesError) {
    #[cfg(feature = "tracing")]
    crate::events::warn_of_override(error.circuit(), error.option(), error);
    #[cfg(not(feature = "tracing"))]
    let _ = error;
}

impl<'l> Plan<'l> {
    fn new(overrides: &Overrides, listed: &'l dyn Listed) -> Result<Self, OverridesError> {
        let (name, policy) = (listed.listed_as(), listed.policy());
        let timeout = OptionName::Timeout;
        let skipped = match overrides.source(name, timeout) {
            Some((_, is_exact)) if !policy.has_room_for_timer() => (!is_exact).then_some(timeout),
            _ => None,
        };
        let resolved = overrides.resolve_except(name, &policy.base(), skipped)?;
        let checked = policy.check(&resolved.config);
        checked.map_err(|error| OverridesError::new(name, timeout, error.message()))?;
        Ok(Self {
            listed,
            config: resolved.config,
            hold: resolved.hold.map(HoldTo::state),
            skipped,
        })
    }

    /// Returns the plan for a circuit that keeps its rules, as those of the overrides are invalid.
    fn hold_alone(overrides: &Overrides, listed: &'l dyn Listed) -> Self {
        Self {
            listed,
            config: listed.policy().config(),
            hold: overrides.hold_of(listed.listed_as()).map(HoldTo::state),
            skipped: None,
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

    /// Replaces the rules and sets the hold to follow. Returns what has changed.
    fn carry_out(self) -> Option<ChangedRules> {
        let policy = self.listed.policy();
        let (before, hold_before) = (policy.config(), policy.file_hold());
        policy.set_file_hold(self.hold);
        let has_new_rules = before != self.config;
        if has_new_rules {
            self.listed.replace_rules(self.config);
        }
        let is_changed = has_new_rules || hold_before != self.hold;
        is_changed.then(|| ChangedRules {
            breaker: self.name(),
            before,
            after: self.config,
            hold_before,
            hold: self.hold,
        })
    }
}
