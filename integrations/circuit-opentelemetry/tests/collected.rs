//! The metrics of breakers as the SDK of OpenTelemetry collects them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

use std::collections::BTreeMap;
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Duration;

use circuit_runtime::export::{Kind, Metric};
use circuit_runtime::{CircuitBreaker, CircuitBreakers, Config};
use opentelemetry::KeyValue;
use opentelemetry::metrics::MeterProvider as _;
use opentelemetry_sdk::metrics::data::{
    AggregatedMetrics, MetricData, ResourceMetrics, ScopeMetrics,
};
use opentelemetry_sdk::metrics::{
    InMemoryMetricExporter, InMemoryMetricExporterBuilder, SdkMeterProvider, Temporality,
};

/// The values of series, by metric and attributes: `state breaker=payments state=open`, without
/// what all names begin with.
type Collected = BTreeMap<String, f64>;

/// A provider with an exporter that keeps what it is given.
struct Sdk {
    provider: SdkMeterProvider,
    exporter: InMemoryMetricExporter,
}

impl Sdk {
    fn new(temporality: Temporality) -> Self {
        let exporter = InMemoryMetricExporterBuilder::new()
            .with_temporality(temporality)
            .build();
        let provider = SdkMeterProvider::builder()
            .with_periodic_exporter(exporter.clone())
            .build();
        Self { provider, exporter }
    }

    fn registered() -> Self {
        let sdk = Self::new(Temporality::Cumulative);
        circuit_opentelemetry::register(&sdk.provider.meter("circuit-runtime"));
        sdk
    }

    /// Collects the series of the breakers whose name begins like this. No two are the same.
    fn collect(&self, breakers: &str) -> Collected {
        self.exporter.reset();
        self.provider.force_flush().unwrap();
        let all = self.exporter.get_finished_metrics().unwrap();
        let scopes = all.iter().flat_map(ResourceMetrics::scope_metrics);
        let mut collected = Collected::new();
        for metric in scopes.flat_map(ScopeMetrics::metrics) {
            let mut add = |value, attributes: Vec<&KeyValue>| {
                let series = series(metric.name(), &attributes);
                if series.contains(&format!("breaker={breakers}")) {
                    let twice = collected.insert(series, value);
                    assert_eq!(twice, None, "{attributes:?}");
                }
            };
            let table = Metric::ALL.iter().find(|it| it.name() == metric.name());
            let &table = table.unwrap();
            assert_eq!(metric.description(), table.help());
            assert_eq!(metric.unit(), "");
            match (table.kind(), metric.data()) {
                (Kind::Counter, AggregatedMetrics::U64(MetricData::Sum(sum))) => {
                    assert!(sum.is_monotonic());
                    for point in sum.data_points() {
                        let value = u32::try_from(point.value()).unwrap();
                        add(value.into(), point.attributes().collect());
                    }
                }
                (Kind::Gauge, AggregatedMetrics::F64(MetricData::Gauge(gauge))) => {
                    for point in gauge.data_points() {
                        add(point.value(), point.attributes().collect());
                    }
                }
                (_, data) => panic!("{table:?} is {data:?}"),
            }
        }
        collected
    }
}

fn series(metric: &str, attributes: &[&KeyValue]) -> String {
    let name = metric.strip_prefix("circuit_breaker_").unwrap();
    let attributes = attributes
        .iter()
        .map(|it| format!(" {}={}", it.key, it.value));
    name.to_owned() + &attributes.collect::<String>()
}

/// Returns the series of a metric, with their values.
fn of<'c>(collected: &'c Collected, metric: &str) -> Vec<(&'c str, f64)> {
    let series = collected.iter();
    series
        .filter_map(|(series, &value)| {
            let (name, attributes) = series.split_once(' ')?;
            (name == metric).then_some((attributes, value))
        })
        .collect()
}

/// Makes one call of each outcome, two of them slow, and one that is rejected.
async fn call_in_every_way(breaker: &CircuitBreaker) {
    breaker.try_acquire().unwrap().success();
    breaker.try_acquire().unwrap().failure();
    breaker.try_acquire().unwrap().ignore();
    drop(breaker.try_acquire().unwrap());
    let panics = || breaker.call_blocking(|| -> Result<(), ()> { panic!("as a test") });
    catch_unwind(AssertUnwindSafe(panics)).unwrap_err();
    breaker.call(pending::<Result<(), ()>>()).await.unwrap_err();
    let slow = breaker.try_acquire().unwrap();
    tokio::time::advance(Duration::from_millis(15)).await;
    slow.success();
    breaker.force_open();
    breaker.try_acquire().unwrap_err();
    breaker.reset();
}

