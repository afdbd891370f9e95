//! A real Prometheus scrapes breakers with names of all kinds, and stores each series once.
//!
//! It also evaluates every query of the dashboard in `examples/metrics/`. Skipped, with a message,
//! where `prometheus` and `promtool` are not on the path; `.ci/prometheus` puts them there.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use circuit_runtime::{CircuitBreaker, CircuitBreakers, Config, State, export};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc};
use tokio::time::timeout;

/// Two hundred bytes.
const LONG: &str = "éééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé\
                    éééééééééééééééé";

/// Names that a careless exporter breaks, or takes for one another.
const NAMES: [&str; 16] = [
    "payments",
    "",
    " ",
    "say \"hi\"",
    "two\nlines",
    r"two\nlines",
    r"C:\temp\",
    "\\\"",
    "<script>alert('&amp;')</script>",
    "naïve 日本語 😀 \u{202e}",
    "tab\treturn\rbell\u{7}",
    "{a=\"b\",c=~\"d\"} 1 2\n# TYPE x counter\nx 1",
    "# HELP circuit_breaker_state",
    "{{ $labels.breaker }} $__rate_interval",
    "Payments",
    LONG,
];

/// The name of the keyed breakers.
const KEYED: &str = "by \"key\"\\\n";

/// Long enough on any machine: a test that fails must end.
const PATIENCE: Duration = Duration::from_secs(100);

/// Held by each test, as each exports all breakers of the process.
static REGISTRY: Mutex<()> = Mutex::const_new(());

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_stores_every_series_and_answers_the_queries_of_the_dashboard() {
    if !is_installed("prometheus") || !is_installed("promtool") {
        // Not captured, unlike `println!`: a skipped test must not look like one that passed.
        let message = "\nSKIPPED: tests/prometheus.rs, as Prometheus is missing (apt-get install \
                       prometheus)\n";
        io::stderr().write_all(message.as_bytes()).unwrap();
        return;
    }
    let _alone = REGISTRY.lock().await;
    let breakers: Vec<_> = NAMES.into_iter().zip(0..).map(breaker).collect();
    let config = Config::builder().max_failures(1).build().unwrap();
    let keyed = CircuitBreakers::new(KEYED, config);
    for key in ["eu", "us\"\n", "\\"] {
        keyed.get(key).try_acquire().unwrap().failure();
    }
    keyed.get("ap").try_acquire().unwrap().success();
    let text = exported();
    check_metrics(&text);

    let (address, mut scrapes) = serve().await;
    let prometheus = Prometheus::start(address);
    // Each scrape begins after the one before is stored, and a rate needs two.
    for _ in 0..3 {
        let scrape = timeout(PATIENCE, scrapes.recv()).await;
        scrape.unwrap().unwrap();
    }

    let states = prometheus.query("circuit_breaker_state");
    assert_eq!(
        states,
        of_all(&breakers, |breaker, values| {
            for (name, state) in [
                ("closed", State::Closed),
                ("open", State::Open),
                ("half-open", State::HalfOpen),
            ] {
                // A function shows the worst state of its keys.
                let actual = breaker.map_or(State::Open, CircuitBreaker::state);
                values.insert(("state", name), f64::from(u8::from(actual == state)));
            }
        })
    );
    let calls = prometheus.query("circuit_breaker_calls_total{outcome=~\"success|failure\"}");
    assert_eq!(
        calls,
        of_all(&breakers, |breaker, values| {
            let totals = breaker.map(CircuitBreaker::snapshot);
            let totals = totals.map_or((1, 3), |it| (it.succeeded, it.failed));
            values.insert(("outcome", "success"), as_f64(totals.0));
            values.insert(("outcome", "failure"), as_f64(totals.1));
        })
    );
    let holds = prometheus.query("circuit_breaker_held");
    assert_eq!(
        holds,
        of_all(&breakers, |breaker, values| {
            let hold = breaker.and_then(|breaker| breaker.snapshot().hold);
            for (name, state) in [("closed", State::Closed), ("open", State::Open)] {
                let is_held = hold.is_some_and(|hold| hold.to == state);
                values.insert(("hold", name), f64::from(u8::from(is_held)));
            }
        })
    );

    let open_keys = prometheus.query("circuit_breaker_open_keys");
    let three = [(series(KEYED, None), 3.0)];
    assert_eq!(open_keys, BTreeMap::from(three));
    // Every line is a series of its own.
    let lines = text.lines().filter(|line| !line.starts_with('#')).count();
    let stored = prometheus.query("count({__name__=~\"circuit_breaker_.+\"})");
    assert_eq!(
        stored.into_values().collect::<Vec<_>>(),
        [as_f64(lines as u64)]
    );

    for expression in dashboard() {
        assert!(
            !prometheus.query(&expression).is_empty(),
            "no data: {expression}"
        );
    }
}

