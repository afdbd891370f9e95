//! Runs scenarios, each on a thread of its own, where it may panic or never end.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tokio::runtime::Builder;

use crate::adapter::{Library, Time};
use crate::scenarios::{ALL, Scenario};
use crate::trial::Stop;

/// The longest time for a scenario.
const MAX_TIME: Duration = Duration::from_secs(20);

const NEVER_ENDS: &str = "does not end";

/// The tries of a library in real time, all of which must fail: on a busy machine a wait can end
/// late.
const TRIES: usize = 5;

/// The outcome of a scenario for a library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Holds,
    Breaks(String),
    NotApplicable(String),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Holds => f.write_str("holds"),
            Self::Breaks(how) => write!(f, "breaks: {how}"),
            Self::NotApplicable(why) => write!(f, "n/a: {why}"),
        }
    }
}

/// The outcomes of all scenarios for a library, in order.
pub(crate) struct Record {
    pub(crate) title: String,
    pub(crate) configuration: String,
    pub(crate) outcomes: Vec<Outcome>,
}

impl fmt::Display for Record {
    /// Writes lines, which `nested.rs` of another program reads.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}", self.title, self.configuration)?;
        self.outcomes
            .iter()
            .try_for_each(|outcome| writeln!(f, "{outcome}"))?;
        writeln!(f)
    }
}

/// Runs all scenarios, one after another.
pub(crate) fn record(library: &'static dyn Library) -> Record {
    Record {
        title: library.title().to_owned(),
        configuration: library.configuration().to_owned(),
        outcomes: ALL
            .iter()
            .map(|scenario| outcome(library, scenario))
            .collect(),
    }
}

/// Runs a scenario, several times for a library in real time.
fn outcome(library: &'static dyn Library, scenario: &'static Scenario) -> Outcome {
    let tries = match library.time() {
        Time::Virtual => 1,
        Time::Real => TRIES,
    };
    let mut latest = watched(library, scenario);
    for _ in 1..tries {
        match latest {
            Outcome::Breaks(how) if how != NEVER_ENDS => latest = watched(library, scenario),
            _ => break,
        }
    }
    latest
}

/// Runs a scenario once, for at most [`MAX_TIME`].
pub(crate) fn watched(library: &'static dyn Library, scenario: &'static Scenario) -> Outcome {
    let (sender, outcome) = mpsc::channel();
    thread::spawn(move || {
        let outcome = catch_unwind(AssertUnwindSafe(|| once(library, scenario)));
        sender.send(outcome.unwrap_or_else(|payload| {
            Outcome::Breaks(format!("panics: {}", message(payload.as_ref())))
        }))
    });
    outcome
        .recv_timeout(MAX_TIME)
        .unwrap_or_else(|_| Outcome::Breaks(NEVER_ENDS.to_owned()))
}

fn once(library: &'static dyn Library, scenario: &Scenario) -> Outcome {
    let runtime = Builder::new_current_thread().enable_time().build();
    let Ok(runtime) = runtime else {
        return Outcome::Breaks("no runtime to run on".to_owned());
    };
    let result = runtime.block_on(async {
        library.prepare();
        (scenario.run)(library).await
    });
    match result {
        Ok(()) => Outcome::Holds,
        Err(Stop::Broken(how)) => Outcome::Breaks(how),
        Err(Stop::NotApplicable(why)) => Outcome::NotApplicable(why),
    }
}

fn message(payload: &(dyn Any + Send)) -> &str {
    if let Some(message) = payload.downcast_ref::<String>() {
        message
    } else {
        payload
            .downcast_ref()
            .copied()
            .unwrap_or("without a message")
    }
}
