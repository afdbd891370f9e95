//! Shuttle models: programs that are too long for `loom`, with more threads, under thousands of
//! random schedules each. Run with `RUSTFLAGS="--cfg circuit_shuttle" cargo test -p circuit-runtime
//! --lib --release tests::shuttle`.
//!
//! A failing run prints its seed; with that in `SHUTTLE_RANDOM_SEED`, it is repeated as the first
//! run.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a model that cannot continue has failed"
)]

mod rules;

use std::mem;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use shuttle::rand::{Rng, thread_rng};
use shuttle::thread;

use crate::circuit::counters::{Counters, Total};
use crate::circuit::handle::CircuitHandle;
use crate::circuit::state::{Generation, Phase};
use crate::circuit::ticket::{Outcome, Ticket};
use crate::circuit::{Circuit, Owner};
use crate::clock::model::{keep_behind, set as set_clock};
use crate::clock::{self, Instant};
use crate::keyed::KeyedCircuits;
use crate::sync::thread::{SLOTS, release_slot, slot};
use crate::{CircuitBreaker, Config, ConfigBuilder, State};

pub(super) const RESET: u64 = 30_000_000;
const LAG: u64 = clock::LAG.as_micros();
const ITERATIONS: usize = 5_000;

fn explore(model: impl Fn() + Send + Sync + 'static) {
    shuttle::check_random(model, ITERATIONS);
}

/// Creates a breaker with these rules, which is never freed. The clock starts at `RESET`.
pub(super) fn breaker(config: ConfigBuilder) -> &'static CircuitBreaker {
    set_clock(RESET);
    keep_behind(0);
    let config = config.reset(Duration::from_micros(RESET)).build().unwrap();
    Box::leak(Box::new(CircuitBreaker::new("model", config)))
}

pub(super) fn circuit(breaker: &CircuitBreaker) -> &Circuit {
    breaker.as_ref()
}

/// Returns a random number below `bound`.
pub(super) fn below(bound: u64) -> u64 {
    thread_rng().gen_range(0..bound)
}

pub(super) fn one_of<T: Copy, const N: usize>(choices: [T; N]) -> T {
    choices[thread_rng().gen_range(0..N)]
}

/// Takes a random call in flight, of any thread.
fn take_one(in_flight: &Mutex<Vec<Ticket>>) -> Option<Ticket> {
    let mut in_flight = in_flight.lock().unwrap();
    let calls = 0..in_flight.len();
    (!calls.is_empty()).then(|| in_flight.swap_remove(thread_rng().gen_range(calls)))
}

/// Runs `run` on `threads` threads concurrently, and returns their results.
pub(super) fn together<R: Send + 'static>(
    threads: usize,
    run: impl Fn(usize) -> R + Send + Sync + Copy + 'static,
) -> Vec<R> {
    let running: Vec<_> = (0..threads)
        .map(|thread| {
            thread::spawn(move || {
                let result = run(thread);
                release_slot();
                result
            })
        })
        .collect();
    running
        .into_iter()
        .map(|running| running.join().unwrap())
        .collect()
}

/// The expected state, shared by all threads of a model. No other thread runs between an operation
/// of the breaker and its update, so it is always up to date.
#[derive(Default)]
struct Expected {
    /// The probes in flight, by the generation that admitted them and the expiry of their leases.
    probes: Vec<(Generation, Instant)>,
    /// The number of calls with each outcome, and of rejections.
    ended: [u64; OUTCOMES.len()],
    rejected: u64,
    /// The order in force, and the number of orders begun and completed.
    order: Option<Order>,
    orders: u64,
    /// The readings of the exact and of the coarse clock.
    now: u64,
    coarse: u64,
}

const OUTCOMES: [Outcome; 6] = [
    Outcome::Succeeded,
    Outcome::Failed,
    Outcome::TimedOut,
    Outcome::Panicked,
    Outcome::Ignored,
    Outcome::Cancelled,
];

#[derive(Clone, Copy, PartialEq)]
enum Order {
    Reset,
    ForceOpen,
    ForceClosed,
}

/// A breaker used by many threads, and its expected state.
struct World {
    breaker: &'static CircuitBreaker,
    expected: Mutex<Expected>,
}

