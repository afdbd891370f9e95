//! A column of the table for each library, as one line of text.

use crate::measure::{Measured, measure, median};
use crate::scenarios::{self, Found};
use crate::subject::Subject;

/// The rounds of each library, in turns with the others.
const ROUNDS: usize = 7;

/// The results of a library.
pub(crate) struct Column {
    title: &'static str,
    found: Vec<Found>,
    rounds: Vec<Measured>,
    round: fn() -> Measured,
}

impl Column {
    pub(crate) fn new<S: Subject>() -> Self {
        Self {
            title: S::TITLE,
            found: scenarios::run::<S>().into(),
            rounds: Vec::new(),
            round: measure::<S>,
        }
    }

    /// Returns the cells: the title, an outcome for each rule, and the measurements.
    fn cells(&self) -> Vec<String> {
        let mut cells = vec![self.title.to_owned()];
        cells.extend(self.found.iter().map(|found| match found {
            Ok(()) => "holds".to_owned(),
            Err(how) => format!("breaks: {how}"),
        }));
        let median_of = |value: fn(&Measured) -> f64| {
            format!("{:.0}", median(self.rounds.iter().map(value).collect()))
        };
        cells.push(median_of(|measured| measured.closed));
        cells.push(median_of(|measured| measured.open));
        if let Some(measured) = self.rounds.first() {
            cells.push(measured.allocations.to_string());
            cells.push(measured.size.to_string());
        }
        cells
    }
}

/// Measures the libraries in turns, and prints a line for each.
pub(crate) fn lines(mut columns: Vec<Column>) -> Vec<String> {
    for _ in 0..ROUNDS {
        for column in &mut columns {
            column.rounds.push((column.round)());
        }
    }
    let lines = columns.iter().map(|column| column.cells().join("\t"));
    lines.collect()
}
