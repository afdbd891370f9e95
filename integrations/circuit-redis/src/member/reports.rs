//! The reports of the task to its handles: the status and the events.

use std::time::SystemTime;

use tokio::time::Instant;

use super::Member;
use crate::error::Reason;
use crate::events::FleetEvent;
use crate::status::Sharing;

impl Member {
    pub(super) fn tell_degraded(&self, reason: Reason) {
        self.shared.status.send_modify(|recorded| {
            recorded.status.sharing = Sharing::Degraded {
                since: SystemTime::now(),
                reason: reason.clone(),
            };
        });
        if reason != Reason::NotConnected {
            self.shared.tell(FleetEvent::Degraded { reason });
        }
    }

    /// Tells another reason why the store does not answer.
    pub(super) fn tell_reason(&self, reason: Reason) {
        self.shared
            .status
            .send_if_modified(|recorded| match &mut recorded.status.sharing {
                Sharing::Degraded { reason: known, .. } if *known != reason => {
                    *known = reason;
                    true
                }
                _ => false,
            });
    }

    pub(super) fn reason(&self) -> Reason {
        match &self.shared.status.borrow().status.sharing {
            Sharing::Degraded { reason, .. } => reason.clone(),
            Sharing::NotRunning | Sharing::Shared { .. } => Reason::NotConnected,
        }
    }

    /// Tells what has happened, and what the fleet is like now.
    pub(super) fn tell(&mut self, now: Instant) {
        let (circuits, orders) = self.circuits.status(now);
        let sharing = Sharing::Shared {
            has_pushes: self.has_pushes,
        };
        self.shared.status.send_if_modified(|recorded| {
            let status = &mut recorded.status;
            let mut next = status.clone();
            next.circuits = circuits;
            next.orders = orders;
            next.members = self.members;
            if self.is_shared {
                next.sharing = sharing;
            }
            let is_other = next != *status;
            *status = next;
            is_other
        });
        for event in self.circuits.take_events() {
            self.shared.tell(event);
        }
    }
}