impl World {
    fn new(config: ConfigBuilder) -> &'static Self {
        let world = Self {
            breaker: breaker(config),
            expected: Mutex::default(),
        };
        world.with(|expected| (expected.now, expected.coarse) = (RESET, RESET));
        Box::leak(Box::new(world))
    }

    /// Never held during an operation of the breaker.
    fn with<R>(&self, section: impl FnOnce(&mut Expected) -> R) -> R {
        section(&mut self.expected.lock().unwrap())
    }

    /// Lets time pass, also on the coarse clock, which lags by at most a tick.
    fn wait(&self, micros: u64) {
        let lag = below(LAG);
        self.with(|expected| {
            expected.now += micros;
            expected.coarse = expected.coarse.max(expected.now - lag);
            set_clock(expected.now);
            keep_behind(expected.now - expected.coarse);
        });
    }

    /// Requests a call. If one order is in force all the time, it decides about the admission. A
    /// probe must be due, and there must be a slot for it.
    fn acquire(&self) -> Option<Ticket> {
        let (order, orders) = self.with(|expected| (expected.order, expected.orders));
        let admitted = circuit(self.breaker).admit();
        let probes = self.breaker.config().probes() as usize;
        self.with(|expected| {
            if expected.orders == orders && order == Some(Order::ForceOpen) {
                assert!(admitted.is_err(), "admitted against an order");
            }
            if expected.orders == orders && order == Some(Order::ForceClosed) {
                assert!(admitted.is_ok(), "rejected against an order");
            }
            match admitted {
                Ok(ticket) if ticket.word().phase() == Phase::Open => {
                    let due = ticket.word().since().as_micros() + RESET;
                    assert!(expected.now >= due, "admitted before the deadline");
                    let generation = ticket.word().generation();
                    let until = ticket.lease().until();
                    expected.probes.push((generation, until));
                    let now = Instant::from_micros(expected.now);
                    let live =
                        |probe: &&(Generation, Instant)| probe.0 == generation && probe.1 > now;
                    let in_flight = expected.probes.iter().filter(live).count();
                    assert!(in_flight <= probes, "{in_flight} probes at once");
                    Some(ticket)
                }
                Ok(ticket) => Some(ticket),
                Err(rejection) => {
                    expected.rejected += 1;
                    let longest = Duration::from_micros(RESET);
                    assert!(rejection.retry_after().is_none_or(|wait| wait <= longest));
                    None
                }
            }
        })
    }

    fn settle(&self, ticket: Ticket, outcome: Outcome) {
        self.with(|expected| {
            // Before settling: as soon as the slot is free, another probe may take it.
            if ticket.word().phase() == Phase::Open {
                let probe = (ticket.word().generation(), ticket.lease().until());
                let index = expected.probes.iter().position(|other| *other == probe);
                expected.probes.swap_remove(index.unwrap());
            }
            let index = OUTCOMES.iter().position(|other| *other == outcome);
            expected.ended[index.unwrap()] += 1;
        });
        circuit(self.breaker).settle(ticket, outcome);
    }

    /// Gives an order. Called by one thread only.
    fn order(&self, order: Order) {
        // Until it is complete, it may be in force or not.
        self.with(|expected| {
            expected.order = None;
            expected.orders += 1;
        });
        match order {
            Order::Reset => self.breaker.reset(),
            Order::ForceOpen => self.breaker.force_open(),
            Order::ForceClosed => self.breaker.force_closed(),
        }
        self.with(|expected| {
            expected.order = Some(order);
            expected.orders += 1;
        });
    }

    /// Asserts that every call was counted once.
    fn check_totals(&self) {
        let totals = self.breaker.snapshot();
        self.with(|expected| {
            let [succeeded, failed, timed_out, panicked, ignored, cancelled] = expected.ended;
            assert_eq!(totals.succeeded, succeeded);
            assert_eq!(totals.failed, failed + timed_out + panicked);
            assert_eq!((totals.timed_out, totals.panicked), (timed_out, panicked));
            assert_eq!((totals.ignored, totals.cancelled), (ignored, cancelled));
            assert_eq!(totals.rejected, expected.rejected);
        });
    }
}

