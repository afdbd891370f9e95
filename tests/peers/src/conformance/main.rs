//! Every rule of the contract as a scenario, run against ours and against published libraries.
//!
//! Writes what came out to `CONFORMANCE.md`, and fails if ours breaks a rule, or if any library does
//! not do what every breaker is for: then its adapter is to blame.

mod adapter;
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

    // Most of the time they wait. Each library runs its scenarios one after the other.
    let nested = thread::spawn(nested::record);
    let running: Vec<_> = OURS
        .into_iter()
        .chain(PEERS)
        .map(|library| thread::spawn(|| run::record(library)))
        .collect();
    let mut records: Vec<_> = running
        .into_iter()
        .filter_map(|run| run.join().ok())
        .collect();
    match nested.join() {
        Ok(Ok(record)) => records.push(record),
        Ok(Err(error)) => {
            println!("ninelives did not run: {error}");
            return ExitCode::FAILURE;
        }
        Err(_) => return ExitCode::FAILURE,
    }

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

fn is_as_promised(records: &[Record]) -> bool {
    let (ours, _) = records.split_at(OURS.len());
    let ours = ours.iter().flat_map(|record| &record.outcomes);
    let controls = records.iter().filter_map(|record| record.outcomes.first());
    ours.chain(controls)
        .all(|outcome| *outcome == Outcome::Holds)
}
