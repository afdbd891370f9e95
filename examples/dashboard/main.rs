//! The outage of the example `outage`, on the page of `circuit-dashboard`, again and again.

#![allow(
    dead_code,
    reason = "the modules are those of `outage`, which also measures what this example shows"
)]

#[path = "../outage/clients.rs"]
mod clients;
#[path = "../outage/log.rs"]
mod log;
#[path = "../outage/measure.rs"]
mod measure;
#[path = "../outage/scenario.rs"]
mod scenario;
#[path = "../outage/service.rs"]
mod service;

use std::env;
use std::error::Error;
use std::time::Duration;

use circuit_dashboard::{Actor, Dashboard};
use circuit_runtime::{State, registry};
use tokio::sync::watch;
use tokio::time::sleep;

use log::Log;
use scenario::{PHASES, Phase};
use service::{Condition, Service};

/// The address of the page.
const ADDRESS: &str = "127.0.0.1:9470";

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error>> {
    // For `.ci/run`: ends after the first outage, and fails if the page did not show it.
    let is_check = match env::args().nth(1).as_deref() {
        None => false,
        Some("once") => true,
        Some(other) => return Err(format!("unknown argument `{other}`; write `once`").into()),
    };
    let address = if is_check { "127.0.0.1:0" } else { ADDRESS };
    let dashboard = Dashboard::new()
        .service_name("outage")
        // Only this machine can reach the page. A real program asks who gives an order.
        .controls(|_, _| Ok(Actor::new("you")));
    let server = dashboard.bind(address).await?;
    let url = format!("http://{}/", server.local_addr());
    tokio::spawn(server.run());
    if is_check {
        return check(&url).await;
    }
    println!("The circuits are at {url}; end with Ctrl-C.");
    tokio::select! {
        played = play_again_and_again() => played,
        stopped = tokio::signal::ctrl_c() => Ok(stopped?),
    }
}

async fn play_again_and_again() -> Result<(), Box<dyn Error>> {
    loop {
        play(&PHASES).await?;
    }
}

/// Takes a service with two clients through these phases. The circuit of the one that has a breaker
/// stays from one time to the next.
async fn play(phases: &[Phase]) -> Result<(), Box<dyn Error>> {
    let (condition, conditions) = watch::channel(Condition::Healthy);
    let answers = Log::new();
    let service = Service::new(conditions, Log::new())?;
    let _callers = clients::start(service.address(), &answers)?;
    let take_down = async {
        for phase in phases {
            println!("The service {}.", phase.condition);
            condition.send(phase.condition)?;
            sleep(Duration::from_secs(phase.seconds.into())).await;
        }
        Ok::<(), Box<dyn Error>>(())
    };
    tokio::select! {
        done = take_down => done,
        stopped = service.run() => Ok(stopped?),
    }
}

/// Checks that the page's data shows the first outage, from its beginning to its end.
async fn check(url: &str) -> Result<(), Box<dyn Error>> {
    let phases = PHASES.get(..3).unwrap_or(&PHASES);
    play(phases).await?;
    // The program is on this machine, where a proxy cannot reach it.
    let http = reqwest::Client::builder().no_proxy().build()?;
    let page = http.get(url).send().await?.error_for_status()?;
    let page = page.text().await?;
    let list = http
        .get(format!("{url}api/breakers?q=quotes"))
        .send()
        .await?;
    let list = list.error_for_status()?.text().await?;
    let states: Vec<State> = registry::history().iter().map(|change| change.to).collect();
    let outage = [State::Open, State::HalfOpen, State::Closed];
    let is_shown = page.contains("page.js")
        && list.contains("\"name\":\"quotes\"")
        && outage.iter().all(|state| states.contains(state));
    if !is_shown {
        return Err(format!("the outage is not shown: {states:?}\n{list}").into());
    }
    println!("checked: the outage is on the page, from its beginning to its end");
    Ok(())
}
