//! The function that the attribute turns its own into.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, ExprClosure, Ident, Pat, ReturnType, Type};

use crate::body::Body;
use crate::breaker::breaker;
use crate::errors::Errors;
use crate::function::Function;
use crate::opaque;
use crate::options::{Options, Written};
use crate::value::ends_of;

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
    //             |__circuit_result| {
    //                 Classifier(__circuit_result, NotAResult).outcome()
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
    // - A parameter called like a constant of the user's would be a pattern; hence the long names.
    // - Of the two closures only `rejected` asks the type for anything, so that a wrong one is one
    //   error. With predicates, `judge` below asks for the same in the same place.
    let span = function.output.span().resolved_at(Span::mixed_site());
    let output = opaque::inferred(&function.output);
    let runtime = options.runtime(span);
    let type_told = type_told(&output, options);
    let mutable = function.mutable_arguments();
    let inner = function.inner();

    let breaker = breaker(function, options, span);
    let arguments = Arguments {
        body: quote_spanned! {span=>
            async move {
                #type_told
                #(let _ = &#mutable;)*
                #inner
            }
        },
        judge: judge(options, &output, span),
        rejected: quote_spanned!(span=> #runtime::rejected::<#output>),
        // A breaker that the user has made may have a timeout, too.
        timed: options.get("timeout").is_some() || options.get("breaker").is_some(),
        runtime: &runtime,
        span,
    };
    function.with_body(match options.code("fallback") {
        None => {
            let call = arguments.call(&breaker);
            quote_spanned!(span=> return #call;)
        }
        Some(fallback) => {
            let choice = with_fallback(fallback, &breaker, &arguments, options);
            // The first `return` would tell the type otherwise.
            let type_told = function.is_boxed().then_some(type_told);
            quote_spanned!(span=> #type_told #choice)
        }
    })
}

/// Tells the block that it is in what its type is.
fn type_told(output: &Type, options: &Options) -> TokenStream {
    let (first, last) = ends_of(output);
    let span = first.resolved_at(Span::mixed_site());
    let runtime = options.runtime(span);
    let nothing = quote_spanned!(last.resolved_at(span)=> ());
    quote_spanned! {span=>
        if false {
            return #runtime::never::<#output> #nothing;
        }
    }
}

/// What a guard is called with, but for what lets the body in.
struct Arguments<'e> {
    body: TokenStream,
    judge: TokenStream,
    rejected: TokenStream,
    timed: bool,
    runtime: &'e TokenStream,
    span: Span,
}

impl Arguments<'_> {
    fn call(&self, admission: &TokenStream) -> TokenStream {
        // Output, with a timeout:
        //     match guard_timed({ breaker }, async move { .. }, |..| ..).await {
        //         Ok(__circuit_result) => __circuit_result,
        //         Err(__circuit_error) => rejected::<Result<Quote, QuoteError>>(__circuit_error),
        //     }
        //
        // The body has begun then, and must be gone before the error is converted: what it holds may be
        // what the conversion, which is the user's, needs.
        let Self {
            body,
            judge,
            rejected,
            timed,
            runtime,
            span,
        } = self;
        if *timed {
            quote_spanned! {*span=>
                match #runtime::guard_timed(#admission, #body, #judge).await {
                    ::core::result::Result::Ok(__circuit_result) => __circuit_result,
                    ::core::result::Result::Err(__circuit_error) => #rejected(__circuit_error),
                }
            }
        } else {
            let instead = quote_spanned!(*span=> |__circuit_error| #rejected(__circuit_error));
            quote_spanned!(*span=> #runtime::guard(#admission, #body, #judge, #instead).await)
        }
    }
}

/// Asks the breaker first, where body and fallback may both take what they need of the arguments.
fn with_fallback(
    fallback: &Expr,
    breaker: &TokenStream,
    arguments: &Arguments<'_>,
    options: &Options,
) -> TokenStream {
    // Input:
    //     fallback = |error| cached(symbol, error).await
    //
    // Output:
    //     let __circuit_admitted = match admit({ breaker }) {
    //         Ok(__circuit_admitted) => __circuit_admitted,
    //         Err(error) => return if true { cached(symbol, error).await } else { never() },
    //     };
    //     return guard(__circuit_admitted, async move { .. }, ..).await;
    //
    // - The closure is not called: an `.await`, a `?` and a `return` in it are the function's own.
    // - An error that waited beside the guard would make the future larger.
    // - Without the `else`, a fallback that panics would make the `return` unreachable.
    let span = arguments.span;
    let guarded = arguments.call(&quote_spanned!(span=> __circuit_admitted));
    // What it says of its type is held against that of the function.
    let instead = match fallback {
        Expr::Closure(ExprClosure {
            inputs,
            output,
            body,
            ..
        }) => {
            let type_told = match output {
                ReturnType::Default => None,
                ReturnType::Type(_, output) => Some(type_told(output, options)),
            };
            let value = value(body, arguments);
            let (shown, bound) = shown(inputs.first(), span);
            quote_spanned! {span=>
                ::core::result::Result::Err(#shown) => {
                    #bound
                    #type_told
                    return #value;
                }
            }
        }
        expression => {
            let value = value(expression, arguments);
            quote_spanned!(span=> ::core::result::Result::Err(_) => return #value,)
        }
    };
    let runtime = arguments.runtime;
    quote_spanned! {span=>
        let __circuit_admitted = match #runtime::admit(#breaker) {
            ::core::result::Result::Ok(__circuit_admitted) => __circuit_admitted,
            #instead
        };
        return #guarded;
    }
}

/// The pattern that the error is shown to and, where its type is written, what binds it.
fn shown(error: Option<&Pat>, span: Span) -> (TokenStream, Option<TokenStream>) {
    match error {
        Some(Pat::Type(typed)) => {
            let given = Ident::new("__circuit_error", typed.span().resolved_at(span));
            let bound = quote_spanned!(span=> let #typed = #given;);
            (given.into_token_stream(), Some(bound))
        }
        other => (other.to_token_stream(), None),
    }
}

/// What a fallback results in.
fn value(expression: &Expr, arguments: &Arguments<'_>) -> TokenStream {
    let Arguments { runtime, span, .. } = arguments;
    let tokens = expression.to_token_stream();
    let value = match (expression, tokens.clone().into_iter().next()) {
        // Braces that were needed where they are written, but are not here.
        (Expr::Block(_), Some(TokenTree::Group(block))) => {
            Body::of(&block).map_or(tokens, |body| body.inner().into_token_stream())
        }
        _ => tokens,
    };
    quote_spanned!(*span=> if true { #value } else { #runtime::never() })
}

/// Gives a permit back, with what the result says about the service.
fn judge(options: &Options, output: &Type, span: Span) -> TokenStream {
    // Input:
    //     failure_if = QuoteError::is_outage, ignore_if = |error| error.is_ours()
    //
    // Output:
    //     |__circuit_result| {
    //         classifier::<Result<Quote, QuoteError>>()(__circuit_result)
    //             .ignore_if(|error| error.is_ours())
    //             .failure_if(QuoteError::is_outage)
    //             .outcome()
    //     }
    //
    // - A closure that is an argument is told what it is shown: its parameter needs no type.
    // - What is to be ignored is asked first, and if it is, the other is not.
    let runtime = options.runtime(span);
    let predicates: Vec<_> = ["ignore_if", "failure_if"]
        .iter()
        .filter_map(|name| options.written(name))
        .collect();
    let Some(first) = predicates.first() else {
        return quote_spanned! {span=>
            |__circuit_result| {
                #runtime::Classifier(__circuit_result, #runtime::NotAResult).outcome()
            }
        };
    };

    let mut classified = quote_spanned! {span=>
        #runtime::classifier::<#output>()(__circuit_result)
    };
    for Written {
        name, expression, ..
    } in &predicates
    {
        // One place for both, as a predicate of a wrong type is reported at both.
        let method = Ident::new(name, expression.span());
        classified = quote_spanned!(span=> #classified.#method(#expression));
    }
    // Where a predicate is, as this is what captures the arguments that one may name.
    let place = first.expression.span().resolved_at(span);
    let head = quote_spanned!(place=> |__circuit_result|);
    quote_spanned!(span=> #head { #classified.outcome() })
}

#[cfg(test)]
mod tests {
    use super::{circuit_breaker, judge};
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
        let runtime = quote!(::circuit_runtime::__private);
        let expected = quote! {
            async fn quote(mut symbol: String) -> Result<impl Display, QuoteError> {
                return match #runtime::guard_timed(
                    {
                        static __CIRCUIT_CONFIG: #runtime::Config = #runtime::check::valid(
                            #runtime::Config::builder()
                                .max_failures(5u32)
                                .timeout(::core::time::Duration::new(90u64, 0u32))
                                .build(),
                        );
                        static __CIRCUIT_BREAKER: #runtime::Lazy<#runtime::CircuitBreaker> =
                            #runtime::Lazy::new(|| {
                                #runtime::CircuitBreaker::new(
                                    ::core::concat!(::core::module_path!(), "::", "quote"),
                                    __CIRCUIT_CONFIG
                                )
                            });
                        #runtime::borrowed(&__CIRCUIT_BREAKER)
                    },
                    async move {
                        if false {
                            return #runtime::never::<Result<_, QuoteError>>();
                        }
                        let _ = &symbol;
                        { Ok(symbol) }
                    },
                    |__circuit_result| {
                        #runtime::Classifier(
                            __circuit_result,
                            #runtime::NotAResult
                        ).outcome()
                    }
                )
                .await
                {
                    ::core::result::Result::Ok(__circuit_result) => __circuit_result,
                    ::core::result::Result::Err(__circuit_error) =>
                        #runtime::rejected::<Result<_, QuoteError>>(__circuit_error),
                };
            }
        };
        assert_eq!(dense(&expanded), dense(&expected));
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
                |__circuit_result| {
                    #private::classifier::<Result<u8, E>>()(__circuit_result)
                        #predicates
                        .outcome()
                }
            };
            assert_eq!(dense(&found), dense(&expected));
        }
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
