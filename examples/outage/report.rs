//! The results of a run, as a table.

use std::fmt::Display;
use std::time::Duration;

use circuit_runtime::Snapshot;

use crate::clients::Client;
use crate::measure::Run;
use crate::paint::{Colour, Paint};
use crate::scenario::{RESET, TARGET_SHARE, TIMEOUT};
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
        print_totals(breaker);
        self.print_targets();
    }

    fn print_table(&self) {
        let run = self.run;
        let heading = format!(
            "\n{:<LABEL$}{:>FIGURE$}{:>FIGURE$}",
            "", "unprotected", "protected"
        );
        println!("{}", self.paint.paint(Colour::Bold, heading));

        row("calls", |client| run.tally(client).calls);
        row("requests that hit the dead service", |client| {
            run.all_hits(client)
        });
        rows_by_outage("while it", |client, outage| run.hits(client, outage));
        row("time that callers spent waiting", |client| {
            seconds(run.tally(client).waited)
        });
        rows_by_outage("while it", |client, outage| {
            seconds(run.tally_during(client, outage).waited)
        });
        row("median response time, rejections included", |client| {
            time(run.percentile(client, 50))
        });
        row("99th percentile", |client| time(run.percentile(client, 99)));
        rows_by_outage("while it", |client, outage| {
            time(run.percentile_during(client, outage, 99))
        });
        println!("time until every call succeeds again (a breaker waits for the end of {RESET:?})");
        rows_by_outage("when it no longer", |client, outage| {
            time(run.recovery(client, outage))
        });
    }

    fn print_targets(&self) {
        let [without, with] = Client::BOTH.map(|client| f64::from(self.run.all_hits(client)));
        let share = with / without;
        println!(
            "{}: hits on the dead service are {:.2} % of those without a breaker (below {} %)",
            self.verdict(share < TARGET_SHARE),
            share * 100.0,
            TARGET_SHARE * 100.0,
        );

        let run = self.run;
        let wait = run.percentile_during(Client::Protected, Condition::Hanging, 99);
        println!(
            "{}: 99th percentile while the service hangs is {} (below {TIMEOUT:?})",
            self.verdict(wait.is_some_and(|wait| wait < TIMEOUT)),
            time(wait),
        );
    }

    fn verdict(&self, met: bool) -> String {
        if met {
            self.paint.paint(Colour::Green, "target met")
        } else {
            self.paint.paint(Colour::Red, "target MISSED")
        }
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

fn print_totals(breaker: &Snapshot) {
    println!(
        "\ncircuit `{}` is {}; it has opened {} times\n\
         its calls: {} succeeded, {} failed ({} of them timed out), {} rejected\n",
        breaker.name,
        breaker.state,
        breaker.opened,
        breaker.succeeded,
        breaker.failed,
        breaker.timed_out,
        breaker.rejected,
    );
}

fn seconds(time: Duration) -> String {
    format!("{:.1}s", time.as_secs_f64())
}

fn time(time: Option<Duration>) -> String {
    time.map_or_else(|| "none".to_owned(), |time| format!("{time:.1?}"))
}
