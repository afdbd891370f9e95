//! Calls and their deadlines.

use crate::adapter::{Answer, Library, Wish};
use crate::trial::{Ending, Trial, Verdict, ensure, limit};

pub(super) async fn ready_at_deadline(library: &dyn Library) -> Verdict {
    let trial = Trial::new(library, Wish::Timeout)?;
    for call in trial.admit(1)? {
        trial.pass(trial.spans.timeout / 2).await;
        call.prepare(Ending::Success);
        trial.pass(trial.spans.timeout).await;
        let answer = call.answer().await;
        ensure(answer == Answer::Done, "the result is thrown away")?;
    }
    Ok(())
}

pub(super) async fn timeouts_are_failures(library: &dyn Library) -> Verdict {
    let limit = limit(library, Wish::Timeout).await?;
    let trial = Trial::new(library, Wish::Timeout)?;
    let calls = trial.admit(limit)?;
    trial.pass(trial.spans.timeout * 2).await;
    for call in calls {
        let answer = call.answer().await;
        ensure(answer == Answer::TimedOut, format!("{answer:?}"))?;
    }
    ensure(trial.rejects(), "not counted")
}
