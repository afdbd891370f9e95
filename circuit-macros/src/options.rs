//! The options of the attribute: the table of them, and what was written.

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Expr, Ident, Token};

use crate::errors::Errors;
use crate::suggest;
use crate::value::{Kind, Value};

/// An option that can be written.
struct Spec {
    name: &'static str,
    /// A right use of it.
    example: &'static str,
    kind: Kind,
    /// What others call it, between spaces.
    aliases: &'static str,
}

/// All the options there are.
const SPECS: [Spec; 7] = [
    Spec {
        name: "max_failures",
        example: "max_failures = 5",
        kind: Kind::Count {
            zero: "with 0 the circuit would open before the first call",
        },
        aliases: "failure_threshold threshold failures max_errors error_threshold max_fails",
    },
    Spec {
        name: "window",
        example: "window = \"10s\"",
        kind: Kind::Span {
            zero: "no failure would ever count in an empty window",
        },
        aliases: "interval period sliding_window rolling_window window_size",
    },
    Spec {
        name: "reset",
        example: "reset = \"30s\"",
        kind: Kind::Span {
            zero: "with zero the circuit would never be open",
        },
        aliases: "reset_timeout reset_after recovery recovery_timeout cooldown open_for",
    },
    Spec {
        name: "max_reset",
        example: "max_reset = \"5m\"",
        kind: Kind::Span {
            zero: "the wait grows from `reset` up to it",
        },
        aliases: "max_cooldown max_backoff reset_max max_wait",
    },
    Spec {
        name: "jitter",
        example: "jitter = 0.1",
        kind: Kind::Share {
            meaning: "it is the share of each wait that is added at most",
        },
        aliases: "randomization random_factor jitter_factor",
    },
    Spec {
        name: "timeout",
        example: "timeout = \"2s\"",
        kind: Kind::Span {
            zero: "with zero no call could ever finish",
        },
        aliases: "call_timeout deadline max_duration",
    },
    Spec {
        name: "name",
        example: "name = \"payments\"",
        kind: Kind::Text,
        aliases: "id label circuit",
    },
];

impl Spec {
    /// The option that `key` names.
    fn named(key: &Ident) -> syn::Result<&'static Self> {
        let written = key.unraw().to_string();
        if let Some(spec) = SPECS.iter().find(|spec| spec.name == written) {
            return Ok(spec);
        }

        let is_alias = |spec: &&Spec| spec.aliases.split(' ').any(|alias| alias == written);
        let advice = if let Some(spec) = SPECS.iter().find(is_alias) {
            format!("here it is called `{}`", spec.name)
        } else if let Some(name) = suggest::nearest(&written, SPECS.iter().map(|spec| spec.name)) {
            format!("did you mean `{name}`?")
        } else {
            format!("expected one of {}", names())
        };
        Err(syn::Error::new(
            key.span(),
            format!("unknown option `{written}`; {advice}"),
        ))
    }
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
pub(crate) struct Options(Vec<Written>);

/// An option that was written.
pub(crate) struct Written {
    pub(crate) name: &'static str,
    pub(crate) value: Value,
    /// Where the value stands.
    pub(crate) place: Span,
}

impl Options {
    /// Reads `max_failures = 5, window = "10s"`. A mistake in one option hides none in the others.
    pub(crate) fn parse(list: TokenStream, errors: &mut Errors) -> Self {
        let mut options = Self::default();
        let parse_all = |input: ParseStream<'_>| {
            while !input.is_empty() {
                options.parse_next(input, errors);
            }
            Ok(())
        };
        let parsed = parse_all.parse2(list);
        errors.keep(parsed);
        errors.keep(options.check_max_reset());
        options
    }

    /// What was written for the option `name`.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        let mut written = self.0.iter();
        written
            .find(|option| option.name == name)
            .map(|option| &option.value)
    }

    /// All that was written, in that order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Written> {
        self.0.iter()
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
        skip_to_next(input);
    }

    fn add(&mut self, pair: Pair) -> syn::Result<()> {
        let spec = Spec::named(&pair.key)?;
        let name = spec.name;
        if self.get(name).is_some() {
            let twice = format!("`{name}` is written twice; remove one");
            return Err(syn::Error::new(pair.key.span(), twice));
        }
        let place = pair
            .value
            .as_ref()
            .map_or_else(|place| *place, Spanned::span);
        let value = spec.kind.check(name, spec.example, pair.value)?;
        self.0.push(Written { name, value, place });
        Ok(())
    }

    /// Refuses a bound on `reset` that is below it, as far as the two are written as literals. The
    /// compiler checks what is not.
    fn check_max_reset(&self) -> syn::Result<()> {
        let written = self.0.iter().find(|option| option.name == "max_reset");
        match (written, self.get("reset")) {
            (
                Some(Written {
                    value: Value::Span(max_reset),
                    place,
                    ..
                }),
                Some(Value::Span(reset)),
            ) if max_reset < reset => Err(syn::Error::new(
                *place,
                "`max_reset` must not be shorter than `reset`; the wait grows from `reset` up to it",
            )),
            _ => Ok(()),
        }
    }
}

