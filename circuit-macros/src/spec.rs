//! The options that there are, and what other libraries call them.

use proc_macro2::Ident;
use syn::ext::IdentExt;

use crate::suggest;
use crate::value::Kind;

/// An option that can be written.
pub(crate) struct Spec {
    pub(crate) name: &'static str,
    /// Right uses of it.
    pub(crate) examples: &'static [&'static str],
    pub(crate) kind: Kind,
    /// What others call it, between spaces.
    pub(crate) aliases: &'static str,
}

/// All the options there are.
pub(crate) const SPECS: [Spec; 19] = [
    Spec {
        name: "max_failures",
        examples: &["max_failures = 5"],
        kind: Kind::Count {
            zero: "with 0 the circuit would open before the first call",
        },
        aliases: "handled_events_allowed_before_breaking exceptions_allowed_before_breaking \
            failure_threshold threshold failures max_errors error_threshold max_fails \
            failure_count error_count consecutive_failures max_consecutive_failures fail_max",
    },
    Spec {
        name: "window",
        examples: &["window = \"10s\"", "window = 100"],
        kind: Kind::Window {
            empty: "no failure would ever count in an empty window",
        },
        aliases: "interval period sliding_window rolling_window window_size time_window \
            sliding_window_size rolling_window_size rolling_count_timeout sampling_duration \
            stat_interval last_calls",
    },
    Spec {
        name: "failure_rate",
        examples: &["failure_rate = 0.5"],
        kind: Kind::Rate {
            meaning: "it is the share of failed calls that opens the circuit",
        },
        aliases: "rate rates failure_rate_threshold failure_ratio error_rate error_ratio error_percentage \
            error_rate_threshold error_threshold_percentage failure_percentage",
    },
    Spec {
        name: "slow_call",
        examples: &["slow_call = \"2s\""],
        kind: Kind::Span {
            zero: "with zero every call would be slow",
        },
        aliases: "slow_call_duration slow_call_duration_threshold slow_call_threshold \
            slow_threshold slow_after slow_duration max_allowed_rt",
    },
    Spec {
        name: "slow_rate",
        examples: &["slow_rate = 0.5"],
        kind: Kind::Rate {
            meaning: "it is the share of slow calls that opens the circuit",
        },
        aliases: "slow_call_rate slow_call_rate_threshold slow_rate_threshold slow_ratio \
            slow_ratio_threshold slow_call_ratio",
    },
    Spec {
        name: "min_calls",
        examples: &["min_calls = 20"],
        kind: Kind::Count {
            zero: "there is no rate of no calls",
        },
        aliases: "minimum_request_threshold minimum_number_of_calls minimum_calls min_requests min_request_amount \
            minimum_throughput min_throughput volume_threshold request_volume_threshold",
    },
    Spec {
        name: "reset",
        examples: &["reset = \"30s\""],
        kind: Kind::Span {
            zero: "with zero the circuit would never be open",
        },
        aliases: "reset_timeout reset_after recovery recovery_timeout cooldown open_for \
            open_duration wait_duration wait_duration_in_open_state wait_duration_in_open \
            sleep_window break_duration duration_of_break retry_timeout half_open_after open_timeout",
    },
    Spec {
        name: "max_reset",
        examples: &["max_reset = \"5m\""],
        kind: Kind::Span {
            zero: "the wait grows from `reset` up to it",
        },
        aliases: "max_cooldown max_backoff reset_max max_wait max_delay backoff exponential_backoff",
    },
    Spec {
        name: "jitter",
        examples: &["jitter = 0.1"],
        kind: Kind::Share {
            meaning: "it is the share of each wait that is added at most",
        },
        aliases: "randomization random_factor jitter_factor",
    },
    Spec {
        name: "probes",
        examples: &["probes = 3"],
        kind: Kind::Count {
            zero: "with 0 the circuit would never close again",
        },
        aliases: "half_open_max_calls half_open_calls half_open_requests half_open_max_requests \
            permitted_calls_in_half_open permitted_number_of_calls_in_half_open_state \
            success_threshold max_requests probe_num",
    },
    Spec {
        name: "timeout",
        examples: &["timeout = \"2s\""],
        kind: Kind::Span {
            zero: "with zero no call could ever finish",
        },
        aliases: "call_timeout timeout_duration timeout_ms deadline max_duration",
    },
    Spec {
        name: "failure_if",
        examples: &["failure_if = |error| error.is_outage()"],
        kind: Kind::Predicate,
        aliases: "predicate failure_predicate is_failure record_exceptions record_exception \
            record_failure_predicate should_trip should_handle handle fail_if expected_exception",
    },
    Spec {
        name: "ignore_if",
        examples: &["ignore_if = |error| error.is_cancelled()"],
        kind: Kind::Predicate,
        aliases: "ignore ignore_exceptions ignore_exception ignore_exception_predicate \
            ignore_predicate ignore_errors exclude",
    },
    Spec {
        name: "fallback",
        examples: &["fallback = Ok(cached(symbol))", "fallback = |error| .."],
        kind: Kind::Fallback,
        aliases: "fallback_method fallback_fn fallback_function fallback_value or_else on_reject \
            on_rejected",
    },
    Spec {
        name: "key",
        examples: &["key = host", "key = format!(\"{region}/{host}\")"],
        kind: Kind::Key,
        aliases: "keyed keys key_by key_fn per by partition partition_key group_by",
    },
    Spec {
        name: "max_keys",
        examples: &["max_keys = 1_000"],
        kind: Kind::Count {
            zero: "with 0 no key could have a breaker",
        },
        aliases: "max_breakers max_entries capacity cache_size",
    },
    Spec {
        name: "breaker",
        examples: &["breaker = self.breaker"],
        kind: Kind::Breaker,
        aliases: "circuit_breaker instance with",
    },
    Spec {
        name: "name",
        examples: &["name = \"payments\""],
        kind: Kind::Text,
        aliases: "id label",
    },
    Spec {
        name: "crate",
        examples: &["crate = ::renamed"],
        kind: Kind::Path,
        aliases: "crate_path crate_name krate runtime",
    },
];

