//! Linearizability: the answers of concurrent operations must be those that the reference breaker
//! of `tests/histories` gives to the same operations in some order, each between its begin and its
//! end. The search for that order is exponential, so the programs are short; there are many of
//! them.
//!
//! Time passes between operations, and while they run. An operation happens at any one of the times
//! that the clock showed between its begin and its end, and a circuit that it opens is open from
//! any later one on.
//!
//! Rules on the last calls and on rates are left out, as they promise less: a success on the fast
//! path may be counted just after a concurrent failure was evaluated, and return before that
//! failure opens the circuit.
//!
//! A failing run prints its operations, in the order of their ends, and its schedule, which
//! `shuttle::replay` repeats.

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use shuttle::Runner;
use shuttle::rand::{Rng, thread_rng};
use shuttle::scheduler::{PctScheduler, RandomScheduler};

use super::reference::{Admission, End, Order, Reference, Totals};
use super::shuttle::{RESET, below, breaker, circuit, one_of, together};
use crate::circuit::ticket::{Outcome, Ticket};
use crate::clock::Span;
use crate::clock::model::set as set_clock;
use crate::{CircuitBreaker, Config, ConfigBuilder, State};

const ITERATIONS: usize = 10_000;

/// Most races need few preemptions at the right points, and are found soonest with few.
const PREEMPTIONS: usize = 3;

/// Half of `reset`, in microseconds.
const HALF: u32 = 15_000_000;

#[derive(Clone, Copy, Debug)]
enum Action {
    Acquire,
    /// Ends the call that this operation admitted.
    Settle(usize, End),
    Order(Order),
    State,
    /// Takes a snapshot beside no other operation: only then are totals exact.
    Snapshot,
    /// Lets microseconds elapse.
    Wait,
}

#[derive(Debug, PartialEq)]
enum Answer {
    Done,
    Admitted,
    Rejected { retry_after: Option<Duration> },
    State(State),
    Snapshot(State, Option<Duration>, Totals),
}

/// An operation, with its begin and end, numbered among all begins and ends.
#[derive(Debug)]
struct Operation {
    action: Action,
    begin: usize,
    end: usize,
    /// The times that the clock showed in between.
    times: Vec<u64>,
    answer: Answer,
}

impl Operation {
    /// Returns the times at which the operation may have happened, each with those from which on it
    /// may have opened the circuit.
    fn moments(&self) -> impl Iterator<Item = (Duration, Duration)> {
        let ends_a_call = matches!(self.action, Action::Settle(..));
        let times = self.times.iter().enumerate();
        times.flat_map(move |(index, &now)| {
            let later = if ends_a_call {
                self.times.len()
            } else {
                index + 1
            };
            let micros = Duration::from_micros;
            let opened = self.times[index..later].iter();
            opened.map(move |&opened| (micros(now), micros(opened)))
        })
    }
}

/// A breaker, and the record of all operations on it.
struct Recorder {
    breaker: &'static CircuitBreaker,
    record: Mutex<Record>,
}

#[derive(Default)]
struct Record {
    operations: Vec<Operation>,
    moment: usize,
    /// The times that the clock has shown, up to now.
    times: Vec<u64>,
    /// The calls in flight of all threads, with the operations that admitted them.
    tickets: Vec<(usize, Ticket)>,
}

