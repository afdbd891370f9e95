//! The options of the attribute: the table of them, and what was written.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream, Parser};
use syn::token::Brace;
use syn::{Block, Expr, Ident, LitStr, Token, braced};

use crate::errors::Errors;
use crate::value::{Kind, Value};
use crate::{rules, suggest, value};

/// An option that can be written.
struct Spec {
    name: &'static str,
    /// Right uses of it.
    examples: &'static [&'static str],
    kind: Kind,
    /// What others call it, between spaces.
    aliases: &'static str,
}

/// All the options there are.
const SPECS: [Spec; 19] = [
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
const FOREIGN: [(&str, &str); 6] = [
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
    fn named(key: &Ident) -> syn::Result<&'static Self> {
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
    fn meant(key: &Ident) -> Option<&'static str> {
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

    fn wrong_type(&self) -> String {
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
fn names() -> String {
    let quoted: Vec<String> = SPECS
        .iter()
        .map(|spec| format!("`{}`", spec.name))
        .collect();
    quoted.join(", ")
}

/// The options that were written, each at most once.
#[derive(Default)]
pub(crate) struct Options {
    right: Vec<Written>,
    /// The options that are named, also by mistake: misspelled, or with a value that is wrong.
    mentioned: Vec<&'static str>,
}

/// An option that was written, with a value that fits.
pub(crate) struct Written {
    pub(crate) name: &'static str,
    pub(crate) key: Ident,
    pub(crate) value: Value,
    /// The value as it was written.
    pub(crate) expression: Expr,
}

impl Options {
    /// Reads `max_failures = 5, window = "10s"`. A mistake in one option hides none in the others.
    pub(crate) fn parse(list: TokenStream, errors: &mut Errors) -> Self {
        let options = Self::read(list, errors);
        rules::check(&options, errors);
        options
    }

    /// What was written for the option `name`, if it is right.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.written(name).map(|option| &option.value)
    }

    /// The option `name` as it was written, if that is right.
    pub(crate) fn written(&self, name: &str) -> Option<&Written> {
        self.right.iter().find(|option| option.name == name)
    }

    /// The code that was written for the option `name`.
    pub(crate) fn code(&self, name: &str) -> Option<&Expr> {
        let written = self.written(name)?;
        matches!(written.value, Value::Code).then_some(&written.expression)
    }

    /// The string that was written for the option `name`.
    pub(crate) fn text(&self, name: &str) -> Option<&LitStr> {
        match self.get(name)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The path of what the runtime crate has for the expansion.
    ///
    /// Nothing of it is reached in another way: a path that leads nowhere is one error, wherever it is used.
    pub(crate) fn runtime(&self, span: Span) -> TokenStream {
        let Some(written) = self.code("crate") else {
            return quote_spanned!(span=> ::circuit_runtime::__private);
        };
        let (_, last) = value::ends_of(written);
        let private = Ident::new("__private", last);
        quote!(#written::#private)
    }

    /// Whether one of the options `names` is named, even if wrongly.
    pub(crate) fn mention(&self, names: &[&str]) -> bool {
        self.mentioned.iter().any(|name| names.contains(name))
    }

    /// All that was written rightly, in that order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Written> {
        self.right.iter()
    }

    /// Reads each option by itself.
    fn read(list: TokenStream, errors: &mut Errors) -> Self {
        let mut options = Self::default();
        let parse_all = |input: ParseStream<'_>| {
            while !input.is_empty() {
                options.parse_next(input, errors);
            }
            Ok(())
        };
        let parsed = parse_all.parse2(list);
        errors.keep(parsed);
        options
    }

    fn parse_next(&mut self, input: ParseStream<'_>, errors: &mut Errors) {
        if let Some(pair) = errors.keep(input.parse::<Pair>()) {
            let complete = pair.value.is_ok();
            let added = self.add(pair);
            errors.keep(added);
            if complete && !input.is_empty() && !input.peek(Token![,]) {
                let between = "expected `,`; write `max_failures = 5, window = \"10s\"`";
                errors.push(input.error(between));
            }
        }
        self.skip_to_next(input);
    }

    fn add(&mut self, pair: Pair) -> syn::Result<()> {
        self.mentioned.extend(Spec::meant(&pair.key));
        let spec = Spec::named(&pair.key)?;
        let name = spec.name;
        if pair.dashed {
            let message = format!("an option has no dashes in it; write `{name}`");
            return Err(syn::Error::new(pair.key.span(), message));
        }
        if self.get(name).is_some() {
            let twice = format!("`{name}` is written twice; remove one");
            return Err(syn::Error::new(pair.key.span(), twice));
        }
        let expression = pair
            .value
            .map(value::bare)
            .map_err(|missing| match missing {
                Missing::At(place) => syn::Error::new(place, spec.wrong_type()),
                Missing::BreaksOff(error) => {
                    let message = format!("`{name}` cannot be read from here on; {error}");
                    syn::Error::new(error.span(), message)
                }
            })?;
        let value = spec
            .kind
            .read(name, &expression)
            .unwrap_or_else(|| Err(spec.wrong_type()))
            .map_err(|message| syn::Error::new_spanned(&expression, message))?;
        self.right.push(Written {
            name,
            key: pair.key,
            value,
            expression,
        });
        Ok(())
    }

    /// Skips whatever cannot be read, and one comma.
    fn skip_to_next(&mut self, input: ParseStream<'_>) {
        while !input.is_empty() {
            if input.parse::<Token![,]>().is_ok() || begins_pair(input) {
                return;
            }
            if let Ok(TokenTree::Ident(word)) = input.parse() {
                self.mentioned.extend(Spec::meant(&word));
            }
        }
    }
}

/// `key = value`, where the value may be missing or wrong.
struct Pair {
    key: Ident,
    /// Whether the key is written with dashes.
    dashed: bool,
    value: Result<Expr, Missing>,
}

/// Why there is no value.
enum Missing {
    /// It should be here.
    At(Span),
    /// The block that it is in cannot be read any further.
    BreaksOff(syn::Error),
}

impl Parse for Pair {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if !input.peek(Ident::peek_any) {
            return Err(input.error("expected an option, such as `max_failures = 5`"));
        }
        let mut key = Ident::parse_any(input)?;
        let dashed = begins_dashed(input);
        while begins_dashed(input) {
            let _: Token![-] = input.parse()?;
            let next = Ident::parse_any(input)?;
            key = format_ident!("{}_{}", key.unraw(), next.unraw(), span = key.span());
        }
        let value = parse_value(key.span(), input);
        Ok(Self { key, dashed, value })
    }
}

/// Reads `= value`, after the key.
fn parse_value(key: Span, input: ParseStream<'_>) -> Result<Expr, Missing> {
    let equals: Token![=] = input.parse().map_err(|_| Missing::At(key))?;
    if input.is_empty() || input.peek(Token![,]) {
        return Err(Missing::At(equals.span));
    }

    // On a fork, because what a failed attempt leaves behind would count as a second mistake.
    let ahead = input.fork();
    let value = ahead.parse().map_err(|_| match parse_block(input) {
        Ok(()) => Missing::At(input.span()),
        Err(error) => Missing::BreaksOff(error),
    })?;
    input.advance_to(&ahead);
    match value {
        Expr::Assign(assignment) => Err(Missing::At(assignment.eq_token.span)),
        value => Ok(value),
    }
}

/// Reads ahead through a block, or that of a closure, in which a mistake may be many lines down.
fn parse_block(input: ParseStream<'_>) -> syn::Result<()> {
    let ahead = input.fork();
    if ahead.parse::<Token![|]>().is_ok() {
        while ahead.parse::<Token![|]>().is_err() {
            if ahead.parse::<TokenTree>().is_err() {
                return Ok(());
            }
        }
    }
    if ahead.peek(Brace) {
        let content;
        braced!(content in ahead);
        content.call(Block::parse_within)?;
    }
    Ok(())
}

/// Whether `-failures` comes next, of `max-failures`.
fn begins_dashed(input: ParseStream<'_>) -> bool {
    input.peek(Token![-]) && input.peek2(Ident::peek_any)
}

/// Whether `key =` comes next.
fn begins_pair(input: ParseStream<'_>) -> bool {
    input.peek(Ident::peek_any) && input.peek2(Token![=])
}

#[cfg(test)]
mod tests {
    use super::{FOREIGN, Options, SPECS, names};
    use crate::errors::Errors;
    use crate::value::Value;
    use proc_macro2::TokenStream;
    use quote::quote;

    fn parse(list: TokenStream) -> (Options, Vec<String>) {
        let mut errors = Errors::default();
        let options = Options::parse(list, &mut errors);
        (options, errors.messages())
    }

    fn mistakes(list: TokenStream) -> Vec<String> {
        parse(list).1
    }

    #[test]
    fn nothing_written_is_no_mistake() {
        let (options, mistakes) = parse(TokenStream::new());
        assert_eq!(options.iter().count(), 0);
        assert_eq!(mistakes, [""; 0]);
    }

    #[test]
    fn every_option_can_be_written() {
        // Not all of them together, but each by itself.
        let mut errors = Errors::default();
        let list = quote! {
            timeout = LIMIT, name = "payments", max_failures = 5u32, window = "10s",
            reset = pick::<A, B>(), max_reset = "1h", jitter = 0, probes = 3, failure_rate = "57%",
            slow_call = "1s500ms", slow_rate = 1, min_calls = (7),
            ignore_if = QuoteError::is_ours::<A, B>, failure_if = (|error| matches!(error, A | B)),
            fallback = |error| cached(error).await, key = &self.hosts[index], max_keys = LIMIT,
            breaker = self.breakers.get(index), crate = crate::renamed,
        };
        let options = Options::read(list, &mut errors);
        assert_eq!(errors.messages(), [""; 0]);
        let written: Vec<_> = options.iter().map(|option| option.name).collect();
        let mut expected = SPECS.map(|spec| spec.name);
        assert_eq!(written.len(), expected.len());
        expected.sort_by_key(|name| written.iter().position(|other| other == name));
        assert_eq!(written, expected, "in the order written");

        for (name, value) in [
            ("max_failures", "5"),
            ("window", "10s"),
            ("failure_rate", "0.57"),
            ("slow_call", "1.5s"),
            ("slow_rate", "1"),
            ("min_calls", "7"),
            ("reset", "a constant"),
            ("max_reset", "3600s"),
            ("jitter", "0"),
            ("probes", "3"),
            ("timeout", "a constant"),
            ("failure_if", "code"),
            ("ignore_if", "code"),
            ("fallback", "code"),
            ("key", "code"),
            ("max_keys", "a constant"),
            ("breaker", "code"),
            ("crate", "code"),
            ("name", "payments"),
        ] {
            assert_eq!(
                options.get(name).map(shown),
                Some(value.to_owned()),
                "{name}"
            );
        }
    }

    fn shown(value: &Value) -> String {
        match value {
            Value::Count(count) => count.to_string(),
            Value::Span(span) => format!("{span:?}"),
            Value::Share(share) => share.to_string(),
            Value::Text(text) => text.value(),
            Value::Constant => "a constant".to_owned(),
            Value::Code => "code".to_owned(),
        }
    }

    #[test]
    fn a_window_is_a_span_or_a_number_of_calls() {
        let (options, mistakes) = parse(quote!(window = 65_536));
        assert_eq!(mistakes, [""; 0]);
        assert!(matches!(options.get("window"), Some(Value::Count(65_536))));
    }

    #[test]
    fn three_mistakes_are_three_errors() {
        let (options, mistakes) = parse(quote!(
            max_failures = 0,
            window = "10x",
            rest = "30s",
            timeout = "2s"
        ));
        assert_eq!(
            mistakes,
            [
                "`max_failures` must be at least 1; with 0 the circuit would open before the first call",
                "unknown unit `x` in \"10x\"; expected `ms`, `s`, `m`, `h` or `d`",
                "unknown option `rest`; did you mean `reset`?",
            ]
        );
        assert!(
            options.get("timeout").is_some(),
            "what is right is read all the same"
        );
    }

    #[test]
    fn an_unknown_option_is_one_mistake_whatever_its_value() {
        for list in [
            quote!(colour),
            quote!(colour = 3),
            quote!(colour = |a, b| a + b),
            quote!(colour = pick::<A, B>()),
            quote!(colour(3, 4)),
            quote!(colour = foo(1 2)),
            quote!(colour = ?),
        ] {
            let expected = format!("unknown option `colour`; expected one of {}", names());
            assert_eq!(
                mistakes(quote!(#list, max_failures = 5)),
                [expected],
                "{list}"
            );
        }
    }

    #[test]
    fn a_value_that_cannot_be_read_is_one_mistake() {
        for list in [
            quote!(reset),
            quote!(reset "1s"),
            quote!(reset("1s")),
            quote!(reset = ),
            quote!(reset = ? ! ;),
            quote!(reset == "1s"),
            quote!(reset = LIMIT = "1s"),
            quote!(reset = foo(1 2)),
            quote!(reset = 30),
        ] {
            let expected = "`reset` takes a span of time; write `reset = \"30s\"`";
            assert_eq!(
                mistakes(quote!(#list, max_failures = 5)),
                [expected],
                "{list}"
            );
        }
    }

    #[test]
    fn a_predicate_is_a_closure_or_a_path() {
        for list in [
            quote!(failure_if),
            quote!(failure_if = true),
            quote!(failure_if = "timeout"),
            quote!(failure_if = -1),
            quote!(failure_if = &is_outage),
            quote!(failure_if = is_outage()),
            quote!(failure_if = error.is_outage()),
            quote!(failure_if = { is_outage }),
            quote!(failure_if = |error|),
            quote!(failure_if = async |error| error.is_outage()),
            quote!(failure_if(is_outage)),
        ] {
            let expected = "`failure_if` takes a closure or a path; write `failure_if = |error| error.is_outage()`";
            assert_eq!(mistakes(quote!(#list, reset = "1s")), [expected], "{list}");
        }
    }

    #[test]
    fn an_alias_is_of_one_option_and_the_name_of_none() {
        let mut seen: Vec<_> = SPECS.iter().map(|spec| spec.name).collect();
        let aliases = SPECS.iter().map(|spec| spec.aliases);
        let foreign = FOREIGN.iter().map(|(words, _)| *words);
        for alias in aliases.chain(foreign).flat_map(|words| words.split(' ')) {
            assert!(!seen.contains(&alias), "{alias}");
            seen.push(alias);
        }
    }

    #[test]
    fn the_examples_are_right() {
        for spec in &SPECS {
            for example in spec.examples {
                let mut errors = Errors::default();
                let list = errors.keep(example.parse().map_err(syn::Error::from));
                let options = Options::read(list.unwrap_or_default(), &mut errors);
                assert_eq!(errors.messages(), [""; 0], "{example}");
                assert!(options.get(spec.name).is_some(), "{example}");
            }
        }
    }
}
