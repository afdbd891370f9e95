//! Operators' orders are final.

use crate::adapter::{Library, Order, Wish};
use crate::trial::{Ending, Trial, Verdict, ensure, not_applicable};

pub(super) async fn closing_is_final(library: &dyn Library) -> Verdict {
    let mut known = false;
    for order in [Order::Reset, Order::ForceClosed] {
        let trial = Trial::new(library, Wish::Failures)?;
        let late = trial.admit(12)?;
        trial.trip().await?;
        if !trial.order(order).await {
            continue;
        }
        known = true;
        ensure(!trial.rejects(), "does not close")?;
        for call in late {
            call.end(Ending::Failure).await;
        }
        ensure(!trial.rejects(), "reopens")?;
    }
    if known {
        Ok(())
    } else {
        Err(not_applicable("no such order"))
    }
}

pub(super) async fn opening_is_final(library: &dyn Library) -> Verdict {
    let trial = Trial::new(library, Wish::Failures)?;
    let late = trial.admit(12)?;
    if !trial.order(Order::ForceOpen).await {
        return Err(not_applicable("no such order"));
    }
    ensure(trial.rejects(), "does not open")?;
    for call in late {
        call.end(Ending::Success).await;
    }
    ensure(trial.rejects(), "closes")?;

    let trial = Trial::new(library, Wish::Failures)?;
    trial.half_open().await?;
    let probes = trial.fill()?;
    trial.order(Order::ForceOpen).await;
    for probe in probes {
        probe.end(Ending::Success).await;
    }
    ensure(trial.rejects(), "a probe closes it")
}
