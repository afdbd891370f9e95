//! A process of a fleet: one breaker, a service that it plays itself, and what its parent tells it.
//!
//! Its standard input has commands, its standard output what happens, a line each.

use std::env;
use std::io::{BufRead, Write, stdin, stdout};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use circuit_redis::{Fleet, FleetBuilder, FleetEvent, Quorum, Sharing};
use circuit_runtime::{CallError, CircuitBreaker, Config, Permit, State, registry};
use tokio::sync::mpsc;
use tokio::time::sleep;

pub const NAME: &str = "shop::quote";

/// The body of a child; nothing in the test run itself.
#[test]
fn child() {
    if env::var("FLEET_URL").is_err() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(run());
    std::process::exit(0);
}

/// Prints a line at once. Without a reader there is nothing left to do.
fn say(line: &str) {
    let mut out = stdout().lock();
    if writeln!(out, "{line}").and_then(|()| out.flush()).is_err() {
        std::process::exit(0);
    }
}

fn variable(name: &str) -> Option<String> {
    env::var(format!("FLEET_{name}")).ok()
}

fn millis(name: &str, default: u64) -> Duration {
    let millis = variable(name).map_or(default, |millis| millis.parse().unwrap());
    Duration::from_millis(millis)
}

fn quorum() -> Quorum {
    let written = variable("QUORUM").unwrap_or_else(|| "any".to_owned());
    match written.split_once(' ') {
        Some(("at-least", members)) => Quorum::AtLeast(members.parse().unwrap()),
        Some(("fraction", share)) => Quorum::Fraction(share.parse().unwrap()),
        _ => Quorum::Any,
    }
}

fn now_micros() -> u128 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap().as_micros()
}

fn builder(url: &str) -> FleetBuilder {
    match variable("KIND").as_deref() {
        #[cfg(feature = "cluster")]
        Some("cluster") => Fleet::cluster([url], "test"),
        #[cfg(feature = "sentinel")]
        Some("sentinel") => Fleet::sentinel([url], "shop-primary", "test"),
        _ => Fleet::builder(url, "test"),
    }
}

/// The service, as this process sees it.
struct Service {
    is_up: AtomicBool,
    delay: Duration,
    calls: AtomicU64,
}

struct Child {
    breaker: CircuitBreaker,
    fleet: Fleet,
    service: Service,
    is_loading: AtomicBool,
}

impl Child {
    async fn call(&self) -> &'static str {
        let called = self.breaker.call(async {
            // Admitted: a probe, if the circuit is half-open now.
            let is_probe = self.breaker.state() == State::HalfOpen;
            sleep(self.service.delay).await;
            self.service.calls.fetch_add(1, Ordering::Relaxed);
            let is_up = self.service.is_up.load(Ordering::Relaxed);
            if is_probe {
                let status = self.fleet.status();
                let circuit = status
                    .circuits
                    .iter()
                    .find(|circuit| *circuit.name == *NAME);
                let epoch = circuit.map_or(0, |circuit| circuit.epoch);
                let is_own =
                    circuit.is_some_and(|circuit| circuit.prober.as_ref() == Some(&status.member));
                say(&format!("ran {epoch} {is_own} {is_up}"));
            }
            if is_up { Ok(()) } else { Err(()) }
        });
        match called.await {
            Ok(()) => "ok",
            Err(CallError::Inner(())) => "failed",
            Err(CallError::Circuit(_)) => "rejected",
        }
    }
}

