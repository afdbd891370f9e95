//! The body of a function, behind its breaker.

use circuit_options::names::OptionName;
use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, ExprClosure, Ident, Pat, ReturnType, Type};

use super::breaker::breaker;
use super::opaque;
use crate::function::Function;

use crate::function::body::Body;
use crate::function::captures::OptionCode;
use crate::options::{Options, Written};
use crate::spans::ends;

/// The predicates, in the order in which they are asked.
const PREDICATES: [OptionName; 2] = [OptionName::IgnoreIf, OptionName::FailureIf];

/// Returns the function with its body behind the breaker.
pub(crate) fn guarded(mut function: Function, options: &Options) -> TokenStream {
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
    // - The inner `return` fixes the type of the block before its body is checked, as the signature
    //   does without the attribute: `?` and coercions work, and a wrong body is one error.
    // - The outer `return` satisfies `clippy::implicit_return`.
    // - `&symbol` makes the block capture its arguments in the order in which it has to drop them;
    //   see `Captures`.
    // - A parameter with the name of a constant of the user's would be a pattern; hence the long
    //   names.
    // - Only `rejected` bounds the return type, so that a wrong one is one error. With predicates,
    //   `classifier` has the same bound at the same span.
    let span = function.output.span().resolved_at(Span::mixed_site());
    let output = opaque::inferred(&function.output);
    let runtime = options.runtime(span);
    let return_type_hint = return_type_hint(&output, options);
    let captures = function.capture(&option_code(options), span);
    let capture = &captures.body;
    let inner = function.inner_block();

    let breaker = breaker(&function, options, span);
    let arguments = Arguments {
        body: quote_spanned! {span=>
            async move {
                #return_type_hint
                #capture
                #inner
            }
        },
        classifier: classifier(options, &output, span),
        rejected: quote_spanned!(span=> #runtime::rejected::<#output>),
        return_type_hint,
        fallback_captures: captures.fallback,
        // A breaker that the user has made may have a timeout, too.
        timed: options.get(OptionName::Timeout).is_some()
            || options.get(OptionName::Breaker).is_some(),
        runtime: &runtime,
        span,
    };
    let call = match options.code(OptionName::Fallback) {
        None => {
            let call = arguments.call(&breaker, &arguments.body);
            quote_spanned!(span=> return #call;)
        }
        Some(fallback) => with_fallback(fallback, &breaker, &arguments, options),
    };
    let capture = &captures.function;
    function.with_body(quote!(#capture #call))
}

/// Returns the code of the options that may name arguments.
fn option_code(options: &Options) -> OptionCode {
    let code = |names: &[OptionName]| {
        let codes = names.iter().filter_map(|&name| options.code(name));
        codes.map(ToTokens::to_token_stream).collect()
    };
    OptionCode {
        evaluated: code(&[OptionName::Breaker, OptionName::Key, OptionName::Fallback]),
        borrowing: code(&PREDICATES),
    }
}

/// Returns a `return` that is never reached, and fixes the type of the enclosing block.
fn return_type_hint(output: &Type, options: &Options) -> TokenStream {
    // Input:
    //     Result<Quote, QuoteError>
    //
    // Output:
    //     if false {
    //         return never::<Result<Quote, QuoteError>>();
    //     }
    let (first, last) = ends(output);
    let span = first.resolved_at(Span::mixed_site());
    let runtime = options.runtime(span);
    let nothing = quote_spanned!(last.resolved_at(span)=> ());
    quote_spanned! {span=>
        if false {
            return #runtime::never::<#output> #nothing;
        }
    }
}

/// The arguments of `guard`, except for the admission.
struct Arguments<'e> {
    body: TokenStream,
    classifier: TokenStream,
    rejected: TokenStream,
    return_type_hint: TokenStream,
    fallback_captures: TokenStream,
    timed: bool,
    runtime: &'e TokenStream,
    span: Span,
}

impl Arguments<'_> {
    /// Returns the call of `guard`, or of `guard_timed`, and its result.
    fn call(&self, admission: &TokenStream, body: &TokenStream) -> TokenStream {
        // Output:
        //     guard({ breaker }, async move { .. }, |..| .., |..| ..).await
        //
        // Output, with a timeout:
        //     match guard_timed({ breaker }, async move { .. }, |..| ..).await {
        //         Ok(__circuit_result) => __circuit_result,
        //         Err(__circuit_error) => rejected::<Result<Quote, QuoteError>>(__circuit_error),
        //     }
        //
        // The body has started by then. It must be dropped before the error is converted: the
        // conversion, which is the user's code, may need something that the body holds, such as a
        // lock.
        let Self {
            classifier,
            rejected,
            timed,
            runtime,
            span,
            ..
        } = self;
        if *timed {
            quote_spanned! {*span=>
                match #runtime::guard_timed(#admission, #body, #classifier).await {
                    ::core::result::Result::Ok(__circuit_result) => __circuit_result,
                    ::core::result::Result::Err(__circuit_error) => #rejected(__circuit_error),
                }
            }
        } else {
            let on_rejection = quote_spanned!(*span=> |__circuit_error| #rejected(__circuit_error));
            quote_spanned! {*span=>
                #runtime::guard(#admission, #body, #classifier, #on_rejection).await
            }
        }
    }
}

/// Builds the body, or the fallback, once the circuit has answered, so that both can move the
/// arguments.
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
    //     let __circuit_fallback = '__circuit_rejected: {
    //         let (__circuit_admitted, __circuit_body) = match admit(
    //             { breaker },
    //             move |__circuit_admitted| match __circuit_admitted {
    //                 Ok(__circuit_admitted) => {
    //                     Choice::Body(__circuit_admitted, async move { .. })
    //                 }
    //                 Err(__circuit_error) => {
    //                     let error = identity(__circuit_error);
    //                     Choice::Fallback(async move {
    //                         if false {
    //                             return never::<Result<Quote, QuoteError>>();
    //                         }
    //                         let _ = &symbol;
    //                         { cached(symbol, error).await }
    //                     })
    //                 }
    //             },
    //         )
    //         .await
    //         {
    //             Choice::Body(__circuit_admitted, __circuit_body) => {
    //                 (__circuit_admitted, __circuit_body)
    //             }
    //             Choice::Fallback(__circuit_fallback) => {
    //                 break '__circuit_rejected __circuit_fallback;
    //             }
    //         };
    //         return guard(__circuit_admitted, __circuit_body, ..).await;
    //     };
    //     return __circuit_fallback.await;
    //
    // - The closure is not called, only its body is used: an `.await`, a `?` and a `return` in it
    //   are those of the block.
    // - Body and fallback are two blocks that both take the arguments from the outer closure, and
    //   only one of the three is stored at a time. If the function itself held the arguments while
    //   it awaits the admission, it would store them once more.
    // - The `break` ends the `match` before the fallback is awaited: around it, the result of
    //   `admit` would be stored, too.
    // - Without `identity`, clippy would complain that a `let _error` has no effect.
    let span = arguments.span;
    let guarded = arguments.call(
        &quote_spanned!(span=> __circuit_admitted),
        &quote_spanned!(span=> __circuit_body),
    );
    // A return type of the closure must be that of the function.
    let (pattern, before, value) = match fallback {
        Expr::Closure(ExprClosure {
            inputs,
            output,
            body,
            ..
        }) => {
            let typed_hint = match output {
                ReturnType::Default => None,
                ReturnType::Type(_, output) => Some(return_type_hint(output, options)),
            };
            let value = fallback_value(body, span);
            let (pattern, binding) = error_pattern(inputs.first(), span);
            (pattern, quote_spanned!(span=> #binding #typed_hint), value)
        }
        expression => {
            let value = fallback_value(expression, span);
            (quote_spanned!(span=> _), TokenStream::new(), value)
        }
    };
    let Arguments {
        body,
        return_type_hint,
        fallback_captures,
        runtime,
        ..
    } = arguments;
    quote_spanned! {span=>
        let __circuit_fallback = '__circuit_rejected: {
            let (__circuit_admitted, __circuit_body) = match #runtime::admit(
                #breaker,
                move |__circuit_admitted| match __circuit_admitted {
                    ::core::result::Result::Ok(__circuit_admitted) => {
                        #runtime::Choice::Body(__circuit_admitted, #body)
                    }
                    ::core::result::Result::Err(__circuit_error) => {
                        let #pattern = ::core::convert::identity(__circuit_error);
                        #runtime::Choice::Fallback(async move {
                            #return_type_hint
                            #fallback_captures
                            #before
                            #value
                        })
                    }
                },
            )
            .await
            {
                #runtime::Choice::Body(__circuit_admitted, __circuit_body) => {
                    (__circuit_admitted, __circuit_body)
                }
                #runtime::Choice::Fallback(__circuit_fallback) => {
                    break '__circuit_rejected __circuit_fallback;
                }
            };
            return #guarded;
        };
        return __circuit_fallback.await;
    }
}

