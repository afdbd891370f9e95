//! Two clients of one HTTP service, with a circuit breaker and without, while the service goes down
//! and recovers three times.

mod clients;
mod log;
mod measure;
mod paint;
mod report;
mod scenario;
mod screen;
mod service;
mod targets;

use std::env;
use std::error::Error;
use std::time::{Duration, Instant};

use circuit_runtime::{CircuitBreaker, registry};
use tokio::sync::watch;
use tokio::time::interval;

use clients::Client;
use log::Log;
use measure::{Answer, Run, Second, Stage};
use paint::Paint;
use report::Report;
use scenario::PHASES;
use screen::Screen;
use service::{Condition, Hit, Service};

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error>> {
    // For `.ci/run`: fails if the breaker is worth less than it should be.
    let check = match env::args().nth(1).as_deref() {
        None => false,
        Some("--check") => true,
        Some(other) => return Err(format!("unknown argument `{other}`; write `--check`").into()),
    };

    let (condition, conditions) = watch::channel(Condition::Healthy);
    let (answers, hits) = (Log::new(), Log::new());
    let service = Service::new(conditions, hits.clone())?;
    let callers = clients::start(service.address(), &answers)?;

    let paint = Paint::for_stdout();
    let stages = tokio::select! {
        stages = play(&condition, &answers, &hits, Screen::new(paint)) => stages?,
        stopped = service.run() => {
            stopped?;
            return Err("the service stopped before the end".into());
        }
    };
    drop(callers);

    let run = Run {
        stages,
        answers: answers.entries(),
        hits: hits.entries(),
    };
    let breaker = breaker()?.snapshot();
    Report::new(&run, paint).print(&breaker);
    if check {
        targets::check(&run, &breaker)?;
    }
    Ok(())
}

/// Takes the service through all phases; prints a line for each second, and the circuit's changes.
async fn play(
    condition: &watch::Sender<Condition>,
    answers: &Log<Answer>,
    hits: &Log<Hit>,
    mut screen: Screen,
) -> Result<Vec<Stage>, Box<dyn Error>> {
    let mut stages = Vec::new();
    let (mut answers, mut hits) = (answers.reader(), hits.reader());
    let mut changes = registry::changes();
    let mut seconds = interval(Duration::from_secs(1));
    seconds.tick().await; // The first tick completes at once.

    for phase in PHASES {
        screen.heading(phase);
        let began = Instant::now();
        condition.send(phase.condition)?;
        for _ in 0..phase.seconds {
            loop {
                tokio::select! {
                    biased;
                    change = changes.recv() => screen.change(&change?),
                    _ = seconds.tick() => break,
                }
            }
            let (answers, hits) = (answers.read_on(), hits.read_on());
            let [unprotected, protected] =
                Client::BOTH.map(|client| Second::for_client(&answers, &hits, client));
            screen.second(&unprotected, breaker()?.state(), &protected);
        }
        stages.push(Stage {
            condition: phase.condition,
            began,
            ended: Instant::now(),
        });
    }
    Ok(stages)
}

fn breaker() -> Result<CircuitBreaker, &'static str> {
    clients::breaker().ok_or("the protected client has made no call")
}
