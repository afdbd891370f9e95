//! The metrics of all breakers, and their text in the format of Prometheus.

#![allow(
    clippy::float_cmp,
    reason = "counts, and quotients that are exact in binary or rounded the same"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use crate::support::{advance, fail, half_open, millis, pending_call, seconds, succeed, trip};
use circuit_runtime::export::{self, Kind, Metric, Prometheus};
use circuit_runtime::{CallError, CircuitBreaker, CircuitBreakers, Config, ConfigBuilder};

/// The labels of a series, without the empty ones, which mean the same as absent ones.
type Labels = BTreeMap<String, String>;

/// The series of an exposition, by metric.
struct Exposition(BTreeMap<String, BTreeMap<Labels, f64>>);

impl Exposition {
    /// Parses the text format, version 0.0.4, and fails at whatever is not in it.
    fn parse(text: &str) -> Self {
        let mut metrics = BTreeMap::<String, BTreeMap<Labels, f64>>::new();
        let mut current = None;
        assert!(text.ends_with('\n'), "the last line ends, too");
        assert!(!text.contains('\0'));
        let mut lines = text.strip_suffix('\n').unwrap().split('\n');
        while let Some(line) = lines.next() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, help) = help.split_once(' ').unwrap();
                assert!(!help.is_empty() && !help.contains('\\'), "{help}");
                let kind = lines.next().unwrap().strip_prefix("# TYPE ").unwrap();
                let (typed, kind) = kind.split_once(' ').unwrap();
                assert_eq!(typed, name);
                assert!(["counter", "gauge"].contains(&kind), "{kind}");
                assert!(metrics.insert(name.to_owned(), BTreeMap::new()).is_none());
                current = Some(name);
                continue;
            }
            let name = current.unwrap();
            let rest = line.strip_prefix(name).unwrap().strip_prefix('{').unwrap();
            let (labels, value) = Self::labels(rest);
            let value = value.strip_prefix(' ').unwrap().parse().unwrap();
            let series = metrics.get_mut(name).unwrap();
            assert!(series.insert(labels, value).is_none(), "twice: {line}");
        }
        Self(metrics)
    }

    /// Parses labels up to the closing brace, and returns the rest.
    fn labels(mut rest: &str) -> (Labels, &str) {
        let mut labels = Labels::new();
        loop {
            let (name, value) = rest.split_once("=\"").unwrap();
            assert!(name.bytes().all(|b| b.is_ascii_lowercase()), "{name}");
            let mut text = String::new();
            let mut chars = value.chars();
            loop {
                match chars.next().unwrap() {
                    '"' => break,
                    '\\' => text.push(match chars.next().unwrap() {
                        'n' => '\n',
                        it @ ('\\' | '"') => it,
                        it => panic!("{it} is escaped"),
                    }),
                    it => text.push(it),
                }
            }
            if !text.is_empty() {
                assert!(labels.insert(name.to_owned(), text).is_none());
            }
            rest = chars.as_str();
            match rest.split_at(1) {
                (",", more) => rest = more,
                ("}", more) => return (labels, more),
                (it, _) => panic!("`{it}` after a label"),
            }
        }
    }

    fn now() -> Self {
        let mut text = String::new();
        export::prometheus(&mut text).unwrap();
        Self::parse(&text)
    }

    fn by_key(prometheus: &Prometheus) -> Self {
        let mut text = String::new();
        prometheus.write(&mut text).unwrap();
        Self::parse(&text)
    }

    fn get(&self, metric: Metric, labels: &[(&str, &str)]) -> Option<f64> {
        let labels = labels
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        self.0[metric.name()].get(&labels.collect()).copied()
    }

    /// Returns the only value of a metric without labels of its own.
    fn of(&self, metric: Metric, breaker: &str) -> Option<f64> {
        self.get(metric, &[("breaker", breaker)])
    }

    fn outcomes(&self, breaker: &str) -> [f64; 6] {
        let outcomes = [
            "success",
            "failure",
            "timeout",
            "panic",
            "ignored",
            "cancelled",
        ];
        outcomes.map(|outcome| {
            let labels = [("breaker", breaker), ("outcome", outcome)];
            self.get(Metric::Calls, &labels).unwrap()
        })
    }

    /// Returns the value for closed, half-open and open.
    fn states(&self, breaker: &str) -> [f64; 3] {
        ["closed", "half-open", "open"].map(|state| {
            let labels = [("breaker", breaker), ("state", state)];
            self.get(Metric::State, &labels).unwrap()
        })
    }

    /// Returns the value for held closed and held open.
    fn holds(&self, breaker: &str) -> [f64; 2] {
        ["closed", "open"].map(|hold| {
            let labels = [("breaker", breaker), ("hold", hold)];
            self.get(Metric::Held, &labels).unwrap()
        })
    }

    /// Returns the counters of a breaker, all its keys included.
    fn counters(&self, breaker: &str) -> BTreeMap<(String, Labels), f64> {
        let counters = Metric::ALL.iter().filter(|it| it.kind() == Kind::Counter);
        let series = counters.flat_map(|metric| {
            let name = metric.name();
            self.0[name]
                .iter()
                .map(move |(labels, value)| ((name.to_owned(), labels.clone()), *value))
        });
        series
            .filter(|((_, labels), _)| labels.get("breaker").is_some_and(|it| it == breaker))
            .collect()
    }
}