/// Returns the pattern that binds the error and, if its type is written, a `let` that binds it
/// again.
fn error_pattern(error: Option<&Pat>, span: Span) -> (TokenStream, Option<TokenStream>) {
    // Input:
    //     |error: CircuitError| ..
    //
    // Output:
    //     __circuit_error, and let error: CircuitError = __circuit_error;
    match error {
        Some(Pat::Type(typed)) => {
            let error = Ident::new("__circuit_error", typed.span().resolved_at(span));
            let binding = quote_spanned!(span=> let #typed = #error;);
            (error.into_token_stream(), Some(binding))
        }
        other => (other.to_token_stream(), None),
    }
}

/// Returns the value of a fallback.
fn fallback_value(expression: &Expr, span: Span) -> TokenStream {
    // Input:
    //     Ok(cached)
    //
    // Output:
    //     { Ok(cached) }
    let tokens = expression.to_token_stream();
    let value = match (expression, tokens.clone().into_iter().next()) {
        // With their written span, rustc would warn about braces that are needed there, but not
        // here.
        (Expr::Block(_), Some(TokenTree::Group(block))) => Body::from_group(&block)
            .map_or(tokens, |body| body.as_inner_block().into_token_stream()),
        _ => tokens,
    };
    quote_spanned!(span=> { #value })
}

/// Returns the closure that classifies a result and settles its permit.
fn classifier(options: &Options, output: &Type, span: Span) -> TokenStream {
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
    // - A closure that is an argument of a method needs no type for its parameter.
    // - `ignore_if` is asked first; of an error that it ignores, `failure_if` is not asked.
    let runtime = options.runtime(span);
    let predicates: Vec<_> = PREDICATES
        .into_iter()
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
        // One span for both, as a predicate of a wrong type is reported at both.
        let method = Ident::new(name.as_str(), expression.span());
        classified = quote_spanned!(span=> #classified.#method(#expression));
    }
    // Spanned at a predicate, as this closure captures the arguments that the predicate names.
    let closure_span = first.expression.span().resolved_at(span);
    let head = quote_spanned!(closure_span=> |__circuit_result|);
    quote_spanned!(span=> #head { #classified.outcome() })
}

#[cfg(test)]
mod tests {
    use super::classifier;
    use crate::errors::Errors;
    use crate::options::Options;
    use proc_macro2::{Span, TokenStream};
    use quote::quote;
    use syn::parse_quote;

    #[test]
    fn ignore_if_is_asked_before_failure_if() {
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
            let found = classifier(
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

    /// Returns the tokens without spaces, as `>>` may be one token or two.
    fn dense(tokens: &TokenStream) -> String {
        tokens.to_string().replace(' ', "")
    }
}
