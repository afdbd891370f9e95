//! The code in the README is that of the examples and of the tests below.

const README: &str = include_str!("../../README.md");

mod of_a_breaker {
    // The excerpt of the README begins below this line,
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

    // The excerpt of the README begins below this line,
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
fn the_readme_shows_these_tests() {
    let this = include_str!("readme.rs");
    let shown: Vec<String> = this
        .split("begins below this line,\n")
        .skip(1)
        .filter_map(|from| from.split_once("    // and ends above this line."))
        .map(|(shown, _)| shown.replace("\n    ", "\n").trim().to_owned())
        .collect();
    assert_eq!(shown.len(), 2);
    for shown in shown {
        assert!(README.contains(&shown), "{shown}");
    }
}

#[test]
fn the_readme_shows_the_quickstart() {
    let quickstart = include_str!("../../examples/quickstart.rs");
    let (_, shown) = quickstart.split_once("\n\n").unwrap();
    assert!(README.contains(shown));
}
