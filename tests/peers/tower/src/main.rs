//! The circuit breakers of tower under the same scenarios and one benchmark. Writes `TOWER.md`.

#[path = "../../src/heap.rs"]
#[expect(dead_code, reason = "the bytes are counted for another program")]
mod heap;
mod measure;
mod report;
mod scenarios;
mod subject;

use std::env;
use std::error::Error;
use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use circuit_runtime::{CircuitBreaker, Config};
use layered::Layer as _;
use seatbelt::breaker::{AbandonedPolicy, Breaker, BreakerLayer, HalfOpenMode};
use seatbelt::{RecoveryInfo, ResilienceContext};
use tick::ClockControl;

use crate::report::Column;
use crate::scenarios::RULES;
use crate::subject::{FAILURES, Failed, Inner, RESET, Subject};

struct Ours(circuit_tower::CircuitBreakerLayer);

impl Subject for Ours {
    type Service = circuit_tower::CircuitBreaker<Inner>;

    const TITLE: &'static str = "circuit-tower";

    #[expect(clippy::expect_used, reason = "a legal configuration")]
    fn new() -> Self {
        let failures = u32::try_from(FAILURES).unwrap_or(u32::MAX);
        let config = Config::builder()
            .max_failures(failures)
            .reset(RESET)
            .build();
        let breaker = CircuitBreaker::new("tower", config.expect("legal"));
        Self(circuit_tower::CircuitBreakerLayer::new(breaker))
    }

    fn layer(&self, inner: Inner) -> Self::Service {
        self.0.layer(inner)
    }
}

struct TowerResilience(
    tower_resilience_circuitbreaker::CircuitBreakerLayer<
        tower_resilience_circuitbreaker::DefaultClassifier,
    >,
);

impl Subject for TowerResilience {
    type Service = tower_resilience_circuitbreaker::CircuitBreaker<
        Inner,
        tower_resilience_circuitbreaker::DefaultClassifier,
    >;

    const TITLE: &'static str = "tower-resilience-circuitbreaker 0.14.0";

    #[expect(clippy::expect_used, reason = "a legal configuration")]
    fn new() -> Self {
        // With a handle, its layer shares one circuit among all services.
        let (layer, _) = tower_resilience_circuitbreaker::CircuitBreakerLayer::builder()
            .consecutive_failures(FAILURES)
            .wait_duration_in_open(RESET)
            .permitted_calls_in_half_open(1)
            .build_with_handle()
            .expect("legal");
        Self(layer)
    }

    fn layer(&self, inner: Inner) -> Self::Service {
        self.0.layer(inner)
    }
}

type Answer = Result<(), Failed>;

struct Seatbelt {
    clock: ClockControl,
    layer: BreakerLayer<(), Answer>,
}

impl Subject for Seatbelt {
    type Service = Breaker<(), Answer, Inner>;

    const TITLE: &'static str = "seatbelt 0.11.0";

    fn new() -> Self {
        let clock = ClockControl::new();
        let context = ResilienceContext::new(clock.to_clock());
        let layer = Breaker::layer("breaker", &context)
            .recovery_with(|result: &Answer, _| match result {
                Ok(()) => RecoveryInfo::never(),
                Err(Failed) => RecoveryInfo::retry(),
            })
            .rejected_input_error(|(), _| Failed)
            .failure_threshold(0.1)
            .min_throughput(u32::try_from(FAILURES).unwrap_or(u32::MAX))
            .break_duration(Duration::from_secs(5))
            .abandoned_policy(AbandonedPolicy::ignore())
            .half_open_mode(HalfOpenMode::quick());
        Self { clock, layer }
    }

    fn layer(&self, inner: Inner) -> Self::Service {
        self.layer.layer(inner)
    }

    fn pass(&self) {
        self.clock.advance(Duration::from_secs(5));
    }
}

/// Runs ninelives, in a package of its own.
fn ninelives() -> Result<String, Box<dyn Error>> {
    let here = env!("CARGO_MANIFEST_DIR");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "run",
            "--release",
            "--quiet",
            "--locked",
            "--bin",
            "tower-ninelives",
        ])
        .args([
            "--manifest-path",
            &format!("{here}/../ninelives/Cargo.toml"),
        ])
        .env("CARGO_TARGET_DIR", format!("{here}/../target"))
        .stderr(Stdio::inherit())
        .output()?;
    Ok(String::from_utf8(output.stdout)?)
}

fn main() -> Result<(), Box<dyn Error>> {
    // The sleep of one of them is made with the service.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    let _entered = runtime.enter();
    let mut lines = report::lines(vec![
        Column::new::<Ours>(),
        Column::new::<TowerResilience>(),
        Column::new::<Seatbelt>(),
    ]);
    lines.extend(ninelives()?.lines().map(str::to_owned));
    let columns: Vec<Vec<&str>> = lines
        .iter()
        .map(|line| line.split('\t').collect())
        .collect();

    let mut heads: Vec<String> = vec![String::new()];
    heads.extend(RULES.map(str::to_owned));
    heads.extend(
        [
            "closed, ns a call",
            "open, ns a call",
            "allocations of a closed call",
            "size of the future, bytes; boxes apart",
        ]
        .map(str::to_owned),
    );
    let mut table = String::from(
        "# Layers of tower\n\nWritten by `cargo run --release` in `tower/`. A call is polled for \
         readiness, called, and polled. Times are those of one machine: compare them with each \
         other.\n\n",
    );
    for (row, head) in heads.iter().enumerate() {
        let cells = columns
            .iter()
            .map(|cells| cells.get(row).copied().unwrap_or("?"));
        let cells: Vec<_> = cells.collect();
        table += &format!("| {head} | {} |\n", cells.join(" | "));
        if row == 0 {
            table += &format!("|---{}|\n", "|---".repeat(columns.len()));
        }
    }
    print!("{table}");
    fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/../TOWER.md"), &table)?;
    let ours = columns.first().ok_or("no columns")?;
    match ours.iter().find(|cell| cell.starts_with("breaks")) {
        Some(broken) => Err(format!("ours {broken}").into()),
        None => Ok(()),
    }
}