/// Returns one of the rules at random.
fn rules() -> ConfigBuilder {
    let config = Config::builder().probes(one_of([1, 2, 3]));
    let rate = config.failure_rate(0.5).min_calls(3);
    one_of([
        config.max_failures(2),
        config.max_failures(3).window(Duration::from_micros(RESET)),
        config.max_failures(2).last_calls(6),
        rate.last_calls(6),
        rate.window(Duration::from_micros(RESET)),
        rate.slow_call(Duration::from_millis(7))
            .window(Duration::from_micros(RESET)),
    ])
}

/// Calls with all outcomes, many of which end on another thread than they started on, time that
/// passes in jumps, and an operator: there are never more probes than slots, no probe is admitted
/// early, no call is admitted against an order, and every call is counted once.
#[test]
fn calls_orders_and_time_in_any_mix() {
    explore(|| {
        let world = World::new(rules());
        let in_flight: &Mutex<Vec<Ticket>> = Box::leak(Box::default());
        together(5, move |thread| {
            for _ in 0..25 {
                match below(20) {
                    0 => world.wait(one_of([1, LAG, 7_001, RESET - 1, RESET])),
                    1 if thread == 0 => {
                        world.order(one_of([Order::Reset, Order::ForceOpen, Order::ForceClosed]));
                    }
                    2..9 => {
                        let ticket = world.acquire();
                        in_flight.lock().unwrap().extend(ticket);
                    }
                    9..14 => {
                        if let Some(ticket) = take_one(in_flight) {
                            world.settle(ticket, one_of(OUTCOMES));
                        }
                    }
                    _ => {
                        if let Some(ticket) = world.acquire() {
                            world.settle(ticket, one_of([Outcome::Succeeded, Outcome::Failed]));
                        }
                    }
                }
            }
        });
        let calls = mem::take(&mut *in_flight.lock().unwrap());
        for ticket in calls {
            world.settle(ticket, Outcome::Succeeded);
        }
        world.check_totals();
    });
}

/// The failure that reaches the limit opens the circuit, once, in whatever order threads count; one
/// failure less does not.
#[test]
fn failures_that_reach_the_limit_open_the_circuit_once() {
    explore(|| {
        const THREADS: usize = 6;
        const EACH: usize = 4;
        let limit = one_of([24, 25]);
        let rate = Config::builder().failure_rate(1.0).min_calls(limit);
        let number = Config::builder().max_failures(limit);
        let world = World::new(one_of([
            number,
            number.window(Duration::from_micros(RESET)),
            number.last_calls(40),
            rate.last_calls(40),
            rate.window(Duration::from_micros(RESET)),
        ]));
        let calls: Vec<_> = (0..THREADS * EACH)
            .map(|_| world.acquire().unwrap())
            .collect();
        let calls: &'static [Ticket] = calls.leak();
        together(THREADS, move |thread| {
            for &ticket in &calls[thread * EACH..(thread + 1) * EACH] {
                world.wait(below(100));
                world.settle(
                    ticket,
                    one_of([Outcome::Failed, Outcome::TimedOut, Outcome::Panicked]),
                );
            }
        });
        if limit > 24 {
            assert_eq!(world.breaker.state(), State::Closed, "24 of 25");
            let last = world.acquire().unwrap();
            world.settle(last, Outcome::Failed);
        }
        assert_eq!(world.breaker.state(), State::Open);
        assert_eq!(world.breaker.snapshot().opened, 1);
        world.check_totals();
    });
}

/// A failure that reaches the limit by itself opens the circuit, however far the clock moves on
/// while it is recorded, and however many others are recorded at once.
#[test]
fn failures_that_reach_the_limit_by_themselves_open_the_circuit_whatever_the_clock_does() {
    explore(|| {
        let span = Duration::from_micros(one_of([1, 1_000, RESET / 100]));
        let rate = Config::builder().failure_rate(1.0).min_calls(1);
        let breaker = breaker(one_of([
            Config::builder().max_failures(1).window(span),
            rate.window(span),
            rate.slow_call(span).window(span),
            rate.slow_call(span).last_calls(1),
        ]));
        let now = &*Box::leak(Box::new(Mutex::new(RESET)));
        together(4, move |thread| {
            let ticket = circuit(breaker).admit();
            if thread > 0 {
                for _ in 0..3 {
                    let mut now = now.lock().unwrap();
                    *now += below(RESET / 50);
                    set_clock(*now);
                    drop(now);
                    thread::yield_now();
                }
            }
            if let Ok(ticket) = ticket {
                circuit(breaker).settle(ticket, Outcome::Failed);
                assert!(breaker.snapshot().opened > 0, "the first failure");
            }
        });
    });
}

