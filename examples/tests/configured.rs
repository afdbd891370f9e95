//! The example `configured`, in a process of its own: its file is rewritten while it runs.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot continue fails"
)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

/// Long enough on any machine: a test that fails must end.
const PATIENCE: Duration = Duration::from_secs(100);

/// The name of the file.
const FILE: &str = "rewritten.toml";

/// The running example, and the file that it reads.
struct Program {
    process: Child,
    lines: Receiver<String>,
    file: PathBuf,
}

impl Program {
    /// Starts it with this file, and variables of the environment over it.
    fn start(text: &str, variables: [(&str, &str); 2]) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let file = folder.join(FILE);
        fs::write(&file, text).unwrap();
        let mut process = Command::new(example())
            .current_dir(folder)
            .arg(FILE)
            .envs(variables)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            output
                .lines()
                .try_for_each(|line| sender.send(line.unwrap()))
        });
        Self {
            process,
            lines,
            file,
        }
    }

    /// Returns the lines up to that of the next call.
    fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let line = self.lines.recv_timeout(PATIENCE).expect("no line");
            let is_last = line.starts_with("called: ") || line.starts_with("not called: ");
            lines.push(line);
            if is_last {
                return lines;
            }
        }
    }

    /// Rewrites its file, asks it to read it again, and returns what it prints.
    fn reload(&self, text: &str) -> Vec<String> {
        fs::write(&self.file, text).unwrap();
        self.signal();
        self.lines()
    }

    fn signal(&self) {
        let command = format!("kill -HUP {}", self.process.id());
        let status = Command::new("sh").args(["-c", &command]).status();
        assert!(status.unwrap().success());
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_file(&self.file);
    }
}

/// Returns the path of the example, which `cargo test` builds with all targets of this package.
fn example() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let example = test.ancestors().nth(2).unwrap().join("examples/configured");
    assert!(
        example.exists(),
        "the example is not built; run `cargo test -p circuit-examples`"
    );
    example
}

#[test]
fn a_file_is_read_again_on_a_signal_and_a_broken_one_changes_nothing() {
    let program = Program::start(
        "port = 80\n[circuits.quote]\nmax_failures = 3\n[database]\npool = 5",
        [
            ("SHOP_CIRCUITS__QUOTE__RESET", "20s"),
            ("SHOP_PORT", "8080"),
        ],
    );
    let first = program.lines();
    assert!(first[0].starts_with("reads the file again on: kill -HUP "));
    let rest = [
        "quote: max_failures 5 -> 3, reset 30s -> 20s",
        "called: 42.5",
    ];
    assert_eq!(first[1..], rest);

    let held = "[circuits.quote]\nhold = 'open'";
    let not_called = "not called: circuit `quote` is open";
    assert_eq!(
        program.reload(held),
        [
            "quote: max_failures 3 -> 5, hold in the file none -> open",
            not_called
        ]
    );

    for (broken, message) in [
        (
            "[circuits.quote]\nmax_failres = 3",
            format!(
                "circuit `quote`: unknown option `max_failres`; did you mean `max_failures`? for \
                 key \"default.circuits.quote.max_failres\" in {FILE} TOML file"
            ),
        ),
        (
            "[circuits.quote]\nmax_reset = '10s'",
            format!(
                "circuit `quote`: `max_reset` must not be shorter than `reset`; the wait grows from \
                 `reset` up to it in {FILE} or the environment"
            ),
        ),
    ] {
        let refused = format!("refused, the rules stay as they are: {message}");
        assert_eq!(program.reload(broken), [&refused, not_called]);
    }

    // A mistake of the format, with its line, and no file at all.
    let lines = program.reload("[circuits.quote\nprobes = 3");
    assert!(lines[0].starts_with("refused, "), "{lines:?}");
    assert!(
        lines.iter().any(|line| line.contains("line 1")),
        "{lines:?}"
    );
    fs::remove_file(&program.file).unwrap();
    program.signal();
    let lines = program.lines();
    assert!(lines[0].starts_with("refused, "), "{lines:?}");
    assert_eq!(lines.last().unwrap(), not_called);

    let released = [
        "quote: hold in the file open -> none",
        "`qoute` matches no circuit so far; did you mean `quote`?",
        "called: 42.5",
    ];
    assert_eq!(program.reload("[circuits.qoute]\nprobes = 3"), released);
    assert_eq!(program.reload(""), ["called: 42.5"]);
}
