//! The page in a real browser, as far as that needs nothing but the program itself.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot continue fails"
)]

use std::io::{self, Write};
use std::process::Stdio;
use std::time::Duration;

use circuit_dashboard::Dashboard;
use circuit_runtime::{CircuitBreaker, Config};
use tokio::process::Command;
use tokio::time::timeout;

/// Debian's package of this name: a Chromium without a window.
const BROWSER: &str = "chromium-headless-shell";

/// How long the browser may take to start, to draw and to print.
const PATIENCE: Duration = Duration::from_secs(120);

/// Prints the document once the page has had some seconds to draw.
async fn dump(url: &str) -> Option<String> {
    let mut browser = Command::new(BROWSER);
    browser
        .args(["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
        .args([
            "--no-proxy-server",
            "--virtual-time-budget=4000",
            "--run-all-compositor-stages-before-draw",
            "--disable-frame-rate-limit",
            "--disable-gpu-vsync",
            "--dump-dom",
            url,
        ])
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let output = match timeout(PATIENCE, browser.output()).await.unwrap() {
        Ok(output) => output,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        Err(error) => panic!("{BROWSER}: {error}"),
    };
    Some(String::from_utf8(output.stdout).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_draws_the_circuits_and_takes_no_name_for_markup() {
    let name = "<img src=x onerror=document.title='forged'>";
    let breakers = ["drawn-quote", name].map(|name| CircuitBreaker::new(name, Config::default()));
    for breaker in &breakers {
        breaker.trip();
    }
    let server = Dashboard::new()
        .service_name("drawn")
        .bind("127.0.0.1:0")
        .await
        .unwrap();
    let url = format!("http://{}/", server.local_addr());
    tokio::spawn(server.run());
    let Some(document) = dump(&url).await else {
        // Not captured, unlike `eprintln!`: a skipped test must not look like one that passed.
        let message = format!(
            "\nSKIPPED: the page in a browser, as {BROWSER} is missing (apt-get install {BROWSER})\n"
        );
        io::stderr().write_all(message.as_bytes()).unwrap();
        return;
    };
    assert!(document.contains(">drawn-quote<"), "{document}");
    assert!(document.contains(">&lt;img src=x onerror"), "{document}");
    assert!(!document.contains("<img src=\"x\""), "{document}");
    assert!(!document.contains("<title>forged"), "{document}");
}
