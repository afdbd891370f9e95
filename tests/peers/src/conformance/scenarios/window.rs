//! Failures that count together.

use crate::adapter::{Library, Time, Wish};
use crate::trial::{Ending, Trial, Verdict, ensure, limit};
use std::time::Duration;

pub(super) async fn slides(library: &dyn Library) -> Verdict {
    let limit = limit(library, Wish::Window).await?;

    let trial = Trial::new(library, Wish::Window)?;
    trial.fail_times(limit - 1).await;
    trial
        .pass(trial.spans.window.saturating_sub(trial.spans.grain))
        .await;
    trial.fail().await;
    ensure(trial.rejects(), "loses failures inside")?;

    let trial = Trial::new(library, Wish::Window)?;
    trial.fail_times(limit - 1).await;
    trial.pass(trial.spans.window + trial.spans.grain).await;
    trial.fail_times(limit - 1).await;
    ensure(!trial.rejects(), "counts failures outside")?;
    trial.fail().await;
    ensure(trial.rejects(), "loses failures inside")
}

pub(super) async fn stall(library: &dyn Library) -> Verdict {
    let limit = limit(library, Wish::Window).await?;
    let trial = Trial::new(library, Wish::Window)?;
    let pending = trial.admit(1)?;
    trial.fail_times(limit - 1).await;
    let long = match trial.time {
        Time::Virtual => Duration::from_secs(24 * 3_600),
        Time::Real => trial.spans.window * 3,
    };
    trial.pass(long).await;
    for call in pending {
        call.end(Ending::Failure).await;
    }
    trial.fail_times(limit - 2).await;
    ensure(!trial.rejects(), "counts old failures")?;
    trial.fail().await;
    ensure(trial.rejects(), "loses the slow failure")
}

pub(super) async fn last_calls(library: &dyn Library) -> Verdict {
    let trial = Trial::new(library, Wish::LastCalls)?;
    trial.succeed_times(100).await;
    trial.fail_times(49).await;
    trial.succeed_times(100).await;
    trial.fail_times(49).await;
    ensure(!trial.rejects(), "counts failures outside")?;
    trial.fail().await;
    ensure(trial.rejects(), "loses failures inside")
}
