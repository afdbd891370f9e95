//! The orders that were given here, as far as they are remembered.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use circuit_runtime::{Hold, HoldSource, State};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::action::{Action, Order};
use crate::moment;

/// How many of the latest orders are remembered, besides those in force.
const KEPT: usize = 100;

/// A hold and the order for it end at the same time, by two clocks that are read in turn.
const TOLERANCE: Duration = Duration::from_secs(1);

/// An order that was given.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    action: Action,
    actor: String,
    at: SystemTime,
    /// When the order ends, if it lasts.
    end: Option<Instant>,
}

impl Record {
    fn new(action: Action, actor: String) -> Self {
        Self {
            end: action
                .time()
                .and_then(|time| Instant::now().checked_add(time)),
            at: SystemTime::now(),
            action,
            actor,
        }
    }

    /// Returns the order as a part of the breaker that it holds.
    pub(crate) fn to_json_of_hold(&self) -> Value {
        let ends_in = self
            .end
            .map(|end| end.saturating_duration_since(Instant::now()));
        json!({
            "action": self.action.order().as_str(),
            "actor": self.actor,
            "reason": self.action.reason(),
            "at": moment::seconds(self.at),
            "ends_in": ends_in.map(|time| time.as_secs_f64()),
        })
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({
            "breaker": self.action.breaker(),
            "action": self.action.order().as_str(),
            "actor": self.actor,
            "reason": self.action.reason(),
            "seconds": self.action.time().map(|time| time.as_secs_f64()),
            "at": moment::seconds(self.at),
        })
    }

    /// Returns whether this is the order behind a hold.
    fn explains(&self, hold: &Hold) -> bool {
        let to = match self.action.order() {
            Order::ForceOpen => State::Open,
            Order::ForceClosed => State::Closed,
            Order::Reset | Order::Trip => return false,
        };
        let (Some(end), Some(ends_in)) = (self.end, hold.ends_in) else {
            return false;
        };
        let left = end.saturating_duration_since(Instant::now());
        hold.source == HoldSource::Order && hold.to == to && left.abs_diff(ends_in) < TOLERANCE
    }
}

impl PartialEq for Record {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at && self.action == other.action && self.actor == other.actor
    }
}

/// The orders that were given here.
///
/// The runtime knows that an order holds a circuit, and until when; who gave it, and the reason, is
/// known here alone.
#[derive(Debug, Default)]
pub(crate) struct Book {
    pages: Mutex<Pages>,
}

#[derive(Debug, Default)]
struct Pages {
    /// The latest order of each name, until it ends.
    in_force: HashMap<String, Record>,
    /// The latest orders, oldest first.
    latest: VecDeque<Record>,
}

impl Book {
    /// Adds an order that is about to be carried out.
    pub(crate) fn add(&self, action: Action, actor: String) {
        let record = Record::new(action, actor);
        self.with_pages(|pages| {
            let now = Instant::now();
            pages
                .in_force
                .retain(|_, it| it.end.is_some_and(|end| end > now));
            let name = record.action.breaker().to_owned();
            pages.in_force.insert(name, record.clone());
            if pages.latest.len() >= KEPT {
                pages.latest.pop_front();
            }
            pages.latest.push_back(record);
        });
    }

    /// Returns the order behind the hold of a breaker, if it was given here.
    pub(crate) fn behind(&self, breaker: &str, hold: &Hold) -> Option<Record> {
        self.with_pages(|pages| {
            let record = pages.in_force.get(breaker)?;
            record.explains(hold).then(|| record.clone())
        })
    }

    /// Returns the latest orders to breakers whose name is as asked for, latest first.
    pub(crate) fn latest(&self, is_asked_for: impl Fn(&str) -> bool) -> Vec<Record> {
        self.with_pages(|pages| {
            let latest = pages.latest.iter().rev();
            let asked = latest.filter(|it| is_asked_for(it.action.breaker()));
            asked.cloned().collect()
        })
    }

    fn with_pages<R>(&self, section: impl FnOnce(&mut Pages) -> R) -> R {
        // No section panics half-way, so poisoning is harmless.
        section(&mut self.pages.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::{Action, Book, Duration, Order};
    use circuit_runtime::{CircuitBreaker, Config};

    fn action(order: Order, seconds: u64) -> Action {
        Action {
            breaker: "held".to_owned(),
            order,
            reason: "a drill".to_owned(),
            time: Some(Duration::from_secs(seconds)),
        }
    }

    #[test]
    fn a_hold_is_explained_by_the_order_for_it_and_by_no_other() {
        let book = Book::default();
        let breaker = CircuitBreaker::new("held", Config::default());
        let actor = || {
            let hold = breaker.snapshot().hold?;
            book.behind("held", &hold).map(|record| record.actor)
        };
        assert_eq!(actor(), None);
        let open = action(Order::ForceOpen, 600);
        book.add(open.clone(), "alice".to_owned());
        open.carry_out(&breaker);
        assert_eq!(actor().as_deref(), Some("alice"));

        breaker.force_open_for(Duration::from_secs(300));
        assert_eq!(actor(), None, "the program gave another order");
        breaker.force_closed_for(Duration::from_secs(600));
        assert_eq!(actor(), None);
        breaker.force_open();
        assert_eq!(actor(), None);

        let closed = action(Order::ForceClosed, 60);
        book.add(closed.clone(), "bob".to_owned());
        closed.carry_out(&breaker);
        assert_eq!(actor().as_deref(), Some("bob"));
        breaker.reset();
        assert_eq!(actor(), None);
    }

    #[test]
    fn the_latest_orders_are_kept_and_no_more() {
        let book = Book::default();
        for number in 0..300 {
            let mut action = action(Order::ForceOpen, 600);
            action.breaker = format!("{}", number % 150);
            book.add(action, "alice".to_owned());
        }
        assert_eq!(book.latest(|_| true).len(), 100);
        assert_eq!(book.latest(|name| name == "149").len(), 1);
        assert_eq!(book.latest(|name| name == "3").len(), 0);
    }
}