impl Recorder {
    fn new(rules: ConfigBuilder) -> &'static Self {
        let record = Record {
            times: vec![RESET],
            ..Record::default()
        };
        Box::leak(Box::new(Self {
            breaker: breaker(rules),
            record: Mutex::new(record),
        }))
    }

    /// Never held during an operation of the breaker.
    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap()
    }

    /// Performs and records an operation, beside any others, and returns its number.
    fn perform(&self, action: Action, act: impl FnOnce() -> Answer) -> usize {
        let (begin, first) = {
            let mut record = self.record();
            (record.next_moment(), record.times.len() - 1)
        };
        let answer = act();
        let mut record = self.record();
        let end = record.next_moment();
        let times = record.times[first..].to_vec();
        record.operations.push(Operation {
            action,
            begin,
            end,
            times,
            answer,
        });
        // Begins are numbers that no two operations share.
        begin
    }

    fn acquire(&self) {
        let mut admitted = None;
        let number = self.perform(Action::Acquire, || match circuit(self.breaker).admit() {
            Ok(ticket) => {
                admitted = Some(ticket);
                Answer::Admitted
            }
            Err(rejection) => Answer::Rejected {
                retry_after: rejection.retry_after(),
            },
        });
        let admitted = admitted.map(|ticket| (number, ticket));
        self.record().tickets.extend(admitted);
    }

    /// Ends a call in flight, or starts one if there is none.
    fn settle(&self, end: End) {
        let taken = self.record().take_ticket();
        let Some((number, ticket)) = taken else {
            return self.acquire();
        };
        self.perform(Action::Settle(number, end), || {
            match end {
                End::Unavailable(units) => {
                    let wait = Span::from_micros(units.into());
                    circuit(self.breaker).settle_unavailable(ticket, wait);
                }
                _ => circuit(self.breaker).settle(ticket, outcome(end)),
            }
            Answer::Done
        });
    }

    fn order(&self, order: Order) {
        self.perform(Action::Order(order), || {
            match order {
                Order::Reset => self.breaker.reset(),
                Order::ForceOpen => self.breaker.force_open(),
                Order::ForceClosed => self.breaker.force_closed(),
                Order::ForceOpenFor(units) => self.breaker.force_open_for(micros(units)),
                Order::ForceClosedFor(units) => self.breaker.force_closed_for(micros(units)),
                Order::Trip => self.breaker.trip(),
                Order::OpenFor(units) => self.breaker.open_for(micros(units)),
            }
            Answer::Done
        });
    }

    fn state(&self) {
        self.perform(Action::State, || Answer::State(self.breaker.state()));
    }

    fn snapshot(&self) {
        self.perform(Action::Snapshot, || {
            let snapshot = self.breaker.snapshot();
            Answer::Snapshot(
                snapshot.state,
                snapshot.retry_after,
                Totals::from(&snapshot),
            )
        });
    }

    fn wait(&self, micros: u64) {
        self.perform(Action::Wait, || {
            let mut record = self.record();
            let now = record.now() + micros;
            record.times.push(now);
            set_clock(now);
            Answer::Done
        });
    }

    /// Performs any operation. While time passes, none that is dated by when it began: a thread may
    /// be preempted for as long as the circuit then stays open.
    fn any_operation(&self, time_passes: bool) {
        match below(20) {
            0..7 => self.acquire(),
            7 if !time_passes => self.settle(End::Unavailable(HALF)),
            7..11 => self.settle(one_of([End::Failure, End::Timeout, End::Panic])),
            11..15 => self.settle(End::Success),
            15 => self.settle(one_of([End::Dropped, End::Ignored])),
            16 if time_passes => self.order(one_of([
                Order::Reset,
                Order::Reset,
                Order::ForceOpen,
                Order::ForceClosed,
            ])),
            16 => self.order(one_of([
                Order::Reset,
                Order::Reset,
                Order::ForceOpen,
                Order::ForceClosed,
                Order::ForceOpenFor(HALF),
                Order::ForceClosedFor(HALF),
                Order::Trip,
                Order::OpenFor(2 * HALF),
            ])),
            _ => self.state(),
        }
    }

    /// Asserts that some order explains all operations.
    fn check(&self) {
        let mut operations = std::mem::take(&mut self.record().operations);
        // Tried first in the order of their ends, which is close to the right order.
        operations.sort_by_key(|operation| operation.end);
        let reference = Explained::new(Reference::new(
            self.breaker.config(),
            Duration::from_micros(1),
        ));
        let mut left: Vec<&Operation> = operations.iter().collect();
        let is_explained = reference.explains(&mut left);
        if !is_explained {
            for operation in &operations {
                eprintln!("{operation:?}");
            }
        }
        let rules = self.breaker.config();
        assert!(is_explained, "no order explains these under {rules:?}");
    }
}

impl Record {
    fn now(&self) -> u64 {
        self.times.last().copied().unwrap()
    }

    fn next_moment(&mut self) -> usize {
        self.moment += 1;
        self.moment
    }

    fn take_ticket(&mut self) -> Option<(usize, Ticket)> {
        let tickets = 0..self.tickets.len();
        (!tickets.is_empty()).then(|| self.tickets.swap_remove(thread_rng().gen_range(tickets)))
    }
}

fn micros(units: u32) -> Duration {
    Duration::from_micros(units.into())
}

