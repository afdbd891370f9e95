//! The table.

use std::fmt::{self, Write};
use std::fs;
use std::io;

use crate::run::{Outcome, Record};
use crate::scenarios::ALL;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/CONFORMANCE.md");

const HEAD: &str = "\
# Conformance

What a circuit breaker has to get right, as scenarios, and which libraries do. Written by `cargo run
--release --bin conformance`, not by hand; what the scenarios do is in `src/conformance/scenarios`.

The number is that of the rule in the design; 0 is what every breaker is for. `holds`: the library
does so. **Bold**: it does not, and what happens in place of it. `n/a`: there is nothing to try, and
why. A library in real time is said to break a rule only if it did so five times in a row.
";

struct Counts {
    holds: usize,
    breaks: usize,
    not_applicable: usize,
}

impl Counts {
    fn of(record: &Record) -> Self {
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
        let counts = Counts::of(record);
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
    for (row, scenario) in ALL.iter().enumerate() {
        write!(page, "\n| {} | {} |", scenario.rule, scenario.title)?;
        for record in records {
            match record.outcomes.get(row) {
                Some(Outcome::Holds) => write!(page, " holds |")?,
                Some(Outcome::Breaks(how)) => write!(page, " **{how}** |")?,
                Some(Outcome::NotApplicable(why)) => write!(page, " n/a: {why} |")?,
                None => write!(page, " |")?,
            }
        }
    }
    writeln!(page)
}

/// The totals, and all that breaks.
pub(crate) fn print(records: &[Record]) {
    for record in records {
        let counts = Counts::of(record);
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
    println!("All of it is in CONFORMANCE.md.");
}