fn rates() -> Config {
    let rates = Config::builder()
        .failure_rate(0.9)
        .last_calls(100)
        .slow_call(Duration::from_millis(10))
        .slow_rate(0.9)
        .timeout(Duration::from_millis(20))
        .min_calls(3);
    rates.build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn every_metric_arrives_with_its_labels_and_values() {
    let sdk = Sdk::registered();
    let breaker = CircuitBreaker::new("each", rates());
    call_in_every_way(&breaker).await;
    breaker.force_closed();
    for _ in 0..3 {
        breaker.try_acquire().unwrap().failure(); // the third would have opened it
    }
    breaker.try_acquire().unwrap().success();
    for _ in 0..3 {
        breaker.try_acquire().unwrap().failure();
    }
    tokio::time::advance(Duration::from_millis(1500)).await;
    // Reads the paused clock, which the thread that collects does not.
    let _ = breaker.snapshot();

    let hosts = CircuitBreakers::new("each-host", Config::default());
    hosts.get("a").trip();

    let collected = sdk.collect("each");
    let each = |metric| {
        let series = of(&collected, metric).into_iter();
        let own = series
            .filter_map(|(series, value)| Some((series.strip_prefix("breaker=each")?, value)));
        own.filter(|(series, _)| !series.starts_with("-host"))
            .collect::<Vec<_>>()
    };
    let calls = [
        (" outcome=cancelled", 1.0),
        (" outcome=failure", 7.0),
        (" outcome=ignored", 1.0),
        (" outcome=panic", 1.0),
        (" outcome=success", 3.0),
        (" outcome=timeout", 1.0),
    ];
    assert_eq!(each("calls_total"), calls);
    assert_eq!(each("rejected_total"), [("", 1.0)]);
    assert_eq!(each("slow_calls_total"), [("", 2.0)]);
    assert_eq!(each("opened_total"), [("", 1.0)]);
    assert_eq!(each("withheld_total"), [("", 1.0)]);
    let state = [
        (" state=closed", 1.0),
        (" state=half-open", 0.0),
        (" state=open", 0.0),
    ];
    assert_eq!(each("state"), state);
    assert_eq!(each("held"), [(" hold=closed", 1.0), (" hold=open", 0.0)]);
    assert_eq!(each("failure_ratio"), [("", 0.75)]);
    assert_eq!(each("slow_ratio"), [("", 0.0)]);
    assert_eq!(each("window_calls"), [("", 4.0)]);
    assert!(matches!(*each("state_seconds"), [("", seconds)] if seconds >= 1.5));
    assert_eq!(each("open_keys"), []);
    assert_eq!(
        of(&collected, "open_keys"),
        [("breaker=each-host", 1.0)],
        "no other has keys"
    );
    for metric in Metric::ALL {
        let name = metric.name().strip_prefix("circuit_breaker_").unwrap();
        assert_ne!(of(&collected, name), [], "{metric:?} is not tested");
    }
}

#[tokio::test(start_paused = true)]
async fn outcomes_add_up_to_the_calls() {
    let sdk = Sdk::registered();
    let breaker = CircuitBreaker::new("outcomes", rates());
    call_in_every_way(&breaker).await;
    let outcomes = of_values(&sdk.collect("outcomes"), "calls_total");
    assert_eq!(outcomes.len(), 6);
    assert!(outcomes.iter().all(|&calls| calls >= 1.0));
    let calls: f64 = outcomes.iter().sum();
    assert!((calls - 7.0).abs() < f64::EPSILON, "{calls}");
}

fn of_values(collected: &Collected, metric: &str) -> Vec<f64> {
    of(collected, metric)
        .into_iter()
        .map(|(_, value)| value)
        .collect()
}

#[test]
fn keys_and_breakers_of_one_name_are_added_up() {
    let sdk = Sdk::registered();
    let hosts = CircuitBreakers::new("sum", Config::default());
    let same = CircuitBreaker::new("sum", Config::default());
    for host in ["a", "b", "c"] {
        hosts.get(host).try_acquire().unwrap().success();
    }
    same.try_acquire().unwrap().success();
    hosts.get("b").trip();
    let collected = sdk.collect("sum");
    let calls = of(&collected, "calls_total");
    assert!(
        calls.contains(&("breaker=sum outcome=success", 4.0)),
        "{calls:?}"
    );
    assert_eq!(calls.len(), 6);
    assert_eq!(of(&collected, "open_keys"), [("breaker=sum", 1.0)]);
    let state = of(&collected, "state");
    assert!(
        state.contains(&("breaker=sum state=open", 1.0)),
        "the worst: {state:?}"
    );
}

#[test]
fn instruments_that_are_registered_late_lose_nothing() {
    let breaker = CircuitBreaker::new("late", Config::default());
    breaker.try_acquire().unwrap().success();
    let sdk = Sdk::new(Temporality::Cumulative);
    assert_eq!(sdk.collect("late"), Collected::new());
    breaker.try_acquire().unwrap().success();

    circuit_opentelemetry::register(&sdk.provider.meter("circuit-runtime"));
    let success = ("breaker=late outcome=success", 2.0);
    assert!(of(&sdk.collect("late"), "calls_total").contains(&success));
}

#[test]
fn a_breaker_that_is_created_after_the_instruments_is_collected_until_it_is_dropped() {
    let sdk = Sdk::registered();
    assert_eq!(sdk.collect("created"), Collected::new());
    let breaker = CircuitBreaker::new("created", Config::default());
    assert_ne!(sdk.collect("created"), Collected::new());
    drop(breaker);
    assert_eq!(sdk.collect("created"), Collected::new());
}

#[test]
fn a_ratio_is_collected_only_while_there_is_one() {
    let sdk = Sdk::registered();
    let breaker = CircuitBreaker::new("ratio", rates());
    let ratio = || of_values(&sdk.collect("ratio"), "failure_ratio");
    for expected in [vec![], vec![], vec![], vec![0.0]] {
        assert_eq!(ratio(), expected);
        breaker.try_acquire().unwrap().success();
    }
    breaker.reset();
    assert_eq!(ratio(), [0.0; 0]);
}

#[test]
fn each_collection_reads_the_calls_since_the_one_before() {
    let sdk = Sdk::new(Temporality::Delta);
    circuit_opentelemetry::register(&sdk.provider.meter("circuit-runtime"));
    let breaker = CircuitBreaker::new("since", Config::default());
    for calls in [3, 0, 2] {
        for _ in 0..calls {
            breaker.try_acquire().unwrap().success();
        }
        let success = ("breaker=since outcome=success", f64::from(calls));
        assert!(of(&sdk.collect("since"), "calls_total").contains(&success));
    }
}

#[test]
fn a_second_registration_changes_no_value() {
    let sdk = Sdk::registered();
    circuit_opentelemetry::register(&sdk.provider.meter("circuit-runtime"));
    let breaker = CircuitBreaker::new("twice", Config::default());
    breaker.try_acquire().unwrap().success();
    let calls = of_values(&sdk.collect("twice"), "calls_total");
    assert_eq!(calls.iter().sum::<f64>().to_bits(), 1.0_f64.to_bits());
}

#[test]
fn names_arrive_as_they_are() {
    let sdk = Sdk::registered();
    let name = "odd \"quoted\" \\ \n é <".repeat(10);
    let breaker = CircuitBreaker::new(name.clone(), Config::default());
    breaker.trip();
    let opened = format!("breaker={name}");
    assert_eq!(of(&sdk.collect("odd"), "opened_total"), [(&*opened, 1.0)]);
}

#[test]
fn several_readers_collect_at_the_same_time() {
    let exporters = [(); 3].map(|()| InMemoryMetricExporter::default());
    let [a, b, c] = exporters.clone();
    let provider = SdkMeterProvider::builder()
        .with_periodic_exporter(a)
        .with_periodic_exporter(b)
        .with_periodic_exporter(c)
        .build();
    circuit_opentelemetry::register(&provider.meter("circuit-runtime"));
    let breaker = CircuitBreaker::new("readers", Config::default());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..20 {
                    breaker.try_acquire().unwrap().success();
                    provider.force_flush().unwrap();
                }
            });
        }
    });
    for exporter in exporters {
        let sdk = Sdk {
            provider: provider.clone(),
            exporter,
        };
        let success = ("breaker=readers outcome=success", 80.0);
        assert!(of(&sdk.collect("readers"), "calls_total").contains(&success));
    }
}

#[test]
fn no_difference_falls_below_zero_when_breakers_of_a_name_are_dropped() {
    let sdk = Sdk::new(Temporality::Delta);
    circuit_opentelemetry::register(&sdk.provider.meter("circuit-runtime"));
    let name = "delta";
    let called = |calls: u32| {
        let breaker = CircuitBreaker::new(name, Config::default());
        (0..calls).for_each(|_| breaker.try_acquire().unwrap().success());
        breaker
    };
    let collect = || {
        let collected = sdk.collect(name);
        let success = collected.get("calls_total breaker=delta outcome=success");
        success.copied()
    };
    let first = called(100);
    assert_eq!(collect(), Some(100.0));
    let second = called(2);
    drop(first);
    assert_eq!(collect(), Some(2.0), "another of the name is in use");
    drop(second);
    let third = called(5);
    assert_eq!(collect(), Some(5.0), "the name is used anew");
    third.try_acquire().unwrap().success();
    assert_eq!(collect(), Some(1.0));
    drop(third);
    assert_eq!(collect(), None);
    let _fourth = called(7);
    assert_eq!(collect(), Some(7.0), "the series has ended");
}