fn outcome(end: End) -> Outcome {
    match end {
        End::Success => Outcome::Succeeded,
        End::Failure | End::Unavailable(_) => Outcome::Failed,
        End::Ignored => Outcome::Ignored,
        End::Dropped => Outcome::Cancelled,
        End::Panic => Outcome::Panicked,
        End::Timeout => Outcome::TimedOut,
    }
}

/// The reference breaker after the operations explained so far.
#[derive(Clone)]
struct Explained {
    reference: Reference,
    admissions: Vec<(usize, Admission)>,
}

impl Explained {
    fn new(reference: Reference) -> Self {
        Self {
            reference,
            admissions: Vec::new(),
        }
    }

    /// Returns whether some order explains the operations left. One that began after another ended
    /// comes later.
    fn explains(&self, left: &mut Vec<&Operation>) -> bool {
        let Some(first_end) = left.iter().map(|operation| operation.end).min() else {
            return true;
        };
        (0..left.len()).any(|next| {
            if left[next].begin > first_end {
                return false;
            }
            let operation = left.remove(next);
            let explains = operation.moments().any(|(now, opened)| {
                let mut after = Box::new(self.clone());
                let answer = after.answer(operation, now, opened);
                answer == operation.answer && after.explains(left)
            });
            left.insert(next, operation);
            explains
        })
    }

    /// Returns the answer of the reference breaker to an operation at `now`. A circuit that it
    /// opens is open from `opened` on.
    fn answer(&mut self, operation: &Operation, now: Duration, opened: Duration) -> Answer {
        match operation.action {
            Action::Acquire => match self.reference.acquire(now) {
                Ok(admission) => {
                    self.admissions.push((operation.begin, admission));
                    Answer::Admitted
                }
                Err(retry_after) => Answer::Rejected { retry_after },
            },
            Action::Settle(number, end) => {
                let is_its = |(other, _): &(usize, Admission)| *other == number;
                let index = self.admissions.iter().position(is_its).unwrap();
                let (_, admission) = self.admissions.swap_remove(index);
                self.reference.settle(admission, end, now, opened);
                Answer::Done
            }
            Action::Order(order) => {
                self.reference.order(order, now);
                Answer::Done
            }
            Action::State => Answer::State(self.reference.state(now)),
            Action::Snapshot => Answer::Snapshot(
                self.reference.state(now),
                self.reference.retry_after(now),
                self.reference.totals,
            ),
            Action::Wait => Answer::Done,
        }
    }
}

/// Runs rounds of concurrent threads. Before, between and after the rounds, one thread alone
/// prepares the state and checks it.
fn explore(rules: fn() -> ConfigBuilder) {
    let model = move || {
        let recorder = Recorder::new(rules().probes(one_of([1, 1, 2])));
        for _ in 0..2 {
            (0..below(6)).for_each(|_| recorder.any_operation(false));
            recorder.wait(one_of([0, 1, RESET - 1, RESET, RESET, 2 * RESET]));
            let time_passes = below(2) == 0;
            // While probes may be in flight, less than a wait: if the thread that reopens the
            // circuit is preempted for all of it, one lease has to expire first.
            let is_half_open = recorder.breaker.state() == State::HalfOpen;
            let longest = if is_half_open { RESET / 2 } else { 3 * RESET };
            together(one_of([2, 3]), move |thread| {
                if thread == 0 && time_passes {
                    recorder.wait(one_of([1, RESET / 2, RESET, 3 * RESET]).min(longest));
                }
                (0..2 + below(3)).for_each(|_| recorder.any_operation(time_passes));
            });
            recorder.snapshot();
        }
        for _ in 0..6 {
            recorder.any_operation(false);
            recorder.snapshot();
        }
        recorder.check();
    };
    let mut config = shuttle::Config::new();
    // The search for an order is recursive.
    config.stack_size = 1 << 20;
    let random = RandomScheduler::new(ITERATIONS);
    Runner::new(random, config.clone()).run(model);
    let few_preemptions = PctScheduler::new(PREEMPTIONS, ITERATIONS);
    Runner::new(few_preemptions, config).run(model);
}

#[test]
fn consecutive_failures_are_linearizable() {
    explore(|| Config::builder().max_failures(one_of([1, 2, 2, 3])));
}

#[test]
fn failures_in_a_time_window_are_linearizable() {
    explore(|| {
        let span = Duration::from_micros(one_of([1, RESET, 3 * RESET]));
        Config::builder()
            .max_failures(one_of([1, 2, 2, 3]))
            .window(span)
    });
}
