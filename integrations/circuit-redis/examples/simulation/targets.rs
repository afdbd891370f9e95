//! The least that a fleet has to be worth.

use crate::Results;
use crate::measure::Outcome;
use crate::scenario::Outage;

/// Returns the first result that is worse than it should be.
pub(crate) fn check(all: &[Results]) -> Result<(), String> {
    let of = |outage: Outage, name: &str| -> Result<&Outcome, String> {
        let results = all.iter().find(|results| results.outage == outage);
        let outcomes = results.map_or(&[][..], |results| &results.outcomes);
        let outcome = outcomes.iter().find(|(scheme, _)| scheme.name == name);
        let (_, outcome) = outcome.ok_or_else(|| format!("no scheme is called `{name}`"))?;
        Ok(outcome)
    };
    let full = |name| of(Outage::Full, name);
    let apart = full("not shared")?;
    for name in [
        "fleet, any",
        "fleet, two",
        "fleet, a hundredth",
        "fleet, two, ramp",
    ] {
        let fleet = full(name)?;
        meet(
            fleet.failed * 2 < apart.failed,
            format!(
                "{name}: {} calls fail, {} unshared",
                fleet.failed, apart.failed
            ),
        )?;
        meet(
            fleet.all_open.is_some_and(|open| open <= 1_250),
            format!("{name}: all are open after {:?} ms", fleet.all_open),
        )?;
    }
    let ramp = full("fleet, two, ramp")?;
    meet(
        ramp.herd <= 1.0 && ramp.failed_after == 0,
        format!(
            "a ramp: a herd of {:.2}, {} fail",
            ramp.herd, ramp.failed_after
        ),
    )?;
    for name in [
        "fleet, two, store away",
        "fleet, two, store away, jitter, ramp",
    ] {
        let fleet = full(name)?;
        meet(
            fleet.recovery.is_some(),
            format!("{name}: some are still open at the end"),
        )?;
    }
    for name in ["fleet, two", "fleet, a hundredth"] {
        let fleet = of(Outage::SickNode, name)?;
        meet(
            fleet.rejected_in_vain == 0,
            format!(
                "{name}: a sick node has others reject {}",
                fleet.rejected_in_vain
            ),
        )?;
    }
    let lock = full("one lock around each call")?;
    meet(
        lock.served_before < 0.05,
        format!("one lock serves {:.2} of the calls", lock.served_before),
    )
}

fn meet(is_met: bool, otherwise: String) -> Result<(), String> {
    if is_met { Ok(()) } else { Err(otherwise) }
}
