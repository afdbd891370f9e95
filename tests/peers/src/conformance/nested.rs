//! Libraries in packages of their own. Those print their records, a line for each scenario and an
//! empty line after each library, which are parsed here.

use std::env;
use std::process::{Command, Stdio};

use crate::run::{Outcome, Record};
use crate::scenarios::ALL;

const HERE: &str = env!("CARGO_MANIFEST_DIR");

/// Builds and runs the package of this name.
pub(crate) fn records(package: &str) -> Result<Vec<Record>, String> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let target = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| format!("{HERE}/target").into());
    let output = Command::new(cargo)
        .args(["run", "--release", "--quiet", "--locked", "--manifest-path"])
        .arg(format!("{HERE}/{package}/Cargo.toml"))
        .env("CARGO_TARGET_DIR", target)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("{package} did not run: {error}"))?;
    let printed = String::from_utf8_lossy(&output.stdout);
    let records = printed.split_terminator("\n\n").map(parse);
    let records: Option<Vec<_>> = records.collect();
    records
        .filter(|records| !records.is_empty())
        .ok_or_else(|| format!("{package} did not finish: {printed}"))
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

/// Parses the `Display` output of an outcome.
fn outcome(line: &str) -> Option<Outcome> {
    match line.split_once(": ") {
        None => (line == "holds").then_some(Outcome::Holds),
        Some(("breaks", how)) => Some(Outcome::Breaks(how.to_owned())),
        Some(("n/a", why)) => Some(Outcome::NotApplicable(why.to_owned())),
        Some(_) => None,
    }
}
