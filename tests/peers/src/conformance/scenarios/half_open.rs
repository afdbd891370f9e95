//! Calls that are admitted after the wait.

use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::thread;
use std::time::{Duration, Instant};

use crate::adapter::{Answer, Failed, Library, Time, Wish, Work};
use crate::threads::on_threads;
use crate::trial::{Ending, Trial, Verdict, broken, ensure, not_applicable};

/// The threads that call a half-open circuit at once.
const THREADS: usize = 8;

pub(super) async fn overdue_probe(library: &dyn Library) -> Verdict {
    let trial = Trial::new(library, Wish::Failures)?;
    trial.half_open().await?;
    let _overdue = trial.fill()?;
    another_closes(&trial).await
}

pub(super) async fn leaked_probe(library: &dyn Library) -> Verdict {
    let trial = Trial::new(library, Wish::Failures)?;
    trial.half_open().await?;
    mem::forget(trial.fill()?);
    another_closes(&trial).await
}

async fn another_closes(trial: &Trial) -> Verdict {
    for _ in 0..5 {
        trial.pass_reset().await;
        let probe = trial.begin();
        if probe.started() {
            probe.end(Ending::Success).await;
            return trial.must_recover().await;
        }
    }
    Err(broken("stuck: rejects forever"))
}

pub(super) async fn one_of_fifty(library: &dyn Library) -> Verdict {
    let trial = Trial::new(library, Wish::Failures)?;
    trial.half_open().await?;
    let calls = trial.begin_many(50);
    let started = calls.iter().filter(|call| call.started()).count();
    ensure(started == 1, format!("{started} of 50 run"))
}

/// The calls to a half-open circuit.
#[derive(Default)]
struct Crowd {
    started: AtomicUsize,
    rejected: AtomicUsize,
}

impl Crowd {
    fn is_complete(&self) -> bool {
        let started = self.started.load(Ordering::SeqCst);
        started + self.rejected.load(Ordering::SeqCst) >= THREADS
    }
}

/// A probe that fails once all calls have been admitted or rejected.
struct Probe {
    crowd: Arc<Crowd>,
    started: bool,
}

impl Future for Probe {
    type Output = Result<(), Failed>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if !mem::replace(&mut self.started, true) {
            self.crowd.started.fetch_add(1, Ordering::SeqCst);
        }
        if self.crowd.is_complete() {
            return Poll::Ready(Err(Failed));
        }
        thread::yield_now();
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

pub(super) async fn one_of_eight_threads(library: &dyn Library) -> Verdict {
    let trial = Trial::new(library, Wish::Failures)?;
    let rounds = match trial.time {
        Time::Virtual => 2_000,
        Time::Real => 30,
    };
    trial.trip().await?;
    let begin = Instant::now();
    let mut in_time = 0;
    for _ in 0..rounds {
        // On a busy machine, fewer rounds are enough.
        if begin.elapsed() > Duration::from_secs(4) {
            break;
        }
        trial.pass_reset().await;
        let opened = Instant::now();
        let crowd = Arc::new(Crowd::default());
        on_threads(
            &trial,
            THREADS,
            || {
                let started = false;
                let crowd = Arc::clone(&crowd);
                Work::new(Probe { crowd, started })
            },
            |answer| {
                if answer == Answer::Rejected {
                    crowd.rejected.fetch_add(1, Ordering::SeqCst);
                }
            },
        );
        // After another wait, an overdue probe may lose its slot to another call.
        if trial.time == Time::Real && opened.elapsed() > trial.spans.reset {
            continue;
        }
        in_time += 1;
        let started = crowd.started.load(Ordering::SeqCst);
        ensure(started == 1, format!("{started} of {THREADS} run"))?;
    }
    if in_time == 0 {
        return Err(not_applicable("the machine is too busy"));
    }
    Ok(())
}
