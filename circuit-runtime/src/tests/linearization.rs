//! Operations of threads that run beside each other must give the answers that some order of them explains:
//! one after the other, each between its begin and its end, done to the plain breaker of the histories.
//! To look for that order is exponential, so the programs are short; there are many of them.
//!
//! Time passes while nobody does anything: an operation that it overtakes may read the clock more than once.
//! Rules on the last calls and on rates are not among these, as they do not promise so much: a success that
//! found no need for attention may be counted just after a failure beside it was judged, and be over before
//! that failure opens the circuit.
//!
//! A run that fails prints its operations, in the order of their ends, and its schedule, which
//! `shuttle::replay` brings again.

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use shuttle::rand::{Rng, thread_rng};

use super::plain::{End, Order, Pass, Plain, Totals};
use super::shuttle::{RESET, below, breaker, circuit, one_of, together};
use crate::circuit::ticket::{Outcome, Ticket};
use crate::clock::model::set as set_clock;
use crate::{CircuitBreaker, Config, ConfigBuilder, State};

const ITERATIONS: usize = 10_000;

/// What few switches between threads bring about, at the right places, comes soonest with few.
const SWITCHES: usize = 3;

#[derive(Clone, Copy, Debug)]
enum Action {
    Acquire,
    /// The call ends that this operation let in.
    Settle(usize, End),
    Order(Order),
    State,
    /// All that can be seen, while nothing else is under way: only then are totals exact.
    Look,
    /// So many microseconds pass, while nothing else is under way.
    Wait(u64),
}

#[derive(Debug, PartialEq)]
enum Answer {
    Done,
    LetIn,
    Rejected { retry_after: Option<Duration> },
    State(State),
    Seen(State, Option<Duration>, Totals),
}

/// An operation, and when it was under way, in begins and ends of operations.
#[derive(Debug)]
struct Operation {
    action: Action,
    begin: usize,
    end: usize,
    answer: Answer,
}

/// A breaker, and all that was done to it.
struct Recorder {
    breaker: &'static CircuitBreaker,
    record: Mutex<Record>,
}

#[derive(Default)]
struct Record {
    operations: Vec<Operation>,
    moment: usize,
    now: u64,
    /// The calls under way, of whichever thread, with the operations that let them in.
    tickets: Vec<(usize, Ticket)>,
}

impl Recorder {
    fn new(rules: ConfigBuilder) -> &'static Self {
        let record = Record {
            now: RESET,
            ..Record::default()
        };
        Box::leak(Box::new(Self {
            breaker: breaker(rules),
            record: Mutex::new(record),
        }))
    }

    /// Never over a step of the breaker.
    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap()
    }

    /// Notes what an operation does, whatever happens meanwhile. The operation's number.
    fn note(&self, action: Action, act: impl FnOnce() -> Answer) -> usize {
        let begin = self.record().next_moment();
        let answer = act();
        let mut record = self.record();
        let end = record.next_moment();
        record.operations.push(Operation {
            action,
            begin,
            end,
            answer,
        });
        // Begins are numbers that no two operations share.
        begin
    }

    fn acquire(&self) {
        let mut let_in = None;
        let number = self.note(Action::Acquire, || match circuit(self.breaker).admit() {
            Ok(ticket) => {
                let_in = Some(ticket);
                Answer::LetIn
            }
            Err(rejection) => Answer::Rejected {
                retry_after: rejection.retry_after(),
            },
        });
        let let_in = let_in.map(|ticket| (number, ticket));
        self.record().tickets.extend(let_in);
    }

    /// Ends one of the calls under way, if there are any.
    fn settle(&self, end: End) {
        let taken = self.record().take_ticket();
        let Some((number, ticket)) = taken else {
            return self.acquire();
        };
        self.note(Action::Settle(number, end), || {
            circuit(self.breaker).settle(ticket, outcome(end));
            Answer::Done
        });
    }

    fn order(&self, order: Order) {
        self.note(Action::Order(order), || {
            match order {
                Order::Reset => self.breaker.reset(),
                Order::ForceOpen => self.breaker.force_open(),
                Order::ForceClosed => self.breaker.force_closed(),
            }
            Answer::Done
        });
    }

    fn state(&self) {
        self.note(Action::State, || Answer::State(self.breaker.state()));
    }

    fn look(&self) {
        self.note(Action::Look, || {
            let seen = self.breaker.snapshot();
            Answer::Seen(seen.state, seen.retry_after, Totals::from(&seen))
        });
    }

    fn wait(&self, micros: u64) {
        self.note(Action::Wait(micros), || {
            let now = &mut self.record().now;
            *now += micros;
            set_clock(*now);
            Answer::Done
        });
    }

    fn any_operation(&self) {
        match below(20) {
            0..7 => self.acquire(),
            7..11 => self.settle(one_of([End::Failure, End::Timeout, End::Panic])),
            11..15 => self.settle(End::Success),
            15 => self.settle(one_of([End::Dropped, End::Ignored])),
            16 => self.order(one_of([
                Order::Reset,
                Order::Reset,
                Order::ForceOpen,
                Order::ForceClosed,
            ])),
            _ => self.state(),
        }
    }

    /// That some order explains all that was done.
    fn check(&self) {
        let mut operations = std::mem::take(&mut self.record().operations);
        // The order of the ends is the one to try first: of those before it most are right.
        operations.sort_by_key(|operation| operation.end);
        let plain = Explained::new(Plain::new(self.breaker.config()));
        let mut left: Vec<&Operation> = operations.iter().collect();
        let is_explained = plain.explains(&mut left);
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
    fn next_moment(&mut self) -> usize {
        self.moment += 1;
        self.moment
    }

    fn take_ticket(&mut self) -> Option<(usize, Ticket)> {
        let tickets = 0..self.tickets.len();
        (!tickets.is_empty()).then(|| self.tickets.swap_remove(thread_rng().gen_range(tickets)))
    }
}