/// What other libraries do, and this one does not.
pub(crate) const FOREIGN: [(&str, &str); 6] = [
    (
        "sliding_window_type window_type",
        "a `window` is a span of time, such as \"10s\", or a number of calls, such as 100",
    ),
    (
        "max_retries retries retry max_attempts attempts",
        "nothing is tried again here, and `max_failures` opens the circuit",
    ),
    (
        "max_concurrent max_concurrent_calls bulkhead concurrency",
        "calls are not limited in number here, but those of a half-open circuit are by `probes`",
    ),
    (
        "on_open on_break on_close on_half_open on_state_change listener listeners callback",
        "changes of the state are not reported here, but `registry::find(name)` knows the `state()`",
    ),
    (
        "is_successful is_success success_if",
        "here it is the other way round: write `failure_if`, for the errors that are failures",
    ),
    (
        "ready_to_trip strategy policy trip_if",
        "here the rules are `max_failures`, `failure_rate` and `slow_rate`",
    ),
];

impl Spec {
    /// The option that `key` names.
    pub(crate) fn named(key: &Ident) -> syn::Result<&'static Self> {
        let written = key.unraw().to_string();
        if let Some(spec) = SPECS.iter().find(|spec| spec.name == written) {
            return Ok(spec);
        }

        let word = suggest::snake_case(&written);
        let mut foreign = FOREIGN.iter();
        let advice = if let Some(spec) = SPECS.iter().find(|spec| spec.is_called(&word)) {
            format!("here it is called `{}`", spec.name)
        } else if let Some((_, advice)) = foreign.find(|(words, _)| is_among(words, &word)) {
            (*advice).to_owned()
        } else if let Some(name) = suggest::nearest(&word, SPECS.iter().map(|spec| spec.name)) {
            format!("did you mean `{name}`?")
        } else {
            format!("expected one of {}", names())
        };
        Err(syn::Error::new(
            key.span(),
            format!("unknown option `{written}`; {advice}"),
        ))
    }

    /// The name of the option that `key` names, or seems to mean.
    pub(crate) fn meant(key: &Ident) -> Option<&'static str> {
        let word = suggest::snake_case(&key.unraw().to_string());
        let mut specs = SPECS.iter();
        specs
            .find(|spec| spec.is_called(&word))
            .map(|spec| spec.name)
            .or_else(|| suggest::nearest(&word, SPECS.iter().map(|spec| spec.name)))
    }

    /// Whether this is its name, or what others call it.
    fn is_called(&self, word: &str) -> bool {
        self.name == word || is_among(self.aliases, word)
    }

    pub(crate) fn wrong_type(&self) -> String {
        let Self { name, kind, .. } = self;
        let examples = self.examples.join("` or `");
        format!("`{name}` takes {kind}; write `{examples}`")
    }
}

/// Whether it is one of the words between spaces.
fn is_among(words: &str, word: &str) -> bool {
    words.split(' ').any(|other| other == word)
}

/// The names of all options, for a message.
pub(crate) fn names() -> String {
    let quoted: Vec<String> = SPECS
        .iter()
        .map(|spec| format!("`{}`", spec.name))
        .collect();
    quoted.join(", ")
}
