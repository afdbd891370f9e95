//! The targets that the breaker must reach.

use circuit_runtime::{Snapshot, State};

use crate::clients::Client;
use crate::measure::Run;
use crate::scenario::TIMEOUT;
use crate::service::Condition;

/// The protected client sends the dead service less than this share of the requests that the
/// unprotected client sends.
const SHARE: f64 = 0.02;

#[derive(Debug, thiserror::Error)]
#[error("target missed: {0}")]
pub(crate) struct Missed(&'static str);

/// Returns an error if the run misses a target.
pub(crate) fn check(run: &Run, breaker: &Snapshot) -> Result<(), Missed> {
    let [without, with] = Client::BOTH.map(|client| f64::from(run.all_hits(client)));
    let wait = run.percentile_during(Client::Protected, Condition::Hanging, 99);
    let recoveries = Condition::OUTAGES.map(|outage| run.recovery(Client::Protected, outage));
    let targets = [
        (
            "less than 2 % of the requests reach the dead service",
            with < without * SHARE,
        ),
        (
            "99 % of callers wait for less than the timeout while the service hangs",
            wait.is_some_and(|wait| wait < TIMEOUT),
        ),
        (
            "every call succeeds again after each outage",
            recoveries.iter().all(Option::is_some),
        ),
        (
            "the circuit opens at least three times, and is closed at the end",
            breaker.opened >= 3 && breaker.state == State::Closed,
        ),
    ];
    for (target, is_met) in targets {
        if !is_met {
            return Err(Missed(target));
        }
        println!("checked: {target}");
    }
    Ok(())
}