/// A failure between two others, each less than a window away, counts with one or the other,
/// however far the clock moves on while it is recorded.
#[test]
fn a_failure_between_two_others_counts_with_one_of_them() {
    explore(|| {
        let span = Duration::from_micros(10);
        let breaker = breaker(Config::builder().max_failures(2).window(span));
        let fail = || {
            if let Ok(ticket) = circuit(breaker).admit() {
                circuit(breaker).settle(ticket, Outcome::Failed);
            }
        };
        fail();
        set_clock(RESET + 5);
        together(2, move |thread| {
            if thread == 0 {
                fail();
            } else {
                (0..below(8)).for_each(|_| thread::yield_now());
                set_clock(RESET + 14);
            }
        });
        set_clock(RESET + 15);
        fail();
        assert_eq!(breaker.snapshot().opened, 1);
    });
}

/// At every deadline, that of the wait and those of the leases, exactly as many of six calls are
/// admitted as there are slots, however far the coarse clock lags.
#[test]
fn six_calls_race_every_deadline() {
    explore(|| {
        let probes = one_of([1, 2, 3, 4]);
        let world = World::new(Config::builder().max_failures(1).probes(probes));
        let first = world.acquire().unwrap();
        world.settle(first, Outcome::Failed);
        for _ in 0..4 {
            world.wait(RESET - 1);
            assert!(world.acquire().is_none());
            world.wait(1);
            let tickets = together(6, move |_| world.acquire());
            let probes_admitted: Vec<_> = tickets.into_iter().flatten().collect();
            assert_eq!(probes_admitted.len(), probes as usize);
            match below(3) {
                // They stay in flight, and lose their slots.
                0 => {}
                1 => probes_admitted
                    .iter()
                    .for_each(|&probe| world.settle(probe, Outcome::Failed)),
                _ => {
                    let probes_admitted: &'static [Ticket] = probes_admitted.leak();
                    together(
                        probes_admitted.len() + 1,
                        move |thread| match probes_admitted.get(thread) {
                            Some(&probe) => world.settle(probe, Outcome::Succeeded),
                            None => {
                                if let Some(next) = world.acquire() {
                                    assert_eq!(next.word().phase(), Phase::Closed);
                                    world.settle(next, Outcome::Ignored);
                                }
                            }
                        },
                    );
                    assert_eq!(world.breaker.state(), State::Closed);
                    let next = world.acquire().unwrap();
                    world.settle(next, Outcome::Failed);
                }
            }
        }
        world.check_totals();
    });
}

/// Threads that exit pass their slots on. A reader never sees a total decrease or exceed its true
/// value, and in the end each is exact.
#[test]
fn stripes_against_reuse_and_a_reader() {
    explore(|| {
        const WAVES: usize = 3;
        const CALLS: usize = 5;
        let counters: &'static Counters = Box::leak(Box::default());
        let total = || counters.total(Total::Succeeded);
        let reader = thread::spawn(move || {
            let mut last = 0;
            for _ in 0..20 {
                let next = total();
                assert!(next >= last, "{next} after {last}");
                last = next;
            }
            last
        });
        let counting = thread::spawn(move || {
            for _ in 0..WAVES {
                // The threads of a wave overlap, and the next wave takes their slots.
                together(4, move |_| {
                    (0..CALLS).for_each(|_| counters.add(Total::Succeeded));
                });
            }
        });
        let seen = reader.join().unwrap();
        counting.join().unwrap();
        assert_eq!(total(), (WAVES * 4 * CALLS) as u64);
        assert!(seen <= total());
    });
}

