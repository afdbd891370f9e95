//! The changes that are reported: which, in what order, and to whom.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier, Mutex, OnceLock};
use std::task::{Context, Wake, Waker};
use std::thread;

use crate::support::{Seen, advance, brief, fail, half_open, poll_once, seconds, succeed, trip};
use circuit_runtime::{
    Cause, CircuitBreaker, CircuitBreakers, Config, ConfigBuilder, Lagged, State, StateChange,
    Subscription, Verdict, registry,
};

use State::{Closed, HalfOpen, Open};

fn breaker(name: &'static str, config: ConfigBuilder) -> CircuitBreaker {
    CircuitBreaker::new(name, config.build().unwrap())
}

fn limited(name: &'static str) -> CircuitBreaker {
    breaker(name, Config::builder().max_failures(3))
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_reported_change_by_change() {
    let breaker = limited("outage");
    let seen = Seen::default();
    let _subscription = seen.listen(&breaker);
    advance(seconds(5)).await;
    trip(&breaker);
    let [opened] = &seen.take()[..] else { panic!() };
    assert_eq!(brief(opened), (Closed, Open, Cause::MaxFailures));
    assert_eq!(opened.breaker, "outage");
    assert_eq!(opened.since, seconds(5));
    assert_eq!(opened.retry_after, Some(seconds(30)));
    assert_eq!(opened.window.map(|window| window.failed), Some(3));
    assert_eq!(opened.rejected, None);
    assert_eq!(breaker.snapshot().last_change.as_ref(), Some(opened));

    for _ in 0..7 {
        breaker.try_acquire().unwrap_err();
    }
    advance(seconds(40)).await;
    assert_eq!(breaker.state(), HalfOpen);
    assert_eq!(seen.take(), [], "time alone calls no listener");
    let probe = breaker.try_acquire().unwrap();
    let [half_open] = &seen.take()[..] else {
        panic!()
    };
    assert_eq!(brief(half_open), (Open, HalfOpen, Cause::WaitOver));
    assert_eq!(half_open.since, seconds(30), "the wait");
    assert_eq!((half_open.retry_after, half_open.rejected), (None, Some(7)));
    assert_eq!(half_open.window, None);

    advance(seconds(2)).await;
    probe.failure();
    let [reopened] = &seen.take()[..] else {
        panic!()
    };
    assert_eq!(brief(reopened), (HalfOpen, Open, Cause::ProbeFailed));
    assert_eq!(reopened.since, seconds(12));
    advance(seconds(30)).await;
    succeed(&breaker);
    let expected = [
        (Open, HalfOpen, Cause::WaitOver),
        (HalfOpen, Closed, Cause::ProbesSucceeded),
    ];
    assert_eq!(seen.briefs(), expected);
}

#[tokio::test(start_paused = true)]
async fn every_rule_is_named_as_the_cause_with_its_evidence() {
    let rate = Config::builder()
        .failure_rate(0.5)
        .min_calls(4)
        .last_calls(10);
    let failing = breaker("failing", rate);
    let slow = Config::builder()
        .slow_call(seconds(1))
        .min_calls(2)
        .last_calls(10);
    let slow = breaker("slow", slow);
    let seen = Seen::default();
    let _subscriptions = [&failing, &slow].map(|breaker| seen.listen(breaker));

    succeed(&failing);
    succeed(&failing);
    fail(&failing);
    fail(&failing);
    let [opened] = &seen.take()[..] else { panic!() };
    assert_eq!(brief(opened), (Closed, Open, Cause::FailureRate));
    let window = opened.window.unwrap();
    assert_eq!(
        (window.calls, window.failed, window.slow),
        (Some(4), 2, None)
    );

    let calls = [(); 2].map(|()| slow.try_acquire().unwrap());
    advance(seconds(2)).await;
    calls.into_iter().for_each(circuit_runtime::Permit::success);
    let [opened] = &seen.take()[..] else { panic!() };
    assert_eq!(brief(opened), (Closed, Open, Cause::SlowRate));
    assert_eq!(opened.window.unwrap().slow, Some(2));
}

#[test]
fn a_request_of_the_service_counts_as_the_latest_call_of_the_evidence() {
    let config = Config::builder().max_failures(3).last_calls(3);
    let breaker = breaker("requested", config);
    fail(&breaker);
    (0..2).for_each(|_| succeed(&breaker));
    let request = Verdict::Unavailable(seconds(20));
    breaker.try_acquire().unwrap().settle(request);
    let opened = breaker.snapshot().last_change.unwrap();
    assert_eq!(brief(&opened), (Closed, Open, Cause::Unavailable));
    let window = opened.window.unwrap();
    assert_eq!((window.calls, window.failed), (Some(3), 1));
}

#[tokio::test(start_paused = true)]
async fn an_order_is_reported_if_it_changes_the_state_or_the_hold() {
    let breaker = limited("ordered");
    let seen = Seen::default();
    let _subscription = seen.listen(&breaker);
    breaker.reset();
    assert_eq!(seen.briefs(), [], "closed already");
    breaker.force_closed();
    breaker.force_closed();
    assert_eq!(seen.briefs(), [(Closed, Closed, Cause::ForcedClosed)]);
    breaker.trip();
    assert_eq!(seen.briefs(), [], "nothing while held");
    for _ in 0..3 {
        fail(&breaker);
    }
    let [withheld] = &seen.take()[..] else {
        panic!()
    };
    assert_eq!(brief(withheld), (Closed, Closed, Cause::Withheld));
    assert_eq!(withheld.window.unwrap().failed, 3);
    breaker.force_open();
    breaker.force_open();
    assert_eq!(seen.briefs(), [(Closed, Open, Cause::ForcedOpen)]);
    breaker.reset();
    assert_eq!(seen.briefs(), [(Open, Closed, Cause::Reset)]);

    breaker.trip();
    breaker.trip();
    breaker.open_for(seconds(60));
    assert_eq!(seen.briefs(), [(Closed, Open, Cause::Tripped)]);
    assert_eq!(breaker.snapshot().opened, 2);
    breaker.force_open();
    let [held] = &seen.take()[..] else { panic!() };
    assert_eq!(brief(held), (Open, Open, Cause::ForcedOpen));
    assert_eq!(held.retry_after, None);
    assert_eq!(breaker.snapshot().opened, 2, "open already");
    breaker.force_closed();
    breaker.reset();
    let expected = [
        (Open, Closed, Cause::ForcedClosed),
        (Closed, Closed, Cause::Reset),
    ];
    assert_eq!(seen.briefs(), expected);
}

#[test]
fn a_repeated_order_for_the_longest_time_is_not_reported() {
    use std::time::Duration;

    let breaker = limited("for the longest time");
    let seen = Seen::default();
    let _subscription = seen.listen(&breaker);
    let orders = [
        (
            CircuitBreaker::force_open_for as fn(&CircuitBreaker, Duration),
            Cause::ForcedOpen,
        ),
        (CircuitBreaker::force_closed_for, Cause::ForcedClosed),
    ];
    for (order, cause) in orders {
        order(&breaker, Duration::MAX);
        assert_eq!(seen.take().pop().map(|change| change.cause), Some(cause));
        order(&breaker, Duration::MAX);
        assert_eq!(seen.take(), []);
    }
}

#[tokio::test(start_paused = true)]
async fn an_order_on_a_half_open_circuit_that_was_not_probed_comes_from_open() {
    let breaker = limited("not probed");
    let seen = Seen::default();
    let _subscription = seen.listen(&breaker);
    half_open(&breaker).await;
    breaker.reset();
    half_open(&breaker).await;
    breaker.trip();
    let expected = [
        (Closed, Open, Cause::MaxFailures),
        (Open, Closed, Cause::Reset),
        (Closed, Open, Cause::MaxFailures),
        (Open, Open, Cause::Tripped),
    ];
    assert_eq!(seen.briefs(), expected);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_hold_is_reported_with_the_next_call() {
    let breaker = limited("held for a time");
    let seen = Seen::default();
    let _subscription = seen.listen(&breaker);
    breaker.force_open_for(seconds(60));
    let [held] = &seen.take()[..] else { panic!() };
    assert_eq!(held.retry_after, Some(seconds(60)));
    advance(seconds(90)).await;
    assert_eq!(breaker.state(), Closed);
    assert_eq!(seen.take(), []);
    succeed(&breaker);
    let [released] = &seen.take()[..] else {
        panic!()
    };
    assert_eq!(brief(released), (Open, Closed, Cause::Reset));
    assert_eq!((released.since, released.rejected), (seconds(60), Some(0)));

    breaker.force_closed_for(seconds(60));
    advance(seconds(60)).await;
    succeed(&breaker);
    let expected = [
        (Closed, Closed, Cause::ForcedClosed),
        (Closed, Closed, Cause::Reset),
    ];
    assert_eq!(seen.briefs(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_ramp_is_reported_at_its_end_alone() {
    let config = Config::builder().max_failures(1).ramp(seconds(60));
    let breaker = breaker("ramped", config);
    let seen = Seen::default();
    let _subscription = seen.listen(&breaker);
    half_open(&breaker).await;
    succeed(&breaker);
    seen.take();
    fail(&breaker);
    assert_eq!(seen.briefs(), [(HalfOpen, Open, Cause::MaxFailures)]);
    advance(seconds(30)).await;
    succeed(&breaker);
    assert_eq!(seen.briefs(), [(Open, HalfOpen, Cause::WaitOver)]);
    advance(seconds(70)).await;
    assert_eq!(seen.take(), []);
    succeed(&breaker);
    let [over] = &seen.take()[..] else { panic!() };
    assert_eq!(brief(over), (HalfOpen, Closed, Cause::RampOver));
    assert_eq!(over.since.as_secs(), 60);
}

#[test]
fn a_change_that_a_listener_causes_is_delivered_after_the_current_one() {
    let breaker = limited("restless");
    let depth = Arc::new(AtomicUsize::new(0));
    let seen = Seen::default();
    let restless = {
        let (breaker, depth) = (breaker.clone(), Arc::clone(&depth));
        move |change: &StateChange| {
            assert_eq!(depth.fetch_add(1, Ordering::Relaxed), 0, "not recursively");
            if change.cause == Cause::Tripped {
                breaker.reset();
                assert_eq!(breaker.state(), Closed);
            }
            depth.fetch_sub(1, Ordering::Relaxed);
        }
    };
    let _subscriptions = [breaker.on_change(restless), seen.listen(&breaker)];
    breaker.trip();
    let expected = [(Closed, Open, Cause::Tripped), (Open, Closed, Cause::Reset)];
    assert_eq!(seen.briefs(), expected);
    assert_eq!(depth.load(Ordering::Relaxed), 0);
}

/// Returns breakers each of which, once it changes, has a listener trip the next.
fn cascade(prefix: &'static str, length: usize) -> (Vec<CircuitBreaker>, Subscription) {
    let name = |number| format!("{prefix} {number}");
    let breakers = (0..length).map(|number| CircuitBreaker::new(name(number), Config::default()));
    let breakers: Vec<_> = breakers.collect();
    let next = breakers.clone();
    let depth = AtomicUsize::new(0);
    let subscription = registry::on_change(move |change| {
        let Some(number) = change.breaker.strip_prefix(prefix) else {
            return;
        };
        assert_eq!(depth.fetch_add(1, Ordering::Relaxed), 0, "not recursively");
        let number: usize = number.trim().parse().unwrap();
        if let Some(next) = next.get(number + 1) {
            next.trip();
        }
        depth.fetch_sub(1, Ordering::Relaxed);
    });
    (breakers, subscription)
}

#[test]
fn a_cascade_over_thousands_of_breakers_needs_no_deeper_stack() {
    let (breakers, _subscription) = cascade("cascading", 5_000);
    let seen = Seen::default();
    let _last = seen.listen(breakers.last().unwrap());
    breakers[0].trip();
    assert_eq!(seen.briefs(), [(Closed, Open, Cause::Tripped)]);
    assert!(breakers.iter().all(|breaker| breaker.state() == Open));
}

#[test]
fn a_thread_that_is_exiting_delivers_as_any_other() {
    struct Late(std::cell::RefCell<Option<CircuitBreaker>>);

    impl Drop for Late {
        fn drop(&mut self) {
            if let Some(breaker) = self.0.take() {
                breaker.trip();
            }
        }
    }

    thread_local!(static LATE: Late = const { Late(std::cell::RefCell::new(None)) });

    let (breakers, _subscription) = cascade("exiting", 100);
    let seen = Seen::default();
    let _last = seen.listen(breakers.last().unwrap());
    let (before, first) = (limited("before the exit"), breakers[0].clone());
    let exiting = thread::spawn(move || {
        // Initialized first, so that it is destroyed last.
        LATE.with(|late| late.0.replace(Some(first)));
        before.trip();
    });
    exiting.join().unwrap();
    assert_eq!(seen.briefs(), [(Closed, Open, Cause::Tripped)]);
}

#[test]
fn all_listeners_see_the_changes_that_a_thread_causes_in_the_order_of_history() {
    let [first, second, third] = ["ordered 1", "ordered 2", "ordered 3"].map(limited);
    let causing = {
        let breakers = [first.clone(), second.clone(), third.clone()];
        move |change: &StateChange| {
            let [first, second, third] = &breakers;
            if change.cause == Cause::Tripped && change.breaker == *first.name() {
                third.trip();
                first.reset();
                second.trip();
                third.reset();
                first.force_open();
            }
        }
    };
    let seen = Seen::default();
    let told = seen.clone();
    let _subscriptions = [
        first.on_change(causing),
        registry::on_change(move |change| {
            if change.breaker.starts_with("ordered ") {
                told.add(change);
            }
        }),
    ];
    first.trip();
    let seen = seen.take();
    let of_these = |change: &StateChange| change.breaker.starts_with("ordered ");
    let history = registry::history();
    let history: Vec<_> = history.into_iter().filter(of_these).collect();
    assert_eq!(seen.len(), 6);
    assert!(seen.ends_with(&history), "others may have displaced some");
}

/// Calls `act` while a change of the breaker is being delivered by another thread.
fn during_a_delivery(breaker: &CircuitBreaker, act: impl FnOnce()) {
    let (entered, leave) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let blocking = {
        let (entered, leave) = (Arc::clone(&entered), Arc::clone(&leave));
        let name = breaker.name().clone();
        let is_first = AtomicUsize::new(0);
        move |change: &StateChange| {
            if change.breaker == name && is_first.fetch_add(1, Ordering::Relaxed) == 0 {
                entered.wait();
                leave.wait();
            }
        }
    };
    let blocking = registry::on_change(blocking);
    thread::scope(|scope| {
        scope.spawn(|| breaker.trip());
        entered.wait();
        act();
        leave.wait();
    });
    drop(blocking);
}

#[test]
fn the_first_listener_of_a_breaker_misses_no_change_after_its_subscription() {
    let breaker = limited("first listener");
    let seen = Seen::default();
    during_a_delivery(&breaker, || {
        seen.listen(&breaker).forget();
        breaker.reset();
        breaker.force_open();
    });
    let expected = [
        (Open, Closed, Cause::Reset),
        (Closed, Open, Cause::ForcedOpen),
    ];
    assert_eq!(seen.briefs(), expected);
}

#[test]
fn a_listener_that_another_one_subscribes_is_told_of_the_changes_since() {
    let breaker = limited("subscribing");
    let seen = Seen::default();
    let subscribing = {
        let (breaker, seen) = (breaker.clone(), seen.clone());
        move |change: &StateChange| {
            if change.breaker == *breaker.name() && change.cause == Cause::Tripped {
                seen.listen(&breaker).forget();
                breaker.reset();
            }
        }
    };
    let _subscription = registry::on_change(subscribing);
    breaker.trip();
    assert_eq!(seen.briefs(), [(Open, Closed, Cause::Reset)]);
}

#[test]
fn a_listener_is_not_told_of_changes_before_its_subscription() {
    let breaker = limited("late");
    let (own, all) = (Seen::default(), Seen::default());
    let mut subscriptions = Vec::new();
    during_a_delivery(&breaker, || {
        breaker.reset();
        breaker.force_open();
        subscriptions.push(own.listen(&breaker));
        let told = all.clone();
        subscriptions.push(registry::on_change(move |change| {
            if change.breaker == "late" {
                told.add(change);
            }
        }));
        breaker.reset();
    });
    let expected = [(Open, Closed, Cause::Reset)];
    assert_eq!(own.briefs(), expected);
    assert_eq!(all.briefs(), expected);
}

/// Panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("dropped");
    }
}

#[test]
fn a_listener_that_panics_affects_no_other_and_stays_subscribed() {
    let breaker = limited("panicking");
    let calls = Arc::new(AtomicUsize::new(0));
    let panicking = {
        let calls = Arc::clone(&calls);
        move |_: &StateChange| {
            calls.fetch_add(1, Ordering::Relaxed);
            std::panic::panic_any(Bomb);
        }
    };
    let seen = Seen::default();
    let _subscriptions = [breaker.on_change(panicking), seen.listen(&breaker)];
    // A failure is settled where no panic may unwind.
    trip(&breaker);
    breaker.reset();
    assert_eq!(calls.load(Ordering::Relaxed), 2);
    assert_eq!(seen.take().len(), 2);
}

#[test]
fn a_listener_whose_drop_panics_affects_no_other() {
    let breaker = limited("dropping");
    let own: Arc<OnceLock<Mutex<Option<Subscription>>>> = Arc::default();
    let bomb = Bomb;
    let listener = {
        let own = Arc::clone(&own);
        move |_: &StateChange| {
            let _bomb = &bomb;
            // Ends its own subscription, within a failure.
            drop(own.get().unwrap().lock().unwrap().take());
        }
    };
    own.set(Mutex::new(Some(breaker.on_change(listener))))
        .ok()
        .unwrap();
    let seen = Seen::default();
    let _subscription = seen.listen(&breaker);
    trip(&breaker);
    breaker.reset();
    assert_eq!(seen.take().len(), 2);
}

#[test]
fn a_listener_that_blocks_delays_only_its_own_breaker() {
    let [blocked, free] = ["blocked", "free"].map(limited);
    let (entered, leave) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let blocking = {
        let (entered, leave) = (Arc::clone(&entered), Arc::clone(&leave));
        move |change: &StateChange| {
            if change.cause == Cause::Tripped {
                entered.wait();
                leave.wait();
            }
        }
    };
    let seen = Seen::default();
    let _subscriptions = [
        blocked.on_change(blocking),
        seen.listen(&blocked),
        seen.listen(&free),
    ];
    thread::scope(|scope| {
        scope.spawn(|| blocked.trip());
        entered.wait();
        // The other breaker is told about at once, by this thread.
        free.trip();
        assert_eq!(seen.briefs(), [(Closed, Open, Cause::Tripped)]);
        // Calls go on, and a change waits for the one before.
        assert!(blocked.try_acquire().is_err());
        blocked.reset();
        assert_eq!(blocked.state(), Closed);
        assert_eq!(seen.take(), []);
        leave.wait();
    });
    let expected = [(Closed, Open, Cause::Tripped), (Open, Closed, Cause::Reset)];
    assert_eq!(seen.briefs(), expected);
}

#[test]
fn a_subscription_that_is_dropped_ends_and_one_that_is_forgotten_does_not() {
    let breaker = limited("subscribed");
    let (seen, forgotten) = (Seen::default(), Seen::default());
    forgotten.listen(&breaker).forget();
    let subscription = seen.listen(&breaker);
    breaker.trip();
    drop(subscription);
    breaker.reset();
    assert_eq!(seen.take().len(), 1);
    assert_eq!(forgotten.take().len(), 2);
}

#[test]
fn a_subscription_that_ends_during_a_delivery_is_called_no_more() {
    let breaker = limited("ended meanwhile");
    let later: Arc<Mutex<Option<Subscription>>> = Arc::default();
    let ending = {
        let later = Arc::clone(&later);
        move |_: &StateChange| drop(later.lock().unwrap().take())
    };
    let _ending = breaker.on_change(ending);
    let seen = Seen::default();
    *later.lock().unwrap() = Some(seen.listen(&breaker));
    breaker.trip();
    assert_eq!(seen.take(), []);
}

#[test]
fn threads_that_flap_breakers_see_every_change_once_and_in_order() {
    const THREADS: usize = 8;
    const TURNS: usize = 300;
    const NAMES: [&str; 4] = ["flapping 0", "flapping 1", "flapping 2", "flapping 3"];

    let breakers = NAMES.map(limited);
    let seen: [Seen; NAMES.len()] = Default::default();
    let mut subscriptions = Vec::new();
    for (breaker, seen) in breakers.iter().zip(&seen) {
        let other = breakers[0].clone();
        subscriptions.push(breaker.on_change(|_| std::panic::resume_unwind(Box::new(()))));
        subscriptions.push(seen.listen(breaker));
        subscriptions.push(breaker.on_change(move |change| {
            // A listener may call anything.
            let _ = (other.state(), other.snapshot(), registry::history().len());
            if change.breaker != *other.name() && change.cause == Cause::Tripped {
                other.trip();
            }
        }));
        let own: Arc<Mutex<Option<Subscription>>> = Arc::default();
        let weak = Arc::downgrade(&own);
        let once = breaker.on_change(move |_| {
            let own = weak.upgrade().and_then(|own| own.lock().unwrap().take());
            drop(own);
        });
        *own.lock().unwrap() = Some(once);
    }
    let mut receiver = registry::changes();
    let all = Seen::default();
    let subscription = {
        let all = all.clone();
        registry::on_change(move |change| {
            if NAMES.contains(&change.breaker.as_str()) {
                all.add(change);
            }
        })
    };
    let start = Barrier::new(THREADS);
    thread::scope(|scope| {
        for number in 0..THREADS {
            let (breakers, start) = (&breakers, &start);
            scope.spawn(move || {
                start.wait();
                for turn in 0..TURNS {
                    let breaker = &breakers[(number + turn) % NAMES.len()];
                    match (number * 7 + turn * 3) % 5 {
                        0 => breaker.trip(),
                        1 => breaker.force_open(),
                        2 => breaker.force_closed(),
                        _ => breaker.reset(),
                    }
                }
            });
        }
    });
    drop(subscription);
    drop(subscriptions);

    let all = all.take();
    for ((name, breaker), seen) in NAMES.into_iter().zip(&breakers).zip(seen) {
        let seen = seen.take();
        let states = seen.iter().map(|change| change.to);
        let before = [Closed].into_iter().chain(states);
        assert!(
            seen.iter()
                .map(|change| change.from)
                .eq(before.take(seen.len()))
        );
        let moved = seen
            .iter()
            .filter(|change| change.from != change.to && change.to == Open);
        assert_eq!(moved.count() as u64, breaker.snapshot().opened);
        assert_eq!(seen.last(), breaker.snapshot().last_change.as_ref());
        let of_all: Vec<_> = all.iter().filter(|change| change.breaker == name).collect();
        assert!(seen.iter().eq(of_all), "a listener to all sees the same");
    }
    // Far more than are kept.
    let Err(Lagged(missed)) = receiver.try_recv() else {
        panic!()
    };
    assert!(missed > 0);
    // Not received one by one: other tests cause changes meanwhile.
    let kept = registry::history();
    assert_eq!(kept.len(), 256);
    for name in NAMES {
        let of_one = |changes: &[StateChange]| -> Vec<_> {
            let of_one = changes.iter().filter(|change| change.breaker == name);
            of_one.cloned().collect()
        };
        assert!(
            of_one(&all).ends_with(&of_one(&kept)),
            "as the journal has them"
        );
    }
}

#[tokio::test]
async fn a_receiver_waits_for_the_next_change_and_loses_none_if_it_is_cancelled() {
    let breaker = limited("received");
    let mut receiver = registry::changes();
    let mut next = async || loop {
        // Other tests cause changes meanwhile.
        match receiver.recv().await {
            Ok(change) if change.breaker == "received" => return change,
            Ok(_) | Err(Lagged(_)) => {}
        }
    };
    assert!(poll_once(next()).is_pending());
    breaker.trip();
    assert_eq!(next().await.cause, Cause::Tripped);
    let (woken, first) = channel();
    let task = tokio::spawn({
        let breaker = breaker.clone();
        async move {
            first.recv().unwrap();
            breaker.reset();
        }
    });
    woken.send(()).unwrap();
    assert_eq!(next().await.cause, Cause::Reset);
    task.await.unwrap();
}

/// Panics when it wakes, and when it is dropped.
struct PanickingWaker {
    _bomb: Bomb,
}

impl Wake for PanickingWaker {
    fn wake(self: Arc<Self>) {
        panic!("woken");
    }

    fn wake_by_ref(self: &Arc<Self>) {
        panic!("woken");
    }
}

#[derive(Default)]
struct CountingWaker(AtomicUsize);

impl Wake for CountingWaker {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_waker_that_panics_leaves_no_other_receiver_asleep() {
    let wait = |waker: Waker| {
        let mut changes = registry::changes();
        let mut receiving = Box::pin(async move {
            // Other tests cause changes meanwhile.
            while changes.recv().await != Err(Lagged(0)) {}
        });
        let context = &mut Context::from_waker(&waker);
        assert!(receiving.as_mut().poll(context).is_pending());
        receiving
    };
    let counting = Arc::new(CountingWaker::default());
    let waiting = [
        wait(Arc::new(PanickingWaker { _bomb: Bomb }).into()),
        wait(Arc::clone(&counting).into()),
        wait(Arc::new(PanickingWaker { _bomb: Bomb }).into()),
    ];
    let breaker = limited("waking");
    // A failure is settled where no panic may unwind.
    trip(&breaker);
    assert!(counting.0.load(Ordering::Relaxed) > 0);
    drop(waiting);
}

/// Returns a listener to the breakers of one function.
fn listen_to_function(name: &'static str) -> (Seen, Subscription) {
    let seen = Seen::default();
    let told = seen.clone();
    let subscription = registry::on_change(move |change| {
        if change.breaker.function() == name {
            told.add(change);
        }
    });
    (seen, subscription)
}

/// Uses so many other keys that all breakers that may be evicted are.
fn evict_all(breakers: &CircuitBreakers) {
    for number in 0..1_000 {
        succeed(&breakers.get(&format!("other {number}")));
    }
}

#[tokio::test(start_paused = true)]
async fn the_last_state_of_an_evicted_breaker_is_reported_as_over_before_it_is_forgotten() {
    let config = Config::builder().max_failures(1).ramp(seconds(60));
    let breakers = CircuitBreakers::new("forgotten", config.build().unwrap()).max_keys(1);
    let (seen, _subscription) = listen_to_function("forgotten");
    let opened = (Closed, Open, Cause::MaxFailures);
    let half_opened = (Open, HalfOpen, Cause::WaitOver);

    fail(&breakers.get("not probed"));
    advance(seconds(60)).await;
    evict_all(&breakers);
    let [first, over] = &seen.take()[..] else {
        panic!()
    };
    assert_eq!(brief(first), opened);
    assert_eq!(brief(over), (Open, Closed, Cause::Reset));
    assert_eq!(over.since, seconds(60));

    fail(&breakers.get("probed"));
    advance(seconds(30)).await;
    drop(breakers.get("probed").try_acquire().unwrap());
    advance(seconds(30)).await;
    evict_all(&breakers);
    let over = (HalfOpen, Closed, Cause::Reset);
    assert_eq!(seen.briefs(), [opened, half_opened, over]);

    fail(&breakers.get("on a ramp"));
    advance(seconds(30)).await;
    succeed(&breakers.get("on a ramp"));
    advance(seconds(100)).await;
    evict_all(&breakers);
    let changes = seen.take();
    let over = (HalfOpen, Closed, Cause::RampOver);
    let briefs: Vec<_> = changes.iter().map(brief).collect();
    assert_eq!(briefs, [opened, half_opened, over]);
    assert_eq!(changes[2].since, seconds(60));

    breakers.get("held").force_open_for(seconds(60));
    advance(seconds(100)).await;
    evict_all(&breakers);
    let held = (Closed, Open, Cause::ForcedOpen);
    assert_eq!(seen.briefs(), [held, (Open, Closed, Cause::Reset)]);
    breakers.get("held").force_closed_for(seconds(60));
    advance(seconds(100)).await;
    evict_all(&breakers);
    let held = (Closed, Closed, Cause::ForcedClosed);
    assert_eq!(seen.briefs(), [held, (Closed, Closed, Cause::Reset)]);

    for key in ["not probed", "probed", "on a ramp", "held"] {
        let breaker = breakers.get(key);
        assert_eq!(breaker.snapshot().last_change, None, "{key} is forgotten");
        breaker.trip();
        assert_eq!(seen.briefs(), [(Closed, Open, Cause::Tripped)]);
    }
}

#[test]
fn the_change_of_a_keyed_breaker_is_told_although_it_is_evicted_meanwhile() {
    let config = Config::builder().max_failures(1).build().unwrap();
    let breakers = circuit_runtime::CircuitBreakers::new("evicted", config).max_keys(1);
    let seen = Seen::default();
    let others = breakers.clone();
    let told = seen.clone();
    let subscription = registry::on_change(move |change| {
        if change.breaker.function() == "evicted" {
            for number in 0..100 {
                succeed(&others.get(&number.to_string()));
            }
            told.add(change);
        }
    });
    let breaker = breakers.get("a");
    breaker.trip();
    breaker.reset();
    drop(breaker);
    drop(subscription);
    let keys: Vec<_> = seen
        .take()
        .iter()
        .map(|change| change.breaker.key().map(str::to_owned))
        .collect();
    assert_eq!(keys, [Some("a".to_owned()), Some("a".to_owned())]);
}