fn breaker(name: &'static str, config: ConfigBuilder) -> CircuitBreaker {
    CircuitBreaker::new(name, config.build().unwrap())
}

#[test]
fn every_metric_has_a_help_and_a_type_and_all_names_are_different() {
    let text = Exposition::now();
    let names: BTreeSet<_> = Metric::ALL.iter().map(|metric| metric.name()).collect();
    assert_eq!(names.len(), Metric::ALL.len());
    assert!(text.0.keys().map(String::as_str).eq(names));
}

#[tokio::test(start_paused = true)]
async fn the_outcomes_of_calls_are_disjoint_and_add_up_to_the_calls() {
    let name = "export::outcomes";
    let breaker = breaker(
        name,
        Config::builder().max_failures(100).timeout(seconds(1)),
    );
    succeed(&breaker);
    (0..2).for_each(|_| fail(&breaker));
    for _ in 0..3 {
        let call = breaker.call(std::future::pending::<Result<(), ()>>());
        assert!(matches!(call.await, Err(CallError::Circuit(_))));
    }
    for _ in 0..4 {
        let call = || breaker.call_blocking(|| -> Result<(), ()> { panic!("as a test") });
        assert!(catch_unwind(AssertUnwindSafe(call)).is_err());
    }
    (0..5).for_each(|_| breaker.try_acquire().unwrap().ignore());
    (0..6).for_each(|_| drop(pending_call(&breaker)));
    breaker.force_open();
    (0..7).for_each(|_| assert!(breaker.try_acquire().is_err()));

    let text = Exposition::now();
    assert_eq!(text.outcomes(name), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    assert_eq!(text.of(Metric::Rejected, name), Some(7.0));
    assert_eq!(text.of(Metric::Opened, name), Some(1.0));
    assert_eq!(text.of(Metric::Withheld, name), Some(0.0));
    assert_eq!(text.of(Metric::OpenKeys, name), None);
}

#[tokio::test(start_paused = true)]
async fn the_state_has_all_three_values_and_seconds_and_holds_are_shown() {
    let name = "export::state";
    let breaker = breaker(name, Config::builder().max_failures(1));
    assert_eq!(Exposition::now().states(name), [1.0, 0.0, 0.0]);
    advance(seconds(5)).await;
    assert_eq!(Exposition::now().of(Metric::StateSeconds, name), Some(5.0));
    trip(&breaker);
    assert_eq!(Exposition::now().states(name), [0.0, 0.0, 1.0]);
    advance(millis(1_500)).await;
    assert_eq!(Exposition::now().of(Metric::StateSeconds, name), Some(1.5));
    breaker.reset();
    half_open(&breaker).await;
    assert_eq!(Exposition::now().states(name), [0.0, 1.0, 0.0]);
    assert_eq!(Exposition::now().holds(name), [0.0, 0.0]);
    breaker.force_open();
    assert_eq!(Exposition::now().holds(name), [0.0, 1.0]);
    breaker.force_closed();
    fail(&breaker);
    let text = Exposition::now();
    assert_eq!(text.holds(name), [1.0, 0.0]);
    assert_eq!(text.of(Metric::Withheld, name), Some(1.0));
}

#[tokio::test(start_paused = true)]
async fn ratios_are_absent_below_min_calls_and_without_rules_that_count_calls() {
    let name = "export::ratios";
    let rules = Config::builder().window(seconds(60)).min_calls(4);
    let breaker = breaker(
        name,
        rules.failure_rate(0.9).slow_call(seconds(1)).slow_rate(0.9),
    );
    (0..2).for_each(|_| succeed(&breaker));
    fail(&breaker);
    let text = Exposition::now();
    assert_eq!(text.of(Metric::FailureRatio, name), None);
    assert_eq!(text.of(Metric::SlowRatio, name), None);
    assert_eq!(text.of(Metric::WindowCalls, name), Some(3.0));

    let slow = breaker.try_acquire().unwrap();
    let overdue = breaker.try_acquire().unwrap();
    advance(seconds(2)).await;
    slow.success();
    let text = Exposition::now();
    assert_eq!(text.of(Metric::FailureRatio, name), Some(0.25));
    assert_eq!(
        text.of(Metric::SlowRatio, name),
        Some(0.4),
        "one of five is in flight"
    );
    assert_eq!(text.of(Metric::WindowCalls, name), Some(4.0));
    assert_eq!(text.of(Metric::SlowCalls, name), Some(1.0));
    overdue.success();
    assert_eq!(Exposition::now().of(Metric::SlowCalls, name), Some(2.0));

    let name = "export::no ratios";
    let _consecutive = self::breaker(name, Config::builder().max_failures(5));
    let text = Exposition::now();
    for metric in [Metric::FailureRatio, Metric::SlowRatio, Metric::WindowCalls] {
        assert_eq!(text.of(metric, name), None);
    }
}

#[tokio::test(start_paused = true)]
async fn breakers_of_one_name_are_added_up_and_show_the_worst_state() {
    let name = "export::twins";
    let rate = Config::builder()
        .failure_rate(0.6)
        .last_calls(100)
        .min_calls(2);
    let [first, second, third] = [(); 3].map(|()| breaker(name, rate));
    succeed(&first);
    fail(&second);
    fail(&third);
    succeed(&third);
    let text = Exposition::now();
    assert_eq!(text.outcomes(name), [2.0, 2.0, 0.0, 0.0, 0.0, 0.0]);
    assert_eq!(text.of(Metric::FailureRatio, name), Some(0.5));
    assert_eq!(text.of(Metric::WindowCalls, name), Some(4.0));

    first.trip();
    advance(seconds(30)).await;
    second.force_closed();
    assert_eq!(Exposition::now().states(name), [0.0, 1.0, 0.0]);
    assert_eq!(Exposition::now().holds(name), [1.0, 0.0]);
    third.force_open();
    advance(seconds(2)).await;
    let text = Exposition::now();
    assert_eq!(text.states(name), [0.0, 0.0, 1.0]);
    assert_eq!(text.holds(name), [0.0, 1.0]);
    assert_eq!(
        text.of(Metric::StateSeconds, name),
        Some(2.0),
        "of the open one"
    );
    assert_eq!(text.of(Metric::Opened, name), Some(2.0));
}

#[test]
fn the_totals_of_a_dropped_breaker_stay_while_another_of_its_name_is_in_use() {
    let name = "export::dropped";
    let [first, second] = [(); 2].map(|()| breaker(name, Config::builder()));
    succeed(&first);
    drop(first);
    succeed(&second);
    assert_eq!(Exposition::now().outcomes(name)[0], 2.0, "first export");
    let third = breaker(name, Config::builder());
    (0..3).for_each(|_| succeed(&third));
    drop(second);
    third.trip();
    let text = Exposition::now();
    assert_eq!(text.outcomes(name)[0], 5.0);
    assert_eq!(text.of(Metric::Opened, name), Some(1.0));
    let fourth = breaker(name, Config::builder());
    drop(third);
    assert_eq!(Exposition::now().of(Metric::Opened, name), Some(1.0));
    drop(fourth);
    assert_eq!(Exposition::now().of(Metric::Rejected, name), None);
    let _anew = breaker(name, Config::builder());
    assert_eq!(Exposition::now().outcomes(name)[0], 0.0);
}

#[test]
fn the_totals_of_dropped_keys_stay_while_others_of_their_function_are_in_use() {
    let name = "export::dropped keys";
    let create = || CircuitBreakers::new(name, Config::default()).max_keys(2);
    let prometheus = Prometheus::new().keys(1);
    let [first, second] = [(); 2].map(|()| create());
    for key in 0..10 {
        succeed(&first.get(&key.to_string()));
    }
    second.get("a").trip();
    drop(first);
    let text = Exposition::now();
    assert_eq!(text.outcomes(name)[0], 10.0);
    assert_eq!(text.of(Metric::Opened, name), Some(1.0));
    let by_key = Exposition::by_key(&prometheus).counters(name);
    let calls = by_key
        .iter()
        .filter(|((metric, _), _)| metric == Metric::Calls.name());
    assert_eq!(calls.map(|(_, value)| value).sum::<f64>(), 10.0);
}

#[test]
fn names_that_look_the_same_are_one_series_when_one_is_dropped() {
    let names = ["export::z\0", "export::z\u{fffd}"];
    let [first, second] = names.map(|name| breaker(name, Config::builder()));
    succeed(&first);
    succeed(&second);
    drop(second);
    assert_eq!(Exposition::now().outcomes(names[1])[0], 2.0);
    drop(first);
    assert_eq!(Exposition::now().of(Metric::Rejected, names[1]), None);
}

#[test]
fn no_counter_falls_while_threads_create_and_drop_breakers_of_one_name() {
    const THREADS: u32 = 4;
    const BREAKERS: u32 = 2_000;
    let name = "export::churn";
    let _kept = breaker(name, Config::builder());
    let running = AtomicU32::new(THREADS);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..BREAKERS {
                    succeed(&breaker(name, Config::builder()));
                }
                running.fetch_sub(1, Ordering::Release);
            });
        }
        let mut before = 0.0;
        loop {
            let is_last = running.load(Ordering::Acquire) == 0;
            let [now, ..] = Exposition::now().outcomes(name);
            assert!(now >= before, "{now} < {before}");
            before = now;
            if is_last {
                break;
            }
        }
        assert_eq!(before, f64::from(THREADS * BREAKERS));
    });
}