#[tokio::test]
async fn the_dashboard_and_the_alerts_name_metrics_and_labels_that_are_exported() {
    let _alone = REGISTRY.lock().await;
    let breaker = breaker(("the_dashboard", 0));
    let keyed = CircuitBreakers::new("the_alerts", Config::default());
    let key = keyed.get("key");
    let text = exported();
    drop((breaker, key));
    let exported: BTreeSet<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
        .collect();
    for file in ["dashboard.json", "alerts.yml", "alerts_test.yml"] {
        let file = fs::read_to_string(example(file)).unwrap();
        let words = file.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let metrics = words.filter(|word| word.starts_with("circuit_breaker_"));
        let metrics: BTreeSet<_> = metrics.collect();
        assert!(
            metrics.len() > 3 && metrics.is_subset(&exported),
            "{metrics:?}"
        );
        // In JSON, quotes are escaped.
        let file = file.replace('\\', "");
        for label in ["state", "hold", "outcome"] {
            for value in file.split(&format!("{label}=\"")).skip(1) {
                let value = value.split('"').next().unwrap();
                let label = format!("{label}=\"{value}\"");
                assert!(text.contains(&label), "{label}");
            }
        }
    }
}

/// Creates a breaker with as many successes as its number, in a state of its own.
fn breaker((name, number): (&'static str, u32)) -> CircuitBreaker {
    let config = Config::builder()
        .window(Duration::from_secs(1000))
        .failure_rate(1.0)
        .min_calls(1)
        .slow_call(Duration::from_secs(50))
        .reset(Duration::from_secs(1000));
    let breaker = CircuitBreaker::new(name, config.build().unwrap());
    breaker.try_acquire().unwrap().success();
    for _ in 0..number {
        breaker.try_acquire().unwrap().success();
    }
    match number % 4 {
        1 => breaker.trip(),
        2 => breaker.force_open(),
        3 => breaker.force_closed(),
        _ => {}
    }
    breaker
}

type Series = BTreeMap<String, String>;

/// Returns the labels of a series, as Prometheus has them: an empty one is none.
fn series(breaker: &str, label: Option<(&str, &str)>) -> Series {
    let labels = [("breaker", breaker)].into_iter().chain(label);
    let labels = labels.filter(|(_, value)| !value.is_empty());
    labels
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

type Values = BTreeMap<(&'static str, &'static str), f64>;

/// Returns the series expected of all breakers; `None` is the keyed ones.
fn of_all(
    breakers: &[CircuitBreaker],
    insert: impl Fn(Option<&CircuitBreaker>, &mut Values),
) -> BTreeMap<Series, f64> {
    let mut all = BTreeMap::new();
    for breaker in breakers.iter().map(Some).chain([None]) {
        let name = breaker.map_or(KEYED, |breaker| breaker.name().as_str());
        let mut values = Values::new();
        insert(breaker, &mut values);
        all.extend(
            values
                .into_iter()
                .map(|(label, value)| (series(name, Some(label)), value)),
        );
    }
    all
}

#[expect(clippy::cast_precision_loss, reason = "these are small")]
fn as_f64(count: u64) -> f64 {
    count as f64
}

fn exported() -> String {
    let mut text = String::new();
    export::prometheus(&mut text).unwrap();
    text
}

/// Serves the metrics; the receiver gets a message for each scrape.
async fn serve() -> (SocketAddr, mpsc::UnboundedReceiver<()>) {
    let (sender, scrapes) = mpsc::unbounded_channel();
    let metrics = move || {
        // The test is over when there is no receiver.
        let _ = sender.send(());
        async { ([("content-type", export::CONTENT_TYPE)], exported()) }
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let routes = Router::new().route("/metrics", get(metrics));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (address, scrapes)
}

/// Returns the queries of the dashboard's panels, for all jobs and breakers.
fn dashboard() -> Vec<String> {
    let file = fs::read_to_string(example("dashboard.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&file).unwrap();
    let array = |value: &Value| value.as_array().unwrap().clone();
    let panels = array(&dashboard["panels"]).into_iter();
    let targets = panels.flat_map(|panel| array(&panel["targets"]));
    let mut expressions: Vec<_> = targets
        .map(|target| target["expr"].as_str().unwrap().to_owned())
        .collect();
    assert!(expressions.len() > 8, "{expressions:?}");
    // Grafana does the same.
    for expression in &mut expressions {
        *expression = expression.replace("$__rate_interval", "1m");
        for variable in array(&dashboard["templating"]["list"]) {
            if let Some(all) = variable["allValue"].as_str() {
                let name = format!("${}", variable["name"].as_str().unwrap());
                *expression = expression.replace(&name, all);
            }
        }
    }
    expressions
}

fn example(file: &str) -> PathBuf {
    let metrics = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/metrics");
    metrics.join(file).canonicalize().unwrap()
}

fn is_installed(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok()
}

/// Has `promtool` read the text with the parser of Prometheus, and judge the names.
fn check_metrics(text: &str) {
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = promtool.stdin.take().unwrap();
    stdin.write_all(text.as_bytes()).unwrap();
    drop(stdin);
    let output = promtool.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// A server, on a port of its own, that ends with this value.
struct Prometheus {
    server: Child,
    url: String,
    folder: PathBuf,
}

impl Prometheus {
    fn start(target: SocketAddr) -> Self {
        let name = format!("prometheus-{}", std::process::id());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&folder).unwrap();
        let config = folder.join("prometheus.yml");
        // A string of JSON is one of YAML.
        let rules = Value::from(example("alerts.yml").to_str().unwrap());
        let settings = format!(
            "global: {{ scrape_interval: 200ms }}\n\
             rule_files: [{rules}]\n\
             scrape_configs:\n\
             - job_name: test\n  \
               static_configs: [{{ targets: [\"{target}\"] }}]\n",
        );
        fs::write(&config, settings).unwrap();
        let mut server = Command::new("prometheus")
            .arg("--config.file")
            .arg(&config)
            .arg("--storage.tsdb.path")
            .arg(folder.join("data"))
            .args(["--web.listen-address", "127.0.0.1:0"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(server.stderr.take().unwrap()).lines();
        let mut prometheus = Self {
            server,
            url: String::new(),
            folder,
        };
        let mut lines = Vec::new();
        // Its log ends if it does; the address and the readiness come before that.
        loop {
            let Some(line) = log.next() else {
                panic!("Prometheus ended: {lines:#?}")
            };
            let line = line.unwrap();
            if let Some((_, address)) = line.split_once("msg=\"Listening on\" address=") {
                prometheus.url = format!("http://{address}");
            }
            if line.contains("Server is ready to receive web requests") {
                break;
            }
            lines.push(line);
        }
        // A full pipe would block it.
        std::thread::spawn(move || log.for_each(drop));
        prometheus
    }

    /// Returns the current value of each series, through the HTTP interface.
    fn query(&self, expression: &str) -> BTreeMap<Series, f64> {
        let output = Command::new("promtool")
            .args(["query", "-o", "json", "instant", &self.url, expression])
            .output()
            .unwrap();
        assert!(output.status.success(), "{expression}: {output:?}");
        let samples: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
        let count = samples.len();
        let samples = samples.into_iter().map(|sample| {
            let labels = sample["metric"].as_object().unwrap().iter();
            let labels =
                labels.filter(|(name, _)| !["__name__", "job", "instance"].contains(&&***name));
            let labels =
                labels.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()));
            let value = sample["value"][1].as_str().unwrap().parse().unwrap();
            (labels.collect(), value)
        });
        let samples: BTreeMap<_, _> = samples.collect();
        assert_eq!(
            samples.len(),
            count,
            "{expression}: some series have the same labels"
        );
        samples
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // Nothing of it is needed any more, whether the test passed or failed.
        let _ = self.server.kill();
        let _ = self.server.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
