//! Libraries that need a package of their own, as they go with no other tokio than their own. It prints
//! its record, a line for each scenario, and this reads it.

use std::env;
use std::process::{Command, Stdio};

use crate::run::{Outcome, Record};
use crate::scenarios::ALL;

const MANIFEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/ninelives/Cargo.toml");

/// Builds and runs the package.
pub(crate) fn record() -> Result<Record, String> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "run",
            "--release",
            "--quiet",
            "--locked",
            "--manifest-path",
            MANIFEST,
        ])
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| error.to_string())?;
    let printed = String::from_utf8_lossy(&output.stdout);
    parse(&printed).ok_or_else(|| format!("{}: {printed}", output.status))
}

fn parse(printed: &str) -> Option<Record> {
    let mut lines = printed.lines();
    let record = Record {
        title: lines.next()?.to_owned(),
        configuration: lines.next()?.to_owned(),
        outcomes: lines.map(outcome).collect::<Option<_>>()?,
    };
    (record.outcomes.len() == ALL.len()).then_some(record)
}

/// What `Display` has written.
fn outcome(line: &str) -> Option<Outcome> {
    match line.split_once(": ") {
        None => (line == "holds").then_some(Outcome::Holds),
        Some(("breaks", how)) => Some(Outcome::Breaks(how.to_owned())),
        Some(("n/a", why)) => Some(Outcome::NotApplicable(why.to_owned())),
        Some(_) => None,
    }
}
