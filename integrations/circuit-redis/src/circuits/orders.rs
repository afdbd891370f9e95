//! The orders of operators to the whole fleet.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use circuit_runtime::State;
use circuit_runtime::remote::{Epoch, Remote};
use tokio::time::Instant;

use super::local::Local;
use crate::events::FleetEvent;
use crate::scripts::answer::OrderLine;

/// The orders in force.
#[derive(Debug, Default)]
pub(crate) struct Orders {
    by_name: BTreeMap<Arc<str>, Order>,
}

/// An order in force.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) epoch: u64,
    pub(crate) to: State,
    pub(crate) ends: Option<Instant>,
    pub(crate) by: Arc<str>,
}

impl Orders {
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Order)> {
        self.by_name.iter()
    }

    /// Follows an order. One that was followed before is delivered again: there may be new
    /// breakers.
    pub(crate) fn hear(
        &mut self,
        line: &OrderLine,
        local: &Local,
        now: Instant,
    ) -> Option<FleetEvent> {
        let known = self.by_name.get(&line.name).map_or(0, |order| order.epoch);
        if line.epoch < known {
            return None;
        }
        let Some(to) = line.to else {
            return self.release(&line.name, line.epoch, local);
        };
        if line.rest == Some(Duration::ZERO) {
            return None;
        }
        for remote in local.remotes(&line.name) {
            deliver(&remote, line.epoch, to, line.rest);
        }
        let order = Order {
            epoch: line.epoch,
            to,
            ends: line.rest.map(|rest| now + rest),
            by: Arc::clone(&line.by),
        };
        self.by_name.insert(Arc::clone(&line.name), order);
        (line.epoch > known).then(|| FleetEvent::Ordered {
            name: Arc::clone(&line.name),
            to,
            ends_in: line.rest,
        })
    }

    /// Releases the circuits whose orders are not among all of them at the epoch `seq`.
    pub(crate) fn keep(&mut self, all: &[OrderLine], seq: u64, local: &Local) -> Vec<FleetEvent> {
        let is_gone = |name: &Arc<str>, order: &Order| {
            order.epoch <= seq && all.iter().all(|line| line.name != *name)
        };
        let gone: Vec<_> = self
            .by_name
            .iter()
            .filter(|(name, order)| is_gone(name, order))
            .map(|(name, _)| Arc::clone(name))
            .collect();
        gone.iter()
            .filter_map(|name| self.release(name, seq, local))
            .collect()
    }

    /// Returns the orders as a member tells them to a store that has lost them.
    pub(crate) fn told(&self, now: Instant) -> Vec<OrderLine> {
        let told = self.by_name.iter().map(|(name, order)| OrderLine {
            name: Arc::clone(name),
            epoch: order.epoch,
            to: Some(order.to),
            rest: order.ends.map(|end| end.saturating_duration_since(now)),
            by: Arc::clone(&order.by),
        });
        told.filter(|line| line.rest != Some(Duration::ZERO))
            .collect()
    }

    fn release(&mut self, name: &Arc<str>, epoch: u64, local: &Local) -> Option<FleetEvent> {
        self.by_name.remove(name)?;
        for remote in local.remotes(name) {
            remote.release(Epoch(epoch));
        }
        Some(FleetEvent::Released {
            name: Arc::clone(name),
        })
    }
}

fn deliver(remote: &Remote, epoch: u64, to: State, rest: Option<Duration>) {
    match to {
        State::Closed => remote.hold_closed(Epoch(epoch), rest),
        State::Open | State::HalfOpen => remote.hold_open(Epoch(epoch), rest),
    };
}
