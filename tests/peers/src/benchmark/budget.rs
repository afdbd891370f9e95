//! The budgets of a call, in additions (F), in clock readings (I), in the least that a breaker must
//! do (L), and in that with a reading of the coarse clock (C).

use crate::memory;
use crate::row::{Mark, Rule, Scenario};
use crate::run::{Figures, Measured};
use crate::samples::figure;

/// One line of the table of budgets.
struct Budget {
    call: &'static str,
    unit: Unit,
    /// On one thread, and on each of two.
    limits: [f64; 2],
    mark: Mark,
    /// The baseline, which is subtracted.
    over: Option<Mark>,
    /// Where to look for the best other library.
    others: (Scenario, Rule),
}

#[derive(Clone, Copy)]
enum Unit {
    F,
    I,
    L,
    C,
}

const BUDGETS: [Budget; 8] = [
    Budget {
        call: "closed, success, failures counted in a time window",
        unit: Unit::L,
        limits: [1.5, 1.7],
        mark: Mark::FailuresInTime,
        over: None,
        others: (Scenario::Success, Rule::FailuresInTime),
    },
    Budget {
        call: "closed, success, rates over a time window",
        unit: Unit::C,
        limits: [1.25, 1.3],
        mark: Mark::RateInTime,
        over: None,
        others: (Scenario::Success, Rule::RateInTime),
    },
    Budget {
        call: "closed, failure below the limit",
        unit: Unit::I,
        limits: [1.5, 5.0],
        mark: Mark::Failure,
        over: None,
        others: (Scenario::Failure, Rule::FailuresInTime),
    },
    Budget {
        call: "closed, failure under a rate",
        unit: Unit::I,
        limits: [3.0, 8.0],
        mark: Mark::FailureUnderRate,
        over: None,
        others: (Scenario::Failure, Rule::RateInTime),
    },
    Budget {
        call: "open, rejected, with `retry_after`",
        unit: Unit::C,
        limits: [1.3, 1.4],
        mark: Mark::Rejection,
        over: None,
        others: (Scenario::Rejection, Rule::FailuresInTime),
    },
    Budget {
        call: "through the attribute, ready body, no timeout, over the plain async fn",
        unit: Unit::F,
        limits: [1.0, 1.2],
        mark: Mark::Attribute,
        over: Some(Mark::Plain),
        others: (Scenario::Attribute, Rule::FailuresInTime),
    },
    Budget {
        call: "through the attribute, ready body, `timeout`, over the attribute without",
        unit: Unit::I,
        limits: [0.6, 0.6],
        mark: Mark::AttributeTimed,
        over: Some(Mark::Attribute),
        others: (Scenario::Attribute, Rule::FailuresInTime),
    },
    Budget {
        call: "`key` lookup, 64 of 1 000 000 keys, over the attribute without",
        unit: Unit::F,
        limits: [12.0, 14.0],
        mark: Mark::Key,
        over: Some(Mark::Attribute),
        others: (Scenario::Keys, Rule::FailuresInTime),
    },
];

pub(crate) fn table(measured: &Measured) -> String {
    let mut text = String::from(
        "| per call | threads | budget | measured | | best other under the same rule | best other under any |\n\
         |---|---|---|---|---|---|---|\n",
    );
    for budget in &BUDGETS {
        for threads in [1, 2] {
            text += &budget.line(measured, threads);
        }
    }
    text += &memory(measured);
    text
}

impl Budget {
    fn line(&self, measured: &Measured, threads: usize) -> String {
        let (unit, letter) = match self.unit {
            Unit::F => (measured.addition(), "F"),
            Unit::I => (measured.clock(), "I"),
            Unit::L => (nanos_of(measured, Mark::Least, 1), "L"),
            Unit::C => (nanos_of(measured, Mark::LeastAndClock, 1), "C"),
        };
        let limit = self.limits[threads - 1];
        let over = self
            .over
            .map_or(0.0, |mark| nanos_of(measured, mark, threads));
        let nanos = nanos_of(measured, self.mark, threads) - over;
        let ratio = nanos / unit;
        let (scenario, rule) = self.others;
        format!(
            "| {} | {threads} | {limit} {letter} = {} ns | {} ns = {} {letter} | {} | {} | {} |\n",
            self.call,
            figure(limit * unit),
            figure(nanos),
            figure(ratio),
            verdict(ratio, limit, letter),
            best(measured, scenario, Some(rule), threads, (unit, letter)),
            best(measured, scenario, None, threads, (unit, letter)),
        )
    }
}

fn nanos_of(measured: &Measured, mark: Mark, threads: usize) -> f64 {
    measured
        .marked(mark)
        .map_or(f64::NAN, |figures| nanos(figures, threads))
}

fn nanos(figures: &Figures, threads: usize) -> f64 {
    if threads == 1 {
        figures.one.median()
    } else {
        figures.two.median()
    }
}

fn verdict(ratio: f64, limit: f64, letter: &str) -> String {
    if ratio.is_nan() {
        "no round counted".to_owned()
    } else if ratio <= limit {
        format!("met, {} {letter} left", figure(limit - ratio))
    } else {
        format!("**missed** by {} {letter}", figure(ratio - limit))
    }
}

fn best(
    measured: &Measured,
    scenario: Scenario,
    rule: Option<Rule>,
    threads: usize,
    (unit, letter): (f64, &str),
) -> String {
    measured
        .for_scenario(scenario)
        .filter(|figures| !figures.row.is_ours() && !figures.row.library.is_empty())
        .filter(|figures| rule.is_none_or(|rule| figures.row.rule == rule))
        .filter(|figures| !nanos(figures, threads).is_nan())
        .min_by(|one, other| nanos(one, threads).total_cmp(&nanos(other, threads)))
        .map_or("none".to_owned(), |figures| {
            let nanos = nanos(figures, threads);
            format!(
                "{}: {} ns = {} {letter}",
                figures.row.library,
                figure(nanos),
                figure(nanos / unit)
            )
        })
}

fn memory(measured: &Measured) -> String {
    let ours = measured
        .figures
        .iter()
        .filter(|figures| figures.row.is_ours());
    let allocations = ours.map(|figures| figures.allocations).fold(0.0, f64::max);
    let met = |met: bool| if met { "met" } else { "**missed**" };
    let (plain, timed) = measured.futures;
    let key = memory::per_key();
    format!(
        "| allocations, in every state | | none | {} | {} | | |\n\
         | future of the attribute, over the plain one | | 32 bytes | {plain} bytes | {} | | |\n\
         | with a timeout | | 136 bytes | {timed} bytes | {} | | |\n\
         | idle breaker of a key | | 256 bytes | {key} bytes | {} | | |\n\
         | cold build on top of tokio | | 3 s | see [compile time](#compile-time) | | | |\n",
        figure(allocations),
        met(allocations == 0.0),
        met(plain <= 32),
        met(timed <= 136),
        met(key <= 256),
    )
}
