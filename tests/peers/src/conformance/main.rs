//! Every rule of the contract as a scenario, run against ours and against published libraries.
//!
//! Writes what came out to `CONFORMANCE.md`. Fails if ours breaks a rule, or if any library does
//! not do what every breaker is for: then its adapter is to blame.

mod adapter;
mod mistakes;
mod nested;
mod peers;
mod report;
mod run;
mod scenarios;
mod threads;
mod trial;

use std::process::ExitCode;
use std::thread;

use crate::peers::{OURS, PEERS};
use crate::run::{Outcome, Record};

fn main() -> ExitCode {
    // Scenarios panic a lot, and what comes of it is in the table.
    std::panic::set_hook(Box::new(|_| ()));

    let overlooked = mistakes::overlooked();
    if !overlooked.is_empty() {
        println!("scenarios that do not find what they are for: {overlooked:#?}");
        return ExitCode::FAILURE;
    }

    let records = match records() {
        Ok(records) => records,
        Err(error) => {
            println!("{error}");
            return ExitCode::FAILURE;
        }
    };
    if let Err(error) = report::write(&records) {
        println!("no report: {error}");
        return ExitCode::FAILURE;
    }
    report::print(&records);
    if is_as_promised(&records) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Of ours first, then of the peers. All run at the same time, as most of it they wait.
fn records() -> Result<Vec<Record>, String> {
    let nested = |package| thread::spawn(move || nested::record(package));
    let here = |library| thread::spawn(move || Ok(run::record(library)));
    let mut running: Vec<_> = OURS.into_iter().map(here).collect();
    running.push(nested("ours"));
    running.extend(PEERS.into_iter().map(here));
    running.push(nested("ninelives"));
    running
        .into_iter()
        .map(|run| run.join().map_err(|_| "a library ended the program")?)
        .collect()
}

fn is_as_promised(records: &[Record]) -> bool {
    let ours = records
        .iter()
        .filter(|record| record.title.starts_with("ours"));
    let ours = ours.flat_map(|record| &record.outcomes);
    let controls = records.iter().filter_map(|record| record.outcomes.first());
    ours.chain(controls)
        .all(|outcome| *outcome == Outcome::Holds)
}
