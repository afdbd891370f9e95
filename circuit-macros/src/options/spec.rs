//! The options: their values, and examples of them.

use circuit_options::kinds::{self, ValueKind};
use circuit_options::names::OptionName;
use circuit_options::places::Place;
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
    Spec::for_value(OptionName::MaxFailures, ValueKind::Count),
    Spec::for_value(OptionName::Window, ValueKind::Window),
    Spec::for_value(OptionName::FailureRate, ValueKind::Rate),
    Spec::for_value(OptionName::SlowCall, ValueKind::Duration),
    Spec::for_value(OptionName::SlowRate, ValueKind::Rate),
    Spec::for_value(OptionName::MinCalls, ValueKind::Count),
    Spec::for_value(OptionName::Reset, ValueKind::Duration),
    Spec::for_value(OptionName::MaxReset, ValueKind::Duration),
    Spec::for_value(OptionName::Jitter, ValueKind::Share),
    Spec::for_value(OptionName::Probes, ValueKind::Count),
    Spec::for_value(OptionName::Timeout, ValueKind::Duration),
    Spec::for_value(OptionName::Ramp, ValueKind::Duration),
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
    Spec::for_value(OptionName::MaxKeys, ValueKind::Count),
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
    const fn for_value(name: OptionName, kind: ValueKind) -> Self {
        Self {
            name,
            examples: kinds::examples(name),
            kind: Kind::Value(kind),
        }
    }

    /// Returns the option that `key` names.
    pub(crate) fn from_key(key: &Ident) -> syn::Result<&'static Self> {
        let written = key.unraw().to_string();
        let mut specs = SPECS.iter();
        specs
            .find(|spec| spec.name.as_str() == written)
            .ok_or_else(|| {
                syn::Error::new(
                    key.span(),
                    suggest::unknown_option(&written, Place::Attribute),
                )
            })
    }

    /// Returns the message for a value of another type, or for the literal that is written.
    pub(crate) fn wrong_type(&self, written: Option<&Lit>) -> String {
        let Self { name, kind, .. } = self;
        let examples = match written.and_then(|literal| corrected(*kind, *name, literal)) {
            Some(value) => format!("{name} = {value}"),
            None => self.examples.join("` or `"),
        };
        kinds::wrong_type(*name, kind, &examples)
    }
}
