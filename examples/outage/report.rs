//! The results of a run: a table, and a sentence.

use std::fmt::Display;
use std::time::Duration;

use circuit_runtime::Snapshot;

use crate::clients::{self, Client};
use crate::measure::{Outcome, Run};
use crate::paint::{Colour, Paint};
use crate::scenario::RESET;
use crate::service::Condition;

/// Widths of the columns.
const LABEL: usize = 51;
const FIGURE: usize = 14;

pub(crate) struct Report<'a> {
    run: &'a Run,
    paint: Paint,
}

impl<'a> Report<'a> {
    pub(crate) fn new(run: &'a Run, paint: Paint) -> Self {
        Self { run, paint }
    }

    pub(crate) fn print(&self, breaker: &Snapshot) {
        self.print_table();
        println!(
            "\nThe circuit opened {} times, failed probes included, and is {} now.",
            breaker.opened, breaker.state
        );
        println!("\n{}", self.paint.paint(Colour::Bold, self.worth()));
        println!("The protected client: {}", clients::protected_source());
    }

    fn print_table(&self) {
        let run = self.run;
        let heading = format!(
            "\n{:<LABEL$}{:>FIGURE$}{:>FIGURE$}",
            "", "unprotected", "protected"
        );
        println!("{}", self.paint.paint(Colour::Bold, heading));

        row("calls", |client| run.tally(client).calls());
        row("  rejected by the circuit", |client| {
            run.tally(client).rejections
        });
        row("  attempted", |client| run.tally(client).attempts());
        row("    succeeded", |client| run.tally(client).successes);
        row("    failed", |client| run.tally(client).failures);
        row("what reached the service while it was down", |client| {
            run.all_hits(client)
        });
        rows_by_outage("while it", |client, outage| run.hits(client, outage));
        row("time that callers waited", |client| {
            seconds(run.tally(client).waited)
        });
        rows_by_outage("while it", |client, outage| {
            seconds(run.tally_during(client, outage).waited)
        });
        row("median time of a call that succeeded", |client| {
            time(run.median(client, Outcome::Success))
        });
        row("median time of a call that was rejected", |client| {
            time(run.median(client, Outcome::Rejection))
        });
        row(
            "99 % of callers had an answer or a rejection within",
            |client| time(run.percentile(client, 99)),
        );
        rows_by_outage("while it", |client, outage| {
            time(run.percentile_during(client, outage, 99))
        });
        println!("time until every call succeeds again (a breaker waits for the end of {RESET:?})");
        rows_by_outage("when it no longer", |client, outage| {
            time(run.recovery(client, outage))
        });
    }

    /// Says in a sentence what the breaker was worth, and what it cost.
    fn worth(&self) -> String {
        let run = self.run;
        let [hits_without, hits] = Client::BOTH.map(|client| run.all_hits(client));
        let [waited_without, waited] =
            Client::BOTH.map(|client| seconds(run.waited_in_outages(client)));
        let recoveries = Condition::OUTAGES.map(|outage| run.recovery(Client::Protected, outage));
        let slowest = recoveries.into_iter().max().flatten();
        format!(
            "While the service was down, {hits} requests reached it with the breaker, instead of\n\
             {hits_without}, and callers waited {waited} instead of {waited_without}; in return, some \
             calls were\n\
             rejected for up to {} after the service had recovered.",
            time(slowest)
        )
    }
}

fn rows_by_outage<T: Display>(when: &str, figure: impl Fn(Client, Condition) -> T) {
    for outage in Condition::OUTAGES {
        row(&format!("  {when} {outage}"), |client| {
            figure(client, outage)
        });
    }
}

fn row<T: Display>(label: &str, figure: impl Fn(Client) -> T) {
    let [unprotected, protected] = Client::BOTH.map(figure);
    println!("{label:<LABEL$}{unprotected:>FIGURE$}{protected:>FIGURE$}");
}

fn seconds(time: Duration) -> String {
    format!("{:.1}s", time.as_secs_f64())
}

fn time(time: Option<Duration>) -> String {
    time.map_or_else(|| "none".to_owned(), |time| format!("{time:.1?}"))
}
