//! The body of a function, behind its breaker.

use circuit_options::names::OptionName;
use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, ExprClosure, Ident, Pat, ReturnType, Type};

use super::breaker::breaker;
use super::opaque;
use crate::function::Function;

use crate::function::body::{Body, mentions};
use crate::function::captures::{Captures, OptionCode};
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
    let captures = function.capture(&option_code(options), &runtime, span);
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
        captures: &captures,
        // A breaker that the user has made may have a timeout, too.
        timed: options.get(OptionName::Timeout).is_some()
            || options.get(OptionName::Breaker).is_some(),
        runtime: &runtime,
        span,
    };
    let call = match options.code(OptionName::Fallback) {
        Some(expression) => {
            let fallback = Fallback::new(expression, &arguments, options);
            arguments.call_or(&fallback, &breaker)
        }
        None if captures.is_rejected_in_block => {
            arguments.call_or(&Fallback::rejected(&arguments), &breaker)
        }
        None => {
            let call = arguments.call(&breaker, &captures.begin(&arguments.body, span));
            quote_spanned!(span=> return #call;)
        }
    };
    let capture = &captures.function;
    function.with_body(quote!(#capture #call))
}

/// Returns the code of the options that may name arguments.
fn option_code(options: &Options) -> OptionCode {
    let code = |names: &[OptionName]| {
        let codes = names.iter().filter_map(|&name| options.code(name));
        codes.map(free_code).collect()
    };
    OptionCode {
        evaluated: code(&[OptionName::Breaker, OptionName::Key]),
        fallback: code(&[OptionName::Fallback]),
        borrowing: code(&PREDICATES),
    }
}

/// Returns the code of an expression without the names that a closure gives its parameters.
fn free_code(expression: &Expr) -> TokenStream {
    // Input:
    //     |error| error.is_outage() && market.is_open()
    //
    // Output:
    //     . is_outage () && market . is_open ()
    let Expr::Closure(closure) = expression else {
        return expression.to_token_stream();
    };
    let parameters = closure.inputs.to_token_stream();
    without(closure.body.to_token_stream(), &|name| {
        mentions(&parameters, name)
    })
}

/// Leaves out the identifiers of these names.
fn without(tokens: TokenStream, is_left_out: &dyn Fn(&str) -> bool) -> TokenStream {
    let tokens = tokens.into_iter().filter_map(|token| match token {
        TokenTree::Ident(name) if is_left_out(&name.to_string()) => None,
        TokenTree::Group(group) => {
            let inner = without(group.stream(), is_left_out);
            Some(TokenTree::Group(Group::new(group.delimiter(), inner)))
        }
        other => Some(other),
    });
    tokens.collect()
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
    captures: &'e Captures,
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

    /// Builds the body, or the fallback, once the circuit has answered, so that both can move the
    /// arguments.
    fn call_or(&self, fallback: &Fallback, breaker: &TokenStream) -> TokenStream {
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
        // - The closure is not called, only its body is used: an `.await`, a `?` and a `return` in
        //   it are those of the block.
        // - Body and fallback are two blocks that both take the arguments from the outer closure,
        //   and only one of the three is stored at a time. If the function itself held the
        //   arguments while it awaits the admission, it would store them once more.
        // - The `break` ends the `match` before the fallback is awaited: around it, the result of
        //   `admit` would be stored, too.
        // - Without `identity`, clippy would complain that a `let _error` has no effect.
        let Self {
            body,
            return_type_hint,
            captures,
            runtime,
            span,
            ..
        } = self;
        let Fallback {
            pattern,
            before,
            value,
        } = fallback;
        let Captures {
            fallback: capture,
            fallback_bindings: bind,
            ..
        } = captures;
        let guarded = self.call(
            &quote_spanned!(*span=> __circuit_admitted),
            &quote_spanned!(*span=> __circuit_body),
        );
        let block = quote_spanned! {*span=>
            async move {
                #return_type_hint
                #capture
                #bind
                #before
                #value
            }
        };
        if captures.are_lent {
            // Output, where a predicate borrows an argument: the closure above would take it.
            //     let error = '__circuit_rejected: {
            //         let __circuit_admitted = match admit({ breaker }, identity).await {
            //             Ok(__circuit_admitted) => __circuit_admitted,
            //             Err(__circuit_error) => break '__circuit_rejected __circuit_error,
            //         };
            //         return guard(__circuit_admitted, async move { .. }, ..).await;
            //     };
            //     return async move { .. }.await;
            let body = captures.begin(body, *span);
            let block = captures.begin(&block, *span);
            let guarded = self.call(&quote_spanned!(*span=> __circuit_admitted), &body);
            return quote_spanned! {*span=>
                let #pattern = '__circuit_rejected: {
                    let __circuit_admitted =
                        match #runtime::admit(#breaker, ::core::convert::identity).await {
                            ::core::result::Result::Ok(__circuit_admitted) => __circuit_admitted,
                            ::core::result::Result::Err(__circuit_error) => {
                                break '__circuit_rejected __circuit_error;
                            }
                        };
                    return #guarded;
                };
                return #block.await;
            };
        }
        let admit = quote_spanned! {*span=>
            #runtime::admit(
                #breaker,
                move |__circuit_admitted| match __circuit_admitted {
                    ::core::result::Result::Ok(__circuit_admitted) => {
                        #runtime::Choice::Body(__circuit_admitted, #body)
                    }
                    ::core::result::Result::Err(__circuit_error) => {
                        let #pattern = ::core::convert::identity(__circuit_error);
                        #runtime::Choice::Fallback(#block)
                    }
                },
            )
        };
        let admit = captures.begin(&admit, *span);
        quote_spanned! {*span=>
            let __circuit_fallback = '__circuit_rejected: {
                let (__circuit_admitted, __circuit_body) = match #admit.await {
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
}

/// The code that a rejected call evaluates in place of the body.
struct Fallback {
    /// Binds the error.
    pattern: TokenStream,
    before: TokenStream,
    value: TokenStream,
}

impl Fallback {
    /// Evaluates the expression of the option, or the body of its closure.
    fn new(expression: &Expr, arguments: &Arguments<'_>, options: &Options) -> Self {
        let span = arguments.span;
        let Expr::Closure(ExprClosure {
            inputs,
            output,
            body,
            ..
        }) = expression
        else {
            return Self {
                pattern: quote_spanned!(span=> _),
                before: TokenStream::new(),
                value: fallback_value(expression, span),
            };
        };
        // A return type of the closure must be that of the function.
        let typed_hint = match output {
            ReturnType::Default => None,
            ReturnType::Type(_, output) => Some(return_type_hint(output, options)),
        };
        let captures = arguments.captures;
        let hides_argument = |pattern: &Pat| match pattern {
            Pat::Ident(error) => mentions(&captures.fallback, &error.ident.to_string()),
            _ => true,
        };
        let is_before_arguments =
            !captures.fallback_bindings.is_empty() || inputs.first().is_some_and(hides_argument);
        let (pattern, binding) = error_pattern(inputs.first(), is_before_arguments, span);
        Self {
            pattern,
            before: quote_spanned!(span=> #binding #typed_hint),
            value: fallback_value(body, span),
        }
    }

    /// Returns the error of a rejected call. The block drops the arguments as a function does that
    /// returns at once.
    fn rejected(arguments: &Arguments<'_>) -> Self {
        let Arguments { rejected, span, .. } = arguments;
        Self {
            pattern: quote_spanned!(*span=> __circuit_error),
            before: TokenStream::new(),
            value: quote_spanned!(*span=> #rejected(__circuit_error)),
        }
    }
}

/// Returns the pattern that binds the error and, if its type is written or if the block of the
/// fallback captures arguments after it, a `let` that binds it again.
fn error_pattern(
    error: Option<&Pat>,
    is_before_arguments: bool,
    span: Span,
) -> (TokenStream, Option<TokenStream>) {
    // Input:
    //     |error: CircuitError| ..
    //
    // Output:
    //     __circuit_error, and let error: CircuitError = __circuit_error;
    match error {
        Some(pattern) if is_before_arguments || matches!(pattern, Pat::Type(_)) => {
            let error = Ident::new("__circuit_error", pattern.span().resolved_at(span));
            let binding = quote_spanned!(span=> let #pattern = #error;);
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
