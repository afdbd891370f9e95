//! The options that were written.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream, Parser};
use syn::token::Brace;
use syn::{Block, Expr, Ident, LitStr, Token, braced};

use crate::errors::Errors;
use crate::spec::Spec;
use crate::value::Value;
use crate::{rules, value};

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
    use super::Options;
    use crate::errors::Errors;
    use crate::spec::{FOREIGN, SPECS, names};
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
