//! What holds between options, as far as it can be seen in what is written. The compiler checks what
//! constant expressions are.

use std::time::Duration;

use crate::errors::Errors;
use crate::options::{Options, Written};
use crate::value::Value;

/// What an option must not say beside the others, at its value.
struct Rule {
    /// The option that must change.
    option: &'static str,
    is_broken: fn(&Options) -> bool,
    message: &'static str,
}

/// Those errors of `ConfigError` in the runtime that depend on more than one option, in its words, and
/// what is the attribute's own.
const RULES: [Rule; 10] = [
    Rule {
        option: "max_failures",
        is_broken: |options| exceeds(count(options, "max_failures"), count(options, "window")),
        message: MAX_FAILURES_ABOVE_LAST_CALLS,
    },
    Rule {
        option: "window",
        is_broken: |options| exceeds(default_max_failures(options), count(options, "window")),
        message: MAX_FAILURES_ABOVE_LAST_CALLS,
    },
    Rule {
        option: "failure_rate",
        is_broken: |options| !options.mention(&["window"]),
        message: "`failure_rate` needs a `window`; add `window = \"10s\"` for the calls of ten seconds, or `window = 100` for the last hundred",
    },
    Rule {
        option: "slow_call",
        // Two rates that miss the same window are one mistake.
        is_broken: |options| !options.mention(&["window"]) && options.get("failure_rate").is_none(),
        message: "`slow_call` needs a `window`; add `window = \"10s\"` for the calls of ten seconds, or `window = 100` for the last hundred",
    },
    Rule {
        option: "slow_call",
        // What else could open the circuit makes this no more than a spare rule.
        is_broken: |options| {
            !options.mention(&["max_failures", "failure_rate"])
                && !exceeds(span(options, "timeout"), span(options, "slow_call"))
                && span(options, "timeout").is_some()
                && span(options, "slow_call").is_some()
        },
        message: "`slow_call` must be shorter than `timeout`, which ends a call before it is slow; the circuit would never open",
    },
    Rule {
        option: "slow_rate",
        is_broken: |options| !options.mention(&["slow_call"]),
        message: "`slow_rate` needs `slow_call`; add `slow_call = \"2s\"`, the time from which on a call is slow",
    },
    Rule {
        option: "min_calls",
        is_broken: |options| !options.mention(&["failure_rate", "slow_call", "slow_rate"]),
        message: "`min_calls` needs a rate; add `failure_rate = 0.5`, or `slow_call` and `slow_rate`",
    },
    Rule {
        option: "min_calls",
        is_broken: |options| exceeds(count(options, "min_calls"), count(options, "window")),
        message: "`min_calls` must not be above the calls in `window`; the rates would never be judged",
    },
    Rule {
        option: "max_reset",
        is_broken: |options| exceeds(reset(options), span(options, "max_reset")),
        message: "`max_reset` must not be shorter than `reset`; the wait grows from `reset` up to it",
    },
    Rule {
        option: "max_keys",
        is_broken: |options| !options.mention(&["key"]),
        message: "`max_keys` needs a `key`; add `key = host`, the argument that each breaker is for",
    },
];

/// What is not of the breaker, but of the function.
const BESIDE_BREAKER: [&str; 5] = ["breaker", "fallback", "failure_if", "ignore_if", "crate"];

const MAX_FAILURES_ABOVE_LAST_CALLS: &str = "`max_failures`, which is 5 unless written, must not be above the calls in `window`; the circuit would never open";

// The defaults of the runtime.
const DEFAULT_MAX_FAILURES: u32 = 5;
const DEFAULT_RESET: Duration = Duration::from_secs(30);

/// Refuses each option that does not go with the others.
pub(crate) fn check(options: &Options, errors: &mut Errors) {
    if options.mention(&["breaker"]) {
        let is_its_own = |option: &&Written| !BESIDE_BREAKER.contains(&option.name);
        for option in options.iter().filter(is_its_own) {
            errors.push(syn::Error::new(option.key.span(), beside_breaker(option)));
        }
        return;
    }
    for option in options.iter() {
        let mut rules = RULES.iter().filter(|rule| rule.option == option.name);
        if let Some(rule) = rules.find(|rule| (rule.is_broken)(options)) {
            let message = with_numbers(rule, options).unwrap_or_else(|| rule.message.to_owned());
            errors.push(syn::Error::new_spanned(&option.expression, message));
        }
    }
}

/// What is said of an option that does not go with `breaker`.
fn beside_breaker(option: &Written) -> String {
    let name = option.name;
    let setter = match (name, &option.value) {
        ("window", Value::Count(_)) => "last_calls",
        _ => name,
    };
    let advice = match name {
        "key" | "max_keys" => "remove one, as a key has breakers made for it".to_owned(),
        "name" => "write `CircuitBreaker::new(name, config)` where that is made".to_owned(),
        _ => format!("write `Config::builder().{setter}(..)` where that is made"),
    };
    format!("`{name}` does not go with `breaker`; {advice}")
}

