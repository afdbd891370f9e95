//! The largest values there are.

use crate::adapter::{Library, Time, Wish};
use crate::trial::{Trial, Verdict, ensure};
use std::time::Duration;

pub(super) async fn longest_wait(library: &dyn Library) -> Verdict {
    let trial = Trial::new(library, Wish::LongestWait)?;
    trial.trip().await?;
    ensure(trial.rejects(), "ends at once")?;
    let long = match trial.time {
        Time::Virtual => Duration::from_secs(365 * 24 * 3_600),
        Time::Real => trial.spans.reset * 3,
    };
    trial.pass(long).await;
    ensure(trial.rejects(), "ends")
}
