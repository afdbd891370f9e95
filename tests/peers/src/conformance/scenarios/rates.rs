//! Circuits that open at a share of failed calls.

use crate::adapter::{Library, RATES, Wish};
use crate::trial::{Trial, Verdict, broken, ensure};

pub(super) async fn after_successes(library: &dyn Library) -> Verdict {
    opens_after_successes(library, Wish::Rate(0.5)).await
}

pub(super) async fn last_calls_after_successes(library: &dyn Library) -> Verdict {
    opens_after_successes(library, Wish::LastCalls).await
}

async fn opens_after_successes(library: &dyn Library, wish: Wish) -> Verdict {
    let trial = Trial::new(library, wish)?;
    trial.succeed_times(20_000).await;
    trial.pass(trial.spans.window * 2).await;
    let failures = trial.trip().await?;
    ensure(failures <= 100, format!("needs {failures}"))
}

pub(super) async fn every_rate(library: &dyn Library) -> Verdict {
    for rate in RATES {
        let trial = Trial::new(library, Wish::Rate(rate))?;
        // Some evaluate no rate until they are as old as their window.
        trial.pass(trial.spans.window * 2).await;
        trial
            .trip()
            .await
            .map_err(|_| broken(format!("does not open at {rate}")))?;
    }
    Ok(())
}