/// `key = value`, where the value may be missing or wrong.
struct Pair {
    key: Ident,
    /// The value, or where one should be.
    value: Result<Expr, Span>,
}

impl Parse for Pair {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if !input.peek(Ident::peek_any) {
            return Err(input.error("expected an option, such as `max_failures = 5`"));
        }
        let key = Ident::parse_any(input)?;
        let value = parse_value(key.span(), input);
        Ok(Self { key, value })
    }
}

/// Reads `= value`, after the key.
fn parse_value(key: Span, input: ParseStream<'_>) -> Result<Expr, Span> {
    let equals: Token![=] = input.parse().map_err(|_| key)?;
    if input.is_empty() || input.peek(Token![,]) {
        return Err(equals.span);
    }

    // On a fork, because what a failed attempt leaves behind would count as a second mistake.
    let ahead = input.fork();
    let value = ahead.parse().map_err(|_| input.span())?;
    input.advance_to(&ahead);
    match value {
        Expr::Assign(assignment) => Err(assignment.eq_token.span),
        value => Ok(value),
    }
}

/// Skips whatever cannot be read, and one comma.
fn skip_to_next(input: ParseStream<'_>) {
    while !input.is_empty() {
        if input.parse::<Token![,]>().is_ok() || begins_pair(input) {
            return;
        }
        let _unread: syn::Result<TokenTree> = input.parse();
    }
}

/// Whether `key =` comes next.
fn begins_pair(input: ParseStream<'_>) -> bool {
    input.peek(Ident::peek_any) && input.peek2(Token![=])
}

#[cfg(test)]
mod tests {
    use super::{Options, SPECS, names};
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
        let (options, mistakes) = parse(quote! {
            timeout = LIMIT, name = "payments", max_failures = 5u32, window = "10s",
            reset = pick::<A, B>(),
        });
        assert_eq!(mistakes, [""; 0]);
        let written: Vec<_> = options.iter().map(|option| option.name).collect();
        assert_eq!(
            written,
            ["timeout", "name", "max_failures", "window", "reset"]
        );
        assert!(matches!(options.get("max_failures"), Some(Value::Count(5))));
        assert!(
            matches!(options.get("window"), Some(Value::Span(window)) if window.as_secs() == 10)
        );
        assert!(
            matches!(options.get("name"), Some(Value::Text(name)) if name.value() == "payments")
        );
        assert!(matches!(options.get("reset"), Some(Value::Constant(_))));
        assert!(matches!(options.get("timeout"), Some(Value::Constant(_))));
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
            quote!(retries),
            quote!(retries = 3),
            quote!(retries = |a, b| a + b),
            quote!(retries = pick::<A, B>()),
            quote!(retries(3, 4)),
            quote!(retries = foo(1 2)),
            quote!(retries = ?),
        ] {
            let expected = format!("unknown option `retries`; expected one of {}", names());
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
    fn an_alias_is_of_one_option_and_the_name_of_none() {
        let mut seen: Vec<_> = SPECS.iter().map(|spec| spec.name).collect();
        for alias in SPECS.iter().flat_map(|spec| spec.aliases.split(' ')) {
            assert!(!seen.contains(&alias), "{alias}");
            seen.push(alias);
        }
    }

    #[test]
    fn the_examples_are_right() {
        for spec in &SPECS {
            let mut errors = Errors::default();
            let list = errors.keep(spec.example.parse().map_err(syn::Error::from));
            let options = Options::parse(list.unwrap_or_default(), &mut errors);
            assert_eq!(errors.messages(), [""; 0], "{}", spec.example);
            assert!(options.get(spec.name).is_some(), "{}", spec.example);
        }
    }
}
