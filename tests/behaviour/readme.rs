//! The README and the guide show the code, the outputs and the figures that there are.

const README: &str = include_str!("../../README.md");

/// The one that is published with the crate, where links to other folders lead nowhere.
const PUBLISHED: &str = include_str!("../../circuit-runtime/README.md");

/// The page of the guide about tests.
const TESTING: &str = include_str!("../../circuit-runtime/src/docs/guide/testing.rs");

mod of_a_breaker {
    // The excerpt of the guide begins below this line,
    use circuit_runtime::{CircuitBreaker, Config, State};
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn the_circuit_opens_and_recovers() {
        let breaker = CircuitBreaker::new("payments", Config::default());
        for _ in 0..5 {
            breaker.try_acquire().unwrap().failure();
        }
        assert_eq!(breaker.state(), State::Open);

        tokio::time::advance(Duration::from_secs(30)).await;
        breaker.try_acquire().unwrap().success();
        assert_eq!(breaker.state(), State::Closed);
    }
    // and ends above this line.
}

mod of_an_annotated_function {
    use circuit_runtime::{CircuitError, circuit_breaker, registry};
    use std::time::Duration;

    #[derive(Debug, thiserror::Error)]
    enum QuoteError {
        #[error("no quote for {0}: the exchange is down")]
        Down(String),
        #[error(transparent)]
        Circuit(#[from] CircuitError),
    }

    #[circuit_breaker(
        max_failures = 5,
        window = "10s",
        reset = "30s",
        timeout = "2s",
        name = "shop::quote"
    )]
    async fn quote(symbol: &str) -> Result<f64, QuoteError> {
        Err(QuoteError::Down(symbol.to_owned()))
    }

    // The excerpt of the guide begins below this line,
    static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

    #[tokio::test(start_paused = true)]
    async fn callers_learn_when_to_try_again() {
        let _turn = TURN.lock().await;
        // There is none before the first call.
        if let Some(breaker) = registry::find("shop::quote") {
            breaker.reset();
        }

        for _ in 0..5 {
            assert!(quote("ACME").await.is_err());
        }
        let Err(QuoteError::Circuit(error)) = quote("ACME").await else {
            panic!("the call was not rejected")
        };
        assert_eq!(error.retry_after(), Some(Duration::from_secs(30)));
    }
    // and ends above this line.

    #[tokio::test(start_paused = true)]
    async fn tests_that_take_turns_start_with_a_closed_circuit() {
        let _turn = TURN.lock().await;
        if let Some(breaker) = registry::find("shop::quote") {
            breaker.reset();
        }
        for _ in 0..5 {
            assert!(matches!(quote("ACME").await, Err(QuoteError::Down(_))));
        }
    }
}

#[test]
fn the_guide_shows_these_tests() {
    let this = include_str!("readme.rs");
    let shown: Vec<String> = this
        .split("begins below this line,\n")
        .skip(1)
        .filter_map(|from| from.split_once("    // and ends above this line."))
        .map(|(shown, _)| shown.replace("\n    ", "\n").trim().to_owned())
        .collect();
    assert_eq!(shown.len(), 2);
    for shown in shown {
        assert!(TESTING.contains(&shown), "{shown}");
    }
}

#[test]
fn the_readmes_show_the_quickstart() {
    let quickstart = include_str!("../../examples/quickstart.rs");
    let (_, shown) = quickstart.split_once("\n\n").unwrap();
    assert!(README.contains(shown));
    assert!(PUBLISHED.contains(shown));
}

#[test]
fn the_published_readme_has_no_links_into_the_repository() {
    for (target, _) in PUBLISHED
        .split("](")
        .skip(1)
        .filter_map(|from| from.split_once(')'))
    {
        assert!(target.starts_with("https://"), "{target}");
    }
}

/// The quickstart, under the name that it has there.
mod of_the_quickstart {
    use super::{PUBLISHED, README};
    use circuit_runtime::{CircuitError, circuit_breaker, export};

    #[derive(Debug, thiserror::Error)]
    enum QuoteError {
        #[error("no quote for {0}: the exchange is down")]
        Down(String),
        #[error(transparent)]
        Circuit(#[from] CircuitError),
    }

