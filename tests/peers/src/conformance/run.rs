//! Runs scenarios, each on a thread of its own that may hang or panic.

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

/// How long a scenario may take before it is said to hang.
const PATIENCE: Duration = Duration::from_secs(20);

const HANGS: &str = "hangs";

/// How often a library in real time has to fail to be believed: others use the machine too, and a
/// wait can end late.
const TRIES: usize = 5;

/// How a library fared in a scenario.
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

/// How a library fared in all of them, in their order.
pub(crate) struct Record {
    pub(crate) title: String,
    pub(crate) configuration: String,
    pub(crate) outcomes: Vec<Outcome>,
}

impl fmt::Display for Record {
    /// In lines, for `nested.rs` of another program to read.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}", self.title, self.configuration)?;
        self.outcomes
            .iter()
            .try_for_each(|outcome| writeln!(f, "{outcome}"))?;
        writeln!(f)
    }
}

/// Runs all scenarios, one after the other.
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

/// As often as the library's time asks for.
fn outcome(library: &'static dyn Library, scenario: &'static Scenario) -> Outcome {
    let tries = match library.time() {
        Time::Virtual => 1,
        Time::Real => TRIES,
    };
    let mut latest = watched(library, scenario);
    for _ in 1..tries {
        match latest {
            Outcome::Breaks(how) if how != HANGS => latest = watched(library, scenario),
            _ => break,
        }
    }
    latest
}

/// Once, unless it takes too long.
pub(crate) fn watched(library: &'static dyn Library, scenario: &'static Scenario) -> Outcome {
    let (told, outcome) = mpsc::channel();
    thread::spawn(move || {
        let outcome = catch_unwind(AssertUnwindSafe(|| once(library, scenario)));
        told.send(outcome.unwrap_or_else(|payload| {
            Outcome::Breaks(format!("panics: {}", message(payload.as_ref())))
        }))
    });
    outcome
        .recv_timeout(PATIENCE)
        .unwrap_or_else(|_| Outcome::Breaks(HANGS.to_owned()))
}

fn once(library: &'static dyn Library, scenario: &Scenario) -> Outcome {
    let runtime = Builder::new_current_thread().enable_time().build();
    let Ok(runtime) = runtime else {
        return Outcome::Breaks("no runtime to run on".to_owned());
    };
    let verdict = runtime.block_on(async {
        library.prepare();
        (scenario.run)(library).await
    });
    match verdict {
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
