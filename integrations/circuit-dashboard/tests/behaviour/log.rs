//! The log of orders.

use std::io;
use std::sync::{Arc, Mutex};

use circuit_dashboard::{Actor, Dashboard, Denied};
use circuit_runtime::{CircuitBreaker, Config};
use tracing_subscriber::fmt::MakeWriter;

use crate::support::{FROM_PAGE, Site};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Returns the lines since the last time.
    fn lines(&self) -> Vec<String> {
        let bytes = std::mem::take(&mut *self.0.lock().unwrap());
        let text = String::from_utf8(bytes).unwrap();
        text.lines().map(str::to_owned).collect()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// On one thread, as the subscriber is that of this test alone.
#[tokio::test]
async fn each_order_is_logged_done_or_denied_with_actor_and_reason() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).without_time();
    let subscriber = subscriber.with_writer(log.clone()).finish();
    let _subscribed = tracing::subscriber::set_default(subscriber);
    let _breaker = CircuitBreaker::new("logged", Config::default());
    let dashboard = Dashboard::new().controls(|request, _| {
        let user = request
            .headers
            .get("x-user")
            .and_then(|user| user.to_str().ok());
        user.map(Actor::new)
            .ok_or_else(|| Denied::new("sign in first"))
    });
    let site = Site::new(dashboard).await;
    let path = "/api/breakers/logged/force-open";
    let body = r#"{"reason": "a drill\nERROR forged", "seconds": 60}"#;
    let by_alice = [FROM_PAGE, &[("X-User", "alice")]].concat();

    site.send("POST", path, &by_alice, body).await;
    let lines = log.lines();
    let own: Vec<_> = lines
        .iter()
        .filter(|it| it.contains("circuit_dashboard"))
        .collect();
    assert_eq!(own.len(), 1, "{lines:#?}");
    for part in [
        "INFO",
        "order carried out",
        r#"breaker="logged""#,
        r#"action="force-open""#,
        r#"actor="alice""#,
        r#"reason="a drill\nERROR forged""#,
        "seconds=60",
    ] {
        assert!(own[0].contains(part), "{part}: {}", own[0]);
    }
    assert!(
        lines.iter().all(|line| !line.starts_with("ERROR")),
        "{lines:#?}"
    );

    for (headers, parts) in [
        (
            FROM_PAGE,
            &[
                r#"denied="sign in first""#,
                r#"reason="a drill\nERROR forged""#,
            ][..],
        ),
        (&[], &["denied=\"an order needs the header"]),
    ] {
        site.send("POST", path, headers, body).await;
        let lines = log.lines();
        assert_eq!(lines.len(), 1, "{lines:#?}");
        for part in ["WARN", "order denied", r#"breaker="logged""#]
            .iter()
            .chain(parts)
        {
            assert!(lines[0].contains(part), "{part}: {}", lines[0]);
        }
    }
    for _ in 0..10 {
        site.send("POST", path, &by_alice, body).await;
    }
    let lines = log.lines();
    let denied: Vec<_> = lines
        .iter()
        .filter(|line| line.contains("order denied"))
        .collect();
    assert_eq!(denied.len(), 1, "{lines:#?}");
    assert!(denied[0].contains(r#"actor="alice""#), "{}", denied[0]);
}