fn outcome(end: End) -> Outcome {
    match end {
        End::Success => Outcome::Succeeded,
        End::Failure => Outcome::Failed,
        End::Ignored => Outcome::Ignored,
        End::Dropped => Outcome::Cancelled,
        End::Panic => Outcome::Panicked,
        End::Timeout => Outcome::TimedOut,
    }
}

/// A plain breaker after the operations that are explained so far.
#[derive(Clone)]
struct Explained {
    plain: Plain,
    now: u64,
    passes: Vec<(usize, Pass)>,
}

impl Explained {
    fn new(plain: Plain) -> Self {
        Self {
            plain,
            now: RESET,
            passes: Vec::new(),
        }
    }

    /// Whether an order explains those that are left. Whatever begins after another has ended comes later.
    fn explains(&self, left: &mut Vec<&Operation>) -> bool {
        let Some(first_end) = left.iter().map(|operation| operation.end).min() else {
            return true;
        };
        (0..left.len()).any(|next| {
            if left[next].begin > first_end {
                return false;
            }
            let operation = left.remove(next);
            let mut after = self.clone();
            let explains = after.answer(operation) == operation.answer && after.explains(left);
            left.insert(next, operation);
            explains
        })
    }

    /// What the plain breaker says to an operation.
    fn answer(&mut self, operation: &Operation) -> Answer {
        let now = Duration::from_micros(self.now);
        match operation.action {
            Action::Acquire => match self.plain.acquire(now) {
                Ok(pass) => {
                    self.passes.push((operation.begin, pass));
                    Answer::LetIn
                }
                Err(retry_after) => Answer::Rejected { retry_after },
            },
            Action::Settle(number, end) => {
                let is_its = |(other, _): &(usize, Pass)| *other == number;
                let place = self.passes.iter().position(is_its).unwrap();
                let (_, pass) = self.passes.swap_remove(place);
                self.plain.settle(pass, end, now);
                Answer::Done
            }
            Action::Order(order) => {
                self.plain.order(order);
                Answer::Done
            }
            Action::State => Answer::State(self.plain.state(now)),
            Action::Look => Answer::Seen(
                self.plain.state(now),
                self.plain.retry_after(now),
                self.plain.totals,
            ),
            Action::Wait(micros) => {
                self.now += micros;
                Answer::Done
            }
        }
    }
}

/// Rounds of threads that run beside each other. Before, between and after, one thread alone brings about
/// what they come upon, and finds out what they have left behind.
fn explore(rules: fn() -> ConfigBuilder) {
    let model = move || {
        let recorder = Recorder::new(rules().probes(one_of([1, 1, 2])));
        for _ in 0..2 {
            (0..below(6)).for_each(|_| recorder.any_operation());
            recorder.wait(one_of([0, 1, RESET - 1, RESET, RESET, 2 * RESET]));
            together(one_of([2, 3]), |_| {
                (0..2 + below(3)).for_each(|_| recorder.any_operation());
            });
            recorder.look();
        }
        for _ in 0..6 {
            recorder.any_operation();
            recorder.look();
        }
        recorder.check();
    };
    shuttle::check_random(model, ITERATIONS);
    shuttle::check_pct(model, ITERATIONS, SWITCHES);
}

#[test]
fn failures_in_a_row_happen_in_some_order() {
    explore(|| Config::builder().max_failures(one_of([1, 2, 2, 3])));
}

#[test]
fn failures_in_a_span_of_time_happen_in_some_order() {
    explore(|| {
        let span = Duration::from_micros(one_of([1, RESET, 3 * RESET]));
        Config::builder()
            .max_failures(one_of([1, 2, 2, 3]))
            .window(span)
    });
}
