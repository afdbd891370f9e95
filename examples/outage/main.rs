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

use std::error::Error;
use std::time::{Duration, Instant};

use circuit_runtime::CircuitBreaker;
use tokio::sync::watch;
use tokio::time::interval;

use clients::Client;
use log::Log;
use measure::{Answer, Run, Stage, Tally};
use paint::Paint;
use report::Report;
use scenario::PHASES;
use screen::Screen;
use service::{Condition, Service};

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error>> {
    let (condition, conditions) = watch::channel(Condition::Healthy);
    let (answers, hits) = (Log::new(), Log::new());
    let service = Service::new(conditions, hits.clone())?;
    let callers = clients::start(service.address(), &answers)?;

    let paint = Paint::for_stdout();
    let stages = tokio::select! {
        stages = play(&condition, &answers, Screen::new(paint)) => stages?,
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
    Report::new(&run, paint).print(&breaker()?.snapshot());
    Ok(())
}

/// Takes the service through all phases, and prints a line for each second.
async fn play(
    condition: &watch::Sender<Condition>,
    answers: &Log<Answer>,
    mut screen: Screen,
) -> Result<Vec<Stage>, Box<dyn Error>> {
    let mut stages = Vec::new();
    let mut seen = 0;
    let mut seconds = interval(Duration::from_secs(1));
    seconds.tick().await; // The first tick completes at once.

    for phase in PHASES {
        screen.heading(phase);
        let began = Instant::now();
        condition.send(phase.condition)?;
        for _ in 0..phase.seconds {
            seconds.tick().await;
            let new = answers.entries_after(seen);
            seen += new.len();
            let [unprotected, protected] =
                Client::BOTH.map(|client| Tally::for_client(&new, client));
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
