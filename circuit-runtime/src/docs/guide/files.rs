//! Rules from a file or the environment.
//!
//! With the feature `serde`, `registry::apply` sets options by the names of circuits: when the
//! program starts, and again while it runs. Any format of `serde` will do, such as TOML:
//!
//! ```toml
//! [dependencies]
//! circuit-runtime = { version = "0.1", features = ["serde"] }
//! toml = "1"
//! ```
//!
//! ```toml
//! [circuits."*"]
//! jitter = "10%"
//!
//! [circuits."shop::quote"]
//! max_failures = 3
//! reset = "10s"
//!
//! [circuits."shop::legacy::*"]
//! hold = "closed"
//! ```
#![cfg_attr(
    feature = "serde",
    doc = r#"
```standalone_crate
use circuit_runtime::{CircuitBreaker, Config, Overrides, registry};

fn reload(file: &str) -> Result<(), Box<dyn std::error::Error>> {
    let overrides: Overrides = toml::from_str(file)?;
    let applied = registry::apply(overrides)?;
    print!("{applied}"); // shop::quote: max_failures 5 -> 3, reset 30s -> 10s
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let quote = CircuitBreaker::new("shop::quote", Config::default());
    reload("[circuits.'shop::quote']\nmax_failures = 3\nreset = '10s'")?;
    assert_eq!(quote.config().max_failures(), Some(3));

    // An option that the file no longer sets is as in the program.
    reload("")?;
    assert_eq!(quote.config(), Config::default());
    Ok(())
}
```
"#
)]
//!
//! The options are those of the attribute. In a name, `*` stands for any characters. If several
//! names match a circuit, the most specific one that sets an option wins: the exact name, or else
//! the pattern with the most characters besides `*`. Two patterns with as many are taken in
//! alphabetical order. The breakers of a `key` have the name of their function. The overrides also
//! apply to breakers that are created later.
//!
//! # What belongs where
//!
//! | belongs in code | belongs in a file |
//! |---|---|
//! | which errors are failures: `failure_if`, `ignore_if`, `classify`, `retry_after` | limits: `max_failures`, `window`, `failure_rate`, `slow_call`, `slow_rate`, `min_calls` |
//! | what is returned instead: `fallback`, `or_else`, `error` | waits: `reset`, `max_reset`, `jitter`, `probes`, `ramp` |
//! | which calls share a circuit, and its `name`: `key`, `max_keys`, `breaker` | how long a `timeout` is |
//! | the fact that there is a `timeout` | `hold`, to admit every call, or to reject all |
//!
//! The options in code depend on the types of the program, and the compiler checks them. The
//! numbers in a file depend on the traffic, and are changed by people who watch it. Write good ones
//! in the attribute, too: they are in force wherever the file says nothing, and without any file.
//!
//! # Mistakes
//!
//! If the overrides are invalid for any breaker in use, nothing changes:
#![doc = r"
```text
circuit `shop::quote`: unknown option `max_failres`; did you mean `max_failures`?
circuit `shop::quote`: `max_reset` must not be shorter than `reset`; the wait grows from `reset` up to it (`reset` from `*`, `max_reset` from the program)
```
"]
#![cfg_attr(
    feature = "serde",
    doc = r#"
```standalone_crate
use circuit_runtime::{CircuitBreaker, Config, State, registry};

# fn main() -> Result<(), Box<dyn std::error::Error>> {
let search = CircuitBreaker::new("search", Config::default());
for _ in 0..4 {
    search.try_acquire()?.failure();
}

let file = r"
    [circuits.search]
    max_failures = 3
";
let applied = registry::apply(toml::from_str(file)?)?;
assert_eq!(applied.to_string(), "search: max_failures 5 -> 3\n");

assert_eq!(search.state(), State::Closed);
search.try_acquire()?.failure();
assert_eq!(search.state(), State::Open);

let mistake = toml::from_str("[circuits.search]\nmax_reset = '1s'")?;
let error = registry::apply(mistake).unwrap_err();
assert_eq!((error.circuit(), error.option()), ("search", Some("max_reset")));
# Ok(())
# }
```
"#
)]
//!
//! [`Applied`](crate::Applied), the result, lists what has changed, and the names that match no
//! circuit so far.
//!
//! # In detail
//!
//! - **A timeout.** The future of an annotated function without a `timeout` has no room for a
//!   timer. If a pattern sets one, `Applied` lists it as skipped. Under the exact name, it is a
//!   mistake. Write a long one in the attribute, `timeout = "1h"`, if a file may set a shorter one.
//! - **A reload** is up to the program: on a signal, on a request, or when the file has changed.
//!   Read the file, apply it, and log the result: `Applied`, or the mistake. After a mistake, the
//!   rules stay as they are.
//! - **Kept:** totals, orders, the history and calls in flight, each with its timeout. Counted
//!   results stay unless the kind or the length of `window` changes; a limit below their number
//!   opens the circuit with the next failure. An open circuit follows a new `reset`.
//! - **An added rule.** In a window of time, the failures that a rate has counted also count
//!   towards a `max_failures` that is added, exact to a tenth of the window. A rate that is added
//!   there begins without calls: those before were not counted.
//! - **Removed:** an option that the file no longer sets has the value of the program again. A
//!   circuit that the file no longer holds is released, as by
//!   [`reset`](crate::CircuitBreaker::reset).
//! - **A hold.** `hold = "closed"` is an off switch: the circuit rejects no call. It still counts
//!   in [`Snapshot::withheld`](crate::Snapshot::withheld) how often it would have opened. The
//!   opposite, `hold = "open"`, rejects every call, from the first one on. An order that is given
//!   by hand takes precedence over the file, and stays when the hold is removed. After a `reset` by
//!   hand, the file holds the circuit again when it is applied the next time.
//! - **An order that ends.** After an order with a time, such as
//!   [`force_open_for`](crate::CircuitBreaker::force_open_for), the circuit is not held: the file's
//!   hold returns when the file is applied again.
//! - **Half a file.** If a file is empty, or is read while it is being written, the options that it
//!   lacks have the values of the program again. Write a new file beside it, then rename that.
//! - **Unsetting.** A file can set an option, but not remove one of the program. It can replace a
//!   default: a `failure_rate` under `"*"` takes the place of the default `max_failures`, but not
//!   of a `max_failures` in the attribute.
//! - **New rules from code.** [`reconfigure`](crate::CircuitBreaker::reconfigure) replaces the
//!   rules of the program, and removes the file's options. When the file is applied again, its
//!   options take precedence over the new rules.
//! - **A later circuit.** If the options of the file are invalid for a circuit that is created
//!   later, all of them are left out there, with a warning in the log. A hold applies nevertheless.
//!   Without the feature `tracing`, there is no sign of it but
//!   [`CircuitBreaker::config`](crate::CircuitBreaker::config).
//! - **YAML** takes `*` for the beginning of an alias: quote it, `"*":`.
//! - **The environment.** The crate `figment` lets variables override a file. It reads their names
//!   in lower case, and few shells allow `::` in them: give a circuit that is set there a `name` in
//!   lower case without `::`.
//! - **Names.** The breaker of an annotated function exists from its first call on. Until then, its
//!   name is among those that match no circuit, and a mistake in its options is a warning in the
//!   log at that call. The feature `discovery` reports both when the file is applied.
//!
//! The repository's `examples/configured/` reads a file again on a signal, with the environment
//! over it. [`reconfigure`](crate::CircuitBreaker::reconfigure) replaces the rules of one breaker,
//! or of one [`CircuitBreakers`](crate::CircuitBreakers::reconfigure), and needs no feature.