/// What a rule says of two numbers that can both be told.
fn with_numbers(rule: &Rule, options: &Options) -> Option<String> {
    let (failures, calls) = count(options, "max_failures").zip(count(options, "window"))?;
    (rule.option == "max_failures").then(|| {
        format!(
            "`max_failures` must not be above the calls in `window`, and {failures} is above {calls}; \
             the circuit would never open"
        )
    })
}

fn count(options: &Options, name: &str) -> Option<u32> {
    match options.get(name) {
        Some(Value::Count(count)) => Some(*count),
        _ => None,
    }
}

fn span(options: &Options, name: &str) -> Option<Duration> {
    match options.get(name) {
        Some(Value::Span(span)) => Some(*span),
        _ => None,
    }
}

/// The failures that open the circuit when no rule is written, nor what belongs to one.
fn default_max_failures(options: &Options) -> Option<u32> {
    let rules = [
        "max_failures",
        "failure_rate",
        "slow_call",
        "slow_rate",
        "min_calls",
    ];
    (!options.mention(&rules)).then_some(DEFAULT_MAX_FAILURES)
}

/// The wait, if it can be told.
fn reset(options: &Options) -> Option<Duration> {
    if options.mention(&["reset"]) {
        return span(options, "reset");
    }
    Some(DEFAULT_RESET)
}

/// Whether one is above the other, as far as both can be told.
fn exceeds<T: PartialOrd>(number: Option<T>, most: Option<T>) -> bool {
    matches!((number, most), (Some(number), Some(most)) if number > most)
}

#[cfg(test)]
mod tests {
    use crate::errors::Errors;
    use crate::options::Options;
    use proc_macro2::TokenStream;
    use quote::quote;

    /// The first words of each mistake.
    fn mistakes(list: TokenStream) -> Vec<String> {
        let mut errors = Errors::default();
        Options::parse(list, &mut errors);
        let messages = errors.messages().into_iter();
        messages
            .map(|message| message.chars().take(24).collect())
            .collect()
    }

    #[test]
    fn each_rule_can_be_broken() {
        for (list, broken) in [
            (
                quote!(max_failures = 9, window = 8),
                "`max_failures` must not ",
            ),
            (quote!(window = 4), "`max_failures`, which is"),
            (quote!(failure_rate = RATE), "`failure_rate` needs a `"),
            (quote!(slow_call = "1s"), "`slow_call` needs a `win"),
            (quote!(slow_rate = 1), "`slow_rate` needs `slow_"),
            (
                quote!(window = "1m", slow_call = "2s", timeout = "2s"),
                "`slow_call` must be shor",
            ),
            (quote!(min_calls = LIMIT), "`min_calls` needs a rate"),
            (
                quote!(min_calls = 9, window = 8, failure_rate = 1),
                "`min_calls` must not be ",
            ),
            (quote!(max_reset = "29s"), "`max_reset` must not be "),
            (
                quote!(max_reset = "1m", reset = "61s"),
                "`max_reset` must not be ",
            ),
            (quote!(max_keys = 7), "`max_keys` needs a `key`"),
            (
                quote!(breaker = self.breaker, slow_rate = 0.5),
                "`slow_rate` does not go ",
            ),
            (
                quote!(key = host, breaker = BREAKER),
                "`key` does not go with `",
            ),
        ] {
            assert_eq!(mistakes(list.clone()), [broken], "{list}");
        }
    }

    #[test]
    fn what_goes_together_is_no_mistake() {
        for list in [
            quote!(max_failures = 8, window = 8),
            quote!(window = 5),
            quote!(window = 1, failure_rate = 1),
            quote!(window = 1, slow_call = "1s"),
            quote!(window = 8, failure_rate = 1, min_calls = 8),
            quote!(window = LIMIT, max_failures = 9),
            quote!(
                window = "1s",
                max_failures = 9,
                slow_call = "1s",
                min_calls = 9
            ),
            quote!(window = "1m", slow_call = "2s", timeout = "2001ms"),
            quote!(window = "1m", slow_call = "2s", timeout = TIMEOUT),
            quote!(
                window = "1m",
                slow_call = "2s",
                timeout = "2s",
                failure_rate = 1
            ),
            quote!(max_reset = "30s"),
            quote!(max_reset = "1s", reset = RESET),
            quote!(max_keys = LIMIT, key = host),
            quote!(
                breaker = BREAKER,
                fallback = Ok(7),
                failure_if = is_outage,
                ignore_if = is_ours,
                crate = ::renamed
            ),
        ] {
            assert_eq!(mistakes(list.clone()), [""; 0], "{list}");
        }
    }

    #[test]
    fn what_is_wrong_by_itself_breaks_no_rule() {
        for list in [
            quote!(window = "10x", failure_rate = 0.5),
            quote!(windwo = "10s", failure_rate = 0.5),
            quote!(failure_rate = 0.5 window 100),
            quote!(window = 3, max_failures = 0),
            quote!(window = 3, slow_rate = 0.5),
            quote!(max_reset = "10s", reset = "0s"),
        ] {
            assert_eq!(mistakes(list.clone()).len(), 1, "{list}");
        }
    }
}
