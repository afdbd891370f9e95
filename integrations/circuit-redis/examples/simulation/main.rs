//! A thousand processes that call one service through an outage, alone and as a fleet: what reaches
//! the dead service, how soon all know, and the herd when it recovers.
//!
//! Time is virtual and chance is seeded, so that each run is the same, and takes about a minute in
//! release. The breakers are those of `circuit-runtime`. The store is a model in memory, which the
//! tests hold against the scripts.
//!
//! Prints a table, and writes it and a picture to a folder, that of the call by default:
//!
//!     cargo run --release --example simulation -- [folder]
//!
//! With `--check`, writes nothing, and fails if a fleet is worth less than it should be.

mod agenda;
mod chart;
mod fleet;
mod lock;
mod measure;
#[path = "../../tests/model/mod.rs"]
mod model;
mod random;
mod scenario;
mod service;
mod table;
mod targets;
mod world;

use std::env;
use std::error::Error;
use std::fs;
use std::path::PathBuf;

use measure::Outcome;
use scenario::{Outage, Scheme};

/// Any other seed tells the same story with slightly other numbers.
const SEED: u64 = 7;

/// The outcomes of all schemes in one outage, in their order.
struct Results {
    outage: Outage,
    outcomes: Vec<(Scheme, Outcome)>,
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<(), Box<dyn Error>> {
    let argument = env::args().nth(1);
    let is_check = argument.as_deref() == Some("--check");
    let mut all = Vec::new();
    for outage in Outage::ALL {
        let mut outcomes = Vec::new();
        for scheme in Scheme::ALL {
            eprintln!("{outage:?}: {}", scheme.name);
            outcomes.push((scheme, world::run(outage, scheme, SEED).await?));
        }
        all.push(Results { outage, outcomes });
    }
    let table = table::write(&all)?;
    println!("{table}");
    if is_check {
        return Ok(targets::check(&all)?);
    }
    let folder = argument.map_or_else(PathBuf::new, PathBuf::from);
    fs::write(folder.join("simulation.md"), table)?;
    fs::write(folder.join("simulation.svg"), chart::write(&all)?)?;
    Ok(())
}