    #[circuit_breaker(
        max_failures = 5,
        window = "10s",
        reset = "30s",
        timeout = "2s",
        name = "quickstart::quote"
    )]
    async fn quote(symbol: &str) -> Result<f64, QuoteError> {
        Err(QuoteError::Down(symbol.to_owned()))
    }

    #[tokio::test(start_paused = true)]
    async fn the_readme_shows_what_the_quickstart_prints_and_exports() {
        let mut printed = Vec::new();
        let rejection = loop {
            match quote("ACME").await {
                Err(QuoteError::Circuit(error)) => break error,
                Err(error) => printed.push(format!("failed:   {error}\n")),
                Ok(price) => panic!("the exchange is up: {price}"),
            }
        };
        printed.push(format!("rejected: {rejection}\n"));
        let printed = printed.concat();
        assert!(README.contains(&printed), "{printed}");
        assert!(PUBLISHED.contains(&printed), "{printed}");
        assert!(README.contains(&format!("\n{rejection}\n")), "{rejection}");

        let mut exported = String::new();
        export::prometheus(&mut exported).unwrap();
        let shown: Vec<_> = README
            .lines()
            .filter(|line| line.starts_with("circuit_breaker_"))
            .collect();
        assert_eq!(shown.len(), 3);
        for line in shown {
            assert!(exported.lines().any(|exported| exported == line), "{line}");
        }
    }
}

mod of_the_repository {
    use super::README;
    use std::fs;
    use std::path::{Path, PathBuf};

    const EXAMPLES: &str = include_str!("../../examples/README.md");
    const PROGRAMS: &str = include_str!("../../examples/Cargo.toml");

    /// The longest example, in lines, unless it has several parts.
    const MAX_LINES: usize = 120;

    /// The examples with several parts.
    const OF_PARTS: [&str; 4] = ["axum_service", "fleet", "outage", "tonic_service"];

    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
    }

    #[test]
    fn links_lead_to_files() {
        for (folder, text, fewest) in [("", README, 40), ("examples", EXAMPLES, 3)] {
            let targets: Vec<_> = text
                .split("](")
                .skip(1)
                .filter_map(|from| from.split_once(')'))
                .map(|(target, _)| target)
                .filter(|target| !target.starts_with("https://") && !target.starts_with('#'))
                .collect();
            assert!(targets.len() >= fewest, "{targets:?}");
            for target in targets {
                assert!(root().join(folder).join(target).exists(), "{target}");
            }
        }
    }

    #[test]
    fn every_example_is_listed_and_short() {
        let (_, programs) = PROGRAMS.split_once("[[example]]").unwrap();
        let (programs, _) = programs.split_once("\n[features]").unwrap();
        let values = |key| {
            let lines = programs
                .lines()
                .filter_map(move |line| line.strip_prefix(key));
            lines.map(|value| value.trim_matches('"'))
        };
        let examples: Vec<_> = values("name = ").zip(values("path = ")).collect();
        assert!(examples.len() >= 17, "{examples:?}");
        for (name, path) in examples {
            let command = format!("\n- `cargo run --example {name}");
            assert!(EXAMPLES.contains(&command), "{name} is not listed");
            if !OF_PARTS.contains(&name) {
                let source = fs::read_to_string(root().join("examples").join(path)).unwrap();
                let lines = source.lines().count();
                assert!(lines <= MAX_LINES, "{name} has {lines} lines");
            }
        }
    }
}

/// The table that compares libraries, cell by cell beside the two that it is taken from.
mod of_the_comparison {
    use super::README;

    const CONFORMANCE: &str = include_str!("../peers/CONFORMANCE.md");
    const RESULTS: &str = include_str!("../peers/RESULTS.md");

    /// The libraries, and the rows of theirs that measure a call.
    const LIBRARIES: [(&str, &str, &str); 5] = [
        (
            "ours, `#[circuit_breaker]`",
            "**circuit-runtime**",
            "call(future); 5 failures in 10 s",
        ),
        ("failsafe ", "failsafe", "future; 5 consecutive failures"),
        (
            "recloser ",
            "recloser",
            "future; 50 % of the last 100 calls",
        ),
        (
            "tower-resilience-circuitbreaker ",
            "tower-resilience-circuitbreaker",
            "tower service; 5 consecutive failures",
        ),
        ("seatbelt ", "seatbelt", "future; 50 % of 10 s"),
    ];

