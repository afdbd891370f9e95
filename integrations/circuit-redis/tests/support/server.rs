//! A `redis-server` of a test's own, on a free port, in a temporary folder.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each program that includes this file uses some of it"
)]

use std::fs::{self, File};
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Returns `true`, and prints it loudly, if there is no `redis-server` to test against.
pub fn is_missing() -> bool {
    let is_missing = Command::new("redis-server")
        .arg("--version")
        .stdout(Stdio::null())
        .status()
        .is_err();
    if is_missing {
        static SAID: Once = Once::new();
        SAID.call_once(|| skipped("the tests need redis-server (apt-get install redis-server)"));
    }
    is_missing
}

/// Says that tests are skipped. Not captured, unlike `eprintln!`: a skipped test must not look like
/// one that passed.
pub fn skipped(reason: &str) {
    let message = format!("\nSKIPPED: {reason}\n");
    io::stderr().write_all(message.as_bytes()).unwrap();
}

/// A running server, which is killed when it is dropped.
pub struct Server {
    child: Child,
    port: u16,
    folder: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
}

impl Server {
    /// Starts a server that keeps nothing on disk.
    pub fn start() -> Self {
        Self::with(&["--save", ""])
    }

    pub fn with(arguments: &[&str]) -> Self {
        Self::on(free_port(), arguments, &[])
    }

    /// Starts a server on this port, with these variables in its environment.
    pub fn on(port: u16, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!(
            "circuit-redis-{}-{count}-{port}",
            std::process::id()
        ));
        fs::create_dir_all(&folder).unwrap();
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        let environment: Vec<_> = environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let child = spawn(port, &folder, &arguments, &environment);
        let server = Self {
            child,
            port,
            folder,
            arguments,
            environment,
        };
        server.wait();
        server
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub fn folder(&self) -> &PathBuf {
        &self.folder
    }

    /// Opens a connection for the test itself.
    pub fn connection(&self) -> redis::Connection {
        let client = redis::Client::open(self.url()).unwrap();
        client.get_connection().unwrap()
    }

    pub fn command(&self, arguments: &[&str]) -> redis::RedisResult<redis::Value> {
        let mut command = redis::cmd(arguments[0]);
        for argument in &arguments[1..] {
            command.arg(*argument);
        }
        command.query(&mut self.connection())
    }

    /// Sends a signal, as `STOP` or `CONT`.
    pub fn signal(&self, signal: &str) {
        signal_process(self.child.id(), signal);
    }

    /// Kills the server at once.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it again, on the same port and with the same folder.
    pub fn restart(&mut self) {
        self.kill();
        self.child = spawn(self.port, &self.folder, &self.arguments, &self.environment);
        self.wait();
    }

    /// Waits until it answers.
    fn wait(&self) {
        let until = Instant::now() + Duration::from_secs(30);
        loop {
            let client = redis::Client::open(self.url()).unwrap();
            let answer = client
                .get_connection_with_timeout(Duration::from_secs(1))
                .and_then(|mut connection| {
                    redis::cmd("PING").query::<redis::Value>(&mut connection)
                });
            match answer {
                Ok(_) => return,
                // It demands a password, or serves nothing yet: it is up.
                Err(error) if !error.is_io_error() => return,
                Err(error) => assert!(Instant::now() < until, "redis-server: {error}"),
            }
            thread::yield_now();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Builds the library that gives one process a clock of its own, with the compiler that links this
/// test; `None` where that cannot be done.
pub fn clock_library(folder: &Path) -> Option<PathBuf> {
    let source = folder.join("clock.c");
    let library = folder.join("clock.so");
    fs::write(&source, include_str!("clock.c")).ok()?;
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .args([&library, &source])
        .status();
    built
        .is_ok_and(|status| status.success())
        .then_some(library)
}

/// Returns a port that nothing listens on.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// Sends a signal to a process.
pub fn signal_process(process: u32, signal: &str) {
    let status = Command::new("kill")
        .args([format!("-{signal}"), process.to_string()])
        .status()
        .unwrap();
    assert!(status.success());
}

fn spawn(
    port: u16,
    folder: &PathBuf,
    arguments: &[String],
    environment: &[(String, String)],
) -> Child {
    // A server that was killed just now may hold the port for a moment longer.
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
        thread::yield_now();
    }
    let log = File::create(folder.join("log")).unwrap();
    let mut command = Command::new("redis-server");
    if arguments
        .first()
        .is_some_and(|first| first == "--sentinel-file")
    {
        command.arg(&arguments[1]).arg("--sentinel");
    } else {
        command.args(arguments);
    }
    command
        .args(["--port", &port.to_string()])
        .args(["--bind", "127.0.0.1"])
        .arg("--dir")
        .arg(folder)
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdout(log)
        .stderr(Stdio::null());
    command.spawn().unwrap()
}