/// Calls of more keys than may stay, by threads that find them in any state and at any time: a key
/// has one circuit at a time, and one that is open keeps it for its wait.
#[test]
fn keys_against_eviction_have_one_circuit_at_a_time() {
    const KEYS: [&str; 3] = ["a", "b", "c"];
    explore(|| {
        set_clock(RESET);
        keep_behind(0);
        let config = Config::builder().max_failures(1);
        let config = config.reset(Duration::from_micros(RESET)).build().unwrap();
        let circuits = KeyedCircuits::new("model".into(), config, Owner::Breakers, 1);
        let circuits: &'static KeyedCircuits = Box::leak(Box::new(circuits));
        // The circuit of each key, while there are threads that hold it.
        let held: &'static Mutex<[Vec<Arc<Circuit>>; KEYS.len()]> = Box::leak(Box::default());
        together(3, move |_| {
            for _ in 0..4 {
                let key = thread_rng().gen_range(0..KEYS.len());
                let circuit = circuits.for_key(KEYS[key]);
                {
                    let mut held = held.lock().unwrap();
                    let is_same = |other| Arc::ptr_eq(&circuit, other);
                    assert!(held[key].iter().all(is_same), "two circuits of one key");
                    held[key].push(Arc::clone(&circuit));
                }
                let ticket = circuit.admit();
                thread::yield_now();
                let failed = thread_rng().gen_bool(0.5);
                if let Ok(ticket) = ticket {
                    let outcome = [Outcome::Succeeded, Outcome::Failed][usize::from(failed)];
                    circuit.settle(ticket, outcome);
                }
                if thread_rng().gen_bool(0.3) {
                    set_clock(clock::now().as_micros() + RESET);
                }
                drop(circuit);
                held.lock().unwrap()[key].pop();
            }
        });
        for key in KEYS {
            CircuitBreaker::from_circuit(circuits.for_key(key)).force_open();
        }
        for key in KEYS.into_iter().chain(["d", "e"]) {
            circuits.for_key(key);
        }
        for key in KEYS {
            assert_eq!(circuits.for_key(key).state(), State::Open);
        }
    });
}

/// A thread that finds all slots taken takes one that is released, and counts on.
#[test]
fn a_thread_without_a_slot_takes_one_that_is_released() {
    explore(|| {
        let counters: &'static Counters = Box::leak(Box::default());
        let early = thread::spawn(move || {
            together(SLOTS as usize, move |_| {
                counters.add(Total::Succeeded);
                counters.add(Total::Succeeded);
            });
        });
        let late = thread::spawn(move || {
            let mut calls = 0;
            while slot().is_none() || calls < 3 {
                counters.add(Total::Succeeded);
                calls += 1;
                thread::yield_now();
            }
            release_slot();
            calls
        });
        early.join().unwrap();
        let late_calls: u64 = late.join().unwrap();
        assert_eq!(
            counters.total(Total::Succeeded),
            2 * u64::from(SLOTS) + late_calls
        );
    });
}

/// Calls of two generations that end on other threads than they started on, while time passes:
/// those of the later generation count once each, the others not at all.
#[test]
fn calls_that_change_threads_count_once_in_their_generation() {
    explore(|| {
        const CALLS: usize = 20;
        let min_calls = u32::try_from(CALLS).unwrap() + 1;
        let rate = Config::builder().failure_rate(0.01).min_calls(min_calls);
        let slow = rate.slow_call(Duration::from_millis(7));
        let world = World::new(one_of([
            rate.last_calls(100),
            rate.window(Duration::from_micros(RESET)),
            slow.last_calls(100),
            slow.window(Duration::from_micros(RESET)),
        ]));
        let old: Vec<_> = (0..10).map(|_| world.acquire().unwrap()).collect();
        world.breaker.reset();
        let in_flight: &Mutex<Vec<Ticket>> = Box::leak(Box::new(old.into()));
        together(5, move |_| {
            for _ in 0..CALLS / 5 {
                let ticket = world.acquire().unwrap();
                in_flight.lock().unwrap().push(ticket);
                world.wait(below(500));
                let ticket = take_one(in_flight).unwrap();
                world.settle(ticket, one_of([Outcome::Succeeded, Outcome::Failed]));
            }
        });
        let rest = mem::take(&mut *in_flight.lock().unwrap());
        for ticket in rest {
            world.settle(ticket, Outcome::Failed);
        }
        assert_eq!(
            world.breaker.state(),
            State::Closed,
            "{CALLS} calls are too few"
        );
        let one_more = world.acquire().unwrap();
        world.settle(one_more, Outcome::Succeeded);
        assert_eq!(world.breaker.state(), State::Open, "one more is enough");
        world.check_totals();
    });
}