async fn run() {
    // Ends the line that the test runner has begun.
    say("");
    let mut config = Config::builder()
        .max_failures(1)
        .reset(millis("RESET", 1_000));
    if let Some(max_reset) = variable("MAX_RESET") {
        config = config.max_reset(Duration::from_millis(max_reset.parse().unwrap()));
    }
    let breaker = CircuitBreaker::new(NAME, config.build().unwrap());
    let mut builder = builder(&variable("URL").unwrap());
    if variable("UNSHARED").is_none() {
        builder = builder.share("shop::*");
    }
    if let Some(member) = variable("MEMBER") {
        builder = builder.member(member);
    }
    if variable("GRACE").is_some() {
        builder = builder.grace(millis("GRACE", 250));
    }
    let fleet = builder.quorum(quorum()).build().unwrap();
    registry::on_change(|change| {
        let at = now_micros();
        say(&format!(
            "change {} {} {} {at}",
            change.from, change.to, change.cause
        ));
    })
    .forget();
    let mut events = fleet.events();
    tokio::spawn(async move {
        while let Ok(event) = events.recv().await {
            match event {
                FleetEvent::Verdict {
                    epoch,
                    state,
                    by,
                    prober,
                    ..
                } => {
                    let prober = prober.unwrap_or_else(|| "-".into());
                    say(&format!("verdict {epoch} {state} {by} {prober}"));
                }
                FleetEvent::Shared { members } => say(&format!("shared {members}")),
                FleetEvent::Degraded { reason } => say(&format!("degraded {reason}")),
                event => say(&format!("event {event:?}")),
            }
        }
    });
    say("ready");
    tokio::spawn(fleet.run());
    let child = Arc::new(Child {
        breaker,
        fleet,
        service: Service {
            is_up: AtomicBool::new(true),
            delay: millis("DELAY", 0),
            calls: AtomicU64::new(0),
        },
        is_loading: AtomicBool::new(false),
    });
    let (sender, mut commands) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in stdin().lock().lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
        // The parent has ended.
        std::process::exit(0);
    });
    while let Some(command) = commands.recv().await {
        obey(&child, &command).await;
    }
}

async fn obey(child: &Arc<Child>, command: &str) {
    let words: Vec<_> = command.split(' ').collect();
    match *words.as_slice() {
        ["fail"] => {
            let permit = child.breaker.try_acquire();
            match permit {
                Ok(permit) => permit.failure(),
                Err(_) => say("fail rejected"),
            }
        }
        ["call"] => say(&format!("call {}", child.call().await)),
        // The longest time that one of so many calls took, in microseconds.
        ["calls", count] => {
            let mut longest = Duration::ZERO;
            let count = count.parse().unwrap();
            for _ in 0..count {
                let begun = std::time::Instant::now();
                drop(child.breaker.try_acquire().map(Permit::success));
                longest = longest.max(begun.elapsed());
            }
            say(&format!("calls {count} {}", longest.as_micros()));
        }
        ["service", mode] => child.service.is_up.store(mode == "up", Ordering::Relaxed),
        ["load", tasks] => {
            child.is_loading.store(true, Ordering::Relaxed);
            for _ in 0..tasks.parse().unwrap() {
                let child = Arc::clone(child);
                tokio::spawn(async move {
                    while child.is_loading.load(Ordering::Relaxed) {
                        child.call().await;
                        sleep(Duration::from_millis(5)).await;
                    }
                });
            }
        }
        ["unload"] => child.is_loading.store(false, Ordering::Relaxed),
        ["reset"] => child.breaker.reset(),
        ["hold", to, millis] => {
            let to = if to == "open" {
                State::Open
            } else {
                State::Closed
            };
            let millis: u64 = millis.parse().unwrap();
            let time = (millis > 0).then_some(Duration::from_millis(millis));
            let held = child.fleet.hold(NAME, to, time).await;
            say(&format!("held {held:?}"));
        }
        ["release"] => {
            let released = child.fleet.release(NAME).await;
            say(&format!("released {released:?}"));
        }
        ["state"] => {
            let snapshot = child.breaker.snapshot();
            let hold = snapshot.hold.map_or("none".to_owned(), |hold| {
                format!("{:?} {}", hold.source, hold.ends_in.is_some())
            });
            say(&format!("state {} {hold}", snapshot.state));
        }
        ["status"] => {
            let status = child.fleet.status();
            let sharing = match &status.sharing {
                Sharing::Shared { has_pushes } => format!("shared {has_pushes}"),
                other => format!("{other:?}"),
            };
            say(&format!("status {} {sharing}", status.members));
        }
        _ => panic!("{command}"),
    }
}
