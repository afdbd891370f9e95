//! Every rule as scenarios, run against ours and against published libraries.
//!
//! Writes the outcomes to `CONFORMANCE.md`. Fails if ours breaks a rule, or if any library fails
//! the control scenarios: then its adapter is wrong.

mod adapter;
#[path = "../heap.rs"]
mod heap;
mod nested;
mod peers;
mod report;
mod run;
mod scenarios;
mod threads;
mod trial;

use std::process::ExitCode;
use std::thread;

use crate::peers::runtime::NO_KEYS;
use crate::run::{Outcome, Record};

fn main() -> ExitCode {
    // Scenarios panic a lot. The table has the outcomes.
    std::panic::set_hook(Box::new(|_| ()));

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

/// Returns the records of ours, then of the peers. All run concurrently, as they mostly wait.
fn records() -> Result<Vec<Record>, String> {
    let nested = |package| thread::spawn(move || nested::records(package));
    let here = |library| thread::spawn(move || Ok(vec![run::record(library)]));
    let mut running = vec![nested("ours")];
    running.extend(peers::ALL.into_iter().map(here));
    running.push(nested("ninelives"));
    let mut records = Vec::new();
    for run in running {
        records.extend(run.join().map_err(|_| "a library ended the program")??);
    }
    Ok(records)
}

fn is_as_promised(records: &[Record]) -> bool {
    let no_keys = &Outcome::NotApplicable(NO_KEYS.to_owned());
    let mut ours = records
        .iter()
        .filter(|record| record.title.starts_with("ours"))
        .flat_map(|record| {
            let by_hand = record.title.contains("`call`");
            let outcomes = record.outcomes.iter();
            outcomes.filter(move |outcome| !by_hand || *outcome != no_keys)
        });
    let mut controls = records.iter().filter_map(|record| record.outcomes.first());
    let holds = |outcome: &Outcome| *outcome == Outcome::Holds;
    ours.all(holds) && controls.all(holds)
}
