//! The reason for a transition.

use super::fleet::FleetVerdict;
use super::hold::HoldSource;
use super::state::Trigger;
use crate::events::Cause;
use crate::window_counts::WindowCounts;

/// The reason for a transition, as it is reported.
#[derive(Clone, Copy)]
pub(super) struct Reason {
    pub(super) cause: Cause,
    /// The evidence that led to it.
    pub(super) window: Option<WindowCounts>,
    /// The origin of the order that it is, if it is one.
    pub(super) order: Option<HoldSource>,
    /// The verdict of the fleet that it is, if it is one.
    pub(super) verdict: Option<FleetVerdict>,
}

impl Reason {
    /// Returns the reason that a trigger implies.
    pub(super) fn from_trigger(trigger: Trigger) -> Self {
        let cause = match trigger {
            Trigger::LimitReached => Cause::MaxFailures,
            Trigger::Unavailable(_) => Cause::Unavailable,
            Trigger::ProbesSucceeded | Trigger::RampBegins(_) => Cause::ProbesSucceeded,
            Trigger::RampOver => Cause::RampOver,
            Trigger::ProbeFailed => Cause::ProbeFailed,
            Trigger::Trip(_) => Cause::Tripped,
            Trigger::Reset | Trigger::HoldOver => Cause::Reset,
            Trigger::ForceOpen(_) => Cause::ForcedOpen,
            Trigger::ForceClosed(_) => Cause::ForcedClosed,
            Trigger::FleetOpens { .. }
            | Trigger::FleetProbes(_)
            | Trigger::FleetCloses
            | Trigger::FleetRamps(_) => Cause::Fleet,
        };
        let is_order = matches!(
            trigger,
            Trigger::Trip(_) | Trigger::Reset | Trigger::ForceOpen(_) | Trigger::ForceClosed(_)
        );
        Self {
            cause,
            window: None,
            order: is_order.then_some(HoldSource::Order),
            verdict: None,
        }
    }
}
