//! Verdicts and orders of a fleet, as a circuit follows them.

use std::cell::Cell;
use std::time::Duration;

use tokio::sync::futures::OwnedNotified;

use super::Circuit;
use super::counters::Total;
use super::fleet::{Decision, Effect, Epoch, FleetOrder, FleetVerdict, Probed};
use super::hold::HoldSource;
use super::orders;
use super::phases::Transitions;
use super::reason::Reason;
use super::state::{Details, Phase, Trigger, Word};
use crate::clock::{self, Instant, Span};
use crate::events::contain;
use crate::state::State;

/// The effect of a verdict on a phase.
enum Step {
    /// Nothing more.
    Done(Effect),
    /// The phase is followed by an open one, for this long.
    Open {
        time: Span,
        reopenings: u32,
    },
    /// Its wait is over.
    Probe,
    Close,
    /// A ramp begins. The circuit is half-open since then, or from now on.
    Ramp(Option<Instant>),
}

impl Circuit {
    /// Follows a verdict of the fleet, unless it is late or an order goes before it.
    pub(crate) fn follow_verdict(&self, verdict: FleetVerdict) -> Effect {
        let _entered = self.time.enter();
        let phases = self.phases.get_or_init(Box::default);
        loop {
            let (word, details) = self.observe();
            let now = clock::now();
            if self.end_if_over(word, details, now) {
                continue;
            }
            let step = phases.with_lock(|transitions| {
                let is_current = self.word() == word;
                is_current.then(|| self.step(transitions, (word, details), verdict, now))
            });
            let step = match step {
                None => continue,
                Some(Step::Done(effect)) => return effect,
                Some(step) => step,
            };
            // Only now, as this may wait.
            let now = Self::date(word, now);
            let Some(trigger) = step.trigger(now) else {
                continue;
            };
            let reason = Reason {
                verdict: Some(verdict),
                ..Reason::from_trigger(trigger)
            };
            if self.try_change(word, trigger, reason, now).is_ok() {
                return Effect::Applied;
            }
        }
    }

    /// Returns what a verdict does to the phase of `word`, and notes it if that is nothing.
    fn step(
        &self,
        transitions: &mut Transitions,
        (word, details): (Word, Details),
        verdict: FleetVerdict,
        now: Instant,
    ) -> Step {
        let standing = transitions.standing.get_or_insert_default();
        if word.is_held() {
            return Step::Done(standing.hold(verdict));
        }
        let is_first = match standing.admit(verdict) {
            Ok(is_first) => is_first,
            Err(effect) => return Step::Done(effect),
        };
        let end = self.end(word, details);
        let is_over = end.is_some_and(|end| now >= end);
        let is_the_fleets = standing.is_phase(word);
        let opens = |time, reopenings| Step::Open {
            time: self.jittered(word, time),
            reopenings,
        };
        match (verdict.decision, word.phase()) {
            (Decision::Open { time, reopenings }, _) => opens(time, reopenings),
            (Decision::Wait { time }, _) if is_first => opens(time, details.reopenings),
            (Decision::Wait { time }, Phase::Open) if is_the_fleets => {
                opens(time, details.reopenings)
            }
            (Decision::HalfOpen, Phase::Open) if !is_over => Step::Probe,
            (Decision::HalfOpen, Phase::Open) => {
                standing.take_over(verdict, word);
                Step::Done(Effect::Applied)
            }
            (Decision::Close, Phase::Open) if is_the_fleets => {
                if self.policy.ramp() < Span::MIN {
                    Step::Close
                } else {
                    Step::Ramp(end.filter(|_| is_over))
                }
            }
            _ => {
                standing.follow(verdict);
                Step::Done(Effect::Unchanged)
            }
        }
    }

    /// Returns the wait of a verdict on the phase of `word`, with the `jitter` of the rules.
    fn jittered(&self, word: Word, time: Duration) -> Span {
        let time = Span::from_duration(time);
        self.policy
            .wait()
            .jittered(time, word.generation(), &self.name)
    }

    /// Follows an order of the fleet to hold the circuit in a state, or that there is none; unless
    /// it is late, or an order that was given by hand goes before it.
    pub(crate) fn follow_fleet_order(
        &self,
        epoch: Epoch,
        hold: Option<(State, Option<Duration>)>,
    ) -> Effect {
        let _entered = self.time.enter();
        let order = FleetOrder {
            epoch,
            hold,
            is_followed: false,
        };
        let phases = self.phases.get_or_init(Box::default);
        if let Some(effect) = phases
            .with_lock(|transitions| transitions.standing.get_or_insert_default().order(order))
        {
            return effect;
        }
        loop {
            let latest =
                phases.with_lock(|transitions| transitions.standing.as_ref()?.latest_order());
            let Some(latest) = latest else {
                return Effect::Stale;
            };
            let effect = self.apply_fleet_order(latest);
            let is_followed = effect != Effect::Held;
            // Another one may have come meanwhile: the last decides.
            let is_latest = phases.with_lock(|transitions| {
                let standing = transitions.standing.get_or_insert_default();
                standing.note_order(latest, is_followed)
            });
            if is_latest {
                let is_this = latest.epoch == epoch;
                return if is_this { effect } else { Effect::Stale };
            }
        }
    }

