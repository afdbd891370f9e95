//! The options of one use of the attribute.

mod correction;
mod kind;
mod parse;
pub(crate) mod rules;
mod spec;
pub(crate) mod value;

use circuit_options::names::OptionName;
use circuit_options::suggest;
use circuit_options::written;
use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, Ident, LitStr, Token};

use self::kind::literal;
use self::parse::{Missing, Pair, begins_pair};
use self::spec::Spec;
use self::value::Value;
use crate::errors::Errors;
use crate::spans::ends;

/// The options of one use of the attribute, each at most once.
#[derive(Default)]
pub(crate) struct Options {
    valid: Vec<Written>,
    /// Options the user meant to set, including misspelled ones and ones with an invalid value.
    attempted: Vec<OptionName>,
}

/// An option with a valid value.
pub(crate) struct Written {
    pub(crate) name: OptionName,
    pub(crate) key: Ident,
    pub(crate) value: Value,
    /// The value as it was written.
    pub(crate) expression: Expr,
}

impl Options {
    /// Parses `max_failures = 5, window = "10s"`. An error in one option hides none in the others.
    pub(crate) fn parse(list: TokenStream, errors: &mut Errors) -> Self {
        let mut options = Self::default();
        let parse_all = |input: ParseStream<'_>| {
            while !input.is_empty() {
                options.parse_next(input, errors);
            }
            Ok(())
        };
        let parsed = parse_all.parse2(list);
        errors.ok_or_push(parsed);
        options
    }

    /// Returns the value of an option, if it is written and valid.
    pub(crate) fn get(&self, name: OptionName) -> Option<&Value> {
        self.written(name).map(|option| &option.value)
    }

    /// Returns an option, if it is written and valid.
    pub(crate) fn written(&self, name: OptionName) -> Option<&Written> {
        self.valid.iter().find(|option| option.name == name)
    }

    /// Returns the code that is written for an option.
    pub(crate) fn code(&self, name: OptionName) -> Option<&Expr> {
        let written = self.written(name)?;
        matches!(written.value, Value::Code).then_some(&written.expression)
    }

    /// Returns the string that is written for an option.
    pub(crate) fn text(&self, name: OptionName) -> Option<&LitStr> {
        match self.get(name)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the path of the runtime's support code for the expansion.
    ///
    /// Everything is named through this path, so that a wrong `crate` is a single error.
    pub(crate) fn runtime(&self, span: Span) -> TokenStream {
        let Some(written) = self.code(OptionName::Crate) else {
            return quote_spanned!(span=> ::circuit_runtime::__private);
        };
        let (_, last) = ends(written);
        let private = Ident::new("__private", last);
        quote!(#written::#private)
    }

    /// Returns the valid options, in the order in which they are written.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Written> {
        self.valid.iter()
    }

    /// Returns the options that the user meant to set, valid or not.
    pub(crate) fn attempted(&self) -> impl Iterator<Item = OptionName> {
        self.attempted.iter().copied()
    }

    /// Returns whether the user meant to set an option, even if its value is invalid.
    pub(crate) fn was_attempted(&self, name: OptionName) -> bool {
        self.attempted.contains(&name)
    }

    fn parse_next(&mut self, input: ParseStream<'_>, errors: &mut Errors) {
        if let Some(pair) = errors.ok_or_push(input.parse::<Pair>()) {
            let complete = pair.value.is_ok();
            let added = self.add(pair);
            errors.ok_or_push(added);
            if complete && !input.is_empty() && !input.peek(Token![,]) {
                let between = "expected `,`; write `max_failures = 5, window = \"10s\"`";
                errors.push(input.error(between));
            }
        }
        self.skip_to_next(input);
    }

    fn add(&mut self, pair: Pair) -> syn::Result<()> {
        self.attempted.extend(meant_option(&pair.key));
        let spec = Spec::from_key(&pair.key)?;
        let name = spec.name;
        if pair.dashed {
            let message = format!("an option has no dashes in it; write `{name}`");
            return Err(syn::Error::new(pair.key.span(), message));
        }
        if self.get(name).is_some() {
            return Err(syn::Error::new(pair.key.span(), written::twice(name)));
        }
        let expression = pair.value.map_err(|missing| match missing {
            Missing::At(span) => syn::Error::new(span, spec.wrong_type(None)),
            Missing::Equals(span, literal) => {
                syn::Error::new(span, spec.wrong_type(Some(&literal)))
            }
            Missing::BreaksOff(error) => {
                let message = format!("`{name}` cannot be read from here on; {error}");
                syn::Error::new(error.span(), message)
            }
        })?;
        let value = spec
            .kind
            .read(name, &expression)
            .unwrap_or_else(|| Err(spec.wrong_type(literal(&expression))))
            .map_err(|message| syn::Error::new_spanned(&expression, message))?;
        self.valid.push(Written {
            name,
            key: pair.key,
            value,
            expression,
        });
        Ok(())
    }

    /// Skips tokens that cannot be parsed, and one comma.
    fn skip_to_next(&mut self, input: ParseStream<'_>) {
        while !input.is_empty() {
            if input.parse::<Token![,]>().is_ok() || begins_pair(input) {
                return;
            }
            if let Ok(TokenTree::Ident(word)) = input.parse() {
                self.attempted.extend(meant_option(&word));
            }
        }
    }
}

