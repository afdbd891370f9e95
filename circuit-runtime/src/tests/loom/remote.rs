//! Models of verdicts and orders of a fleet.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use super::{RESET, Run, breaker, breaker_with, circuit, fail, model_of_few_preemptions, race};
use crate::circuit::{Outcome, Ticket};
use crate::clock::model::set as set_clock;
use crate::remote::{Effect, Epoch, Probed, Remote};
use crate::{CircuitBreaker, Config, HoldSource, State};

const USUAL: Duration = Duration::from_micros(RESET);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const GRACE: Duration = Duration::from_secs(1);

fn attach(breaker: &'static CircuitBreaker) -> &'static Remote {
    Box::leak(Box::new(Remote::attach(breaker).with_grace(GRACE)))
}

/// Creates a breaker that a verdict has opened for a minute, and that is at the end of the grace.
fn after_the_grace() -> (&'static CircuitBreaker, &'static Remote) {
    let breaker = breaker(1);
    let remote = attach(breaker);
    assert_eq!(remote.open_for(Epoch(1), MINUTE, 0), Effect::Applied);
    set_clock(micros(MINUTE + GRACE) + 1);
    (breaker, remote)
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap()
}

fn admit(breaker: &CircuitBreaker) -> Option<Ticket> {
    circuit(breaker).admit().ok()
}

fn settle(breaker: &CircuitBreaker, ticket: Ticket, outcome: Outcome) {
    circuit(breaker).settle(ticket, outcome);
}

fn hold(breaker: &CircuitBreaker) -> Option<(State, HoldSource)> {
    let hold = breaker.snapshot().hold?;
    Some((hold.to, hold.source))
}

/// Whichever opens the circuit, it does so once, and the wait is that of the verdict.
#[test]
fn opening_against_a_local_trip() {
    loom::model(|| {
        let breaker = breaker(1);
        let remote = attach(breaker);
        let call = breaker.try_acquire().unwrap();
        race([
            Box::new(move || call.failure()) as Run,
            Box::new(|| assert_eq!(remote.open_for(Epoch(1), MINUTE, 0), Effect::Applied)),
        ]);
        let seen = breaker.snapshot();
        assert_eq!((seen.state, seen.opened), (State::Open, 1));
        assert_eq!(seen.retry_after, Some(MINUTE + GRACE));
        assert_eq!(remote.own_wait(), None);
        assert_eq!(remote.close(Epoch(2)), Effect::Applied);
    });
}

/// A closing does not end an opening by a failed probe of this process, but makes a late one stale.
#[test]
fn closing_against_a_failed_probe() {
    model_of_few_preemptions(|| {
        let (breaker, remote) = after_the_grace();
        let probe = admit(breaker).unwrap();
        let [effect, _] = race([
            Box::new(|| remote.close(Epoch(2))) as Run<Effect>,
            Box::new(move || {
                settle(breaker, probe, Outcome::Failed);
                Effect::Unchanged
            }),
        ]);
        let seen = breaker.snapshot();
        if effect == Effect::Applied {
            assert_eq!((seen.state, seen.opened), (State::Closed, 1));
        } else {
            assert_eq!((seen.state, seen.opened), (State::Open, 2));
            assert_eq!(remote.own_wait(), Some(USUAL));
        }
        assert_eq!(remote.close(Epoch(2)), Effect::Unchanged);
    });
}

/// A probe in flight does not undo an opening of a later epoch.
#[test]
fn opening_against_the_success_of_a_probe() {
    model_of_few_preemptions(|| {
        let (breaker, remote) = after_the_grace();
        let probe = admit(breaker).unwrap();
        race([
            Box::new(|| assert_eq!(remote.open_for(Epoch(2), HOUR, 3), Effect::Applied)) as Run,
            Box::new(move || settle(breaker, probe, Outcome::Succeeded)),
        ]);
        let seen = breaker.snapshot();
        assert_eq!((seen.state, seen.opened), (State::Open, 2));
        assert_eq!(seen.retry_after, Some(HOUR + GRACE));
        assert_eq!(seen.reopenings, 3);
    });
}

/// One of the calls around the begin of a lease is a probe whose result counts.
#[test]
fn lease_against_a_slot_request() {
    for is_over in [false, true] {
        model_of_few_preemptions(move || {
            let (breaker, remote) = after_the_grace();
            if !is_over {
                set_clock(micros(MINUTE));
            }
            let [first, second] = race([
                Box::new(|| {
                    assert_eq!(remote.half_open_now(Epoch(1)), Effect::Applied);
                    admit(breaker)
                }) as Run<Option<Ticket>>,
                Box::new(|| admit(breaker)),
            ]);
            let [probe] = [first, second].into_iter().flatten().collect::<Vec<_>>()[..] else {
                panic!("{first:?} {second:?}");
            };
            settle(breaker, probe, Outcome::Succeeded);
            assert_eq!(breaker.state(), State::Closed);
            assert_eq!(circuit(breaker).take_probed().ok(), Some(Probed::Succeeded));
        });
    }
}

/// The grace ends while the lease arrives: of the probes admitted by either, one counts.
#[test]
fn lease_against_the_end_of_the_grace() {
    model_of_few_preemptions(|| {
        let (breaker, remote) = after_the_grace();
        set_clock(micros(MINUTE));
        let probes = race([
            Box::new(|| {
                assert_eq!(remote.half_open_now(Epoch(1)), Effect::Applied);
                admit(breaker)
            }) as Run<Option<Ticket>>,
            Box::new(|| {
                set_clock(micros(MINUTE + GRACE) + 1);
                admit(breaker)
            }),
        ]);
        let latest = probes
            .iter()
            .flatten()
            .map(|probe| probe.word().generation())
            .max();
        let latest = latest.unwrap();
        let count = |probe: &&Ticket| probe.word().generation() == latest;
        assert_eq!(probes.iter().flatten().filter(count).count(), 1);
        for probe in probes.into_iter().flatten() {
            settle(breaker, probe, Outcome::Succeeded);
        }
        assert_eq!(breaker.state(), State::Closed);
        assert_eq!(circuit(breaker).take_probed().ok(), Some(Probed::Succeeded));
    });
}

/// A process that is denied the lease keeps its circuit open, whether or not it has begun to probe.
#[test]
fn wait_against_a_slot_request() {
    model_of_few_preemptions(|| {
        let (breaker, remote) = after_the_grace();
        let [_, probe] = race([
            Box::new(|| {
                assert_eq!(remote.wait(Epoch(1), HOUR), Effect::Applied);
                None
            }) as Run<Option<Ticket>>,
            Box::new(|| admit(breaker)),
        ]);
        if let Some(probe) = probe {
            settle(breaker, probe, Outcome::Succeeded);
        }
        let seen = breaker.snapshot();
        assert_eq!(
            (seen.state, seen.retry_after),
            (State::Open, Some(HOUR + GRACE))
        );
    });
}

/// An order is final, whichever comes first; a verdict is followed once it is delivered after that.
#[test]
fn opening_against_an_order() {
    let orders: [(fn(&CircuitBreaker), State); 2] = [
        (CircuitBreaker::force_open, State::Open),
        (CircuitBreaker::force_closed, State::Closed),
    ];
    for (order, state) in orders {
        loom::model(move || {
            let breaker = breaker(1);
            let remote = attach(breaker);
            race([
                Box::new(move || order(breaker)) as Run,
                Box::new(|| _ = remote.open_for(Epoch(1), MINUTE, 0)),
            ]);
            assert_eq!(hold(breaker), Some((state, HoldSource::Order)));
            assert_eq!(remote.open_for(Epoch(1), MINUTE, 0), Effect::Held);
            breaker.reset();
            assert_eq!(remote.open_for(Epoch(1), MINUTE, 0), Effect::Applied);
        });
    }
}

/// A reset undoes a verdict that came before, and the verdict is not applied again.
#[test]
fn opening_against_reset() {
    loom::model(|| {
        let breaker = breaker(1);
        let remote = attach(breaker);
        race([
            Box::new(|| breaker.reset()) as Run,
            Box::new(|| assert_eq!(remote.open_for(Epoch(1), MINUTE, 0), Effect::Applied)),
        ]);
        let state = breaker.state();
        assert_eq!(remote.open_for(Epoch(1), MINUTE, 0), Effect::Unchanged);
        assert_eq!(breaker.state(), state);
        assert_eq!(breaker.snapshot().opened, 1);
    });
}

/// New rules neither change the wait of a verdict nor make a circuit forget its epoch.
#[test]
fn opening_against_other_rules() {
    model_of_few_preemptions(|| {
        let breaker = breaker(1);
        let remote = attach(breaker);
        let rules = Config::builder().max_failures(2).reset(HOUR);
        race([
            Box::new(move || breaker.reconfigure(rules.build().unwrap()).unwrap()) as Run,
            Box::new(|| assert_eq!(remote.open_for(Epoch(2), MINUTE, 0), Effect::Applied)),
        ]);
        assert_eq!(breaker.snapshot().retry_after, Some(MINUTE + GRACE));
        assert_eq!(remote.close(Epoch(1)), Effect::Stale);
    });
}

/// A circuit is closed, or begins a ramp, by the rules from before or after a change.
#[test]
fn closing_against_other_rules() {
    model_of_few_preemptions(|| {
        let breaker = breaker_with(Config::builder().max_failures(1));
        let remote = attach(breaker);
        remote.open_for(Epoch(1), MINUTE, 0);
        let rules = Config::builder().max_failures(1).ramp(HOUR);
        race([
            Box::new(move || breaker.reconfigure(rules.build().unwrap()).unwrap()) as Run,
            Box::new(|| assert_eq!(remote.close(Epoch(2)), Effect::Applied)),
        ]);
        let seen = breaker.snapshot();
        assert!(
            [(State::Closed, None), (State::HalfOpen, Some(0.1))]
                .contains(&(seen.state, seen.ramp))
        );
        fail(breaker);
        assert_eq!(breaker.state(), State::Open);
    });
}

/// The later epoch decides, in whatever order two verdicts are delivered.
#[test]
fn verdict_against_one_of_another_epoch() {
    type Verdict = fn(&Remote);
    let opens: Verdict = |remote| _ = remote.open_for(Epoch(1), MINUTE, 0);
    let closes: Verdict = |remote| _ = remote.close(Epoch(2));
    let opens_again: Verdict = |remote| _ = remote.open_for(Epoch(2), HOUR, 0);
    for (later, retry_after) in [(closes, None), (opens_again, Some(HOUR + GRACE))] {
        loom::model(move || {
            let breaker = breaker(1);
            let remote = attach(breaker);
            race([
                Box::new(move || opens(remote)) as Run,
                Box::new(move || later(remote)),
            ]);
            assert_eq!(breaker.snapshot().retry_after, retry_after);
            assert_eq!(remote.open_for(Epoch(1), MINUTE, 0), Effect::Stale);
        });
    }
}

/// An order that is given by hand goes before one of the fleet, whichever comes first.
#[test]
fn order_of_the_fleet_against_one_by_hand() {
    loom::model(|| {
        let breaker = breaker(1);
        let remote = attach(breaker);
        race([
            Box::new(|| breaker.force_closed()) as Run,
            Box::new(|| _ = remote.hold_open(Epoch(1), None)),
        ]);
        assert_eq!(hold(breaker), Some((State::Closed, HoldSource::Order)));
    });
}

/// A repeated order makes the hold its own, and the fleet's does not release it.
#[test]
fn release_by_the_fleet_against_an_order_by_hand() {
    loom::model(|| {
        let breaker = breaker(1);
        let remote = attach(breaker);
        remote.hold_open(Epoch(1), None);
        race([
            Box::new(|| breaker.force_open()) as Run,
            Box::new(|| _ = remote.release(Epoch(2))),
        ]);
        assert_eq!(hold(breaker), Some((State::Open, HoldSource::Order)));
    });
}

/// The later of two orders of the fleet is in force at the end.
#[test]
fn order_of_the_fleet_against_another() {
    type Order = fn(&Remote);
    let released: Order = |remote| _ = remote.release(Epoch(2));
    let closed: Order = |remote| _ = remote.hold_closed(Epoch(2), None);
    let by_fleet = Some((State::Closed, HoldSource::Fleet));
    for (later, expected) in [(released, None), (closed, by_fleet)] {
        model_of_few_preemptions(move || {
            let breaker = breaker(1);
            let remote = attach(breaker);
            race([
                Box::new(|| _ = remote.hold_open(Epoch(1), None)) as Run,
                Box::new(move || later(remote)),
            ]);
            assert_eq!(hold(breaker), expected);
        });
    }
}

/// A task that waits for the result of the probes gets it at once, or is woken.
#[test]
fn result_of_a_probe_against_the_task_that_waits() {
    type Waits = Pin<Box<dyn Future<Output = Probed>>>;

    #[derive(Default)]
    struct Woken(AtomicBool);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::SeqCst);
        }
    }

    loom::model(|| {
        let (breaker, remote) = after_the_grace();
        remote.half_open_now(Epoch(1));
        let probe = admit(breaker).unwrap();
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        let mut waits: Waits = Box::pin(remote.probed());
        let [polled, _] = race([
            Box::new(move || {
                let polled = waits.as_mut().poll(&mut Context::from_waker(&waker));
                (polled, Some(waits))
            }) as Run<(Poll<Probed>, Option<Waits>)>,
            Box::new(move || {
                settle(breaker, probe, Outcome::Succeeded);
                (Poll::Pending, None)
            }),
        ]);
        let (polled, waits) = polled;
        if polled.is_pending() {
            assert!(woken.0.load(Ordering::SeqCst));
            let polled = waits
                .unwrap()
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()));
            assert_eq!(polled, Poll::Ready(Probed::Succeeded));
        } else {
            assert_eq!(polled, Poll::Ready(Probed::Succeeded));
        }
    });
}