#[test]
fn every_name_is_one_series_and_is_read_back_as_it_was() {
    let names = [
        "export \"quoted\"",
        "export\\back\\\\slash\\",
        "export\nnew\nline",
        "export\\nno new line",
        "export <generic>",
        "export größe 断路器 🔌",
        "export ,}{=\"",
        "export\rcarriage\treturn",
        "export[key]",
        "export[",
    ];
    let long = "export ".repeat(29);
    let names: Vec<_> = names.map(str::to_owned).into_iter().chain([long]).collect();
    let breakers: Vec<_> = names
        .iter()
        .map(|name| CircuitBreaker::new(name.clone(), Config::default()))
        .collect();
    let keyed = CircuitBreakers::new("export", Config::default());
    let keys = [
        "key",
        "",
        "other",
        "\"",
        "\\",
        "\n",
        "<>",
        "ß",
        "]",
        "a\0b",
        "a\u{fffd}b",
    ];
    for key in keys {
        succeed(&keyed.get(key));
    }
    breakers.iter().for_each(succeed);
    let zero = ["export\0", "export\u{fffd}"];
    let zero = zero.map(|name| CircuitBreaker::new(name, Config::default()));
    zero.iter().for_each(succeed);

    let text = Exposition::now();
    for name in &names {
        assert_eq!(text.outcomes(name)[0], 1.0, "{name:?}");
    }
    assert_eq!(text.outcomes("export")[0], 11.0);
    assert_eq!(text.outcomes("export\u{fffd}")[0], 2.0);

    let text = Exposition::by_key(&Prometheus::new().keys(100));
    let calls = |key| {
        let labels = [("breaker", "export"), ("outcome", "success"), ("key", key)];
        let labels: Vec<_> = labels
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .collect();
        text.get(Metric::Calls, &labels)
    };
    for key in &keys[..9] {
        assert_eq!(calls(key), Some(1.0), "{key:?}");
    }
    assert_eq!(calls("a\u{fffd}b"), Some(2.0));
    assert_eq!(
        text.outcomes("export[key]")[0],
        1.0,
        "a breaker without keys"
    );
}