/// Returns the option that a key names or misspells, or that another library calls by it.
fn meant_option(key: &Ident) -> Option<OptionName> {
    suggest::meant_option(&key.unraw().to_string())
}

#[cfg(test)]
mod tests {
    use super::Options;
    use crate::errors::Errors;
    use crate::options::spec::SPECS;
    use crate::options::value::Value;
    use circuit_options::names::OptionName;
    use circuit_options::places::Place;
    use circuit_options::suggest::all_names;
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
    fn an_empty_list_is_valid() {
        let (options, mistakes) = parse(TokenStream::new());
        assert_eq!(options.iter().count(), 0);
        assert_eq!(mistakes, [""; 0]);
    }

    #[test]
    fn every_option_can_be_written() {
        // Together they would break rules, which are not checked here.
        let mut errors = Errors::default();
        let list = quote! {
            timeout = LIMIT, name = "payments", max_failures = 5u32, window = "10s",
            reset = pick::<A, B>(), max_reset = "1h", jitter = 0, probes = 3, failure_rate = "57%",
            slow_call = "1s500ms", slow_rate = 1, min_calls = (7),
            ignore_if = QuoteError::is_ours::<A, B>, failure_if = (|error| matches!(error, A | B)),
            fallback = |error| cached(error).await, key = &self.hosts[index], max_keys = LIMIT,
            ramp = "1m", retry_after = |error| error.wait, classify = verdict,
            or_else = |error| { Err(error) }, error = |error| Status(error), breaker = self.breakers.get(index), crate = crate::renamed,
        };
        let options = Options::parse(list, &mut errors);
        assert_eq!(errors.messages(), [""; 0]);
        let written: Vec<_> = options.iter().map(|option| option.name).collect();
        let mut expected = SPECS.map(|spec| spec.name);
        assert_eq!(written.len(), expected.len());
        expected.sort_by_key(|name| written.iter().position(|other| other == name));
        assert_eq!(written, expected, "in the order written");

        for (name, value) in [
            (OptionName::MaxFailures, "5"),
            (OptionName::Window, "10s"),
            (OptionName::FailureRate, "0.57"),
            (OptionName::SlowCall, "1.5s"),
            (OptionName::SlowRate, "1"),
            (OptionName::MinCalls, "7"),
            (OptionName::Reset, "a constant"),
            (OptionName::MaxReset, "3600s"),
            (OptionName::Jitter, "0"),
            (OptionName::Probes, "3"),
            (OptionName::Timeout, "a constant"),
            (OptionName::FailureIf, "code"),
            (OptionName::IgnoreIf, "code"),
            (OptionName::RetryAfter, "code"),
            (OptionName::Classify, "code"),
            (OptionName::Ramp, "60s"),
            (OptionName::Fallback, "code"),
            (OptionName::OrElse, "code"),
            (OptionName::Error, "code"),
            (OptionName::Key, "code"),
            (OptionName::MaxKeys, "a constant"),
            (OptionName::Breaker, "code"),
            (OptionName::Crate, "code"),
            (OptionName::Name, "payments"),
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
            Value::Duration(duration) => format!("{duration:?}"),
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
        assert!(matches!(
            options.get(OptionName::Window),
            Some(Value::Count(65_536))
        ));
    }

    #[test]
    fn each_mistake_is_an_error_of_its_own() {
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
                "unknown unit `x` in \"10x\"; expected `us`, `ms`, `s`, `m`, `h` or `d`",
                "unknown option `rest`; did you mean `reset`?",
            ]
        );
        assert!(
            options.get(OptionName::Timeout).is_some(),
            "a valid option is read all the same"
        );
    }

    #[test]
    fn an_unknown_option_is_one_error_whatever_its_value() {
        for list in [
            quote!(colour),
            quote!(colour = 3),
            quote!(colour = |a, b| a + b),
            quote!(colour = pick::<A, B>()),
            quote!(colour(3, 4)),
            quote!(colour = foo(1 2)),
            quote!(colour = ?),
        ] {
            let expected = format!(
                "unknown option `colour`; expected one of {}",
                all_names(Place::Attribute)
            );
            assert_eq!(
                mistakes(quote!(#list, max_failures = 5)),
                [expected],
                "{list}"
            );
        }
    }

    #[test]
    fn an_unreadable_value_is_one_error() {
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
    fn the_examples_are_valid() {
        for spec in &SPECS {
            for example in spec.examples {
                let mut errors = Errors::default();
                let list = errors.ok_or_push(example.parse().map_err(syn::Error::from));
                let options = Options::parse(list.unwrap_or_default(), &mut errors);
                assert_eq!(errors.messages(), [""; 0], "{example}");
                assert!(options.get(spec.name).is_some(), "{example}");
            }
        }
    }
}
