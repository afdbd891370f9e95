//! Every figure of the run: what happens for how long, under which load and by which rules.

use std::time::Duration;

use crate::service::Condition;

/// How many callers each client has. A caller waits for its answer, pauses, and calls again, so
/// that both clients have the same callers, and the one that answers sooner gets more calls.
pub(crate) const CALLERS: u32 = 20;
pub(crate) const PAUSE: Duration = Duration::from_millis(20);

/// How long the service works on an answer while it is healthy.
pub(crate) const WORK: Duration = Duration::from_millis(5);

/// How long either client waits for an answer.
pub(crate) const TIMEOUT: Duration = Duration::from_millis(250);

/// The rules of the protected client's breaker.
pub(crate) const MAX_FAILURES: u32 = 5;
pub(crate) const WINDOW: Duration = Duration::from_secs(10);
pub(crate) const RESET: Duration = Duration::from_millis(1_500);

/// Of the requests that the unprotected client sends to the dead service, the share that the
/// protected one has to stay below.
pub(crate) const TARGET_SHARE: f64 = 0.02;

/// The outages last no multiple of [`RESET`]: a probe that happens to fall on the moment when the
/// service is back would flatter the breaker.
pub(crate) const PHASES: [Phase; 7] = [
    Phase::new(Condition::Healthy, 2),
    Phase::new(Condition::Refusing, 5),
    Phase::new(Condition::Healthy, 3),
    Phase::new(Condition::Failing, 5),
    Phase::new(Condition::Healthy, 3),
    Phase::new(Condition::Hanging, 5),
    Phase::new(Condition::Healthy, 3),
];

#[derive(Clone, Copy)]
pub(crate) struct Phase {
    pub(crate) condition: Condition,
    pub(crate) seconds: u32,
}

impl Phase {
    const fn new(condition: Condition, seconds: u32) -> Self {
        Self { condition, seconds }
    }
}