    /// Returns the cells of the rows of all tables in a text.
    fn rows(text: &str) -> Vec<Vec<&str>> {
        let rows = text.lines().filter(|line| line.starts_with('|'));
        rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect())
            .collect()
    }

    /// Returns the cells of the scenario `name`, those of the libraries above, without their bold
    /// type.
    fn outcomes(name: &str) -> Option<Vec<String>> {
        let rows = rows(CONFORMANCE);
        let head = rows.iter().find(|row| row.get(1) == Some(&"scenario"))?;
        let row = rows.iter().find(|row| row.get(1) == Some(&name))?;
        let cells = LIBRARIES.iter().map(|(library, ..)| {
            let column = head.iter().position(|cell| cell.starts_with(library))?;
            Some(row.get(column)?.replace("**", ""))
        });
        cells.collect()
    }

    /// Returns how many scenarios of each library hold, and how many break.
    fn totals() -> Option<Vec<String>> {
        let rows = rows(CONFORMANCE);
        let cells = LIBRARIES.iter().map(|(library, ..)| {
            let mut of_five = rows.iter().filter(|row| row.len() == 5);
            let row = of_five.find(|row| row[0].starts_with(library))?;
            Some(format!("{}, {}", row[1], row[2]))
        });
        cells.collect()
    }

    /// Returns the first words of the cells in a column of a section of the results.
    fn measured(section: &str, column: usize) -> Option<Vec<String>> {
        let (_, section) = RESULTS.split_once(&format!("\n## {section}\n"))?;
        let (section, _) = section.split_once("\n## ")?;
        let rows = rows(section);
        let cells = LIBRARIES.iter().map(|(_, library, call)| {
            let row = rows
                .iter()
                .find(|row| row.first() == Some(library) && row.get(1) == Some(call))?;
            let word = row.get(column)?.split([' ', ',']).next()?;
            Some(word.trim_end_matches(".0").to_owned())
        });
        cells.collect()
    }

    #[test]
    fn the_comparison_is_that_of_the_measured_tables() {
        let (_, section) = README.split_once("\n## Comparison\n").unwrap();
        let (section, _) = section.split_once("\n## ").unwrap();
        let compared = rows(section);
        assert!(compared.len() > 10);
        for row in &compared[2..] {
            let expected = match row[0] {
                "scenarios that hold, break" => totals(),
                "a success, ns, one thread" => measured("Closed, success", 3),
                "a success, ns, two threads" => measured("Closed, success", 6),
                "a rejection, ns, one thread" => measured("Open, rejected", 3),
                "allocations of a success" => measured("Closed, success", 10),
                scenario => outcomes(scenario),
            };
            let expected = expected.unwrap_or_else(|| panic!("no such row: {}", row[0]));
            let shown: Vec<_> = row[1..]
                .iter()
                .map(|cell| cell.trim_end_matches(".0"))
                .collect();
            assert_eq!(shown, expected, "{}", row[0]);
        }
    }

    /// Returns the numbers of a column of the README's budgets, and those of that column in the
    /// results, of the budgets that are missed.
    fn over_budget(column: usize) -> [Vec<String>; 2] {
        let (_, section) = README.split_once("\n## Budgets\n").unwrap();
        let (section, _) = section.split_once("\n## ").unwrap();
        let cells = rows(section).into_iter().skip(2).map(|row| row[column]);
        let shown = cells.flat_map(|cell| cell.split(", ")).map(str::to_owned);
        let (_, section) = RESULTS.split_once("\n## Budgets\n").unwrap();
        let (section, _) = section.split_once("\n## ").unwrap();
        let missed = rows(section)
            .into_iter()
            .filter(|row| row.join("").contains("**missed**"));
        // As in `1.5 L = 1.22 ns` and in `1.90 ns = 2.34 L`.
        let numbers = missed.map(|row| {
            let unit = row[column].split(" = ").find(|part| part.contains("ns"));
            unit.unwrap_or(row[column])
                .split(' ')
                .next()
                .unwrap()
                .to_owned()
        });
        [shown.collect(), numbers.collect()]
    }

    #[test]
    fn the_budgets_that_are_missed_are_all_named() {
        let (budget, measured) = (2, 3);
        for column in [budget, measured] {
            let [shown, missed] = over_budget(column);
            assert!(!missed.is_empty());
            assert_eq!(shown, missed);
        }
    }
}
