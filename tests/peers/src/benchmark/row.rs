//! One way of making a call, under one rule, in one state.

use std::hint::black_box;
use std::pin::Pin;
use std::time::Instant;

use crate::answer::{Answer, Down};

pub(crate) const OURS: &str = "circuit-runtime";

/// One line of a table.
pub(crate) struct Row {
    pub(crate) scenario: Scenario,
    pub(crate) library: &'static str,
    /// The way of calling and the configuration.
    pub(crate) setting: &'static str,
    pub(crate) rule: Rule,
    pub(crate) context: Context,
    /// Identifies the row for the budgets.
    pub(crate) mark: Option<Mark>,
    pub(crate) work: Work,
    /// For the slowest calls: each call timed on its own.
    pub(crate) timed: Option<Timed>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scenario {
    Limit,
    Success,
    Failure,
    Rejection,
    Attribute,
    Keys,
}

/// The rule that opens the circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    None,
    /// Consecutive failures.
    Consecutive,
    /// Failures since the start.
    Total,
    /// A share of, or a number of failures in, the last calls.
    LastCalls,
    /// Failures in a span of time.
    FailuresInTime,
    /// A share of the calls in a span of time.
    RateInTime,
    /// A share of all calls since the start.
    LifetimeRate,
}

/// The context of the calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Context {
    /// In a tokio task.
    Task,
    /// On a thread that has entered a runtime, but is in no task: as under `block_on`.
    Entered,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    FetchAdd,
    Least,
    LeastAndClock,
    Mutex,
    Now,
    Plain,
    TokioTimeout,
    FailuresInTime,
    RateInTime,
    Failure,
    FailureUnderRate,
    Rejection,
    Attribute,
    AttributeTimed,
    Key,
}

/// Makes a number of calls on the calling thread.
pub(crate) type Work = Box<dyn Fn(u64) + Send + Sync>;

/// Makes calls until the list is full of their times, in nanoseconds.
pub(crate) type Timed = Box<dyn Fn(&mut Vec<u32>) + Send + Sync>;

/// Makes a number of calls in the task that awaits it.
pub(crate) type TaskWork =
    Box<dyn Fn(u64) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

impl Rule {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Consecutive => "consecutive",
            Self::Total => "total",
            Self::LastCalls => "last calls",
            Self::FailuresInTime => "failures in time",
            Self::RateInTime => "rate in time",
            Self::LifetimeRate => "lifetime rate",
        }
    }
}

impl Row {
    pub(crate) fn new(
        scenario: Scenario,
        library: &'static str,
        setting: &'static str,
        rule: Rule,
        work: Work,
    ) -> Self {
        Self {
            scenario,
            library,
            setting,
            rule,
            context: Context::Task,
            mark: None,
            work,
            timed: None,
        }
    }

    pub(crate) fn marked(mut self, mark: Mark) -> Self {
        self.mark = Some(mark);
        self
    }

    pub(crate) fn entered(mut self) -> Self {
        self.context = Context::Entered;
        self
    }

    pub(crate) fn is_ours(&self) -> bool {
        self.library == OURS
    }
}

/// Repeats an operation.
pub(crate) fn repeated<R>(operation: impl Fn() -> R + Send + Sync + 'static) -> Work {
    Box::new(move |times| {
        for _ in 0..times {
            black_box(operation());
        }
    })
}

/// One way of calling through one kind of breaker. A session is held by a caller between calls: a
/// handle, or a service of its own. It makes a call with the given answer, and returns whether the
/// call was rejected.
pub(crate) struct Caller<B: 'static, S> {
    pub(crate) library: &'static str,
    pub(crate) setting: &'static str,
    pub(crate) rule: Rule,
    pub(crate) session: fn(&'static B) -> S,
}

impl<B: Sync, S: FnMut(Answer) -> bool + 'static> Caller<B, S> {
    /// Calls that succeed, through a breaker that stays closed.
    pub(crate) fn success(&self, breaker: B) -> Row {
        let breaker: &'static B = Box::leak(Box::new(breaker));
        let session = self.session;
        assert!(!session(breaker)(Ok(7)), "{} rejects", self.library);
        let mut row = self.row(Scenario::Success, move |times| {
            let mut call = session(black_box(breaker));
            for _ in 0..times {
                black_box(call(Ok(7)));
            }
        });
        row.timed = Some(Box::new(move |nanos| {
            let mut call = session(black_box(breaker));
            while nanos.len() < nanos.capacity() {
                let before = Instant::now();
                black_box(call(Ok(7)));
                let took = before.elapsed().as_nanos();
                nanos.push(u32::try_from(took).unwrap_or(u32::MAX));
            }
        }));
        row
    }

    /// Calls that fail, through a breaker whose limit they never reach.
    pub(crate) fn failure(&self, breaker: B) -> Row {
        let breaker: &'static B = Box::leak(Box::new(breaker));
        let session = self.session;
        let mut call = session(breaker);
        let opened = (0..20_000).any(|_| call(Err(Down)));
        assert!(!opened, "{} opens: {}", self.library, self.setting);
        self.row(Scenario::Failure, move |times| {
            let mut call = session(black_box(breaker));
            for _ in 0..times {
                black_box(call(Err(Down)));
            }
        })
    }

    /// Calls that are rejected by a breaker that failures have opened, for an hour.
    pub(crate) fn rejection(&self, breaker: B) -> Row {
        let breaker: &'static B = Box::leak(Box::new(breaker));
        let session = self.session;
        let mut call = session(breaker);
        let opened = (0..10_000).any(|_| call(Err(Down)));
        assert!(opened, "{} stays closed: {}", self.library, self.setting);
        self.row(Scenario::Rejection, move |times| {
            let mut call = session(black_box(breaker));
            for _ in 0..times {
                black_box(call(Ok(7)));
            }
        })
    }

    fn row(&self, scenario: Scenario, work: impl Fn(u64) + Send + Sync + 'static) -> Row {
        Row::new(
            scenario,
            self.library,
            self.setting,
            self.rule,
            Box::new(work),
        )
    }
}
