//! The results as a table in Markdown.

use std::fmt::{self, Write};

use crate::Results;
use crate::measure::Outcome;
use crate::scenario::Outage;

/// The columns that all outages have: the results, and what they mean.
const HEADER: &str = "\
| | served before | failed in the outage | all open after | rejected in vain | herd | failed after | recovered after |
|---|---|---|---|---|---|---|---|
";

/// Returns a table for each outage.
pub(crate) fn write(all: &[Results]) -> Result<String, fmt::Error> {
    let mut text = String::new();
    for Results { outage, outcomes } in all {
        write!(text, "### {}\n\n{HEADER}", outage.title())?;
        for (scheme, outcome) in outcomes {
            write_row(&mut text, scheme.name, *outage, outcome)?;
        }
        writeln!(text)?;
    }
    let unforeseen = all.first().and_then(|results| results.outcomes.first());
    let unforeseen = unforeseen.map_or(0, |(_, outcome)| outcome.unforeseen);
    write!(
        text,
        "Served before: the share of calls that are answered before the outage. Failed: requests \
         that were sent to the service and not answered. All open after: from the begin of the \
         outage until the last circuit has opened. Rejected in vain: calls that were rejected \
         during the outage although the service would have answered. Herd: the greatest load in a \
         tenth of a second after the outage, over what the service can answer then. Recovered \
         after: from the end of the outage until 99 % of the calls of each second are answered.\n\nA call fails after a second: \
         {unforeseen} are made in that first second of an outage, when nobody can know.\n",
    )?;
    Ok(text)
}

fn write_row(
    text: &mut String,
    name: &str,
    outage: Outage,
    outcome: &Outcome,
) -> Result<(), fmt::Error> {
    let seconds = |millis: Option<u64>, never: &str| match millis {
        Some(millis) => format!("{}.{} s", millis / 1_000, millis % 1_000 / 100),
        None => never.to_owned(),
    };
    let (herd, failed_after, recovery) = match outage {
        // The service was never away.
        Outage::SickNode => Default::default(),
        Outage::Full | Outage::Partial => (
            format!("{:.1} x", outcome.herd),
            outcome.failed_after.to_string(),
            seconds(outcome.recovery, "not by then"),
        ),
    };
    writeln!(
        text,
        "| {name} | {:.1} % | {} | {} | {} | {herd} | {failed_after} | {recovery} |",
        outcome.served_before * 100.0,
        outcome.failed,
        seconds(outcome.all_open, "never"),
        outcome.rejected_in_vain,
    )
}
