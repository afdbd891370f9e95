//! The options: their values, and examples of them.

use circuit_options::names::OptionName;
use circuit_options::suggest;
use proc_macro2::Ident;
use syn::Lit;
use syn::ext::IdentExt;

use super::correction::corrected;
use super::kind::Kind;

/// An option of the attribute.
pub(crate) struct Spec {
    pub(crate) name: OptionName,
    /// Valid uses, for messages.
    pub(crate) examples: &'static [&'static str],
    pub(crate) kind: Kind,
}

/// All options, in the order in which messages list them.
pub(crate) const SPECS: [Spec; 24] = [
    Spec {
        name: OptionName::MaxFailures,
        examples: &["max_failures = 5"],
        kind: Kind::Count,
    },
    Spec {
        name: OptionName::Window,
        examples: &["window = \"10s\"", "window = 100"],
        kind: Kind::Window,
    },
    Spec {
        name: OptionName::FailureRate,
        examples: &["failure_rate = 0.5"],
        kind: Kind::Rate,
    },
    Spec {
        name: OptionName::SlowCall,
        examples: &["slow_call = \"2s\""],
        kind: Kind::Duration,
    },
    Spec {
        name: OptionName::SlowRate,
        examples: &["slow_rate = 0.5"],
        kind: Kind::Rate,
    },
    Spec {
        name: OptionName::MinCalls,
        examples: &["min_calls = 20"],
        kind: Kind::Count,
    },
    Spec {
        name: OptionName::Reset,
        examples: &["reset = \"30s\""],
        kind: Kind::Duration,
    },
    Spec {
        name: OptionName::MaxReset,
        examples: &["max_reset = \"5m\""],
        kind: Kind::Duration,
    },
    Spec {
        name: OptionName::Jitter,
        examples: &["jitter = 0.1"],
        kind: Kind::Share,
    },
    Spec {
        name: OptionName::Probes,
        examples: &["probes = 3"],
        kind: Kind::Count,
    },
    Spec {
        name: OptionName::Timeout,
        examples: &["timeout = \"2s\""],
        kind: Kind::Duration,
    },
    Spec {
        name: OptionName::Ramp,
        examples: &["ramp = \"20s\""],
        kind: Kind::Duration,
    },
    Spec {
        name: OptionName::FailureIf,
        examples: &["failure_if = |error| error.is_outage()"],
        kind: Kind::Predicate,
    },
    Spec {
        name: OptionName::IgnoreIf,
        examples: &["ignore_if = |error| error.is_cancelled()"],
        kind: Kind::Predicate,
    },
    Spec {
        name: OptionName::RetryAfter,
        examples: &["retry_after = |error| error.retry_after()"],
        kind: Kind::Predicate,
    },
    Spec {
        name: OptionName::Classify,
        examples: &["classify = |result| .."],
        kind: Kind::Classifier,
    },
    Spec {
        name: OptionName::Fallback,
        examples: &["fallback = Ok(cached(symbol))", "fallback = |error| .."],
        kind: Kind::Fallback,
    },
    Spec {
        name: OptionName::OrElse,
        examples: &["or_else = |error| stored(symbol).await.ok_or(error)"],
        kind: Kind::OrElse,
    },
    Spec {
        name: OptionName::Error,
        examples: &["error = |circuit_error| Status::unavailable(circuit_error.to_string())"],
        kind: Kind::Conversion,
    },
    Spec {
        name: OptionName::Key,
        examples: &["key = host", "key = format!(\"{region}/{host}\")"],
        kind: Kind::Key,
    },
    Spec {
        name: OptionName::MaxKeys,
        examples: &["max_keys = 1_000"],
        kind: Kind::Count,
    },
    Spec {
        name: OptionName::Breaker,
        examples: &[
            "breaker = self.breaker",
            "breaker = self.upstreams, key = host",
        ],
        kind: Kind::Breaker,
    },
    Spec {
        name: OptionName::Name,
        examples: &["name = \"payments\""],
        kind: Kind::Text,
    },
    Spec {
        name: OptionName::Crate,
        examples: &["crate = ::renamed"],
        kind: Kind::Path,
    },
];

impl Spec {
    /// Returns the option that `key` names.
    pub(crate) fn from_key(key: &Ident) -> syn::Result<&'static Self> {
        let written = key.unraw().to_string();
        let mut specs = SPECS.iter();
        specs
            .find(|spec| spec.name.as_str() == written)
            .ok_or_else(|| syn::Error::new(key.span(), suggest::unknown_option(&written)))
    }

    /// Returns the message for a value of another type, or for the literal that is written.
    pub(crate) fn wrong_type(&self, written: Option<&Lit>) -> String {
        let Self { name, kind, .. } = self;
        let examples = match written.and_then(|literal| corrected(*kind, *name, literal)) {
            Some(value) => format!("{name} = {value}"),
            None => self.examples.join("` or `"),
        };
        format!("`{name}` takes {kind}; write `{examples}`")
    }
}
