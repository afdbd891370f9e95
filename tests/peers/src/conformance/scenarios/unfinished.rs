//! Calls that end without a result: dropped, or by a panic.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::adapter::{CLASSIFY_PANICS, Library, Wish};
use crate::trial::{Ending, Trial, Verdict, broken, ensure, limit, not_applicable};

pub(super) async fn dropped_before_poll(library: &dyn Library) -> Verdict {
    let trial = Trial::new(library, Wish::Failures)?;
    trial.half_open().await?;
    for _ in 0..10 {
        drop(trial.unpolled());
    }
    trial.must_recover().await
}

pub(super) async fn dropped_after_poll(library: &dyn Library) -> Verdict {
    let trial = Trial::new(library, Wish::Failures)?;
    trial.half_open().await?;
    drop(trial.fill()?);
    trial.must_recover().await
}

pub(super) async fn dropped_releases_slot(library: &dyn Library) -> Verdict {
    let trial = Trial::new(library, Wish::Failures)?;
    trial.half_open().await?;
    drop(trial.fill()?);
    if !trial.rejects() {
        return Ok(());
    }
    trial.pass_reset().await;
    if trial.recovers().await {
        Err(broken("after another wait"))
    } else {
        Err(not_applicable("its slot is lost"))
    }
}

pub(super) async fn panic_releases_slot(library: &dyn Library) -> Verdict {
    let trial = Trial::new(library, Wish::Failures)?;
    trial.half_open().await?;
    for probe in trial.fill()? {
        probe.panic();
    }
    trial.pass_reset().await;
    trial.must_recover().await
}

pub(super) async fn panic_fails_probe(library: &dyn Library) -> Verdict {
    let trial = Trial::new(library, Wish::Failures)?;
    trial.half_open().await?;
    for probe in trial.fill()? {
        probe.panic();
    }
    ensure(trial.rejects(), "the next call runs at once")?;
    trial.pass_reset().await;
    if trial.recovers().await {
        Ok(())
    } else {
        Err(not_applicable("its slot is lost"))
    }
}

pub(super) async fn panic_in_predicate(library: &dyn Library) -> Verdict {
    let trial = Trial::new(library, Wish::Predicate)?;
    trial.half_open().await?;
    for probe in trial.fill()? {
        CLASSIFY_PANICS.set(true);
        let panicked = probe.unwinds(Ending::Failure);
        CLASSIFY_PANICS.set(false);
        ensure(panicked, "the panic is lost")?;
    }
    trial.pass_reset().await;
    trial.must_recover().await
}

pub(super) async fn panic_in_closed(library: &dyn Library) -> Verdict {
    let limit = limit(library, Wish::Failures).await?;
    let trial = Trial::new(library, Wish::Failures)?;
    for _ in 1..limit {
        trial.begin().panic();
    }
    ensure(!trial.rejects(), "counts more than once")?;
    trial.begin().panic();
    ensure(trial.rejects(), "not counted")
}

pub(super) async fn panic_unchanged(library: &dyn Library) -> Verdict {
    let trial = Trial::new(library, Wish::Failures)?;
    ensure(trial.begin().panic(), "another panic comes out")?;
    trial.half_open().await?;
    for probe in trial.fill()? {
        ensure(probe.panic(), "another panic comes out")?;
    }
    Ok(())
}

pub(super) async fn dropped_while_unwinding(library: &dyn Library) -> Verdict {
    let limit = limit(library, Wish::Failures).await?;
    let trial = Trial::new(library, Wish::Failures)?;
    for _ in 0..limit + 5 {
        let Some(call) = trial.admit(1)?.pop() else {
            return Err(broken("no call"));
        };
        let unwound = catch_unwind(AssertUnwindSafe(|| {
            let _dropped = call;
            resume_unwind(Box::new("elsewhere"));
        }));
        ensure(unwound.is_err(), "the panic is lost")?;
    }
    ensure(!trial.rejects(), "counted as failures")?;
    // The breaker still works.
    trial.succeed().await;
    trial.begin().end(Ending::Success).await;
    ensure(!trial.rejects(), "rejects afterwards")
}