/// Calls that start and end on any threads while time passes: no call that has ended is overdue,
/// and every overdue call is detected.
#[test]
fn overdue_calls_are_detected_and_no_others() {
    explore(|| {
        let slow = Config::builder().slow_call(Duration::from_millis(7));
        // Two of forty calls, and at least forty.
        let world = World::new(one_of([
            slow.slow_rate(0.05)
                .min_calls(40)
                .window(Duration::from_micros(RESET)),
            slow.slow_rate(0.05).min_calls(40).last_calls(40),
        ]));
        let in_flight: &Mutex<Vec<Ticket>> = Box::leak(Box::default());
        together(5, move |_| {
            for _ in 0..6 {
                let ticket = world.acquire().unwrap();
                in_flight.lock().unwrap().push(ticket);
                world.wait(below(3_000));
                let ticket = take_one(in_flight).unwrap();
                world.settle(
                    ticket,
                    one_of([Outcome::Succeeded, Outcome::Failed, Outcome::Cancelled]),
                );
            }
        });
        if world.breaker.config().last_calls().is_some() {
            world.breaker.reset();
        }
        world.wait(2 * RESET);
        for _ in 0..38 {
            let ticket = world.acquire().unwrap();
            world.settle(ticket, Outcome::Succeeded);
        }
        let _overdue = world.acquire().unwrap();
        world.wait(10_000);
        let _overdue_too = world.acquire().expect("39 calls are too few");
        world.wait(10_000);
        assert!(world.acquire().is_none(), "2 of 40");
        assert_eq!(world.breaker.state(), State::Open);
    });
}

/// However often the circuit is reset meanwhile, a call that has just started is not overdue, on
/// any thread.
#[test]
fn no_call_is_overdue_that_has_just_started() {
    explore(|| {
        let slow = Config::builder().slow_call(Duration::from_millis(7));
        // One overdue call is enough.
        let slow = slow.slow_rate(0.01).min_calls(1);
        let world = World::new(one_of([
            slow.window(Duration::from_micros(RESET)),
            slow.last_calls(50),
        ]));
        let in_flight: &Mutex<Vec<Ticket>> = Box::leak(Box::default());
        together(5, move |thread| {
            for _ in 0..8 {
                if thread == 0 {
                    world.breaker.reset();
                }
                let ticket = world.acquire().expect("no call has taken long");
                in_flight.lock().unwrap().push(ticket);
                world.wait(below(100));
                let ticket = take_one(in_flight).unwrap();
                world.settle(ticket, one_of([Outcome::Succeeded, Outcome::Cancelled]));
            }
        });
        assert_eq!(world.breaker.snapshot().opened, 0);
        world.check_totals();
    });
}

/// Calls that are preempted on one ramp until the next one has begun take at most the admission of
/// one call from it. (Not a model of `loom`, which may order a late addition to the sum after the
/// store that the next ramp begins with, as no processor does.)
#[test]
fn calls_of_an_earlier_ramp_against_the_first_call_of_the_next() {
    let model = || {
        let ramp = Duration::from_micros(RESET / 3);
        let breaker = breaker(Config::builder().max_failures(1).ramp(ramp));
        let recover = || {
            breaker.trip();
            set_clock(clock::now().as_micros() + RESET);
            let probe = loop {
                match breaker.try_acquire() {
                    Ok(probe) => break probe,
                    Err(_) => thread::yield_now(),
                }
            };
            probe.success();
        };
        let admitted = || match circuit(breaker).admit() {
            Ok(ticket) if ticket.word().phase() == Phase::Open => {
                circuit(breaker).settle(ticket, Outcome::Ignored);
                false
            }
            admitted => admitted.is_ok(),
        };
        recover();
        assert!(admitted(), "the first");
        let admissions = together(one_of([2, 3]), move |thread| {
            if thread == 0 {
                recover();
                return false;
            }
            admitted()
        });
        let late = admissions.iter().filter(|&&admitted| admitted).count();
        assert!(late <= 1);
        assert_eq!(admitted(), late == 0, "one is the first");
        assert!(!admitted());
    };
    // A thread has to be preempted for long: few preemptions find that soonest.
    shuttle::check_pct(model, ITERATIONS, 3);
}

