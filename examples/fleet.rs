//! Three processes that share a circuit through Redis: who opens it in an outage, and who probes.
//!
//! Starts a `redis-server` of its own, an exchange, and itself three times, and ends after 15
//! seconds.

use std::env;
use std::error::Error;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

use circuit_redis::{Fleet, FleetEvent, Quorum, Sharing};
use circuit_runtime::{CircuitError, State, circuit_breaker, registry};
use tokio::net::TcpStream;
use tokio::time::{interval, sleep};

/// The processes, each with its pause between two calls in milliseconds. Bob has few callers.
const SHOPS: [(&str, u64); 3] = [("alice", 20), ("bob", 300), ("carol", 20)];

#[derive(Debug, thiserror::Error)]
enum QuoteError {
    #[error("the exchange is down: {0}")]
    Down(#[from] io::Error),
    #[error(transparent)]
    Circuit(#[from] CircuitError),
}

#[circuit_breaker(name = "shop::quote", max_failures = 3, window = "10s", reset = "2s")]
async fn quote(exchange: SocketAddr) -> Result<String, QuoteError> {
    let stream = TcpStream::connect(exchange).await?;
    stream.readable().await?;
    let mut text = [0; 16];
    match stream.try_read(&mut text)? {
        0 => Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
        read => {
            let text = text.get(..read).unwrap_or_default();
            Ok(String::from_utf8_lossy(text).into_owned())
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    match arguments.as_slice() {
        [name, redis, exchange, start] => {
            let start = SystemTime::UNIX_EPOCH + Duration::from_micros(start.parse()?);
            runtime.block_on(shop(name.clone(), redis, exchange.parse()?, start))
        }
        _ => runtime.block_on(outage()),
    }
}

/// One of the processes: calls the exchange, until its standard input ends.
async fn shop(
    name: String,
    redis: &str,
    exchange: SocketAddr,
    start: SystemTime,
) -> Result<(), Box<dyn Error>> {
    // The program waits for nothing here: without Redis, each process has a breaker of its own.
    let fleet = Fleet::builder(redis, "example")
        .member(name.clone())
        .share("shop::*")
        .quorum(Quorum::AtLeast(2))
        .build()?;
    tokio::spawn(fleet.run());

    let shop = name.clone();
    let say = move |what: &str| {
        let seconds = start.elapsed().unwrap_or_default().as_secs_f64();
        println!("{seconds:6.2} s  {shop}: {what}");
    };
    let changed = say.clone();
    registry::on_change(move |change| {
        changed(&format!(
            "{} -> {} ({})",
            change.from, change.to, change.cause
        ));
    })
    .forget();
    let member = fleet.status().member;
    let mut events = fleet.events();
    tokio::spawn(async move {
        while let Ok(event) = events.recv().await {
            match event {
                FleetEvent::Voted { votes, needed, .. } => {
                    say(&format!(
                        "has opened it by itself: vote {votes} of {needed}"
                    ));
                }
                FleetEvent::Verdict {
                    state: State::Open,
                    by,
                    ..
                } if by == member => {
                    say("has opened it for all");
                }
                FleetEvent::Leased { .. } => say("has the lease, and probes"),
                FleetEvent::Probed {
                    has_succeeded: true,
                    ..
                } => say("has closed it for all"),
                _ => {}
            }
        }
    });
    fleet
        .wait_for(|status| matches!(status.sharing, Sharing::Shared { .. }))
        .await;

    let ended = tokio::task::spawn_blocking(|| io::read_to_string(io::stdin()));
    let pause = SHOPS.iter().find(|(shop, _)| **shop == *name);
    let pause = pause.map_or(20, |(_, pause)| *pause);
    let mut pause = interval(Duration::from_millis(pause));
    while !ended.is_finished() {
        pause.tick().await;
        // A real program would answer its own caller.
        let _ = quote(exchange).await;
    }
    Ok(())
}

/// Starts everything, and takes the exchange down for a while.
async fn outage() -> Result<(), Box<dyn Error>> {
    let Some(redis) = Redis::start()? else {
        println!("redis-server is missing: apt-get install redis-server, or brew install redis");
        return Ok(());
    };
    let exchange = Exchange::start()?;
    let start = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    let mut shops = SHOPS.map(|(name, _)| {
        Command::new(env::current_exe()?)
            .args([name, &redis.url, &exchange.address.to_string()])
            .arg(start.as_micros().to_string())
            .stdin(Stdio::piped())
            .spawn()
    });
    sleep(Duration::from_secs(3)).await;
    println!("-- the exchange is down");
    exchange.take_calls();
    exchange.is_up.store(false, Ordering::Relaxed);
    sleep(Duration::from_secs(7)).await;
    let calls = exchange.take_calls();
    println!("-- the exchange is up; {calls} calls have reached it while it was down");
    exchange.is_up.store(true, Ordering::Relaxed);
    sleep(Duration::from_secs(5)).await;

    for shop in &mut shops {
        let shop = shop.as_mut().map_err(|error| error.to_string())?;
        // Its standard input ends.
        drop(shop.stdin.take());
        shop.wait()?;
    }
    println!("-- without sharing, each would have had to fail, and to probe, by itself");
    Ok(())
}

/// A service that answers with a price or, while it is down, ends each connection.
struct Exchange {
    address: SocketAddr,
    is_up: Arc<AtomicBool>,
    calls: Arc<AtomicU32>,
}

impl Exchange {
    fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let is_up = Arc::new(AtomicBool::new(true));
        let calls = Arc::new(AtomicU32::new(0));
        let exchange = Self {
            address,
            is_up: Arc::clone(&is_up),
            calls: Arc::clone(&calls),
        };
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                calls.fetch_add(1, Ordering::Relaxed);
                if is_up.load(Ordering::Relaxed) {
                    let _ = stream.write_all(b"12.5");
                }
            }
        });
        Ok(exchange)
    }

    fn take_calls(&self) -> u32 {
        self.calls.swap(0, Ordering::Relaxed)
    }
}

/// A `redis-server` on a free port, which keeps nothing, and ends with this.
struct Redis {
    url: String,
    server: Child,
}

impl Redis {
    /// Returns `None` if there is no `redis-server`.
    fn start() -> io::Result<Option<Self>> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
            .local_addr()?
            .port();
        let server = Command::new("redis-server")
            .args([
                "--port",
                &port.to_string(),
                "--save",
                "",
                "--bind",
                "127.0.0.1",
            ])
            .stdout(Stdio::null())
            .spawn();
        match server {
            Ok(server) => Ok(Some(Self {
                url: format!("redis://127.0.0.1:{port}"),
                server,
            })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
