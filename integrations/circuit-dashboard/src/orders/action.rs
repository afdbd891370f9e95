//! An order that is asked for.

use std::fmt;
use std::time::Duration;

use circuit_runtime::CircuitBreaker;

/// An order that someone asks for: passed to the closure of
/// [`controls`](crate::Dashboard::controls), which decides.
///
/// # Examples
///
/// ```
/// use circuit_dashboard::{Action, Actor, Denied, Order};
///
/// /// Lets anyone close a circuit, and no one open it.
/// fn decide(action: &Action) -> Result<Actor, Denied> {
///     match action.order() {
///         Order::ForceClosed | Order::Reset => Ok(Actor::new("anyone")),
///         _ => Err(Denied::new("circuits may only be closed here")),
///     }
/// }
/// # let _ = decide;
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Action {
    pub(super) breaker: String,
    pub(super) order: Order,
    pub(super) reason: String,
    pub(super) time: Option<Duration>,
}

impl Action {
    /// Returns the name of the breaker; all breakers of this name get the order.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_dashboard::{Actor, Dashboard, Denied};
    ///
    /// let dashboard = Dashboard::new().controls(|_, action| {
    ///     let is_ours = action.breaker().starts_with("shop::");
    ///     let actor = is_ours.then(|| Actor::new("shop team"));
    ///     actor.ok_or_else(|| Denied::new("not one of the shop"))
    /// });
    /// # let _ = dashboard;
    /// ```
    #[must_use]
    pub fn breaker(&self) -> &str {
        &self.breaker
    }

    /// Returns the order.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_dashboard::{Actor, Dashboard, Denied, Order};
    ///
    /// let dashboard = Dashboard::new().controls(|_, action| match action.order() {
    ///     Order::ForceClosed => Err(Denied::new("no circuit is held closed here")),
    ///     _ => Ok(Actor::new("operator")),
    /// });
    /// # let _ = dashboard;
    /// ```
    #[must_use]
    pub fn order(&self) -> Order {
        self.order
    }

    /// Returns the reason that was given for it.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_dashboard::{Actor, Dashboard, Denied};
    ///
    /// let dashboard = Dashboard::new().controls(|_, action| {
    ///     let has_ticket = action.reason().contains("OPS-");
    ///     has_ticket.then(|| Actor::new("operator")).ok_or_else(|| Denied::new("name the ticket"))
    /// });
    /// # let _ = dashboard;
    /// ```
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Returns how long the order lasts; `None` for [`Order::Reset`], and for [`Order::Trip`] if
    /// the circuit is to wait for as long as its rules say.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_dashboard::{Actor, Dashboard, Denied};
    /// use std::time::Duration;
    ///
    /// const MAX: Duration = Duration::from_secs(600);
    ///
    /// let dashboard = Dashboard::new().controls(|_, action| match action.time() {
    ///     Some(time) if time > MAX => Err(Denied::new("ten minutes at most")),
    ///     _ => Ok(Actor::new("operator")),
    /// });
    /// # let _ = dashboard;
    /// ```
    #[must_use]
    pub fn time(&self) -> Option<Duration> {
        self.time
    }

    /// Carries out the order on a breaker.
    pub(crate) fn carry_out(&self, breaker: &CircuitBreaker) {
        match (self.order, self.time) {
            (Order::ForceOpen, Some(time)) => breaker.force_open_for(time),
            (Order::ForceClosed, Some(time)) => breaker.force_closed_for(time),
            (Order::Trip, Some(time)) => breaker.open_for(time),
            (Order::Trip, None) => breaker.trip(),
            (Order::Reset, _) => breaker.reset(),
            // Never read from a request: each of them has an end.
            (Order::ForceOpen | Order::ForceClosed, None) => {}
        }
    }
}

/// The orders that the dashboard takes.
///
/// # Examples
///
/// ```
/// use circuit_dashboard::Order;
///
/// assert_eq!(Order::ForceOpen.to_string(), "force-open");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Order {
    /// `force-open`: holds the circuit open until the end of the order.
    ForceOpen,
    /// `force-closed`: holds the circuit closed until the end of the order.
    ForceClosed,
    /// `reset`: closes the circuit and releases a hold.
    Reset,
    /// `trip`: opens the circuit as if a limit had been reached.
    Trip,
}

impl Order {
    pub(crate) const ALL: [Self; 4] = [Self::ForceOpen, Self::ForceClosed, Self::Reset, Self::Trip];

    /// Returns the order with this name in a path.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|order| order.as_str() == name)
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::ForceOpen => "force-open",
            Self::ForceClosed => "force-closed",
            Self::Reset => "reset",
            Self::Trip => "trip",
        }
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
