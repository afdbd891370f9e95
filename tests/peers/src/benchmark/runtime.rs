//! Calls in the tasks of a multi-thread runtime.

use std::hint::black_box;
use std::time::{Duration, Instant};

use circuit_runtime::circuit_breaker;
use tokio::runtime::Runtime;
use tokio::task::yield_now;
use tokio::time::timeout;

use crate::answer::{Answer, Failure, body};
use crate::measure::whole;
use crate::ours;
use crate::peers;
use crate::row::{OURS, TaskWork};
use crate::samples::{Samples, nanos_of};

const TASKS: usize = 64;

const READY: &str = "ready";

const LATER: &str = "pending once";

/// One way of calling in a task, over one body.
pub(crate) struct Tasks {
    pub(crate) library: &'static str,
    pub(crate) setting: &'static str,
    pub(crate) body: &'static str,
    work: &'static TaskWork,
    /// On a runtime of one worker with one task, and of two with many.
    pub(crate) alone: Samples,
    pub(crate) many: Samples,
}

pub(crate) struct Runtimes {
    one: Runtime,
    two: Runtime,
}

impl Runtimes {
    pub(crate) fn new() -> Self {
        let runtime = |workers| {
            let mut builder = tokio::runtime::Builder::new_multi_thread();
            let builder = builder.worker_threads(workers).enable_time();
            builder.build().expect("a runtime for all rounds")
        };
        Self {
            one: runtime(1),
            two: runtime(2),
        }
    }
}

impl Tasks {
    pub(crate) fn round(&mut self, runtimes: &Runtimes, length: Duration) {
        self.alone.add(self.lap(&runtimes.one, 1, 1, length));
        self.many.add(self.lap(&runtimes.two, 2, TASKS, length));
    }

    /// Returns the nanoseconds of a worker for a call.
    fn lap(&self, runtime: &Runtime, workers: u64, tasks: usize, length: Duration) -> f64 {
        const BATCH: u64 = 100;
        let work = self.work;
        runtime.block_on(async {
            let started = Instant::now();
            let running: Vec<_> = (0..tasks)
                .map(|_| {
                    tokio::spawn(async move {
                        let mut calls = 0;
                        while started.elapsed() < length {
                            work(BATCH).await;
                            calls += BATCH;
                            yield_now().await;
                        }
                        calls
                    })
                })
                .collect();
            let mut calls = 0;
            for task in running {
                calls += task.await.expect("no call panics");
            }
            nanos_of(started.elapsed()) * whole(workers) / whole(calls)
        })
    }
}

/// Awaits `$call` again and again, each time in the scope of `$held`, if there is any.
macro_rules! tasks {
    ($library:expr, $setting:expr, $body:expr, $(let $held:pat = $value:expr;)? $call:expr) => {{
        let work: TaskWork = Box::new(move |times| {
            Box::pin(async move {
                $(let $held = $value;)?
                for _ in 0..times {
                    let _ = black_box($call.await);
                }
            })
        });
        Tasks {
            library: $library,
            setting: $setting,
            body: $body,
            work: Box::leak(Box::new(work)),
            alone: Samples::default(),
            many: Samples::default(),
        }
    }};
}

/// The body of a call that is ready when it is polled again.
async fn body_later(answer: Answer) -> Answer {
    yield_now().await;
    answer
}

async fn plain_later(answer: u32) -> Result<u32, Failure> {
    yield_now().await;
    Ok(answer)
}

#[circuit_breaker(max_failures = 5, window = "10s")]
async fn annotated_later(answer: u32) -> Result<u32, Failure> {
    yield_now().await;
    Ok(answer)
}

#[circuit_breaker(max_failures = 5, window = "10s", timeout = "2s")]
async fn timed_later(answer: u32) -> Result<u32, Failure> {
    yield_now().await;
    Ok(answer)
}

pub(crate) fn all() -> Vec<Tasks> {
    let second = Duration::from_secs(1);
    let ours: &'static _ = Box::leak(Box::new(ours::breaker(ours::failures_in_time())));
    let timed: &'static _ = {
        let config = ours::failures_in_time().timeout(2 * second);
        Box::leak(Box::new(ours::breaker(config)))
    };
    let mut all = vec![
        tasks!("", "plain async fn", READY, ours::plain(black_box(7))),
        tasks!(OURS, "attribute", READY, ours::annotated(black_box(7))),
        tasks!(OURS, "call(future)", READY, ours.call(body(Ok(7)))),
        tasks!(OURS, "attribute, timeout", READY, ours::timed(black_box(7))),
        tasks!(
            OURS,
            "call(future), timeout",
            READY,
            timed.call(body(Ok(7)))
        ),
        tasks!(
            "tokio",
            "its own timeout alone",
            READY,
            timeout(2 * second, ours::plain(black_box(7)))
        ),
        tasks!("", "plain async fn", LATER, plain_later(black_box(7))),
        tasks!(OURS, "attribute", LATER, annotated_later(black_box(7))),
        tasks!(OURS, "call(future)", LATER, ours.call(body_later(Ok(7)))),
        tasks!(OURS, "attribute, timeout", LATER, timed_later(black_box(7))),
        tasks!(
            "tokio",
            "its own timeout alone",
            LATER,
            timeout(2 * second, plain_later(black_box(7)))
        ),
    ];
    all.extend(peers());
    all
}

fn peers() -> Vec<Tasks> {
    use failsafe::futures::CircuitBreaker;
    use tower::Service as _;

    let failsafe: &'static _ = Box::leak(Box::new(peers::failsafe_consecutive(5)));
    let recloser: &'static recloser::AsyncRecloser =
        Box::leak(Box::new(peers::recloser_with(0.5).into()));
    let allframe: &'static _ = Box::leak(Box::new(peers::allframe_with(5, peers::WINDOW)));
    let circuitbreaker_rs: &'static _ = Box::leak(Box::new(peers::circuitbreaker_rs_with(0.5, 5)));
    let arcly: &'static _ = Box::leak(Box::new(peers::arcly_with(5)));
    let tower: &'static _ = Box::leak(Box::new(peers::tower_consecutive(5)));
    vec![
        tasks!(
            "arcly-http",
            "execute",
            READY,
            arcly.execute(|| body(Ok(7)))
        ),
        tasks!("failsafe", "future", READY, failsafe.call(body(Ok(7)))),
        tasks!("recloser", "future", READY, recloser.call(body(Ok(7)))),
        tasks!(
            "allframe-core",
            "future",
            READY,
            allframe.call(|| body(Ok(7)))
        ),
        tasks!(
            "circuitbreaker-rs",
            "future",
            READY,
            circuitbreaker_rs.call_async(|| body(Ok(7)))
        ),
        tasks!("tower-resilience-circuitbreaker", "tower service", READY, let mut service = tower.clone(); service.call(Ok(7))),
        tasks!(
            "arcly-http",
            "execute",
            LATER,
            arcly.execute(|| body_later(Ok(7)))
        ),
        tasks!(
            "failsafe",
            "future",
            LATER,
            failsafe.call(body_later(Ok(7)))
        ),
        tasks!(
            "recloser",
            "future",
            LATER,
            recloser.call(body_later(Ok(7)))
        ),
        tasks!(
            "allframe-core",
            "future",
            LATER,
            allframe.call(|| body_later(Ok(7)))
        ),
        tasks!(
            "circuitbreaker-rs",
            "future",
            LATER,
            circuitbreaker_rs.call_async(|| body_later(Ok(7)))
        ),
    ]
}
