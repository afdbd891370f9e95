//! The function that the attribute turns its own into.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Ident, Type};

use crate::errors::Errors;
use crate::function::Function;
use crate::opaque;
use crate::options::{Options, Written};
use crate::value::Value;

/// Expands the attribute with its `list` of options on an `item`.
pub(crate) fn circuit_breaker(list: TokenStream, item: &TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let options = Options::parse(list, &mut errors);
    let function = Function::parse(item.clone(), &mut errors);

    match (function, errors.into_compile_errors()) {
        (Some(function), None) => guarded(&function, &options),
        // The item stays, so that whoever uses it sees no error of their own.
        (_, errors) => quote!(#item #errors),
    }
}

/// Lets the circuit decide whether the body runs.
fn guarded(function: &Function, options: &Options) -> TokenStream {
    // Input:
    //     async fn quote(mut symbol: String) -> Result<Quote, QuoteError> { body }
    //
    // Output:
    //     async fn quote(mut symbol: String) -> Result<Quote, QuoteError> {
    //         return guard(
    //             { breaker },
    //             async move {
    //                 if false {
    //                     return never::<Result<Quote, QuoteError>>();
    //                 }
    //                 let _ = &symbol;
    //                 { body }
    //             },
    //             |__circuit_result, __circuit_permit| {
    //                 Verdict(__circuit_result, NoVerdict).give(__circuit_permit)
    //             },
    //             |__circuit_error| rejected::<Result<Quote, QuoteError>>(__circuit_error),
    //         )
    //         .await;
    //     }
    //
    // - The inner `return` tells the block its type before the body is checked, as the signature
    //   does without the attribute: `?` and coercions work, and a wrong body is one error.
    // - The outer one is for those who have clippy forbid to leave it out.
    // - `&symbol` has the block capture all of `symbol`. If it captured some fields, a write to one
    //   of them could be called unused. The price: a `mut` argument that is unused is only called
    //   needlessly `mut`.
    // - The breaker and the body have braces of their own: neither sees the other's items.
    // - A parameter called like a constant of the user's would be a pattern; hence the long names.
    // - Of the two closures only `rejected` asks the type for anything, so that a wrong one is one
    //   error. With predicates, `judge` below asks for the same in the same place.
    let span = function.output.span().resolved_at(Span::mixed_site());
    let head = function.head();
    let output = opaque::inferred(&function.output);
    let runtime = runtime(span);
    let guard = match options.get("timeout") {
        Some(_) => Ident::new("guard_timed", span),
        None => Ident::new("guard", span),
    };
    let breaker = breaker(function.name(), options, span);
    let judge = judge(options, &output, span);
    let mutable = function.mutable_arguments();
    let inner = function.body.inner();

    let body = function.body.replaced_by(quote_spanned! {span=>
        return #runtime::__private::#guard(
            { #breaker },
            async move {
                if false {
                    return #runtime::__private::never::<#output>();
                }
                #(let _ = &#mutable;)*
                #inner
            },
            #judge,
            |__circuit_error| #runtime::__private::rejected::<#output>(__circuit_error),
        )
        .await;
    });
    quote!(#head #body)
}

/// Gives a permit back, with what the result says about the service.
fn judge(options: &Options, output: &Type, span: Span) -> TokenStream {
    // Input:
    //     failure_if = QuoteError::is_outage, ignore_if = |error| error.is_ours()
    //
    // Output:
    //     |__circuit_result, __circuit_permit| {
    //         verdict::<Result<Quote, QuoteError>>()(__circuit_result)
    //             .ignore_if(|error| error.is_ours())
    //             .failure_if(QuoteError::is_outage)
    //             .give(__circuit_permit)
    //     }
    //
    // - A closure that is an argument is told what it is shown: its parameter needs no type.
    // - What is to be ignored is asked first, and if it is, the other is not.
    let runtime = runtime(span);
    let predicates: Vec<_> = ["ignore_if", "failure_if"]
        .iter()
        .filter_map(|name| options.written(name))
        .collect();
    let Some(first) = predicates.first() else {
        return quote_spanned! {span=>
            |__circuit_result, __circuit_permit| {
                #runtime::__private::Verdict(__circuit_result, #runtime::__private::NoVerdict)
                    .give(__circuit_permit)
            }
        };
    };

    let mut verdict = quote_spanned! {span=>
        #runtime::__private::verdict::<#output>()(__circuit_result)
    };
    for Written {
        name, expression, ..
    } in &predicates
    {
        // One place for both, as a predicate of a wrong type is reported at both.
        let method = Ident::new(name, expression.span());
        verdict = quote_spanned!(span=> #verdict.#method(#expression));
    }
    // Where a predicate is, as this is what captures the arguments that one may name.
    let place = first.expression.span().resolved_at(span);
    let head = quote_spanned!(place=> |__circuit_result, __circuit_permit|);
    quote_spanned!(span=> #head { #verdict.give(__circuit_permit) })
}

/// Borrows the one breaker of the function called `name`.
fn breaker(name: &Ident, options: &Options, span: Span) -> TokenStream {
    let name = if let Some(Value::Text(name)) = options.get("name") {
        name.to_token_stream()
    } else {
        let name = name.unraw().to_string();
        quote_spanned!(span=> ::core::concat!(::core::module_path!(), "::", #name))
    };
    let config = config(options, span);

    // Input:
    //     max_failures = 5, reset = "30s"
    //
    // Output:
    //     static __CIRCUIT_CONFIG: Config = valid(
    //         Config::builder().max_failures(5u32).reset(Duration::new(30u64, 0u32)).build(),
    //     );
    //     static __CIRCUIT_BREAKER: Lazy<CircuitBreaker> =
    //         Lazy::new(|| CircuitBreaker::new("crate::module::quote", __CIRCUIT_CONFIG));
    //     &__CIRCUIT_BREAKER
    //
    // The configuration is no `const`, because one that fails is reported again where it is used.
    let runtime = runtime(span);
    quote_spanned! {span=>
        static __CIRCUIT_CONFIG: #runtime::Config = #runtime::__private::valid(
            #config.build(),
        );
        static __CIRCUIT_BREAKER: #runtime::__private::Lazy<#runtime::CircuitBreaker> =
            #runtime::__private::Lazy::new(|| {
                #runtime::CircuitBreaker::new(#name, __CIRCUIT_CONFIG)
            });
        &__CIRCUIT_BREAKER
    }
}

/// The builder of the configuration, with all that was written.
fn config(options: &Options, span: Span) -> TokenStream {
    let is_setting = |option: &&Written| !matches!(option.value, Value::Text(_) | Value::Predicate);
    let settings: Vec<_> = options.iter().filter(is_setting).collect();
    let is_constant = |option: &&Written| matches!(option.value, Value::Constant);

    let runtime = runtime(span);
    let mut config = quote_spanned!(span=> #runtime::Config::builder());
    for option in &settings {
        config = set(option, &config, span);
    }
    // What the macro cannot evaluate may break a rule together with any other option.
    if settings.iter().any(is_constant) {
        for option in &settings {
            config = checked(option, &config);
        }
    }
    config
}

/// Sets one option, on the builder of those before.
fn set(option: &Written, config: &TokenStream, span: Span) -> TokenStream {
    // Input:
    //     reset = RESET, window = 100
    //
    // Output:
    //     Config::builder().reset(RESET).last_calls(100u32)
    //
    // What is a constant may be of a wrong type, which is reported at both the method and its
    // argument: hence they have one place.
    let place = match option.value {
        Value::Constant => option.expression.span(),
        _ => span,
    };
    let setter = match (option.name, &option.value) {
        ("window", Value::Constant) => return window(option, config, span),
        ("window", Value::Count(_)) => Ident::new("last_calls", place),
        (name, _) => Ident::new(name, place),
    };
    let argument = match &option.value {
        Value::Count(count) => quote_spanned!(span=> #count),
        Value::Span(length) => {
            let (seconds, nanoseconds) = (length.as_secs(), length.subsec_nanos());
            quote_spanned!(span=> ::core::time::Duration::new(#seconds, #nanoseconds))
        }
        Value::Share(share) => quote_spanned!(span=> #share),
        Value::Constant | Value::Text(_) | Value::Predicate => option.expression.to_token_stream(),
    };
    quote_spanned!(span=> #config.#setter(#argument))
}

/// Sets a window of which only the compiler knows whether it is a span or a number of calls.
fn window(option: &Written, config: &TokenStream, span: Span) -> TokenStream {
    // Input:
    //     max_failures = 5, window = WINDOW
    //
    // Output:
    //     window(WINDOW).of(Config::builder().max_failures(5u32))
    let place = option.expression.span();
    let runtime = runtime(place);
    let expression = &option.expression;
    let window = quote_spanned!(place=> #runtime::__private::window(#expression));
    quote_spanned!(span=> #window.of(#config))
}

/// Has the compiler check one option beside all others, and report what is wrong with it there.
fn checked(option: &Written, config: &TokenStream) -> TokenStream {
    // Input:
    //     max_failures = LIMIT
    //
    // Output:
    //     check::max_failures(Config::builder().max_failures(LIMIT))
    //
    // The call begins and ends where the value does, hence an error in it underlines that.
    let first = option.expression.span();
    let tokens = option.expression.to_token_stream();
    let last = tokens
        .into_iter()
        .last()
        .map_or(first, |token| token.span());

    let runtime = runtime(first);
    let check = Ident::new(option.name, first);
    let argument = quote_spanned!(last=> (#config));
    quote_spanned!(first=> #runtime::__private::check::#check #argument)
}

/// The path of the runtime crate.
fn runtime(span: Span) -> TokenStream {
    quote_spanned!(span=> ::circuit_runtime)
}

#[cfg(test)]
mod tests {
    use super::{circuit_breaker, config, judge};
    use crate::errors::Errors;
    use crate::options::Options;
    use proc_macro2::{Span, TokenStream};
    use quote::quote;
    use syn::parse_quote;

    #[test]
    fn the_body_runs_behind_the_breaker() {
        let expanded = circuit_breaker(
            quote!(max_failures = 5, timeout = "1m30s"),
            &quote! {
                async fn quote(mut symbol: String) -> Result<impl Display, QuoteError> { Ok(symbol) }
            },
        );
        let runtime = quote!(::circuit_runtime);
        let expected = quote! {
            async fn quote(mut symbol: String) -> Result<impl Display, QuoteError> {
                return #runtime::__private::guard_timed(
                    {
                        static __CIRCUIT_CONFIG: #runtime::Config = #runtime::__private::valid(
                            #runtime::Config::builder()
                                .max_failures(5u32)
                                .timeout(::core::time::Duration::new(90u64, 0u32))
                                .build(),
                        );
                        static __CIRCUIT_BREAKER: #runtime::__private::Lazy<#runtime::CircuitBreaker> =
                            #runtime::__private::Lazy::new(|| {
                                #runtime::CircuitBreaker::new(
                                    ::core::concat!(::core::module_path!(), "::", "quote"),
                                    __CIRCUIT_CONFIG
                                )
                            });
                        &__CIRCUIT_BREAKER
                    },
                    async move {
                        if false {
                            return #runtime::__private::never::<Result<_, QuoteError>>();
                        }
                        let _ = &symbol;
                        { Ok(symbol) }
                    },
                    |__circuit_result, __circuit_permit| {
                        #runtime::__private::Verdict(
                            __circuit_result,
                            #runtime::__private::NoVerdict
                        ).give(__circuit_permit)
                    },
                    |__circuit_error| #runtime::__private::rejected::<Result<_, QuoteError>>(__circuit_error),
                )
                .await;
            }
        };
        assert_eq!(dense(&expanded), dense(&expected));
    }

    #[test]
    fn literals_are_set() {
        assert_config(
            quote!(
                window = 100,
                failure_rate = "50%",
                slow_call = "1500ms",
                name = "a"
            ),
            &quote! {
                ::circuit_runtime::Config::builder()
                    .last_calls(100u32)
                    .failure_rate(0.5f64)
                    .slow_call(::core::time::Duration::new(1u64, 500000000u32))
            },
        );
    }

    #[test]
    fn what_is_to_be_ignored_is_asked_first() {
        let private = quote!(::circuit_runtime::__private);
        for (list, predicates) in [
            (
                quote!(failure_if = |error| error.is_outage()),
                quote!(.failure_if(|error| error.is_outage())),
            ),
            (
                quote!(
                    failure_if = E::is_outage,
                    reset = RESET,
                    ignore_if = (is_ours)
                ),
                quote!(.ignore_if(is_ours).failure_if(E::is_outage)),
            ),
        ] {
            let found = judge(
                &options(list),
                &parse_quote!(Result<u8, E>),
                Span::call_site(),
            );
            let expected = quote! {
                |__circuit_result, __circuit_permit| {
                    #private::verdict::<Result<u8, E>>()(__circuit_result)
                        #predicates
                        .give(__circuit_permit)
                }
            };
            assert_eq!(dense(&found), dense(&expected));
        }
    }

    #[test]
    fn a_predicate_is_no_rule() {
        assert_config(
            quote!(ignore_if = is_ours, reset = RESET, failure_if = is_outage),
            &quote! {
                ::circuit_runtime::__private::check::reset(
                    ::circuit_runtime::Config::builder().reset(RESET)
                )
            },
        );
    }

    #[test]
    fn beside_a_constant_every_option_is_checked() {
        let private = quote!(::circuit_runtime::__private);
        assert_config(
            quote!(max_failures = 3, window = 2 * 5, name = "a", reset = RESET),
            &quote! {
                #private::check::reset(#private::check::window(#private::check::max_failures(
                    #private::window(2 * 5)
                        .of(::circuit_runtime::Config::builder().max_failures(3u32))
                        .reset(RESET)
                )))
            },
        );
    }

    fn assert_config(list: TokenStream, expected: &TokenStream) {
        let found = config(&options(list), Span::call_site());
        assert_eq!(dense(&found), dense(expected));
    }

    fn options(list: TokenStream) -> Options {
        let mut errors = Errors::default();
        let options = Options::parse(list, &mut errors);
        assert_eq!(errors.messages(), [""; 0]);
        options
    }

    /// Without the spaces, which tell apart two ways of making the same `>>`.
    fn dense(tokens: &TokenStream) -> String {
        tokens.to_string().replace(' ', "")
    }

    #[test]
    fn beside_its_mistakes_the_item_is_kept() {
        for item in [
            quote!(async fn quote() -> Result<u8, E> { let length = symbol. ; }),
            quote!(fn quote() { let }),
            quote!(
                async fn quote(&self) -> Result<u8, E>;
            ),
            quote!(
                struct Quote {
                    price: u8,
                }
            ),
        ] {
            let expanded = circuit_breaker(quote!(max_failures = 0), &item).to_string();
            assert!(expanded.starts_with(&item.to_string()), "{expanded}");
            assert!(expanded.contains("compile_error"), "{expanded}");
        }
    }
}
