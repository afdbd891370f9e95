//! The parent's side of a process of a fleet.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, Once};
use std::thread;
use std::time::{Duration, Instant};

use super::server::{signal_process, skipped};

/// A test fails if what it waits for does not happen within this time.
const LIMIT: Duration = Duration::from_secs(30);

/// Between two questions about the same.
const PAUSE: Duration = Duration::from_millis(3);

/// A process of a fleet, which is killed when it is dropped.
pub struct Process {
    child: Child,
    input: Option<ChildStdin>,
    lines: Arc<Lines>,
    member: String,
    /// The lines before this one were looked at.
    cursor: usize,
}

#[derive(Default)]
struct Lines {
    lines: Mutex<(Vec<String>, bool)>,
    changed: Condvar,
}

impl Process {
    /// Starts a process whose store is at this URL.
    pub fn start(url: &str, variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        command
            .args(["--exact", "child::child", "--nocapture", "--test-threads=1"])
            .env("FLEET_URL", url)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        for (name, value) in variables {
            command.env(format!("FLEET_{name}"), value);
        }
        let mut child = command.spawn().unwrap();
        let lines = Arc::new(Lines::default());
        let reader = Arc::clone(&lines);
        let output = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                reader
                    .lines
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner)
                    .0
                    .push(line);
                reader.changed.notify_all();
            }
            reader
                .lines
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .1 = true;
            reader.changed.notify_all();
        });
        let input = child.stdin.take();
        let mut process = Self {
            child,
            input,
            lines,
            member: variables
                .iter()
                .find(|(name, _)| *name == "MEMBER")
                .map_or_else(String::new, |(_, member)| (*member).to_owned()),
            cursor: 0,
        };
        process.wait("ready");
        process
    }

    /// Starts so many processes, and waits until all are members.
    pub fn fleet(count: usize, url: &str, variables: &[(&str, &str)]) -> Vec<Self> {
        let mut processes: Vec<_> = (0..count)
            .map(|index| {
                let member = format!("m{index}");
                let mut all = vec![("MEMBER", member.as_str())];
                all.extend(variables);
                Self::start(url, &all)
            })
            .collect();
        for process in &mut processes {
            process.wait("shared");
        }
        for process in &mut processes {
            process.wait_for_status(&format!("status {count} shared"));
        }
        processes
    }

    pub fn member(&self) -> &str {
        &self.member
    }

    pub fn send(&mut self, command: &str) {
        let input = self.input.as_mut().unwrap();
        writeln!(input, "{command}").unwrap();
        input.flush().unwrap();
    }

    /// Sends a command, and returns the line that begins as its answer does. The lines before that
    /// can still be waited for.
    pub fn ask(&mut self, command: &str, answer: &str) -> String {
        let cursor = self.cursor;
        self.skip();
        self.send(command);
        let answer = self.wait(answer);
        self.cursor = cursor;
        answer
    }

    /// Waits for a line that begins like this, from the last one that was waited for on.
    pub fn wait(&mut self, beginning: &str) -> String {
        self.wait_until(|line| line.starts_with(beginning), beginning)
    }

    pub fn wait_until(&mut self, is_it: impl Fn(&str) -> bool, what: &str) -> String {
        let until = Instant::now() + LIMIT;
        let mut lines = self.lines.lines.lock().unwrap();
        loop {
            while self.cursor < lines.0.len() {
                let line = lines.0[self.cursor].clone();
                self.cursor += 1;
                if is_it(&line) {
                    return line;
                }
            }
            let left = until.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero() && !lines.1,
                "`{what}` has not happened: {:#?}",
                happened(&lines.0)
            );
            lines = self.lines.changed.wait_timeout(lines, left).unwrap().0;
        }
    }

    /// Waits for the verdict that closes the circuit for all.
    pub fn wait_until_closed(&mut self) -> String {
        let is_closed = |line: &str| line.starts_with("verdict") && line.contains(" closed ");
        self.wait_until(is_closed, "closed for all")
    }

    /// Asks for the status until it is this.
    pub fn wait_for_status(&mut self, wanted: &str) {
        self.wait_for_answer("status", wanted, |answer| answer.starts_with(wanted));
    }

    /// Asks for the status until it has these words.
    pub fn wait_until_status_contains(&mut self, wanted: &str) {
        self.wait_for_answer("status", wanted, |answer| answer.contains(wanted));
    }

    /// Asks for the state until it is this.
    pub fn wait_for_state(&mut self, wanted: &str) {
        self.wait_for_answer("state", wanted, |answer| answer.starts_with(wanted));
    }

    fn wait_for_answer(&mut self, command: &str, wanted: &str, is_it: impl Fn(&str) -> bool) {
        let until = Instant::now() + LIMIT;
        loop {
            let answer = self.ask(command, command);
            if is_it(&answer) {
                return;
            }
            assert!(
                Instant::now() < until,
                "`{wanted}` is `{answer}`: {:#?}",
                happened(&self.lines.lines.lock().unwrap().0)
            );
            thread::sleep(PAUSE);
        }
    }

    /// Waits only for what happens from now on.
    pub fn skip(&mut self) {
        self.cursor = self.lines.lines.lock().unwrap().0.len();
    }

    /// Returns all lines so far that begin like this.
    pub fn all(&self, beginning: &str) -> Vec<String> {
        let lines = self.lines.lines.lock().unwrap();
        let found = lines.0.iter().filter(|line| line.starts_with(beginning));
        found.cloned().collect()
    }

    pub fn signal(&self, signal: &str) {
        signal_process(self.child.id(), signal);
    }

    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Returns the lines that are no answers to questions.
fn happened(lines: &[String]) -> Vec<&String> {
    let is_answer = |line: &str| line.starts_with("status ") || line.starts_with("state ");
    lines.iter().filter(|line| !is_answer(line)).collect()
}

/// Returns `true`, and says so loudly, unless long tests are wanted.
pub fn is_short_run() -> bool {
    let is_short = env::var("CIRCUIT_FLEET_LONG").is_err();
    if is_short {
        static SAID: Once = Once::new();
        SAID.call_once(|| skipped("the long tests of a fleet; set CIRCUIT_FLEET_LONG=1"));
    }
    is_short
}

/// Opens the circuit of one process, and waits until all have followed.
pub fn open_all(fleet: &mut [Process]) {
    fleet[0].send("fail");
    agree(fleet, "open");
}

/// Starts another process, and waits until it has heard of the first opening.
pub fn start_late(url: &str) -> Process {
    let mut late = Process::start(url, &[("MEMBER", "late")]);
    late.wait("verdict 1 open m0");
    late
}

/// Returns the lines about calls that have probed, of all processes.
pub fn probes(fleet: &[Process]) -> Vec<String> {
    fleet
        .iter()
        .flat_map(|process| process.all("ran"))
        .collect()
}

/// Waits until all processes are in this state.
pub fn agree(processes: &mut [Process], state: &str) {
    let wanted = format!("state {state}");
    let until = Instant::now() + LIMIT;
    loop {
        let answers: Vec<_> = processes
            .iter_mut()
            .map(|process| process.ask("state", "state"))
            .collect();
        if answers.iter().all(|answer| answer.starts_with(&wanted)) {
            return;
        }
        if Instant::now() >= until {
            for process in processes.iter() {
                let lines = process.lines.lines.lock().unwrap();
                eprintln!("{:#?}", happened(&lines.0));
            }
            panic!("not all say `{wanted}`: {answers:?}");
        }
        thread::sleep(PAUSE);
    }
}
