//! The opinions of this process, which are the votes of a fleet.

use std::collections::BTreeMap;
use std::sync::Arc;

use circuit_runtime::Name;

use super::local::Local;
use crate::scripts::Opinion;

/// The names of circuits that this process has opened by itself, each with the cause.
#[derive(Debug, Default)]
pub(crate) struct Votes {
    by_name: BTreeMap<Arc<str>, Vote>,
}

#[derive(Debug)]
struct Vote {
    cause: Arc<str>,
    /// The votes there are, and those that are needed, as the store has counted them last.
    count: Option<(u32, u32)>,
}

impl Votes {
    pub(crate) fn add(&mut self, name: Arc<str>, cause: Arc<str>) {
        let count = None;
        self.by_name.insert(name, Vote { cause, count });
    }

    /// Returns `true` if there was one.
    pub(crate) fn remove(&mut self, name: &str) -> bool {
        self.by_name.remove(name).is_some()
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    pub(crate) fn names(&self) -> Vec<Arc<str>> {
        self.by_name.keys().cloned().collect()
    }

    /// Takes note of the votes that the store has counted. Returns `true` if there are others.
    pub(crate) fn counted(&mut self, name: &str, count: (u32, u32)) -> bool {
        let vote = self.by_name.get_mut(name);
        vote.is_some_and(|vote| vote.count.replace(count) != Some(count))
    }

    /// Returns the votes on each name, and those that are needed.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (&Arc<str>, (u32, u32))> {
        self.by_name
            .iter()
            .filter_map(|(name, vote)| Some((name, vote.count?)))
    }

    /// Returns the opinion of now; `None` if the circuit is not open by itself any more.
    pub(crate) fn opinion(&self, name: &Arc<str>, known: u64, local: &Local) -> Option<Opinion> {
        let vote = self.by_name.get(name)?;
        let waits = local.find(name).into_iter().filter_map(|breaker| {
            let wait = local.attach(&breaker).own_wait()?;
            (!wait.is_zero()).then_some((wait, breaker))
        });
        let (wait, breaker) = waits.max_by_key(|(wait, _)| *wait)?;
        let config = breaker.config();
        Some(Opinion {
            name: Arc::clone(name),
            known,
            wait,
            reset: config.reset(),
            max_reset: config.max_reset(),
            cause: Arc::clone(&vote.cause),
        })
    }

    /// Takes up the circuits that have opened by themselves without this having been heard.
    pub(crate) fn take_up(&mut self, opened: Vec<Name>) {
        for name in opened {
            let stored = crate::keys::stored_name(&name);
            if !self.contains(&stored) {
                self.add(stored, "opened".into());
            }
        }
    }
}
