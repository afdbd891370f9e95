//! The page `CONFORMANCE.md`.

use std::fmt::{self, Write};
use std::fs;
use std::io;

use crate::run::{Outcome, Record};
use crate::scenarios::ALL;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/CONFORMANCE.md");

const HEAD: &str = "\
# Conformance

Scenarios that a circuit breaker has to get right, and the libraries that do. Written by `cargo run
--release --bin conformance`, not by hand; the scenarios are in `src/conformance/scenarios`.

Scenarios with the same number test the same rule; 0 is what every breaker is for. `holds`: the library
obeys it. **Bold**: it does not, and this happens instead. `n/a`: the scenario does not apply, and why.
A library in real time breaks a rule only if it did so in five consecutive tries.
[TOWER.md](TOWER.md) has what a layer of tower has to get right beyond these rules.
";

struct Counts {
    holds: usize,
    breaks: usize,
    not_applicable: usize,
}

impl Counts {
    fn from_record(record: &Record) -> Self {
        let count = |wanted: fn(&Outcome) -> bool| {
            record
                .outcomes
                .iter()
                .filter(|outcome| wanted(outcome))
                .count()
        };
        Self {
            holds: count(|outcome| matches!(outcome, Outcome::Holds)),
            breaks: count(|outcome| matches!(outcome, Outcome::Breaks(_))),
            not_applicable: count(|outcome| matches!(outcome, Outcome::NotApplicable(_))),
        }
    }
}

pub(crate) fn write(records: &[Record]) -> io::Result<()> {
    let mut page = String::new();
    fill(&mut page, records).map_err(io::Error::other)?;
    fs::write(FILE, page)
}

fn fill(page: &mut String, records: &[Record]) -> fmt::Result {
    writeln!(page, "{HEAD}")?;
    writeln!(page, "| library | holds | breaks | n/a | configuration |")?;
    writeln!(page, "|---|---|---|---|---|")?;
    for record in records {
        let counts = Counts::from_record(record);
        writeln!(
            page,
            "| {} | {} | {} | {} | {} |",
            record.title, counts.holds, counts.breaks, counts.not_applicable, record.configuration
        )?;
    }

    write!(page, "\n| | scenario |")?;
    for record in records {
        write!(page, " {} |", record.title)?;
    }
    write!(page, "\n|---|---|")?;
    for _ in records {
        write!(page, "---|")?;
    }
    for (index, scenario) in ALL.iter().enumerate() {
        write!(page, "\n| {} | {} |", scenario.rule, scenario.title)?;
        for record in records {
            match record.outcomes.get(index) {
                Some(Outcome::Holds) => write!(page, " holds |")?,
                Some(Outcome::Breaks(how)) => write!(page, " **{how}** |")?,
                Some(Outcome::NotApplicable(why)) => write!(page, " n/a: {why} |")?,
                None => write!(page, " |")?,
            }
        }
    }
    writeln!(page)
}

/// Prints the totals and the broken rules.
pub(crate) fn print(records: &[Record]) {
    for record in records {
        let counts = Counts::from_record(record);
        println!(
            "{}: {} hold, {} break, {} not applicable",
            record.title, counts.holds, counts.breaks, counts.not_applicable
        );
        for (scenario, outcome) in ALL.iter().zip(&record.outcomes) {
            if let Outcome::Breaks(how) = outcome {
                println!("    {}: {how}", scenario.title);
            }
        }
    }
    println!("The table is in CONFORMANCE.md.");
}
