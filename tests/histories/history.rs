//! Histories of calls on one thread, checked against the oracle.

use std::time::Duration;

use circuit_runtime::{CircuitBreaker, ConfigBuilder, Permit, State};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use tokio::time::Instant;

use crate::clock::with_moving_clock;
use crate::oracle::{Oracle, Period};

#[derive(Clone, Debug)]
pub(crate) struct History {
    steps: Vec<Step>,
    /// The number of repetitions of each `Call`.
    times: u32,
    /// The divisor of all waits.
    pace: u64,
}

#[derive(Clone, Debug)]
enum Step {
    /// Time passes.
    Wait(Duration),
    /// A call starts.
    Start,
    /// A call in flight ends.
    End(prop::sample::Index, End),
    /// A call starts and ends.
    Call(End),
    /// An operator closes the circuit.
    Reset,
}

#[derive(Clone, Copy, Debug)]
enum End {
    Success,
    Failure,
    Ignored,
    Dropped,
}

pub(crate) fn histories() -> impl Strategy<Value = History> {
    let step = prop_oneof![
        6 => ends().prop_map(Step::Call),
        4 => waits().prop_map(Step::Wait),
        1 => Just(Step::Start),
        1 => (any::<prop::sample::Index>(), ends()).prop_map(|(which, end)| Step::End(which, end)),
    ];
    histories_of(step, 0..150)
}

pub(crate) fn histories_of_slow_calls() -> impl Strategy<Value = History> {
    let step = prop_oneof![
        2 => ends().prop_map(Step::Call),
        4 => waits().prop_map(Step::Wait),
        5 => Just(Step::Start),
        4 => (any::<prop::sample::Index>(), ends()).prop_map(|(which, end)| Step::End(which, end)),
    ];
    histories_of(step, 0..150)
}

fn histories_of(
    step: impl Strategy<Value = Step>,
    count: std::ops::Range<usize>,
) -> impl Strategy<Value = History> {
    let step = prop_oneof![60 => step, 1 => Just(Step::Reset)];
    prop::collection::vec(step, count).prop_map(|steps| History {
        steps,
        times: 1,
        pace: 1,
    })
}

fn ends() -> impl Strategy<Value = End> {
    prop_oneof![
        8 => Just(End::Success),
        6 => Just(End::Failure),
        1 => Just(End::Ignored),
        1 => Just(End::Dropped),
    ]
}

fn waits() -> impl Strategy<Value = Duration> {
    prop_oneof![
        4 => (0..1_200_u64).prop_map(Duration::from_millis),
        2 => (0..11_000_000_u64).prop_map(Duration::from_micros),
        // At the limits of a window and of `slow_call`.
        1 => prop::sample::select(vec![
            9_999_999_u64, 10_000_000, 1_000_000, 1_000_001, 999_999, 1_142_859, 9_000_000, 1,
        ])
        .prop_map(Duration::from_micros),
        1 => Just(Duration::from_secs(3_601)),
    ]
}

impl History {
    pub(crate) fn times(self, times: u32) -> Self {
        Self { times, ..self }
    }

    /// Divides all waits by `pace`, in whole microseconds.
    pub(crate) fn faster(self, pace: u64) -> Self {
        Self { pace, ..self }
    }

    /// Replays the history on a breaker and an oracle, in virtual time.
    pub(crate) fn replay(&self, config: ConfigBuilder) -> Result<(), TestCaseError> {
        let runtime = paused()?;
        runtime.block_on(self.replay_with(config))
    }

    /// Replays the history while the clock moves, also between two readings of one call. Calls must
    /// not be timed: how long one takes is then not known exactly.
    pub(crate) fn replay_on_a_moving_clock(
        &self,
        config: ConfigBuilder,
    ) -> Result<(), TestCaseError> {
        let runtime = paused()?;
        with_moving_clock(&runtime, || runtime.block_on(self.replay_with(config)))
    }

    async fn replay_with(&self, config: ConfigBuilder) -> Result<(), TestCaseError> {
        let config = config
            .build()
            .map_err(|error| TestCaseError::fail(error.to_string()))?;
        let breaker = CircuitBreaker::new("history", config);
        let mut replay = Replay::new(&breaker);
        for step in &self.steps {
            replay.step(step, self).await?;
        }
        Ok(())
    }
}

