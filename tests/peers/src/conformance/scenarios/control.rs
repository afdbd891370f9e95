//! The control scenarios: what every breaker is for.

use crate::adapter::{Answer, Library, Wish};
use crate::trial::{Trial, Verdict, ensure, limit};

pub(super) async fn opens_rejects_recovers(library: &dyn Library) -> Verdict {
    let trial = Trial::new(library, Wish::Failures)?;
    ensure(
        trial.succeed().await == Answer::Done,
        "no call goes through",
    )?;
    ensure(trial.fail().await == Answer::Failed, "an error is lost")?;
    trial.trip().await?;
    for _ in 0..10 {
        ensure(trial.rejects(), "a call runs while open")?;
    }
    trial.pass_reset().await;
    trial.must_recover().await
}

pub(super) async fn recovery_forgets(library: &dyn Library) -> Verdict {
    let limit = limit(library, Wish::Failures).await?;
    let trial = Trial::new(library, Wish::Failures)?;
    trial.half_open().await?;
    trial.close().await?;
    let failures = trial.trip().await?;
    ensure(
        failures >= limit,
        format!("opens after {failures} of {limit}"),
    )
}
