//! The metrics of all circuit breakers of [`circuit-runtime`], as instruments of OpenTelemetry.
//!
//! [`register`] is all there is. The instruments are those of the table at [`Metric`]: a counter
//! is an observable counter, a gauge an observable gauge, a label an attribute. The module
//! [`export`] explains the labels, and how several breakers of one name are added up.
//!
//! # Examples
//!
//! ```
//! use circuit_runtime::{CircuitBreaker, Config};
//! use opentelemetry::metrics::MeterProvider as _;
//! use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};
//!
//! // In a program, the exporter of opentelemetry-otlp.
//! let exporter = InMemoryMetricExporter::default();
//! let provider = SdkMeterProvider::builder().with_periodic_exporter(exporter.clone()).build();
//! circuit_opentelemetry::register(&provider.meter("circuit-runtime"));
//!
//! let breaker = CircuitBreaker::new("payments", Config::default());
//! breaker.try_acquire()?.success();
//!
//! provider.force_flush()?;
//! let collected = format!("{:?}", exporter.get_finished_metrics()?);
//! assert!(collected.contains("circuit_breaker_calls_total"));
//! assert!(collected.contains("payments"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Names
//!
//! The instruments have the names of the other exporters, and no unit: of some units, exporters
//! make a suffix of the name. So a dashboard or an alert rule for one exporter fits the others.
//!
//! # Counters
//!
//! No counter falls while its series goes on, whatever the temporality. The series of a name end
//! with its last breaker. If a later breaker of that name is created before the next collection,
//! they go on from where they were; otherwise, they begin anew at zero.
//!
//! For this, each reader of the SDK has to collect on a thread of its own, as periodic readers do.
//!
//! # Cost
//!
//! A call pays nothing: the breakers are read when the metrics are collected. The callbacks of one
//! collection share one reading; no value is older than its collection.
//!
//! The keys of a function are always added up. So each name of a breaker has one series of each
//! instrument, but six of `circuit_breaker_calls_total`, three of `circuit_breaker_state` and two
//! of `circuit_breaker_held`: 20 in all, if every instrument applies. The SDK keeps 2000 series
//! of an instrument by default, and adds up those beyond: all are complete up to 333 names. A view
//! with another limit makes room for more.
//!
//! [`circuit-runtime`]: circuit_runtime
//! [`export`]: circuit_runtime::export

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod counts;
mod readings;

use std::sync::Arc;

use circuit_runtime::export::{Kind, Metric, Sample};
use opentelemetry::KeyValue;
use opentelemetry::metrics::Meter;

use self::readings::Readings;

/// Registers an instrument for each [`Metric`] of all breakers, those created later included.
///
/// Counts are absolute, so instruments that are registered after the first call lose nothing. A
/// sample that is absent, such as a ratio below `min_calls`, is not observed.
///
/// Instruments live as long as the provider of their meter. Register them once: a second time on
/// the same meter, each value is observed twice, which changes nothing but the cost; on a meter of
/// another name, all series are exported twice, under two scopes.
///
/// A meter of [`opentelemetry::global`] has no effect unless its provider was set before, by
/// `set_meter_provider`.
///
/// # Examples
///
/// ```
/// use opentelemetry::global;
/// use opentelemetry_sdk::metrics::SdkMeterProvider;
///
/// global::set_meter_provider(SdkMeterProvider::default());
/// circuit_opentelemetry::register(&global::meter("circuit-runtime"));
/// ```
pub fn register(meter: &Meter) {
    let readings = Arc::new(Readings::default());
    for &metric in Metric::ALL {
        let readings = Arc::clone(&readings);
        match metric.kind() {
            Kind::Counter => {
                meter
                    .u64_observable_counter(metric.name())
                    .with_description(metric.help())
                    .with_callback(move |counter| {
                        let reading = readings.reading(metric);
                        for sample in reading.samples.for_metric(metric) {
                            if let Some(count) = reading.counts.get(metric, &sample) {
                                counter.observe(count, &attributes(&sample));
                            }
                        }
                    })
                    .build();
            }
            Kind::Gauge => {
                meter
                    .f64_observable_gauge(metric.name())
                    .with_description(metric.help())
                    .with_callback(move |gauge| {
                        for sample in readings.reading(metric).samples.for_metric(metric) {
                            gauge.observe(sample.value().as_f64(), &attributes(&sample));
                        }
                    })
                    .build();
            }
        }
    }
}

fn attributes(sample: &Sample<'_>) -> Vec<KeyValue> {
    let labels = sample.labels();
    labels
        .map(|(label, value)| KeyValue::new(label, value.to_owned()))
        .collect()
}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
