//! Late results: after the state has changed, and slow ones while it is unchanged.

use crate::adapter::{Library, Wish};
use crate::trial::{Call, Ending, Trial, Verdict, ensure, limit, not_applicable};

/// The number of calls that were admitted before the circuit opened.
const LATE: usize = 12;

async fn end_all(calls: Vec<Call>, ending: Ending) {
    for call in calls {
        call.end(ending).await;
    }
}

/// Returns how many of fifty calls are admitted.
fn admitted(trial: &Trial) -> usize {
    let calls = trial.begin_many(50);
    calls.iter().filter(|call| call.started()).count()
}

pub(super) async fn success_while_open(library: &dyn Library) -> Verdict {
    let trial = Trial::new(library, Wish::Failures)?;
    let late = trial.admit(1)?;
    trial.trip().await?;
    end_all(late, Ending::Success).await;
    ensure(trial.rejects(), "closes")
}

pub(super) async fn success_beside_probe(library: &dyn Library) -> Verdict {
    let trial = Trial::new(library, Wish::Failures)?;
    let late = trial.admit(LATE)?;
    trial.half_open().await?;
    let _probes = trial.fill_up()?;
    end_all(late, Ending::Success).await;
    let more = admitted(&trial);
    ensure(more == 0, format!("{more} of 50 more run"))
}

pub(super) async fn failure_beside_probe(library: &dyn Library) -> Verdict {
    let trial = Trial::new(library, Wish::Failures)?;
    let late = trial.admit(LATE)?;
    trial.half_open().await?;
    let probes = trial.fill_up()?;
    end_all(late, Ending::Failure).await;
    end_all(probes, Ending::Success).await;
    ensure(!trial.rejects(), "reopens")
}

pub(super) async fn failures_after_recovery(library: &dyn Library) -> Verdict {
    let trial = Trial::new(library, Wish::Failures)?;
    let late = trial.admit(LATE)?;
    trial.half_open().await?;
    trial.must_recover().await?;
    end_all(late, Ending::Failure).await;
    ensure(!trial.rejects(), "reopens")
}

pub(super) async fn probe_of_an_earlier_phase(library: &dyn Library) -> Verdict {
    let trial = Trial::new(library, Wish::Failures)?;
    trial.half_open().await?;
    let mut earlier = trial.fill_up()?;
    trial.pass_reset().await;
    let second = trial.begin();
    if !second.started() {
        return Err(not_applicable("no second probe while one is running"));
    }
    second.end(Ending::Failure).await;
    ensure(
        trial.rejects(),
        "a failed probe does not reopen the circuit",
    )?;
    trial.pass_reset().await;
    let _probe = trial.fill_up()?;
    end_all(earlier.drain(..1).collect(), Ending::Success).await;
    let more = admitted(&trial);
    ensure(more == 0, format!("{more} of 50 more run"))
}

pub(super) async fn slow_results(library: &dyn Library) -> Verdict {
    let wish = match library.breaker(Wish::Window) {
        Ok(_) => Wish::Window,
        Err(_) => Wish::Failures,
    };
    let limit = limit(library, wish).await?;
    let trial = Trial::new(library, wish)?;
    let slow = trial.admit(limit)?;
    trial.pass(trial.spans.window * 2).await;
    end_all(slow, Ending::Failure).await;
    ensure(trial.rejects(), "slow failures do not count")
}
