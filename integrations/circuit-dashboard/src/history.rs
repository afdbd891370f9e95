//! The changes of the process, by number.

use std::sync::LazyLock;
use std::time::SystemTime;

use circuit_runtime::{Lagged, StateChange, registry};
use serde_json::Value;

/// The most changes that are read at a time: more than are kept.
const MAX_READ: usize = 1024;

/// Identifies this run of the program, so that a number of an earlier one is not taken for one of
/// this one.
static RUN: LazyLock<String> = LazyLock::new(|| {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    format!("{:x}", since.unwrap_or_default().as_micros())
});

/// The place of a change in the history, as clients see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Id {
    /// The number of a change of this run.
    Number(u64),
    /// A change of another run.
    OtherRun,
}

impl Id {
    /// Reads an id; `None` if it is malformed.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (run, number) = text.rsplit_once('-')?;
        let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
        let is_hex = |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_hexdigit());
        if !is_digits(number) || !is_hex(run) {
            return None;
        }
        let number = number.parse().ok()?;
        Some(if run == *RUN {
            Self::Number(number)
        } else {
            Self::OtherRun
        })
    }
}

/// Returns the id of the change with this number.
pub(crate) fn id(number: u64) -> String {
    format!("{}-{number}", *RUN)
}

/// Returns the id of the change before this number, if there is one.
pub(crate) fn id_before(number: u64) -> Option<String> {
    number.checked_sub(1).map(id)
}

/// Returns the id of the latest change, if there was one.
pub(crate) fn last_id() -> Option<String> {
    id_before(registry::changes().next_number())
}

/// A change and its number.
#[derive(Clone, Debug)]
pub(crate) struct Numbered {
    pub(crate) number: u64,
    pub(crate) change: StateChange,
}

impl Numbered {
    pub(crate) fn to_json(&self) -> Value {
        let mut json = serde_json::to_value(&self.change).unwrap_or_default();
        if let Some(fields) = json.as_object_mut() {
            fields.insert("id".to_owned(), id(self.number).into());
        }
        json
    }
}

/// Returns how many changes were missed, and those that are kept, from this number on.
pub(crate) fn read_from(number: u64) -> (u64, Vec<Numbered>) {
    let mut receiver = registry::changes_from(number);
    let (mut missed, mut changes) = (0_u64, Vec::new());
    while changes.len() < MAX_READ {
        let number = receiver.next_number();
        match receiver.try_recv() {
            Ok(Some(change)) => changes.push(Numbered { number, change }),
            Ok(None) => break,
            // Also between two that are read, while others displace those that come next.
            Err(Lagged(more)) => missed = missed.saturating_add(more),
        }
    }
    (missed, changes)
}

#[cfg(test)]
mod tests {
    use super::{Id, id};

    #[test]
    fn an_id_is_that_of_this_run_or_of_another_one_or_malformed() {
        assert_eq!(Id::parse(&id(17)), Some(Id::Number(17)));
        assert_eq!(Id::parse("abc-17"), Some(Id::OtherRun));
        for malformed in [
            "",
            "-",
            "17",
            "-17",
            "abc-",
            "abc-+1",
            "abc- 1",
            "abc-99999999999999999999",
            "ab c-1",
            "\u{0}-1",
            "<script>-1",
        ] {
            assert_eq!(Id::parse(malformed), None, "{malformed}");
        }
    }
}