fn paused() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
}

/// A history during its replay.
struct Replay<'b> {
    breaker: &'b CircuitBreaker,
    oracle: Oracle,
    began: Instant,
    in_flight: Vec<Started<'b>>,
    /// The number of times the circuit was closed again.
    generation: u32,
}

struct Started<'b> {
    permit: Permit<'b>,
    at: Duration,
    generation: u32,
}

impl<'b> Replay<'b> {
    fn new(breaker: &'b CircuitBreaker) -> Self {
        Self {
            breaker,
            oracle: Oracle::new(breaker.config()),
            began: Instant::now(),
            in_flight: Vec::new(),
            generation: 0,
        }
    }

    async fn step(&mut self, step: &Step, history: &History) -> Result<(), TestCaseError> {
        match step {
            Step::Wait(time) => {
                let micros = u64::try_from(time.as_micros()).unwrap() / history.pace;
                tokio::time::advance(Duration::from_micros(micros)).await;
            }
            Step::Start => {
                if let Some(started) = self.start().await? {
                    self.in_flight.push(started);
                }
            }
            Step::End(which, end) => {
                if !self.in_flight.is_empty() {
                    let started = self
                        .in_flight
                        .swap_remove(which.index(self.in_flight.len()));
                    self.end(started, *end).await?;
                }
            }
            Step::Call(end) => {
                for _ in 0..history.times {
                    if let Some(started) = self.start().await? {
                        self.end(started, *end).await?;
                    }
                }
            }
            Step::Reset => {
                self.breaker.reset();
                self.start_again();
            }
        }
        Ok(())
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// Returns what `act` returns, and when it ran.
    fn timed<R>(&self, act: impl FnOnce() -> R) -> (R, Period) {
        let begin = self.now();
        let result = act();
        let end = self.now();
        (result, Period { begin, end })
    }

    /// Starts a call, unless overdue calls open the circuit.
    async fn start(&mut self) -> Result<Option<Started<'b>>, TestCaseError> {
        let (permit, at) = self.timed(|| self.breaker.try_acquire().ok());
        if self.breaker.config().slow_call().is_some() {
            self.compare(at).await?;
        }
        // After a rejection, `compare` has closed the circuit again.
        Ok(permit.map(|permit| {
            self.oracle.start(at.begin);
            Started {
                permit,
                at: at.begin,
                generation: self.generation,
            }
        }))
    }

    async fn end(&mut self, started: Started<'b>, end: End) -> Result<(), TestCaseError> {
        let Started {
            permit,
            at: started,
            generation,
        } = started;
        let ((), at) = self.timed(|| match end {
            End::Success => permit.success(),
            End::Failure => permit.failure(),
            End::Ignored => permit.ignore(),
            End::Dropped => drop(permit),
        });
        if generation != self.generation {
            prop_assert_eq!(
                self.breaker.state(),
                State::Closed,
                "a stale result changed the state"
            );
            return Ok(());
        }
        let failed = match end {
            End::Success => Some(false),
            End::Failure => Some(true),
            End::Ignored | End::Dropped => None,
        };
        self.oracle.end(started, at, failed);
        if failed.is_some() {
            self.compare(at).await?;
        }
        Ok(())
    }

    /// Compares the breaker with the oracle, after what it did `now`. If the circuit is open, lets
    /// it recover.
    async fn compare(&mut self, now: Period) -> Result<(), TestCaseError> {
        let opens = self.oracle.opens(now);
        if self.breaker.state() == State::Closed {
            prop_assert!(!opens.must, "should have opened in {now:?}");
            return Ok(());
        }
        prop_assert!(opens.may, "should not have opened in {now:?}");
        tokio::time::advance(self.breaker.config().reset()).await;
        self.breaker.try_acquire().unwrap().success();
        prop_assert_eq!(self.breaker.state(), State::Closed);
        self.start_again();
        Ok(())
    }

    fn start_again(&mut self) {
        self.oracle.clear();
        self.generation += 1;
    }
}
