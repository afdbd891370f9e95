//! The numbers of a fleet, counted by one process.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use circuit_runtime::State;

use crate::events::FleetEvent;
use crate::status::{Sharing, Status};

/// The events since the start, counted by this process.
///
/// # Examples
///
/// ```
/// use circuit_redis::Fleet;
///
/// let fleet = Fleet::builder("redis://127.0.0.1", "shop").build()?;
/// assert_eq!(fleet.totals().votes, 0);
///
/// let mut text = String::new();
/// fleet.prometheus(&mut text)?;
/// assert!(text.contains("circuit_fleet_shared{namespace=\"shop\"} 0"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Totals {
    /// Requests that the store has answered.
    pub requests: u64,
    /// Requests without an answer in time, or with an error.
    pub failed_requests: u64,
    /// Lines that the store has pushed.
    pub pushes: u64,
    /// How often the store was found not to answer.
    pub degraded: u64,
    /// Votes of this process, each once.
    pub votes: u64,
    /// Verdicts that were heard.
    pub verdicts: u64,
    /// Leases that this process got.
    pub leases: u64,
    /// Leases that it gave back.
    pub abandoned: u64,
    /// Probes whose results the store has accepted.
    pub probes: u64,
    /// Probes whose results came too late.
    pub refused: u64,
    /// How often the store had lost its data.
    pub reasserted: u64,
}

/// The counters behind [`Totals`]: incremented by the task, read through the handles.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    requests: AtomicU64,
    failed_requests: AtomicU64,
    pushes: AtomicU64,
    degraded: AtomicU64,
    votes: AtomicU64,
    verdicts: AtomicU64,
    leases: AtomicU64,
    abandoned: AtomicU64,
    probes: AtomicU64,
    refused: AtomicU64,
    reasserted: AtomicU64,
}

impl Counters {
    pub(crate) fn request(&self, is_answered: bool) {
        add(if is_answered {
            &self.requests
        } else {
            &self.failed_requests
        });
    }

    pub(crate) fn push(&self) {
        add(&self.pushes);
    }

    pub(crate) fn event(&self, event: &FleetEvent) {
        match event {
            FleetEvent::Degraded { .. } => add(&self.degraded),
            FleetEvent::Voted { .. } => add(&self.votes),
            FleetEvent::Verdict { .. } => add(&self.verdicts),
            FleetEvent::Leased { .. } => add(&self.leases),
            FleetEvent::Abandoned { .. } => add(&self.abandoned),
            FleetEvent::Probed { .. } => add(&self.probes),
            FleetEvent::Refused { .. } => add(&self.refused),
            FleetEvent::Reasserted { .. } => add(&self.reasserted),
            FleetEvent::Shared { .. }
            | FleetEvent::Ordered { .. }
            | FleetEvent::Released { .. }
            | FleetEvent::RulesDiffer { .. } => {}
        }
    }

    pub(crate) fn totals(&self) -> Totals {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Totals {
            requests: read(&self.requests),
            failed_requests: read(&self.failed_requests),
            pushes: read(&self.pushes),
            degraded: read(&self.degraded),
            votes: read(&self.votes),
            verdicts: read(&self.verdicts),
            leases: read(&self.leases),
            abandoned: read(&self.abandoned),
            probes: read(&self.probes),
            refused: read(&self.refused),
            reasserted: read(&self.reasserted),
        }
    }
}

/// Independent counts: no order among them is needed.
fn add(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// Writes the numbers in the text format of Prometheus. A namespace needs no escaping.
pub(crate) fn write(status: &Status, totals: &Totals, text: &mut impl fmt::Write) -> fmt::Result {
    let is_shared = matches!(status.sharing, Sharing::Shared { .. });
    let leased = status.circuits.iter().filter(|circuit| {
        circuit.state == State::HalfOpen && circuit.prober.as_ref() == Some(&status.member)
    });
    let open = status
        .circuits
        .iter()
        .filter(|circuit| circuit.state != State::Closed);
    let age = status.last_sync.map(|age| age.as_secs_f64());
    let gauges = [
        (
            "shared",
            "The store answers.",
            Some(f64::from(u8::from(is_shared))),
        ),
        ("members", "Live members.", Some(f64::from(status.members))),
        (
            "last_sync_seconds",
            "The time since the store has last answered.",
            age,
        ),
        (
            "open",
            "Circuits that are not closed for all.",
            Some(count(open.count())),
        ),
        (
            "leased",
            "Circuits that this process may probe.",
            Some(count(leased.count())),
        ),
        (
            "orders",
            "Operators' orders in force.",
            Some(count(status.orders.len())),
        ),
    ];
    let namespace = &status.namespace;
    for (name, help, value) in gauges {
        let Some(value) = value else { continue };
        write_series(text, namespace, name, "gauge", help, value)?;
    }
    let counters = [
        (
            "requests_total",
            "Requests that the store has answered.",
            totals.requests,
        ),
        (
            "failed_requests_total",
            "Requests without an answer in time.",
            totals.failed_requests,
        ),
        (
            "pushes_total",
            "Lines that the store has pushed.",
            totals.pushes,
        ),
        (
            "degraded_total",
            "How often the store was found not to answer.",
            totals.degraded,
        ),
        ("votes_total", "Votes of this process.", totals.votes),
        (
            "verdicts_total",
            "Verdicts that were heard.",
            totals.verdicts,
        ),
        (
            "leases_total",
            "Leases that this process got.",
            totals.leases,
        ),
        (
            "abandoned_total",
            "Leases that this process gave back.",
            totals.abandoned,
        ),
        (
            "probes_total",
            "Probes whose results were accepted.",
            totals.probes,
        ),
        (
            "refused_total",
            "Probes whose results came too late.",
            totals.refused,
        ),
        (
            "reasserted_total",
            "How often the store had lost its data.",
            totals.reasserted,
        ),
    ];
    for (name, help, value) in counters {
        write_series(text, namespace, name, "counter", help, value)?;
    }
    Ok(())
}

/// Writes one series, which has no labels but the namespace.
fn write_series(
    text: &mut impl fmt::Write,
    namespace: &str,
    name: &str,
    kind: &str,
    help: &str,
    value: impl fmt::Display,
) -> fmt::Result {
    writeln!(text, "# HELP circuit_fleet_{name} {help}")?;
    writeln!(text, "# TYPE circuit_fleet_{name} {kind}")?;
    writeln!(
        text,
        "circuit_fleet_{name}{{namespace=\"{namespace}\"}} {value}"
    )
}

#[expect(clippy::cast_precision_loss, reason = "there are not 2^53 circuits")]
fn count(number: usize) -> f64 {
    number as f64
}
