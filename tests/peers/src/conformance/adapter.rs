//! The interface between libraries and scenarios.

use std::cell::Cell;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// The rates that scenarios use.
pub(crate) const RATES: [f64; 7] = [0.0001, 0.01, 0.3333, 0.5, 0.9, 0.9999, 1.0];

/// The bound on keyed breakers, where a library has one.
pub(crate) const MAX_KEYS: u32 = 100;

/// The work of a guarded call.
pub(crate) struct Work(Pin<Box<dyn Future<Output = Result<(), Failed>> + Send>>);

impl Work {
    pub(crate) fn new(work: impl Future<Output = Result<(), Failed>> + Send + 'static) -> Self {
        Self(Box::pin(work))
    }
}

impl Future for Work {
    type Output = Result<(), Failed>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

/// A call in flight.
pub(crate) type Answering = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// The error of the work itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failed;

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("failed")
    }
}

impl std::error::Error for Failed {}

/// How a call ended, as its caller sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Done,
    Failed,
    Rejected,
    TimedOut,
}

/// When the breaker of a scenario is to open.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Wish {
    /// A few failures; consecutive ones, if the library has that.
    Failures,
    /// The same, and a wait of `Duration::MAX`.
    LongestWait,
    /// A few failures within [`Spans::window`].
    Window,
    /// This share of failed calls, among those of [`Spans::window`] or the last hundred at most.
    Rate(f64),
    /// Half of the last 100 calls.
    LastCalls,
    /// A few failures, as classified by [`classify`].
    Predicate,
    /// A few failures; a call that takes longer than [`Spans::timeout`] is one.
    Timeout,
}

thread_local! {
    /// `true` while [`classify`] panics on this thread.
    pub(crate) static CLASSIFY_PANICS: Cell<bool> = const { Cell::new(false) };
}

/// Classifies every error as a failure, or panics.
pub(crate) fn classify() -> bool {
    if CLASSIFY_PANICS.get() {
        resume_unwind(Box::new("predicate panicked"));
    }
    true
}

/// The spans of time that a library is tried with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spans {
    /// How long a circuit stays open.
    pub(crate) reset: Duration,
    pub(crate) window: Duration,
    /// The precision of the end of the window.
    pub(crate) grain: Duration,
    pub(crate) timeout: Duration,
}

/// The clock of a library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Time {
    /// Advanced by scenarios.
    Virtual,
    /// The system's: scenarios wait.
    Real,
}

/// An operator's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Reset,
    ForceClosed,
    ForceOpen,
}

/// A library, with the best of its documented configurations for each wish.
pub(crate) trait Library: Send + Sync {
    /// Returns its name and version.
    fn title(&self) -> &'static str;

    /// Describes its configuration in a sentence or two.
    fn configuration(&self) -> &'static str;

    fn time(&self) -> Time;

    /// Called first in the runtime of every scenario, to pause its clock if need be.
    fn prepare(&self) {}

    fn spans(&self) -> Spans;

    /// Returns the number of successes that close a half-open circuit.
    fn probes(&self) -> usize {
        1
    }

    /// Creates a closed breaker, or explains why the library has none of this kind.
    fn breaker(&self, wish: Wish) -> Result<Breaker, &'static str>;

    /// Creates keyed breakers, like those of [`Wish::Failures`], or explains why the library has
    /// none.
    fn keyed(&self) -> Result<Keyed, &'static str> {
        Err("no breakers by key")
    }
}

type Call = dyn Fn(Work) -> Answering + Send + Sync;
type Pass = dyn Fn(Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync;
type Give = dyn Fn() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync;

/// A breaker of any library.
pub(crate) struct Breaker {
    call: Box<Call>,
    pass: Box<Pass>,
    orders: Vec<(Order, Box<Give>)>,
}

impl Breaker {
    /// Creates a breaker that waits in real time; no task or timer of the runtime runs in the
    /// meantime.
    pub(crate) fn new(call: impl Fn(Work) -> Answering + Send + Sync + 'static) -> Self {
        Self {
            call: Box::new(call),
            pass: Box::new(|span| Box::pin(async move { std::thread::sleep(span) })),
            orders: Vec::new(),
        }
    }

    /// Advances time by `pass` instead of waiting.
    #[must_use]
    pub(crate) fn with_time<F>(
        mut self,
        pass: impl Fn(Duration) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.pass = Box::new(move |span| Box::pin(pass(span)));
        self
    }

    #[must_use]
    pub(crate) fn with_order<F>(
        mut self,
        order: Order,
        give: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.orders
            .push((order, Box::new(move || Box::pin(give()))));
        self
    }

    pub(crate) fn call(&self, work: Work) -> Answering {
        (self.call)(work)
    }

    /// Lets this much time pass on the breaker's clock.
    pub(crate) async fn pass(&self, span: Duration) {
        (self.pass)(span).await;
    }

    /// Returns whether the library has this order.
    pub(crate) fn takes(&self, order: Order) -> bool {
        self.orders.iter().any(|(known, _)| *known == order)
    }

    pub(crate) async fn give(&self, order: Order) {
        for (known, give) in &self.orders {
            if *known == order {
                give().await;
            }
        }
    }
}

type ForKey = dyn Fn(&str) -> Breaker + Send + Sync;

/// Keyed breakers of any library.
pub(crate) struct Keyed(Box<ForKey>);

impl Keyed {
    /// Creates the handle; `for_key` finds or creates the breaker of a key when that is called.
    pub(crate) fn new(for_key: impl Fn(&str) -> Breaker + Send + Sync + 'static) -> Self {
        Self(Box::new(for_key))
    }

    pub(crate) fn for_key(&self, key: &str) -> Breaker {
        (self.0)(key)
    }
}