#[test]
fn keys_are_added_up_under_their_function() {
    let name = "export::keyed";
    let hosts = CircuitBreakers::new(name, Config::default());
    let text = Exposition::now();
    assert_eq!(text.of(Metric::OpenKeys, name), Some(0.0), "without a key");
    assert_eq!(text.states(name), [1.0, 0.0, 0.0]);
    for key in 0..10 {
        succeed(&hosts.get(&key.to_string()));
    }
    hosts.get("3").trip();
    hosts.get("4").force_open();
    let also = breaker(name, Config::builder());
    also.force_open();
    let text = Exposition::now();
    assert_eq!(text.outcomes(name)[0], 10.0);
    assert_eq!(text.of(Metric::OpenKeys, name), Some(2.0));
    assert_eq!(text.of(Metric::Opened, name), Some(3.0));
    assert_eq!(text.states(name), [0.0, 0.0, 1.0]);
    assert!(
        text.counters(name)
            .keys()
            .all(|(_, labels)| !labels.contains_key("key"))
    );
}

#[test]
fn an_evicted_key_leaves_its_totals_to_its_function() {
    let name = "export::evicted";
    let config = Config::builder().max_failures(2).build().unwrap();
    let hosts = CircuitBreakers::new(name, config).max_keys(1);
    let held = hosts.get("held");
    for round in 1..=1_000_u32 {
        let host = hosts.get(&format!("host {round}"));
        succeed(&host);
        host.trip();
        assert!(host.try_acquire().is_err());
        host.reset();
        succeed(&held);
        drop(host);
        if round % 100 == 0 {
            let text = Exposition::now();
            let round = f64::from(round);
            assert_eq!(text.outcomes(name)[0], 2.0 * round);
            assert_eq!(text.of(Metric::Rejected, name), Some(round));
            assert_eq!(text.of(Metric::Opened, name), Some(round));
        }
    }
    assert!(hosts.all().len() < 5);
}

