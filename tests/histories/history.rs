//! What happens to a breaker, one thing after the other.

use std::time::Duration;

use circuit_runtime::{CircuitBreaker, ConfigBuilder, Permit, State};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use crate::oracle::Oracle;

#[derive(Clone, Debug)]
pub(crate) struct History {
    steps: Vec<Step>,
    /// How often each call that ends at once is made.
    times: u32,
    /// By how much less time passes than the steps say.
    pace: u64,
}

#[derive(Clone, Debug)]
enum Step {
    /// So much time passes.
    Wait(Duration),
    /// A call starts, and goes on.
    Start,
    /// One of the calls under way ends.
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
    of_steps(step, 0..150)
}

pub(crate) fn histories_of_slow_calls() -> impl Strategy<Value = History> {
    let step = prop_oneof![
        2 => ends().prop_map(Step::Call),
        4 => waits().prop_map(Step::Wait),
        5 => Just(Step::Start),
        4 => (any::<prop::sample::Index>(), ends()).prop_map(|(which, end)| Step::End(which, end)),
    ];
    of_steps(step, 0..150)
}

fn of_steps(
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
        // At the very ends of a window, and of the time that a call may take.
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

    /// So many times as fast, in whole microseconds.
    pub(crate) fn faster(self, pace: u64) -> Self {
        Self { pace, ..self }
    }

    /// Lets it happen to a breaker and to an oracle, in virtual time.
    pub(crate) fn replay(&self, config: ConfigBuilder) -> Result<(), TestCaseError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()?;
        let config = config
            .build()
            .map_err(|error| TestCaseError::fail(error.to_string()))?;
        let breaker = CircuitBreaker::new("history", config);
        runtime.block_on(async {
            let mut replay = Replay::new(&breaker);
            for step in &self.steps {
                replay.step(step, self).await?;
            }
            Ok(())
        })
    }
}

/// A history under way.
struct Replay<'b> {
    breaker: &'b CircuitBreaker,
    oracle: Oracle,
    now: Duration,
    under_way: Vec<Started<'b>>,
    /// How often the circuit was closed again.
    era: u32,
}

struct Started<'b> {
    permit: Permit<'b>,
    at: Duration,
    era: u32,
}

impl<'b> Replay<'b> {
    fn new(breaker: &'b CircuitBreaker) -> Self {
        Self {
            breaker,
            oracle: Oracle::new(breaker.config()),
            now: Duration::ZERO,
            under_way: Vec::new(),
            era: 0,
        }
    }

    async fn step(&mut self, step: &Step, history: &History) -> Result<(), TestCaseError> {
        match step {
            Step::Wait(time) => {
                let micros = u64::try_from(time.as_micros()).unwrap() / history.pace;
                self.wait(Duration::from_micros(micros)).await;
            }
            Step::Start => {
                if let Some(started) = self.start().await? {
                    self.under_way.push(started);
                }
            }
            Step::End(which, end) => {
                if !self.under_way.is_empty() {
                    let started = self
                        .under_way
                        .swap_remove(which.index(self.under_way.len()));
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
                self.begin_again();
            }
        }
        Ok(())
    }

    async fn wait(&mut self, time: Duration) {
        tokio::time::advance(time).await;
        self.now += time;
    }

    /// Starts a call, unless those that hang open the circuit.
    async fn start(&mut self) -> Result<Option<Started<'b>>, TestCaseError> {
        let permit = self.breaker.try_acquire().ok();
        if self.breaker.config().slow_call().is_some() {
            self.compare().await?;
        }
        // A rejected call ends in `compare`, which closes the circuit again.
        Ok(permit.map(|permit| {
            self.oracle.start(self.now);
            Started {
                permit,
                at: self.now,
                era: self.era,
            }
        }))
    }

    async fn end(&mut self, started: Started<'b>, end: End) -> Result<(), TestCaseError> {
        let Started { permit, at, era } = started;
        match end {
            End::Success => permit.success(),
            End::Failure => permit.failure(),
            End::Ignored => permit.ignore(),
            End::Dropped => drop(permit),
        }
        if era != self.era {
            prop_assert_eq!(
                self.breaker.state(),
                State::Closed,
                "a late result moved it"
            );
            return Ok(());
        }
        let failed = match end {
            End::Success => Some(false),
            End::Failure => Some(true),
            End::Ignored | End::Dropped => None,
        };
        self.oracle.end(at, self.now, failed);
        if failed.is_some() {
            self.compare().await?;
        }
        Ok(())
    }

    /// Both must think the same. An open circuit recovers.
    async fn compare(&mut self) -> Result<(), TestCaseError> {
        let opens = self.oracle.opens(self.now);
        if self.breaker.state() == State::Closed {
            prop_assert!(!opens.surely, "should have opened at {:?}", self.now);
            return Ok(());
        }
        prop_assert!(opens.maybe, "should not have opened at {:?}", self.now);
        self.wait(self.breaker.config().reset()).await;
        self.breaker.try_acquire().unwrap().success();
        prop_assert_eq!(self.breaker.state(), State::Closed);
        self.begin_again();
        Ok(())
    }

    fn begin_again(&mut self) {
        self.oracle.clear();
        self.era += 1;
    }
}