/// Returns some lags of the coarse clock: beyond its bound, too, as when the processor itself is
/// preempted.
fn lags() -> impl Iterator<Item = u64> {
    [0, 1, 7, LAG / 2, LAG - 1, 3 * LAG].into_iter()
}

/// Returns moments around `moment`, up to more than the coarse clock can lag.
fn around(moment: u64) -> impl Iterator<Item = u64> {
    let far = [2 * LAG, LAG + 1, LAG, LAG - 1, LAG / 2, 2, 1];
    let before = far.map(|distance| moment - distance);
    let mut after = far.map(|distance| moment + distance);
    after.reverse();
    before.into_iter().chain([moment]).chain(after)
}

/// No call is admitted before the deadline, whatever the coarse clock shows, and every call from
/// then on if that lags by up to a tick: later by as much as it lags more. A rejection asks to wait
/// for at most `reset`, and at least until the deadline.
#[test]
fn a_coarse_clock_that_lags_moves_no_deadline() {
    let left = |breaker: &CircuitBreaker, now: u64, deadline: u64, lag: u64| {
        set_clock(now);
        match breaker.try_acquire() {
            Ok(probe) => {
                assert!(now >= deadline, "{} too early", deadline - now);
                drop(probe);
            }
            Err(error) => {
                let late = lag.saturating_sub(LAG);
                assert!(now < deadline + late, "{} too late", now - deadline);
                let left = Duration::from_micros(deadline.saturating_sub(now));
                let most = (deadline + lag.max(LAG)).saturating_sub(now);
                let most = Duration::from_micros(RESET.min(most));
                let wait = error.retry_after().unwrap();
                assert!((left..=most).contains(&wait), "{wait:?} of {left:?}");
                if now < deadline {
                    assert_eq!(breaker.snapshot().retry_after, Some(left));
                }
            }
        }
    };
    let model = move || {
        for lag in lags() {
            let breaker = breaker(Config::builder().max_failures(1));
            keep_behind(lag);
            breaker.try_acquire().unwrap().failure();
            left(breaker, RESET, 2 * RESET, lag);
            left(breaker, RESET + 1, 2 * RESET, lag);
            around(2 * RESET).for_each(|now| left(breaker, now, 2 * RESET, lag));
            // The same at the expiry of a lease.
            set_clock(3 * RESET);
            mem::forget(breaker.try_acquire().unwrap());
            left(breaker, 3 * RESET, 4 * RESET, lag);
            around(4 * RESET).for_each(|now| left(breaker, now, 4 * RESET, lag));
        }
    };
    shuttle::check_random(model, 1);
}

/// Threads that call busy keys with cached handles, while more keys than `max_keys` are called: a
/// key never has two circuits at a time, and every call is counted by one that is or was its own.
#[test]
fn cached_handles_against_evictions() {
    explore(|| {
        const CALLS: usize = 20;
        set_clock(0);
        let circuits: &'static Arc<KeyedCircuits> = Box::leak(Box::new(KeyedCircuits::new(
            "model".into(),
            Config::default(),
            Owner::Breakers,
            one_of([1, 2]),
        )));
        together(4, move |_| {
            for _ in 0..CALLS {
                let key = one_of(["a", "a", "b", "c"]);
                let handle = circuits.handle_for_key(key);
                let circuit: &Circuit = handle.as_ref();
                assert_eq!(circuit.name().key(), Some(key));
                let ticket = circuit.admit().unwrap();
                let again = circuits.for_key(key);
                assert!(std::ptr::eq(&*again, circuit), "{key} has two circuits");
                circuit.settle(ticket, Outcome::Succeeded);
                handle.give_back();
            }
        });
    });
}