#[test]
fn the_keys_in_the_worst_state_are_shown_and_the_rest_is_other() {
    let name = "export::top";
    let hosts = CircuitBreakers::new(name, Config::default());
    for key in 0..10 {
        succeed(&hosts.get(&key.to_string()));
    }
    (0..3).for_each(|_| fail(&hosts.get("7")));
    hosts.get("5").trip();
    let prometheus = Prometheus::new().keys(2);
    let calls = |key, outcome| {
        let labels = [("breaker", name), ("key", key), ("outcome", outcome)];
        Exposition::by_key(&prometheus).get(Metric::Calls, &labels)
    };
    assert_eq!(calls("5", "success"), Some(1.0));
    assert_eq!(calls("7", "failure"), Some(3.0));
    assert_eq!(calls("other", "success"), Some(8.0));
    assert_eq!(calls("0", "success"), None);

    // A key that takes over the series of another begins with its calls from then on.
    hosts.get("5").reset();
    hosts.get("0").trip();
    assert_eq!(calls("0", "success"), Some(0.0));
    assert_eq!(calls("5", "success"), None);
    assert_eq!(
        calls("other", "success"),
        Some(8.0),
        "what was shown is not shown again"
    );
    hosts.get("0").reset();
    succeed(&hosts.get("0"));
    hosts.get("0").trip();
    succeed(&hosts.get("5"));
    assert_eq!(calls("0", "success"), Some(1.0));
    assert_eq!(calls("other", "success"), Some(9.0));

    let text = Exposition::by_key(&prometheus);
    assert_eq!(text.of(Metric::OpenKeys, name), Some(1.0));
    let open = |key| {
        text.get(
            Metric::State,
            &[("breaker", name), ("key", key), ("state", "open")],
        )
    };
    assert_eq!(
        [open("0"), open("7"), open("other")],
        [Some(1.0), Some(0.0), Some(0.0)]
    );
    assert_eq!(text.of(Metric::Rejected, name), None, "only by key");
}

