//! The evidence of a closed circuit.

use crate::adapter::{Answer, Library, Time, Wish};
use crate::trial::{Trial, Verdict, broken, ensure, limit};
use std::time::Duration;

pub(super) async fn rejections(library: &dyn Library) -> Verdict {
    let limit = limit(library, Wish::Failures).await?;
    let trial = Trial::new(library, Wish::Failures)?;
    trial.trip().await?;
    trial.pass(trial.spans.reset / 2).await;
    for _ in 0..200 {
        trial.fail().await;
    }
    trial.pass(trial.spans.reset * 11 / 20).await;
    trial.close().await?;
    let failures = trial.trip().await?;
    ensure(failures >= limit, "count as failures")
}

pub(super) async fn drops(library: &dyn Library) -> Verdict {
    let limit = limit(library, Wish::Failures).await?;
    let trial = Trial::new(library, Wish::Failures)?;
    trial.fail_times(limit - 1).await;
    for _ in 0..100 {
        drop(trial.unpolled());
        ensure(!trial.rejects(), "count as failures")?;
    }
    trial.fail().await;
    ensure(trial.rejects(), "count as successes")
}

pub(super) async fn one_percent(library: &dyn Library) -> Verdict {
    let trial = Trial::new(library, Wish::Failures)?;
    for call in 1..=1_000 {
        let answer = if call % 100 == 0 {
            trial.fail().await
        } else {
            trial.succeed().await
        };
        if answer == Answer::Rejected {
            return Err(broken(format!("opens at call {}", call - 1)));
        }
        if trial.time == Time::Virtual {
            trial.pass(Duration::from_secs(1)).await;
        }
    }
    Ok(())
}

pub(super) async fn after_successes(library: &dyn Library) -> Verdict {
    let limit = limit(library, Wish::Failures).await?;
    let trial = Trial::new(library, Wish::Failures)?;
    trial.succeed_times(20_000).await;
    trial.pass(trial.spans.window * 2).await;
    let failures = trial.trip().await?;
    ensure(
        failures <= limit,
        format!("needs {failures} instead of {limit}"),
    )
}
