//! Figures from several rounds.

use std::time::Duration;

#[derive(Clone, Debug, Default)]
pub(crate) struct Samples(Vec<f64>);

impl Samples {
    pub(crate) fn add(&mut self, sample: f64) {
        self.0.push(sample);
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        match sorted.len() {
            0 => f64::NAN,
            count if count % 2 == 1 => sorted[count / 2],
            count => f64::midpoint(sorted[count / 2 - 1], sorted[count / 2]),
        }
    }

    pub(crate) fn greatest(&self) -> f64 {
        self.0.iter().copied().fold(f64::NAN, f64::max)
    }

    pub(crate) fn least(&self) -> f64 {
        self.0.iter().copied().fold(f64::NAN, f64::min)
    }
}

#[expect(clippy::cast_precision_loss, reason = "lengths of a few milliseconds")]
pub(crate) fn nanos_of(duration: Duration) -> f64 {
    duration.as_nanos() as f64
}

/// Formats a number with its significant digits.
pub(crate) fn figure(number: f64) -> String {
    match number {
        number if number.is_nan() => "-".to_owned(),
        number if number.abs() < 10.0 => format!("{number:.2}"),
        number if number.abs() < 100.0 => format!("{number:.1}"),
        number => format!("{number:.0}"),
    }
}