/// Exports until eight threads have called, and evicted, many keys.
fn is_monotone(name: &'static str, read: impl Fn() -> Exposition + Sync) -> Exposition {
    const THREADS: usize = 8;
    const CALLS: usize = 2_000;
    let config = Config::builder()
        .failure_rate(0.5)
        .last_calls(10)
        .min_calls(2);
    let hosts = CircuitBreakers::new(name, config.build().unwrap()).max_keys(20);
    let begin = Barrier::new(THREADS + 1);
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        let callers: Vec<_> = (0..THREADS)
            .map(|thread| {
                let (hosts, begin) = (&hosts, &begin);
                scope.spawn(move || {
                    begin.wait();
                    for call in 0..CALLS {
                        let host = hosts.get(&((call * 7 + thread * 13) % 150).to_string());
                        if call % 50 == 49 {
                            host.trip();
                            host.reset();
                        }
                        match host.try_acquire() {
                            Ok(permit) if call % 3 == 0 => permit.failure(),
                            Ok(permit) => permit.success(),
                            Err(_) => host.reset(),
                        }
                    }
                })
            })
            .collect();
        let reader = scope.spawn(|| {
            begin.wait();
            let mut before = BTreeMap::new();
            loop {
                let is_last = ended.load(Ordering::Acquire);
                let now = read().counters(name);
                for (series, value) in &now {
                    let before = before.get(series).copied().unwrap_or(0.0);
                    let key = series.1.get("key").filter(|key| *key != "other");
                    // The series of a key may end, and begin anew.
                    assert!(
                        *value >= before || key.is_some(),
                        "{series:?}: {value} < {before}"
                    );
                }
                before = now;
                if is_last {
                    break;
                }
            }
        });
        let callers: Vec<_> = callers
            .into_iter()
            .map(thread::ScopedJoinHandle::join)
            .collect();
        ended.store(true, Ordering::Release);
        reader.join().unwrap();
        assert!(callers.iter().all(Result::is_ok));
    });
    let text = Exposition::now();
    let ended: f64 = text.outcomes(name).iter().sum();
    let all = ended + text.of(Metric::Rejected, name).unwrap();
    assert_eq!(
        all,
        f64::from(u32::try_from(THREADS * CALLS).unwrap()),
        "none is lost or twice"
    );
    read()
}

#[test]
fn no_counter_falls_while_threads_call_and_evict_keys() {
    is_monotone("export::monotone", Exposition::now);
}

#[test]
fn no_counter_of_other_keys_falls_while_the_top_ones_change() {
    let prometheus = Prometheus::new().keys(3);
    let text = is_monotone("export::monotone by key", || {
        Exposition::by_key(&prometheus)
    });
    let counters = text.counters("export::monotone by key");
    let keys: BTreeSet<_> = counters.keys().map(|(_, labels)| &labels["key"]).collect();
    assert!(keys.len() <= 4, "{keys:?}");
}

#[test]
fn the_error_of_the_writer_is_returned() {
    struct Full(usize);

    impl Write for Full {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0 = self.0.checked_sub(text.len()).ok_or(fmt::Error)?;
            Ok(())
        }
    }

    let _breaker = breaker("export::full", Config::builder());
    for room in 0..200 {
        assert!(export::prometheus(&mut Full(room)).is_err());
        assert!(Prometheus::new().keys(1).write(&mut Full(room)).is_err());
    }
}

#[tokio::test(start_paused = true)]
async fn an_export_on_another_thread_lets_no_time_pass() {
    let name = "export::time";
    let _breaker = breaker(name, Config::builder());
    advance(seconds(5)).await;
    assert_eq!(Exposition::now().of(Metric::StateSeconds, name), Some(5.0));
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(Exposition::now);
        }
    });
    assert_eq!(Exposition::now().of(Metric::StateSeconds, name), Some(5.0));
}