    fn apply_fleet_order(&self, order: FleetOrder) -> Effect {
        let applies = Cell::new(false);
        self.order_by(HoldSource::Fleet, |word, source, now| {
            let is_held_by = |by| word.is_held() && source == by;
            let trigger = match order.hold {
                None => Trigger::Reset,
                Some((State::Open, time)) => Trigger::ForceOpen(orders::end(now, time)),
                Some((_, time)) => Trigger::ForceClosed(orders::end(now, time)),
            };
            applies.set(match order.hold {
                Some(_) => !is_held_by(HoldSource::Order),
                None => is_held_by(HoldSource::Fleet),
            });
            applies.get().then_some(trigger)
        });
        match (applies.get(), order.hold) {
            (true, Some(_)) => Effect::Applied,
            (false, Some(_)) => Effect::Held,
            (true, None) => {
                #[cfg(feature = "serde")]
                self.follow_file();
                Effect::Applied
            }
            (false, None) => Effect::Unchanged,
        }
    }

    /// Returns how many calls were rejected since the circuit opened; zero if it is closed.
    pub(crate) fn rejected_since_opening(&self) -> u64 {
        let Some(phases) = self.phases.get() else {
            return 0;
        };
        let before = phases.with_lock(|transitions| {
            let is_open = transitions.reported() != State::Closed;
            is_open.then_some(transitions.rejected_before)
        });
        let rejected = self.counters.total(Total::Rejected);
        before.map_or(0, |before| rejected.wrapping_sub(before))
    }

    /// Returns the rest of a wait that no verdict has set; zero once it is over.
    pub(crate) fn own_wait(&self) -> Option<Duration> {
        let _entered = self.time.enter();
        let phases = self.phases.get()?;
        let (word, details) = self.observe();
        let is_the_fleets = phases.with_lock(|transitions| transitions.has_the_fleets(word));
        if word.phase() != Phase::Open || is_the_fleets {
            return None;
        }
        let end = self.end(word, details)?;
        Some(end.since(clock::now()).as_duration())
    }

    /// Returns the result of the probes that a verdict has allowed, once. If there is none, returns
    /// a future that completes with the next one. It is made under the lock, so that none is
    /// missed.
    pub(crate) fn take_probed(&self) -> Result<Probed, OwnedNotified> {
        let phases = self.phases.get_or_init(Box::default);
        phases.with_lock(|transitions| {
            let standing = transitions.standing.get_or_insert_default();
            standing.take_probed()
        })
    }

    /// Tells of the result of the probes, if the phase that has ended was one in which a verdict
    /// has allowed them. Called without any lock.
    pub(super) fn tell_probed(&self) {
        let phases = self.phases.get();
        let told = phases.and_then(|phases| {
            phases.with_lock(|transitions| transitions.standing.as_ref()?.to_tell())
        });
        if let Some(told) = told {
            // The wakers of tasks are user code.
            contain(|| told.notify_waiters());
        }
    }

    /// Returns how long an open phase lasts that begins with `word`, and how often the circuit has
    /// reopened.
    pub(super) fn wait_of(&self, word: Word, details: Details) -> (Duration, u32) {
        let end = self.end(word, details);
        let wait = end.map(|end| end.since(word.since()).as_duration());
        (wait.unwrap_or_default(), details.reopenings)
    }
}

impl Step {
    /// Returns the trigger of a change at `now`.
    fn trigger(self, now: Instant) -> Option<Trigger> {
        Some(match self {
            Self::Done(_) => return None,
            Self::Open { time, reopenings } => Trigger::FleetOpens {
                until: now.plus(time).min(Details::LATEST),
                reopenings,
            },
            Self::Probe => Trigger::FleetProbes(now),
            Self::Close => Trigger::FleetCloses,
            Self::Ramp(half_open_since) => Trigger::FleetRamps(half_open_since.unwrap_or(now)),
        })
    }
}

impl Transitions {
    /// Returns whether the circuit does not follow a verdict, as it is late or was followed before.
    pub(super) fn declines(&self, verdict: FleetVerdict) -> bool {
        let standing = self.standing.as_ref();
        standing.is_some_and(|standing| standing.admit(verdict).is_err())
    }

    /// Returns whether a verdict has begun the phase of `word`, or has taken it over.
    fn has_the_fleets(&self, word: Word) -> bool {
        let standing = self.standing.as_ref();
        standing.is_some_and(|standing| standing.is_phase(word))
    }
}
