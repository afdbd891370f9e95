//! The facade of the crate `metrics`.

use ::metrics::{Label, counter, describe_counter, describe_gauge, gauge};

use super::metric::{Kind, Metric};
use super::sample::{Sample, Value};
use super::samples::Samples;
use crate::events::contain;

/// Records all samples.
pub(super) fn record(samples: &Samples) {
    for &metric in Metric::ALL {
        // Every time: the recorder may have been installed since.
        contain(|| match metric.kind() {
            Kind::Counter => describe_counter!(metric.name(), metric.help()),
            Kind::Gauge => describe_gauge!(metric.name(), metric.help()),
        });
        // A gauge cannot be taken back, so a ratio that is absent is not a number.
        for sample in samples.with_absent(metric) {
            contain(|| record_sample(metric, &sample));
        }
    }
}

fn record_sample(metric: Metric, sample: &Sample<'_>) {
    let labels = sample.labels();
    let labels: Vec<_> = labels
        .map(|(label, value)| Label::new(label, value.to_owned()))
        .collect();
    match sample.value() {
        Value::Count(count) => counter!(metric.name(), labels).absolute(count),
        Value::Gauge(value) => gauge!(metric.name(), labels).set(value),
    }
}

#[cfg(all(test, not(any(circuit_loom, circuit_shuttle))))]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a recorder that cannot continue fails")]

    use std::collections::BTreeMap;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, Mutex};

    use ::metrics::{
        Counter, CounterFn, Gauge, GaugeFn, Histogram, Key, KeyName, Metadata, Recorder,
        SharedString, Unit, with_local_recorder,
    };

    use crate::{CircuitBreaker, CircuitBreakers, Config, export};

    /// Keeps the latest values of this test's breakers. Panics at those called `panic`, and at the
    /// description of one counter.
    #[derive(Default)]
    struct Latest {
        values: Arc<Mutex<BTreeMap<String, f64>>>,
        has_panicked_at_description: AtomicBool,
    }

    struct Series(Arc<Mutex<BTreeMap<String, f64>>>, String);

    impl Series {
        fn set(&self, value: f64) {
            assert!(!self.1.contains("panic"), "as a test");
            self.0.lock().unwrap().insert(self.1.clone(), value);
        }
    }

    impl CounterFn for Series {
        fn increment(&self, _: u64) {
            unreachable!("counts are absolute");
        }

        fn absolute(&self, value: u64) {
            self.set(u32::try_from(value).unwrap().into());
        }
    }

    impl GaugeFn for Series {
        fn increment(&self, _: f64) {}

        fn decrement(&self, _: f64) {}

        fn set(&self, value: f64) {
            Series::set(self, value);
        }
    }

    impl Latest {
        fn series(&self, key: &Key) -> Arc<Series> {
            let labels = key
                .labels()
                .map(|label| format!("{}={}", label.key(), label.value()));
            let labels = labels.collect::<Vec<_>>().join(" ");
            let name = key.name().strip_prefix("circuit_breaker_").unwrap();
            Arc::new(Series(Arc::clone(&self.values), format!("{name} {labels}")))
        }

        fn get(&self, series: &str) -> Option<f64> {
            self.values.lock().unwrap().get(series).copied()
        }
    }

    impl Recorder for Latest {
        fn describe_counter(&self, _: KeyName, _: Option<Unit>, text: SharedString) {
            let panics = text.contains("would have opened");
            self.has_panicked_at_description
                .fetch_or(panics, Ordering::Relaxed);
            assert!(!panics, "as a test");
        }

        fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

        fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

        fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
            Counter::from_arc(self.series(key))
        }

        fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
            Gauge::from_arc(self.series(key))
        }

        fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
            Histogram::noop()
        }
    }

    #[test]
    fn a_recorder_that_is_installed_late_and_panics_at_times_loses_only_what_it_panics_at() {
        let rate = Config::builder()
            .failure_rate(0.9)
            .last_calls(100)
            .min_calls(3);
        let breaker = CircuitBreaker::new("facade", rate.build().unwrap());
        let panics = CircuitBreaker::new("facade panic", Config::default());
        let hosts = CircuitBreakers::new("facade hosts", Config::default());
        breaker.try_acquire().unwrap().success();
        panics.try_acquire().unwrap().success();
        hosts.get("a").trip();
        export::metrics(); // no recorder yet
        breaker.try_acquire().unwrap().failure();

        let latest = Latest::default();
        with_local_recorder(&latest, export::metrics);
        assert_eq!(
            latest.get("calls_total breaker=facade outcome=success"),
            Some(1.0)
        );
        assert_eq!(
            latest.get("calls_total breaker=facade outcome=failure"),
            Some(1.0)
        );
        let has_panicked = &latest.has_panicked_at_description;
        assert!(has_panicked.load(Ordering::Relaxed));
        assert_eq!(latest.get("withheld_total breaker=facade"), Some(0.0));
        assert_eq!(latest.get("state breaker=facade state=closed"), Some(1.0));
        assert_eq!(latest.get("state breaker=facade state=open"), Some(0.0));
        assert!(latest.get("failure_ratio breaker=facade").unwrap().is_nan());
        assert_eq!(
            latest.get("slow_ratio breaker=facade"),
            None,
            "no rule counts slow calls"
        );
        assert_eq!(
            latest.get("calls_total breaker=facade panic outcome=success"),
            None
        );
        assert_eq!(latest.get("open_keys breaker=facade hosts"), Some(1.0));
        assert_eq!(
            latest.get("state breaker=facade hosts state=open"),
            Some(1.0)
        );

        breaker.try_acquire().unwrap().success();
        panics.trip();
        with_local_recorder(&latest, export::metrics);
        assert_eq!(
            latest.get("calls_total breaker=facade outcome=success"),
            Some(2.0)
        );
        let ratio = latest.get("failure_ratio breaker=facade").unwrap();
        assert!((ratio - 1.0 / 3.0).abs() < 1e-9, "{ratio}");
    }
}
