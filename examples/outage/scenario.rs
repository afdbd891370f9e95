//! The parameters of the run: phases, load and rules.

use std::time::Duration;

use crate::service::Condition;

/// The number of callers of each client. A caller waits for its answer, pauses, and calls again, so
/// both clients have the same callers, and the one that answers sooner receives more calls.
pub(crate) const CALLERS: u32 = 20;
pub(crate) const PAUSE: Duration = Duration::from_millis(20);

/// How long the healthy service takes for a response.
pub(crate) const WORK: Duration = Duration::from_millis(5);

/// How long either client waits for a response.
pub(crate) const TIMEOUT: Duration = Duration::from_millis(250);

/// The rules of the protected client's breaker.
pub(crate) const MAX_FAILURES: u32 = 5;
pub(crate) const WINDOW: Duration = Duration::from_secs(10);
pub(crate) const RESET: Duration = Duration::from_millis(1_500);

/// No outage lasts a multiple of [`RESET`]: a probe at the very moment when the service recovers
/// would flatter the breaker.
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
